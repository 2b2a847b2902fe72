/** Gather and scatter: index vectors of every dtype, duplicates (the highest lane wins), masks, negative offsets. */
import { i16, i32, kernel, type NumD, ptr, S, u16, u32 } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import {
  anyValues,
  DTYPES,
  expectNumbers,
  hostArray,
  NUMERIC,
  samples,
  TILES,
  zeros,
} from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

const INDEX_DTYPES = { i16, u16, i32, u32 } as const;
const SIZE = 40;

/** Index patterns: in order, all equal, pairs, backwards, mixed. */
const PATTERNS: Readonly<Record<string, (lane: number) => number>> = {
  "in order": (i) => i % SIZE,
  "all equal": () => 7,
  pairs: (i) => (i >> 1) % SIZE,
  backwards: (i) => SIZE - 1 - (i % SIZE),
  mixed: (i) => (i * 23 + (i >> 2)) % SIZE,
};
/** Which lanes are active. */
const MASKS: Readonly<Record<string, (lane: number, lanes: number) => boolean>> = {
  all: () => true,
  none: () => false,
  odd: (i) => i % 2 === 1,
  "all but the last": (i, lanes) => i < lanes - 1,
};

group(30, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];

    test.each(["i16", "u16", "i32", "u32"] as const)("indices of %s", (indexName) => {
      const index = INDEX_DTYPES[indexName];
      for (const lanes of [1, 8, 13, 32]) {
        const shuffled = kernel(
          [ptr(dtype), ptr(dtype), ptr(dtype), ptr(index), ptr(i32)],
          function shuffled(gathered, scattered, x, at, active) {
            if (S.tileId() !== 0) return;
            const where = S.vload(at, { lanes });
            const mask = S.vcneq(S.vload(active, { lanes }), 0);
            S.vstore(S.vloadGather(x, where, { mask, r: 3 }), gathered);
            S.vstore(S.vloadGather(x, where, { mask }), gathered.at(lanes));
            S.vstoreScatter(S.vload(x, { lanes }), scattered, where, { mask });
          },
        );
        const x = anyValues(name, SIZE);
        for (const pattern of Object.values(PATTERNS))
          for (const mask of Object.values(MASKS)) {
            const all = Array.from({ length: lanes }, (_, i) => i);
            const active = (i: number): boolean => mask(i, lanes);
            // Inactive lanes may hold any index.
            const at = all.map((i) => (active(i) ? pattern(i) : 30000));
            const before = samples(name, SIZE, 4);
            const scattered = hostArray(name, before);
            const gathered = zeros(name, 2 * lanes);
            const flags = Int32Array.from(all, (i) => (active(i) ? 1 : 0));
            execute(shuffled, [gathered, scattered, hostArray(name, x), hostArray(indexName, at), flags]);
            const pick = (other: number): number[] =>
              all.map((i) => (active(i) ? (x[pattern(i)] as number) : other));
            expectNumbers(name, gathered, [...pick(3), ...pick(0)]);
            const want = before.slice();
            for (const i of all) if (active(i)) want[pattern(i)] = x[i] as number;
            expectNumbers(name, scattered, want);
          }
      }
    });

    test("negative offsets from a pointer into the middle, every element, all scopes", () => {
      for (const scope of ["global", "l3", "l2", "local", "private"] as const) {
        const middle = kernel([ptr(dtype), ptr(dtype), ptr(i32)], function middle(out, x, at) {
          const t = S.alloc(dtype, SIZE, scope);
          if (S.tileId() !== 0) return;
          S.dmaCopy(t, x, SIZE);
          const where = S.vload(at, { lanes: SIZE });
          S.vstore(S.vloadGather(t.at(20), where), out);
          S.vstoreScatter(S.vload(out, { lanes: SIZE }), t.at(20), where);
          S.dmaCopy(out, t, SIZE);
        });
        const x = anyValues(name, SIZE);
        const at = Int32Array.from({ length: SIZE }, (_, i) => ((i * 17) % SIZE) - 20);
        const out = zeros(name, SIZE);
        execute(middle, [out, hostArray(name, x), at]);
        expectNumbers(name, out, x);
      }
    });

    test("a permutation over all tiles", () => {
      const permute = kernel([ptr(dtype), ptr(dtype), ptr(i32), i32], function permute(out, x, to, n) {
        for (let i = S.tileId() * 8; i < n; i += S.tileCount() * 8) {
          const mask = S.tailMask(n - i, 8);
          const index = S.vload(to.at(i), { mask });
          S.vstoreScatter(S.vload(x.at(i), { mask }), out, index, { mask });
        }
      });
      for (const n of [0, 1, 7, 8, 9, 101]) {
        const x = anyValues(name, n);
        const to = x.map((_, i) => (i * 10) % n);
        for (const machine of TILES) {
          const out = zeros(name, n);
          execute(permute, [out, hostArray(name, x), Int32Array.from(to), n], machine);
          const want = new Array<number>(n).fill(0);
          x.forEach((v, i) => {
            want[to[i] as number] = v;
          });
          expectNumbers(name, out, want);
        }
      }
    });
  });

  test("counting with duplicates: the highest lane wins, so one of several increments is kept", () => {
    const count = kernel([ptr(i32), ptr(i32)], function count(bins, at) {
      if (S.tileId() !== 0) return;
      const index = S.vload(at);
      S.vstoreScatter(S.vadd(S.vloadGather(bins, index), 1), bins, index);
    });
    const bins = Int32Array.of(10, 20, 30);
    execute(count, [bins, Int32Array.of(0, 0, 2, 0, 2, 2, 0, 2)]);
    expect([...bins]).toEqual([11, 20, 31]);
  });
});
