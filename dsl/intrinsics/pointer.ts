/**
 * Methods of pointers, vectors and masks. In direct execution the method itself runs (pointer.ts, values.ts); these
 * records say what it becomes in a compiled kernel. Lowering finds them by `<class>.<method>`; `this` is the first
 * argument.
 */

import { ALL_DTYPES, NUMERIC } from "../../ir/dtype.ts";
import {
  address,
  dtype,
  integer,
  type LaneShape,
  lanesLike,
  number,
  pointed,
  pointer,
  present,
} from "../arguments.ts";
import type { LowerContext } from "../context.ts";
import type { DType } from "../dtypes.ts";
import { intrinsic, type OperandSpec } from "../intrinsic.ts";
import type { Expr } from "../ir.ts";
import { isView, shapeOf, shapeText, type Value } from "../operand.ts";
import { LoweredOps } from "../ops.ts";
import type { NdBuffer, Ptr } from "../pointer.ts";
import { Mask, type Vec } from "../values.ts";

const family = "pointer";
const PTR: OperandSpec = { name: "p", kind: "ptr", dtype: ALL_DTYPES };

/** `p + elements`; moving by a literal 0 is nothing. */
function moved(ops: LoweredOps, p: unknown, elements: unknown, argument: number): Expr {
  pointed(ops, p, "this", 0);
  integer(ops, elements, "the index", argument);
  const at = ops.expr(address(p));
  return elements === 0 ? at : ops.op("ptr_add", [at, ops.number(elements as Value)]);
}

export const ptrAt = intrinsic<(p: Ptr, elements: number) => Ptr>({
  name: "Ptr.at",
  family,
  signature: { operands: [PTR, { name: "elements", kind: "scalar" }], result: "ptr" },
  effect: "pure",
  cost: "scalar",
  doc: "The pointer that many elements further, or back. Only accesses check bounds.",
  example: "S.vstore(S.vload(x.at(8)), y.at(8));",
  simulate: (_sim, p: Ptr, elements: number) => p.at(elements),
  lower: (b, p: unknown, elements: unknown) => moved(new LoweredOps(b, "Ptr.at"), p, elements, 1),
});

/** The element offset of a row-major index; missing trailing indices are 0. */
function offset(
  b: LowerContext,
  ops: LoweredOps,
  shape: readonly (number | Expr)[],
  indices: readonly unknown[],
): Value {
  if (indices.length > shape.length) {
    ops.refuse("KPU3009", `${ops.name}: takes ${shape.length} indices, got ${indices.length}`);
  }
  let sum: Value = 0;
  for (const [d, extent] of shape.entries()) {
    const index = indices[d] ?? 0;
    integer(ops, index, `index ${d}`, d + 1);
    const scaled: Value =
      typeof sum === "number" && typeof extent === "number"
        ? sum * extent
        : sum === 0
          ? 0
          : b.op("mul", [ops.number(sum), ops.number(extent)]);
    if (typeof scaled === "number" && typeof index === "number") sum = scaled + index;
    else if (scaled === 0) sum = ops.number(index as Value);
    else sum = index === 0 ? scaled : b.op("add", [ops.number(scaled), ops.number(index as Value)]);
  }
  return sum;
}

export const bufferAt = intrinsic<(p: NdBuffer, ...indices: number[]) => Ptr>({
  name: "NdBuffer.at",
  family,
  variadic: true,
  signature: {
    operands: [
      { ...PTR, doc: "a buffer of S.alloc or S.view" },
      { name: "indices", kind: "scalar", doc: "one per leading dimension" },
    ],
    result: "ptr",
  },
  effect: "pure",
  cost: "scalar",
  doc: "The pointer to element (i, j, ...) of a buffer, row-major; missing trailing indices are 0. Only accesses check bounds.",
  example: "const t = S.view(x, [2, 4]); y.set(0, t.at(1, 2).get());",
  simulate: (_sim, p: NdBuffer, ...indices: number[]) => p.at(...indices),
  lower: (b, p: unknown, ...indices: unknown[]) => {
    const ops = new LoweredOps(b, "NdBuffer.at");
    pointed(ops, p, "this", 0);
    if (!isView(p)) return moved(ops, p, indices[0] ?? 0, 1);
    return moved(ops, p, offset(b, ops, p.shape, indices), 1);
  },
});

export const ptrGet = intrinsic<(p: Ptr, index?: number) => number | boolean>({
  name: "Ptr.get",
  family,
  signature: {
    operands: [PTR, { name: "index", kind: "scalar", optional: true, doc: "elements from p; 0 when absent" }],
    result: "number, for ptr<bool> a boolean",
  },
  effect: "read",
  cost: "load",
  doc: "One element as a number (a boolean for bool).",
  example: "y.set(0, x.get(1) + 1);",
  simulate: (_sim, p: Ptr, index?: number) => p.get(index),
  lower: (b, p: unknown, index: unknown = 0) => {
    const ops = new LoweredOps(b, "Ptr.get");
    pointer(ops, p, "this", 0);
    return b.op("get", [moved(ops, p, index, 1)]);
  },
});

