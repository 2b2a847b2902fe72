/** Masks of a tail: none, some, all, beyond, negative; with r absent, a number, a vector; on everything that takes a mask. */
import { bool, i32, kernel, type NumD, ptr, S } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { DTYPES, expectNumbers, hostArray, isFloatName, NUMERIC, samples, zeros } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

/** How many lanes a tail asks for, beside those around the lane count. */
const ODD_ONES = [0, 1, 2, 1000, 2 ** 31 - 1, -1, -(2 ** 31)];
const tails = (lanes: number): number[] => [...ODD_ONES, lanes - 1, lanes, lanes + 1];
const all = (lanes: number): number[] => Array.from({ length: lanes }, (_, i) => i);

group(34, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const register = 256 / dtype.bits;

    test.each([1, register - 1, register, register + 1, 61])("%i lanes: load, operate, store", (lanes) => {
      const k = kernel([ptr(dtype), ptr(dtype), i32], function tail(out, x, n) {
        if (S.tileId() !== 0) return;
        const mask = S.tailMask(n, lanes);
        const full = S.vload(x, { lanes });
        const other = S.vload(x.at(lanes), { lanes });
        S.vstore(S.vload(x, { mask }), out);
        S.vstore(S.vload(x, { mask, r: 7 }), out.at(lanes));
        S.vstore(S.vload(x, { mask, r: other as never }), out.at(2 * lanes));
        S.vstore(S.vmax(full, 3, { mask }), out.at(3 * lanes));
        S.vstore(S.vmax(full, other, { mask, r: 9 }), out.at(4 * lanes));
        S.vstore(S.vmax(full, other, { mask, r: other }), out.at(5 * lanes));
        S.vstore(S.vbcast(5, dtype, { lanes, mask, r: 1 }), out.at(6 * lanes));
        S.vstore(S.vrevs(full, { mask, r: other }), out.at(7 * lanes));
        S.vstore(full, out.at(8 * lanes), { mask });
        out.set(9 * lanes, S.vrpmax(full, { mask, returnIdx: true }));
      });
      const x = samples(name, 2 * lanes);
      const [a, b] = [x.slice(0, lanes), x.slice(lanes)];
      for (const n of tails(lanes)) {
        const before = samples(name, lanes, 9);
        const out = hostArray(name, [...new Array<number>(8 * lanes).fill(0), ...before, 0]);
        execute(k, [out, hostArray(name, x), n]);
        const pick = (active: (i: number) => number, r: (i: number) => number): number[] =>
          all(lanes).map((i) => (i < n ? active(i) : r(i)));
        const at = (v: readonly number[]) => (i: number) => v[i] as number;
        const greater = (i: number): number => Math.max(at(a)(i), at(b)(i));
        const active = a.slice(0, Math.max(0, Math.min(n, lanes)));
        const last = active.length === 0 ? -1 : active.indexOf(Math.max(...active));
        expectNumbers(name, out, [
          ...pick(at(a), () => 0),
          ...pick(at(a), () => 7),
          ...pick(at(a), at(b)),
          ...pick(
            (i) => Math.max(at(a)(i), 3),
            () => 0,
          ),
          ...pick(greater, () => 9),
          ...pick(greater, at(b)),
          ...pick(
            () => 5,
            () => 1,
          ),
          ...pick((i) => at(a)(lanes - 1 - i), at(b)),
          ...pick(at(a), at(before)),
          // An unsigned element keeps the low bits of -1.
          last < 0 && name.startsWith("u") ? 2 ** dtype.bits - 1 : last,
        ]);
      }
    });

    test("reductions and comparisons of a tail", () => {
      const lanes = register + 5;
      const k = kernel([ptr(dtype), ptr(bool), ptr(dtype), i32], function reduce(out, flags, x, n) {
        if (S.tileId() !== 0) return;
        const mask = S.tailMask(n, lanes);
        const v = S.vload(x, { lanes });
        out.set(0, S.vrpadd(v, { mask }));
        out.set(1, n > 0 ? S.vrpmax(v, { mask }) : 0);
        out.set(2, n > 0 ? S.vrpmin(v, { mask }) : 0);
        S.vstore(S.vcge(v, 2, { mask }), flags);
        S.vstore(S.vcge(v, 2, { mask, r: true }), flags.at(lanes));
        S.vstore(mask, flags.at(2 * lanes));
        flags.set(3 * lanes, S.vany(mask));
        flags.set(3 * lanes + 1, S.vall(mask));
      });
      // Sums stay exact in every dtype.
      const x = all(lanes).map((i) => (i * 5) % 4);
      for (const n of tails(lanes)) {
        const out = zeros(name, 3);
        const flags = new Uint8Array(3 * lanes + 2);
        execute(k, [out, flags, hostArray(name, x), n]);
        const active = x.slice(0, Math.max(0, Math.min(n, lanes)));
        const extreme = (f: (...v: number[]) => number): number => (active.length === 0 ? 0 : f(...active));
        const sum = active.reduce((s, v) => s + v, 0);
        expectNumbers(name, out, [
          isFloatName(name) ? sum : sum % 2 ** dtype.bits,
          extreme(Math.max),
          extreme(Math.min),
        ]);
        expect([...flags]).toEqual([
          ...x.map((v, i) => Number(i < n && v >= 2)),
          ...x.map((v, i) => Number(i >= n || v >= 2)),
          ...x.map((_, i) => Number(i < n)),
          Number(n > 0),
          Number(n >= lanes),
        ]);
      }
    });

    test("a copy in registers whose last one is a tail, through private memory", () => {
      const k = kernel([ptr(dtype), ptr(dtype), i32], function copy(out, x, n) {
        const part = S.alloc(dtype, register, "private");
        for (let i = S.tileId() * register; i < n; i += S.tileCount() * register) {
          const mask = S.tailMask(n - i, register);
          // The tail of `part` is never written: masked lanes must not be read either.
          S.vstore(S.vload(x.at(i), { mask }), part, { mask });
          S.vstore(S.vload(part, { mask }), out.at(i), { mask });
        }
      });
      for (const n of [0, 1, register - 1, register, register + 1, 997]) {
        const x = samples(name, n);
        const out = zeros(name, n);
        execute(k, [out, hostArray(name, x), n]);
        expectNumbers(name, out, x);
      }
    });
  });
});
