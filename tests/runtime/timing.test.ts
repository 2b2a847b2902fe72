/** What a call costs, in one call: kernels and programs, machines, arguments that are only sizes, steps. */
import {
  build,
  f32,
  i32,
  KpuError,
  kernel,
  loadProgram,
  ptr,
  S,
  stepKernel,
  TARGETS,
  type TimeOptions,
  timeKernel,
  traceKernel,
} from "kpu-dsl";
import { checkMachine, PRESETS, targetOf, timeTrace } from "kpu-dsl/machine";
import { timeProgram } from "kpu-dsl/runtime";
import { describe, expect, test } from "vitest";

const [LOAD, WORK] = [1, 2];
/** y = a * x + y in chunks of 256 through local memory, the chunks on the tiles in turn. */
const saxpy = kernel([ptr(f32), ptr(f32), f32, i32], function saxpy(x, y, a, n) {
  const near = S.alloc(f32, [2, 256]);
  for (let i = 256 * S.tileId(); i < n; i += 256 * S.tileCount()) {
    S.perfBegin(LOAD);
    S.dmaCopy(near.at(0, 0), x.at(i), 256);
    S.dmaCopy(near.at(1, 0), y.at(i), 256);
    S.perfEnd(LOAD);
    S.perfBegin(WORK);
    for (let j = 0; j < 256; j += 8)
      S.vstore(S.vfma(S.vload(near.at(1, j)), S.vload(near.at(0, j)), a), near.at(1, j));
    S.perfEnd(WORK);
    S.dmaCopy(y.at(i), near.at(1, 0), 256);
  }
});
const N = 4096;
const shapes = [{ shape: [N] }, { shape: [N] }, 2, N];

const codesOf = (run: () => unknown): readonly string[] => {
  try {
    run();
  } catch (error) {
    if (error instanceof KpuError) return error.diagnostics.map((d) => d.code);
    throw error;
  }
  return [];
};

describe("timeKernel", () => {
  test("the metrics of a run, by name", () => {
    const report = timeKernel(saxpy, shapes, { mode: "power" });
    expect(report).toMatchObject({
      mode: "power",
      kernel: "saxpy",
      machine: "edge",
      traffic: {
        dram: { read: 8 * N, written: 4 * N },
        l3: { read: 0, written: 0 },
        l2: { read: 0, written: 0 },
        local: { read: 8 * N + 4 * N, written: 8 * N + 4 * N },
      },
    });
    const { totalCycles, computeCycles, memoryStallCycles, otherCycles, clock } = report;
    expect(totalCycles).toBeGreaterThan(12 * (N / 51.2));
    expect(computeCycles + memoryStallCycles + otherCycles).toBe(totalCycles);
    expect(report.totalTimeUs).toBeCloseTo((totalCycles / clock.hz) * 1e6, 9);
    expect(report.memoryBandwidthUtilization).toBeGreaterThan(0);
    expect(report.memoryBandwidthUtilization).toBeLessThan(1);
    expect(report.computeUtilization).toBe(0);
    expect(report.averagePowerWatts).toBeCloseTo(report.totalEnergyUj / report.totalTimeUs, 9);
    expect(report.ops.map(({ id, tiles, times, traffic }) => [id, tiles, times, traffic.dram])).toEqual([
      [LOAD, 2, N / 256, { read: 8 * N, written: 0 }],
      [WORK, 2, N / 256, { read: 0, written: 0 }],
    ]);
  });

  test("kernel, program and loaded program file are the same; arrays and their shapes, too", () => {
    const xs = new Float32Array(N).fill(1);
    const ys = new Float32Array(N).fill(3);
    const program = build(saxpy);
    const expected = timeKernel(saxpy, shapes);
    const args = [xs, ys, 2, N];
    expect(timeKernel(saxpy, args)).toEqual(expected);
    expect(timeKernel(program, args)).toEqual(expected);
    expect(timeProgram(loadProgram(program.bytes), shapes)).toEqual(expected);
    expect(timeTrace(traceKernel(saxpy, shapes), PRESETS.edge)).toEqual(expected);
    expect(timeTrace(traceKernel(program, shapes, { tiles: 1 }), PRESETS.edge).totalCycles).toBeGreaterThan(
      expected.totalCycles,
    );
    // Nothing has run.
    expect(ys.every((y) => y === 3)).toBe(true);
  });

  test("a kernel is built for the machine that it is timed on, a program runs where it fits", () => {
    const four = checkMachine({
      ...PRESETS.edge,
      name: "four",
      tile: { ...PRESETS.edge.tile, count: 4 },
    });
    const cores = (o: TimeOptions) =>
      timeKernel(saxpy, shapes, o).units.filter((u) => u.kind === "core").length;
    expect([cores({}), cores({ machine: "t64" }), cores({ machine: four })]).toEqual([2, 32, 4]);
    expect(cores({ machine: four, tiles: 3 })).toBe(3);
    const program = build(saxpy, { target: targetOf(four) });
    expect(timeKernel(program, shapes, { machine: four }).machine).toBe("four");
    expect(timeKernel(program, shapes, { machine: "t64" })).toMatchObject({ machine: "t64" });
  });

  test("mode functional counts, scalesim charges what that simulator does", () => {
    expect(timeKernel(saxpy, shapes, { mode: "functional" })).toMatchObject({
      mode: "functional",
      commands: 3 * (N / 256),
    });
    expect(timeKernel(saxpy, shapes, { fabricModel: "scalesim" }).fabricModel).toBe("scalesim");
  });
});

