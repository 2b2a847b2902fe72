/** The forms in which a record's operands and options are tried at one dtype and width. */
import { dtypeOf } from "../../dsl/dtypes.ts";
import type { IntrinsicRecord, OperandSpec } from "../../dsl/intrinsic.ts";
import { type DTypeName, isFloat } from "../../ir/dtype.ts";
import type { Operand, Planner } from "./cell.ts";

const MOST_OPTION_SETS = 24;

/** The operand whose dtype and lanes name a cell: the first with lanes. */
export function firstLanes(r: IntrinsicRecord): OperandSpec | undefined {
  return r.signature.operands.find((o) => ["vec", "vec|scalar", "list", "mask"].includes(o.kind));
}

/** All forms of one operand: the first is the plain one. */
export function formsOf(
  p: Planner,
  spec: OperandSpec,
  at: number,
  r: IntrinsicRecord,
  d: DTypeName,
  n: number,
): Operand[] {
  const lanes = spec.lanes?.(n) ?? n;
  const values = typeof spec.values === "function" ? spec.values(d, n) : spec.values;
  const numbers = values as readonly number[] | undefined;
  const role = spec.name;
  const literal = (x: DTypeName): Operand => ({
    form: "static",
    value: numbers?.[0] ?? (isFloat(x) ? 1.5 : 3),
  });
  const own = (spec.kind === "mask" ? ["bool"] : dtypesFor(r, spec, d)) as readonly DTypeName[];
  switch (spec.kind) {
    case "vec":
      return own.map((x) => p.lanes(role, x, lanes, numbers));
    case "vec|scalar": {
      const vectors = own.map((x) => p.lanes(role, x, lanes, numbers));
      if (at === 0 && r.signature.operands.length === 1) return vectors;
      const scalars = own.flatMap((x) =>
        x === "bool" ? [] : [p.number(role, x, lanes, numbers), literal(x)],
      );
      return [...vectors, ...scalars];
    }
    case "list": {
      // Members of different lane counts, and more than two of them.
      const member = (x: DTypeName, k: number, n: number) => p.lanes(`${role}[${k}]`, x, n);
      return own.flatMap((x) => [
        { form: "list", items: [member(x, 0, lanes), member(x, 1, lanes)] },
        { form: "list", items: [member(x, 0, lanes), member(x, 1, lanes), member(x, 2, 2 * lanes)] },
      ]);
    }
    case "mask": {
      const mask = p.lanes(role, "bool", lanes);
      // A method is called on a mask; an operand may also be a mask string.
      return at === 0 && r.name.includes(".") ? [mask] : [mask, { form: "static", value: maskString(lanes) }];
    }
    case "scalar": {
      if (own.length > 0) return own.flatMap((x) => [p.number(role, x, 1, numbers), literal(x)]);
      const whole = numbers?.every((v) => Number.isInteger(v)) === true;
      const dtype: DTypeName = numbers === undefined ? "f32" : whole ? "i32" : "f32";
      const literals = (numbers ?? [0, -2.5, 3])
        .slice(0, 3)
        .map((value): Operand => ({ form: "static", value }));
      return [p.number(role, dtype, 1, numbers), ...literals];
    }
    case "dtype":
      return (values ?? own.map((x) => dtypeOf(x))).map((value) => ({ form: "static", value }));
    default:
      return (values ?? []).map((value) => ({ form: "static", value }));
  }
}

function dtypesFor(r: IntrinsicRecord, spec: OperandSpec, d: DTypeName): readonly DTypeName[] {
  const { dtype } = spec;
  if (dtype === undefined) return spec.kind.startsWith("vec") ? [d] : [];
  if (typeof dtype === "string") return [d];
  if (!Array.isArray(dtype))
    return (dtype as Readonly<Partial<Record<DTypeName, readonly DTypeName[]>>>)[d] ?? [];
  return spec === firstLanes(r) || (!["scalar", "dtype"].includes(spec.kind) && dtype.includes(d))
    ? [d]
    : (dtype as DTypeName[]);
}

export function maskString(n: number): string {
  return Array.from({ length: n }, (_, i) => ((i * 5) % 7 < 4 ? "T" : "F")).join("");
}

/** Static options alone, and all of them together. */
export function optionSets(r: IntrinsicRecord, d: DTypeName, n: number): Readonly<Record<string, unknown>>[] {
  const own = (r.signature.options ?? []).filter((o) => o.kind === "static" || o.kind === "dtype");
  const values = (o: OperandSpec): readonly unknown[] =>
    (typeof o.values === "function" ? o.values(d, n) : o.values) ?? [];
  const alone = own.flatMap((o) => values(o).map((v) => ({ [o.name]: v })));
  const pairs = own.flatMap((a, i) =>
    own
      .slice(i + 1)
      .flatMap((b) => values(a).flatMap((v) => values(b).map((w) => ({ [a.name]: v, [b.name]: w })))),
  );
  return [{}, ...alone, ...pairs].slice(0, MOST_OPTION_SETS);
}
