/** Times of small traces, worked out by hand on the machine of machines.ts, whose clocks are all 1 GHz. */
import { chromeTrace, TraceRun, timeTrace } from "kpu-dsl/machine";
import { describe, expect, test } from "vitest";
import { gemmTrace } from "../../bench/gemm-trace.ts";
import { PRESETS } from "../../machine/presets/index.ts";
import type { Command, End, Item, Level, Trace, UnitWork } from "../../machine/trace.ts";
import { smallMachine } from "./machines.ts";

function traceOf(...tiles: readonly Item[][]): Trace {
  return { version: 1, kernel: "t", tiles };
}
function end(level: Level, base: number, bytes: number): End {
  return { level, at: { base }, runs: { count: 1, bytes, stride: 0 } };
}
function load(base: number, bytes: number, signal?: number): Command {
  return {
    kind: "move",
    mover: "dma",
    src: end("dram", base, bytes),
    dst: end("l3", 0, bytes),
    transform: "identity",
    at: 0,
    ...(signal === undefined ? {} : { signal }),
  };
}
const wait = (event: number): Command => ({ kind: "wait", event, at: 0 });
const mma: Command = { kind: "mma", dtype: "f32", m: 4, n: 4, k: 10, dataflow: "os", at: 0 };
const unit = (report: ReturnType<typeof timeTrace>, name: string) => {
  if (report.mode === "functional") throw new TypeError("functional reports have no units");
  return report.units.find((u) => u.name === name);
};

describe("one transfer", () => {
  // Issue 1, startup 5, way to an open row 10 and opening 10, 64 bytes at 8 per cycle.
  const first = 1 + 5 + 10 + 10 + 8;

  test("out of DRAM: issue, startup, row, bytes", () => {
    expect(timeTrace(traceOf([load(0, 64)]), smallMachine).totalCycles).toBe(first);
  });

  test("the second finds the row open, and begins behind the first", () => {
    const report = timeTrace(traceOf([load(0, 64), load(64, 64)]), smallMachine);
    expect(report.totalCycles).toBe(first + 5 + 10 + 8);
    // Of each: its startup and bytes. The rest of its time it waits for DRAM.
    expect(unit(report, "dma.0")).toMatchObject({ busy: 26, stalls: { dram: 30 }, idle: 1, done: 2 });
  });

  test("with a window of two, latencies overlap and bytes follow each other", () => {
    const windowed = { ...smallMachine, dma: { ...smallMachine.dma, window: 2 } };
    const report = timeTrace(traceOf([load(0, 64), load(64, 64)]), windowed);
    expect(report.totalCycles).toBe(first + 8);
  });

  test("another row of the same bank is a conflict", () => {
    // Rows of 1024 bytes take turns on 4 banks.
    const report = timeTrace(traceOf([load(0, 64), load(4096, 64)]), smallMachine);
    expect(report.totalCycles).toBe(first + 5 + 10 + 20 + 8);
  });

  test("short runs cost whole bursts", () => {
    const runs = { count: 8, bytes: 8, stride: 64 };
    const strided: Command = {
      kind: "move",
      mover: "dma",
      src: { level: "dram", at: { base: 0 }, runs },
      dst: end("l3", 0, 64),
      transform: "identity",
      at: 0,
    };
    // 8 bursts of 32 bytes at 8 per cycle.
    expect(timeTrace(traceOf([strided]), smallMachine).totalCycles).toBe(first - 8 + 32);
  });
});

