/**
 * The checkers around transfers of every form, spans, values and alignment: the kernel with the bug is caught with code,
 * line and data; its repaired twin passes under every schedule.
 */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { f16, f32, i16, i32, u8 } from "../../dsl/dtypes.ts";
import { type Kernel, kernel, ptr } from "../../dsl/kernel.ts";
import { S } from "../../dsl/s.ts";
import type { DiagnosticCode } from "../../ir/codes.ts";
import { TARGETS } from "../../ir/target.ts";
import { POLICIES, type SimulateOptions } from "../../pysim/index.ts";
import { direct, faultOf, lineOf } from "./direct.ts";
import { unchecked } from "./unchecked.ts";

const HERE = fileURLToPath(import.meta.url);

interface Case {
  readonly bug: unknown;
  readonly twin: unknown;
  readonly args: () => unknown[];
  readonly options?: SimulateOptions;
  /** The checker finds it before the first run: the run is tested without the checker too. */
  readonly static?: true;
  readonly code: DiagnosticCode;
  /** Mark of the line that is blamed. */
  readonly at: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly says: RegExp;
}

const floats = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => i + 1);
const strict = { ...TARGETS.edge, name: "strict", vectorAlignment: 32 };

const cases: Record<string, Case> = {
  "a box leaves its source": {
    bug: kernel([ptr(f32), ptr(f32), i32], function bug(y, x, n) {
      if (S.tileId() === 0) S.dmaCopy(y, x, { shape: [2, n, 2], srcStrides: [12, 4, 1] }); // @boxsource
    }),
    twin: kernel([ptr(f32), ptr(f32), i32], function twin(y, x, n) {
      if (S.tileId() === 0) S.dmaCopy(y, x, { shape: [2, n - 1, 2], srcStrides: [12, 4, 1] });
    }),
    args: () => [floats(16), floats(20), 3],
    code: "KPU4001",
    at: "boxsource",
    data: { buffer: "x", first: 20, last: 21, access: "reads" },
    says: /reads x\[20\.\.21\]/,
  },
  "padding leaves the destination": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(y, x) {
      if (S.tileId() === 0) S.dmaCopy(y, x, { shape: [2, 2], padding: { before: [1, 1], after: [1, 1] } }); // @padding
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(y, x) {
      if (S.tileId() === 0) S.dmaCopy(y, x, { shape: [2, 2], padding: { before: [1, 1], after: [0, 1] } });
    }),
    args: () => [floats(15), floats(4)],
    code: "KPU4001",
    at: "padding",
    data: { buffer: "y", first: 0, last: 15, access: "writes" },
    says: /writes y\[0\.\.15\], outside y/,
  },
  "an element of the destination is written twice": {
    bug: kernel([ptr(f32), ptr(f32), i32], function bug(y, x, n) {
      if (S.tileId() === 0) S.dmaTranspose2d(y, x, n, 2, { dstStride: 2 }); // @coincide
    }),
    twin: kernel([ptr(f32), ptr(f32), i32], function twin(y, x, n) {
      if (S.tileId() === 0) S.dmaTranspose2d(y, x, n, 2, { dstStride: 3 });
    }),
    args: () => [floats(8), floats(8), 3],
    code: "KPU4007",
    at: "coincide",
    data: { span: 3 },
    says: /dstStrides\[1\] of a transfer is 2, but the dimensions inside of it span 3/,
  },
  "a negative count": {
    bug: kernel([ptr(f32), ptr(f32), i32], function bug(y, x, n) {
      S.dmaCopy(y, x, { shape: [2, n] }); // @negative
    }),
    twin: kernel([ptr(f32), ptr(f32), i32], function twin(y, x, n) {
      S.dmaCopy(y, x, { shape: [2, S.max(n, 0)] });
    }),
    args: () => [floats(8), floats(8), -1],
    code: "KPU4007",
    at: "negative",
    says: /shape\[1\] must be at least 0, got -1/,
  },
  "an index out of bounds": {
    bug: kernel([ptr(f32), ptr(f32), ptr(i16)], function bug(y, x, i) {
      if (S.tileId() === 0) S.dmaGather(y, x, i, 3, { width: 4 }); // @index
    }),
    twin: kernel([ptr(f32), ptr(f32), ptr(i16)], function twin(y, x, i) {
      if (S.tileId() === 0) S.dmaGather(y, x, i, 2, { width: 4 });
    }),
    args: () => [floats(12), floats(12), Int16Array.of(2, 0, 3)],
    code: "KPU4001",
    at: "index",
    data: { buffer: "x", first: 12, last: 15 },
    says: /reads x\[12\.\.15\]/,
  },
  "an index that was never written": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(y, x) {
      const i = S.alloc(i32, 2);
      i.set(0, 1);
      if (S.tileId() === 0) S.dmaGather(y, x, i, 2); // @unindexed
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(y, x) {
      const i = S.alloc(i32, 2);
      i.set(0, 1);
      i.set(1, 0);
      if (S.tileId() === 0) S.dmaGather(y, x, i, 2);
    }),
    args: () => [floats(2), floats(2)],
    code: "KPU4002",
    at: "unindexed",
    data: { buffer: "local#1", element: 1 },
    says: /local#1\[1\] was never written/,
  },
  "a box reads what was never written, between rows that were": {
    bug: kernel([ptr(f32)], function bug(y) {
      const t = S.alloc(f32, 16);
      S.dmaMemset(t, 1, 3);
      S.dmaMemset(t.at(8), 1, 3);
      if (S.tileId() === 0) S.dmaTranspose2d(y, t, 2, 4, { srcStride: 8 }); // @holes
    }),
    twin: kernel([ptr(f32)], function twin(y) {
      const t = S.alloc(f32, 16);
      S.dmaMemset(t, 1, 3);
      S.dmaMemset(t.at(8), 1, 3);
      if (S.tileId() === 0) S.dmaTranspose2d(y, t, 2, 3, { srcStride: 8 });
    }),
    args: () => [floats(8)],
    code: "KPU4002",
    at: "holes",
    data: { buffer: "local#1", first: 0, last: 3, element: 3 },
    says: /reads local#1\[0\.\.3\], but local#1\[3\] was never written/,
  },
  "a race on one element between the rows of a box": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(y, x) {
      if (S.tileId() === 0) S.dmaCopy(y, x, { shape: [3, 2], dstStrides: [4, 1] });
      else y.set(5, 1); // @boxrace
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(y, x) {
      if (S.tileId() === 0) S.dmaCopy(y, x, { shape: [3, 2], dstStrides: [4, 1] });
      else y.set(6, 1);
    }),
    args: () => [floats(12), floats(6)],
    options: { tiles: 2 },
    code: "KPU4006",
    at: "boxrace",
    data: { buffer: "y", element: 5, otherTile: 0 },
    says: /race on y\[5\]/,
  },
  "use of a transposed destination in flight": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(y, x) {
      if (S.tileId() !== 0) return;
      const [e] = S.allocEvents(1);
      S.asyncDmaTranspose2d(y, x, 2, 3, e, { dstStride: 4 });
      y.set(5, 1); // @transposed
      S.waitEvents(e);
      S.freeEvents(e);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(y, x) {
      if (S.tileId() !== 0) return;
      const [e] = S.allocEvents(1);
      S.asyncDmaTranspose2d(y, x, 2, 3, e, { dstStride: 4 });
      y.set(6, 1);
      S.waitEvents(e);
      S.freeEvents(e);
    }),
    args: () => [floats(12), floats(6)],
    code: "KPU4005",
    at: "transposed",
    data: { buffer: "y", first: 5, side: "destination" },
    says: /writes y\[5\], the destination of a transfer in flight/,
  },
  "overwrite of an upsampled source in flight": {
    bug: kernel([ptr(f32)], function bug(y) {
      if (S.tileId() !== 0) return;
      const t = S.alloc(f32, [4, 4]);
      S.dmaMemset(t, 1, 16);
      const [e] = S.allocEvents(1);
      S.asyncDmaUpsample(y, t, 2, 2, e, { scaleW: 2, srcStride: 8, srcPixel: 2 });
      t.at(2, 2).set(0, 5); // @upsampled
      S.waitEvents(e);
      S.freeEvents(e);
    }),
    twin: kernel([ptr(f32)], function twin(y) {
      if (S.tileId() !== 0) return;
      const t = S.alloc(f32, [4, 4]);
      S.dmaMemset(t, 1, 16);
      const [e] = S.allocEvents(1);
      S.asyncDmaUpsample(y, t, 2, 2, e, { scaleW: 2, srcStride: 8, srcPixel: 2 });
      t.at(2, 1).set(0, 5);
      S.waitEvents(e);
      S.freeEvents(e);
    }),
    args: () => [floats(8)],
    code: "KPU4005",
    at: "upsampled",
    data: { buffer: "local#1", first: 10, side: "source" },
    says: /writes local#1\[10\], the source of a transfer in flight/,
  },
  "overwrite of an index in flight": {
    bug: kernel([ptr(f32), ptr(f32), ptr(i32)], function bug(y, x, i) {
      if (S.tileId() !== 0) return;
      const [e] = S.allocEvents(1);
      S.asyncDmaGather(y, x, i, 2, e);
      i.set(1, 0); // @frozenindex
      S.waitEvents(e);
      S.freeEvents(e);
    }),
    twin: kernel([ptr(f32), ptr(f32), ptr(i32)], function twin(y, x, i) {
      if (S.tileId() !== 0) return;
      const [e] = S.allocEvents(1);
      S.asyncDmaGather(y, x, i, 2, e);
      i.set(2, 0);
      x.set(2, 7);
      S.waitEvents(e);
      S.freeEvents(e);
    }),
    args: () => [floats(4), floats(4), Int32Array.of(3, 1, 0)],
    code: "KPU4005",
    at: "frozenindex",
    data: { buffer: "i", first: 1, side: "source" },
    says: /writes i\[1\], the source/,
  },
  "a transposition onto itself": {
    bug: kernel([ptr(f32)], function bug(x) {
      if (S.tileId() === 0) S.dmaTranspose2d(x.at(5), x, 2, 3); // @inplace
    }),
    twin: kernel([ptr(f32)], function twin(x) {
      if (S.tileId() === 0) S.dmaTranspose2d(x.at(6), x, 2, 3);
    }),
    args: () => [floats(12)],
    code: "KPU4009",
    at: "inplace",
    data: { buffer: "x" },
    says: /overlap in x/,
  },
  "a barrier does not wait for the events it is not given": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(y, x) {
      const t = S.alloc(f32, 16, "l3");
      const id = S.tileId();
      const [e] = S.allocEvents(1);
      S.asyncDmaCopy(t.at(8 * id), x, 8, e);
      S.barrier();
      S.dmaCopy(y.at(8 * id), t.at(8 - 8 * id), 8); // @unasked
      S.waitEvents(e);
      S.freeEvents(e);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(y, x) {
      const t = S.alloc(f32, 16, "l3");
      const id = S.tileId();
      const [e] = S.allocEvents(1);
      S.asyncDmaCopy(t.at(8 * id), x, 8, e);
      S.barrier({ events: e });
      S.dmaCopy(y.at(8 * id), t.at(8 - 8 * id), 8);
      S.freeEvents(e);
    }),
    args: () => [floats(16), floats(8)],
    options: { tiles: 2 },
    code: "KPU4005",
    at: "unasked",
    data: { buffer: "l3#1", side: "destination" },
    says: /the destination of a transfer in flight/,
  },
  "a hint beyond the buffer": {
    bug: kernel([ptr(f32), i32], function bug(x, n) {
      S.prefetch(x.at(4), n); // @hint
    }),
    twin: kernel([ptr(f32), i32], function twin(x, n) {
      S.prefetch(x.at(4), n - 4);
      S.flushCache(x, n);
    }),
    args: () => [floats(8), 8],
    code: "KPU4001",
    at: "hint",
    data: { buffer: "x", first: 4, last: 11 },
    says: /reads x\[4\.\.11\]/,
  },
  "spans out of order": {
    bug: kernel([], function bug() {
      S.perfBegin(1);
      S.perfBegin(2);
      S.perfEnd(1); // @order
    }),
    twin: kernel([], function twin() {
      S.perfBegin(1);
      S.perfBegin(2);
      S.perfEnd(2);
      S.perfEnd(1);
    }),
    args: () => [],
    code: "KPU5010",
    at: "order",
    says: /span 1 ends, but the innermost open span is 2/,
  },
  "a span begins while it is open": {
    bug: kernel([i32], function bug(n) {
      for (let i = 0; i < n; i++) S.perfBegin(1); // @again
    }),
    twin: kernel([i32], function twin(n) {
      for (let i = 0; i < n; i++) {
        S.perfBegin(1);
        S.perfEnd(1);
      }
    }),
    args: () => [2],
    code: "KPU5010",
    at: "again",
    says: /span 1 begins while it is open/,
  },
  "a vector that is not aligned": {
    bug: kernel([ptr(f32), i32], function bug(x, n) {
      S.vload(x.at(n), { lanes: 8 }); // @aligned
    }),
    twin: kernel([ptr(f32), i32], function twin(x, n) {
      S.vload(x.at(n + 6), { lanes: 8 });
      S.vload(x.at(n), { lanes: 2 });
      S.vload(x.at(n + 2), { lanes: 3 });
      S.vload(x.at(n), { lanes: 4, stride: 2 });
    }),
    args: () => [floats(16), 2],
    options: { target: strict },
    code: "KPU4010",
    at: "aligned",
    data: { buffer: "x", first: 2, last: 9, offset: 8, alignment: 32 },
    says: /x\[2\.\.9\], byte 8 of x: the target wants multiples of 32/,
  },
  "a masked store that is not aligned": {
    bug: kernel([ptr(u8), i32], function bug(x, n) {
      if (S.tileId() === 0) S.vstore(S.vbcast(1, u8, 32), x.at(4), { mask: S.tailMask(n, 32) }); // @maskaligned
    }),
    twin: kernel([ptr(u8), i32], function twin(x, n) {
      if (S.tileId() === 0) S.vstore(S.vbcast(1, u8, 32), x.at(32), { mask: S.tailMask(n, 32) });
      S.vstore(S.vbcast(1, u8, 32), x.at(1), { mask: S.tailMask(0, 32) });
    }),
    args: () => [new Uint8Array(64), 5],
    options: { target: strict },
    code: "KPU4010",
    at: "maskaligned",
    data: { offset: 4 },
    says: /multiples of 32/,
  },
  "a store that wraps": {
    bug: kernel([ptr(u8), i32], function bug(x, n) {
      if (S.tileId() === 0) x.set(0, n); // @wraps
    }),
    twin: kernel([ptr(u8), i32], function twin(x, n) {
      if (S.tileId() === 0) x.set(0, S.u8(n));
    }),
    args: () => [new Uint8Array(1), 300],
    options: { checks: { lossy: true } },
    code: "KPU4011",
    at: "wraps",
    data: { value: 300, kept: 44 },
    says: /storing 300 as u8 leaves 44/,
  },
  "a fill that loses its fraction": {
    bug: kernel([ptr(i32), f32], function bug(x, v) {
      if (S.tileId() === 0) S.dmaMemset(x, v, 2); // @fraction
    }),
    twin: kernel([ptr(i32), f32], function twin(x, v) {
      if (S.tileId() === 0) S.dmaMemset(x, Math.floor(v), 2);
    }),
    args: () => [new Int32Array(2), 1.5],
    options: { checks: { lossy: true } },
    code: "KPU4011",
    at: "fraction",
    says: /storing 1\.5 as i32 leaves 1/,
  },
  "padding that becomes infinite": {
    bug: kernel([ptr(f16), ptr(f16), f32], function bug(y, x, v) {
      if (S.tileId() === 0) S.dmaCopy(y, x, { shape: [1], padding: { after: [1], value: v } }); // @overflow
    }),
    twin: kernel([ptr(f16), ptr(f16), f32], function twin(y, x, v) {
      if (S.tileId() === 0) S.dmaCopy(y, x, { shape: [1], padding: { after: [1], value: v / 2 } });
    }),
    args: () => [new Uint16Array(2), new Uint16Array(1), 100000],
    options: { checks: { lossy: true } },
    code: "KPU4011",
    at: "overflow",
    says: /storing 100000 as f16 leaves Infinity/,
  },
  "an operation that makes NaN": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(y, x) {
      const v = S.vload(x, { lanes: 4 });
      const root = S.vsqrt(v); // @nan
      if (S.tileId() === 0) S.vstore(root, y);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(y, x) {
      const v = S.vload(x, { lanes: 4 });
      const root = S.vsqrt(v, { mask: S.vcge(v, 0) });
      if (S.tileId() === 0) S.vstore(root, y);
    }),
    args: () => [floats(4), Float32Array.of(1, 4, -1, 9)],
    options: { checks: { nonfinite: true } },
    code: "KPU4012",
    at: "nan",
    data: { intrinsic: "vsqrt", lane: 2 },
    says: /S\.vsqrt gives NaN in lane 2/,
  },
  "a scalar store of infinity": {
    bug: kernel([ptr(f32), f32], function bug(y, d) {
      if (S.tileId() === 0) y.set(0, 1 / d); // @infinite
    }),
    twin: kernel([ptr(f32), f32], function twin(y, d) {
      if (S.tileId() === 0) y.set(0, d === 0 ? 0 : 1 / d);
    }),
    args: () => [floats(1), 0],
    options: { checks: { nonfinite: true } },
    code: "KPU4012",
    at: "infinite",
    says: /Infinity is stored as f32/,
  },
  "an allocation that depends on the tile": {
    bug: kernel([], function bug() {
      if (S.tileId() === 0) S.alloc(f32, 8, "l3");
      else S.alloc(f32, 16, "l3"); // @tilealloc
    }),
    twin: kernel([], function twin() {
      S.alloc(f32, 8, "l3");
      S.alloc(f32, 16, "l3");
    }),
    args: () => [],
    options: { tiles: 2 },
    static: true,
    code: "KPU4004",
    at: "tilealloc",
    says: /tile 1 allocates l3 f32\[16\] where another tile allocated l3#1/,
  },
};

