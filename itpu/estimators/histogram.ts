/** Mutual information by full-dimensional histograms: H(X) + H(Y) - H(X, Y). */
import type { Execution } from "../execution.ts";
import { ENTROPY_SUMS } from "../kernels/entropy.ts";
import { columnRange, countCells, digitize } from "../kernels/histogram.ts";
import { joinPair } from "../pairs.ts";
import type { Samples } from "../samples.ts";

/** Added to the share of every cell before the shares are normalised. */
const CELL_FLOOR = 1e-12;
export const CORRECTIONS = ["none", "millerMadow"] as const;
export type Correction = (typeof CORRECTIONS)[number];

export interface HistogramOptions {
  readonly bins: number;
  readonly correction: Correction;
}

/** The cell of each sample among `count`. */
export interface Cells {
  readonly of: Int32Array;
  readonly count: number;
}

/** Equal bins over the range of each column; the cell of a row is its bins as digits. */
export function cellsOf(e: Execution, { data, n, dims }: Samples, bins: number): Cells {
  const of = new Int32Array(n);
  const range = new Float32Array(2);
  for (let column = 0; column < dims; column++) {
    e.run(columnRange, range, data, n, dims, column);
    e.run(digitize, of, data, range, n, dims, column, bins);
  }
  return { of, count: bins ** dims };
}

/** Samples of each cell; of two variables, row by row of a's cells. */
export function countsOf(e: Execution, a: Cells, b?: Cells): Int32Array {
  const cells = a.count * (b?.count ?? 1);
  const counts = new Int32Array(cells);
  e.run(countCells, counts, a.of, b?.of ?? null, a.of.length, b?.count ?? 1, cells);
  return counts;
}

/** An entropy in nats, and how many cells have a sample. */
export interface CellEntropy {
  readonly nats: number;
  readonly occupied: number;
}

/**
 * Shannon entropy of counts of n samples. With p = (c / n + f) / Z and v = c + f n, the sum of -p ln p is
 * ln(n Z) - (sum of v ln v) / (n Z).
 */
export function entropyOfCounts(
  e: Execution,
  counts: Int32Array,
  n: number,
  floor = CELL_FLOOR,
): CellEntropy {
  const out = new Float32Array(3);
  const added = Math.fround(floor * n);
  e.run(ENTROPY_SUMS.counts["v ln v"], out, counts, counts.length, added, 1, 0);
  const total = n + added * counts.length;
  return { nats: Math.log(total) - joinPair(out) / total, occupied: out[2] as number };
}

/** Miller and Madow (1955): an entropy of n samples in K occupied cells is low by (K - 1) / 2n. */
const bias = (h: CellEntropy, n: number): number => (h.occupied - 1) / (2 * n);

/** I(X; Y) in nats of what is known of both already. */
export function histogramInformation(
  e: Execution,
  x: { readonly cells: Cells; readonly entropy: CellEntropy },
  y: { readonly cells: Cells; readonly entropy: CellEntropy },
  correction: Correction,
): number {
  const n = x.cells.of.length;
  const joint = entropyOfCounts(e, countsOf(e, x.cells, y.cells), n);
  const plain = x.entropy.nats + y.entropy.nats - joint.nats;
  if (correction === "none") return plain;
  return plain + bias(x.entropy, n) + bias(y.entropy, n) - bias(joint, n);
}

/** One variable of {@link histogramInformation}. */
export function binned(e: Execution, samples: Samples, bins: number) {
  const cells = cellsOf(e, samples, bins);
  return { cells, entropy: entropyOfCounts(e, countsOf(e, cells), samples.n) };
}

/** @example histogramMi(executionOf("compiled"), samplesOf(x), samplesOf(y), { bins: 32, correction: "none" }) */
export function histogramMi(e: Execution, x: Samples, y: Samples, o: HistogramOptions): number {
  return histogramInformation(e, binned(e, x, o.bins), binned(e, y, o.bins), o.correction);
}
