/** Pairs for pow. */
import { type Float16, ofBits, patterns, random } from "./inputs.ts";

/** Small and large integers, halves and thirds, special values: rounded to the dtype by the caller. */
const EXPONENTS = [
  0,
  1,
  -1,
  2,
  -2,
  3,
  -3,
  4,
  -4,
  5,
  6,
  7,
  8,
  9,
  10,
  12,
  16,
  31,
  -31,
  64,
  0.5,
  -0.5,
  1.5,
  -1.5,
  2.5,
  3.5,
  0.25,
  -0.25,
  0.75,
  1 / 3,
  -1 / 3,
  2 / 3,
  0.1,
  1.1,
  Math.PI,
  100,
  1000,
  -1000,
  2 ** -10,
  2 ** -20,
  Infinity,
  -Infinity,
  NaN,
];
const BASES = [
  0,
  -0,
  1,
  -1,
  2,
  -2,
  0.5,
  3,
  -3,
  1.5,
  10,
  0.1,
  7,
  255,
  1 + 2 ** -7,
  1 - 2 ** -8,
  1 + 2 ** -10,
  1 - 2 ** -11,
  2 ** -14,
  2 ** -24,
  60000,
  Infinity,
  -Infinity,
  NaN,
];

/**
 * x^y is within 2^-43.05 of itself of the middle between two f16: a search of all pairs of f16 with 64-bit significands found no pair
 * nearer that is not exactly there, and of bf16 none within 2^-38.
 */
const NEAR_HALFWAY = [18.890625, -1.361328125 * 2 ** -14] as const;

export interface Pairs {
  readonly x: number[];
  readonly y: number[];
}
function pairs(): Pairs & { add(x: number, y: number): void } {
  const x: number[] = [];
  const y: number[] = [];
  return { x, y, add: (a, b) => void (x.push(a), y.push(b)) };
}

/**
 * Every `step`-th x with the exponents above, every `step`-th y with the bases above, random pairs whose power is neither 0 nor
 * infinite, and the hardest pair.
 */
export function pairsOf16(d: Float16, step: number, drawn: number, round: (x: number) => number): Pairs {
  const all = pairs();
  const values = patterns(d, step);
  for (const y of EXPONENTS) for (const x of values) all.add(x, round(y));
  for (const x of BASES) for (const y of values) all.add(round(x), y);
  const next = random(d === "f16" ? 3 : 4);
  const every = patterns(d);
  const limit = d === "f16" ? 17 : 134;
  for (let i = 0; i < drawn; ) {
    const [x, y] = [every[next(32768)] as number, every[next(65536)] as number];
    if (!(Math.abs(y * Math.log2(x)) < limit)) continue;
    all.add(x, y);
    i++;
  }
  if (d === "f16") all.add(...NEAR_HALFWAY);
  return all;
}

/** Random pairs of f32 whose power is neither 0 nor infinite, bases near 1 among them; small integers to small integers. */
export function pairsOf32(drawn: number): Pairs {
  const all = pairs();
  const next = random(5);
  for (let i = 0; i < drawn; ) {
    const x = i % 4 === 0 ? ofBits(0x3f800000 + next(2 ** 16) - 2 ** 15) : ofBits(next(0x7f800000));
    // Exponents that reach every size of result: a random fraction of what overflows.
    const y = Math.fround((next(2 ** 24) / 2 ** 23 - 1) * Math.abs(150 / Math.log2(x)));
    if (!Number.isFinite(y)) continue;
    all.add(x, y);
    i++;
  }
  for (let x = -40; x <= 40; x++) for (let y = -40; y <= 40; y += 0.5) all.add(x, y);
  for (const x of BASES) for (const y of EXPONENTS) all.add(Math.fround(x), Math.fround(y));
  return all;
}
