/**
 * The math functions: one specified algorithm each, as a float64 program (see mathprogram.ts for what the nodes mean). The value of
 * an op is `roundTo(dtype)(mathFn(name)(x))`. The programs are good to about 1e-15, so that f32 results are within 1 ulp and f16 and
 * bf16 results are correctly rounded for every input (tests/ir/math.test.ts tries them all).
 *
 * Operands are exact values of f16, bf16 or f32; nothing is promised for other float64 numbers. Overflow, and rounding to subnormals,
 * is left to the final rounding: no program flushes.
 */
import { compileMath, MathBuilder, type MathProgram, type MathValue } from "./mathprogram.ts";

export type { MathNode, MathProgram } from "./mathprogram.ts";
export type MathName = "exp" | "log" | "tanh" | "erf";

function define(name: MathName, doc: string, make: (m: MathBuilder) => MathValue): MathProgram {
  const m = new MathBuilder();
  return m.program(name, doc, make(m));
}

/** ln 2 in two parts: the first 32 bits, so that its product with an exponent is exact, and the rest. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** 1.5 * 2^52: a float64 near it has a unit of 1, so adding it rounds to an integer and subtracting it gives that integer. */
const INTEGER_UNIT = 6755399441055744;

/** Taylor series of (e^r - 1) / r: 1 / (k + 1)!. For |r| <= ln(2) / 2 the first term left out is below 5e-18. */
const EXPM1_OVER_R: number[] = [];
for (let k = 0, factorial = 1; k < 13; k++, factorial *= k + 1) EXPM1_OVER_R.push(1 / factorial);

/**
 * e^x = 2^n * (1 + p) with n = nearest(x / ln 2) and p = e^r - 1, r = x - n ln 2. p is accurate relative to itself, so
 * e^x - 1 is 2^n p + (2^n - 1) without loss near 0. |x| must be at most 700.
 */
function exponential(m: MathBuilder, x: MathValue): { scale: MathValue; p: MathValue } {
  const n = m.sub(m.add(m.mul(x, Math.LOG2E), INTEGER_UNIT), INTEGER_UNIT);
  const r = m.sub(m.sub(x, m.mul(n, LN2_HIGH)), m.mul(n, LN2_LOW));
  return { scale: m.pow2(n), p: m.mul(r, m.polynomial(r, EXPM1_OVER_R)) };
}

const exp = define(
  "exp",
  "e^x. Beyond +-700 as at +-700, which every dtype rounds to infinity or 0.",
  (m) => {
    const { scale, p } = exponential(m, m.clamp(m.x, -700, 700));
    return m.mul(m.add(1, p), scale);
  },
);

/**
 * Taylor series of (atanh(s) / s - 1) / s^2 in z = s^2: 1 / (2k + 3). For |s| <= 0.1716 the first term left out
 * adds less than 1e-18 of the whole.
 */
const ATANH_TAIL = Array.from({ length: 10 }, (_, k) => 1 / (2 * k + 3));

const log = define("log", "Natural logarithm. log(0) is -infinity, of a negative number NaN.", (m) => {
  const { x } = m;
  // x = 2^e * f with f between sqrt(1/2) and sqrt(2): near x = 1 the exponent is 0, and nothing cancels.
  const mantissa = m.mantissa(x);
  const high = m.lt(Math.SQRT2, mantissa);
  const e = m.add(m.exponent(x), m.select(high, 1, 0));
  const f = m.sub(m.mul(mantissa, m.select(high, 0.5, 1)), 1);
  // log(1 + f) = 2 atanh(s), s = f / (2 + f).
  const s = m.div(f, m.add(2, f));
  const z = m.mul(s, s);
  const twice = m.add(s, s);
  const logF = m.add(twice, m.mul(m.mul(twice, z), m.polynomial(z, ATANH_TAIL)));
  const value = m.add(m.mul(e, LN2_HIGH), m.add(m.mul(e, LN2_LOW), logF));
  const finite = m.and(m.lt(0, x), m.lt(x, Infinity));
  // Outside: log(infinity) is infinity, log(+-0) is -infinity; NaN for the rest.
  const outside = m.select(m.eq(x, 0), -Infinity, m.select(m.eq(x, Infinity), Infinity, NaN));
  return m.select(finite, value, outside);
});

const tanh = define("tanh", "Hyperbolic tangent.", (m) => {
  // tanh t = (e^2t - 1) / (e^2t - 1 + 2); from t = 20 on it is 1 in float64.
  const t = m.clamp(m.abs(m.x), 0, 20);
  const { scale, p } = exponential(m, m.add(t, t));
  const expm1 = m.add(m.mul(scale, p), m.sub(scale, 1));
  return m.copysign(m.div(expm1, m.add(expm1, 2)), m.x);
});

/** erf(x) / x in z = x^2 on [0, 1]: interpolated at the 13 Chebyshev nodes in 70 digits, rewritten in powers; error 2e-17. */
const ERF_SMALL = [
  1.1283791670955126, -0.3761263890318375, 0.11283791670954879, -0.026866170645076792, 0.0052239776248180145,
  -0.000854832698083379, 0.0001205533111164271, -1.4925595266831182e-5, 1.6461000484121368e-6,
  -1.6350312701054695e-7, 1.4659775274047436e-8, -1.1372848856791674e-9, 5.957176147748911e-11,
];
/**
 * e^(t^2) (1 - erf(t)) on [1, 6], which is smooth in u = (t - 2.5) / (t + 2.5), in powers of u: interpolated at the 17 Chebyshev
 * nodes in 70 digits; error 4e-17.
 */
const ERF_LARGE = [
  0.2108063640611436, -0.3717367339489734, 0.2517131932174494, -0.1250330523788247, 0.039922539075574935,
  -0.003993701166223159, -0.002642365963784453, 0.0008759154630794508, 0.00022838036598153182,
  -0.00012887741536369735, -3.4182063549802165e-5, 1.8617072081910595e-5, 7.5513017799442535e-6,
  -2.3140931150942177e-6, -1.79706306540687e-6, 1.2966926825389417e-7, 3.3657006736237105e-7,
];

const erf = define("erf", "Error function.", (m) => {
  // From 6 on the result is 1 in float64. The square of a f32 is exact.
  const t = m.clamp(m.abs(m.x), 0, 6);
  const square = m.mul(t, t);
  const small = m.mul(m.x, m.polynomial(square, ERF_SMALL));
  const { scale, p } = exponential(m, m.neg(square));
  const u = m.div(m.sub(t, 2.5), m.add(t, 2.5));
  const rest = m.mul(m.mul(m.add(1, p), scale), m.polynomial(u, ERF_LARGE));
  return m.select(m.lt(t, 1), small, m.copysign(m.sub(1, rest), m.x));
});

/** The programs, for emitters. */
export const MATH: { readonly [K in MathName]: MathProgram } = { exp, log, tanh, erf };

const compiled = new Map<MathName, (x: number) => number>();

/** The program as a JavaScript function, before the rounding to the dtype. Memoised. */
export function mathFn(name: MathName): (x: number) => number {
  let f = compiled.get(name);
  if (f === undefined) compiled.set(name, (f = compileMath(MATH[name])));
  return f;
}
