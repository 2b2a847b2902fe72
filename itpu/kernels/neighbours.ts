/**
 * The neighbour counts of the estimator of Kraskov, Stoegbauer and Grassberger (Phys. Rev. E 69, 066138, 2004), algorithm 1:
 * for each sample the distance to its k-th neighbour in the joint space by the maximum norm, then how many others are
 * nearer than that in x alone and in y alone. `strips.ts` lays the samples out so that few of them are looked at;
 * `bruteForce` of `oracle.ts` looks at all.
 *
 * Distances are differences of f32 in float64, which are exact unless magnitudes differ by 2^29. A distance rounded to f32
 * could put the k-th neighbour itself inside of the radius, so none is stored: the list of the nearest holds their places.
 */
import { type Draw, describeInputs, f32, i32, kernel, type Ptr, ptr, S } from "../../index.ts";
import { columnsOf, type Strips, stripsOf } from "../strips.ts";
import { setPair } from "./float64.ts";
import { perKey } from "./per-key.ts";

/** Subtracted from the radius before neighbours are counted, so that those at the radius itself are not. */
export const RADIUS_MARGIN = 1e-12;

/** The largest difference over the static number of columns of two rows. */
export function distance(a: Ptr<f32>, i: number, b: Ptr<f32>, j: number, dims: number): number {
  let far = 0;
  for (const c of S.unroll(dims)) far = Math.max(far, Math.abs(a.get(i * dims + c) - b.get(j * dims + c)));
  return far;
}

/** The first place in from .. to whose key, which ascend, is above at - reach; `closed`: or equal to it. */
function firstWithin(
  keys: Ptr<f32>,
  from: number,
  to: number,
  at: number,
  reach: number,
  closed: boolean,
): number {
  let low = from | 0;
  let high = to | 0;
  while (low < high) {
    const middle = (low + high) >> 1;
    const gap = at - keys.get(middle);
    if (closed ? gap <= reach : gap < reach) high = middle;
    else low = (middle + 1) | 0;
  }
  return low;
}

/** The first place in from .. to whose key is above at + reach. */
function firstBeyond(keys: Ptr<f32>, from: number, to: number, at: number, reach: number): number {
  let low = from | 0;
  let high = to | 0;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys.get(middle) - at > reach) high = middle;
    else low = (middle + 1) | 0;
  }
  return low;
}

/** Puts place j at distance d into the ascending list of `have` nearest of row p, of which the k nearest stay. */
function insert(
  nearest: Ptr<i32>,
  have: number,
  k: number,
  rows: Ptr<f32>,
  p: number,
  j: number,
  d: number,
  dims: number,
): void {
  let at = (have < k ? have : k - 1) | 0;
  while (at > 0) {
    const before = nearest.get(at - 1);
    if (distance(rows, p, rows, before, dims) <= d) break;
    nearest.set(at, before);
    at = (at - 1) | 0;
  }
  nearest.set(at, j);
}

/**
 * kth[p] = the place of the k-th neighbour of row p. Rows [n, dims], dims >= 2, stand in strips of `size` by their first
 * column, each sorted by the second, which `keys` repeats; `lows` and `highs` are the least and largest first column of
 * each strip (`strips.ts`). `scratch` has k elements for each tile. k < n.
 *
 * The variant that counts stores in `tally`, for each tile, as pairs of f32: distances that it took, those that came into
 * a list of the nearest, and strips beside the own that it searched. What a machine has to do for these samples is made of
 * that. The plain one leaves `tally` alone.
 */
function makeKthNeighbours(dims: number, counts: "plain" | "counting" = "plain") {
  const counting = counts === "counting";
  const made = kernel(
    [
      ptr(i32),
      ptr(f32, { const: true }),
      ptr(f32, { const: true }),
      ptr(f32, { const: true }),
      ptr(f32, { const: true }),
      ptr(i32),
      ptr(f32),
      i32,
      i32,
      i32,
    ],
    function kthNeighbours(kth, rows, keys, lows, highs, scratch, tally, n, k, size) {
      const strips = S.ceildiv(n, size);
      let taken = 0;
      let kept = 0;
      let searched = 0;
      const nearest = scratch.at(S.tileId() * k);
      for (let t = S.tileId(); t < strips; t += S.tileCount()) {
        const from = (t * size) | 0;
        const to = Math.min((from + size) | 0, n);
        for (let p = from; p < to; p++) {
          const first = rows.get(p * dims);
          const key = keys.get(p);
          let reach = Infinity;
          let have = 0;
          // Outward in the own strip, the nearer side first: the reach is small soon.
          let below = (p - 1) | 0;
          let above = (p + 1) | 0;
          while (true) {
            const gapBelow = below >= from ? key - keys.get(below) : Infinity;
            const gapAbove = above < to ? keys.get(above) - key : Infinity;
            if (!(Math.min(gapBelow, gapAbove) < reach)) break;
            const down = gapBelow <= gapAbove;
            const j = down ? below : above;
            if (down) below = (below - 1) | 0;
            else above = (above + 1) | 0;
            const d = distance(rows, p, rows, j, dims);
            if (counting) taken++;
            if (d < reach) {
              if (counting) kept++;
              insert(nearest, have, k, rows, p, j, d, dims);
              have = Math.min(have + 1, k);
              if (have === k) reach = distance(rows, p, rows, nearest.get(k - 1), dims);
            }
          }
          for (const side of S.unroll(2)) {
            let q = (side === 0 ? t - 1 : t + 1) | 0;
            while (
              side === 0 ? q >= 0 && first - highs.get(q) < reach : q < strips && lows.get(q) - first < reach
            ) {
              const start = (q * size) | 0;
              const end = Math.min((start + size) | 0, n);
              if (counting) searched++;
              for (let j = firstWithin(keys, start, end, key, reach, false); j < end; j++) {
                if (!(keys.get(j) - key < reach)) break;
                const d = distance(rows, p, rows, j, dims);
                if (counting) taken++;
                if (d < reach) {
                  if (counting) kept++;
                  insert(nearest, have, k, rows, p, j, d, dims);
                  have = Math.min(have + 1, k);
                  if (have === k) reach = distance(rows, p, rows, nearest.get(k - 1), dims);
                }
              }
              q = (side === 0 ? q - 1 : q + 1) | 0;
            }
          }
          kth.set(p, nearest.get(k - 1));
        }
      }
      if (counting) {
        const own = tally.at(6 * S.tileId());
        setPair(own, 0, taken);
        setPair(own, 2, kept);
        setPair(own, 4, searched);
      }
    },
  );
  return describeInputs(made, (g) => {
    const { rows, keys, lows, highs, size, n } = randomStrips(g, dims, 2);
    const k = g.int(1, Math.min(6, n - 1));
    const tally = counting ? new Float32Array(6 * 1024) : null;
    return [new Int32Array(n), rows, keys, lows, highs, new Int32Array(1024 * k), tally, n, k, size];
  });
}

