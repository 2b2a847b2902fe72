/**
 * Conversions between 8-bit floats, f16, bf16, f32 and f64 lanes by exact bit operations: one rounding to nearest even, subnormals
 * kept, a NaN stays a (quiet) NaN. All work on the top of the stack.
 */
import type { Float8DType } from "../../ir/dtype.ts";
import type { Code } from "./encoder.ts";

export type Half = "low" | "high";

/** f16x8 or bf16x8 -> f32x4 of its low or high lanes. Exact. */
export function widen16(c: Code, d: "f16" | "bf16", half: Half): void {
  c.v(half === "low" ? "i32x4.extend_low_i16x8_s" : "i32x4.extend_high_i16x8_s");
  if (d === "bf16") {
    c.i32(16).v("i32x4.shl");
    return;
  }
  // Sign, exponent and mantissa in place, times 2^112 to move the bias: exact for normals and subnormals.
  const x = c.temp("v128");
  c.i32(13).v("i32x4.shl").v32(0x8fffe000).v("v128.and").v32(0x77800000).v("f32x4.mul").tee(x);
  // Infinity and NaN, now 2^16 and above, get the largest exponent.
  c.get(x).v("f32x4.abs").v32(0x47800000).v("f32x4.ge").v32(0x7f800000).v("v128.and").v("v128.or");
}

/** What the bit operations below need of an 8-bit float: stored bits, exponent of the smallest normal, codes without their sign. */
const FORMAT8 = {
  f8e4m3: { mantissa: 3, minExponent: -6, max: 0x7e, overflow: 0x7f, nan: 0x7f },
  f8e5m2: { mantissa: 2, minExponent: -14, max: 0x7b, overflow: 0x7c, nan: 0x7e },
} as const;

/** Codes of an 8-bit float in 32-bit lanes -> f32x4. Exact. */
export function widen8(c: Code, d: Float8DType): void {
  const { mantissa, minExponent, max } = FORMAT8[d];
  const u = c.temp("v128");
  const magnitude = c.temp("v128");
  c.tee(u).v32(0x7f).v("v128.and").tee(magnitude);
  // Exponent and mantissa in place, times a power of two to move the bias: exact for normals and subnormals.
  c.i32(23 - mantissa)
    .v("i32x4.shl")
    .v32((127 + 126 + minExponent) << 23)
    .v("f32x4.mul");
  // What is no finite number gets the largest exponent.
  c.get(magnitude).v32(max).v("i32x4.gt_s").v32(0x7f800000).v("v128.and").v("v128.or");
  c.get(u).v32(0x80).v("v128.and").i32(24).v("i32x4.shl").v("v128.or");
}

/** f32x4 -> four codes of an 8-bit float in 32-bit lanes; every NaN is the one of the format. */
export function narrow8(c: Code, d: Float8DType, saturate: boolean): void {
  const { mantissa, minExponent, max, overflow, nan } = FORMAT8[d];
  const u = c.save("v128");
  const a = c.temp("v128");
  const code = c.temp("v128");
  const drop = 23 - mantissa;
  c.get(u).v32(0x7fffffff).v("v128.and").set(a);
  // Subnormals: adding 2^23 of their unit rounds to it.
  const unit = (127 + 23 + minExponent - mantissa) << 23;
  c.get(a).v32(unit).v("f32x4.add").v32(unit).v("i32x4.sub");
  // Normals: move the bias and round half to even on the bits.
  c.get(a)
    .v32((2 ** (drop - 1) - 1 - ((126 + minExponent) << 23)) >>> 0)
    .v("i32x4.add");
  c.get(a).i32(drop).v("i32x4.shr_u").v32(1).v("v128.and").v("i32x4.add").i32(drop).v("i32x4.shr_u");
  c.get(a)
    .v32((127 + minExponent) << 23)
    .v("i32x4.lt_s")
    .v("v128.bitselect");
  c.v32(saturate ? max : overflow)
    .v("i32x4.min_u")
    .set(code);
  c.v32(nan);
  c.get(code).get(u).v32(0x80000000).v("v128.and").i32(24).v("i32x4.shr_u").v("v128.or");
  // Without an infinity what overflows is a NaN, which has no sign.
  if (overflow === nan && !saturate) c.get(code).v32(max).v("i32x4.gt_s");
  else c.get(a).v32(0x7f800000).v("i32x4.gt_s");
  c.v("v128.bitselect");
}

