/** The information of every pair of a list of variables, as a matrix. */
import type { Work } from "../execution.ts";
import type { Samples } from "../samples.ts";
import { type BatchOptions, pairsOf } from "./pairs.ts";
import { pairValues } from "./threads.ts";

/** m x m, symmetric; pairs that are not asked for are 0. */
export function informationMatrix(work: Work, list: readonly Samples[], options: BatchOptions): Float32Array {
  const m = list.length;
  const matrix = new Float32Array(m * m);
  const values = pairValues(work, list, options);
  pairsOf(m, options.pairing).forEach(([i, j], at) => {
    matrix[i * m + j] = matrix[j * m + i] = values[at] as number;
  });
  return matrix;
}
