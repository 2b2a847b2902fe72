/** What graphs cost on a machine: invariants of the machine model for any graph, and counts worked out by hand. */
import fc from "fast-check";
import { type Buf, Graph } from "kpu-dsl/itpu";
import { describe, expect, test } from "vitest";
import { searchEffort } from "../../itpu/estimators/ksg.ts";
import { executionOf } from "../../itpu/execution.ts";
import { samplesOf } from "../../itpu/samples.ts";
import type { FieldPath } from "../../machine/coverage.ts";
import { timeTrace } from "../../machine/model/run.ts";
import { PRESETS } from "../../machine/presets/index.ts";
import type { MachineConfig } from "../../machine/schema.ts";
import type { UnitName } from "../../machine/trace.ts";
import { parseTrace } from "../../machine/trace-parse.ts";
import { printTrace } from "../../machine/trace-print.ts";
import { scaled } from "../machine/arbitraries.ts";
import { buffersLiveOnce, INVARIANTS } from "../machine/invariants.ts";
import { Draws } from "./draws.ts";

const machine = PRESETS["itpu-v0"];

/** A graph of one op of each kind, with sizes that take blocks of all sorts. */
const graphs = fc
  .record({
    n: fc.integer({ min: 40, max: 3000 }),
    long: fc.constantFrom(100, 17_000, 70_000, 200_000),
    dims: fc.integer({ min: 1, max: 2 }),
    edges: fc.integer({ min: 1, max: 300 }),
    seed: fc.nat(1000),
    zscore: fc.boolean(),
  })
  .map(({ n, long, dims, edges, seed, zscore }) => {
    const draws = new Draws(seed);
    const normal = (count: number): Float32Array =>
      Float32Array.from({ length: count }, () => draws.normal());
    const graph = new Graph();
    const x = graph.buffer("x", normal(n * dims), [n, dims]);
    const y = graph.buffer("y", normal(n));
    const z = graph.buffer("z", normal(long));
    graph.mi(x, y, { estimator: "ksg", k: 3, zscore });
    graph.mi(z, z, { bins: 8 });
    graph.batchMi([x, y], { bins: 4 });
    graph.batchMi([y, y, y], { estimator: "ksg", k: 3, pairing: "adjacent" });
    graph.kdePdf(y, graph.buffer("grid", normal(50)), { bandwidth: 0.5 });
    graph.entropy(z);
    graph.reduce(z, { op: "percentile" });
    graph.dma(z);
    const g = graph.buffer("g", normal(edges));
    graph.plasticityStep(g, g, graph.buffer("L", normal(edges * edges), [edges, edges]), null, null);
    return graph;
  });

test("the invariants of the machine hold", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const { trace, report } = graph.time({ schedule: true });
      for (const [name, check] of Object.entries({ ...INVARIANTS, buffersLiveOnce }))
        expect(check({ trace, machine, report }), name).toEqual([]);
      // Every input comes at least once, every result goes exactly once.
      const bytes = (name: string): number => graph.get(name).data.byteLength;
      const inputs = ["x", "y", "z", "grid", "g", "L"].reduce((sum, name) => sum + bytes(name), 0);
      const results = graph.descriptors.reduce((sum, d) => sum + bytes(d.outputs[0] as string), 0);
      expect(report.traffic.dram.read).toBeGreaterThanOrEqual(inputs);
      expect(report.traffic.dram.written).toBe(results);
      expect(parseTrace(printTrace(trace))).toEqual(trace);
    }),
    { numRuns: 6 },
  );
});

/** A machine with so many times the resource. */
const withMore = (field: FieldPath, times: number): MachineConfig => ({
  ...scaled(machine, field, times),
  name: `${field}-x-${times}`,
});

test("more of a resource makes no op slower", () => {
  const fields: readonly FieldPath[] = [
    "clocks.control",
    "clocks.memory",
    "dram.bytesPerCycle",
    "dma.bytesPerCycle",
    "tile.l2.bytesPerCycle",
    "tile.units.mieu.bytesPerCycle",
    "tile.units.mieu.count",
    "tile.units.ecu.count",
    "tile.units.spc.count",
  ];
  fc.assert(
    fc.property(graphs, (graph) => {
      const before = graph.time({ machine });
      for (const field of fields) {
        const after = graph.time({ machine: withMore(field, 2) });
        expect(after.microseconds, field).toBeLessThanOrEqual(1.01 * before.microseconds);
        after.ops.forEach(({ output, microseconds }, i) => {
          const most = 1.01 * (before.ops[i]?.microseconds ?? 0);
          expect(microseconds, `${output}, ${field}`).toBeLessThanOrEqual(most);
        });
      }
    }),
    { numRuns: 4 },
  );
});

