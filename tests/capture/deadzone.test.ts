/** Names that are captured before their declaration has run are refused, in both executions; undefined itself is a value. */
import { type AnyKernel, build, check, f32, i32, KpuError, kernel, ptr, S, simulate } from "kpu-dsl";
import { expect, test } from "vitest";

const early = kernel([ptr(i32)], function early(out) {
  out.set(0, ofModule);
});
const earlyCodes = codes(early);
const ofModule = 7;

function codes(k: AnyKernel): string[] {
  return check(k).map((d) => `${d.code} ${d.message}`);
}
const refused = (name: string): string[] => [
  `KPU2012 expected a value, but the declaration of ${name} has not run yet`,
];

test("a const of the module", () => {
  expect(earlyCodes).toEqual(refused("ofModule"));
  // Now it has a value, and the kernel is accepted.
  const out = new Int32Array(1);
  simulate(early, [out], { tiles: 1 });
  expect(out[0]).toBe(7);
});

test("a const, a let, a class of a function that is running", () => {
  const k = kernel([ptr(f32)], function k(out) {
    out.set(0, gain + Table.factor);
    if (offset !== undefined) out.set(1, offset);
  });
  expect(() => build(k)).toThrow(/the declaration of gain has not run yet/);
  expect(() => k(new Float32Array(2))).toThrow(KpuError);
  expect(codes(k)[0]).toContain("gain");
  const gain = 2;
  expect(codes(k)[0]).toContain("Table");
  class Table {
    static factor = 4;
  }
  expect(codes(k)[0]).toContain("offset");
  let offset: number | undefined;
  expect(codes(k)).toEqual([]);
  offset = undefined;
  const out = new Float32Array(2).fill(-1);
  simulate(k, [out], { tiles: 1 });
  expect([...out]).toEqual([6, -1]);
  build(k).runWith({ tiles: 1 }, out);
  expect([...out]).toEqual([6, -1]);
});

test("through a helper, and destructured", () => {
  const scaled = (x: number): number => x * scale;
  const k = kernel([ptr(i32), i32], function k(out, n) {
    out.set(0, scaled(n));
  });
  expect(codes(k)).toEqual(refused("scale"));
  const { scale } = { scale: 3 };
  expect(codes(k)).toEqual([]);
});

test("values that are undefined are no dead zone", () => {
  function made(bias?: number): AnyKernel {
    const extra = bias;
    const k = kernel([ptr(i32)], function k(out) {
      out.set(0, extra === undefined ? 1 : extra);
    });
    // Checked while its maker runs, after the declaration.
    expect(codes(k)).toEqual([]);
    const later = 1;
    return later === 1 ? k : early;
  }
  const out = new Int32Array(1);
  simulate(made(), [out], { tiles: 1 });
  expect(out[0]).toBe(1);
  simulate(made(5), [out], { tiles: 1 });
  expect(out[0]).toBe(5);
});

test("another variable of the same name, in a scope that has begun", () => {
  const value = 3;
  const k = kernel([ptr(i32)], function k(out) {
    out.set(0, S.i32(value));
  });
  {
    const inner = codes(k);
    const value = 9;
    expect([inner, value]).toEqual([[], 9]);
  }
});
