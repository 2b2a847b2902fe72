/**
 * The value of pure ops on numbers, vectors and masks: the ALU table applied to KIR. The interpreter and the constant
 * folder both go through here. Pointers, memory and the facts of a run are not here.
 */
import { laneFn, reduce, reduceIndex, type ScalarType, scalarFn, tailMask } from "./alu.ts";
import { castRule, storeRule } from "./convert.ts";
import { dotLanes } from "./dot.ts";
import type { DTypeName } from "./dtype.ts";
import type { Attrs, Type } from "./kir.ts";
import { type AluOp, OPS, type OpName } from "./ops.ts";
import { compress, expand, lookUp, reinterpret, slide } from "./packing.ts";

/** A scalar (bool as 0 or 1), or the lanes of a vector or mask. */
export type LaneValue = number | readonly number[];

/** The ALU's name of a scalar type; `num` is a JavaScript number, an f64. */
function scalarTypeOf(t: Type): ScalarType {
  if (t.kind !== "scalar" || t.name === "event") throw new TypeError("not a scalar of the ALU");
  return t.name === "num" ? "f64" : t.name;
}
function laneDType(t: Type | undefined): DTypeName {
  if (t?.kind === "vec") return t.dtype;
  if (t?.kind === "mask") return "bool";
  throw new TypeError("not a vector or mask");
}

/**
 * The value of an op, or undefined where it has none here: ops of pointers, memory, events and tiles, and what stops the
 * program (a zero divisor, a lane index beyond the lanes).
 */
export function evaluate(
  op: OpName,
  types: readonly Type[],
  args: readonly LaneValue[],
  attrs: Attrs,
): LaneValue | undefined {
  const number = (i: number): number => args[i] as number;
  const lanes = (i: number): readonly number[] => args[i] as readonly number[];
  switch (op) {
    case "select":
      return number(0) ? args[1] : args[2];
    case "vconst":
      return attrs["values"] as readonly number[];
    case "splat":
      return new Array<number>(attrs["lanes"] as number).fill(
        storeRule(attrs["dtype"] as DTypeName)(number(0)),
      );
    case "sel":
      return lanes(0).map((m, i) => (m ? lanes(1)[i] : lanes(2)[i]) as number);
    case "cast":
      return lanes(0).map(castRule(laneDType(types[0]), attrs["dtype"] as DTypeName, attrs));
    case "shuffle": {
      const all = (args as readonly (readonly number[])[]).flat();
      return (attrs["lanes"] as readonly number[]).map((lane) => (lane < 0 ? 0 : (all[lane] as number)));
    }
    case "compress":
      return compress(lanes(0), lanes(1));
    case "expand":
      return expand(lanes(0), lanes(1));
    case "table":
      return lookUp(lanes(0), (args.slice(1) as readonly (readonly number[])[]).flat());
    case "slide":
      return slide(lanes(0), lanes(1), number(2));
    case "bitcast":
      return reinterpret(laneDType(types[0]), attrs["dtype"] as DTypeName, lanes(0));
    case "dot":
      return dotLanes(laneDType(types[0]), lanes(0), lanes(1), lanes(2));
    case "extract":
      return lanes(0)[number(1)];
    case "radd":
    case "rmin":
    case "rmax":
      return reduce(op, laneDType(types[0]), lanes(0));
    case "rmin_idx":
    case "rmax_idx":
      return reduceIndex(op, laneDType(types[0]), lanes(0), lanes(1));
    case "any":
      return lanes(0).some((m) => m) ? 1 : 0;
    case "all":
      return lanes(0).every((m) => m) ? 1 : 0;
    case "tail_mask":
      return tailMask(number(0), attrs["lanes"] as number);
  }
  const rule = scalarRule(op, types, attrs);
  if (rule !== undefined) return rule(number(0), number(1), number(2));
  if (!OPS[op].alu) return undefined;
  const lane = laneFn(op as AluOp, laneDType(types[0]), attrs);
  return lanes(0).map((x, i) => lane(x, lanes(1)?.[i] ?? 0, lanes(2)?.[i] ?? 0));
}

/** What an op makes of numbers; undefined for numbers of which it has no value. */
export type ScalarRule = (a: number, b: number, c: number) => number | undefined;

/** The rule of an op whose operands are scalars, for any of them; undefined for an op that has none here. */
export function scalarRule(op: OpName, types: readonly Type[], attrs: Attrs): ScalarRule | undefined {
  const [first] = types;
  if (first?.kind !== "scalar" || first.name === "event") return undefined;
  const type = scalarTypeOf(first);
  switch (op) {
    case "select":
      return (a, b, c) => (a ? b : c);
    case "ceildiv":
    case "floordiv": {
      const divide = scalarFn(op, type);
      return (a, b) => (b === 0 ? undefined : divide(a, b));
    }
    case "round":
    case "imul":
    case "clz32":
    case "to_int32":
    case "to_uint32":
    case "js_shl":
    case "js_shr":
    case "convert":
    case "cast_scalar":
    case "truthy":
      return scalarFn(op, type, attrs);
  }
  return OPS[op].alu ? scalarFn(op, type, attrs) : undefined;
}
