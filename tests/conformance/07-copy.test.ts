/** Copies of any size and dtype; transfers bit for bit, NaN payloads included. */
import { bool, i32, kernel, type NumD, type Ptr, ptr, S } from "kpu-dsl";
import { describe, test } from "vitest";
import {
  DTYPES,
  expectBits,
  expectNumbers,
  NUMERIC,
  numbersOf,
  sizesAround,
  TILES,
  zeros,
} from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

type Copy = (lanes: number, to: Ptr<NumD>, from: Ptr<NumD>, n: number) => void;

/** How a tile moves its n elements. */
const COPIES: Readonly<Record<string, Copy>> = {
  transfer: (_, to, from, n) => S.dmaCopy(to, from, n),
  "asynchronous transfer": (_, to, from, n) => {
    const [done] = S.allocEvents(1);
    S.asyncDmaCopy(to, from, n, done);
    S.waitEvents(done);
    S.freeEvents(done);
  },
  "registers with a mask": (lanes, to, from, n) => {
    for (let i = 0; i < n; i += lanes) {
      const mask = S.tailMask(n - i, lanes);
      S.vstore(S.vload(from.at(i), { mask }), to.at(i), { mask });
    }
  },
  "two registers at a time, last overlapping": (lanes, to, from, n) => {
    if (n < 2 * lanes) {
      for (let i = 0; i < n; i++) S.vstore(S.vload(from.at(i), { lanes: 1 }), to.at(i));
    } else {
      for (let i = 0; i < n; i += 2 * lanes) {
        const at = Math.min(i, n - 2 * lanes);
        S.vstore(S.vload(from.at(at), { lanes: 2 * lanes }), to.at(at));
      }
    }
  },
};

group(7, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const lanes = 256 / dtype.bits;

    /** Every bit pattern comes up. */
    const bits = (n: number) => zeros(name, n).map((_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 7);

    test.each(Object.entries(COPIES))("by %s", (means, copy) => {
      const tiled = kernel([ptr(dtype), ptr(dtype, { const: true }), i32], function tiledCopy(out, x, n) {
        const part = S.ceildiv(n, S.tileCount());
        const begin = Math.min(S.tileId() * part, n);
        copy(lanes, out.at(begin), x.at(begin), Math.min(part, n - begin));
      });
      for (const n of sizesAround(lanes))
        for (const machine of TILES) {
          const x = bits(n);
          const out = zeros(name, n);
          execute(tiled, [out, x, n], machine);
          // Registers hold numbers, so a NaN stays a NaN but may lose its payload; transfers move bits.
          if (means.includes("transfer")) expectBits(out, x);
          else expectNumbers(name, out, numbersOf(name, x));
        }
    });

    test.each(["local", "l2", "private", "l3"] as const)("through %s memory and back, in blocks", (scope) => {
      const through = kernel([ptr(dtype), ptr(dtype, { const: true }), i32], function through(out, x, n) {
        const scratch = S.alloc(dtype, [scope === "l3" ? 32 : 1, 40], scope);
        const block = scratch.at(scope === "l3" ? S.tileId() : 0);
        for (let at = S.tileId() * 40; at < n; at += S.tileCount() * 40) {
          const length = Math.min(40, n - at);
          S.dmaCopy(block, x.at(at), length);
          S.dmaCopy(out.at(at), block, length);
        }
      });
      for (const n of [0, 1, 39, 40, 41, 80, 997])
        for (const machine of TILES) {
          const x = bits(n);
          const out = zeros(name, n);
          execute(through, [out, x, n], machine);
          expectBits(out, x);
        }
    });
  });

  test("bool: transfers, masks and elements", () => {
    const copies = kernel([ptr(bool), ptr(bool), ptr(bool), ptr(bool), i32], function copies(a, b, c, x, n) {
      const part = S.ceildiv(n, S.tileCount());
      const begin = Math.min(S.tileId() * part, n);
      const end = Math.min(begin + part, n);
      S.dmaCopy(a.at(begin), x.at(begin), end - begin);
      for (let i = begin; i < end; i += 32) {
        const mask = S.tailMask(end - i, 32);
        S.vstore(S.vload(x.at(i), { mask }), b.at(i), { mask });
      }
      for (let i = begin; i < end; i++) c.set(i, x.get(i));
    });
    for (const n of sizesAround(32))
      for (const machine of TILES) {
        const x = new Uint8Array(n).map((_, i) => (Math.imul(i, 0x9e3779b1) >>> 9) & 1);
        const outs = [new Uint8Array(n), new Uint8Array(n), new Uint8Array(n)];
        execute(copies, [...outs, x, n], machine);
        for (const out of outs) expectBits(out, x);
      }
  });

  test("a copy of a part onto another part of the same array", () => {
    const shift = kernel([ptr(i32), i32, i32, i32], function shift(x, to, from, n) {
      if (S.tileId() === 0) S.dmaCopy(x.at(to), x.at(from), n);
    });
    for (const [to, from, n] of [
      [0, 10, 10],
      [10, 0, 10],
      [5, 5, 0],
      [0, 19, 1],
    ] as const) {
      const x = Int32Array.from({ length: 20 }, (_, i) => i);
      const want = x.slice().copyWithin(to, from, from + n);
      execute(shift, [x, to, from, n]);
      expectBits(x, want);
    }
  });
});
