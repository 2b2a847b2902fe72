/** Maximum of a vector and of the rows and columns of a matrix: per lane, across lanes, across tiles. */
import { i32, kernel, type NumD, ptr, S } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import {
  anyValues,
  DTYPES,
  expectNumbers,
  hostArray,
  isFloatName,
  NUMERIC,
  type NumericName,
  samples,
  sizesAround,
  TILES,
  zeros,
} from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

/** What the maximum of nothing is. */
function least(name: NumericName): number {
  if (isFloatName(name)) return -Infinity;
  return name.startsWith("u") ? 0 : -(2 ** (DTYPES[name].bits - 1));
}
/** A NaN loses, -0 < +0. */
function maximum(name: NumericName, values: readonly number[]): number {
  return values.reduce((m, v) => (Number.isNaN(v) ? m : Math.max(m, v)), least(name));
}

const SHAPES = [
  [1, 1],
  [3, 8],
  [5, 13],
  [2, 64],
  [17, 33],
  [64, 3],
] as const;

group(10, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const lanes = 256 / dtype.bits;
    const lowest = least(name);

    const one = kernel([ptr(dtype), ptr(dtype), i32], function one(out, x, n) {
      if (S.tileId() !== 0) return;
      let best = S.vbcast(lowest, dtype, lanes);
      for (let i = 0; i < n; i += lanes)
        best = S.vmax(best, S.vload(x.at(i), { mask: S.tailMask(n - i, lanes), r: lowest }));
      out.set(0, S.vrpmax(best));
    });
    const across = kernel([ptr(dtype), ptr(dtype), i32], function across(out, x, n) {
      const shared = S.alloc(dtype, 32, "l3");
      let best = lowest;
      for (let i = S.tileId() * lanes; i < n; i += S.tileCount() * lanes) {
        const mask = S.tailMask(n - i, lanes);
        best = Math.max(best, S.vrpmax(S.vload(x.at(i), { mask }), { mask }));
      }
      shared.set(S.tileId(), best);
      S.barrier();
      if (S.tileId() === 0)
        out.set(0, S.vrpmax(S.vload(shared, { mask: S.tailMask(S.tileCount(), 32), r: lowest })));
    });
    test.each([one, across])("of a vector: %o", (k) => {
      for (const n of sizesAround(lanes)) {
        const x = anyValues(name, n);
        for (const machine of TILES) {
          const out = zeros(name, 1);
          execute(k, [out, hostArray(name, x), n], machine);
          expectNumbers(name, out, [maximum(name, x)]);
        }
      }
    });

    test("of every row", () => {
      const rows = kernel([ptr(dtype), ptr(dtype), i32, i32], function rows(out, x, height, width) {
        for (let r = S.tileId(); r < height; r += S.tileCount()) {
          let best = S.vbcast(lowest, dtype, lanes);
          for (let c = 0; c < width; c += lanes) {
            const mask = S.tailMask(width - c, lanes);
            best = S.vmax(best, S.vload(x.at(r * width + c), { mask }), { mask, r: best });
          }
          out.set(r, S.vrpmax(best));
        }
      });
      for (const [height, width] of SHAPES) {
        const x = anyValues(name, height * width);
        for (const machine of TILES) {
          const out = zeros(name, height);
          execute(rows, [out, hostArray(name, x), height, width], machine);
          expectNumbers(
            name,
            out,
            Array.from({ length: height }, (_, r) => maximum(name, x.slice(r * width, (r + 1) * width))),
          );
        }
      }
    });

    test("of every column", () => {
      const columns = kernel([ptr(dtype), ptr(dtype), i32, i32], function columns(out, x, height, width) {
        for (let c = S.tileId() * lanes; c < width; c += S.tileCount() * lanes) {
          const mask = S.tailMask(width - c, lanes);
          let best = S.vbcast(lowest, dtype, lanes);
          for (let r = 0; r < height; r++) best = S.vmax(best, S.vload(x.at(r * width + c), { mask }));
          S.vstore(best, out.at(c), { mask });
        }
      });
      for (const [height, width] of SHAPES) {
        const x = anyValues(name, height * width, 3);
        for (const machine of TILES) {
          const out = zeros(name, width);
          execute(columns, [out, hostArray(name, x), height, width], machine);
          expectNumbers(
            name,
            out,
            Array.from({ length: width }, (_, c) =>
              maximum(
                name,
                x.filter((_, i) => i % width === c),
              ),
            ),
          );
        }
      }
    });

    test("where every row has it first", () => {
      const places = kernel([ptr(i32), ptr(dtype), i32, i32], function places(out, x, height, width) {
        for (let r = S.tileId(); r < height; r += S.tileCount()) {
          let best = x.get(r * width);
          let at = 0;
          for (let c = 0; c < width; c += lanes) {
            const mask = S.tailMask(width - c, lanes);
            const v = S.vload(x.at(r * width + c), { mask });
            if (S.vrpmax(v, { mask }) > best) {
              best = S.vrpmax(v, { mask });
              at = c + S.vrpmax(v, { mask, returnIdx: true });
            } else if (c === 0) {
              at = S.vrpmax(v, { mask, returnIdx: true });
            }
          }
          out.set(r, at);
        }
      });
      for (const [height, width] of SHAPES) {
        const x = samples(name, height * width);
        const out = new Int32Array(height);
        execute(places, [out, hostArray(name, x), height, width]);
        expect([...out]).toEqual(
          Array.from({ length: height }, (_, r) => {
            const row = x.slice(r * width, (r + 1) * width);
            return row.indexOf(Math.max(...row));
          }),
        );
      }
    });
  });
});
