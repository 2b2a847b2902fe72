/** The invariants hold for random traces on random machines, and each check finds models that break it. */
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { gemmTrace } from "../../bench/gemm-trace.ts";
import { Dram } from "../../machine/model/dram.ts";
import { Products } from "../../machine/model/program.ts";
import type { PowerReport } from "../../machine/model/report.ts";
import { Stages } from "../../machine/model/stages.ts";
import { PRESETS } from "../../machine/presets/index.ts";
import type { MachineConfig } from "../../machine/schema.ts";
import type { Command, Item, Trace } from "../../machine/trace.ts";
import { arbitraryCase, arbitraryMachine, arbitraryVariation, scaled } from "./arbitraries.ts";
import { buffersLiveOnce, type Check, INVARIANTS, type Run, runOf } from "./invariants.ts";

describe.each([
  ["machines where everything is contended", arbitraryMachine, 150],
  ["variations of presets", arbitraryVariation, 100],
] as const)("%s", (_, machine, numRuns) => {
  test("all invariants", () => {
    fc.assert(
      fc.property(arbitraryCase({ rounds: 4, depth: 2 }, machine), ({ config, trace }) => {
        const run = runOf(trace, config);
        for (const [name, check] of Object.entries(INVARIANTS)) expect(check(run), name).toEqual([]);
      }),
      { numRuns },
    );
  });
});

// ---------------------------------------------------------------------------------------------- broken models

const { edge } = PRESETS;
/** A product out of DRAM, and two tiles that meet. */
const product = gemmTrace({ m: 64, n: 64, k: 128, block: 32 });
const meeting: Trace = {
  version: 1,
  kernel: "meeting",
  tiles: [20, 300].map((cycles, tile): Item[] => [
    {
      kind: "core",
      ops: {},
      lanes: { int: 0, float: 0, math: 0 },
      read: { dram: 4096 },
      write: { l3: 64, l2: 64 },
      cycles,
      at: 0,
    },
    { kind: "barrier", at: 1 },
    {
      kind: "move",
      mover: "dma",
      src: { level: "dram", at: { base: 4096 * tile }, runs: { count: 1, bytes: 4096, stride: 0 } },
      dst: { level: "l3", at: { base: 4096 * tile }, runs: { count: 1, bytes: 4096, stride: 0 } },
      transform: "identity",
      at: 2,
    },
  ]),
};
/** As much out of DRAM as it can give. */
const loads: Trace = {
  version: 1,
  kernel: "loads",
  tiles: [
    [0, 1, 2, 3].map((i) => {
      const runs = { count: 1, bytes: 65536, stride: 0 };
      const [src, dst] = [
        { level: "dram", at: { base: 65536 * i }, runs },
        { level: "l3", at: { base: 65536 * i }, runs },
      ] as const;
      return { kind: "move", mover: "dma", src, dst, transform: "identity", at: i };
    }),
  ],
};
/** More DMA engines than DRAM can serve. */
const greedy = scaled(edge, "dma.engines", 4);

/** The trace with other commands; a command may become none. */
function edited(trace: Trace, edit: (c: Command) => Command | undefined): Trace {
  const items = (list: readonly Item[]): Item[] =>
    list.flatMap((item): Item[] => {
      if (item.kind === "loop") return [{ ...item, body: items(item.body) }];
      const other = edit(item);
      return other === undefined ? [] : [other];
    });
  return { ...trace, tiles: trace.tiles.map(items) };
}

/** A model that takes one trace and machine for another. */
function confused(
  from: { trace?: Trace; machine?: MachineConfig },
  to: { trace: Trace; machine?: MachineConfig },
): Run {
  const machine = to.machine ?? edge;
  const { report } = runOf(from.trace ?? to.trace, from.machine ?? machine);
  return { trace: to.trace, machine, report };
}
function reporting(run: Run, change: (r: PowerReport) => Partial<PowerReport>): Run {
  return { ...run, report: { ...run.report, ...change(run.report) } };
}

afterEach(() => void vi.restoreAllMocks());

interface Broken {
  readonly what: string;
  readonly check: Check;
  readonly run: () => Run;
}

const halved = (c: Command): Command =>
  c.kind === "move" && c.mover === "bm"
    ? {
        ...c,
        src: { ...c.src, runs: { ...c.src.runs, bytes: c.src.runs.bytes / 2 } },
        dst: { ...c.dst, runs: { ...c.dst.runs, bytes: c.dst.runs.bytes / 2 } },
      }
    : c;

