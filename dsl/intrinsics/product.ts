/** Products with more bits than their operands: widening, high words, and 16-bit floats accumulated in f32. */
import { vector } from "../arguments.ts";
import { composed, lanesBy, multiple } from "../composed.ts";
import { FACTORS, type Factors, factors, HALVES, signOf, vectorBeside } from "../factors.ts";
import type { DTypeTable } from "../intrinsic.ts";
import { DTYPES, type DTypeName } from "../ir.ts";
import type { Value } from "../operand.ts";
import type { Ops } from "../ops.ts";
import type { HighProduct, MixedFma, WideProduct } from "../products.ts";

const family = "arithmetic";

/**
 * The high word of each product. With one signed and one unsigned factor the unsigned one is read as signed; where that took
 * 2^bits off it, the product misses x * 2^bits, and its high word x.
 */
function highWords(ops: Ops, { x, y, xd, yd, lanes }: Factors): Value {
  if (xd === yd) return ops.op("mulhi", [x, y]);
  const signed = DTYPES[xd].signed ? xd : yd;
  const factor = ops.once(DTYPES[xd].signed ? x : y);
  const read = ops.once(ops.op("cast", [DTYPES[xd].signed ? y : x], { dtype: signed }));
  const amount = ops.op("splat", [DTYPES[signed].bits - 1], { dtype: signed, lanes });
  const missing = ops.op("and", [factor, ops.op("shr", [read, amount])]);
  return ops.op("add", [ops.op("mulhi", [factor, read]), missing]);
}

/** Products of half of the lanes, in twice the width. */
function wideProducts(ops: Ops, args: readonly unknown[], half: "low" | "high"): Value {
  const { x, y, xd, yd, lanes } = factors(ops, args);
  multiple(ops, lanes, 2, 0);
  const n = lanes / 2;
  const first = half === "low" ? 0 : n;
  const taken = (v: Value): Value => ops.op("shuffle", [v], { lanes: lanesBy(n, (i) => first + i) });
  const { bits } = DTYPES[xd];
  const sign = signOf(xd, yd);
  if (bits < 32) {
    const wide = (v: Value): Value => ops.op("cast", [taken(v)], { dtype: `${sign}${bits * 2}` });
    return ops.op("mul", [wide(x), wide(y)]);
  }
  const own = { x: ops.once(taken(x)), y: ops.once(taken(y)), xd, yd, lanes: n };
  const words = (v: Value, d: DTypeName): Value =>
    d === `${sign}32` ? v : ops.op("cast", [v], { dtype: `${sign}32` });
  const low = ops.op("mul", [words(own.x, xd), words(own.y, yd)]);
  const high = highWords(ops, own);
  return ops.op("shuffle", [low, high], { lanes: lanesBy(lanes, (i) => (i >> 1) + (i % 2) * n) });
}

const WIDE =
  "8 and 16 bits: exact products in twice the width, half as many lanes, signed when x or y is. 32 bits: each product as two lanes, its low and its high word, in the 32-bit dtype of that sign. x and y have one width, and each either sign. The lane count must be even.";

function widening(name: string, half: "low" | "high"): WideProduct {
  return composed<WideProduct>({
    name,
    family,
    operands: FACTORS,
    multipleOf: 2,
    result: "vec of the products",
    cost: "vmul",
    doc: `x * y of the ${half} half of the lanes, widening. ${WIDE}`,
    example: `S.vstore(S.${name}(S.vload(i), S.vload(i)), j);`,
    apply: (ops, args) => wideProducts(ops, args, half),
  });
}

export const vmull = widening("vmull", "low");
export const vmulh = widening("vmulh", "high");

export const vmulhi = composed<HighProduct>({
  name: "vmulhi",
  family,
  operands: FACTORS,
  result: "vec of x's width",
  cost: "vmul",
  doc: "The high word of each exact product: floor(x * y / 2^bits). x and y have one width, and each either sign; the result is signed when x or y is.",
  example: "S.vstore(S.vmulhi(S.vload(i), S.vload(j)), j);",
  apply: (ops, args) => highWords(ops, factors(ops, args)),
});

const ACCUMULATED: DTypeTable = { f32: HALVES };

/** Every second lane of x and y, multiplied exactly and added to acc with one rounding. */
function mixedFma(name: string, first: 0 | 1, which: string): MixedFma {
  return composed<MixedFma>({
    name,
    family,
    operands: [
      { name: "acc", kind: "vec", dtype: ["f32"] },
      { name: "x", kind: "vec", dtype: ACCUMULATED, lanes: (n) => 2 * n, doc: "twice the lanes of acc" },
      { name: "y", kind: "vec", dtype: ACCUMULATED, lanes: (n) => 2 * n, doc: "twice the lanes of acc" },
    ],
    result: "vec of acc",
    cost: "vmul",
    doc: `acc + x * y over the ${which} lanes of the 16-bit floats x and y, in f32: product and sum in double precision, one rounding. Returns a new value.`,
    example: `S.vstore(S.${name}(S.vload(y, { lanes: 4 }), S.cast(S.vload(x), f16), S.cast(S.vload(x), f16)), y);`,
    apply: (ops, [acc, x, y]) => {
      const { lanes } = vector(ops, acc, "acc", 0, ["f32"]);
      const wide = (v: unknown, what: string, at: number): Value => {
        vectorBeside(ops, v, what, at, 2 * lanes, HALVES, `acc f32x${lanes}`);
        const own = ops.op("shuffle", [v as Value], { lanes: lanesBy(lanes, (i) => 2 * i + first) });
        return ops.op("cast", [own], { dtype: "f32" });
      };
      return ops.op("fma", [acc as Value, wide(x, "x", 1), wide(y, "y", 2)]);
    },
  });
}

export const vfmae = mixedFma("vfmae", 0, "even");
export const vfmao = mixedFma("vfmao", 1, "odd");