export const ptrSet = intrinsic<(p: Ptr, index: number, value: number | boolean) => void>({
  name: "Ptr.set",
  family,
  signature: {
    operands: [PTR, { name: "index", kind: "scalar" }, { name: "value", kind: "scalar" }],
    result: "nothing",
  },
  effect: "write",
  cost: "store",
  doc: "Stores one element by the dtype's store rule: integers wrap as in a TypedArray, floats round, bool takes truthiness.",
  example: "y.set(0, 3);",
  simulate: (_sim, p: Ptr, index: number, value: number | boolean) => p.set(index, value as number),
  lower: (b, p: unknown, index: unknown, value: unknown) => {
    const ops = new LoweredOps(b, "Ptr.set");
    pointer(ops, p, "this", 0, true);
    present(ops, index, "index", 1);
    present(ops, value, "value", 2);
    const s = shapeOf(value);
    if (s.is !== "bool") number(ops, value, "value", 2);
    return void b.op("set", [moved(ops, p, index, 1), ops.expr(value as Value)]);
  },
});

export const ptrAs = intrinsic<<E extends DType>(p: Ptr, dtype: E) => Ptr<E>>({
  name: "Ptr.as",
  family,
  signature: { operands: [PTR, { name: "dtype", kind: "dtype", dtype: ALL_DTYPES }], result: "ptr" },
  effect: "pure",
  cost: "free",
  doc: "The same address, read as another dtype.",
  example: "y.set(0, x.as(i32).get());",
  simulate: (_sim, p: Ptr, d: DType) => p.as(d),
  lower: (b, p: unknown, d: unknown) => {
    const ops = new LoweredOps(b, "Ptr.as");
    pointer(ops, p, "this", 0);
    return b.op("ptr_cast", [ops.expr(address(p))], { dtype: dtype(ops, d, "dtype", 1, ALL_DTYPES) });
  },
});

export const ptrEq = intrinsic<(p: Ptr, other: Ptr) => boolean>({
  name: "Ptr.eq",
  family,
  signature: { operands: [PTR, { name: "other", kind: "ptr" }], result: "boolean" },
  effect: "pure",
  cost: "scalar",
  doc: "True when both point to the same address.",
  example: "if (!x.eq(y)) y.set(0, 1);",
  simulate: (_sim, p: Ptr, other: Ptr) => p.eq(other),
  lower: (b, p: unknown, other: unknown) => {
    const ops = new LoweredOps(b, "Ptr.eq");
    pointed(ops, p, "this", 0);
    pointed(ops, other, "other", 1);
    return b.op("ptr_eq", [ops.expr(address(p)), ops.expr(address(other))]);
  },
});

export const ptrDiff = intrinsic<(p: Ptr, other: Ptr) => number>({
  name: "Ptr.diff",
  family,
  signature: { operands: [PTR, { name: "other", kind: "ptr", dtype: "p" }], result: "number" },
  effect: "pure",
  cost: "scalar",
  doc: "Distance `p - other` in elements; both must point into one buffer.",
  example: "y.set(0, x.at(5).diff(x));",
  simulate: (_sim, p: Ptr, other: Ptr) => p.diff(other),
  lower: (b, p: unknown, other: unknown) => {
    const ops = new LoweredOps(b, "Ptr.diff");
    const d = pointed(ops, p, "this", 0).dtype;
    const e = pointed(ops, other, "other", 1).dtype;
    if (d !== e)
      ops.refuse("KPU3001", `Ptr.diff needs two pointers of one dtype, got ${d} and ${e}`, { argument: 1 });
    return b.op("ptr_diff", [ops.expr(address(p)), ops.expr(address(other))]);
  },
});

export const ptrIsNull = intrinsic<(p: Ptr) => boolean>({
  name: "Ptr.isNull",
  family,
  signature: { operands: [PTR], result: "boolean" },
  effect: "pure",
  cost: "scalar",
  doc: "A property: true for the null pointer, which a caller passes as `null`.",
  example: "if (!x.isNull) y.set(0, x.get());",
  simulate: (_sim, p: Ptr) => p.isNull,
  lower: (b, p: unknown) => {
    const ops = new LoweredOps(b, "Ptr.isNull");
    pointed(ops, p, "this", 0);
    return b.op("ptr_null", [ops.expr(address(p))]);
  },
});

/** `v.at(i)` and `m.at(i)`: the index must be one of the lanes. */
function lane(ops: LoweredOps, v: unknown, index: unknown): Expr {
  checkLane(ops, v, index);
  return ops.op("extract", [v as Value, ops.number(index as Value)]);
}

function checkLane(ops: LoweredOps, v: unknown, index: unknown): LaneShape {
  const s = shapeOf(v);
  if (s.is !== "vec" && s.is !== "mask")
    return ops.refuse("KPU3001", `${ops.name} needs lanes, got ${shapeText(s)}`, { argument: 0 });
  integer(ops, index, "lane", 1);
  const i = shapeOf(index);
  if (i.is === "number" && i.value !== undefined && (i.value < 0 || i.value >= s.lanes)) {
    ops.refuse("KPU4001", `${ops.name}: lane ${i.value} of ${shapeText(s)}`, { argument: 1 });
  }
  return { dtype: s.is === "mask" ? "bool" : s.dtype, lanes: s.lanes };
}

