/**
 * Samples laid out for exact neighbour search: sorted by their first column into strips of equal size, and in each strip by
 * the second column. Strips are narrow where samples are dense, so heavy tails cost nothing; a search passes by a strip or
 * a stretch of one as soon as one column alone says that it is too far.
 */

export interface Strips {
  /** Rows [n, dims] in the order of the strips. */
  readonly rows: Float32Array;
  /** The second column of the rows. */
  readonly keys: Float32Array;
  /** Least and largest first column of each strip. */
  readonly lows: Float32Array;
  readonly highs: Float32Array;
  /** Rows of a strip; the last may have fewer. */
  readonly size: number;
  readonly n: number;
}

/** A float64 holds the 32 bits of a key and so many bits of a place. */
const PLACES = 2 ** 21;
export const MOST_SAMPLES = PLACES;

/**
 * key * 2^21 + place for each value, so that sorting numbers sorts places by value. Bits of an f32 are in the order of
 * their values once those of negative numbers are inverted; -0 comes before 0, which is no difference for distances.
 */
function sortable(values: Float32Array): Float64Array {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const out = new Float64Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const b = bits[i] as number;
    out[i] = ((b < 0 ? ~b : b | 0x80000000) >>> 0) * PLACES + i;
  }
  return out;
}

/** Some columns of rows [n, dims]. */
export function columnsOf(
  rows: Float32Array,
  n: number,
  dims: number,
  first: number,
  some: number,
): Float32Array {
  const out = new Float32Array(n * some);
  for (let i = 0; i < n; i++)
    for (let c = 0; c < some; c++) out[i * some + c] = rows[i * dims + first + c] as number;
  return out;
}

/**
 * Rows [n, dims], dims >= 2, in strips. A strip is about as wide as the k nearest reach where samples are spread evenly:
 * sqrt(k n) rows (half to twice of that takes the same time).
 */
export function stripsOf(rows: Float32Array, n: number, dims: number, k: number): Strips {
  const size = Math.max(1, Math.ceil(Math.sqrt(k * n)));
  const strips = Math.ceil(n / size);
  const order = sortable(columnsOf(rows, n, dims, 0, 1)).sort();
  const seconds = new Float32Array(n);
  for (let i = 0; i < n; i++) seconds[i] = rows[((order[i] as number) % PLACES) * dims + 1] as number;
  const within = sortable(seconds);
  const found: Strips = {
    rows: new Float32Array(n * dims),
    keys: new Float32Array(n),
    lows: new Float32Array(strips),
    highs: new Float32Array(strips),
    size,
    n,
  };
  const firstOf = (at: number): number => rows[((order[at] as number) % PLACES) * dims] as number;
  for (let t = 0; t < strips; t++) {
    const from = t * size;
    const to = Math.min(from + size, n);
    found.lows[t] = firstOf(from);
    found.highs[t] = firstOf(to - 1);
    within.subarray(from, to).sort();
  }
  for (let i = 0; i < n; i++) {
    const row = (order[(within[i] as number) % PLACES] as number) % PLACES;
    for (let c = 0; c < dims; c++) found.rows[i * dims + c] = rows[row * dims + c] as number;
    found.keys[i] = rows[row * dims + 1] as number;
  }
  return found;
}
