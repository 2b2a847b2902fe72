/** pow. */
import { splitExponent } from "./logarithm.ts";
import type { MathBuilder, MathValue } from "./program.ts";

/** As ATANH_TAIL in logarithm.ts, but z times its error is 2^-64. From scripts/math-coefficients.py. */
const ATANH_TAIL = [
  0.3333333333333333, 0.2000000000000239, 0.14285714284685136, 0.11111111311895006, 0.09090888177125812,
  0.07693548947467509, 0.06624663639467623, 0.06631431606802855,
];
/** As EXP2_SLOPE in exponential.ts, error 2^-54. */
const EXP2_SLOPE = [
  Math.LN2,
  0.24022650695910072,
  0.055504108664821625,
  0.009618129107628437,
  0.001333355814640663,
  0.00015403530393466158,
  1.5252733841378403e-5,
  1.3215486721367244e-6,
  1.0178057169318285e-7,
  7.054932268821403e-9,
  4.4558048485933294e-10,
  2.5678432299878377e-11,
];
/** 2 / ln 2 in two parts, the first of 26 bits. */
const TWO_LOG2E_HIGH = 2.885390043258667;
const TWO_LOG2E_LOW = 3.851925982253235e-8;

/** What log2 of 0 and infinity count as: times the smallest y beyond every exponent, times the largest still finite. */
const ENDLESS = 1e60;
/** Exponents beyond this over- or underflow in every dtype. */
const FAR = 1000;

/** log2(a) of a positive number as high + low, high of 26 bits; the error is 2^-58 of it. */
function log2(m: MathBuilder, a: MathValue): { high: MathValue; low: MathValue } {
  const { e, f } = splitExponent(m, a);
  // s = f / (2 + f) = s0 + s1, the remainder of the division being exact: s0 in two parts of 26 bits, 2 + f has 25.
  const divisor = m.add(f, 2);
  const inverse = m.div(1, divisor);
  const s0 = m.mul(f, inverse);
  const s0High = m.head(s0);
  const s0Low = m.sub(s0, s0High);
  const s1 = m.mul(m.sub(m.sub(f, m.mul(s0High, divisor)), m.mul(s0Low, divisor)), inverse);
  const z = m.mul(s0, s0);
  const tail = m.mul(m.mul(m.mul(s0, 2 * Math.LOG2E), z), m.polynomial(z, ATANH_TAIL));
  // (s0 + s1) * 2 / ln 2, its first product exact.
  const lead = m.mul(s0High, TWO_LOG2E_HIGH);
  const small = m.add(m.add(m.mul(m.add(s0Low, s1), TWO_LOG2E_HIGH), m.mul(s0, TWO_LOG2E_LOW)), tail);
  const high = m.head(m.add(m.add(e, lead), small));
  return { high, low: m.add(m.add(m.sub(e, high), lead), small) };
}

/**
 * |x|^y = 2^(y log2 |x|) with an error of 2^-50, the exact cases taken out: what comes within 2^-49 of a number of 26 bits is that number.
 * So a result that is a value of the dtype, or half-way between two, is exact; tests/accuracy/powers.ts says how near others come.
 *
 * Special values are those of IEEE 754-2019 and C: x^0 and 1^y are 1, even for NaN; (-1)^(+-infinity) is 1; of a negative number a
 * power that is not whole is NaN.
 */
export function pow(m: MathBuilder): MathValue {
  const { x, y } = m;
  const a = m.abs(x);
  const l = log2(m, a);
  const bounded = (part: MathValue, zero: MathValue, infinite: MathValue): MathValue =>
    m.select(m.eq(a, 0), zero, m.select(m.eq(a, Infinity), infinite, part));
  const whole = m.mul(y, bounded(l.high, -ENDLESS, ENDLESS));
  const part = m.mul(y, bounded(l.low, 0, 0));
  const t = m.clamp(whole, -FAR, FAR);
  const { n, scale } = m.splitInteger(t);
  const f = m.select(m.eq(t, whole), m.add(m.sub(t, n), part), m.sub(t, n));
  const mantissa = m.add(m.mul(f, m.polynomial(f, EXP2_SLOPE)), 1);
  const short = m.head(mantissa);
  const near = m.le(m.abs(m.sub(mantissa, short)), 2 ** -49);
  const size = m.mul(m.select(near, short, mantissa), scale);

  const integral = m.integral(y);
  const odd = m.and(integral, m.not(m.integral(m.mul(y, 0.5))));
  const signed = m.select(odd, m.copysign(size, x), size);
  const negative = m.and(m.lt(x, 0), m.lt(a, Infinity));
  const undefined_ = m.or(m.ne(x, x), m.and(negative, m.not(integral)));
  const one = m.or(m.eq(y, 0), m.eq(x, 1));
  // (-1)^(+-infinity): 0 * infinity came before.
  const unit = m.and(m.eq(a, 1), m.eq(m.abs(y), Infinity));
  return m.select(m.or(one, unit), 1, m.select(undefined_, NaN, signed));
}
