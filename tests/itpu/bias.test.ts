/** The estimator by nearest neighbours against the information of normal pairs, which is known. */
import { expect, test } from "vitest";
import { ksgMi } from "../../itpu/estimators/ksg.ts";
import { executionOf } from "../../itpu/execution.ts";
import { samplesOf } from "../../itpu/samples.ts";
import { Draws } from "./draws.ts";

const compiled = executionOf("compiled");
const estimate = (x: Float32Array, y: Float32Array, k: number): number =>
  ksgMi(compiled, samplesOf(x), samplesOf(y), { k, zscore: false });

/** The mean of log p(x, y) / (p(x) p(y)) over the samples: its expectation is the information. */
function density(x: Float32Array, y: Float32Array, rho: number): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i] as number, y[i] as number];
    sum += rho * (rho * a * a - 2 * a * b + rho * b * b);
  }
  return -0.5 * Math.log(1 - rho * rho) - sum / (2 * (1 - rho * rho)) / x.length;
}

test.each([
  [0.3, 0.047155],
  [0.5, 0.143841],
  [0.7, 0.336672],
  [0.9, 0.830366],
])("normal pairs of correlation %d: bias within 1 %% over 100 trials of 10,000", (rho, truth) => {
  const published = 0.0097;
  const draws = new Draws(Math.round(rho * 1000));
  const trials = Array.from({ length: 100 }, () => {
    const { x, y } = draws.pairs(10_000, rho);
    return { found: estimate(x, y, 4), wanted: density(x, y, rho) };
  });
  const found = trials.map((t) => t.found);
  const mean = found.reduce((sum, v) => sum + v, 0) / found.length;
  const deviation = Math.sqrt(found.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (found.length - 1));
  // How the mean of 100 trials differs from the truth is mostly their samples' doing, which the densities at these tell.
  const bias = trials.reduce((sum, t) => sum + t.found - t.wanted, 0) / trials.length;
  expect(Math.abs(bias)).toBeLessThan(0.01 * truth);
  expect(Math.abs(mean - truth)).toBeLessThan(0.01 * truth + (2 * deviation) / 10);
  expect(Math.abs(deviation - published) / published).toBeLessThan(rho === 0.7 ? 0.15 : 0.4);
});
