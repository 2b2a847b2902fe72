/** Lengths known at run time, split over the tiles: tail tiles, tiles without work, early return. */
import { i32, kernel, type NumD, type Ptr, ptr, S } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { DTYPES, NUMERIC, TILES } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { expectAdds } from "./adding.ts";
import { group } from "./group.ts";

/** Adds begin..end by registers; the mask takes the tail. */
function addPart(
  lanes: number,
  out: Ptr<NumD>,
  x: Ptr<NumD>,
  y: Ptr<NumD>,
  begin: number,
  end: number,
): void {
  for (let i = begin; i < end; i += lanes) {
    const mask = S.tailMask(end - i, lanes);
    S.vstore(S.vadd(S.vload(x.at(i), { mask }), S.vload(y.at(i), { mask })), out.at(i), { mask });
  }
}

group(3, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const lanes = 256 / dtype.bits;
    const params = [ptr(dtype), ptr(dtype), ptr(dtype), i32] as const;

    test("ceildiv and clip, tiles without work return early", () => {
      const add = kernel(params, function clipped(out, x, y, n) {
        const part = S.ceildiv(n, S.tileCount());
        const begin = S.tileId() * part;
        if (begin >= n) return;
        addPart(lanes, out, x, y, begin, S.clip(begin + part, 0, n));
      });
      expectAdds(name, add);
    });
    test("parts of whole registers", () => {
      const add = kernel(params, function aligned(out, x, y, n) {
        const part = S.ceildiv(S.ceildiv(n, S.tileCount()), lanes) * lanes;
        const begin = Math.min(S.tileId() * part, n);
        addPart(lanes, out, x, y, begin, Math.min(begin + part, n));
      });
      expectAdds(name, add);
    });
    test("balanced parts: the first n % tiles have one element more", () => {
      const add = kernel(params, function balanced(out, x, y, n) {
        const [id, tiles] = [S.tileId(), S.tileCount()];
        const least = S.floordiv(n, tiles);
        const more = n % tiles;
        const begin = id * least + S.min(id, more);
        addPart(lanes, out, x, y, begin, begin + least + (id < more ? 1 : 0));
      });
      expectAdds(name, add);
    });
    test("whole registers, then a scalar tail", () => {
      const add = kernel(params, function scalarTail(out, x, y, n) {
        const part = S.ceildiv(n, S.tileCount());
        const begin = S.tileId() * part;
        const end = S.min(begin + part, n);
        let i = begin;
        for (; i + lanes <= end; i += lanes) S.vstore(S.vadd(S.vload(x.at(i)), S.vload(y.at(i))), out.at(i));
        for (; i < end; i++) out.set(i, x.get(i) + y.get(i));
      });
      expectAdds(name, add);
    });
    test("blocks through scratch memory inside every part", () => {
      const add = kernel(params, function blocks(out, x, y, n) {
        const a = S.alloc(dtype, 48);
        const b = S.alloc(dtype, 48);
        const part = S.ceildiv(n, S.tileCount());
        const begin = S.clip(S.tileId() * part, 0, n);
        const end = S.clip(begin + part, 0, n);
        for (let at = begin; at < end; at += 48) {
          const length = S.min(48, end - at);
          S.dmaCopy(a, x.at(at), length);
          S.dmaCopy(b, y.at(at), length);
          addPart(lanes, a, a, b, 0, length);
          S.dmaCopy(out.at(at), a, length);
        }
      });
      expectAdds(name, add);
    });
  });

  test("every tile does its part and no other: elements get the number of their tile", () => {
    const mark = kernel([ptr(i32), i32], function mark(x, n) {
      const part = S.ceildiv(n, S.tileCount());
      const begin = S.tileId() * part;
      if (begin >= n) return;
      for (let i = begin; i < Math.min(begin + part, n); i++) x.set(i, x.get(i) + S.tileId());
    });
    for (const machine of TILES)
      for (const n of [0, 1, 5, 31, 32, 33, 64, 100]) {
        const part = Math.ceil(n / machine.tiles);
        const x = new Int32Array(n);
        execute(mark, [x, n], machine);
        expect([...x]).toEqual(Array.from({ length: n }, (_, i) => Math.floor(i / part)));
      }
  });
});
