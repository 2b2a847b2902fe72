/** The neighbour search against the kernel that looks at every pair, and the estimator against what is known. */
import { expect, test } from "vitest";
import { bruteForceCounts, informationOf, ksgMi, neighbourCounts } from "../../itpu/estimators/ksg.ts";
import { executionOf } from "../../itpu/execution.ts";
import { type Samples, samplesOf } from "../../itpu/samples.ts";
import { Draws } from "./draws.ts";

const compiled = executionOf("compiled");
const estimate = (x: Float32Array, y: Float32Array, k: number): number =>
  ksgMi(compiled, samplesOf(x), samplesOf(y), { k, zscore: false });

test("search and brute force agree on 200 data sets with ties", () => {
  const draws = new Draws(7);
  const int = (from: number, to: number): number => from + Math.floor(draws.uniform() * (to - from + 1));
  for (let set = 0; set < 200; set++) {
    const n = int(5, 70);
    const k = int(1, Math.min(8, n - 1));
    // From few values with many ties to none.
    const step = [1, 0.5, 0.25, 0][set % 4] as number;
    const draw = (): number => {
      const v = draws.normal();
      return step === 0 ? v : Math.round(v / step) * step;
    };
    const variable = (): Samples => {
      const dims = int(1, 3);
      return samplesOf(Float32Array.from({ length: n * dims }, draw), [n, dims]);
    };
    const [x, y] = [variable(), variable()];
    const found = informationOf(neighbourCounts(compiled, x, y, k), k);
    const want = informationOf(bruteForceCounts(compiled, x, y, k), k);
    expect(Math.abs(found - want), `set ${set}`).toBeLessThan(1e-9);
  }
});

test.each([
  [0.3, 0.047155],
  [0.5, 0.143841],
  [0.7, 0.336672],
  [0.9, 0.830366],
])("normal pairs of correlation %d: bias within 1 %% over 100 trials of 10,000", (rho, truth) => {
  const published = 0.0097;
  const draws = new Draws(Math.round(rho * 1000));
  const found = Array.from({ length: 100 }, () => {
    const { x, y } = draws.pairs(10_000, rho);
    return estimate(x, y, 4);
  });
  const mean = found.reduce((sum, v) => sum + v, 0) / found.length;
  const deviation = Math.sqrt(found.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (found.length - 1));
  // The mean itself is uncertain by a tenth of the deviation, which is 1.3 % of the smallest value: two errors are allowed.
  expect(Math.abs(mean - truth)).toBeLessThan(0.01 * truth + (2 * deviation) / 10);
  expect(Math.abs(deviation - published) / published).toBeLessThan(rho === 0.7 ? 0.15 : 0.4);
});

test("independent pairs have none", () => {
  const draws = new Draws(5);
  let sum = 0;
  for (let trial = 0; trial < 100; trial++) {
    const { x, y } = draws.pairs(10_000, 0);
    sum += estimate(x, y, 4);
  }
  expect(Math.abs(sum / 100)).toBeLessThan(0.001);
});
