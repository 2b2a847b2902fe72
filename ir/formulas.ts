/**
 * The ALU table: the exact meaning of every arithmetic op, as formulas over x, y, z. The only place where it is written
 * down; `alu.ts` turns the formulas into functions, and docs/ir.md prints them.
 *
 *   int      on integer lanes, computed in float64 or 32-bit integers; the result then goes into the result dtype by `fit`:
 *            "wrap" keeps the low bits (default), "clamp" saturates, "none" says the result is in range already
 *   clamped  on integer lanes with the attribute `saturate`: the exact result, clamped to the result dtype
 *   rounded  on integer lanes with the attribute `round`
 *   float    on f16, bf16 and f32 lanes, computed in float64; then one rounding to the dtype. For + - * / and sqrt this is the
 *            correctly rounded result: float64 has more than twice the bits of f32, so rounding twice changes nothing
 *   mask     on masks, bool lanes and bool scalars, which are 0 or 1
 *   scalar   on scalars: JavaScript's own meaning. On f32 the result is rounded; i32 and i64 have no -0
 *
 * A column that is absent does not exist. A formula may use JavaScript operators, `Math` functions by their bare names, the
 * functions of {@link formulaFunction}, and on lanes `width`, the dtype's number of bits.
 */

import { isMathName, MATH, type MathName, mathFn } from "./math.ts";
import type { AluOp, OpName } from "./ops.ts";
import { rint } from "./rint.ts";

export interface Meaning {
  readonly int?: string;
  /** Instead of `int` on unsigned dtypes, where the two differ. */
  readonly unsigned?: string;
  readonly fit?: "wrap" | "clamp" | "none";
  readonly clamped?: string;
  readonly rounded?: string;
  readonly float?: string;
  readonly mask?: string;
  readonly scalar?: string;
}

