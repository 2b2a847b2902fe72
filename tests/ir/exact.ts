/** An independent oracle: exact rational arithmetic on BigInt, and rounding of a rational to a binary format. Slow and plain. */
import type { FloatDType } from "../../ir/dtype.ts";

export interface Fraction {
  readonly n: bigint;
  /** Positive. */
  readonly d: bigint;
}

export function fraction(x: number): Fraction {
  if (!Number.isFinite(x)) throw new RangeError(`${x} is not a fraction`);
  let d = 1n;
  let y = x;
  while (!Number.isInteger(y)) {
    y *= 2;
    d *= 2n;
  }
  return { n: BigInt(y), d };
}
export const plus = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d + b.n * a.d, d: a.d * b.d });
export const minus = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d - b.n * a.d, d: a.d * b.d });
export const times = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.n, d: a.d * b.d });
export const over = (a: Fraction, b: Fraction): Fraction =>
  b.n < 0n ? { n: -a.n * b.d, d: -a.d * b.n } : { n: a.n * b.d, d: a.d * b.n };

/** The square root to 160 significant bits and more, never on a rounding boundary unless exact. */
export function squareRoot(a: Fraction): Fraction {
  const scale = 400n;
  const target = (a.n << (2n * scale)) / a.d;
  let root = 1n << BigInt((target.toString(2).length >> 1) + 1);
  for (;;) {
    const next = (root + target / root) >> 1n;
    if (next >= root) break;
    root = next;
  }
  const exact = root * root === target && (a.n << (2n * scale)) % a.d === 0n;
  return exact ? { n: root, d: 1n << scale } : { n: 2n * root + 1n, d: 1n << (scale + 1n) };
}

const FORMATS = {
  f16: { precision: 11, min: -14, max: 15 },
  bf16: { precision: 8, min: -126, max: 127 },
  f32: { precision: 24, min: -126, max: 127 },
  f64: { precision: 53, min: -1022, max: 1023 },
} as const;

/** Nearest value of the format, ties to even. Zero is +0. */
export function nearest(format: FloatDType | "f64", { n, d }: Fraction): number {
  const { precision, min, max } = FORMATS[format];
  if (n < 0n) return -nearest(format, { n: -n, d });
  if (n === 0n) return 0;
  // 2^e <= n / d < 2^(e + 1)
  let e = n.toString(2).length - d.toString(2).length;
  const atLeast = (k: number): boolean => (k >= 0 ? n >= d << BigInt(k) : n << BigInt(-k) >= d);
  if (!atLeast(e)) e--;
  const unit = Math.max(e, min) + 1 - precision;
  const [top, bottom] = unit >= 0 ? [n, d << BigInt(unit)] : [n << BigInt(-unit), d];
  let units = top / bottom;
  const twice = 2n * (top % bottom);
  if (twice > bottom || (twice === bottom && units % 2n === 1n)) units++;
  const overflow = 1n << BigInt(max + 1);
  const tooBig = unit >= 0 ? units << BigInt(unit) >= overflow : units >= overflow << BigInt(-unit);
  return tooBig ? Infinity : Number(units) * 2 ** unit;
}

// ---------------------------------------------------------------------------------------------- functions

/** Fraction bits of the series below. */
const F = 420n;
const ONE = 1n << F;
const fixed = ({ n, d }: Fraction): bigint => (n << F) / d;
const unfixed = (n: bigint): Fraction => ({ n, d: ONE });

function expFixed(x: bigint): bigint {
  const halvings = 40n;
  const small = x >> halvings;
  let term = ONE;
  let sum = ONE;
  for (let k = 1n; term !== 0n && k < 200n; k++) {
    term = (term * small) / (ONE * k);
    sum += term;
  }
  for (let k = 0n; k < halvings; k++) sum = (sum * sum) >> F;
  return sum;
}

/** About 100 significant digits of e^x for |x| < 120. */
export const exp = (x: number): Fraction => unfixed(expFixed(fixed(fraction(x))));

/** Natural logarithm of a positive number, by Newton steps of third order from V8's. */
export function log(x: number): Fraction {
  const target = fixed(fraction(x));
  let y = fixed(fraction(Math.log(x)));
  for (let k = 0; k < 3; k++) {
    const e = expFixed(y);
    y += (2n * (target - e) * ONE) / (target + e);
  }
  return unfixed(y);
}

export function tanh(x: number): Fraction {
  const e = expFixed(fixed(fraction(2 * x)));
  return { n: e - ONE, d: e + ONE };
}

/** pi by Machin's formula. */
function piFixed(): bigint {
  const arctanOfInverse = (k: bigint): bigint => {
    let power = ONE / k;
    let sum = power;
    for (let i = 3n; power !== 0n; i += 2n) {
      power = -power / (k * k);
      sum += power / i;
    }
    return sum;
  };
  return 4n * (4n * arctanOfInverse(5n) - arctanOfInverse(239n));
}
let twoOverRootPi: Fraction | undefined;

/** Error function by its Taylor series; |x| < 8. */
export function erf(x: number): Fraction {
  const f = fraction(x);
  const square = fixed(times(f, f));
  let term = ONE;
  let sum = ONE;
  for (let k = 1n; term !== 0n; k++) {
    term = (-term * square) / (ONE * k);
    sum += term / (2n * k + 1n);
  }
  twoOverRootPi ??= over({ n: 2n, d: 1n }, squareRoot(unfixed(piFixed())));
  return times(times(unfixed(sum), f), twoOverRootPi);
}
