/** One lane of a vector or a mask replaced, at static and at runtime places; S.vrint of runtime numbers. */
import { type AnyKernel, check, f32, i8, i32, kernel, ptr, S, type Vec } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { anyValues, DTYPES, expectNumbers, held, hostArray, NUMERIC, zeros } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";

const codes = (k: AnyKernel): string =>
  check(k)
    .map((d) => `${d.code} ${d.message}`)
    .join("; ");

describe("v.with(lane, value)", () => {
  for (const dtype of NUMERIC) {
    for (const lanes of [1, 3, 8, 35]) {
      test(`${dtype}x${lanes}: every lane`, () => {
        const k = kernel([ptr(DTYPES[dtype]), ptr(DTYPES[dtype]), i32], function replaces(x, y, n) {
          if (S.tileId() !== 0) return;
          const v = S.vload(x, { lanes });
          for (let i = 0; i < n; i++) S.vstore(v.with(i, 7), y.at(i * lanes));
          S.vstore(v.with(lanes - 1, 100).with(0, 1), y.at(n * lanes));
          S.vstore(v, y.at((n + 1) * lanes));
        });
        const x = anyValues(dtype, lanes).map((a) => held(dtype, a));
        const want: number[] = [];
        for (let i = 0; i < lanes; i++) want.push(...x.map((a, l) => (l === i ? 7 : a)));
        want.push(...x.map((a, l) => (l === 0 ? 1 : l === lanes - 1 ? 100 : a)), ...x);
        const y = zeros(dtype, want.length);
        execute(k, [hostArray(dtype, x), y, lanes]);
        expectNumbers(dtype, y, want);
      });
    }
  }

  test("a runtime value, in a variable that is assigned in a loop", () => {
    const k = kernel([ptr(f32), ptr(f32)], function reversed(x, y) {
      if (S.tileId() !== 0) return;
      let v: Vec<f32> = S.vload(x);
      for (let i = 0; i < 8; i++) v = v.with(7 - i, x.get(i) / 3);
      S.vstore(v, y);
    });
    const x = Float32Array.of(1, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e-45, 2, 3, 4);
    const y = new Float32Array(8);
    execute(k, [x, y]);
    expect([...y]).toEqual([...x].reverse().map((a) => Math.fround(a / 3)));
  });

  test("a lane that does not exist is an error, even when the result is not used", () => {
    const k = kernel([ptr(f32), i32], function outside(x, n) {
      if (S.tileId() === 0) S.vload(x).with(n, 1);
    });
    const x = new Float32Array(8);
    execute(k, [x, 7]);
    for (const n of [-1, 8, 2 ** 31 - 1])
      expect(() => execute(k, [x, n])).toThrow(/KPU4001.*lane -?\d+ of 8/);
    const known = kernel([ptr(f32)], function known(x) {
      S.vload(x).with(8, 1);
    });
    expect(codes(known)).toContain("KPU4001 Vec.with: lane 8 of f32x8");
    const half = kernel([ptr(f32), i32], function half(x, n) {
      S.vload(x).with(n / 2, 1);
    });
    expect(codes(half)).toContain("KPU3005");
  });

  test("the value must fit", () => {
    const literal = kernel([ptr(i8)], function literal(x) {
      S.vload(x).with(0, 128);
    });
    expect(codes(literal)).toContain("KPU3003 Vec.with: value is 128");
    const wide = kernel([ptr(i8), i32], function wide(x, n) {
      S.vstore(S.vload(x).with(0, n), x);
    });
    expect(codes(wide)).toContain("KPU3003");
    const fits = kernel([ptr(i8), i32], function fits(x, n) {
      if (S.tileId() === 0) S.vstore(S.vload(x).with(0, S.i8(n)), x);
    });
    const x = new Int8Array(32);
    execute(fits, [x, 1000]);
    expect(x[0]).toBe(127);
    const wrong = kernel([ptr(f32)], function wrong(x) {
      // @ts-expect-error: the diagnostic under test
      S.vload(x).with(0, true);
    });
    expect(codes(wrong)).toContain("KPU3001");
  });
});

