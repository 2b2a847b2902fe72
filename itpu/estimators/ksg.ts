/** Mutual information by nearest neighbours: Kraskov, Stoegbauer and Grassberger (2004), algorithm 1, maximum norm. */
import { digammaTable } from "../digamma.ts";
import type { Execution } from "../execution.ts";
import { countLine, countStrips, kthNeighbours } from "../kernels/neighbours.ts";
import { bruteForce } from "../kernels/oracle.ts";
import { moments, standardize } from "../kernels/transfer.ts";
import { joinPair } from "../pairs.ts";
import { joined, type Samples } from "../samples.ts";
import { columnsOf, type Strips, stripsOf } from "../strips.ts";

export interface KsgOptions {
  /** Neighbours, below the number of samples. */
  readonly k: number;
  /** Columns are brought to mean 0 and deviation 1 first. */
  readonly zscore: boolean;
}

/** Of each sample, the others that are nearer in x, and in y, than its k-th neighbour in both; in any order of samples. */
export interface NeighbourCounts {
  readonly x: Int32Array;
  readonly y: Int32Array;
}

/** What a search did, beside its result. Strips are of the joint space, and of each variable of several columns. */
export interface SearchEffort {
  /** Distances in the joint space, those that came into a list of the nearest, strips beside the own that were searched. */
  readonly taken: number;
  readonly kept: number;
  readonly searched: number;
  /** Rows of a strip. */
  readonly size: number;
  readonly variables: readonly VariableEffort[];
}
/** Of a variable of several columns, distances and strips; one of a single column is searched in a sorted line. */
export interface VariableEffort {
  readonly dims: number;
  readonly taken: number;
  readonly searched: number;
  readonly size: number;
}

/** By exact search in strips. */
export function neighbourCounts(e: Execution, x: Samples, y: Samples, k: number): NeighbourCounts {
  const { data, n, dims } = joined(x, y);
  const strips = stripsOf(data, n, dims, k);
  const kth = new Int32Array(n);
  const { rows, keys, lows, highs, size } = strips;
  e.run(kthNeighbours(dims), kth, rows, keys, lows, highs, new Int32Array(k), null, n, k, size);
  return { x: countsIn(e, strips, kth, dims, 0, x), y: countsIn(e, strips, kth, dims, x.dims, y) };
}

/** What {@link neighbourCounts} does for these samples, counted by the kernels that do it. */
export function searchEffort(e: Execution, x: Samples, y: Samples, k: number): SearchEffort {
  const { data, n, dims } = joined(x, y);
  const strips = stripsOf(data, n, dims, k);
  const kth = new Int32Array(n);
  const tally = new Float32Array(6);
  const { rows, keys, lows, highs, size } = strips;
  e.run(kthNeighbours(dims, "counting"), kth, rows, keys, lows, highs, new Int32Array(k), tally, n, k, size);
  return {
    taken: joinPair(tally, 0),
    kept: joinPair(tally, 2),
    searched: joinPair(tally, 4),
    size,
    variables: [
      { samples: x, column: 0 },
      { samples: y, column: x.dims },
    ].map(({ samples, column }) => effortIn(e, strips, kth, dims, column, samples)),
  };
}

/** Strips of the columns of one variable, which begin at `column`. */
function stripsIn({ rows, n }: Strips, dims: number, column: number, variable: Samples): Strips {
  return stripsOf(columnsOf(rows, n, dims, column, variable.dims), n, variable.dims, 1);
}

function effortIn(
  e: Execution,
  strips: Strips,
  kth: Int32Array,
  dims: number,
  column: number,
  variable: Samples,
): VariableEffort {
  const { rows, n } = strips;
  if (variable.dims === 1) return { dims: 1, taken: 0, searched: 0, size: n };
  const own = stripsIn(strips, dims, column, variable);
  const { keys, lows, highs, size } = own;
  const tally = new Float32Array(4);
  const counting = countStrips(dims, variable.dims, "counting");
  e.run(counting, new Int32Array(n), rows, kth, own.rows, keys, lows, highs, tally, n, column, size);
  return { dims: variable.dims, taken: joinPair(tally, 0), searched: joinPair(tally, 2), size };
}

/** Neighbours in the columns of one variable, which begin at `column`. */
function countsIn(
  e: Execution,
  strips: Strips,
  kth: Int32Array,
  dims: number,
  column: number,
  variable: Samples,
): Int32Array {
  const { rows, n } = strips;
  const counts = new Int32Array(n);
  if (variable.dims === 1) {
    e.run(countLine(dims), counts, rows, kth, variable.data.slice().sort(), n, column);
    return counts;
  }
  const own = stripsIn(strips, dims, column, variable);
  const { keys, lows, highs, size } = own;
  e.run(
    countStrips(dims, variable.dims),
    counts,
    rows,
    kth,
    own.rows,
    keys,
    lows,
    highs,
    null,
    n,
    column,
    size,
  );
  return counts;
}

/** By looking at every pair: the oracle of {@link neighbourCounts}, with time as the square of n and more. */
export function bruteForceCounts(e: Execution, x: Samples, y: Samples, k: number): NeighbourCounts {
  const { data, n, dims } = joined(x, y);
  const counts = { x: new Int32Array(n), y: new Int32Array(n) };
  e.run(bruteForce(dims, x.dims), counts.x, counts.y, data, n, k);
  return counts;
}

/** psi(k) + psi(N) - mean(psi(nx + 1) + psi(ny + 1)), in nats. */
export function informationOf(counts: NeighbourCounts, k: number): number {
  const n = counts.x.length;
  const psi = digammaTable(n + 1);
  let sum = 0;
  for (let i = 0; i < n; i++)
    sum += (psi[(counts.x[i] as number) + 1] as number) + (psi[(counts.y[i] as number) + 1] as number);
  return (psi[k] as number) + (psi[n] as number) - sum / n;
}

function standardized(e: Execution, { data, n, dims }: Samples): Samples {
  const out = new Float32Array(data.length);
  const figures = new Float32Array(4);
  for (let column = 0; column < dims; column++) {
    e.run(moments, figures, data, n, dims, column);
    e.run(standardize, out, data, figures, n, dims, column);
  }
  return { data: out, n, dims };
}

/** @example ksgMi(executionOf("compiled"), samplesOf(x), samplesOf(y), { k: 4, zscore: false }) */
export function ksgMi(e: Execution, x: Samples, y: Samples, { k, zscore }: KsgOptions): number {
  const [a, b] = zscore ? [standardized(e, x), standardized(e, y)] : [x, y];
  return informationOf(neighbourCounts(e, a, b, k), k);
}
