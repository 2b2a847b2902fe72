/** Every kernel of the unit gives the same bits in both executions. */
import { type AnyKernel, checkEquivalence } from "kpu-dsl";
import { expect, test } from "vitest";
import { ITPU_KERNELS } from "../../itpu/kernels/index.ts";

test.each(Object.entries(ITPU_KERNELS))("%s", (_name, kernel) => {
  const report = checkEquivalence(kernel as AnyKernel, { runs: 40 });
  expect(report.ok).toBe(true);
  expect(report.compared).toBeGreaterThan(0);
});