export const ALU = {
  // -- arithmetic
  add: { int: "x + y", clamped: "x + y", float: "x + y", scalar: "x + y" },
  sub: { int: "x - y", clamped: "x - y", float: "x - y", scalar: "x - y" },
  // A 32-bit product can exceed 2^53: its low bits come from imul. Clamping needs no more than the rounded product.
  mul: { int: "imul(x, y)", clamped: "x * y", float: "x * y", scalar: "x * y" },
  mulhi: { int: "mulhi(x, y, width)", fit: "none" },
  // The quotient of two 32-bit integers is farther from the next integer than float64 division rounds. Only min / -1 clamps.
  div: { int: "y === 0 ? 0 : trunc(x / y)", fit: "clamp", float: "x / y", scalar: "x / y" },
  mod: { int: "y === 0 ? 0 : x % y", float: "x % y", scalar: "x % y" },
  neg: { int: "0 - x", float: "-x", scalar: "-x" },
  abs: { int: "abs(x)", clamped: "abs(x)", float: "abs(x)", scalar: "abs(x)" },
  // fma(acc, x, y): the product of two f32 is exact in float64, the sum rounds there, then to the dtype.
  fma: { float: "x + y * z" },
  min: { int: "x < y ? x : y", fit: "none", float: "minimumNumber(x, y)", scalar: "min(x, y)" },
  max: { int: "x > y ? x : y", fit: "none", float: "maximumNumber(x, y)", scalar: "max(x, y)" },
  // Math.min and Math.max are IEEE 754-2019 minimum and maximum.
  minimum: { int: "x < y ? x : y", fit: "none", float: "min(x, y)" },
  maximum: { int: "x > y ? x : y", fit: "none", float: "max(x, y)" },
  sign: { int: "x > 0 ? 1 : x < 0 ? -1 : 0", fit: "none", float: "sign(x)", scalar: "sign(x)" },

  // -- rounding to integers
  floor: { float: "floor(x)", scalar: "floor(x)" },
  ceil: { float: "ceil(x)", scalar: "ceil(x)" },
  trunc: { float: "trunc(x)", scalar: "trunc(x)" },
  rint: { float: "rint(x)", scalar: "rint(x)" },
  round_away: { float: "roundAway(x)", scalar: "roundAway(x)" },

  // -- functions; on scalars the f32 function, whatever scalar type holds the operand
  sqrt: { float: "sqrt(x)", scalar: "sqrt(x)" },
  rsqrt: { float: "1 / sqrt(x)", scalar: "fround(1 / sqrt(fround(x)))" },
  recip: { float: "1 / x", scalar: "fround(1 / fround(x))" },
  exp: program("exp"),
  exp2: program("exp2"),
  log: program("log"),
  log2: program("log2"),
  sin: program("sin"),
  cos: program("cos"),
  tan: program("tan"),
  tanh: program("tanh"),
  sigmoid: program("sigmoid"),
  silu: program("silu"),
  erf: program("erf"),
  gelu: program("gelu"),
  pow: program("pow"),

  // -- comparison: 1 or 0. With a NaN only `ne` holds; -0 equals 0
  eq: compare("x === y"),
  ne: compare("x !== y"),
  lt: compare("x < y"),
  le: compare("x <= y"),
  gt: compare("x > y"),
  ge: compare("x >= y"),

  // -- bits
  and: { int: "x & y", mask: "x & y", scalar: "x & y" },
  or: { int: "x | y", mask: "x | y", scalar: "x | y" },
  xor: { int: "x ^ y", mask: "x ^ y", scalar: "x ^ y" },
  not: { int: "~x", mask: "1 - x", scalar: "~x" },
  // `y >>> 0` reads a negative amount as the huge unsigned one it is; any amount from the width on gives 0 or sign fill.
  shl: { int: "y >>> 0 < 32 ? x << y : 0", clamped: "x * pow2(min(y >>> 0, 33))" },
  // Rounded is x / 2^y exactly, then half to even: from an amount of width + 1 on that is 0, also for negative x.
  shr: {
    int: "x >> min(y >>> 0, 31)",
    unsigned: "y >>> 0 < 32 ? x >>> y : 0",
    rounded: "rint(x / pow2(min(y >>> 0, 34)))",
  },
  // A width is a power of two, so that the amount modulo the width is its low bits, also of a negative one.
  rotl: { int: "x << (y & width - 1) | (x & 2 ** width - 1) >>> (-y & width - 1)" },
  rotr: { int: "(x & 2 ** width - 1) >>> (y & width - 1) | x << (-y & width - 1)" },
  clz: { int: "clz32(x & 2 ** width - 1) - 32 + width", fit: "none" },
  // Moved to the top of 32 bits, so that bit 31 is the sign; the bits moved in count too where x is 0.
  cls: { int: "min(clz32(x << 32 - width ^ x << 32 - width >> 31), width) - 1", fit: "none" },
  ctz: { int: "x === 0 ? width : 31 - clz32(x & -x)", fit: "none" },
  popcnt: { int: "popcount(x & 2 ** width - 1)", fit: "none" },
  brev: { int: "bitReverse(x) >>> 32 - width" },
} as const satisfies { readonly [K in AluOp]: Meaning };

function compare(relation: string): Meaning {
  const formula = `${relation} ? 1 : 0`;
  return { int: formula, fit: "none", float: formula, mask: formula, scalar: formula };
}

/** A program of math.ts. */
function program(name: MathName): Meaning {
  const call = (of: (v: string) => string): string =>
    `${name}(${["x", "y"].slice(0, MATH[name].operands).map(of).join(", ")})`;
  return { float: call((v) => v), scalar: `fround(${call((v) => `fround(${v})`)})` };
}

