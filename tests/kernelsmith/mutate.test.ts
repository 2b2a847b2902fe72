/** Bugs planted into valid kernels: the checkers find them, and say nothing about the kernels without. */
import { expect, test } from "vitest";
import { MUTATIONS, mutationCampaign } from "../../kernelsmith/index.ts";

const MUTANTS = Number(process.env["KPU_FUZZ_MUTANTS"] ?? MUTATIONS.length);

test("every kind of planted bug is found, and no clean kernel is accused", async () => {
  const report = await mutationCampaign({ seed: 2026, mutants: MUTANTS, jobs: 0 });
  expect(report.rows.flatMap((r) => r.missed)).toEqual([]);
  expect(report.alarms).toEqual([]);
  expect(report.planted).toBe(MUTANTS);
  expect(report.rows.length).toBeGreaterThanOrEqual(45);
});