describe("refused", () => {
  const own = { ...TARGETS.edge, name: "mine" };
  const wrong = { ...PRESETS.edge, dram: { ...PRESETS.edge.dram, channels: 0, banks: 1.5 } };
  const dependent = kernel([ptr(f32)], function dependent(x) {
    if (x.get(0) > 0) S.barrier();
  });
  test.each<readonly [what: string, codes: readonly string[], run: () => unknown]>([
    [
      "a machine that is none, with all that is wrong",
      ["KPU9005", "KPU9005"],
      () => timeKernel(saxpy, shapes, { machine: wrong }),
    ],
    ["no such preset", ["KPU6006"], () => timeKernel(saxpy, shapes, { machine: "moon" as "edge" })],
    ["a target that no preset has", ["KPU6006"], () => timeKernel(build(saxpy, { target: own }), shapes)],
    [
      "more tiles than the machine",
      ["KPU9012"],
      () => timeKernel(build(saxpy), shapes, { machine: "minimal" }),
    ],
    ["half a tile", ["KPU6006"], () => timeKernel(saxpy, shapes, { tiles: 0.5 })],
    ["no such option", ["KPU6006"], () => timeKernel(saxpy, shapes, { model: "alone" } as object)],
    ["no such mode", ["KPU6006"], () => timeKernel(saxpy, shapes, { mode: "fast" as "cycle" })],
    ["no such fabric", ["KPU6006"], () => timeKernel(saxpy, shapes, { fabricModel: "tpu" as "alone" })],
    ["a mode without time", ["KPU6006"], () => stepKernel(saxpy, shapes, { mode: "functional" as "cycle" })],
    ["too few arguments", ["KPU6004"], () => timeKernel(saxpy, shapes.slice(1))],
    [
      "an array of another dtype",
      ["KPU6001"],
      () => timeKernel(saxpy, [new Int32Array(N), ...shapes.slice(1)]),
    ],
    [
      "a shape for a number",
      ["KPU6001"],
      () => timeKernel(saxpy, [{ shape: [N] }, { shape: [N] }, { shape: [1] }, N]),
    ],
    ["a shape that is none", ["KPU6002"], () => timeKernel(saxpy, [{ shape: [-1] }, { shape: [N] }, 2, N])],
    [
      "a number out of range",
      ["KPU6003"],
      () => timeKernel(saxpy, [{ shape: [N] }, { shape: [N] }, 2, 2 ** 31]),
    ],
    ["commands that depend on data", ["KPU9020"], () => timeKernel(dependent, [{ shape: [1] }])],
  ])("%s", (_, codes, run) => {
    expect(codesOf(run)).toEqual(codes);
  });
});

describe("stepKernel", () => {
  test("steps of any length come to the same end, with power and accesses on the way", () => {
    const run = stepKernel(saxpy, shapes, { mode: "power", schedule: true });
    let steps = 0;
    while (!run.step(97)) {
      steps++;
      expect(run.state()).toMatchObject({ cycle: 97 * steps, complete: false });
    }
    const whole = timeKernel(saxpy, shapes, { mode: "power", schedule: true });
    expect(run.runUntilComplete()).toEqual(whole);
    expect(run.state()).toMatchObject({ cycle: whole.totalCycles, complete: true, underWay: 0 });
    expect(run.powerTrace()).toEqual(whole.powerTrace);
    const bytes = (kind: string) =>
      run.memoryTrace().reduce((sum, a) => sum + (a.kind === kind ? a.bytes : 0), 0);
    expect([bytes("read"), bytes("write")]).toEqual([8 * N, 4 * N]);
    run.reset();
    expect(run.state()).toMatchObject({ cycle: 0, begun: 0 });
    expect(run.runUntilComplete()).toEqual(whole);
  });
});
