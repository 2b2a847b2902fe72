/** Histograms: the range of a column, the cell of each sample, and how many samples each cell has. */
import { describeInputs, f32, i32, kernel, ptr, S } from "../../index.ts";

/** out = least and largest of a column of x [n, dims]. */
export const columnRange = kernel(
  [ptr(f32), ptr(f32, { const: true }), i32, i32, i32],
  function columnRange(out, x, n, dims, column) {
    if (S.tileId() !== 0) return;
    let low = Infinity;
    let high = -Infinity;
    for (let i = 0; i < n; i++) {
      const v = x.get(i * dims + column);
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
    out.set(0, low);
    out.set(1, high);
  },
);

/**
 * cell[i] = cell[i] * bins + the bin of x[i][column] in `bins` equal ones over `range`, which are closed below; the last
 * one has the largest value too, as in NumPy. Of the first column cell[i] counts as 0.
 */
export const digitize = kernel(
  [ptr(i32), ptr(f32, { const: true }), ptr(f32, { const: true }), i32, i32, i32, i32],
  function digitize(cell, x, range, n, dims, column, bins) {
    const low = range.get(0);
    const high = range.get(1);
    const scale = high > low ? bins / (high - low) : 0;
    for (let i = S.tileId(); i < n; i += S.tileCount()) {
      const bin = Math.min(S.i32((x.get(i * dims + column) - low) * scale), bins - 1);
      cell.set(i, column === 0 ? bin : Math.imul(cell.get(i), bins) + bin);
    }
  },
);

/** counts[a[i] * width + b[i]] of `cells` counts; without b, counts[a[i]]. */
export const countCells = kernel(
  [ptr(i32), ptr(i32, { const: true }), ptr(i32, { const: true }), i32, i32, i32],
  function countCells(counts, a, b, n, width, cells) {
    if (S.tileId() !== 0) return;
    const zero = S.vbcast(0, i32, 8);
    for (let c = 0; c < cells; c += 8) S.vstore(zero, counts.at(c), { mask: S.tailMask(cells - c, 8) });
    if (b.isNull) {
      for (let i = 0; i < n; i++) {
        const c = a.get(i);
        counts.set(c, counts.get(c) + 1);
      }
    } else {
      for (let i = 0; i < n; i++) {
        const c = (Math.imul(a.get(i), width) + b.get(i)) | 0;
        counts.set(c, counts.get(c) + 1);
      }
    }
  },
);

describeInputs(columnRange, (g) => {
  const dims = g.size(1, 3);
  const n = g.size(0, 40);
  return [g.array(f32, 2), g.array(f32, n * dims), n, dims, g.int(0, dims - 1)];
});
describeInputs(digitize, (g) => {
  const dims = g.size(1, 3);
  const n = g.size(0, 40);
  return [
    g.array(i32, n),
    g.array(f32, n * dims),
    g.array(f32, 2),
    n,
    dims,
    g.int(0, dims - 1),
    g.int(1, 64),
  ];
});
describeInputs(countCells, (g) => {
  const n = g.size(0, 60);
  const [rows, width] = [g.size(1, 5), g.size(1, 9)];
  const cells = (below: number): Int32Array => Int32Array.from({ length: n }, () => g.int(0, below - 1));
  return [g.array(i32, rows * width), cells(rows), cells(width), n, width, rows * width];
});
