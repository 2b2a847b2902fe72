/** The sums of which all entropies are made. */
import { describeInputs, f32, i32, kernel, ptr, S } from "../../index.ts";
import { exp, ln, setPair } from "./float64.ts";
import { perKey } from "./per-key.ts";

/** What is summed over the weights v = w + floor. */
export type Summand = "v ln v" | "ln v" | "v^alpha";

/**
 * out = the sum (a pair of f32, `float64.ts`) over n weights w >= 0, and how many weights are above 0. `alpha` is
 * alpha + alphaLow. Weights of 0 are counted and enter as one term.
 */
function makeEntropySums(of: "counts" | "values", summand: Summand) {
  const dtype = of === "counts" ? i32 : f32;
  const made = kernel(
    [ptr(f32), ptr(dtype, { const: true }), i32, f32, f32, f32],
    function entropySums(out, weights, n, floor, alpha, alphaLow) {
      if (S.tileId() !== 0) return;
      const cell = S.alloc(f32, 1, "private").at(0);
      const power = alpha + alphaLow;
      let sum = 0;
      let occupied = 0;
      for (let i = 0; i < n; i++) {
        const w = weights.get(i);
        if (w > 0) {
          occupied++;
          const v = w + floor;
          if (summand === "v ln v") sum += v * ln(v, cell);
          else if (summand === "ln v") sum += ln(v, cell);
          else sum += exp(power * ln(v, cell), cell);
        }
      }
      if (floor > 0) {
        const empty = n - occupied;
        if (summand === "v ln v") sum += empty * floor * ln(floor, cell);
        else if (summand === "ln v") sum += empty * ln(floor, cell);
        else sum += empty * exp(power * ln(floor, cell), cell);
      }
      setPair(out, 0, sum);
      out.set(2, occupied);
    },
  );
  return describeInputs(made, (g) => {
    const n = g.size(0, 40);
    const weights = dtype.name === "i32" ? g.array(i32, n) : g.array(f32, n);
    return [g.array(f32, 3), weights as never, n, g.oneOf(0, 1e-12, 0.5), g.oneOf(0.5, 2, 3.5), 1e-9];
  });
}

const entropySums = perKey(makeEntropySums);

/** By what the weights are: counts of cells, or probabilities and densities. */
export const ENTROPY_SUMS = {
  counts: {
    "v ln v": entropySums("counts", "v ln v"),
    "v^alpha": entropySums("counts", "v^alpha"),
  },
  values: {
    "v ln v": entropySums("values", "v ln v"),
    "ln v": entropySums("values", "ln v"),
    "v^alpha": entropySums("values", "v^alpha"),
  },
} as const;
