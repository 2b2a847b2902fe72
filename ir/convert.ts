/**
 * How a number becomes a value of a dtype, and a value becomes bits. Four rules, each chosen once and then applied to
 * many numbers, so each is a function that gives a function:
 *
 *   roundTo(f16)        float64 -> nearest value of a float dtype, ties to even, in one rounding
 *   storeRule(i8)       p.set and TypedArray stores: integers keep the low bits, floats round, bool is truthiness
 *   convertRule(i8)     S.i8(x): integers truncate and saturate, NaN is 0
 *   castRule(f32, i8)   one lane of the vector op `cast`
 *
 * A value of an integer dtype is never -0. A NaN has one bit pattern per float dtype when stored.
 */
import {
  DTYPES,
  type DTypeName,
  type Float8DType,
  type FloatDType,
  hasFloats,
  hasIntegers,
  type IntDType,
  isFloat8,
  type PackedDType,
} from "./dtype.ts";

export type NumberRule = (x: number) => number;

// Views of one float64 or float32, for looking at bits. Hosts of JavaScript are little-endian, as WebAssembly is.
const f64 = new Float64Array(1);
const f64Words = new Uint32Array(f64.buffer);
const f32 = new Float32Array(1);
const f32Word = new Uint32Array(f32.buffer);

/** A binary format as {@link round} needs it. */
interface Format {
  readonly shift: number;
  readonly smallest: number;
  /** The first power of two that the format lacks: everything from here on has no finite neighbour above. */
  readonly overflow: number;
}
/** `precision` counts the hidden bit; the exponents are those of normal numbers. */
function format(precision: number, minExponent: number, maxExponent: number): Format {
  const shift = 1.5 * 2 ** (53 - precision);
  return { shift, smallest: shift * 2 ** minExponent, overflow: 2 ** (maxExponent + 1) };
}
const F16 = format(11, -14, 15);
const BF16 = format(8, -126, 127);
const E4M3 = format(4, -6, 8);
const E5M2 = format(3, -14, 15);

/**
 * Rounds float64 to a format. Adding 1.5 * 2^(e + 53 - precision) to a number of exponent e leaves exactly `precision` bits of it:
 * the float64 addition does the rounding, to nearest even, and the subtraction that follows is exact. Subnormals share the smallest
 * normal exponent. 2^e comes without looking at bits: Rump, Ogita, Oishi, Accurate floating-point summation I (2008), algorithm 3.5.
 */
function round(x: number, f: Format): number {
  const a = Math.abs(x);
  if (!(a < f.overflow)) return x * Infinity;
  const q = a * (2 ** 52 + 1);
  const m = Math.max((q - q * (1 - 2 ** -53)) * f.shift, f.smallest);
  const r = x + m - m;
  if (r >= f.overflow || r <= -f.overflow) return x * Infinity;
  // A zero keeps its sign, also when it came by underflow.
  return r === 0 ? x * 0 : r;
}

// One function literal per dtype, not one shared by a factory: V8 inlines these into the loops of alu.ts, the other it does not.
const ROUND: { readonly [K in FloatDType | Float8DType]: NumberRule } = {
  f16: (x) => round(x, F16),
  bf16: (x) => round(x, BF16),
  f32: Math.fround,
  // The place of 480 is taken by the NaN, and there is no infinity.
  f8e4m3: (x) => {
    const r = round(x, E4M3);
    return r > 448 || r < -448 ? NaN : r;
  },
  f8e5m2: (x) => round(x, E5M2),
};

/**
 * One rounding from float64 to the nearest value of `d`, ties to even; subnormals, -0 and NaN are kept. What rounds beyond the largest
 * finite value is infinite, and NaN in f8e4m3, which has no infinity (OCP OFP8 1.0, section 5.2.3, non-saturating mode).
 */
export function roundTo(d: FloatDType | Float8DType): NumberRule {
  return ROUND[d];
}

const STORE: { readonly [K in DTypeName]: NumberRule } = {
  i8: (x) => (x << 24) >> 24,
  u8: (x) => x & 0xff,
  i16: (x) => (x << 16) >> 16,
  u16: (x) => x & 0xffff,
  i32: (x) => x | 0,
  u32: (x) => x >>> 0,
  ...ROUND,
  bool: (x) => (x ? 1 : 0),
  i4: (x) => (x << 28) >> 28,
  u4: (x) => x & 15,
};

