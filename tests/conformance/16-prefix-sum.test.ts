/** Prefix sums across tiles: totals through shared scratch memory, and doubling distances with a barrier each. */
import { i32, kernel, type NumD, ptr, S } from "kpu-dsl";
import { describe, test } from "vitest";
import {
  DTYPES,
  expectNumbers,
  held,
  hostArray,
  isFloatName,
  samples,
  TILES,
  zeros,
} from "../harness/arrays.ts";
import { type ExecuteOptions, execute } from "../harness/execute.ts";
import { group } from "./group.ts";

const SIZES = [0, 1, 2, 7, 8, 9, 31, 32, 33, 64, 65, 500, 997];

/** Direct execution may run the tiles in any order. */
const SCHEDULES: readonly ExecuteOptions[] = [
  ...TILES,
  { target: "t64", tiles: 7, schedule: { policy: "random", seed: 3 } },
  { target: "t64", tiles: 7, schedule: { policy: "adversarial", seed: 4 } },
  { target: "t64", tiles: 7, schedule: { policy: "one-tile" } },
];

group(16, () => {
  // Multiples of 1/8 below 2^21: every order of summation is exact in f32.
  describe.each(["i8", "u8", "i16", "u16", "i32", "u32", "f32"] as const)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const lanes = 256 / dtype.bits;
    /** Scalars wrap where they are stored; a running sum is taken back into range at each step. */
    const wraps = !isFloatName(name);

    const inclusive = kernel([ptr(dtype), ptr(dtype), i32], function inclusive(out, x, n) {
      const totals = S.alloc(dtype, 32, "l3");
      const part = S.ceildiv(n, S.tileCount());
      const begin = Math.min(S.tileId() * part, n);
      const end = Math.min(begin + part, n);
      let sums = S.vbcast(0, dtype, lanes);
      for (let i = begin; i < end; i += lanes)
        sums = S.vadd(sums, S.vload(x.at(i), { mask: S.tailMask(end - i, lanes) }));
      totals.set(S.tileId(), S.vrpadd(sums));
      S.barrier();
      let sum = 0;
      for (let t = 0; t < S.tileId(); t++) sum = wraps ? (sum + totals.get(t)) | 0 : sum + totals.get(t);
      for (let i = begin; i < end; i++) {
        sum = wraps ? (sum + x.get(i)) | 0 : sum + x.get(i);
        out.set(i, sum);
      }
    });
    /** Element i gets the sum of those before it; the totals are scanned by one tile between two barriers. */
    const exclusive = kernel([ptr(dtype), ptr(dtype), i32], function exclusive(out, x, n) {
      const totals = S.alloc(dtype, 33, "l3");
      const part = S.ceildiv(n, S.tileCount());
      const begin = Math.min(S.tileId() * part, n);
      const end = Math.min(begin + part, n);
      const mine = S.alloc(dtype, 1);
      mine.set(0, 0);
      for (let i = begin; i < end; i++) {
        out.set(i, mine.get());
        mine.set(0, mine.get() + x.get(i));
      }
      totals.set(S.tileId() + 1, mine.get());
      S.barrier();
      if (S.tileId() === 0) {
        totals.set(0, 0);
        for (let t = 1; t <= S.tileCount(); t++) totals.set(t, totals.get(t - 1) + totals.get(t));
      }
      S.barrier();
      for (let i = begin; i < end; i++) out.set(i, out.get(i) + totals.get(S.tileId()));
    });
    /** Every element adds the one 1, 2, 4, ... before it; two buffers in turn. */
    const doubling = kernel([ptr(dtype), ptr(dtype), i32], function doubling(out, x, n) {
      let from = S.alloc(dtype, 1024, "l3");
      let to = S.alloc(dtype, 1024, "l3");
      for (let i = S.tileId(); i < n; i += S.tileCount()) from.set(i, x.get(i));
      S.barrier();
      for (let distance = 1; distance < n; distance *= 2) {
        for (let i = S.tileId(); i < n; i += S.tileCount())
          to.set(i, i >= distance ? from.get(i) + from.get(i - distance) : from.get(i));
        S.barrier();
        [from, to] = [to, from];
      }
      for (let i = S.tileId(); i < n; i += S.tileCount()) out.set(i, from.get(i));
    });

    test.each([
      ["totals, inclusive", inclusive, true],
      ["totals, exclusive", exclusive, false],
      ["doubling distances", doubling, true],
    ] as const)("%s", (_, scan, whole) => {
      for (const n of SIZES) {
        const x = samples(name, n);
        let sum = 0;
        const want = x.map((v) => {
          const before = sum;
          sum = held(name, sum + v);
          return whole ? sum : before;
        });
        for (const machine of SCHEDULES) {
          const out = zeros(name, n);
          execute(scan, [out, hostArray(name, x), n], machine);
          expectNumbers(name, out, want);
        }
      }
    });
  });
});
