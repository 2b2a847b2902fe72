/** Input whose rows, columns or planes do not follow one another, read by nested loops. */
import { i32, kernel, type NumD, ptr, S, u16 } from "kpu-dsl";
import { describe, test } from "vitest";
import {
  anyValues,
  DTYPES,
  expectNumbers,
  held,
  hostArray,
  NUMERIC,
  TILES,
  zeros,
} from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

/** rows, columns, elements from row to row, from column to column. */
const PLANES = [
  [0, 5, 8, 1],
  [1, 1, 1, 1],
  [5, 7, 40, 3],
  [3, 8, 8, 1],
  [4, 9, 1, 4],
  [33, 17, 50, 2],
] as const;

group(5, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const lanes = 256 / dtype.bits;
    const twice = (v: number): number => held(name, v + v);

    /** The elements of a plane, row after row. */
    function plane(x: readonly number[], [rows, columns, rowStride, columnStride]: (typeof PLANES)[number]) {
      const out: number[] = [];
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) out.push(x[r * rowStride + c * columnStride] as number);
      return out;
    }

    const scalar = kernel(
      [ptr(dtype), ptr(dtype), i32, i32, i32, i32],
      function nested(out, x, rows, columns, rowStride, columnStride) {
        for (let r = S.tileId(); r < rows; r += S.tileCount()) {
          for (let c = 0; c < columns; c++) {
            const v = x.get(r * rowStride + c * columnStride);
            out.set(r * columns + c, v + v);
          }
        }
      },
    );
    const overGrid = kernel(
      [ptr(dtype), ptr(dtype), i32, i32, i32, i32],
      function overGrid(out, x, rows, columns, rowStride, columnStride) {
        for (const [r, c] of S.grid(rows, columns)) {
          if (r % S.tileCount() === S.tileId()) {
            const from = x.at(r * rowStride).at(c * columnStride);
            out.at(r * columns).set(c, from.get() + from.get());
          }
        }
      },
    );
    const vectors = kernel(
      [ptr(dtype), ptr(dtype), i32, i32, i32, i32],
      function vectors(out, x, rows, columns, rowStride, columnStride) {
        for (let r = S.tileId(); r < rows; r += S.tileCount()) {
          for (let c = 0; c < columns; c += lanes) {
            const mask = S.tailMask(columns - c, lanes);
            const v = S.vload(x.at(r * rowStride + c * columnStride), { mask, stride: columnStride });
            S.vstore(S.vadd(v, v), out.at(r * columns + c), { mask });
          }
        }
      },
    );
    test.each([scalar, overGrid, vectors])("rows and columns by runtime strides: %o", (k) => {
      for (const p of PLANES) {
        const [rows, columns, rowStride, columnStride] = p;
        const size = rows === 0 ? 0 : (rows - 1) * rowStride + (columns - 1) * columnStride + 1;
        const x = anyValues(name, size);
        for (const machine of TILES) {
          const out = zeros(name, rows * columns);
          execute(k, [out, hostArray(name, x), rows, columns, rowStride, columnStride], machine);
          expectNumbers(name, out, plane(x, p).map(twice));
        }
      }
    });

    test("a box of a 3-D tensor, by a view", () => {
      const box = kernel([ptr(dtype), ptr(dtype), u16, u16, u16], function box(out, x, depth, height, width) {
        const from = S.view(x, [depth, height, width]);
        const to = S.view(out, [depth - 1, height - 2, width - 1]);
        for (let z = S.tileId(); z < depth - 1; z += S.tileCount())
          for (const [r, c] of S.grid(height - 2, width - 1)) {
            const v = from.at(z + 1, r + 1, c).get();
            to.at(z, r, c).set(0, v + v);
          }
      });
      for (const [depth, height, width] of [
        [1, 2, 1],
        [2, 3, 2],
        [4, 5, 6],
      ] as const) {
        const x = anyValues(name, depth * height * width);
        const want: number[] = [];
        for (let z = 1; z < depth; z++)
          for (let r = 1; r < height - 1; r++)
            for (let c = 0; c < width - 1; c++) want.push(twice(x[(z * height + r) * width + c] as number));
        for (const machine of TILES) {
          const out = zeros(name, want.length);
          execute(box, [out, hostArray(name, x), depth, height, width], machine);
          expectNumbers(name, out, want);
        }
      }
    });
  });
});
