/** Work dealt out by the number of a tile: named tiles, grid-stride loops, chunks in turn, tiles as a grid. */
import { i32, kernel, type NumD, ptr, S } from "kpu-dsl";
import { describe, test } from "vitest";
import { DTYPES, NUMERIC, TILES } from "../harness/arrays.ts";
import { expectAdds } from "./adding.ts";
import { group } from "./group.ts";

group(4, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const lanes = 256 / dtype.bits;
    const params = [ptr(dtype), ptr(dtype), ptr(dtype), i32] as const;

    test("registers go round the tiles", () => {
      const add = kernel(params, function registers(out, x, y, n) {
        for (let i = S.tileId() * lanes; i < n; i += S.tileCount() * lanes) {
          const mask = S.tailMask(n - i, lanes);
          S.vstore(S.vadd(S.vload(x.at(i), { mask }), S.vload(y.at(i), { mask })), out.at(i), { mask });
        }
      });
      expectAdds(name, add);
    });
    test("elements go round the tiles", () => {
      const add = kernel(params, function elements(out, x, y, n) {
        for (const i of S.range(S.tileId(), n, 1)) {
          if ((i - S.tileId()) % S.tileCount() === 0) out.set(i, x.get(i) + y.get(i));
        }
      });
      expectAdds(name, add);
    });
    test("chunks of 32 go round the tiles", () => {
      const add = kernel(params, function chunks(out, x, y, n) {
        for (let chunk = S.tileId(); chunk * 32 < n; chunk += S.tileCount()) {
          for (let i = chunk * 32; i < Math.min((chunk + 1) * 32, n); i++) out.set(i, x.get(i) + y.get(i));
        }
      });
      expectAdds(name, add);
    });
    test("one branch per named tile", () => {
      const add = kernel(params, function named(out, x, y, n) {
        const half = n >> 1;
        if (S.tileId() === 0) {
          for (let i = 0; i < half; i++) out.set(i, x.get(i) + y.get(i));
        } else if (S.tileId() === 1) {
          for (let i = half; i < n; i++) out.set(i, x.get(i) + y.get(i));
        }
      });
      expectAdds(name, add, { machines: TILES.filter((m) => m.tiles > 1) });
    });
    test("tiles as a grid of two columns", () => {
      const add = kernel(params, function grid(out, x, y, n) {
        const columns = S.tileCount() > 1 ? 2 : 1;
        const row = Math.floor(S.tileId() / columns);
        const rows = Math.floor(S.tileCount() / columns);
        const column = S.tileId() % columns;
        if (row >= rows) return;
        for (let r = row; r * 16 < n; r += rows)
          for (let i = r * 16 + column; i < Math.min(r * 16 + 16, n); i += columns)
            out.set(i, x.get(i) + y.get(i));
      });
      expectAdds(name, add);
    });
  });
});
