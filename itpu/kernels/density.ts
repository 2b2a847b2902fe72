/** Gaussian kernel density estimation. */
import { describeInputs, f32, i32, kernel, ptr, S } from "../../index.ts";
import { perKey } from "./per-key.ts";

const LANES = 8;
/** Registers whose f32 sums are added to the float64 sum at once. */
const BLOCK = 32 * LANES;

/**
 * out[q] = norm * the sum over n samples of exp(-1/2 sum over c of ((samples[c][i] - at[q][c]) * inverse[c])^2): samples
 * [dims, n] stand column by column. Differences are taken first, so that data far from 0 keeps its digits.
 */
function makeDensity(dims: number) {
  const made = kernel(
    [
      ptr(f32),
      ptr(f32, { const: true }),
      ptr(f32, { const: true }),
      ptr(f32, { const: true }),
      f32,
      i32,
      i32,
    ],
    function density(out, samples, at, inverse, norm, n, points) {
      for (let q = S.tileId(); q < points; q += S.tileCount()) {
        let sum = 0;
        for (let from = 0; from < n; from += BLOCK) {
          let sums = S.vbcast(0, f32, LANES);
          const to = Math.min(from + BLOCK, n);
          for (let i = from; i < to; i += LANES) {
            const mask = S.tailMask(to - i, LANES);
            let square = S.vbcast(0, f32, LANES);
            for (const c of S.unroll(dims)) {
              const t = S.vmul(
                S.vsub(S.vload(samples.at(c * n + i), { mask }), at.get(q * dims + c)),
                inverse.get(c),
              );
              square = S.vfma(square, t, t);
            }
            sums = S.vadd(sums, S.vexp(S.vmul(square, -0.5), { mask }));
          }
          sum += S.vrpadd(sums);
        }
        out.set(q, sum * norm);
      }
    },
  );
  return describeInputs(made, (g) => {
    const [n, points] = [g.size(1, 30), g.size(0, 5)];
    return [
      g.array(f32, points),
      g.array(f32, n * dims),
      g.array(f32, points * dims),
      g.array(f32, dims),
      g.scalar(f32),
      n,
      points,
    ];
  });
}

/** One kernel for each number of columns. */
export const density = perKey(makeDensity);
