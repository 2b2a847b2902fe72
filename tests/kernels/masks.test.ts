/** Conformance 31 to 35: masks as values, mask strings, tails, odd lane counts. */
import { f32, i32, kernel, type Mask, ptr, S, u8 } from "kpu-dsl";
import { expect, test } from "vitest";
import { samples } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";

test("31: masks as arguments and results of helper functions", () => {
  const between = (x: ReturnType<typeof S.vload<i32>>, low: number, high: number): Mask =>
    S.vand(S.vcge(x, low), S.vclt(x, high));
  const except = (m: Mask, lane: Mask): Mask => S.vand(m, S.vinv(lane));
  const k = kernel([ptr(i32), ptr(i32), i32, i32], function helpers(out, x, low, high) {
    if (S.tileId() !== 0) return;
    const v = S.vload(x);
    const m = except(between(v, low, high), S.constMask("T7F"));
    S.vstore(S.vsel(v, -1, m), out);
    out.set(8, S.vany(m) ? 1 : 0);
    out.set(9, S.vall(m) ? 1 : 0);
  });
  const x = [5, 1, 9, 4, 7, 3, 5, 100];
  for (const [low, high] of [
    [3, 8],
    [200, 300],
    [0, 101],
  ] as const) {
    const out = new Int32Array(10);
    execute(k, [out, Int32Array.from(x), low, high]);
    const m = x.map((v, i) => i > 0 && v >= low && v < high);
    expect([...out]).toEqual([
      ...x.map((v, i) => (m[i] ? v : -1)),
      m.some(Boolean) ? 1 : 0,
      m.every(Boolean) ? 1 : 0,
    ]);
  }
});

test("32: mask strings", () => {
  const cases: Record<string, string> = {
    "8T": "TTTTTTTT",
    "2FFFT3T": "FFFTFFFTTTT",
    "4T1F": "TTTTF",
    T_F_T: "TFT",
    "2TF": "TFTF",
    "16F": "F".repeat(16),
  };
  for (const [short, long] of Object.entries(cases)) {
    const lanes = long.length;
    const k = kernel([ptr(u8)], function maskString(out) {
      if (S.tileId() !== 0) return;
      S.vstore(S.vbcast(7, u8, lanes), out, { mask: short });
    });
    const out = new Uint8Array(lanes).fill(1);
    execute(k, [out]);
    expect([...out].map((v) => (v === 7 ? "T" : "F")).join("")).toBe(long);
  }
});

test("33: masks assigned in branches", () => {
  const k = kernel([ptr(i32), i32], function branches(out, n) {
    if (S.tileId() !== 0) return;
    let m = S.constMask("8F");
    if (n > 10) m = S.tailMask(n - 10, 8);
    else if (n > 5) m = S.vinv(m);
    for (let i = 0; i < n % 3; i++) m = S.vxor(m, S.constMask("4TF"));
    S.vstore(S.vbcast(n, i32, 8), out, { mask: m });
  });
  for (const n of [0, 1, 5, 6, 7, 10, 11, 14, 30]) {
    let m = new Array<boolean>(8).fill(false);
    if (n > 10) m = m.map((_, i) => i < n - 10);
    else if (n > 5) m = m.map(() => true);
    for (let i = 0; i < n % 3; i++) m = m.map((b, lane) => b !== (lane % 2 === 0));
    const out = new Int32Array(8).fill(-1);
    execute(k, [out, n]);
    expect([...out]).toEqual(m.map((b) => (b ? n : -1)));
  }
});

test("34: tails 0, partial, full, beyond, negative, with and without r", () => {
  const k = kernel([ptr(f32), ptr(f32), i32], function tails(out, x, n) {
    if (S.tileId() !== 0) return;
    const mask = S.tailMask(n, 8);
    S.vstore(S.vload(x, { mask }), out);
    S.vstore(S.vload(x, { mask, r: 0.5 }), out.at(8));
    S.vstore(S.vload(x, { mask, r: S.vload(x.at(8)) }), out.at(16));
    S.vstore(S.vadd(S.vload(x), 100, { mask }), out.at(24));
    S.vstore(S.vadd(S.vload(x), 100, { mask, r: -1 }), out.at(32));
  });
  const x = samples("f32", 16);
  for (const n of [0, 1, 7, 8, 9, 1000, -1, -(2 ** 31)]) {
    const out = new Float32Array(40);
    execute(k, [out, Float32Array.from(x), n]);
    const pick = (active: (i: number) => number, other: (i: number) => number): number[] =>
      Array.from({ length: 8 }, (_, i) => (i < n ? active(i) : other(i)));
    const at = (i: number): number => x[i] as number;
    expect([...out]).toEqual([
      ...pick(at, () => 0),
      ...pick(at, () => 0.5),
      ...pick(at, (i) => at(8 + i)),
      ...pick(
        (i) => at(i) + 100,
        () => 0,
      ),
      ...pick(
        (i) => at(i) + 100,
        () => -1,
      ),
    ]);
  }
});

test("35: odd lane counts", () => {
  for (const lanes of [1, 3, 7, 13, 35, 100]) {
    const k = kernel([ptr(f32), ptr(f32), ptr(i32)], function odd(out, x, j) {
      if (S.tileId() !== 0) return;
      const a = S.vload(x, { lanes });
      const b = S.vload(x.at(lanes), { lanes });
      S.vstore(S.vfma(S.vmul(a, b), S.vsub(a, 1), 0.5), out);
      S.vstore(S.vsel(S.vmax(a, b), S.vneg(a), S.vcgt(a, 0)), out.at(lanes));
      const i = S.cast(S.vmul(a, 8), i32);
      S.vstore(S.vadd(S.vsl(i, 2), S.vand(i, 7)), j);
      out.set(2 * lanes, S.vrpadd(i));
      out.set(2 * lanes + 1, S.vrpmax(b));
    });
    const x = samples("f32", 2 * lanes);
    const out = new Float32Array(2 * lanes + 2);
    const j = new Int32Array(lanes);
    execute(k, [out, Float32Array.from(x), j]);
    const a = x.slice(0, lanes);
    const b = x.slice(lanes);
    expect([...out.subarray(0, lanes)]).toEqual(a.map((v, i) => v * (b[i] as number) + (v - 1) * 0.5));
    expect([...out.subarray(lanes, 2 * lanes)]).toEqual(
      a.map((v, i) => (v > 0 ? Math.max(v, b[i] as number) : -v)),
    );
    expect([...j]).toEqual(a.map((v) => ((v * 8) << 2) + ((v * 8) & 7)));
    expect(out[2 * lanes]).toBe(a.reduce((s, v) => s + v * 8, 0));
    expect(out[2 * lanes + 1]).toBe(Math.max(...b));
  }
});