describe("each checker catches its bug, and the repaired twin passes", () => {
  it.each(Object.entries(cases))("%s", (_, c) => {
    const bug = c.bug as Kernel;
    if (c.static)
      expect(faultOf(() => direct(bug, c.args(), c.options)).diagnostics[0]).toMatchObject({ code: c.code });
    const fault = faultOf(() => (c.static ? unchecked : direct)(bug, c.args(), c.options));
    const d = fault.diagnostics[0];
    expect(fault.message).toMatch(c.says);
    expect(d?.code).toBe(c.code);
    expect(d?.data).toMatchObject(c.data ?? {});
    expect(d?.location).toMatchObject({ file: HERE, line: lineOf(HERE, c.at) });
    const results = new Set<string>();
    for (const policy of POLICIES) {
      for (const transfers of ["eager", "late"] as const) {
        const args = c.args();
        direct(c.twin as Kernel, args, { ...c.options, policy, transfers });
        results.add(JSON.stringify(args));
      }
    }
    expect(results.size).toBe(1);
  });
});

describe("opt-in checks", () => {
  it("are off unless asked for, also with all checks on", () => {
    for (const name of ["a store that wraps", "an operation that makes NaN", "a scalar store of infinity"]) {
      const c = cases[name] as Case;
      for (const o of [{}, { checks: true }])
        expect(() => direct(c.bug as Kernel, c.args(), o)).not.toThrow();
    }
  });
  it("NaN that was in the data is none that appears", () => {
    const k = kernel([ptr(f32), ptr(f32)], function passes(y, x) {
      if (S.tileId() === 0) S.vstore(S.vadd(S.vload(x, { lanes: 2 }), 1), y);
    });
    const x = Float32Array.of(Number.NaN, 1);
    expect(() =>
      direct(k as unknown as Kernel, [floats(2), x], { checks: { nonfinite: true } }),
    ).not.toThrow();
  });
});

describe("spans", () => {
  const k = kernel([i32], function spans(n) {
    S.perfBegin(7);
    for (let i = 0; i < n + S.tileId(); i++) {
      S.perfBegin(0);
      S.perfEnd(0);
    }
    S.perfEnd(7);
  });
  const mark = (kind: string, id: number) => ({ kind, id });
  const tile = (n: number) => [
    mark("begin", 7),
    ...Array.from({ length: n }, () => [mark("begin", 0), mark("end", 0)]).flat(),
    mark("end", 7),
  ];
  it("are in the report, per tile, in order", () => {
    expect(direct(k as unknown as Kernel, [1], { tiles: 2 }).marks).toEqual([tile(1), tile(2)]);
  });
  it("that never end are an error", () => {
    const open = kernel([], function open() {
      S.perfBegin(3);
    });
    expect(faultOf(() => direct(open as unknown as Kernel, [])).message).toMatch(/span 3 never ends/);
  });
});
