/** Products of 4x4 matrices, row by row in 16 lanes; more lanes hold a batch of matrices. */
import { vector } from "../arguments.ts";
import { composed, lanesBy, multiple } from "../composed.ts";
import { BESIDE, BYTES, HALVES, vectorBeside } from "../factors.ts";
import type { DTypeTable } from "../intrinsic.ts";
import { type DTypeName, isFloat } from "../ir.ts";
import type { Value } from "../operand.ts";
import type { Ops } from "../ops.ts";
import type { MatrixAccumulate, MatrixProduct } from "../products.ts";

const family = "arithmetic";
const FACTOR_DTYPES: readonly DTypeName[] = [...BYTES, ...HALVES];
/** By acc: the dtypes of x and y. */
const FACTORS_OF: DTypeTable = { i32: BYTES, f32: HALVES };

/** Lane numbers by matrix, row and column. */
function byElement(lanes: number, f: (row: number, column: number) => number): number[] {
  return lanesBy(lanes, (l) => (l & ~15) + f((l >> 2) & 3, l & 3));
}

/** acc + x * y. Floats: column k of x times row k of y, one after the other, product and sum rounded each. */
function floatProduct(ops: Ops, acc: Value, x: Value, y: Value, lanes: number): Value {
  const wide = (v: Value): Value => ops.once(ops.op("cast", [v], { dtype: "f32" }));
  const [a, b] = [wide(x), wide(y)];
  let sum = acc;
  for (let k = 0; k < 4; k++) {
    const column = ops.op("shuffle", [a], { lanes: byElement(lanes, (i) => 4 * i + k) });
    const row = ops.op("shuffle", [b], { lanes: byElement(lanes, (_i, j) => 4 * k + j) });
    sum = ops.op("add", [sum, ops.op("mul", [column, row])]);
  }
  return sum;
}

/** x * y of integers: every row of x beside every column of y, for sums of four products. They never come near the limits of i32. */
function integerProduct(ops: Ops, x: Value, y: Value, lanes: number): Value {
  const beside = (v: Value, f: (row: number, column: number, k: number) => number): Value =>
    ops.op("shuffle", [v], {
      lanes: lanesBy(4 * lanes, (l) => ((l >> 2) & ~15) + f((l >> 4) & 3, (l >> 2) & 3, l & 3)),
    });
  const zero = ops.op("splat", [0], { dtype: "i32", lanes });
  return ops.op("dot", [zero, beside(x, (i, _j, k) => 4 * i + k), beside(y, (_i, j, k) => 4 * k + j)]);
}

const RULES =
  "Matrices stand row by row in 16 lanes; more lanes, a multiple of 16, hold one matrix after the other. f16 and bf16 accumulate in f32, k ascending, product and sum rounded each (not fused). i8 and u8, each either one, accumulate in i32";

export const vmml = composed<MatrixProduct>({
  name: "vmml",
  family,
  operands: [
    { name: "x", kind: "vec", dtype: FACTOR_DTYPES },
    { name: "y", kind: "vec", dtype: BESIDE, doc: "of x's kind" },
  ],
  multipleOf: 16,
  result: "vec of the elements in 32 bits",
  cost: "vmul",
  doc: `Matrix product of 4x4 matrices: the sum over k of x[i][k] * y[k][j], beginning with 0. ${RULES}.`,
  example:
    "S.vstore(S.vmml(S.cast(S.vload(x, { lanes: 16 }), f16), S.cast(S.vload(x, { lanes: 16 }), f16)), y);",
  apply: (ops, [x, y]) => {
    const { dtype, lanes } = vector(ops, x, "x", 0, FACTOR_DTYPES);
    vectorBeside(ops, y, "y", 1, lanes, BESIDE[dtype] ?? [], `x ${dtype}x${lanes}`);
    multiple(ops, lanes, 16, 0);
    if (!isFloat(dtype)) return integerProduct(ops, x as Value, y as Value, lanes);
    return floatProduct(ops, ops.op("splat", [0], { dtype: "f32", lanes }), x as Value, y as Value, lanes);
  },
});

export const vmma = composed<MatrixAccumulate>({
  name: "vmma",
  family,
  operands: [
    { name: "acc", kind: "vec", dtype: Object.keys(FACTORS_OF) as DTypeName[] },
    { name: "x", kind: "vec", dtype: FACTORS_OF },
    { name: "y", kind: "vec", dtype: FACTORS_OF },
  ],
  multipleOf: 16,
  result: "vec of acc",
  cost: "vmul",
  doc: `acc plus the matrix product of 4x4 matrices: acc[i][j] + x[i][0] * y[0][j] + ... + x[i][3] * y[3][j]. ${RULES}, which wraps. Returns a new value.`,
  example:
    "S.vstore(S.vmma(S.vload(j, { lanes: 16 }), S.cast(S.vload(i, { lanes: 16 }), i8), S.cast(S.vload(i, { lanes: 16 }), i8)), j);",
  apply: (ops, [acc, x, y]) => {
    const { dtype, lanes } = vector(ops, acc, "acc", 0, Object.keys(FACTORS_OF) as DTypeName[]);
    multiple(ops, lanes, 16, 0);
    const allowed = FACTORS_OF[dtype] ?? [];
    vectorBeside(ops, x, "x", 1, lanes, allowed, `acc ${dtype}x${lanes}`);
    vectorBeside(ops, y, "y", 2, lanes, allowed, `acc ${dtype}x${lanes}`);
    if (isFloat(dtype)) return floatProduct(ops, acc as Value, x as Value, y as Value, lanes);
    return ops.op("add", [acc as Value, integerProduct(ops, x as Value, y as Value, lanes)]);
  },
});
