/** Row copies at the limits of width, strides and times, synchronous and asynchronous, against copies element by element. */
import { bool, i32, kernel, type Ptr, ptr, S } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { DTYPES, expectBits, hostArray, NUMERIC, samples, zeros } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

/** width, source stride, destination stride, times. */
type Rows = readonly [width: number, srcStride: number, dstStride: number, times: number];
const CASES: readonly Rows[] = [
  // Nothing: no element is touched, so even null memory will do.
  [0, 0, 0, 0],
  [0, 5, 7, 3],
  [4, 4, 4, 0],
  [0, 0, 0, 1],
  // One row, one element, one column.
  [1, 1, 1, 1],
  [17, 17, 17, 1],
  [17, 0, 0, 1],
  [1, 1, 1, 33],
  [1, 7, 1, 9],
  [1, 1, 7, 9],
  // Dense rows, gaps on either side, on both.
  [8, 8, 8, 4],
  [8, 9, 8, 4],
  [8, 8, 11, 4],
  [7, 13, 9, 5],
  [33, 34, 35, 3],
  // Rows of the source that overlap, or are all the same one.
  [8, 3, 8, 5],
  [5, 1, 6, 7],
  [6, 0, 6, 4],
  // Many rows, a long row.
  [2, 3, 2, 250],
  [997, 997, 997, 1],
  [499, 500, 499, 2],
];
const extent = ([width, , , times]: Rows, stride: number): number =>
  width === 0 || times === 0 ? 0 : (times - 1) * stride + width;

group(22, () => {
  describe.each([...NUMERIC, "bool"] as const)("%s", (name) => {
    const dtype = name === "bool" ? bool : DTYPES[name];
    const params = [ptr(dtype), ptr(dtype), i32, i32, i32, i32] as const;

    const given = kernel(params, function given(out, x, width, srcStride, dstStride, times) {
      if (S.tileId() === 0) S.dmaCopy(out, x, width, { srcStride, dstStride, times });
    });
    const waited = kernel(params, function waited(out, x, width, srcStride, dstStride, times) {
      if (S.tileId() !== 0) return;
      const [e] = S.allocEvents(1);
      S.asyncDmaCopy(out, x, width, e, { srcStride, dstStride, times });
      S.waitEvents(e);
      S.freeEvents(e);
    });
    const byTile = kernel(params, function byTile(out, x, width, srcStride, dstStride, times) {
      for (let r = S.tileId(); r < times; r += S.tileCount())
        S.dmaCopy(out.at(r * dstStride), x.at(r * srcStride), width);
    });
    test.each([given, waited, byTile])("%o", (k) => {
      for (const rows of CASES) {
        const [width, srcStride, dstStride, times] = rows;
        // Both arrays end exactly with the last row.
        const bits = (n: number, salt: number) =>
          hostArray(
            name,
            name === "bool" ? samples("u8", n, salt).map((v) => v & 1) : samples(name, n, salt),
          );
        const x = bits(extent(rows, srcStride), 0);
        const out = bits(extent(rows, dstStride), 1);
        const want = out.slice();
        for (let r = 0; r < times; r++)
          for (let i = 0; i < width; i++) want[r * dstStride + i] = x[r * srcStride + i] as number;
        execute(k, [out, x, width, srcStride, dstStride, times]);
        expectBits(out, want);
      }
    });

    test("strides and times that are left out", () => {
      const defaults = kernel([ptr(dtype), ptr(dtype), i32, i32], function defaults(out, x, width, times) {
        if (S.tileId() !== 0) return;
        S.dmaCopy(out, x, width);
        S.dmaCopy(out, x, width, { times });
        S.dmaCopy(out.at(width * times), x, width, { srcStride: width });
        S.dmaCopy(out.at(width * times + width), x, 1, { times, dstStride: 2 });
      });
      for (const [width, times] of [
        [1, 1],
        [4, 3],
        [0, 1],
      ] as const) {
        const x = zeros(name, Math.max(width * times, times)).map((_, i) => (i % 3 === 0 ? 1 : 0));
        const size = width * times + width + 2 * times - 1;
        const out = zeros(name, size);
        execute(defaults, [out, x, width, times]);
        const want = zeros(name, size);
        for (let i = 0; i < width * times; i++) want[i] = x[i] as number;
        for (let i = 0; i < width; i++) want[width * times + i] = x[i] as number;
        for (let i = 0; i < times; i++) want[width * times + width + 2 * i] = x[i] as number;
        expectBits(out, want);
      }
    });
  });

  test("between every pair of scopes", () => {
    for (const from of ["global", "l3", "l2", "local", "private"] as const)
      for (const to of ["global", "l3", "l2", "local", "private"] as const) {
        const pair = kernel([ptr(i32), ptr(i32), i32], function pair(out, x, width) {
          const a = S.alloc(i32, 40, from);
          const b = S.alloc(i32, 40, to);
          if (S.tileId() !== 0) return;
          S.dmaCopy(a, x, 40);
          S.dmaMemset(b, -1, 40);
          S.dmaCopy(b.at(2), a.at(1), width, { srcStride: 9, dstStride: 10, times: 3 });
          S.dmaCopy(out, b, 40);
        });
        for (const width of [0, 1, 8]) {
          const x = Int32Array.from({ length: 40 }, (_, i) => i * i);
          const want = new Int32Array(40).fill(-1);
          for (let r = 0; r < 3; r++)
            for (let i = 0; i < width; i++) want[2 + r * 10 + i] = x[1 + r * 9 + i] as number;
          const out = new Int32Array(40);
          execute(pair, [out, x, width]);
          expect([...out]).toEqual([...want]);
        }
      }
  });

  test("a helper that copies rows of a picture into a larger one", () => {
    const paste = (
      to: Ptr<i32>,
      toWidth: number,
      from: Ptr<i32>,
      h: number,
      w: number,
      y: number,
      x: number,
    ) => S.dmaCopy(to.at(y * toWidth + x), from, w, { srcStride: w, dstStride: toWidth, times: h });
    const pasted = kernel([ptr(i32), ptr(i32), i32, i32], function pasted(out, x, row, column) {
      if (S.tileId() === 0) paste(out, 10, x, 3, 4, row, column);
    });
    for (const [row, column] of [
      [0, 0],
      [2, 6],
      [5, 3],
    ] as const) {
      const out = new Int32Array(80);
      execute(pasted, [out, Int32Array.from({ length: 12 }, (_, i) => i + 1), row, column]);
      const want = new Int32Array(80);
      for (let i = 0; i < 12; i++) want[(row + Math.floor(i / 4)) * 10 + column + (i % 4)] = i + 1;
      expect([...out]).toEqual([...want]);
    }
  });
});