/** Truncates and clamps to the range of an integer dtype; NaN gives 0. */
function saturating(d: IntDType | PackedDType): NumberRule {
  const { min, max } = DTYPES[d];
  // `+ 0` turns the -0 of Math.trunc(-0.5) into 0.
  return (x) => (x >= max ? max : x <= min ? min : Number.isNaN(x) ? 0 : Math.trunc(x) + 0);
}

const CONVERT: { readonly [K in DTypeName]: NumberRule } = {
  i8: saturating("i8"),
  u8: saturating("u8"),
  i16: saturating("i16"),
  u16: saturating("u16"),
  i32: saturating("i32"),
  u32: saturating("u32"),
  ...ROUND,
  bool: STORE.bool,
  i4: saturating("i4"),
  u4: saturating("u4"),
};

/** Rounds, but clamps what is beyond the largest finite value, infinities included (OCP OFP8 1.0, saturating mode; ONNX Cast with saturate). */
function saturating8(d: Float8DType): NumberRule {
  const { max } = DTYPES[d];
  return (x) => (x > max ? max : x < -max ? -max : ROUND[d](x));
}

const SATURATE8: { readonly [K in Float8DType]: NumberRule } = {
  f8e4m3: saturating8("f8e4m3"),
  f8e5m2: saturating8("f8e5m2"),
};

/**
 * The rule of a store to memory: an integer dtype keeps the low bits of the truncated number as a TypedArray store does
 * (300 is 44 in i8; NaN and infinities are 0), a float dtype rounds once, bool is 1 for every truthy number.
 */
export function storeRule(d: DTypeName): NumberRule {
  return STORE[d];
}

/**
 * The rule of `S.<dtype>(x)`: an integer dtype truncates and saturates (300 is 127 in i8, NaN is 0); with `wrap` it keeps the
 * low bits, as {@link storeRule}. A float dtype rounds once, bool is truthiness.
 */
export function convertRule(d: DTypeName, wrap = false): NumberRule {
  return wrap ? STORE[d] : CONVERT[d];
}

export interface CastOptions {
  /**
   * Integer to integer: clamp instead of keeping the low bits. Float to integer always saturates. To an 8-bit float: clamp to the
   * largest finite value instead of overflowing to infinity or NaN.
   */
  readonly saturate?: boolean;
  /** Float to integer: first to i32 (truncated, saturated, NaN gives 0), then the low bits of that. */
  readonly wrap?: boolean;
}

/**
 * One lane of `cast`.
 *
 *   int   -> int     low bits; with `saturate` clamped
 *   float -> int     truncated, saturated, NaN gives 0; with `wrap` the low bits of the i32 result
 *   any   -> float   one rounding (u32 70000 is infinite in f16; 500 is NaN in f8e4m3, and 448 with `saturate`)
 *   bool  -> any     0 or 1;  any -> bool: truthiness
 *
 * `saturate` to a float dtype of more than 8 bits does not exist: the caller refuses it (KPU3011).
 */
export function castRule(from: DTypeName, to: DTypeName, o: CastOptions = {}): NumberRule {
  if (o.saturate && o.wrap) throw new TypeError("a cast saturates or wraps, not both");
  if (o.saturate && isFloat8(to)) return SATURATE8[to];
  if (o.saturate && !hasIntegers(to)) throw new TypeError(`cast to ${to} cannot saturate`);
  if (hasFloats(from) && hasIntegers(to)) {
    if (!o.wrap) return CONVERT[to];
    const lowBits = STORE[to];
    const toI32 = CONVERT.i32;
    return (x) => lowBits(toI32(x));
  }
  return o.saturate ? CONVERT[to] : STORE[to];
}

// ---------------------------------------------------------------------------------------------- bits

// An f16 is (hidden + mantissa) * scale, by its sign and exponent field together (6 bits).
const f16Hidden = new Float64Array(64);
const f16Scale = new Float64Array(64);
for (let field = 0; field < 64; field++) {
  const exponent = field & 31;
  f16Hidden[field] = exponent === 0 ? 0 : 1024;
  f16Scale[field] = 2 ** (Math.max(exponent, 1) - 25) * (field < 32 ? 1 : -1);
}

/** Bits of a value of an 8-bit float with `mantissa` stored bits, whose smallest normal exponent is `minExponent`. */
function bits8(v: number, mantissa: number, minExponent: number, nan: number, infinity: number): number {
  if (Number.isNaN(v)) return nan;
  f32[0] = v;
  const word = f32Word[0]!;
  const sign = (word >>> 24) & 0x80;
  const a = Math.abs(v);
  if (a === Infinity) return sign | infinity;
  if (a < 2 ** minExponent) return sign | (a * 2 ** (mantissa - minExponent));
  // The exponent of f32 is biased by 127, that of the format by 1 - minExponent.
  return sign | (((word & 0x7fffffff) >>> (23 - mantissa)) - ((126 + minExponent) << mantissa));
}

