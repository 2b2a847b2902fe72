/** What only moves or rescales samples. */
import { describeInputs, f32, i32, kernel, ptr, S, u8 } from "../../index.ts";
import { setPair } from "./float64.ts";

/** out = n bytes of x, by the DMA engine. */
export const copyBytes = kernel([ptr(u8), ptr(u8, { const: true }), i32], function copyBytes(out, x, n) {
  if (S.tileId() === 0 && n > 0) S.dmaCopy(out, x, n);
});

/** out = mean and standard deviation (of the sample: n - 1), each as two f32, of a column of x [n, dims]. */
export const moments = kernel(
  [ptr(f32), ptr(f32, { const: true }), i32, i32, i32],
  function moments(out, x, n, dims, column) {
    if (S.tileId() !== 0) return;
    let sum = 0;
    for (let i = 0; i < n; i++) sum += x.get(i * dims + column);
    const middle = sum / n;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const d = x.get(i * dims + column) - middle;
      squares += d * d;
    }
    setPair(out, 0, middle);
    setPair(out, 2, n > 1 ? Math.sqrt(squares / (n - 1)) : 0);
  },
);

/** out [n, dims] = x with each column shifted to mean 0 and scaled to deviation 1; a constant one becomes 0. */
export const standardize = kernel(
  [ptr(f32), ptr(f32, { const: true }), ptr(f32, { const: true }), i32, i32, i32],
  function standardize(out, x, figures, n, dims, column) {
    const middle = figures.get(0) + figures.get(1);
    const deviation = figures.get(2) + figures.get(3);
    const scale = deviation > 0 ? 1 / deviation : 0;
    for (let i = S.tileId(); i < n; i += S.tileCount()) {
      const at = i * dims + column;
      out.set(at, (x.get(at) - middle) * scale);
    }
  },
);

describeInputs(copyBytes, (g) => {
  const n = g.size();
  return [g.array(u8, n), g.array(u8, n), n];
});
describeInputs(moments, (g) => {
  const dims = g.size(1, 3);
  const n = g.size(0, 40);
  return [g.array(f32, 4), g.array(f32, n * dims), n, dims, g.int(0, dims - 1)];
});
describeInputs(standardize, (g) => {
  const dims = g.size(1, 3);
  const n = g.size(0, 40);
  return [g.array(f32, n * dims), g.array(f32, n * dims), g.array(f32, 4), n, dims, g.int(0, dims - 1)];
});
