/**
 * 2^t and what is made of it: exp, exp2, tanh, sigmoid, silu. Coefficients are made by scripts/math-coefficients.py (Remez); the errors
 * given with them are relative.
 */
import type { MathBuilder, MathValue } from "./program.ts";

/** (2^f - 1) / f for |f| <= 1/2, such that the error of 1 + f * slope, relative to 2^f, is 2^-34.3. */
const EXP2_SLOPE = [
  0.693147180704528, 0.24022651066557069, 0.055504103659952, 0.009618038132532706, 0.0013333935057339148,
  0.00015466756183880997, 1.5196155468025933e-5,
];
/** The same with an error of 2^-37.7 relative to itself. */
const EXPM1_SLOPE = [
  0.6931471805568766, 0.24022650696489128, 0.05550410906006978, 0.009618128942530684, 0.0013333478814190741,
  0.00015403629591119054, 1.5303609842736306e-5, 1.3215476544947744e-6,
];

/** From here on every dtype rounds e^x and 2^x to infinity or 0, and nothing overflows in float64. */
const FAR = 700;

/** 2^t = 2^n * 2^f with n = nearest(t). |t| must be at most 1022. */
export function power2(m: MathBuilder, t: MathValue): MathValue {
  const { n, scale } = m.splitInteger(t);
  const f = m.sub(t, n);
  return m.mul(m.add(1, m.mul(f, m.horner(f, EXP2_SLOPE))), scale);
}

export function exp(m: MathBuilder): MathValue {
  return power2(m, m.mul(m.bounded(-FAR, FAR), Math.LOG2E));
}

export function exp2(m: MathBuilder): MathValue {
  return power2(m, m.bounded(-FAR, FAR));
}

/**
 * tanh x = (e^2x - 1) / (e^2x - 1 + 2); from |x| = 20 on it is 1 in float64. e^2x - 1 = 2^n (2^f - 1) + (2^n - 1) loses nothing near
 * x = 0, where n is 0.
 */
export function tanh(m: MathBuilder): MathValue {
  const t = m.mul(m.abs(m.bounded(-20, 20)), 2 * Math.LOG2E);
  const { n, scale } = m.splitInteger(t);
  const f = m.sub(t, n);
  const expm1 = m.add(m.mul(scale, m.mul(f, m.polynomial(f, EXPM1_SLOPE))), m.sub(scale, 1));
  return m.copysign(m.div(expm1, m.add(expm1, 2)), m.x);
}

/** 1 / (1 + e^-x): where e^-x is large, 1 + e^-x loses nothing of it. */
export function sigmoid(m: MathBuilder): MathValue {
  return m.div(1, m.add(1, power2(m, m.mul(m.bounded(-FAR, FAR), -Math.LOG2E))));
}

/**
 * x * p(x), where p rises from 0 to 1 with p(-x) = 1 - p(x): silu, gelu. `below` is p(-|x|), accurate relative to itself.
 *
 * Near 0 the value is x/2 + c x^2. Where x/2 lies half-way between two subnormals of the dtype, c x^2 decides, however small; so p stays
 * at least 2^-38 away from 1/2. Elsewhere x/2 is a value of the dtype, and so little does not reach the next one.
 */
export function timesProbability(m: MathBuilder, below: MathValue): MathValue {
  const p = m.atMost(below, 0.5 - 2 ** -38);
  // 0 wins over -infinity: x is not let grow where p vanishes.
  return m.mul(m.atLeast(m.x, -FAR), m.select(m.lt(m.x, 0), p, m.sub(1, p)));
}

export function silu(m: MathBuilder): MathValue {
  const e = power2(m, m.atLeast(m.mul(m.abs(m.x), -Math.LOG2E), -FAR));
  return timesProbability(m, m.div(e, m.add(1, e)));
}