/**
 * counts[p] = how many other values of a column are nearer to that of row p than its k-th neighbour is in all columns.
 * `sorted` has the column's n values, ascending.
 */
function makeCountLine(dims: number) {
  const made = kernel(
    [ptr(i32), ptr(f32, { const: true }), ptr(i32, { const: true }), ptr(f32, { const: true }), i32, i32],
    function countLine(counts, rows, kth, sorted, n, column) {
      for (let p = S.tileId(); p < n; p += S.tileCount()) {
        const reach = distance(rows, p, rows, kth.get(p), dims) - RADIUS_MARGIN;
        const at = rows.get(p * dims + column);
        const from = firstWithin(sorted, 0, n, at, reach, true);
        counts.set(p, Math.max(0, firstBeyond(sorted, from, n, at, reach) - from - 1));
      }
    },
  );
  return describeInputs(made, (g) => {
    const { rows, n } = randomStrips(g, dims, 1);
    const kth = Int32Array.from({ length: n }, () => g.int(0, n - 1));
    const column = g.int(0, dims - 1);
    const sorted = Float32Array.from({ length: n }, (_, i) => rows[i * dims + column] as number).sort();
    return [new Int32Array(n), rows, kth, sorted, n, column];
  });
}

/**
 * As {@link countLine} for `some` >= 2 columns from `column` on, which stand again in strips of their own. The variant that
 * counts stores in `tally`, for each tile, as pairs of f32: distances that it took, and strips that it searched.
 */
function makeCountStrips(dims: number, some: number, counts: "plain" | "counting" = "plain") {
  const counting = counts === "counting";
  const made = kernel(
    [
      ptr(i32),
      ptr(f32, { const: true }),
      ptr(i32, { const: true }),
      ptr(f32, { const: true }),
      ptr(f32, { const: true }),
      ptr(f32, { const: true }),
      ptr(f32, { const: true }),
      ptr(f32),
      i32,
      i32,
      i32,
    ],
    function countStrips(counts, rows, kth, own, keys, lows, highs, tally, n, column, size) {
      const strips = S.ceildiv(n, size);
      let taken = 0;
      let searched = 0;
      for (let p = S.tileId(); p < n; p += S.tileCount()) {
        const reach = distance(rows, p, rows, kth.get(p), dims) - RADIUS_MARGIN;
        const first = rows.get(p * dims + column);
        const key = rows.get(p * dims + column + 1);
        const at = rows.at(p * dims + column);
        let count = 0;
        for (let q = 0; q < strips; q++) {
          if (first - highs.get(q) <= reach && lows.get(q) - first <= reach) {
            const start = (q * size) | 0;
            const end = Math.min((start + size) | 0, n);
            if (counting) searched++;
            for (let j = firstWithin(keys, start, end, key, reach, true); j < end; j++) {
              if (keys.get(j) - key > reach) break;
              if (counting) taken++;
              if (distance(at, 0, own, j, some) <= reach) count++;
            }
          }
        }
        counts.set(p, Math.max(0, count - 1));
      }
      if (counting) {
        setPair(tally.at(4 * S.tileId()), 0, taken);
        setPair(tally.at(4 * S.tileId()), 2, searched);
      }
    },
  );
  return describeInputs(made, (g) => {
    const { rows, n } = randomStrips(g, dims, 1);
    const kth = Int32Array.from({ length: n }, () => g.int(0, n - 1));
    const column = g.size(0, dims - some);
    const own = stripsOf(columnsOf(rows, n, dims, column, some), n, some, 2);
    const tally = counting ? new Float32Array(4 * 1024) : null;
    return [
      new Int32Array(n),
      rows,
      kth,
      own.rows,
      own.keys,
      own.lows,
      own.highs,
      tally,
      n,
      column,
      own.size,
    ];
  });
}

export const kthNeighbours = perKey(makeKthNeighbours);
export const countLine = perKey(makeCountLine);
export const countStrips = perKey(makeCountStrips);

/** Rows with ties, as inputs for tests. */
function randomStrips(g: Draw, dims: number, k: number): Strips {
  const n = g.size(2, 40);
  const coarse = g.oneOf(0.5, 1, 2 ** -20);
  const rows = Float32Array.from(g.array(f32, n * dims), (v) => {
    const near = Number.isFinite(v) ? v % 8 : 1;
    return Math.round(near / coarse) * coarse;
  });
  return stripsOf(rows, n, dims, k);
}