/** `v.with(i, x)` and `m.with(i, x)`: x in the lane that the tails of i + 1 and of i differ in. */
function replaced(ops: LoweredOps, v: unknown, index: unknown, value: unknown): Expr {
  const like = checkLane(ops, v, index);
  present(ops, value, "value", 2);
  const s = shapeOf(value);
  const wanted = like.dtype === "bool" ? "bool" : "number";
  if (s.is !== wanted) {
    const kind = wanted === "bool" ? "boolean" : "number";
    ops.refuse("KPU3001", `${ops.name}: value must be a ${kind}, got ${shapeText(s)}`, { argument: 2 });
  }
  const x = lanesLike(ops, value, like, "value", 2);
  const { lanes } = like;
  if (typeof index === "number") {
    const only = Array.from({ length: lanes }, (_, i) => (i === index ? 1 : 0));
    return ops.op("sel", [new Mask(only), x, v as Value]);
  }
  const i = ops.once(ops.number(index as Value));
  // Where the lane does not exist, this is the error.
  ops.op("extract", [v as Value, i]);
  const one = ops.op("xor", [
    ops.op("tail_mask", [ops.op("add", [i, 1])], { lanes }),
    ops.op("tail_mask", [i], { lanes }),
  ]);
  return ops.op("sel", [one, x, v as Value]);
}

export const vecAt = intrinsic<(v: Vec<DType>, lane: number) => number>({
  name: "Vec.at",
  family,
  signature: {
    operands: [
      { name: "v", kind: "vec", dtype: NUMERIC },
      { name: "lane", kind: "scalar", values: (_d, n) => [0, n - 1, n >> 1] },
    ],
    result: "number",
  },
  effect: "trap",
  cost: "vperm",
  doc: "One lane as a number. A lane outside the vector is an error.",
  example: "y.set(0, S.vload(x).at(2));",
  simulate: (_sim, v: Vec<DType>, i: number) => v.at(i),
  lower: (b, v: unknown, i: unknown) => lane(new LoweredOps(b, "Vec.at"), v, i),
});

export const maskAt = intrinsic<(m: Mask, lane: number) => boolean>({
  name: "Mask.at",
  family,
  signature: {
    operands: [
      { name: "m", kind: "mask" },
      { name: "lane", kind: "scalar", values: (_d, n) => [0, n - 1, n >> 1] },
    ],
    result: "boolean",
  },
  effect: "trap",
  cost: "vperm",
  doc: "One lane as a boolean. A lane outside the mask is an error.",
  example: "if (S.tailMask(3, 8).at(2)) y.set(0, 1);",
  simulate: (_sim, m: Mask, i: number) => m.at(i),
  lower: (b, m: unknown, i: unknown) => lane(new LoweredOps(b, "Mask.at"), m, i),
});

const LANE: OperandSpec = { name: "lane", kind: "scalar", values: (_d, n) => [0, n - 1, n >> 1] };

export const vecWith = intrinsic<(v: Vec<DType>, lane: number, value: number) => Vec<DType>>({
  name: "Vec.with",
  family,
  signature: {
    operands: [
      { name: "v", kind: "vec", dtype: NUMERIC },
      LANE,
      { name: "value", kind: "scalar", dtype: "v", doc: "must fit the dtype; floats round once" },
    ],
    result: "vec of v",
  },
  effect: "trap",
  cost: "vperm",
  doc: "A new vector with one lane replaced; v stays as it is. A lane outside the vector is an error. The value is a number that fits the dtype, as every scalar beside vectors; a float dtype rounds it once.",
  example: "S.vstore(S.vload(x).with(2, 0.5), y);",
  simulate: (_sim, v: Vec<DType>, i: number, value: number) => v.with(i, value),
  lower: (b, v: unknown, i: unknown, value: unknown) => replaced(new LoweredOps(b, "Vec.with"), v, i, value),
});

export const maskWith = intrinsic<(m: Mask, lane: number, value: boolean) => Mask>({
  name: "Mask.with",
  family,
  signature: {
    operands: [
      { name: "m", kind: "mask" },
      LANE,
      { name: "value", kind: "scalar", dtype: ["bool"], doc: "a boolean" },
    ],
    result: "mask",
  },
  effect: "trap",
  cost: "vperm",
  doc: "A new mask with one lane replaced; m stays as it is. A lane outside the mask is an error.",
  example: "S.vstore(S.vload(x), y, { mask: S.tailMask(3, 8).with(7, true) });",
  simulate: (_sim, m: Mask, i: number, value: boolean) => m.with(i, value),
  lower: (b, m: unknown, i: unknown, value: unknown) => replaced(new LoweredOps(b, "Mask.with"), m, i, value),
});
