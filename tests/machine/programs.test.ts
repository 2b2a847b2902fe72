/**
 * The invariants over programs: kernels drawn at random and products of the library, compiled, their traces timed on random
 * machines; and for each invariant a model, a configuration or a schedule that is broken on purpose, which its check finds.
 */
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Products } from "../../machine/model/program.ts";
import type { PowerReport } from "../../machine/model/report.ts";
import { timeTrace } from "../../machine/model/run.ts";
import type { ScheduleRow } from "../../machine/model/schedule.ts";
import { Stages } from "../../machine/model/stages.ts";
import { PRESETS } from "../../machine/presets/index.ts";
import { verifyTrace } from "../../machine/trace-verify.ts";
import { arbitraryMachine, arbitraryVariation, scaled } from "./arbitraries.ts";
import { buffersLiveOnce, type Check, INVARIANTS, type Run, runOf } from "./invariants.ts";
import { arbitraryProduct, generatedCases, holding, type ProductCase, productCase } from "./programs.ts";
import { COUNTS, SPEEDS, serial, slower } from "./resources.ts";

const CHECKS: Readonly<Record<string, Check>> = { ...INVARIANTS, buffersLiveOnce };

function expectSound(run: Run, what: string): void {
  for (const [name, check] of Object.entries(CHECKS)) expect(check(run), `${name}, ${what}`).toEqual([]);
}

const SEEDS = Array.from({ length: 48 }, (_, seed) => seed);

describe("generated programs", () => {
  const cases = generatedCases(SEEDS, 1200);
  const on = fc
    .record({ drawn: fc.constantFrom(...cases), machine: arbitraryMachine })
    .map(({ drawn, machine }) => ({
      ...drawn,
      machine: holding(machine, drawn.program.compiled.target, drawn.tiles),
    }));

  test("are enough, of all kinds", () => {
    expect(cases.length).toBeGreaterThan(24);
    const traces = cases.map((c) => JSON.stringify(c.trace));
    for (const kind of ['"dma"', '"bm"', '"rows"', '"mma"', '"drain"', '"barrier"', '"loop"', '"core"'])
      expect(traces.filter((t) => t.includes(kind)).length, kind).toBeGreaterThan(2);
    expect(new Set(cases.map((c) => c.tiles)).size).toBeGreaterThan(2);
  });

  test("all invariants", () => {
    fc.assert(
      fc.property(on, ({ trace, machine, what }) => {
        expect(verifyTrace(trace, machine)).toEqual([]);
        expectSound(runOf(trace, machine), what);
      }),
      { numRuns: 60 },
    );
  });

  test("what a run changes of its arguments, its trace has written", () => {
    for (const { program, args, tiles, trace, what } of cases) {
      const own = args.map((a) => (ArrayBuffer.isView(a) ? structuredClone(a) : a));
      program.runWith({ tiles, print: () => undefined }, ...own);
      const changed = args.reduce<number>((sum, before, i) => {
        const after = own[i];
        if (!ArrayBuffer.isView(before) || !ArrayBuffer.isView(after)) return sum;
        const [x, y] = [bytesOf(before), bytesOf(after)];
        return sum + x.reduce((n, byte, at) => n + (byte === y[at] ? 0 : 1), 0);
      }, 0);
      const { traffic } = timeTrace(trace, PRESETS.t64, { mode: "functional" });
      expect(traffic.dram.written, what).toBeGreaterThanOrEqual(changed);
    }
  });

  test("more of a resource does not make them slower, where commands come one by one", () => {
    fc.assert(
      fc.property(on, ({ trace, machine, what }) => {
        expect(slower(serial(trace), machine, SPEEDS), what).toEqual([]);
      }),
      { numRuns: 10 },
    );
  });
});

function bytesOf(a: ArrayBufferView): Uint8Array {
  return new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
}

const EDGE_PRODUCT = { a: "i8", b: "i8", out: "i32" } as const;

describe("products of the library", () => {
  test("all invariants; each byte of the operands read and each of the result written at least once", () => {
    fc.assert(
      fc.property(
        arbitraryProduct(arbitraryVariation),
        ({ trace, machine, what, bytes, sizes: { m, n, k } }) => {
          const run = runOf(trace, machine);
          expectSound(run, what);
          const { traffic, macs } = run.report;
          expect(macs).toBe(m * n * k);
          expect(traffic.dram.read).toBeGreaterThanOrEqual(bytes.read);
          expect(traffic.dram.written).toBeGreaterThanOrEqual(bytes.written);
        },
      ),
      { numRuns: 5 },
    );
  });

  test.each(["minimal", "edge", "t64"] as const)(
    "on %s: more of a resource does not make one slower",
    (name) => {
      const { trace, machine } = productCase(EDGE_PRODUCT, { m: 128, n: 96, k: 192 }, PRESETS[name]);
      expect(slower(trace, machine, [...SPEEDS, ...COUNTS])).toEqual([]);
    },
  );

  test("an array of 8 x 8 takes about 4 times as long as one of 16 x 16 where products are all it waits for", () => {
    const { trace, machine } = productCase(EDGE_PRODUCT, { m: 256, n: 256, k: 1024 }, PRESETS.edge);
    const quarter = scaled(scaled(machine, "tile.fabric.rows", 0.5), "tile.fabric.cols", 0.5);
    const times = (): number => timeTrace(trace, quarter).totalCycles / timeTrace(trace, machine).totalCycles;
    expect(times()).toBeGreaterThan(3.5);
    expect(times()).toBeLessThan(4.1);
    vi.spyOn(Products.prototype, "ticks").mockReturnValue(1000);
    vi.spyOn(Products.prototype, "interval").mockReturnValue(1000);
    expect(times()).toBeLessThan(3.5);
  });
});

