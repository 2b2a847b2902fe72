/** Gaussian kernel density estimation with one bandwidth per column. */
import type { Execution } from "../execution.ts";
import { density } from "../kernels/density.ts";
import { moments } from "../kernels/transfer.ts";
import { joinPair } from "../pairs.ts";
import type { Samples } from "../samples.ts";

/**
 * Silverman's rule of thumb (Density Estimation, 1986, equation 3.28) for each column by itself: 1.06 times its deviation
 * times n^(-1/5). 0 for a constant column.
 */
export function silverman(e: Execution, { data, n, dims }: Samples): readonly number[] {
  const factor = 1.06 * n ** -0.2;
  const figures = new Float32Array(4);
  return Array.from({ length: dims }, (_, column) => {
    e.run(moments, figures, data, n, dims, column);
    return joinPair(figures, 2) * factor;
  });
}

/** Density at each row of `at`. Bandwidths are above 0, one for each column. */
export function kdeDensity(
  e: Execution,
  { data, n, dims }: Samples,
  at: Samples,
  bandwidths: readonly number[],
): Float32Array {
  const columns = new Float32Array(n * dims);
  for (let i = 0; i < n; i++)
    for (let c = 0; c < dims; c++) columns[c * n + i] = data[i * dims + c] as number;
  const norm = bandwidths.reduce((product, h) => product / (h * Math.sqrt(2 * Math.PI)), 1 / n);
  const inverse = Float32Array.from(bandwidths, (h) => 1 / h);
  const out = new Float32Array(at.n);
  e.run(density(dims), out, columns, at.data, inverse, norm, n, at.n);
  return out;
}
