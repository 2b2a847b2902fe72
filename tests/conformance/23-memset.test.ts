/** Memory filled by transfers, by vectors and by scalars: every scope, literal and runtime values, rows of registers. */
import { bool, f32, i32, kernel, type NumD, ptr, S } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import {
  corners,
  DTYPES,
  expectNumbers,
  held,
  hostArray,
  isFloatName,
  NUMERIC,
  type NumericName,
  samples,
  TILES,
  zeros,
} from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

const SCOPES = ["global", "l3", "l2", "local", "private"] as const;
const LENGTH = 80;
/** First element and count: nothing, one, unaligned, all. */
const PARTS = [
  [0, 0],
  [80, 0],
  [0, 1],
  [79, 1],
  [3, 29],
  [32, 32],
  [0, 80],
] as const;

/** What a fill of `count` elements from `first` leaves of the samples. */
function filled(name: NumericName, first: number, count: number, value: number): number[] {
  return samples(name, LENGTH).map((v, i) => (i >= first && i < first + count ? held(name, value) : v));
}

group(23, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const lanes = 256 / dtype.bits;
    const literals = [0, 1, isFloatName(name) ? -0.375 : DTYPES[name].max];
    /** The ways of one fill: each leaves the same. */
    const check = (k: Parameters<typeof execute>[0], value: number, rest: readonly unknown[] = []): void => {
      for (const [first, count] of PARTS) {
        const out = zeros(name, LENGTH);
        execute(k, [out, hostArray(name, samples(name, LENGTH)), first, count, ...rest]);
        expectNumbers(name, out, filled(name, first, count, value));
      }
    };

    test.each(SCOPES)("%s memory: a literal, a parameter, a loaded value", (scope) => {
      for (const literal of literals) {
        const fill = kernel([ptr(dtype), ptr(dtype), i32, i32], function literalFill(out, x, first, count) {
          const t = S.alloc(dtype, LENGTH, scope);
          if (S.tileId() !== 0) return;
          S.dmaCopy(t, x, LENGTH);
          S.dmaMemset(t.at(first), literal, count);
          S.dmaCopy(out, t, LENGTH);
        });
        check(fill, literal);
      }
      const byParameter = kernel(
        [ptr(dtype), ptr(dtype), i32, i32, dtype],
        function byParameter(out, x, first, count, value) {
          const t = S.alloc(dtype, LENGTH, scope);
          if (S.tileId() !== 0) return;
          S.dmaCopy(t, x, LENGTH);
          S.dmaMemset(t.at(first), value, count);
          S.dmaCopy(out, t, LENGTH);
        },
      );
      for (const value of corners(name).slice(-3)) check(byParameter, value, [value]);
      const loaded = kernel([ptr(dtype), ptr(dtype), i32, i32], function loaded(out, x, first, count) {
        const t = S.alloc(dtype, LENGTH, scope);
        if (S.tileId() !== 0) return;
        S.dmaCopy(t, x, LENGTH);
        S.dmaMemset(t.at(first), x.get(5), count);
        S.dmaCopy(out, t, LENGTH);
      });
      check(loaded, samples(name, LENGTH)[5] as number);
    });

    test("arguments, asynchronously and in place", () => {
      const waits = kernel(
        [ptr(dtype), ptr(dtype), i32, i32, dtype],
        function waits(out, x, first, count, v) {
          if (S.tileId() !== 0) return;
          const [done] = S.allocEvents(1);
          S.dmaCopy(out, x, LENGTH);
          S.asyncDmaMemset(out.at(first), v, count, done);
          S.waitEvents(done);
          S.freeEvents(done);
        },
      );
      for (const value of corners(name)) check(waits, value, [value]);
    });

    test("rows of registers of a buffer", () => {
      const rows = kernel([ptr(dtype), dtype, dtype], function rows(out, a, b) {
        const t = S.alloc(dtype, [4, 2 * lanes]);
        if (S.tileId() !== 0) return;
        for (const r of S.unroll(4)) S.dmaMemset(t.at(r), r % 2 === 0 ? a : b, 2 * lanes);
        S.vstore(S.vbcast(a, dtype, lanes), t.at(1, lanes));
        S.dmaMemset(t.at(2, lanes - 1), b, lanes + 1);
        S.dmaCopy(out, t, 8 * lanes);
      });
      const edge = corners(name);
      for (const [i, a] of edge.entries()) {
        const b = edge[(i + 3) % edge.length] as number;
        const out = zeros(name, 8 * lanes);
        execute(rows, [out, a, b]);
        const row = (v: number, n: number): number[] => new Array<number>(n).fill(v);
        expectNumbers(name, out, [
          ...row(a, 2 * lanes),
          ...row(b, lanes),
          ...row(a, lanes),
          ...row(a, lanes - 1),
          ...row(b, lanes + 1),
          ...row(b, 2 * lanes),
        ]);
      }
    });

    test("parts of all tiles, by transfers and by vectors", () => {
      const all = kernel([ptr(dtype), ptr(dtype), i32, dtype], function all(a, b, n, value) {
        const part = S.ceildiv(n, S.tileCount());
        const begin = Math.min(S.tileId() * part, n);
        const end = Math.min(begin + part, n);
        S.dmaMemset(a.at(begin), value, end - begin);
        for (let i = begin; i < end; i += lanes)
          S.vstore(S.vbcast(value, dtype, lanes), b.at(i), { mask: S.tailMask(end - i, lanes) });
      });
      const value = corners(name)[4] as number;
      for (const n of [0, 1, lanes - 1, lanes + 1, 997])
        for (const machine of TILES) {
          const outs = [zeros(name, n + 1), zeros(name, n + 1)];
          execute(all, [...outs, n, value], machine);
          for (const out of outs) expectNumbers(name, out, [...new Array<number>(n).fill(value), 0]);
        }
    });

    test("values beyond the dtype are stored by its rule", () => {
      const numbers = [300, -1, 65535.7, 1e10, -1e10, 0.1, Number.NaN, Infinity];
      const stored = kernel([ptr(dtype), ptr(f32), i32], function stored(out, x, n) {
        if (S.tileId() !== 0) return;
        for (let i = 0; i < n; i++) {
          out.set(2 * i, x.get(i));
          S.dmaMemset(out.at(2 * i + 1), isFloatName(name) ? x.get(i) : S.i32(x.get(i)), 1);
        }
      });
      const out = zeros(name, 2 * numbers.length);
      execute(stored, [out, Float32Array.from(numbers), numbers.length]);
      const clamp32 = (v: number): number =>
        Number.isNaN(v) ? 0 : Math.trunc(Math.min(Math.max(v, -(2 ** 31)), 2 ** 31 - 1));
      expectNumbers(
        name,
        out,
        numbers.flatMap((v) => {
          const f = Math.fround(v);
          return [held(name, f), held(name, isFloatName(name) ? f : clamp32(f))];
        }),
      );
    });
  });

  test("bool", () => {
    const flags = kernel([ptr(bool), i32, i32, bool], function flags(out, first, count, value) {
      if (S.tileId() !== 0) return;
      S.dmaMemset(out, true, 20);
      S.dmaMemset(out.at(first), value, count);
      S.dmaMemset(out.at(19), false, 1);
    });
    for (const value of [true, false]) {
      const out = new Uint8Array(20);
      execute(flags, [out, 3, 9, value]);
      const want = Array.from({ length: 20 }, (_, i) =>
        i === 19 ? 0 : i >= 3 && i < 12 ? Number(value) : 1,
      );
      expect([...out]).toEqual(want);
    }
  });
});
