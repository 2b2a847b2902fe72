/** Masks in memory, one array behind two pointers, conversion by stores. */
import { bool, f32, i32, kernel, ptr, S } from "kpu-dsl";
import { expect, test } from "vitest";
import { DTYPES, expectNumbers, held, hostArray, NUMERIC } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";

test("bool pointers: masks in memory", () => {
  const k = kernel([ptr(bool), ptr(bool), ptr(i32)], function masks(out, x, y) {
    if (S.tileId() !== 0) return;
    const m = S.vload(x, { lanes: 8 });
    S.vstore(S.vor(m, S.vcgt(S.vload(y), 3)), out);
    out.set(8, x.get(0) && !x.get(1));
  });
  const out = new Uint8Array(9);
  execute(k, [out, Uint8Array.from([1, 0, 1, 0, 0, 0, 0, 1]), Int32Array.from([0, 9, 4, 3, 2, 5, -1, 0])]);
  expect([...out]).toEqual([1, 1, 1, 0, 0, 1, 0, 1, 1]);
});

test("the same array twice means the same memory", () => {
  const k = kernel([ptr(i32), ptr(i32), i32], function aliased(x, y, n) {
    if (S.tileId() !== 0) return;
    for (let i = 0; i < n; i++) x.set(i, y.get(i) + (i > 0 ? y.get(i - 1) : 0));
  });
  const buffer = Int32Array.from([1, 2, 3, 4, 5, 6]);
  execute(k, [buffer, buffer, 6]);
  expect([...buffer]).toEqual([1, 3, 6, 10, 15, 21]);
  const shifted = Int32Array.from([1, 1, 1, 1, 1, 1]);
  execute(k, [shifted.subarray(1), shifted, 5]);
  expect([...shifted]).toEqual([1, 1, 2, 3, 5, 8]);
});

test("stores convert by the dtype's rule", () => {
  for (const name of NUMERIC) {
    const dtype = DTYPES[name];
    const k = kernel([ptr(dtype), ptr(f32), i32], function convert(out, x, n) {
      if (S.tileId() !== 0) return;
      for (let i = 0; i < n; i++) out.set(i, x.get(i));
    });
    const x = [
      0,
      -0,
      0.5,
      -0.5,
      1.5,
      127.9,
      128,
      255,
      256,
      300,
      -1,
      -129,
      32768,
      65535,
      65536,
      2 ** 31,
      2 ** 32 + 5 * 2 ** 10,
      -(2 ** 31),
      1e30,
      -1e30,
      Infinity,
      -Infinity,
      Number.NaN,
      2 ** -130,
    ];
    const out = hostArray(name, new Array(x.length).fill(0));
    execute(k, [out, Float32Array.from(x), x.length]);
    expectNumbers(
      name,
      out,
      x.map((v) => held(name, Math.fround(v))),
    );
  }
});
