/** Vectors whose lanes lie a stride apart in memory: static and runtime strides, masks, any lane count. */
import { i32, kernel, type NumD, ptr, S } from "kpu-dsl";
import { describe, test } from "vitest";
import {
  anyValues,
  DTYPES,
  expectNumbers,
  hostArray,
  NUMERIC,
  samples,
  TILES,
  zeros,
} from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

/** Stride of the load, of the store, active lanes. */
const CASES = [
  [1, 1, 99],
  [2, 1, 99],
  [1, 2, 99],
  [3, 5, 99],
  [2, 3, 1],
  [7, 1, 0],
  [4, 4, 5],
  [16, 17, 6],
] as const;

group(29, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const register = 256 / dtype.bits;

    test.each([1, 7, register, register + 3, 2 * register])("%i lanes, runtime strides", (lanes) => {
      const strided = kernel(
        [ptr(dtype), ptr(dtype), ptr(dtype), i32, i32, i32],
        function strided(spread, packed, x, from, to, count) {
          if (S.tileId() !== 0) return;
          const mask = S.tailMask(count, lanes);
          S.vstore(S.vload(x, { lanes, stride: from, mask, r: 1 }), packed);
          S.vstore(S.vload(x, { lanes, stride: from, mask }), spread, { stride: to, mask });
        },
      );
      for (const [from, to, most] of CASES) {
        const count = Math.min(most, lanes);
        // Memory ends with the last active lane.
        const x = anyValues(name, count === 0 ? 0 : (count - 1) * from + 1);
        const size = count === 0 ? 0 : (count - 1) * to + 1;
        const before = samples(name, size, 4);
        const spread = hostArray(name, before);
        const packed = zeros(name, lanes);
        execute(strided, [spread, packed, hostArray(name, x), from, to, count]);
        const want = before.slice();
        for (let i = 0; i < count; i++) want[i * to] = x[i * from] as number;
        expectNumbers(name, spread, want);
        expectNumbers(
          name,
          packed,
          Array.from({ length: lanes }, (_, i) => (i < count ? (x[i * from] as number) : 1)),
        );
      }
    });

    test.each([1, 2, 3, 4, 8, 13])("static stride %i", (stride) => {
      const fixed = kernel([ptr(dtype), ptr(dtype)], function fixed(out, x) {
        if (S.tileId() !== 0) return;
        const v = S.vload(x, { stride });
        S.vstore(v, out);
        S.vstore(v, out.at(register), { stride });
      });
      const x = anyValues(name, (register - 1) * stride + 1);
      const out = zeros(name, register + x.length);
      execute(fixed, [out, hostArray(name, x)]);
      const want = new Array<number>(register + x.length).fill(0);
      for (let i = 0; i < register; i++) {
        want[i] = x[i * stride] as number;
        want[register + i * stride] = x[i * stride] as number;
      }
      expectNumbers(name, out, want);
    });

    test("columns of a matrix become rows", () => {
      const columns = kernel([ptr(dtype), ptr(dtype), i32, i32], function columns(out, x, height, width) {
        for (let c = S.tileId(); c < width; c += S.tileCount()) {
          for (let r = 0; r < height; r += register) {
            const mask = S.tailMask(height - r, register);
            S.vstore(S.vload(x.at(r * width + c), { stride: width, mask }), out.at(c * height + r), { mask });
          }
        }
      });
      const back = kernel([ptr(dtype), ptr(dtype), i32, i32], function back(out, x, height, width) {
        for (let c = S.tileId(); c < width; c += S.tileCount()) {
          for (let r = 0; r < height; r += register) {
            const mask = S.tailMask(height - r, register);
            S.vstore(S.vload(x.at(c * height + r), { mask }), out.at(r * width + c), { stride: width, mask });
          }
        }
      });
      for (const [height, width] of [
        [1, 1],
        [5, 3],
        [8, 8],
        [17, 9],
        [33, 2],
      ] as const) {
        const x = anyValues(name, height * width);
        const turned = Array.from(
          { length: height * width },
          (_, i) => x[(i % height) * width + Math.floor(i / height)] as number,
        );
        for (const machine of TILES) {
          const out = zeros(name, height * width);
          execute(columns, [out, hostArray(name, x), height, width], machine);
          expectNumbers(name, out, turned);
          const again = zeros(name, height * width);
          execute(back, [again, hostArray(name, turned), height, width], machine);
          expectNumbers(name, again, x);
        }
      }
    });
  });
});