describe("a unit of a tile", () => {
  const search = (work: Partial<Record<UnitWork, number>>, bytes = 0): Command => ({
    kind: "unit",
    unit: "mieu",
    work,
    read: bytes === 0 ? {} : { l2: bytes },
    write: {},
    at: 0,
  });

  test("issue, startup, and the slowest kind of work", () => {
    // 8 differences, 4 comparisons and half a digamma per cycle.
    const report = timeTrace(traceOf([search({ difference: 80, compare: 80, digamma: 3 })]), smallMachine);
    expect(report).toMatchObject({ totalCycles: 1 + 4 + 20, computeCycles: 24 });
    expect(report.unitWork).toEqual({ mieu: { difference: 80, compare: 80, digamma: 3 } });
    expect(report.roofline.compute).toBe(80 / (2 * 4));
    expect(unit(report, "tile.0.mieu.0")).toMatchObject({ done: 1, busy: 24, stalled: 0, idle: 1 });
  });

  test("operands pass its port, then L2 where that is slower", () => {
    // The port takes 16 bytes per cycle; L2 32 of four banks, or 8 of one.
    const command = search({ compare: 4 }, 640);
    expect(timeTrace(traceOf([command]), smallMachine).totalCycles).toBe(1 + 4 + 40);
    const narrow = { ...smallMachine.tile, l2: { ...smallMachine.tile.l2, banks: 1 } };
    const report = timeTrace(traceOf([command]), { ...smallMachine, tile: narrow });
    expect(report.totalCycles).toBe(1 + 4 + 80);
    expect(unit(report, "tile.0.mieu.0")).toMatchObject({ busy: 44, stalls: { l2: 40 } });
  });

  test("its energy is that of lanes, and of tables in local memory", () => {
    const work = { difference: 80, compare: 80, digamma: 3 };
    const { energy } = timeTrace(traceOf([search(work)]), smallMachine, { mode: "power" });
    expect(energy.parts.units).toBeCloseTo((80 * 0.5 + 80 * 0.05 + 3 * (0.5 + 4 * 1.3)) * 1e-6, 12);
  });

  test("of two units each takes a command", () => {
    const report = timeTrace(traceOf([search({ compare: 80 }), search({ compare: 80 })]), smallMachine);
    expect(report.totalCycles).toBe(2 + 4 + 20);
  });

  test("one that is not there, and work that it does not do, are refused", () => {
    expect(() => timeTrace(traceOf([search({ exp: 1 })]), smallMachine)).toThrow(
      /the mieu of small does no exp/,
    );
    expect(() => timeTrace(traceOf([search({ compare: 1 })]), PRESETS.edge)).toThrow(
      /a tile of edge has no mieu/,
    );
  });
});

test("a product: fill, steps and drain behind its operands", () => {
  // fillCycles 1; K + 2R + C - 2 on 4 x 4.
  const alone = 1 + 10 + 8 + 4 - 2;
  const report = timeTrace(traceOf([mma]), smallMachine);
  expect(report.totalCycles).toBe(1 + alone);
  expect(report).toMatchObject({ computeCycles: alone, memoryStallCycles: 0, otherCycles: 1, macs: 160 });
  expect(report.computeUtilization).toBeCloseTo(160 / 16 / (1 + alone), 12);

  const behind: Command = { ...mma, after: [0] };
  const late = timeTrace(traceOf([load(0, 64, 0), behind, wait(0)]), smallMachine);
  expect(late).toMatchObject({
    totalCycles: 34 + alone,
    computeCycles: alone,
    memoryStallCycles: 33,
    otherCycles: 1,
  });
  expect(unit(late, "tile.0.fabric")).toMatchObject({ busy: alone, stalls: { operand: 32 }, idle: 2 });
  // It issues three times, and waits from the third on.
  expect(unit(late, "tile.0.core")).toMatchObject({ busy: 3, stalls: { event: 31 }, idle: alone });
});

test("a fabric clock of half the rate: cycles of both, converted", () => {
  const slow = { ...smallMachine, clocks: { ...smallMachine.clocks, fabric: 0.5e9 } };
  const alone = 1 + 10 + 8 + 4 - 2;
  expect(timeTrace(traceOf([mma]), slow)).toMatchObject({
    totalCycles: 1 + 2 * alone,
    clock: { name: "control" },
  });
  expect(timeTrace(traceOf([mma]), slow, { clock: "fabric" }).totalCycles).toBe(0.5 + alone);
});

