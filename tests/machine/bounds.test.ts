/** Least traffic and least time: known values, and no run below them. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { gemmTrace } from "../../bench/gemm-trace.ts";
import { productBytes, productWords } from "../../machine/bounds.ts";
import { timeTrace } from "../../machine/model/run.ts";
import { PRESETS } from "../../machine/presets/index.ts";

test("words of a product", () => {
  const cube = { m: 1024, n: 1024, k: 1024 };
  // 2 * 1024^3 / 256 + 1024^2.
  expect(productWords(cube, 65536)).toBe(9437184);
  // A memory that holds everything leaves each word once.
  expect(productWords(cube, 1e9)).toBe(3 * 1024 * 1024);
  expect(productBytes(cube, 1e9, { operand: 1, accumulator: 4, result: 1 })).toBe(3 * 1024 * 1024);
  // 4mnk / sqrt(S) + mn with bytes and accumulators of 4.
  expect(productBytes(cube, 65536, { operand: 1, accumulator: 4, result: 1 })).toBe(
    4 * 1024 ** 2 * 4 + 1024 ** 2,
  );
});

test("a product through blocks moves no less, and takes no less time than the roofline", () => {
  const blocks = fc.integer({ min: 1, max: 4 });
  const arbitrary = fc.record({ m: blocks, n: blocks, k: blocks, block: fc.constantFrom(16, 32, 64) });
  fc.assert(
    fc.property(arbitrary, ({ m, n, k, block }) => {
      const sizes = { m: m * block, n: n * block, k: 2 * k * block };
      const report = timeTrace(gemmTrace({ ...sizes, block }), PRESETS.edge);
      const { dram } = report.traffic;
      // Its fast memory: two blocks of each operand, and accumulators of a block.
      const least = productBytes(sizes, 8 * block * block, { operand: 1, accumulator: 4, result: 1 });
      expect(dram.read + dram.written).toBeGreaterThanOrEqual(least);
      expect(report.macs).toBe(sizes.m * sizes.n * sizes.k);
      for (const cycles of Object.values(report.roofline))
        expect(report.totalCycles).toBeGreaterThanOrEqual(cycles);
      expect(report.roofline.compute).toBeCloseTo(report.macs / 512, 6);
      expect(report.computeUtilization).toBeCloseTo(report.roofline.compute / report.totalCycles, 12);
    }),
    { numRuns: 60 },
  );
});
