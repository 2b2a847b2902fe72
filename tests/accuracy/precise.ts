/**
 * The functions in fixed point of {@link BITS} fraction bits on BigInt: slow, plain, and good to about 2^-200 of the result for every f32.
 * Shares nothing with ir/. Results are fractions, which `nearest` of tests/ir/exact.ts rounds to any format.
 */
import { type Fraction, fraction, over, plus, squareRoot, times } from "../ir/exact.ts";

const BITS = 640n;
const ONE = 1n << BITS;
const UNIT: Fraction = { n: 1n, d: 1n };

const toFixed = ({ n, d }: Fraction): bigint => (n << BITS) / d;
const fromFixed = (n: bigint): Fraction => ({ n, d: ONE });
const multiply = (a: bigint, b: bigint): bigint => (a * b) >> BITS;
const negate = ({ n, d }: Fraction): Fraction => ({ n: -n, d });

/** Arctangent of 1 / k by its Taylor series. */
function arctanOfInverse(k: bigint): bigint {
  let power = ONE / k;
  let sum = power;
  for (let i = 3n; power !== 0n; i += 2n) {
    power = -power / (k * k);
    sum += power / i;
  }
  return sum;
}
/** Machin's formula. */
const PI = 4n * (4n * arctanOfInverse(5n) - arctanOfInverse(239n));
/** ln 2 = 2 atanh(1/3). */
const LN2 = ((): bigint => {
  let power = ONE / 3n;
  let sum = power;
  for (let i = 3n; power !== 0n; i += 2n) {
    power /= 9n;
    sum += power / i;
  }
  return 2n * sum;
})();

/** e^x for a small |x|, by Taylor's series of x / 2^12 and squarings. */
function expSmall(x: bigint): bigint {
  const halvings = 12n;
  const r = x >> halvings;
  let term = ONE;
  let sum = ONE;
  for (let k = 1n; term !== 0n && term !== -1n; k++) {
    term = multiply(term, r) / k;
    sum += term;
  }
  for (let k = 0n; k < halvings; k++) sum = multiply(sum, sum);
  return sum;
}

/** 2^t, t in fixed point; below t = -5000 as there, which is nothing beside any number of a dtype. */
function power2(t: bigint): Fraction {
  const least = -5000n << BITS;
  if (t < least) return power2(least);
  const n = t >> BITS;
  const f = expSmall(multiply(t - (n << BITS), LN2));
  return n >= 0n ? { n: f << n, d: ONE } : { n: f, d: ONE << -n };
}
function expFixed(x: bigint): Fraction {
  return power2((x << BITS) / LN2);
}

/** ln x, x > 0: x = 2^e m with m near 1, 2 atanh((m - 1) / (m + 1)). */
function logFixed({ n, d }: Fraction): bigint {
  let e = BigInt(n.toString(2).length - d.toString(2).length);
  let m = e >= 0n ? (n << BITS) / (d << e) : (n << (BITS - e)) / d;
  if (3n * m > 4n * ONE) {
    m >>= 1n;
    e += 1n;
  } else if (3n * m < 2n * ONE) {
    m <<= 1n;
    e -= 1n;
  }
  const s = ((m - ONE) << BITS) / (m + ONE);
  const z = multiply(s, s);
  let power = s;
  let sum = s;
  for (let i = 3n; power !== 0n && power !== -1n; i += 2n) {
    power = multiply(power, z);
    sum += power / i;
  }
  return 2n * sum + e * LN2;
}

/** Quadrant, sine and cosine of the remainder of x by pi/2. */
function circular(x: Fraction): { quadrant: number; sin: bigint; cos: bigint } {
  const half = PI >> 1n;
  const fixed = toFixed(x);
  const k = (fixed + (half >> 1n)) / half - (fixed + (half >> 1n) < 0n ? 1n : 0n);
  const r = fixed - k * half;
  const z = multiply(r, r);
  let [sin, cos] = [0n, 0n];
  let term = ONE;
  for (let i = 0n; term !== 0n && term !== -1n; i += 2n) {
    cos += term;
    const odd = multiply(term, r) / (i + 1n);
    sin += odd;
    term = -multiply(term, z) / ((i + 1n) * (i + 2n));
  }
  return { quadrant: Number(((k % 4n) + 4n) % 4n), sin, cos };
}

