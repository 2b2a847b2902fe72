/** The neighbour search against the kernel that looks at every pair. */
import { expect, test } from "vitest";
import { bruteForceCounts, informationOf, neighbourCounts } from "../../itpu/estimators/ksg.ts";
import { executionOf } from "../../itpu/execution.ts";
import { type Samples, samplesOf } from "../../itpu/samples.ts";
import { Draws } from "./draws.ts";

const compiled = executionOf("compiled");

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
