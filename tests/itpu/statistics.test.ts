/** The estimator by nearest neighbours as a statistic: without dependence, and as samples grow. Seeds are fixed. */
import { expect, test } from "vitest";
import { ksgMi } from "../../itpu/estimators/ksg.ts";
import { executionOf } from "../../itpu/execution.ts";
import { samplesOf } from "../../itpu/samples.ts";
import { Draws } from "./draws.ts";

const compiled = executionOf("compiled");
const estimate = (x: Float32Array, y: Float32Array, k: number): number =>
  ksgMi(compiled, samplesOf(x), samplesOf(y), { k, zscore: false });

test("independent pairs have none", () => {
  const draws = new Draws(5);
  let sum = 0;
  for (let trial = 0; trial < 100; trial++) {
    const { x, y } = draws.pairs(10_000, 0);
    sum += estimate(x, y, 4);
  }
  expect(Math.abs(sum / 100)).toBeLessThan(0.001);
});

test("the error falls as one over the root of the number of samples", () => {
  const rho = 0.6;
  const truth = -0.5 * Math.log(1 - rho * rho);
  const draws = new Draws(21);
  const points = [250, 500, 1000, 2000].map((n) => {
    const trials = 80;
    let squares = 0;
    for (let t = 0; t < trials; t++) {
      const { x, y } = draws.pairs(n, rho);
      squares += (estimate(x, y, 4) - truth) ** 2;
    }
    return [Math.log(n), 0.5 * Math.log(squares / trials)] as const;
  });
  // By 80 trials a root of mean squares is known within 8 %, and the slope of four of them within 0.05.
  expect(slopeOf(points)).toBeGreaterThan(-0.65);
  expect(slopeOf(points)).toBeLessThan(-0.35);
});

test("without dependence, p-values of permutations are uniform", () => {
  const [sets, permutations, n] = [100, 39, 60];
  const draws = new Draws(4);
  const values = Array.from({ length: sets }, () => {
    const { x, y } = draws.pairs(n, 0);
    const found = estimate(x, y, 4);
    let above = 0;
    for (let p = 0; p < permutations; p++) if (estimate(x, shuffled(y, draws), 4) >= found) above++;
    return (above + 1) / (permutations + 1);
  });
  // Kolmogorov and Smirnov at a level of 1 %: 1.63 / sqrt(sets). The values are multiples of 1/40.
  const sorted = values.sort((a, b) => a - b);
  const distance = Math.max(...sorted.map((p, i) => Math.abs((i + 1) / sets - p)));
  expect(distance).toBeLessThan(1.63 / Math.sqrt(sets) + 1 / (permutations + 1));
  // The same of dependent pairs are small: the test could fail.
  const { x, y } = draws.pairs(n, 0.8);
  const found = estimate(x, y, 4);
  for (let p = 0; p < permutations; p++) expect(estimate(x, shuffled(y, draws), 4)).toBeLessThan(found);
});

/** Least squares. */
function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (of: 0 | 1): number => points.reduce((sum, p) => sum + p[of], 0) / points.length;
  const [mx, my] = [mean(0), mean(1)];
  const along = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return along / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

/** Fisher and Yates. */
function shuffled(values: Float32Array, draws: Draws): Float32Array {
  const out = values.slice();
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(draws.uniform() * (i + 1));
    [out[i], out[j]] = [out[j] as number, out[i] as number];
  }
  return out;
}
