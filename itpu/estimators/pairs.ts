/** Pairs of a list of variables, and the information of each. */
import type { Execution } from "../execution.ts";
import type { Samples } from "../samples.ts";
import { binned, type HistogramOptions, histogramInformation } from "./histogram.ts";
import { type KsgOptions, ksgMi } from "./ksg.ts";

export const PAIRINGS = ["all", "adjacent"] as const;

export interface BatchOptions extends HistogramOptions, KsgOptions {
  readonly pairing: (typeof PAIRINGS)[number];
  readonly estimator: "hist" | "ksg";
}

/** Places in the list. */
export type Pair = readonly [i: number, j: number];

/** Pairs (i, j), i <= j, in the order of rows. */
export function pairsOf(m: number, pairing: BatchOptions["pairing"]): readonly Pair[] {
  if (pairing === "adjacent")
    return Array.from({ length: Math.max(0, m - 1) }, (_, i) => [i, i + 1] as const);
  return Array.from({ length: m }, (_, i) =>
    Array.from({ length: m - i }, (_, d) => [i, i + d] as const),
  ).flat();
}

/** A function of two places in the list. What is known of one variable alone is worked out once. */
export function pairEstimator(
  e: Execution,
  list: readonly Samples[],
  o: BatchOptions,
): (i: number, j: number) => number {
  const at = (i: number): Samples => list[i] as Samples;
  if (o.estimator === "ksg") return (i, j) => ksgMi(e, at(i), at(j), o);
  const known = new Map<number, ReturnType<typeof binned>>();
  const of = (i: number): ReturnType<typeof binned> => {
    const found = known.get(i) ?? binned(e, at(i), o.bins);
    known.set(i, found);
    return found;
  };
  return (i, j) => histogramInformation(e, of(i), of(j), o.correction);
}
