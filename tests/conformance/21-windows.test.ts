/** Windows of matrices and tensors: offsets, borders of a constant value, im2col, boxes of up to five dimensions. */
import { bool, i32, kernel, type NumD, ptr, S, u16 } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import {
  anyValues,
  corners,
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

/** height, width of the matrix; top, left, rows, columns of the window. */
const WINDOWS = [
  [1, 1, 0, 0, 1, 1],
  [8, 8, 0, 0, 8, 8],
  [8, 8, 2, 3, 4, 5],
  [9, 17, 8, 0, 1, 17],
  [9, 17, 0, 16, 9, 1],
  [5, 33, 1, 1, 3, 31],
  [5, 5, 4, 4, 1, 1],
  [4, 4, 1, 1, 0, 2],
  [4, 4, 1, 1, 2, 0],
] as const;

/** Rows and columns of border: before and after the window. */
const BORDERS = [
  [0, 0, 0, 0],
  [1, 1, 1, 1],
  [0, 2, 3, 0],
  [2, 0, 0, 5],
] as const;

/** The elements of a window with its border. */
function framed(
  x: readonly number[],
  width: number,
  [, , top, left, rows, columns]: (typeof WINDOWS)[number],
  [above, before, below, after]: (typeof BORDERS)[number],
  value: number,
): number[] {
  const out: number[] = [];
  for (let r = -above; r < rows + below; r++)
    for (let c = -before; c < columns + after; c++) {
      const inside = r >= 0 && r < rows && c >= 0 && c < columns;
      out.push(inside ? (x[(top + r) * width + left + c] as number) : value);
    }
  return out;
}

group(21, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];

    test("a window into scratch memory and out again", () => {
      const window = kernel(
        [ptr(dtype), ptr(dtype), u16, u16, u16, u16, u16],
        function window(out, x, width, top, left, rows, columns) {
          const t = S.alloc(dtype, 128);
          if (S.tileId() !== 0) return;
          S.dmaCopy(t, x.at(top * width + left), columns, {
            srcStride: width,
            dstStride: columns,
            times: rows,
          });
          S.dmaCopy(out, t, { shape: [rows, columns] });
          S.dmaCopy(out.at(rows * columns), x.at(top * width + left), {
            shape: [rows, columns],
            srcStrides: [width, 1],
          });
        },
      );
      for (const w of WINDOWS) {
        const [height, width, top, left, rows, columns] = w;
        const x = anyValues(name, height * width);
        const out = zeros(name, 2 * rows * columns);
        execute(window, [out, hostArray(name, x), width, top, left, rows, columns]);
        const want = framed(x, width, w, [0, 0, 0, 0], 0);
        expectNumbers(name, out, [...want, ...want]);
      }
    });

    test("windows with a border of any value", () => {
      const value = corners(name)[3] as number;
      const bordered = kernel(
        [ptr(dtype), ptr(dtype), u16, u16, u16, u16, u16, u16, u16, u16, u16, dtype],
        function bordered(out, x, width, top, left, rows, columns, above, before, below, after, v) {
          if (S.tileId() !== 0) return;
          S.dmaCopy(out, x.at(top * width + left), {
            shape: [rows, columns],
            srcStrides: [width, 1],
            padding: { before: [above, before], after: [below, after], value: v },
          });
        },
      );
      /** The same by hand: fill, then copy the rows into the middle. */
      const byHand = kernel(
        [ptr(dtype), ptr(dtype), u16, u16, u16, u16, u16, u16, u16, u16, u16, dtype],
        function byHand(out, x, width, top, left, rows, columns, above, before, below, after, v) {
          if (S.tileId() !== 0) return;
          const line = before + columns + after;
          S.dmaMemset(out, v, (above + rows + below) * line);
          for (let r = 0; r < rows; r++)
            S.dmaCopy(out.at((above + r) * line + before), x.at((top + r) * width + left), columns);
        },
      );
      for (const k of [bordered, byHand])
        for (const w of WINDOWS)
          for (const b of BORDERS) {
            const [height, width, top, left, rows, columns] = w;
            const [above, before, below, after] = b;
            const x = anyValues(name, height * width);
            const want = framed(x, width, w, b, value);
            const out = zeros(name, want.length);
            const args = [width, top, left, rows, columns, above, before, below, after, value];
            execute(k, [out, hostArray(name, x), ...args]);
            expectNumbers(name, out, want);
          }
    });

    test("bands of rows with a halo, one per tile", () => {
      const halo = kernel([ptr(dtype), ptr(dtype), u16, u16], function halo(out, x, height, width) {
        const t = S.alloc(dtype, 1024);
        const part = S.ceildiv(height, S.tileCount());
        const begin = Math.min(S.tileId() * part, height);
        const end = Math.min(begin + part, height);
        const top = Math.max(begin - 1, 0);
        const bottom = Math.min(end + 1, height);
        if (begin >= end) return;
        const [done] = S.allocEvents(1);
        S.asyncDmaCopy(
          t,
          x.at(top * width),
          {
            shape: [bottom - top, width],
            padding: {
              before: [begin === 0 ? 1 : 0, 1],
              after: [end === height ? 1 : 0, 1],
            },
          },
          done,
        );
        S.waitEvents(done);
        const line = width + 2;
        for (let r = begin; r < end; r++)
          for (let c = 0; c < width; c++) {
            const at = (r - begin + 1) * line + c + 1;
            out.set(r * width + c, t.get(at - line) + t.get(at + line) + t.get(at - 1) + t.get(at + 1));
          }
        S.freeEvents(done);
      });
      for (const [height, width] of [
        [1, 1],
        [3, 5],
        [8, 8],
        [31, 7],
        [40, 9],
      ] as const) {
        const x = Array.from({ length: height * width }, (_, i) => held(name, (i * 7) % 31));
        const at = (r: number, c: number): number =>
          r < 0 || r >= height || c < 0 || c >= width ? 0 : (x[r * width + c] as number);
        const want = x.map((_, i) => {
          const [r, c] = [Math.floor(i / width), i % width];
          return held(name, at(r - 1, c) + at(r + 1, c) + at(r, c - 1) + at(r, c + 1));
        });
        for (const machine of TILES) {
          const out = zeros(name, height * width);
          execute(halo, [out, hostArray(name, x), height, width], machine);
          expectNumbers(name, out, want);
        }
      }
    });

    test("im2col: 3x3 windows of an image as the rows of a matrix", () => {
      const im2col = kernel([ptr(dtype), ptr(dtype), u16, u16], function im2col(out, x, height, width) {
        for (let r = S.tileId(); r < height - 2; r += S.tileCount()) {
          S.dmaCopy(out.at(r * (width - 2) * 9), x.at(r * width), {
            shape: [width - 2, 3, 3],
            srcStrides: [1, width, 1],
          });
        }
      });
      for (const [height, width] of [
        [3, 3],
        [4, 7],
        [9, 5],
      ] as const) {
        const x = anyValues(name, height * width);
        const want: number[] = [];
        for (let r = 0; r < height - 2; r++)
          for (let c = 0; c < width - 2; c++)
            for (let tap = 0; tap < 9; tap++)
              want.push(x[(r + Math.floor(tap / 3)) * width + c + (tap % 3)] as number);
        for (const machine of TILES) {
          const out = zeros(name, want.length);
          execute(im2col, [out, hostArray(name, x), height, width], machine);
          expectNumbers(name, out, want);
        }
      }
    });

    test.each([1, 2, 3, 4, 5])("a box of %i dimensions inside a larger one, with a border", (dims) => {
      // Extents of the tensor, where the box lies in it, its extents, and the border.
      const outer = [3, 4, 3, 2, 5].slice(0, dims);
      const shape = [2, 3, 1, 2, 3].slice(0, dims);
      const offset = [1, 0, 2, 0, 1].slice(0, dims);
      const before = [0, 1, 0, 2, 1].slice(0, dims);
      const after = [1, 0, 1, 0, 2].slice(0, dims);
      const stridesOf = (extents: readonly number[]): number[] =>
        extents.map((_, d) => extents.slice(d + 1).reduce((p, e) => p * e, 1));
      const srcStrides = stridesOf(outer);
      const start = offset.reduce((s, o, d) => s + o * (srcStrides[d] as number), 0);
      const box = kernel([ptr(dtype), ptr(dtype)], function box(out, x) {
        if (S.tileId() !== 0) return;
        S.dmaCopy(out, x.at(start), { shape, srcStrides, padding: { before, after, value: 1 } });
      });
      const x = anyValues(
        name,
        outer.reduce((p, e) => p * e, 1),
      );
      const extents = shape.map((e, d) => (before[d] as number) + e + (after[d] as number));
      const outStrides = stridesOf(extents);
      const size = extents.reduce((p, e) => p * e, 1);
      const want = Array.from({ length: size }, (_, i) => {
        let from = start;
        for (let d = 0; d < dims; d++) {
          const at =
            (Math.floor(i / (outStrides[d] as number)) % (extents[d] as number)) - (before[d] as number);
          if (at < 0 || at >= (shape[d] as number)) return 1;
          from += at * (srcStrides[d] as number);
        }
        return x[from] as number;
      });
      const out = zeros(name, size);
      execute(box, [out, hostArray(name, x)]);
      expectNumbers(name, out, want);
    });
  });

  test("flags: a window of a bitmap with a border of true", () => {
    const bitmap = kernel([ptr(bool), ptr(bool)], function bitmap(out, x) {
      if (S.tileId() !== 0) return;
      S.dmaCopy(out, x.at(5), {
        shape: [2, 2],
        srcStrides: [4, 1],
        padding: { before: [1, 0], after: [0, 1], value: true },
      });
    });
    const out = new Uint8Array(9);
    execute(bitmap, [out, Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)]);
    expect([...out]).toEqual([1, 1, 1, 1, 0, 1, 0, 1, 1]);
  });

  test("rows by an index, and a picture of twice the size", () => {
    const rows = kernel([ptr(i32), ptr(i32), ptr(i32), i32], function rows(out, x, index, n) {
      if (S.tileId() === 0) S.dmaGather(out, x.at(1), index, n, { width: 3, srcStride: 4 });
    });
    const x = Int32Array.from({ length: 20 }, (_, i) => i);
    for (const index of [[], [4], [0, 0, 3], [4, 3, 2, 1, 0]]) {
      const out = new Int32Array(3 * index.length);
      execute(rows, [out, x, Int32Array.from(index), index.length]);
      expect([...out]).toEqual(index.flatMap((r) => [1, 2, 3].map((c) => 4 * r + c)));
    }
    const larger = kernel([ptr(i32), ptr(i32), u16, u16], function larger(out, picture, height, width) {
      if (S.tileId() === 0) S.dmaUpsample(out, picture, height, width, { scaleH: 2, scaleW: 3 });
    });
    for (const [height, width] of [
      [0, 4],
      [1, 1],
      [4, 5],
    ] as const) {
      const out = new Int32Array(height * width * 6);
      execute(larger, [out, x, height, width]);
      expect([...out]).toEqual(
        Array.from(out, (_, i) => {
          const [r, c] = [Math.floor(i / (3 * width)), i % (3 * width)];
          return Math.floor(r / 2) * width + Math.floor(c / 3);
        }),
      );
    }
  });
});
