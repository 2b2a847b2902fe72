/**
 * The attributes of ops: what each key may hold. Which keys an op has stands in the op table; the shape of a value is a
 * matter of the key alone, except for `lanes`.
 */

import { storeRule } from "./convert.ts";
import { DTYPES, type DTypeName, isInt, SCOPES } from "./dtype.ts";
import type { Attrs, AttrValue, Type } from "./kir.ts";
import { OPS, type OpName } from "./ops.ts";
import { ACTIVATION_NAMES } from "./path/activations.ts";
import { AXES, DATAFLOWS, LAYOUTS, TRANSFORMS } from "./path/operands.ts";
import { MAX_DIMS } from "./transfer.ts";

/** More lanes than any register or sensible vector has: a bound for mistakes. */
export const MAX_LANES = 65536;

/** A sentence that says what is wrong with a value, or nothing. */
type Rule = (value: AttrValue, op: OpName) => string | undefined;

export function isDType(value: unknown): value is DTypeName {
  return typeof value === "string" && Object.hasOwn(DTYPES, value);
}
export function isLaneCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_LANES;
}
function isIndex(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

const flag: Rule = (v) => (typeof v === "boolean" ? undefined : "must be true or false");
const dtype: Rule = (v) => (isDType(v) ? undefined : "must be a dtype");
const index: Rule = (v) => (isIndex(v) ? undefined : "must be an integer, at least 0");
const text: Rule = (v) => (typeof v === "string" ? undefined : "must be a text");
/** A flag that is true or absent. */
const set: Rule = (v) => (v === true ? undefined : "must be true or absent");
const oneOf =
  (names: readonly string[]): Rule =>
  (v) =>
    names.includes(v as string) ? undefined : `must be one of ${names.join(", ")}`;
const SCALARS: readonly unknown[] = ["num", "i32", "i64", "f32", "f64", "bool"];

const RULES: Readonly<Record<string, Rule>> = {
  dtype,
  out: (v) => (isDType(v) && isInt(v) ? undefined : "must be an integer dtype"),
  to: (v) => (SCALARS.includes(v) ? undefined : "must be a scalar type"),
  saturate: flag,
  wrap: flag,
  round: flag,
  scope: (v) => ((SCOPES as readonly unknown[]).includes(v) ? undefined : "must be a scope"),
  count: index,
  offset: index,
  table: index,
  text: index,
  id: index,
  dims: (v) =>
    Number.isInteger(v) && (v as number) >= 1 && (v as number) <= MAX_DIMS
      ? undefined
      : `must be an integer, 1 to ${MAX_DIMS}`,
  padded: flag,
  transform: oneOf(TRANSFORMS),
  layout: oneOf(LAYOUTS),
  transposed: set,
  quantized: set,
  dataflow: oneOf(DATAFLOWS),
  axis: oneOf(AXES),
  activation: oneOf(ACTIVATION_NAMES),
  bias: set,
  scale: oneOf(["number", "vector"]),
  residual: oneOf(["plain", "quantized"]),
  name: text,
  groups: (v) =>
    isList(v) && v.every((n) => Number.isInteger(n) && n >= 1) ? undefined : "must be a list of counts",
  values: (v) =>
    isList(v) && isLaneCount(v.length) ? undefined : `must be a list of 1 to ${MAX_LANES} numbers`,
  lanes: (v, op) => {
    if (op !== "shuffle") return isLaneCount(v) ? undefined : `must be an integer, 1 to ${MAX_LANES}`;
    const good = isList(v) && isLaneCount(v.length) && v.every((lane) => Number.isInteger(lane));
    return good ? undefined : `must be a list of 1 to ${MAX_LANES} lane indices`;
  },
};

function isList(v: AttrValue): v is readonly number[] {
  return Array.isArray(v) && v.every((x) => typeof x === "number");
}

/** What is wrong with the attributes of an op: one that is missing, unknown, or has no value of its kind. */
export function attrProblem(op: OpName, attrs: Attrs): string | undefined {
  const declared = OPS[op].attrs ?? [];
  for (const name of declared) {
    if (!name.endsWith("?") && attrs[name] === undefined) return `needs the attribute ${name}`;
  }
  for (const [key, value] of Object.entries(attrs)) {
    if (!declared.includes(key) && !declared.includes(`${key}?`)) return `has no attribute ${key}`;
    if (value === undefined) continue;
    const rule = Object.hasOwn(RULES, key) ? RULES[key] : undefined;
    if (rule === undefined) throw new TypeError(`ir/attrs.ts has no rule for the attribute ${key} of ${op}`);
    const wrong = rule(value, op);
    if (wrong !== undefined) return `attribute ${key} ${wrong}`;
  }
  if (op === "vconst") {
    const d = attrs["dtype"] as DTypeName;
    const wrong = (attrs["values"] as readonly number[]).find((x) => !isElement(d, x));
    if (wrong !== undefined) return `${wrong} is not a value of ${d}`;
  }
  return undefined;
}

/** True when `x` is an exact value of the dtype. Integers are never -0. */
export function isElement(d: DTypeName, x: number): boolean {
  return Object.is(storeRule(d)(x), x);
}

/** True when `value` can be a constant of the type: exact, in range, never -0 for integers. */
export function isConstant(type: Type, value: unknown): boolean {
  if (type.kind !== "scalar") return false;
  if (type.name === "bool") return typeof value === "boolean";
  if (typeof value !== "number") return false;
  switch (type.name) {
    case "num":
    case "f64":
      return true;
    case "f32":
      return isElement("f32", value);
    case "i32":
      return isElement("i32", value);
    case "i64":
      return Number.isSafeInteger(value) && !Object.is(value, -0);
    default:
      return false;
  }
}