const BROKEN: readonly Broken[] = [
  {
    what: "stalls count as idle",
    check: INVARIANTS.accounting,
    run: () =>
      reporting(runOf(product, edge), ({ units }) => ({
        units: units.map((u) => ({ ...u, stalls: {}, stalled: 0, idle: u.idle + u.stalled })),
      })),
  },
  {
    what: "a reason of stalls is forgotten",
    check: INVARIANTS.accounting,
    run: () =>
      reporting(runOf(product, edge), ({ units }) => ({
        units: units.map(({ stalls: { dram: _, ...stalls }, ...u }) => ({ ...u, stalls })),
      })),
  },
  {
    what: "compute hides no transfers",
    check: INVARIANTS.accounting,
    run: () =>
      reporting(runOf(product, edge), ({ totalCycles, computeCycles }) => ({
        memoryStallCycles: totalCycles - computeCycles,
        otherCycles: 0,
      })),
  },
  {
    what: "memory counts in the wrong clock",
    check: INVARIANTS.withinRates,
    run: () => {
      const slow = { ...edge, clocks: { ...edge.clocks, memory: 1e8 } };
      return confused({ machine: edge }, { trace: loads, machine: slow });
    },
  },
  {
    what: "transfers take a tick",
    check: INVARIANTS.withinRates,
    run: () => {
      vi.spyOn(Stages.prototype, "transfer").mockImplementation((_c, _u, time) => time + 1);
      return runOf(loads, edge);
    },
  },
  {
    what: "a block mover loses half of its bytes",
    check: INVARIANTS.traffic,
    run: () => confused({ trace: edited(product, halved) }, { trace: product }),
  },
  {
    what: "what cores read is not counted",
    check: INVARIANTS.traffic,
    run: () =>
      confused(
        { trace: edited(meeting, (c) => (c.kind === "core" ? { ...c, read: {} } : c)) },
        { trace: meeting },
      ),
  },
  {
    what: "an engine begins a transfer before the one before has ended",
    check: INVARIANTS.exclusive,
    run: () => {
      const one = { ...edge, dma: { ...edge.dma, engines: 1, window: 1 } };
      return confused(
        { machine: { ...one, dma: { ...one.dma, window: 2 } } },
        { trace: product, machine: one },
      );
    },
  },
  {
    what: "DRAM serves all at once",
    check: INVARIANTS.exclusive,
    run: () => {
      const access = Dram.prototype.access;
      vi.spyOn(Dram.prototype, "access").mockImplementation(function (this: Dram, address, runs) {
        access.call(this, address, runs);
        this.occupied.fill(0);
      });
      return runOf(product, scaled(greedy, "dram.bytesPerCycle", 0.125));
    },
  },
  {
    what: "a command does not wait for its events",
    check: INVARIANTS.ordered,
    run: () => confused({ trace: edited(product, withoutAfter) }, { trace: product }),
  },
  {
    what: "strides of the outer loop are forgotten",
    check: INVARIANTS.ordered,
    run: () =>
      confused(
        {
          trace: edited(product, (c) => {
            if (c.kind !== "move" || c.src.at.strides === undefined) return c;
            const strides = c.src.at.strides.map((s, i) => (i === 0 ? s : 0));
            return { ...c, src: { ...c.src, at: { ...c.src.at, strides } } };
          }),
        },
        { trace: product },
      ),
  },
  {
    what: "tiles do not meet",
    check: INVARIANTS.ordered,
    run: () =>
      confused({ trace: edited(meeting, (c) => (c.kind === "barrier" ? undefined : c)) }, { trace: meeting }),
  },
  {
    what: "a core does not wait for an event",
    check: INVARIANTS.ordered,
    run: () => {
      const waits = edited(product, (c) => (c.kind === "wait" || c.kind === "mma" ? undefined : c));
      const [first] = [...(waits.tiles[0] ?? [])];
      const loop = first?.kind === "loop" && first.body[0]?.kind === "loop" ? first.body[0].body : [];
      const once = loop.filter((i): i is Command => i.kind === "move" && i.signal === 0).slice(0, 1);
      const flat = once.map((c) => (c.kind === "move" ? { ...c, src: { ...c.src, at: { base: 0 } } } : c));
      const waited: Item[] = [...flat, { kind: "wait", event: 0, at: 90 }, ...flat.map(withoutSignal)];
      const trace = (items: Item[]): Trace => ({ version: 1, kernel: "waited", tiles: [items] });
      return confused({ trace: trace(waited.filter((i) => i.kind !== "wait")) }, { trace: trace(waited) });
    },
  },
  {
    what: "products overlap without end",
    check: INVARIANTS.spaced,
    run: () => {
      vi.spyOn(Products.prototype, "interval").mockReturnValue(1);
      const mma: Command = { kind: "mma", dtype: "i8", m: 16, n: 16, k: 64, dataflow: "os", at: 0 };
      return runOf({ version: 1, kernel: "products", tiles: [[mma, mma, mma]] }, edge);
    },
  },
  {
    what: "one run remembers another",
    check: INVARIANTS.deterministic,
    run: () => {
      let calls = 0;
      const { transfer } = Stages.prototype;
      vi.spyOn(Stages.prototype, "transfer").mockImplementation(function (this: Stages, ...args) {
        return transfer.apply(this, args) + calls++;
      });
      return runOf(product, edge);
    },
  },
  {
    what: "a memory has no end",
    check: INVARIANTS.inCapacity,
    run: () => {
      const small = { ...edge, dram: { ...edge.dram, capacityBytes: 8192 } };
      return confused({ machine: edge }, { trace: product, machine: small });
    },
  },
  {
    what: "buffers are used again before they are free",
    check: buffersLiveOnce,
    run: () => confused({ trace: edited(product, withoutAfter) }, { trace: product }),
  },
];

function withoutAfter(c: Command): Command {
  if (c.kind !== "move" && c.kind !== "mma" && c.kind !== "fill") return c;
  const { after: _, ...rest } = c;
  return rest;
}
function withoutSignal(c: Command): Command {
  if (c.kind !== "move") return c;
  const { signal: _, ...rest } = c;
  return rest;
}

describe("each check finds what breaks it", () => {
  test.each(BROKEN)("$what", ({ check, run }) => {
    expect(check(run())).not.toEqual([]);
    vi.restoreAllMocks();
    // And finds nothing when the model is whole.
    for (const trace of [product, meeting, loads])
      for (const machine of [edge, greedy]) expect(check(runOf(trace, machine))).toEqual([]);
  });

  test("each of the invariants has one", () => {
    for (const [name, check] of Object.entries(INVARIANTS))
      expect(
        BROKEN.some((b) => b.check === check),
        name,
      ).toBe(true);
  });
});
