/** Calls of the catalogue's forms with operands of the right kinds. */
import type { OperandSpec } from "../dsl/intrinsic.ts";
import type { DTypeName } from "../ir/dtype.ts";
import { type Form, type FormResult, lanesOf, type Slot, staticText, staticValue } from "./catalogue.ts";
import type { Maker } from "./maker.ts";
import { call, type Expr, expr, leaf, literal, NUM, type Ty, VOID } from "./tree.ts";

/** A call of some intrinsic that gives the type; undefined when none was found for its lane count. */
export function callForm(m: Maker, type: Ty, depth: number): Expr | undefined {
  const { r, catalogue } = m;
  const records = catalogue.records(type);
  if (records.length === 0) return undefined;
  for (let attempt = 0; attempt < 6; attempt++) {
    const forms = catalogue.forms(r.pick(records), type);
    if (forms.length === 0) continue;
    const { form, n: fixed } = r.pick(forms);
    const n = fixed > 0 ? fixed : lanesFor(m, form);
    const result = form.dtype === undefined ? catalogue.result(form, 1) : catalogue.result(form, n);
    if (result === undefined || !same(result.type, type)) continue;
    return callOf(m, form, n, result, depth);
  }
  return undefined;
}

/** A lane count for the first vector of a form whose result has none. */
function lanesFor(m: Maker, form: Form): number {
  const n = m.r.pick(m.lanes);
  return Math.max(form.multipleOf, n - (n % form.multipleOf));
}

function same(have: Ty, want: Ty): boolean {
  if (have.is !== want.is) return have.is === "num" && want.is === "int";
  if (have.is === "vec" && want.is === "vec") return have.dtype === want.dtype && have.lanes === want.lanes;
  return have.is !== "mask" || want.is !== "mask" || have.lanes === want.lanes;
}

function callOf(m: Maker, form: Form, n: number, result: FormResult, depth: number): Expr {
  const { r } = m;
  const { record, slots } = form;
  const vectors = slots.filter((s) => s.is === "vec");
  // One vector must stay: the scalars take their dtype and lanes from it.
  const kept = r.pick(vectors.length > 0 ? vectors : [undefined]);
  const args = slots.map((s) => operand(m, form, s, s === kept || !r.chance(0.25), n, depth));
  const options = form.options.map(
    (o) => [o.spec.name, leaf(VOID, staticText(staticValue(o.spec, o.choice, form.dtype, n)))] as const,
  );
  const tags = [
    record.name,
    ...vectors.slice(0, 1).map((v) => (v.is === "vec" ? `${record.name} ${v.dtype}` : "")),
  ];
  const all: (readonly [string, Expr])[] = [...options];
  const specs = record.signature.options ?? [];
  if (result.maskLanes !== undefined && r.chance(0.3)) {
    all.push(["mask", m.maskArgument(result.maskLanes, depth - 1)]);
    tags.push("mask option");
    if (specs.some((o) => o.name === "r") && r.chance(0.5)) {
      all.push(["r", inactive(m, result, depth - 1)]);
      tags.push("r option");
    }
  }
  const made = call(result.type, `S.${record.name}`, args, all, ...tags);
  if (result.element === undefined) return made;
  return expr(result.type)`${made}[${r.below(result.element)}]`;
}

/** What inactive lanes hold: a vector or a number; a mask or a boolean. */
function inactive(m: Maker, { type, takesR }: FormResult, depth: number): Expr {
  const { r } = m;
  if (type.is === "vec")
    return takesR && r.chance(0.5) ? m.vec(type.dtype, type.lanes, depth) : m.fitting(type.dtype, depth);
  return takesR && type.is === "mask" && r.chance(0.5) ? m.mask(type.lanes, depth) : m.bool(depth);
}

function operand(m: Maker, form: Form, s: Slot, vector: boolean, n: number, depth: number): Expr {
  const { r } = m;
  switch (s.is) {
    case "vec": {
      const lanes = lanesOf(s.spec, n);
      if (!vector && s.spec.kind === "vec|scalar") return scalar(m, s.spec, s.dtype, n, depth);
      return s.dtype === "bool" ? m.mask(lanes, depth - 1) : m.vec(s.dtype, lanes, depth - 1);
    }
    case "mask":
      return m.maskArgument(lanesOf(s.spec, n), depth - 1);
    case "number": {
      const { values } = s.spec;
      if (values === undefined) return m.num(depth - 1);
      return literal(
        NUM,
        Number(r.pick(typeof values === "function" ? values(form.dtype ?? "f32", n) : values)),
      );
    }
    case "dtype":
      return leaf(VOID, s.dtype);
    case "static":
      return leaf(VOID, staticText(staticValue(s.spec, s.choice, form.dtype, n)));
  }
}

function scalar(m: Maker, spec: OperandSpec, d: DTypeName, n: number, depth: number): Expr {
  const { values } = spec;
  if (values !== undefined && m.r.chance(0.5)) {
    const x = m.r.pick(typeof values === "function" ? values(d, n) : values);
    if (typeof x === "number") return literal(NUM, x);
  }
  return d === "bool" ? m.bool(depth - 1) : m.fitting(d, depth);
}
