/** Transposes of matrices: by the copy engine plain and strided, by blocks over the tiles, by registers, by scalars. */
import { bool, i32, kernel, type NumD, ptr, S, u16 } from "kpu-dsl";
import { describe, test } from "vitest";
import {
  anyValues,
  DTYPES,
  expectBits,
  expectNumbers,
  hostArray,
  NUMERIC,
  samples,
  TILES,
  zeros,
} from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

const SHAPES = [
  [0, 4],
  [4, 0],
  [1, 1],
  [1, 17],
  [17, 1],
  [4, 4],
  [7, 9],
  [8, 32],
  [16, 16],
  [33, 31],
  [64, 15],
] as const;

/** Element (r, c) goes to (c, r): truth for rows of any stride; gaps keep what was there. */
function turn(
  x: readonly number[],
  out: readonly number[],
  rows: number,
  columns: number,
  srcStride: number,
  dstStride: number,
): number[] {
  const want = out.slice();
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) want[c * dstStride + r] = x[r * srcStride + c] as number;
  return want;
}

group(24, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const plain = [ptr(dtype), ptr(dtype), u16, u16] as const;

    const kernels = {
      "the copy engine": kernel(plain, function engine(out, x, rows, columns) {
        if (S.tileId() === 0) S.dmaTranspose2d(out, x, rows, columns);
      }),
      "the copy engine, waited for": kernel(plain, function waited(out, x, rows, columns) {
        if (S.tileId() !== 0) return;
        const [done] = S.allocEvents(1);
        S.asyncDmaTranspose2d(out, x, rows, columns, done);
        S.waitEvents(done);
        S.freeEvents(done);
      }),
      "a box whose strides are exchanged": kernel(plain, function box(out, x, rows, columns) {
        if (S.tileId() === 0) S.dmaCopy(out, x, { shape: [columns, rows], srcStrides: [1, columns] });
      }),
      "blocks of 16 x 16 through scratch memory, round the tiles": kernel(
        plain,
        function blocks(out, x, rows, columns) {
          const from = S.alloc(dtype, [16, 16]);
          const to = S.alloc(dtype, [16, 16]);
          const across = S.max(S.ceildiv(columns, 16), 1);
          const count = S.ceildiv(rows, 16) * across;
          for (let k = S.tileId(); k < count; k += S.tileCount()) {
            const top = S.floordiv(k, across) * 16;
            const left = (k % across) * 16;
            const [h, w] = [Math.min(16, rows - top), Math.min(16, columns - left)];
            S.dmaCopy(from, x.at(top * columns + left), w, { srcStride: columns, dstStride: 16, times: h });
            S.dmaTranspose2d(to, from, h, w, { srcStride: 16, dstStride: 16 });
            S.dmaCopy(out.at(left * rows + top), to, h, { srcStride: 16, dstStride: rows, times: w });
          }
        },
      ),
      "element by element": kernel(plain, function elements(out, x, rows, columns) {
        for (let r = S.tileId(); r < rows; r += S.tileCount())
          for (let c = 0; c < columns; c++) out.set(c * rows + r, x.get(r * columns + c));
      }),
    };
    test.each(Object.entries(kernels))("by %s", (_, k) => {
      for (const [rows, columns] of SHAPES) {
        const x = anyValues(name, rows * columns);
        const want = turn(x, new Array(x.length).fill(0), rows, columns, columns, rows);
        for (const machine of TILES) {
          const out = zeros(name, rows * columns);
          execute(k, [out, hostArray(name, x), rows, columns], machine);
          expectNumbers(name, out, want);
        }
      }
    });

    test("rows with gaps on either side", () => {
      const strided = kernel(
        [ptr(dtype), ptr(dtype), u16, u16, u16, u16],
        function strided(out, x, rows, columns, srcStride, dstStride) {
          if (S.tileId() === 0) S.dmaTranspose2d(out, x, rows, columns, { srcStride, dstStride });
        },
      );
      for (const [rows, columns] of SHAPES)
        for (const [more, gap] of [
          [0, 3],
          [5, 0],
          [1, 1],
        ] as const) {
          const [srcStride, dstStride] = [columns + more, rows + gap];
          const empty = rows === 0 || columns === 0;
          const x = anyValues(name, empty ? 0 : (rows - 1) * srcStride + columns);
          const before = samples(name, empty ? 0 : (columns - 1) * dstStride + rows, 2);
          const out = hostArray(name, before);
          execute(strided, [out, hostArray(name, x), rows, columns, srcStride, dstStride]);
          expectNumbers(name, out, turn(x, before, rows, columns, srcStride, dstStride));
        }
    });

    test("in registers: 4 x 4, 8 x 8 and 2 x 8 lanes", () => {
      for (const [rows, columns] of [
        [4, 4],
        [8, 8],
        [2, 8],
      ] as const) {
        const registers = kernel([ptr(dtype), ptr(dtype)], function registers(out, x) {
          if (S.tileId() !== 0) return;
          const v = S.vload(x, { lanes: rows * columns });
          S.vstore(S.vtranspose(v, rows), out);
        });
        const x = anyValues(name, rows * columns);
        const out = zeros(name, rows * columns);
        execute(registers, [out, hostArray(name, x)]);
        expectNumbers(name, out, turn(x, x, rows, columns, columns, rows));
      }
    });

    test("there and back is the same bits", () => {
      const twice = kernel([ptr(dtype), ptr(dtype), u16, u16], function twice(out, x, rows, columns) {
        const t = S.alloc(dtype, 33 * 31, "l2");
        if (S.tileId() !== 0) return;
        S.dmaTranspose2d(t, x, rows, columns);
        S.dmaTranspose2d(out, t, columns, rows);
      });
      for (const [rows, columns] of [
        [1, 5],
        [33, 31],
      ] as const) {
        const x = zeros(name, rows * columns).map((_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 7);
        const out = zeros(name, rows * columns);
        execute(twice, [out, x, rows, columns]);
        expectBits(out, x);
      }
    });
  });

  test("bool", () => {
    const flags = kernel([ptr(bool), ptr(bool), i32, i32], function flags(out, x, rows, columns) {
      if (S.tileId() === 0) S.dmaTranspose2d(out, x, rows, columns);
    });
    const x = Uint8Array.from({ length: 35 }, (_, i) => (i % 3 === 0 ? 1 : 0));
    const out = new Uint8Array(35);
    execute(flags, [out, x, 5, 7]);
    expectNumbers("bool", out, turn([...x], [...x], 5, 7, 7, 5));
  });
});
