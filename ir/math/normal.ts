/** erf and gelu, by the tail of the normal distribution. Coefficients from scripts/math-coefficients.py (Remez), errors relative. */
import { power2, timesProbability } from "./exponential.ts";
import type { MathBuilder, MathValue } from "./program.ts";

/** erf(x) / x in x^2, for |x| <= 1; error 2^-45.6. */
const ERF_SMALL = [
  1.1283791670954917, -0.37612638902775164, 0.11283791657674878, -0.026866168962358473, 0.0052239667458928735,
  -0.0008547920952021685, 0.00012046046434182669, -1.4792924527803405e-5, 1.5295218982063014e-6,
  -1.0444483401262583e-7,
];

/**
 * (a + 5) e^(a^2 / 2) Q(a) for 0 <= a <= 15, in u = (a - 5) / (a + 5), where Q(a) = erfc(a / sqrt 2) / 2 is the probability that a normal
 * variable exceeds a; error 2^-40. The factor before Q makes it smooth and nearly constant.
 */
const NORMAL_TAIL = [
  0.769193049750567, -0.6653825028806266, 0.4953056158513351, -0.3135331573556154, 0.16502037036132064,
  -0.06911862288429083, 0.020795016312186426, -0.0029935485398394144, -0.0007976303174043604,
  0.0005458556989260582, -5.9626169975842044e-5, -5.236474822802014e-5, 1.54679230607521e-5,
  6.604422995824517e-6,
];
const CENTRE = 5;
const END = 15;

/** Q(a) as above; `square` is a^2, exact or correctly rounded. */
function normalTail(m: MathBuilder, a: MathValue, square: MathValue): MathValue {
  const u = m.div(m.sub(a, CENTRE), m.add(a, CENTRE));
  const e = power2(m, m.mul(square, -Math.LOG2E / 2));
  return m.div(m.mul(e, m.polynomial(u, NORMAL_TAIL)), m.add(a, CENTRE));
}

export function erf(m: MathBuilder): MathValue {
  // From 6 on the result is 1 in float64. The square of an f32 is exact.
  const t = m.abs(m.bounded(-6, 6));
  const square = m.mul(t, t);
  const small = m.mul(m.x, m.polynomial(square, ERF_SMALL));
  const tail = normalTail(m, m.mul(t, Math.SQRT2), m.add(square, square));
  return m.select(m.lt(t, 1), small, m.copysign(m.sub(1, m.add(tail, tail)), m.x));
}

/** At x = -15 the value is below 6e-50: 0 in every dtype. */
export function gelu(m: MathBuilder): MathValue {
  const a = m.atMost(m.abs(m.x), END);
  return timesProbability(m, normalTail(m, a, m.mul(a, a)));
}