describe("m.with(lane, value)", () => {
  for (const lanes of [1, 3, 8, 35]) {
    test(`mask<${lanes}>: every lane, both values`, () => {
      const k = kernel([ptr(i32), i32, i32], function replaces(y, n, count) {
        if (S.tileId() !== 0) return;
        const m = S.tailMask(count, lanes);
        for (let i = 0; i < n; i++) {
          S.vstore(S.vbcast(1, i32, lanes), y.at(2 * i * lanes), { mask: m.with(i, true) });
          S.vstore(S.vbcast(1, i32, lanes), y.at((2 * i + 1) * lanes), { mask: m.with(i, count < 0) });
        }
        S.vstore(S.vbcast(1, i32, lanes), y.at(2 * n * lanes), { mask: m.with(lanes - 1, true) });
      });
      const count = lanes >> 1;
      const tail = Array.from({ length: lanes }, (_, l) => (l < count ? 1 : 0));
      const want: number[] = [];
      for (let i = 0; i < lanes; i++) {
        want.push(...tail.map((a, l) => (l === i ? 1 : a)));
        want.push(...tail.map((a, l) => (l === i ? 0 : a)));
      }
      want.push(...tail.map((a, l) => (l === lanes - 1 ? 1 : a)));
      const y = new Int32Array(want.length);
      execute(k, [y, lanes, count]);
      expect([...y]).toEqual(want);
    });
  }
  test("refuses what is no boolean and no lane", () => {
    const wrong = kernel([i32], function wrong(n) {
      // @ts-expect-error: the diagnostic under test
      S.tailMask(n, 8).with(0, 1);
    });
    expect(codes(wrong)).toContain("KPU3001 Mask.with: value must be a boolean");
    const outside = kernel([i32], function outside(n) {
      S.tailMask(n, 8).with(-1, true);
    });
    expect(codes(outside)).toContain("KPU4001");
  });
});

test("outside of kernels they are values", () => {
  const v = S.vbcast(3, f32, 4);
  expect(v.with(1, 0.1).data).toEqual([3, Math.fround(0.1), 3, 3]);
  expect(v.data).toEqual([3, 3, 3, 3]);
  expect(() => v.with(4, 1)).toThrow(/KPU4001/);
  expect(() => S.vbcast(3, i8, 4).with(0, 1.5)).toThrow(/KPU3003/);
  expect(S.tailMask(2, 4).with(3, true).data).toEqual([1, 1, 0, 1]);
});

test("S.vrint of a runtime number: ties to even, of its f32 value", () => {
  const k = kernel([ptr(f32), ptr(f32), i32], function rounds(x, y, n) {
    if (S.tileId() !== 0) return;
    for (let i = 0; i < n; i++) y.set(i, S.vrint(x.get(i)));
    for (let i = 0; i < 8; i++) y.set(n + i, S.vrint(i - 3.5));
    const half = Math.min(Math.max(x.get(0), 2.5), 2.5);
    y.set(n + 8, S.vrint(half) === 2 ? 1 : 0);
  });
  const x = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.3, -0.3, -0, 2 ** 23 + 1, -(2 ** 24), 1e30];
  x.push(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 8388607.5, 4194304.5);
  const even = (a: number): number => {
    const low = Math.floor(a);
    const near = a - low < 0.5 ? low : a - low > 0.5 || low % 2 !== 0 ? low + 1 : low;
    return near === 0 && (a < 0 || Object.is(a, -0)) ? -0 : near;
  };
  const want = x.map((a) => (Number.isFinite(a) ? even(Math.fround(a)) : a));
  for (let i = 0; i < 8; i++) want.push(even(i - 3.5));
  const y = new Float32Array(want.length + 1);
  execute(k, [Float32Array.from(x), y, x.length]);
  expect([...y]).toEqual([...want.map(Math.fround), 1]);
});