/** Ops that scalars have and lanes have not. */
export const SCALAR_ONLY = {
  round: { scalar: "round(x)" },
  imul: { scalar: "imul(x, y)" },
  clz32: { scalar: "clz32(x)" },
  to_int32: { scalar: "x | 0" },
  to_uint32: { scalar: "x >>> 0" },
  js_shl: { scalar: "x << y" },
  js_shr: { scalar: "x >> y" },
  ceildiv: { scalar: "ceildiv(x, y)" },
  floordiv: { scalar: "floordiv(x, y)" },
  truthy: { scalar: "x ? 1 : 0", mask: "x" },
  select: { scalar: "x ? y : z", mask: "x ? y : z" },
} as const satisfies { readonly [K in OpName]?: Meaning };

// ---------------------------------------------------------------------------------------------- functions of formulas

/** IEEE 754-2019 minimumNumber: a NaN loses, -0 is less than 0. */
function minimumNumber(x: number, y: number): number {
  return Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.min(x, y);
}
/** IEEE 754-2019 maximumNumber. */
function maximumNumber(x: number, y: number): number {
  return Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.max(x, y);
}

/** Ones among 32 bits. Warren, Hacker's Delight, figure 5-2. */
function popcount(x: number): number {
  const pairs = x - ((x >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
/** 32 bits in reverse order. Warren, Hacker's Delight, figure 7-1. */
function bitReverse(x: number): number {
  const swap = (v: number, by: number, mask: number): number => ((v & mask) << by) | ((v >>> by) & mask);
  const bytes = swap(swap(swap(x, 1, 0x55555555), 2, 0x33333333), 4, 0x0f0f0f0f);
  return swap(swap(bytes, 8, 0x00ff00ff), 16, 0x0000ffff);
}

const POW2 = Float64Array.from({ length: 64 }, (_, n) => 2 ** n);
/** 2^n for the amounts of a clamped shift. */
function pow2(n: number): number {
  return POW2[n] as number;
}

/**
 * floor(x * y / 2^width), exactly. y is cut into 16-bit digits, so that a 32-bit x makes products below 2^49:
 * floor((x * high + low part of the product / 2^16) / 2^16) needs of that low part only its floor.
 */
function mulhi(x: number, y: number, width: number): number {
  if (width < 32) return Math.floor((x * y) / 2 ** width) + 0;
  const high = Math.floor(y / 65536);
  const low = y - high * 65536;
  return Math.floor((x * high + Math.floor((x * low) / 65536)) / 65536) + 0;
}

/**
 * Largest integer not above the exact x / y of safe integers. Division rounds, but the remainder is exact, and so is the quotient
 * once the remainder is taken off. A zero divisor gives NaN: the op traps before.
 */
function floordiv(x: number, y: number): number {
  const r = x % y;
  const q = (x - r) / y;
  return (r !== 0 && r < 0 !== y < 0 ? q - 1 : q) + 0;
}
/** Smallest integer not below the exact x / y of safe integers. */
function ceildiv(x: number, y: number): number {
  const r = x % y;
  const q = (x - r) / y;
  return (r !== 0 && r < 0 === y < 0 ? q + 1 : q) + 0;
}

/** Nearest integer, ties away from zero; keeps -0. The difference is exact. */
function roundAway(x: number): number {
  const t = Math.trunc(x);
  return Math.abs(x - t) >= 0.5 ? t + Math.sign(x) : t;
}

const { abs, ceil, clz32, floor, fround, imul, max, min, round, sign, sqrt, trunc } = Math;
const FUNCTIONS: Readonly<Record<string, (...x: number[]) => number>> = {
  ...{ abs, ceil, clz32, floor, fround, imul, max, min, round, sign, sqrt, trunc },
  ...{ minimumNumber, maximumNumber, mulhi, rint, roundAway, pow2, popcount, bitReverse, floordiv, ceildiv },
};
/** What a formula may call by this name; a math function is compiled when the first formula that calls it is. */
export function formulaFunction(name: string): ((...x: number[]) => number) | undefined {
  if (isMathName(name)) return mathFn(name);
  return Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
}
