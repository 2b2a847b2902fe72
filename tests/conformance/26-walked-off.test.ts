/**
 * A pointer may be moved anywhere, but an access outside of its buffer is an error that names the elements. Every kernel
 * runs within the buffer first, up to its very ends: the same source with other numbers is the twin without the bug.
 */
import { i32, KpuError, kernel, type NumD, type Ptr, ptr, S, type Vec } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { DTYPES, NUMERIC, zeros } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

const LENGTH = 64;
const SCOPES = ["parameter", "global", "l3", "l2", "local", "private"] as const;

interface Access {
  /** Elements from the first to the last that it touches. */
  readonly span: number;
  /** `spare` is a vector or memory that is always in bounds. */
  readonly run: (p: Ptr<NumD>, spare: Ptr<NumD>, index: Vec<i32>) => void;
}

/** Eight lanes or elements, two apart where there are strides. */
const ACCESSES: Readonly<Record<string, Access>> = {
  "scalar read": { span: 1, run: (p, spare) => spare.set(0, p.get()) },
  "scalar write": { span: 1, run: (p) => p.set(0, 1) },
  "vector load": { span: 8, run: (p, spare) => S.vstore(S.vload(p, { lanes: 8 }), spare) },
  "vector store": { span: 8, run: (p, spare) => S.vstore(S.vload(spare, { lanes: 8 }), p) },
  "masked load": {
    span: 3,
    run: (p, spare) => S.vstore(S.vload(p, { mask: "TFT5F" }), spare),
  },
  "strided load": { span: 15, run: (p, spare) => S.vstore(S.vload(p, { lanes: 8, stride: 2 }), spare) },
  "strided store": {
    span: 15,
    run: (p, spare) => S.vstore(S.vload(spare, { lanes: 8 }), p, { stride: 2 }),
  },
  gather: { span: 8, run: (p, spare, index) => S.vstore(S.vloadGather(p, index), spare) },
  scatter: { span: 8, run: (p, spare, index) => S.vstoreScatter(S.vload(spare, { lanes: 8 }), p, index) },
  "transfer from": { span: 10, run: (p, spare) => S.dmaCopy(spare, p, 10) },
  "transfer to": { span: 10, run: (p, spare) => S.dmaCopy(p, spare, 10) },
  "rows from": {
    span: 13,
    run: (p, spare) => S.dmaCopy(spare, p, 3, { srcStride: 5, dstStride: 3, times: 3 }),
  },
  "rows to": {
    span: 13,
    run: (p, spare) => S.dmaCopy(p, spare, 3, { srcStride: 3, dstStride: 5, times: 3 }),
  },
  memset: { span: 7, run: (p) => S.dmaMemset(p, 1, 7) },
};
const INDEX = [3, 1, 0, 2, 7, 5, 6, 4];

function walker(dtype: NumD, where: (typeof SCOPES)[number], { run }: Access) {
  return kernel([ptr(dtype), ptr(dtype), i32], function walker(x, spare, from) {
    const below = S.alloc(dtype, 16, "local");
    const own = where === "parameter" ? x : S.alloc(dtype, LENGTH, where);
    const above = S.alloc(dtype, 16, "local");
    const index = S.vload(S.allocConst(i32, INDEX), { lanes: 8 });
    if (S.tileId() !== 0) return;
    S.dmaMemset(below, 0, 16);
    S.dmaMemset(own, 0, LENGTH);
    S.dmaMemset(above, 0, 16);
    run(own.at(from), spare, index);
    // Walked off and back again, and never used out there: no error.
    own
      .at(-1000)
      .at(1000 + LENGTH)
      .at(-1)
      .get();
  });
}

function failure(run: () => void): KpuError | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof KpuError) return error;
    throw error;
  }
}

/** Where accesses of `span` elements start: outside, partly outside, far away. */
const outside = (span: number): number[] => [-1, -span, -1000000, LENGTH - span + 1, LENGTH, 2 ** 30];
const inside = (span: number): number[] => [0, 1, LENGTH - span];

group(26, () => {
  describe.each(SCOPES)("%s", (where) => {
    test.each(Object.entries(ACCESSES))("%s", (_, access) => {
      const k = walker(DTYPES.f32, where, access);
      const at = (from: number): void => execute(k, [zeros("f32", LENGTH), zeros("f32", 16), from]);
      for (const from of inside(access.span)) at(from);
      for (const from of outside(access.span)) {
        const error = failure(() => at(from));
        expect(error?.code, `from ${from}`).toBe("KPU4001");
        const [d] = error?.diagnostics ?? [];
        expect(d?.location?.file).toMatch(/26-walked-off\.test\.ts$/);
        expect(d?.data).toMatchObject({ tile: 0, size: LENGTH });
        const [first, last] = [Number(d?.data?.["first"]), Number(d?.data?.["last"])];
        // The elements of the report lie within the access, and some outside of the buffer.
        expect(first).toBeGreaterThanOrEqual(from);
        expect(last).toBeLessThan(from + access.span);
        expect(first < 0 || last >= LENGTH).toBe(true);
      }
    });
  });

  describe.each(NUMERIC)("%s", (name) => {
    test.each(["scalar write", "vector store", "strided load", "transfer to"])("%s", (access) => {
      const { span } = ACCESSES[access] as Access;
      const k = walker(DTYPES[name], "local", ACCESSES[access] as Access);
      const at = (from: number): void => execute(k, [zeros(name, LENGTH), zeros(name, 16), from]);
      for (const from of inside(span)) at(from);
      for (const from of [-1, LENGTH - span + 1]) expect(failure(() => at(from))?.code).toBe("KPU4001");
    });
  });

  describe("a loop that goes one too far", () => {
    const loops = {
      forwards: kernel([ptr(i32), i32], function forwards(x, n) {
        if (S.tileId() !== 0) return;
        let p = x;
        for (let i = 0; i < n; i++) {
          p.set(0, i);
          p = p.at(1);
        }
      }),
      backwards: kernel([ptr(i32), i32], function backwards(x, n) {
        if (S.tileId() !== 0) return;
        let p = x.at(9);
        for (let i = 0; i < n; i++) {
          p.set(0, i);
          p = p.at(-1);
        }
      }),
    };
    test.each([
      ["forwards", 10],
      ["backwards", -1],
    ] as const)("%s", (direction, element) => {
      execute(loops[direction], [new Int32Array(10), 10]);
      const error = failure(() => execute(loops[direction], [new Int32Array(10), 11]));
      expect(error?.code).toBe("KPU4001");
      expect(error?.diagnostics[0]?.data).toMatchObject({ buffer: "x", first: element, last: element });
    });
  });
});
