/** log and log2. */
import type { MathBuilder, MathValue } from "./program.ts";

/**
 * (atanh(s) / s - 1) / s^2 in z = s^2, for |s| <= (sqrt 2 - 1) / (sqrt 2 + 1): from scripts/math-coefficients.py (Remez). z times its error
 * is 2^-44.
 */
const ATANH_TAIL = [
  0.3333333333692341, 0.19999997930055857, 0.14286057113420703, 0.11087546576557637, 0.09804523723342808,
];

/** x = 2^e * (1 + f) with 1 + f between sqrt(1/2) and sqrt(2): near x = 1 the exponent is 0, and nothing cancels. f is exact. */
export function splitExponent(m: MathBuilder, x: MathValue): { e: MathValue; f: MathValue } {
  const mantissa = m.mantissa(x);
  const high = m.lt(Math.SQRT2, mantissa);
  const e = m.add(m.exponent(x), m.select(high, 1, 0));
  return { e, f: m.sub(m.mul(mantissa, m.select(high, 0.5, 1)), 1) };
}

/** Logarithm to the base whose natural logarithm is 1 / `unit`; `e` times `ofTwo` is the part of the exponent. */
function logarithm(m: MathBuilder, unit: number, ofTwo: number): MathValue {
  const { x } = m;
  const { e, f } = splitExponent(m, x);
  // ln(1 + f) = 2 atanh(s), s = f / (2 + f).
  const s = m.div(f, m.add(2, f));
  const z = m.mul(s, s);
  const lead = m.mul(s, 2 * unit);
  const value = m.add(m.mul(e, ofTwo), m.add(lead, m.mul(m.mul(lead, z), m.polynomial(z, ATANH_TAIL))));
  const finite = m.and(m.lt(0, x), m.lt(x, Infinity));
  // Outside: of infinity infinity, of +-0 -infinity; NaN for the rest.
  const outside = m.select(m.eq(x, 0), -Infinity, m.select(m.eq(x, Infinity), Infinity, NaN));
  return m.select(finite, value, outside);
}

export function log(m: MathBuilder): MathValue {
  return logarithm(m, 1, Math.LN2);
}

export function log2(m: MathBuilder): MathValue {
  return logarithm(m, Math.LOG2E, 1);
}
