/** Pointers: moved both ways, read as another dtype, tested for null, compared, measured. */
import { bool, i32, kernel, type NumD, type Ptr, ptr, S, u8 } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import {
  anyValues,
  DTYPES,
  expectNumbers,
  type HostArray,
  hostArray,
  NUMERIC,
  numbersOf,
  zeros,
} from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

group(25, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const lanes = 256 / dtype.bits;

    test("offsets both ways", () => {
      const offsets = kernel([ptr(dtype), ptr(dtype), i32, i32], function offsets(out, x, there, back) {
        if (S.tileId() !== 0) return;
        const middle = x.at(there);
        out.set(0, middle.get());
        out.set(1, middle.get(-there));
        out.set(2, middle.at(back).get());
        out.set(3, middle.at(back).at(-back).get());
        out.set(
          4,
          x
            .at(-there)
            .at(2 * there)
            .get(),
        );
        out.at(5).at(-5).at(5).set(0, middle.get(back));
        let p = x.at(16);
        for (let i = 0; i < there; i++) p = p.at(-1);
        out.set(6, p.get());
        p.at(-p.diff(x)).at(there).set(0, 1);
        out.set(7, middle.get());
      });
      const x = anyValues(name, 17);
      for (const [there, back] of [
        [0, 0],
        [1, -1],
        [8, -3],
        [16, -16],
        [5, 11],
      ] as const) {
        const out = zeros(name, 8);
        execute(offsets, [out, hostArray(name, x), there, back]);
        const at = (i: number): number => x[i] as number;
        const want = [there, 0, there + back, there, there, there + back, 16 - there].map(at);
        expectNumbers(name, out, [...want, 1]);
      }
    });

    test("vector loads and stores from moved pointers", () => {
      const vectors = kernel([ptr(dtype), ptr(dtype), i32], function vectors(out, x, from) {
        if (S.tileId() !== 0) return;
        const p = x.at(lanes);
        S.vstore(S.vload(p.at(from)), out.at(lanes).at(-from));
      });
      const x = anyValues(name, 3 * lanes);
      for (const from of [0, 1, -1, lanes - 1, lanes, -lanes]) {
        const out = zeros(name, 3 * lanes);
        execute(vectors, [out, hostArray(name, x), from]);
        const want = new Array<number>(3 * lanes).fill(0);
        for (let i = 0; i < lanes; i++) want[lanes - from + i] = x[lanes + from + i] as number;
        expectNumbers(name, out, want);
      }
    });

    test.each(NUMERIC)("read and written as %s", (as) => {
      const other: NumD = DTYPES[as];
      const reinterpret = kernel(
        [ptr(other), ptr(dtype), ptr(dtype)],
        function reinterpret(read, x, written) {
          if (S.tileId() !== 0) return;
          const p = x.as(other);
          const q = written.as(other);
          const length = 32 / other.bytes;
          for (let i = 0; i < length; i++) read.set(i, p.get(i));
          S.vstore(S.vload(x.as(other)), read.at(length));
          for (let i = 0; i < length; i++) q.set(i, p.get(i));
          // There and back again, and half an element further.
          read.set(2 * length, p.as(u8).as(other).get());
        },
      );
      const bytes = Uint8Array.from({ length: 32 }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 12) & 255);
      const x = over(zeros(name, 0), bytes);
      const length = 32 / other.bytes;
      const read = zeros(as, 2 * length + 1);
      const written = zeros(name, x.length);
      execute(reinterpret, [read, x, written]);
      const want = numbersOf(as, over(zeros(as, 0), bytes));
      expectNumbers(as, read, [...want, ...want, want[0] as number]);
      expectNumbers(as, over(zeros(as, 0), new Uint8Array(written.buffer)), want);
    });

    test("comparison, distance and null", () => {
      const facts = kernel(
        [ptr(i32), ptr(dtype), ptr(dtype), ptr(dtype), i32],
        function facts(out, x, y, none, n) {
          if (S.tileId() !== 0) return;
          const scratch = S.alloc(dtype, 8);
          const note = (at: number, fact: boolean): void => out.set(at, fact ? 1 : 0);
          note(0, x.eq(x));
          note(1, x.at(n).eq(x));
          note(2, x.at(n).at(-n).eq(x));
          note(3, x.eq(y));
          note(4, none.isNull);
          note(5, x.isNull || scratch.isNull);
          note(6, scratch.at(n).eq(scratch.at(3)));
          note(
            7,
            x
              .at(n)
              .as(u8)
              .eq(x.as(u8).at(n * dtype.bytes)),
          );
          out.set(8, x.at(n).diff(x));
          out.set(9, x.diff(x.at(n)));
          out.set(10, scratch.at(5).diff(scratch.at(n)));
          out.set(
            11,
            x
              .as(u8)
              .at(n * dtype.bytes)
              .diff(x.as(u8)),
          );
        },
      );
      for (const n of [0, 1, 3, 8])
        for (const same of [false, true]) {
          const out = new Int32Array(12);
          const x = zeros(name, 8);
          execute(facts, [out, x, same ? x : zeros(name, 8), null, n]);
          const flags = [true, n === 0, true, same, true, false, n === 3, true].map(Number);
          expect([...out]).toEqual([...flags, n, 0 - n, 5 - n, n * dtype.bytes]);
        }
    });
  });

  test("a pointer chosen at run time", () => {
    const larger = (a: Ptr<i32>, b: Ptr<i32>): Ptr<i32> => (a.get() >= b.get() ? a : b);
    const choose = kernel([ptr(i32), ptr(i32), ptr(i32), i32], function choose(out, x, y, n) {
      if (S.tileId() !== 0) return;
      for (let i = 0; i < n; i++) {
        const p = larger(x.at(i), y.at(i));
        out.set(i, p.get());
        p.set(0, -1);
      }
    });
    const x = Int32Array.of(1, 5, 3, 9);
    const y = Int32Array.of(2, 4, 3, -9);
    const out = new Int32Array(4);
    execute(choose, [out, x, y, 4]);
    expect([[...out], [...x], [...y]]).toEqual([
      [2, 5, 3, 9],
      [1, -1, -1, -1],
      [-1, 4, 3, -9],
    ]);
  });

  test("an absent array is null, and only its use is an error", () => {
    const optional = kernel([ptr(i32), ptr(bool), i32], function optional(out, flags, n) {
      if (S.tileId() !== 0) return;
      for (let i = 0; i < n; i++) out.set(i, flags.isNull || flags.get(i) ? i : -1);
    });
    for (const flags of [null, Uint8Array.of(1, 0, 1)]) {
      const out = new Int32Array(3);
      execute(optional, [out, flags, 3]);
      expect([...out]).toEqual(flags === null ? [0, 1, 2] : [0, -1, 2]);
    }
  });
});

/** An array of the kind of `like` over these bytes. */
function over(like: HostArray, bytes: Uint8Array): HostArray {
  const kind = like.constructor as new (buffer: ArrayBuffer) => HostArray;
  return new kind(bytes.slice().buffer);
}
