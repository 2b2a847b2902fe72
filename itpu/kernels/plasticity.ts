/** One step of plasticity: gains of edges follow their information, their decay and their neighbours, within a budget. */
import { describeInputs, f32, i32, kernel, ptr, S } from "../../index.ts";

const LANES = 8;
const LEAST_PRECONDITION = 1e-6;

/**
 * grad = (information - lambda g - beta L g) / max(precondition, 1e-6); next = max(0, g + grad), all scaled by
 * sqrt(budget / sum of costs next^2) where that sum is above the budget. Vectors of n; L [n, n] row by row; L, costs (then
 * all 1) and precondition (then all 1) may be null. `settings` has lambda, beta and budget, each as two f32.
 */
export const plasticity = kernel(
  [
    ptr(f32),
    ptr(f32, { const: true }),
    ptr(f32, { const: true }),
    ptr(f32, { const: true }),
    ptr(f32, { const: true }),
    ptr(f32, { const: true }),
    ptr(f32, { const: true }),
    i32,
  ],
  function plasticity(next, information, g, laplacian, costs, precondition, settings, n) {
    if (S.tileId() !== 0) return;
    const lambda = settings.get(0) + settings.get(1);
    const beta = settings.get(2) + settings.get(3);
    const budget = settings.get(4) + settings.get(5);
    let spent = 0;
    for (let i = 0; i < n; i++) {
      let spread = 0;
      if (!laplacian.isNull) {
        let sums = S.vbcast(0, f32, LANES);
        for (let j = 0; j < n; j += LANES) {
          const mask = S.tailMask(n - j, LANES);
          sums = S.vfma(sums, S.vload(laplacian.at(i * n + j), { mask }), S.vload(g.at(j), { mask }));
        }
        spread = beta * S.vrpadd(sums);
      }
      const scale = precondition.isNull ? 1 : Math.max(precondition.get(i), LEAST_PRECONDITION);
      const cost = costs.isNull ? 1 : costs.get(i);
      const gain = g.get(i);
      const grown = Math.max(0, gain + (information.get(i) - lambda * gain - spread) / scale);
      next.set(i, grown);
      spent += cost * grown * grown;
    }
    if (spent > budget) {
      const shrink = Math.sqrt(budget / spent);
      for (let i = 0; i < n; i++) next.set(i, next.get(i) * shrink);
    }
  },
);

describeInputs(plasticity, (g) => {
  const n = g.size(0, 20);
  const maybe = (length: number): Float32Array | null => (g.oneOf(true, false) ? g.array(f32, length) : null);
  return [
    g.array(f32, n),
    g.array(f32, n),
    g.array(f32, n),
    maybe(n * n),
    maybe(n),
    maybe(n),
    g.array(f32, 6),
    n,
  ];
});