test("two tiles share the DMA engine, and meet at a barrier", () => {
  const two = { ...smallMachine, tile: { ...smallMachine.tile, count: 2 } };
  const work = (cycles: number): Command => ({
    kind: "core",
    ops: {},
    lanes: { int: 0, float: 0, math: 0 },
    read: {},
    write: {},
    cycles,
    at: 0,
  });
  const barrier: Command = { kind: "barrier", at: 0 };
  const report = timeTrace(traceOf([work(10), barrier, work(5)], [work(30), barrier, work(5)]), two);
  expect(report.totalCycles).toBe(30 + 1 + 5);
  expect(unit(report, "tile.0.core")).toMatchObject({ busy: 16, stalls: { barrier: 20 }, idle: 0 });
});

test("a queue that is full stops its core", () => {
  const short = { ...smallMachine, tile: { ...smallMachine.tile, commands: { issue: 1, queue: 1 } } };
  const report = timeTrace(traceOf([load(0, 64), load(64, 64), load(128, 64), load(192, 64)]), short);
  expect(unit(report, "tile.0.core")?.stalls.queue).toBeGreaterThan(0);
});

test("traffic, spans and energy", () => {
  const mark = (id: string, phase: "begin" | "end"): Command => ({ kind: "mark", id, phase, at: 0 });
  const body = [mark("load", "begin"), load(0, 64, 0), wait(0), mark("load", "end")];
  const trace = traceOf([{ kind: "loop", count: 3, body }, mma]);
  const report = timeTrace(trace, smallMachine, { mode: "power" });
  expect(report.traffic.dram).toEqual({ read: 192, written: 0 });
  expect(report.traffic.l3).toEqual({ read: 0, written: 192 });
  const [op] = report.ops;
  expect(op).toMatchObject({ id: "load", times: 3, tiles: 1, commands: 3, macs: 0 });
  expect(op?.traffic.dram.read).toBe(192);
  // 192 bytes of DRAM at 40 pJ, of L3 at 3.24 pJ; one row opened.
  expect(op?.energyUj).toBeCloseTo((192 * 43.24 + 909) * 1e-6, 12);
  expect(report.energy.parts.dram).toBeCloseTo((192 * 40 + 909) * 1e-6, 12);
  expect(report.energy.staticUj).toBeCloseTo(100 * report.totalCycles * 1e-6, 12);
  expect(report.totalEnergyUj).toBeCloseTo(report.energy.dynamicUj + report.energy.staticUj, 12);
  expect(report.energy).toMatchObject({ source: "made up for tests", accuracy: "+-30 % at best" });
  expect(report.averagePowerWatts).toBeCloseTo(report.totalEnergyUj / report.totalTimeUs, 12);

  expect(timeTrace(trace, smallMachine, { mode: "functional" })).toMatchObject({
    commands: 4,
    macs: 160,
    traffic: { dram: { read: 192, written: 0 } },
  });
});

describe("power over time", () => {
  const trace = gemmTrace({ m: 64, n: 64, k: 256, block: 32 });
  test.each([undefined, 100, 1e6])("windows of %s cycles hold all of the energy", (powerWindow) => {
    const options = { mode: "power" as const, ...(powerWindow === undefined ? {} : { powerWindow }) };
    const report = timeTrace(trace, PRESETS.edge, options);
    const { powerTrace } = report;
    const energy = powerTrace.reduce((sum, p) => sum + p.watts * (p.end - p.cycle), 0) / report.clock.hz;
    expect(energy).toBeCloseTo(report.totalEnergyUj * 1e-6, 15);
    expect(powerTrace.map((p) => p.cycle)).toEqual([0, ...powerTrace.slice(0, -1).map((p) => p.end)]);
    expect(powerTrace.at(-1)?.end).toBe(report.totalCycles);
    if (powerWindow === undefined) expect(powerTrace.length).toBeGreaterThan(60);
    for (const { watts } of powerTrace) expect(watts).toBeGreaterThan(0);
  });
});

