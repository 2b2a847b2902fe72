/** Samples of one variable: n rows of `dims` columns. */
export interface Samples {
  readonly data: Float32Array;
  readonly n: number;
  readonly dims: number;
}

/** @example samplesOf(Float32Array.of(1, 2, 3, 4), [2, 2]) // two rows of two columns */
export function samplesOf(data: Float32Array, shape: readonly number[] = [data.length]): Samples {
  return { data, n: shape[0] ?? 1, dims: shape[1] ?? 1 };
}

/** Rows of x and y side by side. */
export function joined(x: Samples, y: Samples): Samples {
  const dims = x.dims + y.dims;
  const data = new Float32Array(x.n * dims);
  for (let i = 0; i < x.n; i++) {
    for (let c = 0; c < x.dims; c++) data[i * dims + c] = x.data[i * x.dims + c] as number;
    for (let c = 0; c < y.dims; c++) data[i * dims + x.dims + c] = y.data[i * y.dims + c] as number;
  }
  return { data, n: x.n, dims };
}
