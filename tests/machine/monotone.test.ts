/**
 * More of a resource never makes a program slower by more than 1 %. docs/timing.md has the exceptions: a larger array
 * takes longer to fill, and where several engines compete, what is faster may come in another order.
 */
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { gemmTrace } from "../../bench/gemm-trace.ts";
import type { FieldPath } from "../../machine/coverage.ts";
import { Products } from "../../machine/model/program.ts";
import { timeTrace } from "../../machine/model/run.ts";
import { Stages } from "../../machine/model/stages.ts";
import { PRESET_NAMES, PRESETS } from "../../machine/presets/index.ts";
import type { MachineConfig } from "../../machine/schema.ts";
import type { Item, Trace } from "../../machine/trace.ts";
import { arbitraryCase, arbitraryMachine, arbitraryVariation, scaled } from "./arbitraries.ts";

afterEach(() => void vi.restoreAllMocks());

interface Resource {
  readonly fields: readonly FieldPath[];
  readonly factor: number;
}

/** Rates and waits: each makes some command shorter and none longer. */
const SPEEDS: readonly Resource[] = [
  ...(
    [
      "clocks.control",
      "clocks.fabric",
      "clocks.memory",
      "dram.bytesPerCycle",
      "dma.bytesPerCycle",
      "dma.window",
      "l3.banks",
      "l3.bytesPerCycle",
      "noc.linkBytesPerCycle",
      "tile.l2.banks",
      "tile.l2.bytesPerCycle",
      "tile.blockMovers.bytesPerCycle",
      "tile.streamers.bytesPerCycle",
      "tile.units.mieu.bytesPerCycle",
      "tile.units.ecu.bytesPerCycle",
      "tile.sfu.lanes",
      "tile.commands.queue",
    ] as const
  ).map((field) => ({ fields: [field], factor: 2 })),
  { fields: ["dma.burstBytes"], factor: 0.5 },
  { fields: ["dma.startup"], factor: 0 },
  { fields: ["tile.units.mieu.startup"], factor: 0 },
  { fields: ["noc.hopCycles"], factor: 0 },
  { fields: ["tile.sfu.latency"], factor: 0 },
  // The wait for a row is the difference of two of these.
  { fields: ["dram.latency.rowHit", "dram.latency.rowEmpty", "dram.latency.rowConflict"], factor: 0 },
];
/** More of the same: commands and addresses spread over them in another way. */
const COUNTS: readonly Resource[] = (
  ["dram.channels", "dram.banks", "dma.engines", "tile.blockMovers.count", "tile.units.mieu.count"] as const
).map((field) => ({ fields: [field], factor: 2 }));

function better(machine: MachineConfig, { fields, factor }: Resource): MachineConfig {
  return fields.reduce((m, field) => scaled(m, field, factor), machine);
}

/** Resources with which the trace takes more than 1 % longer, and how much longer. */
function slower(trace: Trace, machine: MachineConfig, resources: readonly Resource[]): string[] {
  const before = timeTrace(trace, machine).totalTimeUs;
  return resources.flatMap((resource) => {
    const after = timeTrace(trace, better(machine, resource)).totalTimeUs;
    return after <= 1.01 * before ? [] : [`${resource.fields.join(", ")}: ${before} us, then ${after} us`];
  });
}

/** One tile, whose core waits for each command before the next. */
function serial({ tiles, ...trace }: Trace): Trace {
  const items = (list: readonly Item[]): Item[] =>
    list.flatMap((item): Item[] => {
      switch (item.kind) {
        case "loop":
          return [{ ...item, body: items(item.body) }];
        case "wait":
          return [];
        case "move":
        case "fill":
        case "mma":
        case "unit": {
          const { after: _, ...command } = item;
          return [
            { ...command, signal: 0 },
            { kind: "wait", event: 0, at: item.at },
          ];
        }
        default:
          return [item];
      }
    });
  return { ...trace, tiles: [items(tiles[0] ?? [])] };
}

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
