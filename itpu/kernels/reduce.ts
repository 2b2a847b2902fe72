/** Reductions of an array to one number, which is stored as two f32 (`float64.ts`). */
import { describeInputs, f32, i32, kernel, type Ptr, ptr, S } from "../../index.ts";
import { setPair } from "./float64.ts";

/** out = the mean of x. */
export const mean = kernel([ptr(f32), ptr(f32, { const: true }), i32], function mean(out, x, n) {
  if (S.tileId() !== 0) return;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += x.get(i);
  setPair(out, 0, sum / n);
});

/** out = the largest of x. */
export const largest = kernel([ptr(f32), ptr(f32, { const: true }), i32], function largest(out, x, n) {
  if (S.tileId() !== 0) return;
  let found = S.vbcast(-Infinity, f32, 8);
  for (let i = 0; i < n; i += 8)
    found = S.vmax(found, S.vload(x.at(i), { mask: S.tailMask(n - i, 8), r: -Infinity }));
  let most = -Infinity;
  for (const lane of S.unroll(8)) most = Math.max(most, found.at(lane));
  setPair(out, 0, most);
});

/** The bits of an f32 as an integer in the order of the values. */
function orderOf(bits: number): number {
  return bits ^ ((bits >> 31) & 0x7fffffff);
}

/** The smallest order with at least `count` elements up to it: halves the range of 32 bits until one is left. */
function orderAt(bits: Ptr<i32>, n: number, count: number): number {
  let low = -0x80000000;
  let high = 0x7fffffff;
  while (low < high) {
    const middle = S.i32(Math.floor((low + high) / 2));
    let upTo = 0;
    for (let i = 0; i < n; i++) if (orderOf(bits.get(i)) <= middle) upTo++;
    if (upTo >= count) high = middle;
    else low = S.i32(middle + 1);
  }
  return low;
}

/**
 * out = the element of rank `rank`, from 0, of the sorted x, and towards that of the next rank by the part
 * `part` + `partLow` of 1: the linear interpolation of numpy.percentile.
 */
export const quantile = kernel(
  [ptr(f32), ptr(f32, { const: true }), i32, i32, f32, f32],
  function quantile(out, x, n, rank, part, partLow) {
    if (S.tileId() !== 0) return;
    const cell = S.alloc(f32, 1, "private").at(0);
    const bits = x.as(i32);
    // orderOf is its own inverse.
    cell.as(i32).set(0, orderOf(orderAt(bits, n, rank + 1)));
    const lower = cell.get(0);
    cell.as(i32).set(0, orderOf(orderAt(bits, n, Math.min(rank + 2, n))));
    const upper = cell.get(0);
    setPair(out, 0, lower + (upper - lower) * (part + partLow));
  },
);

describeInputs(mean, (g) => {
  const n = g.size(0, 40);
  return [g.array(f32, 2), g.array(f32, n), n];
});
describeInputs(largest, (g) => {
  const n = g.size(0, 40);
  return [g.array(f32, 2), g.array(f32, n), n];
});
describeInputs(quantile, (g) => {
  const n = g.size(1, 20);
  return [g.array(f32, 2), g.array(f32, n), n, g.int(0, n - 1), g.oneOf(0, 0.25, 0.95), 1e-9];
});
