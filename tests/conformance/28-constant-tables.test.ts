/** Read-only tables of values known when the kernel is made, in every dtype, read in every way. */
import { bool, i32, kernel, type NumD, ptr, S } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import {
  anyValues,
  corners,
  DTYPES,
  expectNumbers,
  held,
  hostArray,
  isFloatName,
  NUMERIC,
  TILES,
  zeros,
} from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

group(28, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const lanes = 256 / dtype.bits;

    test.each([1, lanes, 37])("%i values by scalars, vectors, gathers and transfers", (length) => {
      const values = [...corners(name), ...anyValues(name, length)].slice(0, length);
      const lookUp = kernel(
        [ptr(dtype), ptr(dtype), ptr(dtype), ptr(dtype), i32],
        function lookUp(scalars, vectors, gathers, copies, first) {
          const table = S.allocConst(dtype, values);
          if (S.tileId() !== 0) return;
          for (let i = 0; i < length; i++) {
            const at = (first + i) % length;
            scalars.set(i, table.get(at));
          }
          for (let i = 0; i < length; i += lanes) {
            const mask = S.tailMask(length - i, lanes);
            S.vstore(S.vload(table.at(i), { mask }), vectors.at(i), { mask });
          }
          const from = S.vbcast(first, i32, 1);
          for (let i = 0; i < length; i++) {
            const index = S.vmod(S.vadd(from, i), length);
            S.vstore(S.vloadGather(table, index), gathers.at(i));
          }
          S.dmaCopy(copies, table, length);
        },
      );
      for (const first of [0, 1, length - 1]) {
        const outs = [0, 1, 2, 3].map(() => zeros(name, length));
        execute(lookUp, [...outs, first]);
        const turned = values.map((_, i) => values[(first + i) % length] as number);
        for (const [i, want] of [turned, values, turned, values].entries())
          expectNumbers(name, outs[i] as (typeof outs)[number], want);
      }
    });

    test("from a TypedArray, and several tables in one kernel", () => {
      const first = Float32Array.of(1, 2, 3, 100);
      const second = isFloatName(name) ? [0.1, -0.1, 1e-3, 3e4] : [5, 6, 7, 8];
      const tables = kernel([ptr(dtype), i32], function tables(out, n) {
        const a = S.allocConst(dtype, first);
        const b = S.allocConst(dtype, second);
        const c = S.allocConst(i32, [3, 2, 1, 0]);
        if (S.tileId() !== 0) return;
        let p = a;
        for (let i = 0; i < n; i++) {
          out.set(i, p.get(c.get(i % 4)));
          p = i % 4 === 3 ? b : p;
        }
      });
      const out = zeros(name, 8);
      execute(tables, [out, 8]);
      expectNumbers(
        name,
        out,
        [...[...first].reverse(), ...[...second].reverse()].map((v) => held(name, v)),
      );
    });

    test("all tiles read one table", () => {
      const values = anyValues(name, 64);
      const each = kernel([ptr(dtype)], function each(out) {
        const table = S.allocConst(dtype, values);
        for (let i = S.tileId(); i < 64; i += S.tileCount()) out.set(i, table.get(63 - i));
      });
      for (const machine of TILES) {
        const out = zeros(name, 64);
        execute(each, [out], machine);
        expectNumbers(name, out, values.slice().reverse());
      }
    });

    test("as weights of a filter over runtime data", () => {
      const weights = [1, 2, 4, 2, 1];
      const filter = kernel([ptr(dtype), ptr(dtype), i32], function filter(out, x, n) {
        const w = S.allocConst(dtype, weights);
        for (let i = S.tileId(); i < n - 4; i += S.tileCount()) {
          let sum = 0;
          for (let t = 0; t < 5; t++) sum += w.get(t) * (x.get(i + t) as number);
          out.set(i, sum);
        }
      });
      const x = Array.from({ length: 40 }, (_, i) => held(name, (i * 7) % 12));
      const out = zeros(name, 36);
      execute(filter, [out, hostArray(name, x), 40]);
      const want = Array.from({ length: 36 }, (_, i) =>
        held(
          name,
          weights.reduce((s, w, t) => s + w * (x[i + t] as number), 0),
        ),
      );
      expectNumbers(name, out, want);
    });
  });

  test("bool", () => {
    const values = [true, false, false, true, true, false, true, false];
    const flags = kernel([ptr(bool), ptr(bool), i32], function flags(out, mask, first) {
      const table = S.allocConst(bool, values);
      if (S.tileId() !== 0) return;
      for (let i = 0; i < 8; i++) out.set(i, table.get((first + i) % 8));
      S.vstore(S.vinv(S.vload(table, { lanes: 8 })), mask);
    });
    for (const first of [0, 3]) {
      const [out, mask] = [new Uint8Array(8), new Uint8Array(8)];
      execute(flags, [out, mask, first]);
      expect([...out]).toEqual(values.map((_, i) => Number(values[(first + i) % 8])));
      expect([...mask]).toEqual(values.map((v) => Number(!v)));
    }
  });
});