/** Values of all bits of an 8-bit float; without an infinity only the last magnitude is no number. */
function values8(mantissa: number, minExponent: number, infinity: number | undefined): Float64Array {
  return Float64Array.from({ length: 256 }, (_, bits) => {
    const magnitude = bits & 0x7f;
    const sign = bits & 0x80 ? -1 : 1;
    if (magnitude === infinity) return sign * Infinity;
    if (magnitude > (infinity ?? 0x7e)) return NaN;
    const field = magnitude >> mantissa;
    const significand = (magnitude & (2 ** mantissa - 1)) + (field === 0 ? 0 : 2 ** mantissa);
    return sign * significand * 2 ** (Math.max(field, 1) - 1 + minExponent - mantissa);
  });
}
const E4M3_VALUES = values8(3, -6, undefined);
const E5M2_VALUES = values8(2, -14, 0x7c);

const TO_BITS: { readonly [K in DTypeName]: NumberRule } = {
  i8: (x) => x & 0xff,
  u8: (x) => x & 0xff,
  i16: (x) => x & 0xffff,
  u16: (x) => x & 0xffff,
  i32: (x) => x >>> 0,
  u32: (x) => x >>> 0,
  f16: (x) => {
    const v = ROUND.f16(x);
    if (Number.isNaN(v)) return 0x7e00;
    f64[0] = v;
    const high = f64Words[1]!;
    const sign = (high >>> 16) & 0x8000;
    const exponent = ((high >>> 20) & 0x7ff) - 1008;
    if (exponent > 31) return sign | 0x7c00;
    return sign | (exponent > 0 ? (exponent << 10) | ((high >>> 10) & 0x3ff) : Math.abs(v) * 2 ** 24);
  },
  bf16: (x) => {
    const v = ROUND.bf16(x);
    if (Number.isNaN(v)) return 0x7fc0;
    f32[0] = v;
    return f32Word[0]! >>> 16;
  },
  f32: (x) => {
    if (Number.isNaN(x)) return 0x7fc00000;
    f32[0] = x;
    return f32Word[0]!;
  },
  bool: STORE.bool,
  i4: (x) => x & 15,
  u4: (x) => x & 15,
  f8e4m3: (x) => bits8(ROUND.f8e4m3(x), 3, -6, 0x7f, 0x7f),
  f8e5m2: (x) => bits8(ROUND.f8e5m2(x), 2, -14, 0x7e, 0x7c),
};

const FROM_BITS: { readonly [K in DTypeName]: NumberRule } = {
  i8: STORE.i8,
  u8: STORE.u8,
  i16: STORE.i16,
  u16: STORE.u16,
  i32: STORE.i32,
  u32: STORE.u32,
  f16: (bits) => {
    const mantissa = bits & 0x3ff;
    if ((bits & 0x7c00) === 0x7c00) return mantissa ? NaN : bits & 0x8000 ? -Infinity : Infinity;
    const field = (bits >>> 10) & 63;
    return (f16Hidden[field]! + mantissa) * f16Scale[field]!;
  },
  bf16: (bits) => {
    f32Word[0] = bits << 16;
    return f32[0]!;
  },
  f32: (bits) => {
    f32Word[0] = bits;
    return f32[0]!;
  },
  bool: (bits) => (bits & 0xff ? 1 : 0),
  i4: STORE.i4,
  u4: STORE.u4,
  f8e4m3: (bits) => E4M3_VALUES[bits & 0xff]!,
  f8e5m2: (bits) => E5M2_VALUES[bits & 0xff]!,
};

/** {@link toBits} of one dtype, for loops. */
export function toBitsRule(d: DTypeName): NumberRule {
  return TO_BITS[d];
}
/** {@link fromBits} of one dtype, for loops. */
export function fromBitsRule(d: DTypeName): NumberRule {
  return FROM_BITS[d];
}

/** The bits that a store of `x` leaves in memory, as an unsigned number. Every NaN gives the quiet NaN 0x7e00, 0x7fc0, 0x7fc00000, 0x7f, 0x7e. */
export function toBits(d: DTypeName, x: number): number {
  return TO_BITS[d](x);
}
/** The value that memory with these bits holds. */
export function fromBits(d: DTypeName, bits: number): number {
  return FROM_BITS[d](bits);
}
