/** Neighbour counts by looking at every pair: what the search of `neighbours.ts` has to agree with. */
import { describeInputs, f32, i32, kernel, type Ptr, ptr, S } from "../../index.ts";
import { distance, RADIUS_MARGIN } from "./neighbours.ts";
import { perKey } from "./per-key.ts";

/** How many rows other than p are within reach in `some` columns from `column` on. */
function within(
  rows: Ptr<f32>,
  p: number,
  n: number,
  reach: number,
  dims: number,
  column: number,
  some: number,
): number {
  let count = 0;
  for (let j = 0; j < n; j++) {
    let far = 0;
    for (const c of S.unroll(some))
      far = Math.max(far, Math.abs(rows.get(p * dims + column + c) - rows.get(j * dims + column + c)));
    if (j !== p && far <= reach) count++;
  }
  return count;
}

/**
 * nx[p], ny[p] = neighbours of row p of rows [n, dims] in the first `left` columns and in the others that are nearer than
 * its k-th in all. The k-th distance is found by going from each distance to the next larger one.
 */
function makeBruteForce(dims: number, left: number) {
  const made = kernel(
    [ptr(i32), ptr(i32), ptr(f32, { const: true }), i32, i32],
    function bruteForce(nx, ny, rows, n, k) {
      for (let p = S.tileId(); p < n; p += S.tileCount()) {
        let reach = -1;
        let have = 0;
        while (have < k) {
          let next = Infinity;
          let times = 0;
          for (let j = 0; j < n; j++) {
            const d = distance(rows, p, rows, j, dims);
            if (j !== p && d > reach) {
              if (d < next) times = 0;
              if (d <= next) times = (times + 1) | 0;
              next = Math.min(next, d);
            }
          }
          if (times === 0) break;
          have = (have + times) | 0;
          reach = next;
        }
        nx.set(p, within(rows, p, n, reach - RADIUS_MARGIN, dims, 0, left));
        ny.set(p, within(rows, p, n, reach - RADIUS_MARGIN, dims, left, dims - left));
      }
    },
  );
  return describeInputs(made, (g) => {
    const n = g.size(2, 12);
    const rows = Float32Array.from({ length: n * dims }, () => g.int(0, 9) / 4);
    return [new Int32Array(n), new Int32Array(n), rows, n, g.int(1, n - 1)];
  });
}

export const bruteForce = perKey(makeBruteForce);