/** f32x4 -> four 16-bit patterns in 32-bit lanes. */
export function narrowBits(c: Code, d: "f16" | "bf16"): void {
  const u = c.temp("v128");
  c.set(u);
  if (d === "bf16") {
    c.v32(0x7fc0);
    c.get(u).v32(0x7fff).v("i32x4.add");
    c.get(u).i32(16).v("i32x4.shr_u").v32(1).v("v128.and").v("i32x4.add").i32(16).v("i32x4.shr_u");
    c.get(u).get(u).v("f32x4.ne").v("v128.bitselect");
    return;
  }
  const a = c.temp("v128");
  // Infinity or NaN, chosen for 2^16 and above.
  c.v32(0x7e00).v32(0x7c00);
  c.get(u).v32(0x7fffffff).v("v128.and").tee(a).v32(0x7f800000).v("i32x4.gt_s").v("v128.bitselect");
  // Subnormals: adding 0.5 rounds to its ulp, 2^-24, which is the unit of f16 subnormals.
  c.get(a).v32(0x3f000000).v("f32x4.add").v32(0x3f000000).v("i32x4.sub");
  // Normals: move the bias and round half to even on the bits.
  c.get(a).v32(0xc8000fff).v("i32x4.add");
  c.get(a).i32(13).v("i32x4.shr_u").v32(1).v("v128.and").v("i32x4.add").i32(13).v("i32x4.shr_u");
  c.get(a).v32(0x38800000).v("i32x4.lt_s").v("v128.bitselect");
  c.get(a).v32(0x477fffff).v("i32x4.gt_s").v("v128.bitselect");
  c.get(u).v32(0x80000000).v("v128.and").i32(16).v("i32x4.shr_u").v("v128.or");
}

/** Two vectors of 16-bit patterns in 32-bit lanes -> one of eight. */
export function pack16(c: Code): void {
  c.v("i16x8.narrow_i32x4_u");
}

const HIGH_TO_LOW = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];
const LOW_PAIRS = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
/** The low words of two 64-bit lanes, twice. */
const LOW_WORDS = [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11];

/** f32x4 in a local -> f64x2 of its low or high lanes. Exact. */
export function promote(c: Code, x: number, half: Half): void {
  c.get(x);
  if (half === "high") c.get(x).shuffle(HIGH_TO_LOW);
  c.v("f64x2.promote_low_f32x4");
}
/** i32x4 in a local -> f64x2 of its low or high lanes. Exact. */
export function intToDouble(c: Code, x: number, half: Half, signed: boolean): void {
  c.get(x);
  if (half === "high") c.get(x).shuffle(HIGH_TO_LOW);
  c.v(signed ? "f64x2.convert_low_i32x4_s" : "f64x2.convert_low_i32x4_u");
}
/** Two vectors whose low halves matter -> one. */
export function joinPairs(c: Code): void {
  c.shuffle(LOW_PAIRS);
}

/** f64x2 -> f32 in the low two lanes, rounded to nearest, or to odd where another rounding follows. */
export function demote(c: Code, rounding: "nearest" | "odd"): void {
  if (rounding === "odd") demoteToOdd(c);
  else c.v("f32x4.demote_f64x2_zero");
}

/**
 * f64x2 -> f32 in the low two lanes, rounded to odd: exact enough that one more rounding to 16 bits gives what a
 * direct rounding gives (f32 has more than two bits more than either).
 */
export function demoteToOdd(c: Code): void {
  const x = c.save("v128");
  const f = c.temp("v128");
  const a = c.temp("v128");
  const b = c.temp("v128");
  c.get(x).v("f32x4.demote_f64x2_zero").tee(f);
  c.get(x).v("f64x2.abs").set(a);
  c.get(f).v("f64x2.promote_low_f32x4").v("f64x2.abs").set(b);
  // One step towards x where the rounding was inexact and the result is even.
  c.get(a).get(b).v("f64x2.lt").get(a).get(b).v("f64x2.gt").v("i64x2.sub");
  const delta = c.save("v128");
  c.get(delta).get(delta).shuffle(LOW_WORDS);
  c.get(f).v32(1).v("v128.and").v32(1).v("i32x4.sub").v("v128.and");
  c.v("i32x4.add");
}

/**
 * The sum of two f32x4 in locals, rounded to odd. The error of the sum is exact by Knuth's TwoSum; for infinities and NaN it
 * is a NaN, which is above nothing. Nothing may overflow: operands stay below 2^126.
 */
export function addToOdd(c: Code, a: number, b: number): void {
  c.get(a).get(b).v("f32x4.add");
  const sum = c.save("v128");
  c.get(sum).get(a).v("f32x4.sub");
  const ofB = c.save("v128");
  c.get(a).get(sum).get(ofB).v("f32x4.sub").v("f32x4.sub");
  c.get(b).get(ofB).v("f32x4.sub").v("f32x4.add");
  const error = c.save("v128");
  // One step towards the exact sum where the rounding was inexact and the result is even: up in magnitude for equal signs.
  c.get(sum);
  c.get(sum).get(error).v("v128.xor").i32(31).v("i32x4.shr_s").v32(1).v("v128.or");
  c.get(error).v("f32x4.abs").v32(0).v("f32x4.gt").v("v128.and");
  c.get(sum).v32(1).v("v128.and").v32(1).v("i32x4.sub").v("v128.and");
  c.v("i32x4.add");
}