describe("step by step", () => {
  const trace = gemmTrace({ m: 64, n: 64, k: 256, block: 32 });
  test.each(["cycle", "power"] as const)("mode %s: the same report, however the steps are cut", (mode) => {
    const whole = timeTrace(trace, PRESETS.edge, { mode, powerWindow: 500 });
    const run = new TraceRun(trace, PRESETS.edge, mode, { powerWindow: 500 });
    for (const cycles of [1, 7, 1000.5, 3]) expect(run.step(cycles)).toBe(false);
    expect(run.state().cycle).toBe(1011.5);
    const { begun, underWay, tiles, complete } = run.state();
    expect([begun > 0, underWay > 0, complete]).toEqual([true, true, false]);
    expect(tiles[0]?.doing).toBe("waits for an event");
    while (!run.step(999));
    expect(run.state()).toMatchObject({ complete: true, cycle: whole.totalCycles, underWay: 0 });
    const stepped = run.runUntilComplete();
    const same = (r: object) => ({ ...r, skippedRounds: 0 });
    expect(same(stepped)).toEqual(same(whole));

    run.reset();
    expect(run.state()).toMatchObject({ cycle: 0, begun: 0, complete: false });
    expect(same(run.runUntilComplete())).toEqual(same(whole));
  });

  test("what is not recorded is an error that says what to ask for", () => {
    const run = new TraceRun(trace, PRESETS.edge, "cycle");
    expect(() => run.powerTrace()).toThrow(/KPU9014/);
    expect(() => run.memoryTrace()).toThrow(/KPU9014/);
  });
});

describe("schedule", () => {
  test("rows: what ran where, from and to", () => {
    const report = timeTrace(traceOf([load(0, 64, 0), { ...mma, after: [0] }, wait(0)]), smallMachine, {
      schedule: true,
    });
    const runs = { count: 1, bytes: 64, stride: 0 };
    expect(report.schedule).toEqual([
      {
        issued: 1,
        cycle: 1,
        end: 34,
        component: "dma.0",
        op: "identity",
        tile: 0,
        src: { level: "dram", address: 0, runs },
        dst: { level: "l3", address: 0, runs },
        at: 0,
      },
      { issued: 2, cycle: 34, end: 55, component: "tile.0.fabric", op: "mma", tile: 0, at: 0 },
    ]);
  });

  test("accesses of DRAM, run by run", () => {
    const trace = gemmTrace({ m: 32, n: 32, k: 64, block: 32 });
    const run = new TraceRun(trace, PRESETS.edge, "power", { schedule: true });
    const report = run.runUntilComplete();
    const bytes = (kind: string) =>
      run.memoryTrace().reduce((sum, a) => sum + (a.kind === kind ? a.bytes : 0), 0);
    expect({ read: bytes("read"), written: bytes("write") }).toEqual(report.traffic.dram);
    expect(run.memoryTrace()[0]).toEqual({ cycle: 1, kind: "read", address: 0, bytes: 32 });
  });

  test("more rows than the limit are an error", () => {
    const trace = gemmTrace({ m: 64, n: 64, k: 256, block: 32 });
    expect(() => timeTrace(trace, PRESETS.edge, { schedule: { maxRows: 100 } })).toThrow(
      /KPU9013.*more than 100 rows/s,
    );
  });

  test("as a file for trace viewers", () => {
    const { schedule, clock, totalTimeUs } = timeTrace(
      gemmTrace({ m: 32, n: 32, k: 64, block: 32 }),
      PRESETS.edge,
      { schedule: true },
    );
    const { traceEvents } = JSON.parse(chromeTrace(schedule ?? [], clock.hz)) as {
      traceEvents: { ph: string; ts: number; dur: number; pid: number; tid: number; name: string }[];
    };
    const spans = traceEvents.filter((e) => e.ph === "X");
    expect(spans).toHaveLength(schedule?.length ?? 0);
    expect(Math.max(...spans.map((e) => e.ts + e.dur))).toBeCloseTo(totalTimeUs, 9);
    const named = new Set(
      traceEvents.filter((e) => e.name === "thread_name").map((e) => `${e.pid} ${e.tid}`),
    );
    for (const e of spans) expect(named.has(`${e.pid} ${e.tid}`)).toBe(true);
  });
});
