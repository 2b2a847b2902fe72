/** Minimal kernels of bugs that `kpu fuzz` found. */
import { f16, i8, i16, i32, kernel, ptr, S, u8, u32, Vec } from "kpu-dsl";
import { expect, test } from "vitest";
import { hostArray } from "../../ir/elements.ts";
import { execute } from "../harness/execute.ts";

test("a do loop that ends before its condition, which reads memory", () => {
  const always = true;
  const k = kernel([ptr(f16)], function k(y) {
    let w = 0;
    do {
      w++;
      if (always) break;
    } while (w < 2 && 1 < y.get(0));
    y.set(0, w);
  });
  const ys = hostArray("f16", [7, 7]);
  execute(k, [ys], { tiles: 1 });
  expect(ys).toEqual(hostArray("f16", [1, 7]));
});

test("a broadcast takes its lanes from a mask string or array", () => {
  const k = kernel([ptr(i16)], function k(y) {
    S.vstore(S.vbcast(7, i16, { mask: "1T1F1T", r: 2 }), y);
    S.vstore(S.vbcast(5, i16, { mask: [false, true] }), y.at(3));
  });
  const ys = new Int16Array(6).fill(9);
  execute(k, [ys], { tiles: 1 });
  expect([...ys]).toEqual([7, 2, 7, 0, 5, 9]);
});

test("a scatter to indices that are computed in scratch memory themselves", () => {
  const k = kernel([ptr(u32), ptr(u32), ptr(u32)], function k(x, y, z) {
    const packed = "2F6T";
    S.vstoreScatter(S.vload(x, { lanes: 8 }), y, S.vcompt(S.vload(x, { lanes: 8 }), packed));
    S.vstore(S.vcompt(S.vload(x, { lanes: 8 }), packed), z, { stride: 2 });
    const sum = S.vrpadd(S.vcompt(S.vload(x, { lanes: 8 }), packed));
    z.set(1, S.vload(x, { lanes: 8 }).at(sum & 7));
  });
  const xs = Uint32Array.from([0, 1, 2, 3, 4, 5, 6, 7]);
  const ys = new Uint32Array(8).fill(9);
  const zs = new Uint32Array(16);
  execute(k, [xs, ys, zs], { tiles: 1 });
  // Values 0 .. 7 to 2 3 4 5 6 7 0 0: the highest lane wins.
  expect([...ys]).toEqual([7, 9, 0, 1, 2, 3, 4, 5]);
  expect([...zs]).toEqual([2, 3, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0, 0, 0, 0]);
});

test("S.vsplit with a number of parts needs no target", () => {
  const x = new Vec(i16, [1, 2, 3, 4]);
  expect(S.vsplit(x, 2).map((v) => (v instanceof Vec ? [...v.data] : []))).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test("a function of a number is the f32 function also of an integer", () => {
  const k = kernel([ptr(i16), i16], function k(y, n) {
    y.set(0, S.vsqrt(n * n));
    S.print("x={}", S.vsqrt(S.clip(n, 2, 2)));
  });
  const ys = new Int16Array(1);
  const printed: string[] = [];
  execute(k, [ys, 16383], { tiles: 1, print: (line) => printed.push(line) });
  // 16383 * 16383 rounds to 2^28 - 2^15 in f32, whose root rounds to 16383.
  expect(ys[0]).toBe(16383);
  expect(printed).toEqual([`tile 0: x=${Math.fround(Math.SQRT2)}`]);
});

test("the counter of a loop that another loop stands in keeps the bound of its condition", () => {
  const k = kernel([ptr(u32), ptr(i8)], function k(n, y) {
    for (let i = 0; i < (n.get(0) & 3); i++) {
      for (let j = 0; j < 4; j += 2) S.vstore(S.vzip(S.vbcast(1, i8, 8), i), y.at(j));
    }
  });
  const ys = new Int8Array(32);
  execute(k, [Uint32Array.of(7), ys], { tiles: 1 });
  expect([...ys.subarray(0, 8)]).toEqual([1, 2, 1, 2, 1, 2, 1, 2]);
});

test("a condition that compares a copy bounds the variable, until it is assigned", () => {
  const k = kernel([ptr(i32), ptr(u8)], function k(n, y) {
    for (let i = 0; i < (Number(n.get(0) > 1) & 1); i++) S.vstore(S.vbcast(i, u8, 8), y);
    let j = 0;
    const before = j;
    while (before < 1) {
      j += 100;
      if (j > 500) break;
    }
    y.set(1, S.u8(j / 3));
  });
  const ys = new Uint8Array(8).fill(9);
  execute(k, [Int32Array.of(2), ys], { tiles: 1 });
  expect([...ys]).toEqual([0, 200, 0, 0, 0, 0, 0, 0]);
});

test("a condition that is never computed may hold any number", () => {
  const k = kernel([ptr(f16)], function k(y) {
    const x = y.get(0);
    const always = true;
    let w = 0;
    do {
      w++;
      if (always) break;
    } while (w < 4 && !(x >= 0.5));
    y.set(0, w);
  });
  const ys = hostArray("f16", [7]);
  execute(k, [ys], { tiles: 1 });
  expect(ys).toEqual(hostArray("f16", [1]));
});

test("a comparison of a copy in a loop leaves the variable an f32", () => {
  const k = kernel([ptr(f16)], function k(y) {
    const x = y.get(0) > 1 ? y.get(1) : 1;
    for (let i = 0; i < 3; i++) y.set(i, 0 < x ? i : 9);
  });
  const ys = hostArray("f16", [7, -1, 0]);
  execute(k, [ys], { tiles: 1 });
  expect(ys).toEqual(hostArray("f16", [9, 9, 9]));
});

test("a loop of no rounds around another", () => {
  const k = kernel([ptr(u8)], function k(y) {
    let n = 1;
    for (const [_i, _j] of S.grid(y.get(1) & 0, 1)) n++;
    for (const [_i, _j] of S.grid(0, 1)) n++;
    y.set(0, n);
  });
  const ys = new Uint8Array(2);
  execute(k, [ys], { tiles: 1 });
  expect(ys[0]).toBe(1);
});
