/** sin, cos and tan of every f32, by exact argument reduction. */
import type { MathBuilder, MathValue } from "./program.ts";

/**
 * The first bits of 1 / (2 pi), in pieces of 29 bits: piece k is an integer times 2^-29(k + 1). The product with an f32 (24 bits) is
 * exact. (M. Payne and R. Hanek, Radian reduction for trigonometric functions, 1983.)
 */
const TURNS = [85445659, 240010261, 88048874, 524801235, 249589169, 156865476].map(
  (piece, k) => piece * 2 ** (-29 * (k + 1)),
);
/** What is left of 1 / (2 pi) after the first 3, 4, 5, 6 pieces, as float64. */
const REST = [6.317065088957875e-27, 5.5959827142599236e-36, 6.551007954373285e-45, 9.301187206862134e-54];
/**
 * From here on piece 0 (1, 2) times an f32 is a whole number of turns and may be left out: the f32 is a multiple of 2^29 (2^58, 2^87).
 */
const WINDOWS = [2 ** 52, 2 ** 81, 2 ** 110];

/** (sin(r) / r - 1) / r^2 in z = r^2, |r| <= pi/4: from scripts/math-coefficients.py (Remez); z times its error is 2^-46.7. */
const SIN_TAIL = [
  -0.1666666666663876, 0.008333333325649147, -0.00019841263748080707, 2.7555305965775936e-6,
  -2.4756282908742207e-8,
];
/** (cos(r) - 1 + r^2 / 2) / r^4 in z; z^2 times its error is 2^-41. */
const COS_TAIL = [0.041666666647859875, -0.0013888885537476448, 2.479990832895976e-5, -2.723684909690916e-7];

interface Reduced {
  /** |x| = k pi/2 + r, |r| <= pi/4; k up to multiples of 4, -4 <= k <= 4. */
  readonly k: MathValue;
  readonly sin: MathValue;
  readonly cos: MathValue;
}

/**
 * Three pieces and the rest of 1 / (2 pi), chosen by the size of |x|, give |x| in turns with an absolute error of 2^-88; no f32 but 0
 * is nearer than 2^-32 turns to a multiple of pi/2, so r is good to 2^-52 of itself.
 */
function reduce(m: MathBuilder): Reduced {
  const a = m.abs(m.x);
  const below = WINDOWS.map((end) => m.lt(a, end));
  const chosen = (of: readonly number[]): MathValue =>
    below.reduceRight<MathValue>((other, c, w) => m.select(c, of[w] as number, other), of[3] as number);
  const products = [TURNS.slice(0), TURNS.slice(1), TURNS.slice(2), REST].map((of) => m.mul(a, chosen(of)));
  const [first, second, third, rest] = products as [MathValue, MathValue, MathValue, MathValue];
  // Whole turns fall off exactly. The first is a multiple of the unit of the second, so the error of their sum comes out exactly.
  const high = m.sub(first, m.nearest(first));
  const low = m.sub(second, m.nearest(second));
  const sum = m.add(high, low);
  const lost = m.sub(low, m.sub(sum, high));
  const k = m.nearest(m.mul(m.add(sum, third), 4));
  const turns = m.add(m.add(m.sub(sum, m.mul(k, 0.25)), third), m.add(rest, lost));
  const r = m.mul(turns, 2 * Math.PI);
  const z = m.mul(r, r);
  const sin = m.add(r, m.mul(m.mul(r, z), m.polynomial(z, SIN_TAIL)));
  const cos = m.add(m.sub(1, m.mul(z, 0.5)), m.mul(m.mul(z, z), m.polynomial(z, COS_TAIL)));
  return { k, sin, cos };
}

/** sin(k pi/2 + r). */
function turned(m: MathBuilder, k: MathValue, { sin, cos }: Reduced): MathValue {
  const half = m.mul(k, 0.5);
  const value = m.select(m.integral(half), sin, cos);
  return m.select(m.integral(m.mul(m.floor(half), 0.5)), value, m.neg(value));
}

export function sin(m: MathBuilder): MathValue {
  const reduced = reduce(m);
  return m.mul(turned(m, reduced.k, reduced), m.copysign(1, m.x));
}

export function cos(m: MathBuilder): MathValue {
  const reduced = reduce(m);
  return turned(m, m.add(reduced.k, 1), reduced);
}

export function tan(m: MathBuilder): MathValue {
  const { k, sin, cos } = reduce(m);
  const even = m.integral(m.mul(k, 0.5));
  const quotient = m.div(m.select(even, sin, m.neg(cos)), m.select(even, cos, sin));
  return m.mul(quotient, m.copysign(1, m.x));
}
