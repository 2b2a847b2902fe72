/** Classification of float lanes and of numbers: every 16-bit float, every kind of f32; NaN and -0 in extremes, sign and pairs. */
// biome-ignore-all lint/suspicious/noSelfCompare: x !== x is how kernels ask for NaN
import { bool, i32, kernel, type Mask, ptr, S, type Vec } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { DTYPES, FLOATS, floats, held, hostArray } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { BF16, F16 } from "../harness/floats.ts";
import { rowByRow } from "../harness/rows.ts";
import { group } from "./group.ts";

const times = <T>(n: number, f: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => f(i));

group(43, () => {
  describe.each(FLOATS)("%s", (dtype) => {
    const lanes = 13;
    const n = lanes * 40;
    const x = floats(dtype, n);
    const y = floats(dtype, n, 1);
    const one = [{ dtype, lanes, values: x }];
    const two = [...one, { dtype, lanes, values: y }];

    test.each([
      { name: "visnan", is: (v: number) => Number.isNaN(v) },
      { name: "visinf", is: (v: number) => v === Infinity || v === -Infinity },
      { name: "visfinite", is: (v: number) => Number.isFinite(v) },
    ] as const)("$name", ({ name, is }) => {
      const call = (a: Vec): Mask => S[name](a as never);
      const masked = (a: Vec): Mask => S[name](a as never, { mask: "6T7F", r: true });
      expect(rowByRow(call, one, { dtype: "bool", lanes })).toEqual(x.map((v) => Number(is(v))));
      expect(rowByRow(masked, one, { dtype: "bool", lanes })).toEqual(
        x.map((v, i) => (i % lanes < 6 ? Number(is(v)) : 1)),
      );
    });

    test("vmaxnan, vminnan: a NaN wins, -0 is less than 0", () => {
      const extreme = (pick: (a: number, b: number) => number) => (v: number, i: number) =>
        pick(v, y[i] as number);
      const larger = (a: Vec, b: Vec): Vec => S.vmaxnan(a, b);
      const smaller = (a: Vec, b: Vec): Vec => S.vminnan(a, b);
      expect(rowByRow(larger, two, { dtype, lanes })).toEqual(x.map(extreme(Math.max)));
      expect(rowByRow(smaller, two, { dtype, lanes })).toEqual(x.map(extreme(Math.min)));
    });

    test("vsign keeps -0 and NaN", () => {
      expect(rowByRow((a: Vec): Vec => S.vsign(a), one, { dtype, lanes })).toEqual(x.map(Math.sign));
    });

    test("vaddh, vsubh, vmaxh round once; a NaN loses a maximum", () => {
      const pairs = (f: (a: number, b: number) => number): number[] =>
        times(n, (i) => {
          const at = i % 26;
          const [from, k] = at < 13 ? [x, at] : [y, at - 13];
          return held(dtype, f(from[i - at + 2 * k] as number, from[i - at + 2 * k + 1] as number));
        });
      const even = two.map((r) => ({ ...r, lanes: 26 }));
      const number = (a: number, b: number): number =>
        Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.max(a, b);
      const result = { dtype, lanes: 26 };
      expect(rowByRow((a: Vec, b: Vec): Vec => S.vaddh(a, b), even, result)).toEqual(pairs((a, b) => a + b));
      expect(rowByRow((a: Vec, b: Vec): Vec => S.vsubh(a, b), even, result)).toEqual(pairs((a, b) => a - b));
      expect(rowByRow((a: Vec, b: Vec): Vec => S.vmaxh(a, b), even, result)).toEqual(pairs(number));
    });
  });

  test.each(["f16", "bf16"] as const)("every value of %s", (dtype) => {
    const format = dtype === "f16" ? F16 : BF16;
    const patterns = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const type = DTYPES[dtype];
    const classify = kernel([ptr(bool), ptr(type), i32], function classify(out, x, n) {
      for (let i = S.tileId() * 64; i < n; i += S.tileCount() * 64) {
        const v = S.vload(x.at(i), { lanes: 64 });
        S.vstore(S.visnan(v), out.at(i));
        S.vstore(S.visinf(v), out.at(n + i));
        S.vstore(S.visfinite(v), out.at(2 * n + i));
        S.vstore(S.vceq(v, v), out.at(3 * n + i));
      }
    });
    const out = new Uint8Array(4 * 65536);
    execute(classify, [out, patterns, 65536]);
    const wrong: number[] = [];
    for (let i = 0; i < 65536; i++) {
      const v = format.value(i);
      const want = [Number.isNaN(v), v === Infinity || v === -Infinity, Number.isFinite(v), v === v];
      want.forEach((w, k) => {
        if (Number(w) !== out[k * 65536 + i]) wrong.push(i);
      });
    }
    expect(wrong).toEqual([]);
  });

  test.each(FLOATS)("numbers loaded from %s, by JavaScript's own tests", (dtype) => {
    const type = DTYPES[dtype];
    const classify = kernel([ptr(i32), ptr(type), i32], function classify(out, x, n) {
      for (let i = S.tileId(); i < n; i += S.tileCount()) {
        const v: number = x.get(i);
        let bits = 0;
        if (Number.isNaN(v)) bits += 1;
        if (Number.isFinite(v)) bits += 2;
        if (Number.isInteger(v)) bits += 4;
        if (v !== v) bits += 8;
        if (v === Infinity || v === -Infinity) bits += 16;
        if (1 / v === -Infinity) bits += 32;
        if (v > 0) bits += 64;
        if (!(v <= 0)) bits += 128;
        if (Number.isSafeInteger(v)) bits += 256;
        if (v) bits += 512;
        out.set(i, bits);
      }
    });
    const x = floats(dtype, 397);
    const out = new Int32Array(397);
    execute(classify, [out, hostArray(dtype, x), 397]);
    const want = x.map((v) => {
      const tests = [
        Number.isNaN(v),
        Number.isFinite(v),
        Number.isInteger(v),
        v !== v,
        Math.abs(v) === Infinity,
      ];
      const more = [Object.is(v, -0), v > 0, !(v <= 0), Number.isSafeInteger(v), Boolean(v)];
      return [...tests, ...more].reduce((sum, yes, bit) => sum + (yes ? 2 ** bit : 0), 0);
    });
    expect([...out]).toEqual(want);
  });
});
