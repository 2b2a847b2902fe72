/**
 * Corners of an intrinsic: calls whose result an author would otherwise have to guess, as data. The reference prints what
 * they give, computed when it is written, and tests hold every execution to it. They stand in corners/<family>.ts.
 */

import { convertRule } from "../ir/convert.ts";
import { ALL_DTYPES, type DTypeName } from "../ir/dtype.ts";
import { dtypeOf } from "./dtypes.ts";
import { Mask, Vec } from "./values.ts";

/** Lanes of one dtype: `{ i8: [127, -128] }`; of bool a mask of zeros and ones. Floats are rounded to the dtype. */
export type CornerLanes = { readonly [D in DTypeName]?: readonly number[] };
/** A number, a boolean, a static text (the name of a dtype or part, a mask string), lanes, or a list of those. */
export type CornerValue = number | boolean | string | CornerLanes | readonly CornerValue[];
export type CornerOptions = { readonly [option: string]: CornerValue };

/**
 * The operands of a call in order and its options last, or, for what needs a kernel, kernel lines over the arrays of the
 * examples: x, y are `ptr(f32)`, i, j are `ptr(i32)`, of 64 elements.
 */
export type Corner = readonly (CornerValue | CornerOptions)[] | string;

const isList = (v: unknown): v is readonly CornerValue[] => Array.isArray(v);

/** The dtype and numbers of lanes, or undefined where the value is no lanes. */
export function lanesOf(
  v: CornerValue | CornerOptions,
): { readonly dtype: DTypeName; readonly numbers: readonly number[] } | undefined {
  if (typeof v !== "object" || isList(v)) return undefined;
  const dtype = ALL_DTYPES.find((d) => Object.hasOwn(v, d));
  return dtype === undefined ? undefined : { dtype, numbers: (v as CornerLanes)[dtype] ?? [] };
}

/** Operands and options of a corner that is a call. */
export function partsOfCorner(
  r: { readonly signature: { readonly options?: unknown } },
  c: Exclude<Corner, string>,
): { readonly operands: readonly CornerValue[]; readonly options: CornerOptions | undefined } {
  const last = c.at(-1);
  const has =
    typeof last === "object" &&
    !isList(last) &&
    lanesOf(last) === undefined &&
    r.signature.options !== undefined;
  return has
    ? { operands: c.slice(0, -1) as CornerValue[], options: last as CornerOptions }
    : { operands: c as readonly CornerValue[], options: undefined };
}

/** A corner's value as a host value: what the intrinsic takes outside a kernel. `kind` is that of the operand. */
export function hostValue(v: CornerValue, kind: string | undefined): unknown {
  const lanes = lanesOf(v);
  if (lanes !== undefined) {
    if (lanes.dtype === "bool") return new Mask(lanes.numbers);
    return new Vec(dtypeOf(lanes.dtype), lanes.numbers.map(convertRule(lanes.dtype)));
  }
  if (isList(v)) return v.map((e) => hostValue(e, kind));
  return kind === "dtype" ? dtypeOf(v as DTypeName) : v;
}
