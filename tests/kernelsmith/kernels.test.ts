/** Generated kernels: the same for the same seed, valid, and the same in every execution. */
import { describe, expect, test } from "vitest";
import { campaign, generate, missing, printProgram, theCatalogue } from "../../kernelsmith/index.ts";

const RUNS = Number(process.env["KPU_FUZZ_KERNELS"] ?? 60);

describe("the generator", () => {
  test("gives the same source for the same seed, and another for another", () => {
    const source = (seed: number): string => printProgram(generate(seed), { types: true });
    const first = Array.from({ length: 30 }, (_, i) => source(i));
    const again = Array.from({ length: 30 }, (_, i) => source(29 - i)).reverse();
    expect(again).toEqual(first);
    expect(new Set(first).size).toBe(30);
  });

  test("finds a form of every value intrinsic that it does not write itself", () => {
    expect(theCatalogue().unusable).toEqual([]);
  });
});

test("generated kernels mean the same in every execution", async () => {
  const report = await campaign({ seed: 2026, kernels: RUNS, jobs: 0 });
  expect(report.failures.map((f) => `${f.text}\n${f.test}`)).toEqual([]);
  expect(report.kernels).toBe(RUNS);
  const absent = missing(report.counts, theCatalogue()).filter((m) => m.reason === undefined);
  // What a small run happens not to draw; the long runs of `kpu fuzz` miss nothing.
  expect(absent.length).toBeLessThan(20);
});