describe("units", () => {
  const timed = (on: MachineConfig, unit: UnitName, build: (g: Graph) => unknown) => {
    const graph = new Graph();
    build(graph);
    const { cycles, ops, report } = graph.time({ machine: on });
    const atWork = report.units.filter((u) => u.kind === unit && u.done > 0).length;
    return { cycles, atWork, part: ops[0]?.bottleneck.part };
  };
  const waves = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => Math.sin(i));

  // The smallest graphs that more units would make slower if all of them worked on everything.
  test.each([
    ["mi", "mieu", 4, "latency", (g: Graph, x: Buf) => g.mi(x, x, { bins: 2 })],
    ["batchMi", "mieu", 4, "latency", (g: Graph, x: Buf) => g.batchMi([x], { estimator: "ksg", k: 1 })],
    ["reduce", "ecu", 2, "ecu", (g: Graph, x: Buf) => g.reduce(x, { op: "percentile" })],
  ] as const)("%s of two samples takes one %s, of many all %i", (_, unit, all, part, op) => {
    const of = (n: number) => (g: Graph) => op(g, g.buffer("x", waves(n)));
    const few = timed(machine, unit, of(2));
    expect(few).toMatchObject({ atWork: 1, part });
    for (const times of [2, 3, 10])
      expect(timed(withMore(`tile.units.${unit}.count`, times), unit, of(2)), `${times} times`).toEqual(few);
    expect(timed(machine, unit, of(5000)).atWork).toBe(all);
  });

  test("no more of them work than L2 has room for", () => {
    // A joint histogram of 1.44 MB for each, of 3.9 MB.
    const batch = (g: Graph) => g.batchMi([g.buffer("x", waves(1000)), "x", "x"], { bins: 600 });
    expect(timed(machine, "mieu", batch).atWork).toBe(2);
    expect(timed(withMore("tile.l2.bytesPerBank", 2), "mieu", batch).atWork).toBeGreaterThan(2);
  });
});

describe("counts", () => {
  const n = 1000;
  const draws = new Draws(3);
  const { x, y } = draws.pairs(n, 0.5);
  const graph = (build: (g: Graph) => unknown): Graph => {
    const g = new Graph();
    g.buffer("x", x);
    g.buffer("y", y);
    build(g);
    return g;
  };
  const unitWork = (build: (g: Graph) => unknown) => graph(build).time().report.unitWork;

  test("of a histogram of 8 x 8 by four units", () => {
    const cells = 8 * 8 + 8 + 8;
    expect(unitWork((g) => g.mi("x", "y", { bins: 8 }))).toEqual({
      // Ranges; bins of each, and sums of four histograms; three histograms of each sample.
      mieu: { compare: 4 * n, mac: 2 * n + 3 * cells + cells, bin: 3 * n, log: cells },
    });
  });

  test("of the densities at 10 points", () => {
    expect(unitWork((g) => g.kdePdf("x", g.buffer("grid", x.subarray(0, 10)), { bandwidth: 1 }))).toEqual({
      ecu: { exp: 10 * n, mac: 3 * 10 * n },
    });
  });

  test("of a search: at least the k nearest, at most all", () => {
    const k = 5;
    const effort = searchEffort(executionOf("compiled"), samplesOf(x), samplesOf(y), k);
    expect(effort.kept).toBeGreaterThanOrEqual(n * k);
    expect(effort.taken).toBeGreaterThanOrEqual(effort.kept);
    expect(effort.taken).toBeLessThan((n * (n - 1)) / 4);
    const direct = searchEffort(executionOf("direct"), samplesOf(x), samplesOf(y), k);
    expect(direct).toEqual(effort);
    const work = unitWork((g) => g.mi("x", "y", { estimator: "ksg", k }));
    expect(work.mieu?.difference).toBe(2 * effort.taken);
    expect(work.mieu?.digamma).toBe(2 * n);
  });

  test("of a batch: each pair as it is alone, on average", () => {
    const all = unitWork((g) => g.batchMi(["x", "y"], { estimator: "ksg", k: 4 }));
    const e = executionOf("compiled");
    const [a, b] = [samplesOf(x), samplesOf(y)];
    const taken = [searchEffort(e, a, a, 4), searchEffort(e, a, b, 4), searchEffort(e, b, b, 4)].reduce(
      (sum, s) => sum + s.taken,
      0,
    );
    expect(all.mieu?.difference).toBe(2 * taken);
  });

  test("an op that reads its samples once, and one in two passes that do not fit", () => {
    const read = (count: number): number => {
      const g = new Graph();
      g.entropy(g.buffer("z", new Float32Array(count).fill(1, 1)));
      return g.time().report.traffic.dram.read;
    };
    expect(read(1000)).toBe(4 * 1000);
    expect(read(1_500_000)).toBe(2 * 4 * 1_500_000);
  });
});

test("the ops take all of the time, and each says what holds it up", () => {
  const graph = new Graph();
  const { x, y } = new Draws(9).pairs(20_000, 0.3);
  graph.mi(graph.buffer("x", x), graph.buffer("y", y), { estimator: "ksg", k: 4 });
  graph.dma("x");
  const time = graph.time();
  expect(time.ops.map((o) => o.op)).toEqual(["mi", "dma"]);
  expect(time.ops.reduce((sum, o) => sum + o.cycles, 0)).toBe(time.cycles);
  expect(time.ops[0]?.bottleneck).toMatchObject({ part: "mieu", work: "compare" });
  expect(time.ops[1]?.bottleneck.part).toBe("dram");
  expect(time.energyUj).toBeGreaterThan(time.ops.reduce((sum, o) => sum + o.energyUj, 0));
  // The trace is the whole truth: it gives the same report by itself.
  expect(timeTrace(time.trace, machine, { mode: "power" }).totalCycles).toBe(time.cycles);
});

test("what does not fit is refused", () => {
  const g = new Graph();
  const big = g.buffer(
    "big",
    new Float32Array(200_000).fill(1, 1).map((_, i) => Math.sin(i)),
  );
  g.mi(big, big, { estimator: "ksg", k: 2 });
  expect(() => g.time()).toThrow(/KPU9012.*mi mi0 keeps 7200000 bytes in L2, itpu-v0 has/);
  expect(() => g.time({ machine: "edge" })).toThrow(/KPU9012.*a tile of edge has no mieu/);
  // A copy needs no unit.
  const copy = new Graph();
  copy.dma(copy.buffer("x", [1, 2, 3]));
  expect(copy.time({ machine: "edge" }).report.traffic.dram).toEqual({ read: 12, written: 12 });
});
