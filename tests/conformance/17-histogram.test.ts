/** Counts of values: every tile counts privately, then all are merged; weights, clamped and scattered bins. */
import { i32, kernel, type NumD, ptr, S, u32 } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { histogram } from "../../examples/image/kernels.ts";
import { anyValues, DTYPES, hostArray, type IntegerName, TILES } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

const SIZES = [0, 1, 7, 8, 9, 31, 32, 33, 255, 997];

function counts(bins: number, at: readonly number[], weights?: readonly number[]): number[] {
  const out = new Array<number>(bins).fill(0);
  at.forEach((bin, i) => {
    out[bin] = (out[bin] as number) + (weights?.[i] ?? 1);
  });
  return out;
}

group(17, () => {
  test("256 grey levels", () => {
    for (const n of SIZES) {
      const x = anyValues("u8", n);
      for (const machine of TILES) {
        const out = new Uint32Array(256);
        execute(histogram, [out, hostArray("u8", x), n], machine);
        expect([...out]).toEqual(counts(256, x));
      }
    }
  });

  describe.each(["i8", "u8", "i16", "u16", "i32", "u32"] as const)("%s", (name: IntegerName) => {
    const dtype: NumD = DTYPES[name];
    const { bits, min } = DTYPES[name];

    test.each([16, 64])("%i bins of equal width, private counts in l2", (bins) => {
      const width = 2 ** bits / bins;
      const spread = kernel([ptr(u32), ptr(dtype), i32], function spread(out, x, n) {
        const own = S.alloc(u32, bins, "l2");
        const all = S.alloc(u32, [32, bins], "l3");
        S.dmaMemset(own, 0, bins);
        for (let i = S.tileId(); i < n; i += S.tileCount()) {
          const bin = S.i32(Math.floor((x.get(i) - min) / width));
          own.set(bin, own.get(bin) + 1);
        }
        S.dmaCopy(all.at(S.tileId()), own, bins);
        S.barrier();
        for (let bin = S.tileId(); bin < bins; bin += S.tileCount()) {
          let sum = 0;
          for (let t = 0; t < S.tileCount(); t++) sum += all.at(t, bin).get();
          out.set(bin, sum);
        }
      });
      for (const n of SIZES) {
        const x = anyValues(name, n);
        for (const machine of TILES) {
          const out = new Uint32Array(bins);
          execute(spread, [out, hostArray(name, x), n], machine);
          expect([...out]).toEqual(
            counts(
              bins,
              x.map((v) => Math.floor((v - min) / width)),
            ),
          );
        }
      }
    });

    test("weighted, values clamped to the bins, merged by a tree", () => {
      const BINS = 24;
      const weighted = kernel([ptr(i32), ptr(dtype), ptr(i32), i32], function weighted(out, x, weights, n) {
        const all = S.alloc(i32, [32, BINS], "l3");
        const own = all.at(S.tileId());
        for (let v = 0; v < BINS; v += 8) S.vstore(S.vbcast(0, i32, 8), own.at(v));
        for (let i = S.tileId(); i < n; i += S.tileCount()) {
          const bin = S.clip(x.get(i) + 8, 0, BINS - 1);
          own.set(bin, own.get(bin) + weights.get(i));
        }
        for (let apart = 1; apart < S.tileCount(); apart *= 2) {
          S.barrier();
          if (S.tileId() % (2 * apart) === 0 && S.tileId() + apart < S.tileCount())
            for (let v = 0; v < BINS; v += 8) {
              const other = S.vload(all.at(S.tileId() + apart, v), { lanes: 8 });
              S.vstore(S.vadd(S.vload(own.at(v), { lanes: 8 }), other), own.at(v));
            }
        }
        if (S.tileId() === 0) S.dmaCopy(out, own, BINS);
      });
      for (const n of SIZES) {
        const x = anyValues(name, n);
        const weights = x.map((_, i) => (i % 7) - 3);
        for (const machine of TILES) {
          const out = new Int32Array(BINS);
          execute(weighted, [out, hostArray(name, x), Int32Array.from(weights), n], machine);
          const at = x.map((v) => Math.min(Math.max(v + 8, 0), BINS - 1));
          expect([...out]).toEqual(counts(BINS, at, weights));
        }
      }
    });
  });
});
