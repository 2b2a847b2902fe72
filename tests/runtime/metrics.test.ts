/** What a call costs, as program files keep it; and weights that programs hold. */
import { build, estimateProgram, f32, i32, kernel, loadProgram, ptr, S } from "kpu-dsl";
import { expect, test } from "vitest";
import { TARGETS } from "../../ir/target.ts";
import { gemmKernel } from "../../kernels/gemm/kernel.ts";
import { planGemm } from "../../kernels/gemm/plan.ts";
import { knownArguments, metricsOf } from "../../runtime/metrics.ts";
import { timeProgram } from "../../runtime/timing.ts";

/** Two ops, each in a span of its own, and a third that is marked nowhere. */
const twoOps = kernel(
  [ptr(f32), ptr(f32, { const: true }), f32],
  function twoOps(x, w, a) {
    const near = S.alloc(f32, [64], "local");
    S.perfBegin(4);
    S.dmaCopy(near.at(0), x, 64);
    S.perfEnd(4);
    S.perfBegin(7);
    for (let i = 0; i < 64; i += 8) S.vstore(S.vmul(S.vload(near.at(i)), S.vload(w)), x.at(i));
    S.perfEnd(7);
    x.set(0, a);
  },
  {
    tensors: [
      { name: "x", dtype: "f32", shape: [8, 8], role: "inout", param: "x" },
      { name: "factors", dtype: "f32", shape: [8], role: "weight", param: "w" },
    ],
    ops: [
      { name: "bring", kind: "copy", span: 4, dims: {}, inputs: ["x"], outputs: [] },
      { name: "scale", kind: "multiply", span: 7, dims: {}, inputs: ["x", "factors"], outputs: ["x"] },
      { name: "else", kind: "store", dims: {}, inputs: [], outputs: ["x"] },
    ],
    weights: { factors: new Uint8Array(Float32Array.from({ length: 8 }, (_, i) => i).buffer) },
  },
);

test("a report joined with the ops of the program, by their spans", () => {
  const program = build(twoOps, { target: "minimal" });
  const args = [{ shape: [64] }, { shape: [8] }, Number.NaN];
  const report = timeProgram(program, args, { mode: "power" });
  const metrics = estimateProgram(program, args, { mode: "power" });
  expect(metrics).toEqual(metricsOf(program, args, report));
  expect(metrics.arguments).toEqual([{ bytes: 256 }, { bytes: 32 }, "NaN"]);
  expect(metrics.source).toBe("machine model, mode power");
  expect(metrics.ops.map((o) => o.op)).toEqual(["bring", "scale"]);
  const [bring, scale] = metrics.ops;
  expect(bring?.traffic.dram.read).toBe(256);
  expect(bring?.traffic.local.written).toBe(256);
  expect(scale?.traffic.dram).toEqual({ read: 8 * 32, written: 256 });
  expect(scale?.cycles).toBe(report.ops.find((o) => o.id === 7)?.cycles);
  expect(metrics.computeCycles + metrics.memoryStallCycles + metrics.otherCycles).toBeCloseTo(
    metrics.totalCycles,
    6,
  );
});

test("what costs are kept in the file, and come back", () => {
  const program = build(twoOps, { target: "minimal" });
  const estimates = estimateProgram(program, [{ shape: [64] }, { shape: [8] }, -0]);
  expect(estimates.arguments[2]).toBe("-0");
  expect(estimates.totalEnergyUj).toBeUndefined();
  const kept = loadProgram(program.withMetrics({ estimates, measured: estimates }).bytes);
  expect(kept.compiled.estimates).toEqual(estimates);
  expect(kept.compiled.measured).toEqual(estimates);
  expect(kept.asm).toBe(program.asm);
  expect(program.compiled.estimates).toBeUndefined();
});

test("metrics of another program are refused", () => {
  const program = build(twoOps, { target: "minimal" });
  const estimates = estimateProgram(program, [{ shape: [64] }, { shape: [8] }, 0]);
  const other = build(
    kernel([ptr(f32)], (x) => x.set(0, 1)),
    { target: "minimal" },
  );
  expect(() => other.withMetrics({ estimates })).toThrow("is for 3 arguments, the program has 1 parameters");
  const [bring] = estimates.ops;
  if (bring === undefined) throw new TypeError("there is an op");
  for (const [ops, says] of [
    [[{ ...bring, op: "gone" }], 'names the op "gone"'],
    [[bring, bring], "names an op twice"],
  ] as const)
    expect(() => program.withMetrics({ measured: { ...estimates, ops } })).toThrow(says);
});

test("the one op of a product is all of it", () => {
  const spec = { a: "i8", b: "i8", out: "i32" } as const;
  const sizes = { m: 64, n: 48, k: 96 };
  const target = TARGETS.edge;
  const program = build(gemmKernel(spec, planGemm(spec, sizes, target, 2), target, 2), { target });
  const arrays = [64 * 48, 64 * 96, 96 * 48].map((n) => ({ shape: [n] }));
  const metrics = estimateProgram(program, [...arrays, null, null, null, 64, 48, 96]);
  expect(metrics.macs).toBe(64 * 48 * 96);
  expect(metrics.ops).toEqual([
    { op: "gemm", cycles: metrics.totalCycles, macs: metrics.macs, traffic: metrics.traffic },
  ]);
  expect(metrics.arguments.slice(2)).toEqual([{ bytes: 96 * 48 }, null, null, null, 64, 48, 96]);
});

test("calls that have one set of arguments", () => {
  expect(knownArguments(build(twoOps))).toBeUndefined();
  const known = kernel([ptr(f32), ptr(f32)], (x, y) => x.set(0, y.get(0)), {
    tensors: [
      { name: "x", dtype: "f32", shape: [4, 2], role: "output", param: "x" },
      { name: "y", dtype: "f32", shape: [], role: "input", param: "y" },
    ],
    ops: [],
  });
  expect(knownArguments(build(known))).toEqual([{ shape: [8] }, { shape: [1] }]);
  const undescribed = kernel([ptr(f32), i32], (x, n) => x.set(n, 0));
  expect(knownArguments(build(undescribed))).toBeUndefined();
});

test("weights that a program holds run with it", () => {
  const program = loadProgram(build(twoOps, { target: "minimal" }).bytes);
  const x = new Float32Array(64).fill(2);
  program.run(x, program.weights.get("w"), 5);
  expect([...x]).toEqual(Array.from({ length: 64 }, (_, i) => (i === 0 ? 5 : 2 * (i % 8))));
});
