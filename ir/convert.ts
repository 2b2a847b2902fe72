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
import { DTYPES, type DTypeName, type FloatDType, type IntDType, isFloat, isInt } from "./dtype.ts";

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
const ROUND: { readonly [K in FloatDType]: NumberRule } = {
  f16: (x) => round(x, F16),
  bf16: (x) => round(x, BF16),
  f32: Math.fround,
};

/** One rounding from float64 to the nearest value of `d`, ties to even; subnormals, -0 and NaN are kept. */
export function roundTo(d: FloatDType): NumberRule {
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
};

/** Truncates and clamps to the range of an integer dtype; NaN gives 0. */
function saturating(d: IntDType): NumberRule {
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
  /** Integer to integer: clamp instead of keeping the low bits. Float to integer always saturates. */
  readonly saturate?: boolean;
  /** Float to integer: first to i32 (truncated, saturated, NaN gives 0), then the low bits of that. */
  readonly wrap?: boolean;
}

/**
 * One lane of `cast`.
 *
 *   int   -> int     low bits; with `saturate` clamped
 *   float -> int     truncated, saturated, NaN gives 0; with `wrap` the low bits of the i32 result
 *   any   -> float   one rounding (u32 70000 is infinite in f16)
 *   bool  -> any     0 or 1;  any -> bool: truthiness
 *
 * `saturate` to a float dtype does not exist: the caller refuses it (KPU3011).
 */
export function castRule(from: DTypeName, to: DTypeName, o: CastOptions = {}): NumberRule {
  if (o.saturate && !isInt(to)) throw new TypeError(`cast to ${to} cannot saturate`);
  if (o.saturate && o.wrap) throw new TypeError("a cast saturates or wraps, not both");
  if (isFloat(from) && isInt(to)) {
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
};

/** {@link toBits} of one dtype, for loops. */
export function toBitsRule(d: DTypeName): NumberRule {
  return TO_BITS[d];
}
/** {@link fromBits} of one dtype, for loops. */
export function fromBitsRule(d: DTypeName): NumberRule {
  return FROM_BITS[d];
}

/** The bits that a store of `x` leaves in memory, as an unsigned number. Every NaN gives the quiet NaN 0x7e00, 0x7fc0, 0x7fc00000. */
export function toBits(d: DTypeName, x: number): number {
  return TO_BITS[d](x);
}
/** The value that memory with these bits holds. */
export function fromBits(d: DTypeName, bits: number): number {
  return FROM_BITS[d](bits);
}
