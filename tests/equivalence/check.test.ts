/** Equivalence as a product: agreement is found, planted differences are found, shrunk and explained. */
import {
  checkEquivalence,
  compareExecutions,
  describeInputs,
  f16,
  f32,
  i32,
  KpuError,
  kernel,
  ptr,
  S,
  simulate,
  u8,
} from "kpu-dsl";
import "kpu-dsl/vitest";
import { expect, test } from "vitest";

const double = kernel([ptr(f32), ptr(f32, { const: true }), i32], function double(out, x, n) {
  for (let i = S.tileId(); i < n; i += S.tileCount()) out.set(i, 2 * x.get(i));
});
describeInputs(double, (g) => {
  const n = g.size();
  return [g.array(f32, n), g.array(f32, n), n];
});

test("a kernel that agrees", () => {
  const report = checkEquivalence(double, { runs: 60 });
  expect(report).toMatchObject({ ok: true, runs: 60, compared: 60, stopped: 0, seed: 1 });
  expect(double).toAgree({ runs: 10 });
});

/** Stands for a compiler with a bug: runs the kernel right, then spoils what `spoil` says. */
const faulty =
  (spoil: (args: readonly unknown[]) => void) =>
  (args: readonly unknown[], o: { tiles: number; print: (line: string) => void }): void => {
    simulate(double, args, { tiles: o.tiles, print: o.print });
    spoil(args);
  };

test("a planted difference is found, and shrunk to the smallest input", () => {
  const report = compareExecutions(double, {
    runs: 200,
    compiled: faulty(([out, x]) => {
      const [to, from] = [out as Float32Array, x as Float32Array];
      if (to.length > 4 && Math.abs(from[4] as number) > 10) to[4] = 1;
    }),
  });
  expect(report.ok).toBe(false);
  const found = report.counterexample;
  expect(found).toMatchObject({
    tiles: 1,
    argument: "out",
    difference: {
      kind: "element",
      param: 0,
      index: 4,
      dtype: "f32",
      compiled: { value: 1, bits: 0x3f800000 },
    },
  });
  const [, x, n] = (found?.args ?? []) as [Float32Array, Float32Array, number];
  expect(n).toBe(5);
  expect(x).toHaveLength(5);
  expect([...x.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
  expect(found?.directLocation).toMatchObject({ file: expect.stringMatching(/check\.test\.ts$/), line: 20 });
  expect(found?.compiledLocations).toMatchObject([{ line: 20 }]);
});

test("-0 differs from 0, any NaN equals any NaN", () => {
  const minusZero = compareExecutions(double, {
    runs: 300,
    compiled: faulty(([out]) => {
      const to = out as Float32Array;
      for (let i = 0; i < to.length; i++) if (Object.is(to[i], -0)) to[i] = 0;
    }),
  });
  expect(minusZero.counterexample?.difference).toMatchObject({
    direct: { bits: 0x80000000 },
    compiled: { bits: 0 },
  });
  const otherNan = compareExecutions(double, {
    runs: 300,
    compiled: faulty(([out]) => {
      const bits = new Uint32Array((out as Float32Array).buffer);
      for (let i = 0; i < bits.length; i++) if (Number.isNaN((out as Float32Array)[i])) bits[i] = 0xffc12345;
    }),
  });
  expect(otherNan.ok).toBe(true);
});

test("the report replays by seed and path, and is thrown by checkEquivalence", () => {
  const compiled = faulty(([out]) => {
    const to = out as Float32Array;
    if (to.length > 10) to[10] = 99;
  });
  const first = compareExecutions(double, { runs: 100, seed: 5, compiled });
  const again = compareExecutions(double, {
    runs: 100,
    seed: 5,
    path: first.counterexample?.path ?? "",
    compiled,
  });
  expect(again.counterexample?.args).toEqual(first.counterexample?.args);
  let thrown: unknown;
  try {
    checkEquivalence(double, { runs: 100, seed: 5, compiled });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(KpuError);
  expect((thrown as KpuError).code).toBe("KPU6011");
  const text = (thrown as KpuError).message;
  expect(text).toContain("out[10]: f32");
  expect(text).toMatch(/compiled {2}99 \(0x42c60000\), written at .*check\.test\.ts:20/);
  expect(text).toContain(`replay with { seed: 5, path: "${first.counterexample?.path}" }`);
});

test("printed lines are compared", () => {
  const loud = kernel([i32], function loud(n) {
    S.print("n is {}", n);
  });
  const report = compareExecutions(loud, {
    runs: 20,
    tiles: [1],
    compiled: (args, o) => o.print(`tile 0: n is ${Math.min(Number(args[0]), 3)}`),
  });
  expect(report.counterexample).toMatchObject({
    args: [4],
    difference: { kind: "print", direct: "tile 0: n is 4", compiled: "tile 0: n is 3" },
  });
});

test("faults must be the same in both", () => {
  const reads = kernel([ptr(u8), i32], function reads(x, i) {
    x.set(0, x.get(i));
  });
  describeInputs(reads, (g) => [g.array(u8, 4), g.int(-2, 6)]);
  expect(checkEquivalence(reads, { runs: 100, tiles: [1] }).stopped).toBeGreaterThan(0);
  const silent = compareExecutions(reads, { runs: 100, tiles: [1], compiled: () => {} });
  expect(silent.ok).toBe(false);
});

test("a kernel without declared inputs gets them from its signature", () => {
  const square = kernel([ptr(f16), ptr(f16), i32], function square(out, x, n) {
    for (let i = S.tileId() * 16; i < n; i += S.tileCount() * 16) {
      const mask = S.tailMask(n - i, 16);
      const v = S.vload(x.at(i), { mask });
      S.vstore(S.vmul(v, v), out.at(i), { mask });
    }
  });
  expect(square).toAgree({ runs: 50 });
});

test("inputs that the kernel never accepts are no proof", () => {
  const strict = kernel([i32], function strict(n) {
    S.assert(n > 1e6, "n must be large");
  });
  expect(() => checkEquivalence(strict, { runs: 20 })).toThrow(/nothing was compared/);
});

test("the matcher fails with the report", () => {
  const tampered = { runs: 100, compiled: faulty(([out]) => (out as Float32Array).fill(7)) };
  expect(() => expect(double).toAgree(tampered)).toThrow(/smallest failing input/);
  expect(() => expect(double).not.toAgree({ runs: 5 })).toThrow(/agree on all 5 inputs/);
});
