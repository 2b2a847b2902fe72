import { inspect } from "node:util";
import { build, f32, i32, KpuError, kernel, NdBuffer, Ptr, ptr, S, simulate, u8 } from "kpu-dsl";
import { expect, test } from "vitest";

const fill = kernel([ptr(f32), i32], function fill(x, n) {
  for (let i = 0; i < n; i++) x.set(i, 1);
});
const refused = kernel([ptr(f32)], function refused(x) {
  var first = x.get(0);
  x.set(1, first);
});

function caught(run: () => unknown): KpuError {
  try {
    run();
  } catch (error) {
    if (error instanceof KpuError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
const here = (line: string): RegExp =>
  new RegExp(`--> .*presentation\\.test\\.ts:\\d+:\\d+\\n[^\\n]*\\n[^\\n]*${line}`);

const wrong = [1, 2] as never;
const MISTAKES: readonly (readonly [name: string, run: () => unknown, code: string, line: string])[] = [
  ["direct, bounds", () => fill(new Float32Array(4), 5), "KPU4001", "x\\.set\\(i, 1\\)"],
  ["compiled, bounds", () => build(fill).run(new Float32Array(4), 5), "KPU4001", "x\\.set\\(i, 1\\)"],
  ["direct, refused", () => refused(new Float32Array(4)), "KPU1006", "var first"],
  ["compiled, refused", () => build(refused), "KPU1006", "var first"],
  ["direct, argument", () => fill(wrong, 4), "KPU6001", "fill\\(wrong, 4\\)"],
  ["compiled, argument", () => build(fill).run(wrong, 4), "KPU6001", "run\\(wrong, 4\\)"],
  ["option", () => simulate(fill, [wrong, 4], { sede: 1 } as never), "KPU6006", "sede: 1"],
  ["program option", () => build(fill).runWith({ tile: 1 } as never, wrong, 4), "KPU6006", "tile: 1"],
  ["target", () => build(fill, { target: "none" as never }), "KPU6006", 'target: "none"'],
  ["no kernel", () => build((() => {}) as never), "KPU6008", "build\\(\\(\\(\\)"],
  ["declaration", () => kernel([3 as never], function k() {}), "KPU6008", "kernel\\(\\[3"],
  ["outside a kernel", () => S.barrier(), "KPU6005", "S\\.barrier\\(\\)"],
];

test.each(MISTAKES)("%s: the author's line, and no frame of ours", (_name, run, code, line) => {
  const error = caught(run);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(here(line));
  expect(error.diagnostics.every((d) => d.location?.file.endsWith("presentation.test.ts"))).toBe(true);
  expect(error.stack).toContain(`KpuError: ${error.message}\n`);
  expect(error.stack).toContain("presentation.test.ts");
  expect(error.stack).not.toMatch(/at .*\/(capture|codegen|dsl|ir|lowering|pysim|runtime|executions)[./]/);
});

test("printed by a console, an error is its report and not its data", () => {
  const text = inspect(caught(() => refused(new Float32Array(4))));
  expect(text).toMatch(/^KpuError: error\[KPU1006\]/);
  expect(text).not.toContain("diagnostics");
  expect(text).not.toContain("severity");
});

test("values print short", () => {
  expect(inspect(fill)).toBe("kernel fill(ptr(f32), i32)");
  expect(inspect(ptr(u8, { const: true }))).toBe("ptr(u8, { const: true })");
  expect(inspect(build(fill))).toBe("program fill(x: ptr(f32), n: i32) for edge, checks on");
  expect(inspect(S.vadd(S.vbcast(1, f32, { lanes: 2 }), 1))).toBe("f32x2 [2, 2]");
  expect(inspect(S.tailMask(2, 4))).toBe("mask<4> TTFF");
  expect(inspect({ dtype: f32 })).toBe("{ dtype: f32 }");
  const memory = { name: "x", scope: "global", byteLength: 16, region: {}, base: 0 } as const;
  expect(inspect(new Ptr(f32, memory, 4))).toBe("ptr<f32, global> x[1]");
  expect(inspect(new Ptr(f32, undefined))).toBe("null ptr<f32>");
  expect(inspect(new NdBuffer(f32, memory, 0, false, [2, 2]))).toBe("ptr<f32, global> x[0] shape 2x2");
  expect(inspect(simulate(fill, [new Float32Array(4), 4], { tiles: 1 }))).toBe(
    "fill on edge: 1 tile, 0 barriers, 0 transfers; round-robin, transfers eager, seed 1",
  );
});

test("names are the author's, though the transpiler renames those that shadow others", () => {
  const x = new Float32Array(2);
  const n = 2;
  const i = 7;
  const shadows = kernel([ptr(f32), i32], function shadows(x, n) {
    for (let i = 0; i < n; i++) {
      const value = i * 2;
      x.set(i, value);
    }
  });
  const program = build(shadows);
  expect(inspect(program)).toBe("program shadows(x: ptr(f32), n: i32) for edge, checks on");
  expect(program.kir).toMatch(/kernel @shadows\(%x: ptr<f32, global>, %n: i32\)/);
  expect(program.kir).toMatch(/for %i: i32 = 0/);
  expect(shadows.name).toBe("shadows");
  expect(caught(() => shadows(x, n + i)).message).toContain("writes x[2]");
});

test("@kernel under experimentalDecorators", () => {
  const legacy = kernel([f32]) as unknown as (target: object, key: string, descriptor: object) => void;
  const error = caught(() => legacy({}, "k", {}));
  expect(error.code).toBe("KPU6008");
  expect(error.message).toContain("remove experimentalDecorators from tsconfig.json");
});
