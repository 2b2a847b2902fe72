/**
 * More of a resource never makes a program slower by more than 1 %. docs/timing.md has the exceptions: a larger array
 * takes longer to fill, and where several engines compete, what is faster may come in another order.
 */
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { gemmTrace } from "../../bench/gemm-trace.ts";
import { Products } from "../../machine/model/program.ts";
import { timeTrace } from "../../machine/model/run.ts";
import { Stages } from "../../machine/model/stages.ts";
import { PRESET_NAMES, PRESETS } from "../../machine/presets/index.ts";
import { arbitraryCase, arbitraryMachine, arbitraryVariation, scaled } from "./arbitraries.ts";
import { COUNTS, type Resource, SPEEDS, serial, slower } from "./resources.ts";

afterEach(() => void vi.restoreAllMocks());

const PRODUCTS = PRESET_NAMES.filter((name) => PRESETS[name].tile.events >= 14).flatMap((name) =>
  [32, 64].map((block) => ({ name, block })),
);

describe("products", () => {
  test.each(PRODUCTS)("on $name, blocks of $block", ({ name, block }) => {
    const trace = gemmTrace({ m: 128, n: 64, k: 256, block });
    expect(slower(trace, PRESETS[name], [...SPEEDS, ...COUNTS])).toEqual([]);
  });

  test("of blocks larger than the array: more rows and columns", () => {
    const arrays: readonly Resource[] = [
      { fields: ["tile.fabric.rows"], factor: 2 },
      { fields: ["tile.fabric.cols"], factor: 2 },
    ];
    expect(slower(gemmTrace({ m: 256, n: 256, k: 512, block: 128 }), PRESETS.edge, arrays)).toEqual([]);
  });
});

test.each([
  ["machines where everything is contended", arbitraryMachine],
  ["variations of presets", arbitraryVariation],
])("commands one by one: %s", (_, machine) => {
  fc.assert(
    fc.property(arbitraryCase({ rounds: 3, depth: 2 }, machine), ({ config, trace }) => {
      expect(slower(serial(trace), config, SPEEDS)).toEqual([]);
    }),
    { numRuns: 20 },
  );
});

test("a model in which faster memory is slower is found", () => {
  const { transfer } = Stages.prototype;
  let rate = 0;
  vi.spyOn(Stages.prototype, "transfer").mockImplementation(function (this: Stages, ...args) {
    return transfer.apply(this, args) + rate * 100;
  });
  const trace = gemmTrace({ m: 64, n: 64, k: 256, block: 32 });
  // Its second run has the faster memory.
  const runs = [PRESETS.edge, scaled(PRESETS.edge, "dram.bytesPerCycle", 2)].map((machine, i) => {
    rate = i;
    return timeTrace(trace, machine).totalTimeUs;
  });
  expect(runs[1]).toBeGreaterThan(1.01 * (runs[0] ?? 0));
});

test("an array of 8 x 8 takes about 4 times as long as one of 16 x 16 when products are all it waits for", () => {
  const trace = gemmTrace({ m: 256, n: 256, k: 2048, block: 128 });
  const quarter = scaled(scaled(PRESETS.edge, "tile.fabric.rows", 0.5), "tile.fabric.cols", 0.5);
  const times = (): number =>
    timeTrace(trace, quarter).totalCycles / timeTrace(trace, PRESETS.edge).totalCycles;
  expect(times()).toBeGreaterThan(3.5);
  expect(times()).toBeLessThan(4.1);
  // A model that does not look at the array is found.
  vi.spyOn(Products.prototype, "ticks").mockReturnValue(1000);
  vi.spyOn(Products.prototype, "interval").mockReturnValue(1000);
  expect(times()).toBeLessThan(3.5);
});
