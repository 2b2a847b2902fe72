/** Conformance 25 to 30: pointers, constant tables, strided access, gather and scatter. */
import { bf16, bool, f16, f32, i8, i16, i32, kernel, ptr, S, u8, u16, u32 } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { expectNumbers, held, hostArray, NUMERIC, samples } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";

const DTYPES = { i8, u8, i16, u16, i32, u32, f16, bf16, f32 };

test("25: pointer offsets both ways, reinterpretation, null test, comparison", () => {
  const k = kernel([ptr(i32), ptr(i32), ptr(f32)], function pointers(out, x, absent) {
    if (S.tileId() !== 0) return;
    const middle = x.at(4);
    out.set(0, middle.get());
    out.set(1, middle.get(-4));
    out.set(2, middle.at(3).at(-1).get(1));
    out.set(3, middle.at(-4).eq(x) ? 1 : 0);
    out.set(4, middle.eq(x) ? 1 : 0);
    out.set(5, middle.diff(x));
    out.set(6, x.diff(middle));
    out.set(7, absent.isNull ? 1 : 0);
    out.set(8, x.isNull ? 1 : 0);
    out.set(9, x.as(u8).get(1));
    out.set(10, x.as(i16).get(0));
    out.set(11, x.as(f32).at(1).get());
    let p = x;
    for (let i = 0; i < 8; i++) p = p.at(1);
    out.set(12, p.at(-1).get());
  });
  const x = new Int32Array([0x01028304, 0x40200000, 2, 3, 4, 5, 6, 7]);
  const out = new Int32Array(13);
  execute(k, [out, x, null]);
  expect([...out]).toEqual([4, x[0], 7, 1, 0, 4, -4, 1, 0, 0x83, -31996, 2, 7]);
});

test("27: several allocations of one scope, and variables that point to either", () => {
  const k = kernel([ptr(i32), i32], function pingPong(out, rounds) {
    if (S.tileId() !== 0) return;
    let from = S.alloc(i32, 8);
    let to = S.alloc(i32, 8);
    const third = S.alloc(i32, [2, 3], "l2");
    for (let i = 0; i < 8; i++) from.set(i, i);
    for (let r = 0; r < rounds; r++) {
      for (let i = 0; i < 8; i++) to.set(i, from.get((i + 1) % 8) * 2);
      [from, to] = [to, from];
    }
    for (const [y, x] of S.grid(2, 3)) third.at(y, x).set(0, 10 * y + x);
    S.dmaCopy(out, from, 8);
    S.dmaCopy(out.at(8), third, 6);
  });
  for (const rounds of [0, 1, 2, 5]) {
    const out = new Int32Array(14);
    execute(k, [out, rounds]);
    const want = Array.from({ length: 8 }, (_, i) => ((i + rounds) % 8) * 2 ** rounds);
    expect([...out]).toEqual([...want, 0, 1, 2, 10, 11, 12]);
  }
});

describe.each(NUMERIC)("%s", (name) => {
  const dtype = DTYPES[name];
  const table = samples(name, 16, 3);

  test("28: constant tables", () => {
    const k = kernel([ptr(dtype), i32], function lookUp(out, first) {
      if (S.tileId() !== 0) return;
      const values = S.allocConst(dtype, table);
      for (let i = 0; i < 16; i++) out.set(i, values.get((first + i) % 16));
    });
    const out = hostArray(name, new Array(16).fill(0));
    execute(k, [out, 5]);
    expectNumbers(
      name,
      out,
      table.map((_, i) => table[(5 + i) % 16] as number),
    );
  });

  test("29: strided vector load and store with runtime stride", () => {
    const k = kernel([ptr(dtype), ptr(dtype), i32, i32, i32], function strided(out, x, from, to, count) {
      if (S.tileId() !== 0) return;
      const mask = S.tailMask(count, 8);
      S.vstore(S.vload(x, { lanes: 8, stride: from, mask, r: 1 }), out, { stride: to, mask });
      S.vstore(S.vload(x, { lanes: 8, stride: from, mask, r: 1 }), out.at(40));
    });
    const x = samples(name, 40);
    for (const [from, to, count] of [
      [1, 1, 8],
      [2, 3, 8],
      [5, 1, 7],
      [4, 5, 1],
      [3, 3, 0],
    ] as const) {
      const out = hostArray(name, new Array(48).fill(2));
      execute(k, [out, hostArray(name, x), from, to, count]);
      const want = new Array<number>(48).fill(2);
      for (let i = 0; i < count; i++) want[i * to] = x[i * from] as number;
      for (let i = 0; i < 8; i++) want[40 + i] = i < count ? (x[i * from] as number) : 1;
      expectNumbers(name, out, want);
    }
  });

  test("30: gather and scatter with duplicate indices", () => {
    const k = kernel([ptr(dtype), ptr(dtype), ptr(i32), ptr(i32)], function shuffled(out, x, from, to) {
      if (S.tileId() !== 0) return;
      const picked = S.vloadGather(x, S.vload(from), { mask: "7T1F", r: 3 });
      S.vstoreScatter(picked, out, S.vload(to), { mask: "F7T" });
    });
    const x = samples(name, 10);
    const from = [9, 0, 0, 3, 3, 1, 7, 1000000];
    const to = [-5, 2, 2, 0, 5, 2, 6, 1];
    const out = hostArray(name, new Array(8).fill(9));
    execute(k, [out, hostArray(name, x), Int32Array.from(from), Int32Array.from(to)]);
    const want = new Array<number>(8).fill(held(name, 9));
    for (let i = 1; i < 8; i++) want[to[i] as number] = i < 7 ? (x[from[i] as number] as number) : 3;
    expectNumbers(name, out, want);
  });
});

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
