/** What the functions are tried on: every 16-bit pattern, f32 by strata, and where each function is hard. All from fixed seeds. */
import { BF16, F16 } from "../harness/floats.ts";

export type Float16 = "f16" | "bf16";

/** All values of a 16-bit format, or every `step`-th pattern. */
export function patterns(d: Float16, step = 1): number[] {
  const format = d === "f16" ? F16 : BF16;
  return Array.from({ length: Math.ceil(65536 / step) }, (_, i) => format.value(i * step));
}

const word = new DataView(new ArrayBuffer(4));
export function ofBits(bits: number): number {
  word.setUint32(0, bits);
  return word.getFloat32(0);
}
function bitsOf(x: number): number {
  word.setFloat32(0, x);
  return word.getUint32(0);
}
/** The f32 within `n` steps of x, in order of their bit patterns. */
export function around(x: number, n: number): number[] {
  return Array.from({ length: 2 * n + 1 }, (_, i) => ofBits((bitsOf(x) + i - n) >>> 0));
}

/** Uniform integers below a bound. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** `each` random f32 of every sign and exponent, with the ends of each binade; infinities and NaN among them. */
export function strata(each: number, seed: number): number[] {
  const next = random(seed);
  const result: number[] = [];
  for (let head = 0; head < 512; head++) {
    const base = head * 2 ** 23;
    for (const m of [0, 1, 2, 2 ** 22, 2 ** 23 - 1]) result.push(ofBits(base + m));
    for (let i = 0; i < each; i++) result.push(ofBits(base + next(2 ** 23)));
  }
  return result;
}

/** 2/pi with 400 bits after the point, by the arctangents of Machin. */
const TWO_OVER_PI = ((): bigint => {
  const one = 1n << 800n;
  const arctan = (k: bigint): bigint => {
    let power = one / k;
    let sum = power;
    for (let i = 3n; power !== 0n; i += 2n) {
      power = -power / (k * k);
      sum += power / i;
    }
    return sum;
  };
  return (one << 401n) / (4n * (4n * arctan(5n) - arctan(239n)));
})();

/**
 * The f32 nearest to multiples of pi/2, in every binade: q 2^e is near a multiple where q is the denominator of a convergent of the
 * continued fraction of 2^e 2/pi. (W. Kahan's nearpi.)
 */
export function nearMultiplesOfHalfPi(): number[] {
  const result: number[] = [];
  for (let e = -23; e <= 104; e++) {
    let [a, b] = e >= 0 ? [TWO_OVER_PI << BigInt(e), 1n << 400n] : [TWO_OVER_PI, 1n << BigInt(400 - e)];
    let [before, q] = [0n, 1n];
    for (;;) {
      [a, b] = [b, a % b];
      if (b === 0n) break;
      const digit = a / b;
      // Intermediate fractions too, as long as q is a significand of f32.
      for (let k = digit > 3n ? digit - 3n : 1n; k <= digit; k++) {
        const between = before + k * q;
        if (between < 2n ** 24n) result.push(Number(between) * 2 ** e);
      }
      [before, q] = [q, before + digit * q];
      if (q >= 2n ** 24n) break;
      for (let m = 2n; m * q < 2n ** 24n; m *= 2n) result.push(Number(q * m) * 2 ** e);
    }
  }
  return result.flatMap((x) => [x, -x]);
}

/** Where a function is hard on f32 beyond what strata meet. */
export function hard(name: string): number[] {
  const tiny = Array.from({ length: 300 }, (_, i) => (i - 150) * 2 ** -149);
  const near = (...points: number[]): number[] => points.flatMap((x) => around(Math.fround(x), 400));
  switch (name) {
    case "sin":
    case "cos":
    case "tan":
      return [...tiny, ...nearMultiplesOfHalfPi(), ...near(Math.PI / 4, 2 ** 23, 2 ** 52, 2 ** 81, 2 ** 110)];
    case "exp":
      return [...tiny, ...near(1, -1, 88.72284, -87.33655, -103.27893, -103.97208)];
    case "exp2":
      return [...tiny, ...near(0.5, -0.5, 1.5, 128, -126, -149, -150)];
    case "log":
    case "log2":
      return [...tiny, ...near(1, Math.SQRT1_2, Math.SQRT2, 0.5, 2, 2 ** -126)];
    case "tanh":
      return [...tiny, ...near(0.17328, 0.5199, 9.01, -9.01, 0.55)];
    case "sigmoid":
    case "silu":
      return [...tiny, ...near(-87.33655, -103.27893, -103.97208, -108.5, 17.3, 0.5, -1.278)];
    case "erf":
      return [...tiny, ...near(1, -1, 3.83, 4, 6)];
    case "gelu":
      return [...tiny, ...near(-12.8, -13.1, -14.1, -14.2, -14.4, -15, 5.4, -0.7518, 1, -1)];
    default:
      return [...tiny, ...near(0.5, 1.5, 2.5, -0.5, -1.5, 1, 4, 2 ** 23, 2 ** 24, -(2 ** 23))];
  }
}