afterEach(() => void vi.restoreAllMocks());

// ---------------------------------------------------------------------------------------------- broken on purpose

let made: ProductCase | undefined;
/** A product of the library with every engine in it. */
function sample(): ProductCase {
  made ??= productCase(EDGE_PRODUCT, { m: 96, n: 64, k: 64 }, PRESETS.edge, 2);
  return made;
}
function whole(): Run {
  const { trace, machine } = sample();
  return runOf(trace, machine);
}
function reporting(change: (r: PowerReport) => Partial<PowerReport>): Run {
  const run = whole();
  return { ...run, report: { ...run.report, ...change(run.report) } };
}
/** The schedule with another row in the place of the first one that a test picks. */
function rescheduled(pick: (r: ScheduleRow) => boolean, change: (r: ScheduleRow) => ScheduleRow): Run {
  return reporting(({ schedule = [] }) => {
    const at = schedule.findIndex(pick);
    if (at < 0) throw new TypeError("no row to break");
    return { schedule: schedule.map((row, i) => (i === at ? change(row) : row)) };
  });
}

const BROKEN: readonly (readonly [invariant: number, what: string, check: Check, run: () => Run])[] = [
  [
    1,
    "an engine is said to be idle while it waits",
    INVARIANTS.accounting,
    () =>
      reporting(({ units }) => ({
        units: units.map((u) => ({ ...u, stalls: {}, stalled: 0, idle: u.idle + u.stalled })),
      })),
  ],
  [
    2,
    "memory counts in another clock",
    INVARIANTS.withinRates,
    () => {
      const run = whole();
      return { ...run, machine: { ...run.machine, clocks: { ...run.machine.clocks, memory: 1e6 } } };
    },
  ],
  [
    3,
    "half of what is read of DRAM is lost",
    INVARIANTS.traffic,
    () =>
      reporting(({ traffic }) => ({
        traffic: { ...traffic, dram: { ...traffic.dram, read: traffic.dram.read / 2 } },
      })),
  ],
  [
    4,
    "an engine begins a transfer inside of another",
    INVARIANTS.exclusive,
    () => {
      const { schedule = [] } = whole().report;
      const rows = schedule
        .filter((r) => r.component === "tile.0.rows")
        .toSorted((a, b) => a.cycle - b.cycle);
      const before = rows[0];
      const second = rows[1];
      if (before === undefined || second === undefined) throw new TypeError("no two transfers");
      return rescheduled(
        (r) => r.component === second.component && r.cycle === second.cycle,
        (r) => ({ ...r, cycle: before.cycle }),
      );
    },
  ],
  [
    4,
    "a command begins before its core has issued it",
    INVARIANTS.ordered,
    () =>
      rescheduled(
        (r) => r.op === "mma",
        (r) => ({ ...r, cycle: r.issued - 1 }),
      ),
  ],
  [
    4,
    "a buffer is written while it is read",
    buffersLiveOnce,
    () => {
      const { schedule = [] } = whole().report;
      const read = schedule.find((r) => r.component === "tile.0.rows")!;
      return rescheduled(
        (r) => r.dst?.level === "l2" && r.tile === 0,
        (r) => ({ ...r, dst: read.src!, cycle: read.cycle, end: read.end }),
      );
    },
  ],
  [
    4,
    "products overlap without end",
    INVARIANTS.spaced,
    () => {
      vi.spyOn(Products.prototype, "interval").mockReturnValue(1);
      return whole();
    },
  ],
  [
    6,
    "a run remembers the one before",
    INVARIANTS.deterministic,
    () => {
      let calls = 0;
      const { transfer } = Stages.prototype;
      vi.spyOn(Stages.prototype, "transfer").mockImplementation(function (this: Stages, ...args) {
        return transfer.apply(this, args) + calls++;
      });
      return whole();
    },
  ],
  [
    8,
    "DRAM has no end",
    INVARIANTS.inCapacity,
    () => {
      const run = whole();
      return { ...run, machine: { ...run.machine, dram: { ...run.machine.dram, capacityBytes: 4096 } } };
    },
  ],
];

describe("each check finds what breaks it", () => {
  test.each(BROKEN)("invariant %d: %s", (_, _what, check, run) => {
    expect(check(whole())).toEqual([]);
    expect(check(run())).not.toEqual([]);
  });

  test("invariant 5: what is faster makes the model slower", () => {
    const { trace, machine } = sample();
    const { transfer } = Stages.prototype;
    const machines = new Set<Stages>();
    vi.spyOn(Stages.prototype, "transfer").mockImplementation(function (this: Stages, ...args) {
      machines.add(this);
      // The first machine is the one before.
      return transfer.apply(this, args) + (machines.size > 1 ? 10_000 : 0);
    });
    expect(slower(trace, machine, [{ fields: ["dram.bytesPerCycle"], factor: 2 }])).toHaveLength(1);
  });
});