const sin = (x: number, turn = 0): Fraction => {
  const { quadrant, sin, cos } = circular(fraction(x));
  const q = (quadrant + turn) % 4;
  return fromFixed([sin, cos, -sin, -cos][q] as bigint);
};

/** 2 / sqrt(pi). */
const TWO_OVER_ROOT_PI = over({ n: 2n, d: 1n }, squareRoot(fromFixed(PI)));

/** erf(x) of x^2 = square: Taylor's series; for |x| < 15 it loses x^2 log2(e) of the bits. Without the factor x. */
function erfOverX(square: Fraction): Fraction {
  const z = toFixed(square);
  let term = ONE;
  let sum = ONE;
  for (let k = 1n; term !== 0n && term !== -1n; k++) {
    term = -multiply(term, z) / k;
    sum += term / (2n * k + 1n);
  }
  return times(fromFixed(sum), TWO_OVER_ROOT_PI);
}

/** 1 / (1 + e^-x). */
function sigmoid(x: Fraction): Fraction {
  const e = expFixed(-toFixed(x));
  return over(UNIT, plus(UNIT, e));
}

/** x^y; of a negative x for integers y. What is a number of 60 bits to 2^-300 is that number: irrational results are not so near. */
function pow(x: number, y: number): Fraction {
  if (x < 0) return y % 2 === 0 ? pow(-x, y) : negate(pow(-x, y));
  const t = times(fromFixed(logFixed(fraction(x))), fraction(y));
  const r = expFixed(toFixed(t));
  const shift = BigInt(r.d.toString(2).length - r.n.toString(2).length + 60);
  const scaled = shift >= 0n ? (r.n << shift) / (r.d >> 340n) : r.n / ((r.d << -shift) >> 340n);
  const short = (scaled + (1n << 339n)) >> 340n;
  const off = scaled - (short << 340n);
  if (off > 1n << 40n || off < -(1n << 40n)) return r;
  return shift >= 0n ? { n: short, d: 1n << shift } : { n: short << -shift, d: 1n };
}

/** Each on finite arguments at which the function is finite and not 0. */
export const PRECISE: Readonly<Record<string, (x: number, y: number) => Fraction>> = {
  exp: (x) => expFixed(toFixed(fraction(x))),
  exp2: (x) => power2(toFixed(fraction(x))),
  log: (x) => fromFixed(logFixed(fraction(x))),
  log2: (x) => ({ n: logFixed(fraction(x)), d: LN2 }),
  sin: (x) => sin(x),
  cos: (x) => sin(x, 1),
  tan: (x) => {
    const [s, c] = [sin(x), sin(x, 1)];
    return over(s, c);
  },
  tanh: (x) => {
    const e = expFixed(toFixed(fraction(2 * x)));
    return { n: e.n - e.d, d: e.n + e.d };
  },
  sigmoid: (x) => sigmoid(fraction(x)),
  silu: (x) => times(fraction(x), sigmoid(fraction(x))),
  erf: (x) => {
    const f = fraction(x);
    return times(f, erfOverX(times(f, f)));
  },
  // x/2 (1 + erf(x / sqrt 2)), from 15 on x to 160 bits: x / sqrt 2 is the square root of x^2 / 2, with the sign of x.
  gelu: (x) => {
    const f = fraction(x);
    if (x > 15) return f;
    const square = over(times(f, f), { n: 2n, d: 1n });
    const root = squareRoot(square);
    const erf = times(x < 0 ? negate(root) : root, erfOverX(square));
    return over(times(f, plus(UNIT, erf)), { n: 2n, d: 1n });
  },
  sqrt: (x) => squareRoot(fraction(x)),
  rsqrt: (x) => over(UNIT, squareRoot(fraction(x))),
  recip: (x) => over(UNIT, fraction(x)),
  pow,
};
