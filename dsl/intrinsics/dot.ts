/** Dot products of neighbouring lanes: two or four products for each lane of the result, summed exactly. */
import { vector } from "../arguments.ts";
import { composed, multiple } from "../composed.ts";
import { BESIDE, BYTES, HALVES, signOf, vectorBeside, WORDS } from "../factors.ts";
import type { DTypeTable } from "../intrinsic.ts";
import { DTYPES, type DTypeName, isFloat } from "../ir.ts";
import type { Value } from "../operand.ts";
import type { Ops } from "../ops.ts";
import type { Dot2, Dot4, DotAccumulate2, DotAccumulate4 } from "../products.ts";

const family = "arithmetic";

/** By acc: the dtypes of x and y beside it, for groups of two and of four. */
const FACTORS_OF: { readonly 2: DTypeTable; readonly 4: DTypeTable } = {
  2: { i16: BYTES, u16: BYTES, i32: WORDS, u32: WORDS },
  4: { i32: BYTES, u32: BYTES, f32: HALVES },
};

/** The dtype of a sum of `group` products. */
function sumDType(x: DTypeName, y: DTypeName, group: number): DTypeName {
  return isFloat(x) ? "f32" : (`${signOf(x, y)}${DTYPES[x].bits * group}` as DTypeName);
}

function dot(ops: Ops, [x, y]: readonly unknown[], group: 2 | 4, dtypes: readonly DTypeName[]): Value {
  const { dtype: xd, lanes } = vector(ops, x, "x", 0, dtypes);
  const yd = vectorBeside(ops, y, "y", 1, lanes, BESIDE[xd] ?? [], `x ${xd}x${lanes}`);
  multiple(ops, lanes, group, 0);
  const zero = ops.op("splat", [0], { dtype: sumDType(xd, yd, group), lanes: lanes / group });
  return ops.op("dot", [zero, x as Value, y as Value]);
}

function dotAccumulate(ops: Ops, [acc, x, y]: readonly unknown[], group: 2 | 4): Value {
  const table = FACTORS_OF[group];
  const { dtype, lanes } = vector(ops, acc, "acc", 0, Object.keys(table) as DTypeName[]);
  const allowed = table[dtype] ?? [];
  vectorBeside(ops, x, "x", 1, lanes * group, allowed, `acc ${dtype}x${lanes}`);
  vectorBeside(ops, y, "y", 2, lanes * group, allowed, `acc ${dtype}x${lanes}`);
  return ops.op("dot", [acc as Value, x as Value, y as Value]);
}

const FLOAT_SUM =
  "f16 and bf16 give f32: products exact, summed in double precision in ascending order, one rounding.";

export const vdot = composed<Dot2>({
  name: "vdot",
  family,
  operands: [
    { name: "x", kind: "vec", dtype: [...BYTES, ...WORDS] },
    { name: "y", kind: "vec", dtype: BESIDE, doc: "of x's width, of either sign" },
  ],
  lanes: (n) => n / 2,
  multipleOf: 2,
  result: "vec of the sums, half the lanes in twice the width",
  cost: "vmul",
  doc: "x[0] * y[0] + x[1] * y[1], x[2] * y[2] + x[3] * y[3], ...: the exact sums, clamped to twice the width, signed when x or y is. The lane count must be even.",
  example: "S.vstore(S.vdot(S.cast(S.vload(i), i16), S.cast(S.vload(i), i16)), j);",
  apply: (ops, args) => dot(ops, args, 2, [...BYTES, ...WORDS]),
});

export const vqdot = composed<Dot4>({
  name: "vqdot",
  family,
  operands: [
    { name: "x", kind: "vec", dtype: [...BYTES, ...HALVES] },
    { name: "y", kind: "vec", dtype: BESIDE, doc: "integers: of either sign" },
  ],
  lanes: (n) => n / 4,
  multipleOf: 4,
  result: "vec of the sums, a quarter of the lanes in 32 bits",
  cost: "vmul",
  doc: `x[0] * y[0] + ... + x[3] * y[3], and so on by four lanes: the sums stand in neighbouring lanes. 8-bit integers give i32, or u32 when both are unsigned. ${FLOAT_SUM} The lane count must be a multiple of 4.`,
  example: "S.vstore(S.vqdot(S.cast(S.vload(x), f16), S.cast(S.vload(x), f16)), y);",
  apply: (ops, args) => dot(ops, args, 4, [...BYTES, ...HALVES]),
});

function accumulating<F extends (...args: never[]) => unknown>(
  name: string,
  group: 2 | 4,
  doc: string,
  example: string,
): F {
  const table = FACTORS_OF[group];
  const factor = (operand: string) =>
    ({
      name: operand,
      kind: "vec",
      dtype: table,
      lanes: (n: number) => n * group,
      doc: `${group} lanes for each of acc`,
    }) as const;
  return composed<F>({
    name,
    family,
    operands: [
      { name: "acc", kind: "vec", dtype: Object.keys(table) as DTypeName[] },
      factor("x"),
      factor("y"),
    ],
    result: "vec of acc",
    cost: "vmul",
    doc,
    example,
    apply: (ops, args) => dotAccumulate(ops, args, group),
  });
}

const ACCUMULATES =
  "The exact sum, acc included, is clamped once to acc's dtype; x and y may each have either sign. Returns a new value.";

export const vdpa = accumulating<DotAccumulate2>(
  "vdpa",
  2,
  `acc plus the products of x and y, two neighbouring ones to each lane of acc (see vdot). ${ACCUMULATES}`,
  "S.vstore(S.vdpa(S.vload(j, { lanes: 4 }), S.cast(S.vload(i), i16), S.cast(S.vload(i), i16)), j);",
);
export const vqdpa = accumulating<DotAccumulate4>(
  "vqdpa",
  4,
  `acc plus the products of x and y, four neighbouring ones to each lane of acc (see vqdot). ${ACCUMULATES} ${FLOAT_SUM}`,
  "S.vstore(S.vqdpa(S.vload(j, { lanes: 2 }), S.cast(S.vload(i), i8), S.cast(S.vload(i), i8)), j);",
);
