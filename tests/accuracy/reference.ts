/**
 * The correctly rounded value of a function: from float64 where its error cannot matter, from {@link PRECISE} where it can. The float64
 * functions are JavaScript's own or series of textbooks, all with errors below TRUST (accuracy.test.ts compares them with PRECISE).
 */
import type { FloatDType } from "../../ir/dtype.ts";
import { BF16, F16 } from "../harness/floats.ts";
import { nearest } from "../ir/exact.ts";
import { PRECISE } from "./precise.ts";

export type Unary = (x: number) => number;

const ROUND: { readonly [K in FloatDType]: Unary } = {
  f16: (x) => F16.round(x),
  bf16: (x) => BF16.round(x),
  f32: Math.fround,
};

/** What the float64 functions below are trusted to, relative. */
export const TRUST = 2 ** -45;

/** 2/sqrt(pi) e^(-x^2) sum of 2^k x^(2k+1) / (2k+1)!!, without cancellation: Abramowitz and Stegun 7.1.6. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > Math.abs(sum) * 1e-18; k++) sum += term *= (2 * x * x) / (2 * k + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
/** Probability that a normal variable exceeds a >= 1.5: e^(-a^2/2) / sqrt(2 pi) / (a + 1/(a + 2/(a + 3/...))), ibid. 26.2.14. */
function normalTail(a: number): number {
  let denominator = a;
  for (let k = 120; k > 0; k--) denominator = a + k / denominator;
  return Math.exp((-a * a) / 2) / Math.sqrt(2 * Math.PI) / denominator;
}
function erf(x: number): number {
  const a = Math.abs(x);
  return a < 1.06 ? erfSeries(x) : Math.sign(x) * (1 - 2 * normalTail(a * Math.SQRT2));
}
/** Near -infinity as at -50. */
function gelu(x: number): number {
  if (Math.abs(x) < 1.5) return (x / 2) * (1 + erfSeries(x * Math.SQRT1_2));
  return x < 0 ? Math.max(x, -50) * normalTail(Math.min(-x, 50)) : x * (1 - normalTail(x));
}
function exp2(x: number): number {
  const n = Math.max(-1000, Math.min(1000, Math.round(x)));
  return Math.exp((x - n) * Math.LN2) * 2 ** n;
}

/** As C99 and IEEE 754-2019 have it; JavaScript has NaN for 1^NaN and (+-1)^(+-infinity). */
function pow(x: number, y: number): number {
  if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1;
  return x ** y;
}

/** Float64; results that no dtype holds may be anything as far out. */
export const FAST: Readonly<Record<string, (x: number, y: number) => number>> = {
  exp: Math.exp,
  exp2,
  log: Math.log,
  log2: (x) => Math.log(x) * Math.LOG2E,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  silu: (x) => Math.max(x, -700) / (1 + Math.exp(-Math.max(x, -700))),
  erf,
  gelu,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  recip: (x) => 1 / x,
  pow,
};

/** Functions whose value is a value of the dtype: nothing to round. */
export const EXACT: Readonly<Record<string, Unary>> = {
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  round_away: (x) => (Math.abs(x) < 2 ** 40 ? Math.sign(x) * Math.floor(Math.abs(x) + 0.5) || x * 0 : x),
  rint: (x) => {
    const down = Math.floor(x);
    const r = x - down === 0.5 ? 2 * Math.round(down / 2) : Math.round(x);
    return Math.abs(x) < 2 ** 40 ? r || x * 0 : x;
  },
};

/** The correctly rounded value. */
export function correct(name: string, d: FloatDType, x: number, y: number): number {
  const exact = EXACT[name];
  if (exact !== undefined) return exact(x);
  const v = (FAST[name] as (x: number, y: number) => number)(x, y);
  if (!Number.isFinite(v) || v === 0) return v;
  const round = ROUND[d];
  const low = round(v * (1 - TRUST));
  if (Object.is(low, round(v * (1 + TRUST)))) return low;
  return nearest(d, (PRECISE[name] as (x: number, y: number) => { n: bigint; d: bigint })(x, y));
}

/** Bits of the significand, smallest exponent of a normal number, first power of two beyond the format. */
const FORMAT: { readonly [K in FloatDType]: readonly [precision: number, least: number, beyond: number] } = {
  f16: [11, -14, 16],
  bf16: [8, -126, 128],
  f32: [24, -126, 128],
};

/** Distance of `got` from the function's value, in units of the last place of the format there. */
export function ulps(name: string, d: FloatDType, x: number, y: number, got: number): number {
  const v = EXACT[name]?.(x) ?? (FAST[name] as (x: number, y: number) => number)(x, y);
  if (Object.is(got, v) || (Number.isNaN(got) && Number.isNaN(v))) return 0;
  const [precision, least, beyond] = FORMAT[d];
  // Infinity is right from half a unit beyond the largest number on.
  if (!Number.isFinite(got)) return Math.abs(v) >= 2 ** beyond * (1 - 2 ** (-precision - 1)) ? 0 : Infinity;
  if (!Number.isFinite(v)) return Infinity;
  let exponent = Math.max(least, Math.floor(Math.log2(Math.abs(v))));
  if (exponent > least && Math.abs(v) < 2 ** exponent) exponent--;
  return Math.abs(got - v) / 2 ** (exponent + 1 - precision);
}
