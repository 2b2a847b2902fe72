/** Shannon, Renyi and Tsallis entropies in nats, from samples, probabilities or densities. */
import type { Execution } from "../execution.ts";
import { ENTROPY_SUMS } from "../kernels/entropy.ts";
import { joinPair, splitPair } from "../pairs.ts";
import type { Samples } from "../samples.ts";
import { cellsOf, countsOf, entropyOfCounts } from "./histogram.ts";
import { kdeDensity, silverman } from "./kde.ts";

export const ENTROPY_MODES = ["shannon", "renyi", "tsallis"] as const;
export type EntropyMode = (typeof ENTROPY_MODES)[number];
export interface EntropyOptions {
  readonly mode: EntropyMode;
  /** Order of Renyi's and Tsallis' entropy, above 0 and not 1. */
  readonly alpha: number;
}

/** Of the sum of p^alpha, or the integral of f^alpha. */
function ofPowers(sum: number, { mode, alpha }: EntropyOptions): number {
  return mode === "renyi" ? Math.log(sum) / (1 - alpha) : (1 - sum) / (alpha - 1);
}

/** Of probabilities, which sum to 1. */
export function entropyOfProbabilities(e: Execution, p: Float32Array, o: EntropyOptions): number {
  const out = new Float32Array(3);
  if (o.mode === "shannon") {
    e.run(ENTROPY_SUMS.values["v ln v"], out, p, p.length, 0, 1, 0);
    return 0 - joinPair(out);
  }
  e.run(ENTROPY_SUMS.values["v^alpha"], out, p, p.length, 0, ...splitPair(o.alpha));
  return ofPowers(joinPair(out), o);
}

/** Differential entropy of densities at samples of it: the mean stands for the integral over the density. */
export function entropyOfDensity(e: Execution, f: Float32Array, o: EntropyOptions): number {
  const out = new Float32Array(3);
  if (o.mode === "shannon") {
    e.run(ENTROPY_SUMS.values["ln v"], out, f, f.length, 0, 1, 0);
    return -joinPair(out) / f.length;
  }
  e.run(ENTROPY_SUMS.values["v^alpha"], out, f, f.length, 0, ...splitPair(o.alpha - 1));
  return ofPowers(joinPair(out) / f.length, o);
}

/** Bins of the histogram of n samples of one column. */
export const binsFor = (n: number): number => Math.min(64, Math.max(8, Math.floor(Math.sqrt(n))));

/** Of samples: by a histogram for one column, by kernel density at the samples for several. */
export function entropyOfSamples(e: Execution, samples: Samples, o: EntropyOptions): number {
  if (samples.dims > 1) return entropyOfDensity(e, kdeDensity(e, samples, samples, silverman(e, samples)), o);
  const { n } = samples;
  const counts = countsOf(e, cellsOf(e, samples, binsFor(n)));
  if (o.mode === "shannon") return entropyOfCounts(e, counts, n, 0).nats;
  const out = new Float32Array(3);
  e.run(ENTROPY_SUMS.counts["v^alpha"], out, counts, counts.length, 0, ...splitPair(o.alpha));
  return ofPowers(joinPair(out) / n ** o.alpha, o);
}
