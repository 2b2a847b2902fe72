/**
 * Transfers whose rows the streamers read where they come from, and rows that are drained to where they go: programs leave what they
 * leave when every transfer moves its rows at once. And which transfers they are.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AnyD, dtypeOf, f32, i32 } from "../../dsl/dtypes.ts";
import { type Kernel, kernel, type ParamDecl, ptr } from "../../dsl/kernel.ts";
import { S } from "../../dsl/s.ts";
import { build, createDevice, simulate } from "../../index.ts";
import type { DTypeName } from "../../ir/dtype.ts";
import { hostArray } from "../../ir/elements.ts";
import { gemmKernel, planGemm } from "../../kernels/index.ts";
import { everyWay, TARGET } from "./ways.ts";

/** Elements of the buffer, of the array that rows come from, and of a result. */
const [NEAR, FAR, RESULT] = [240, 400, 144];

interface Rows {
  readonly is: "rows";
  readonly dst: number;
  readonly src: number;
  readonly width: number;
  readonly srcStride: number;
  readonly dstStride: number;
  readonly times: number;
}
interface Stream {
  readonly is: "stream";
  readonly edge: "rows" | "cols";
  readonly at: number;
  readonly extent: number;
  readonly depth: number;
  readonly stride: number;
  readonly transposed: boolean;
}
type Step = Rows | Stream;

const upTo = (max: number) => fc.integer({ min: 0, max });
const short = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 12 }));

const rows: fc.Arbitrary<Rows> = fc
  .record({
    dst: fc.constantFrom(0, 60, 60, 61, 120),
    ...{
      src: upTo(100),
      width: fc.constantFrom(0, 3, 7, 10, 10, 10, 12),
      times: upTo(6),
      srcStride: upTo(30),
    },
    dstStride: fc.constantFrom(10, 10, 10, 12, 4, 0),
  })
  .map((r) => ({ is: "rows", ...r }));
/** Somewhere in the rows of a transfer before it, mostly with their stride. */
const streams = fc.record({
  ...{
    edge: fc.constantFrom<"rows" | "cols">("rows", "cols"),
    of: upTo(8),
    longer: fc.constantFrom(0, 0, 0, 1, 5),
  },
  ...{
    down: upTo(3),
    right: fc.integer({ min: -2, max: 3 }),
    extent: short,
    depth: fc.oneof(fc.constant(0), short, short),
    transposed: fc.boolean(),
  },
});

/** Whether all of it is in its buffers. */
function fits(s: Step): boolean {
  if (s.is === "rows") {
    if (s.times === 0 || s.width === 0) return true;
    const last = (at: number, stride: number): number => at + (s.times - 1) * stride + s.width;
    return last(s.dst, s.dstStride) <= NEAR && last(s.src, s.srcStride) <= FAR;
  }
  const across = (s.edge === "rows") === s.transposed;
  const [count, run] = across ? [s.depth, s.extent] : [s.extent, s.depth];
  return s.at >= 0 && s.at + Math.max(0, count - 1) * s.stride + run <= NEAR;
}

const steps = fc.array(fc.oneof(rows, streams, streams), { minLength: 1, maxLength: 9 }).map((list) => {
  const done: Step[] = [];
  let brought: Rows[] = [
    { is: "rows", dst: 0, src: 100, width: NEAR, srcStride: NEAR, dstStride: 12, times: 1 },
  ];
  for (const s of list) {
    if ("is" in s) {
      if (fits(s)) done.push(s);
      if (fits(s)) brought = [s, ...brought];
      continue;
    }
    const { of, down, right, longer, ...own } = s;
    const { dst, dstStride } = brought[of % brought.length] as Rows;
    // Rows of a stream do not run into each other.
    const row = (s.edge === "rows") === s.transposed ? s.extent : s.depth;
    const stride = Math.max(dstStride + longer, row);
    const stream: Stream = { is: "stream", ...own, stride, at: dst + down * stride + right };
    if (fits(stream)) done.push(stream);
  }
  return done;
});

/** Each stream is multiplied with the matrix that changes nothing; its product is a result. */
function stepping(d: DTypeName, list: readonly Step[]): unknown {
  const D = dtypeOf(d) as AnyD as typeof f32;
  const sums = (d === "i8" ? i32 : f32) as typeof f32;
  return kernel([ptr(sums), ptr(D), ptr(D)], function stepping(y, x, unit) {
    const near = S.alloc(D, [NEAR], "l2");
    const same = S.alloc(D, [RESULT], "l2");
    const [edgeA, edgeB] = [S.alloc(D, [RESULT], "l1"), S.alloc(D, [RESULT], "l1")];
    const acc = S.alloc(sums, [RESULT], "acc");
    const out = S.alloc(sums, [RESULT], "l2");
    const [e, f] = S.allocEvents(2) as [never, never];
    S.dmaCopy(same, unit, RESULT);
    S.dmaCopy(near, x.at(100), NEAR);
    for (const i of S.unroll(list.length)) {
      const s = list[i] as Step;
      if (s.is === "rows") {
        const { srcStride, dstStride, times } = s;
        S.dmaCopy(near.at(s.dst), x.at(s.src), s.width, { srcStride, dstStride, times });
      } else {
        const { extent, depth, stride, transposed } = s;
        if (s.edge === "rows") {
          S.streamRows(edgeA, near.at(s.at), { rows: extent, depth, stride, transposed }, e);
          S.streamCols(edgeB, same, { cols: depth, depth, stride: 12 }, f);
        } else {
          S.streamRows(edgeA, same, { rows: depth, depth, stride: 12 }, e);
          S.streamCols(edgeB, near.at(s.at), { cols: extent, depth, stride, transposed }, f);
        }
        S.waitEvents(e, f);
        const [m, n] = s.edge === "rows" ? [extent, depth] : [depth, extent];
        S.mma(acc, edgeA, edgeB, { m, n, k: depth, clear: true }, e);
        S.waitEvents(e);
        S.drain(out, acc, { rows: m, cols: n, stride: n }, e);
        S.waitEvents(e);
        S.dmaCopy(y.at(i * RESULT), out, m * n);
      }
    }
    S.freeEvents(e, f);
  });
}

const unit4 = Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0));
const unit = Array.from({ length: RESULT }, (_, i) => (i % 13 === 0 ? 1 : 0));
const values = Array.from({ length: FAR }, (_, i) => ((i * 37) % 251) - 125);

test("any transfers and streams of a buffer", () => {
  fc.assert(
    fc.property(fc.constantFrom<DTypeName>("f32", "f16", "i8"), steps, (d, list) => {
      const y = hostArray(d === "i8" ? "i32" : "f32", new Array<number>(RESULT * list.length).fill(-1));
      const k = stepping(d, list);
      const { forwarding } = build(k as Kernel<readonly ParamDecl[]>, { target: TARGET }).compiled;
      const read = list.filter((s) => s.is === "stream").length;
      expect(forwarding.noted.size).toBe(read === 0 ? 0 : list.length + 2 + read);
      everyWay(k, [y, hostArray(d, values), hostArray(d, unit)]);
    }),
    { numRuns: 120 },
  );
}, 60_000);

/** Ten elements in each of some rows at 60. */
const brought = (over: Partial<Rows> = {}): Rows => ({
  ...{ is: "rows", dst: 60, src: 3, width: 10, srcStride: 17, dstStride: 10, times: 6 },
  ...over,
});
/** Three of those rows. */
const box = (over: Partial<Stream> = {}): Stream => ({
  ...{ is: "stream", edge: "rows", at: 70, extent: 3, depth: 10, stride: 10, transposed: false },
  ...over,
});
const all = box({ at: 60, extent: 6 });

test.each<[string, readonly Step[]]>([
  ["rows of it", [brought(), box()]],
  ["part of its rows, transposed", [brought(), box({ at: 72, depth: 4, transposed: true })]],
  ["as often as one likes", [brought(), all, all, all, all]],
  ["with another stride", [brought(), box({ depth: 4, stride: 12 })]],
  ["beyond what its rows have", [brought({ dstStride: 12 }), box({ at: 72, depth: 12, stride: 12 })]],
  ["beyond its last row", [brought(), box({ at: 100 })]],
  ["from before its first row", [brought({ times: 1 }), box({ at: 55, extent: 2, depth: 5, stride: 5 })]],
  ["of two transfers at once", [brought(), brought({ dst: 120, src: 40 }), box({ at: 100, extent: 4 })]],
  ["brought again whole", [brought(), brought({ src: 50 }), all]],
  ["brought again narrower", [brought(), brought({ src: 50, width: 3 }), all]],
  ["brought again in fewer rows", [brought(), brought({ src: 50, times: 2 }), all]],
  ["brought again further apart", [brought(), brought({ src: 50, dstStride: 12 }), all]],
  ["brought again later in it", [brought(), brought({ src: 50, dst: 65 }), all]],
  ["of rows that overlap", [brought({ dstStride: 4 }), all]],
  ["brought by nothing", [brought(), brought({ src: 50, width: 0 }), brought({ src: 50, times: 0 }), all]],
])("a stream reads %s", (_, list) => {
  everyWay(stepping("f32", list), [
    new Float32Array(list.length * RESULT),
    Float32Array.from(values),
    Float32Array.from(unit),
  ]);
});

test("more transfers than a tile takes note of", () => {
  const each = Array.from({ length: 11 }, (_, i) => i);
  const transfers = each.map((i) => brought({ dst: 20 * i, src: 7 * i, width: 4, dstStride: 5, times: 4 }));
  const read = each.map((i) => box({ at: 20 * i, extent: 4, depth: 4, stride: 5 }));
  everyWay(stepping("f32", [...transfers, ...read]), [
    new Float32Array(22 * RESULT),
    Float32Array.from(values),
    Float32Array.from(unit),
  ]);
});

/** Reads `x` when `first` is brought, and again after `y` has got what was read. */
const overwriting = kernel(
  [ptr(f32), ptr(f32, { const: true }), ptr(f32, { const: true })],
  function over(y, x, unit) {
    const [near, same] = [S.alloc(f32, [16], "l2"), S.alloc(f32, [16], "l2")];
    const [edgeA, edgeB] = [S.alloc(f32, [16], "l1"), S.alloc(f32, [16], "l1")];
    const acc = S.alloc(f32, [16], "acc");
    const out = S.alloc(f32, [16], "l2");
    const [e, f] = S.allocEvents(2) as [never, never];
    S.dmaCopy(near, x, 16);
    S.dmaCopy(same, unit, 16);
    for (const round of S.range(0, 3)) {
      S.streamRows(edgeA, near, { rows: 4, depth: 4, stride: 4 }, e);
      S.streamCols(edgeB, same, { cols: 4, depth: 4, stride: 4 }, f);
      S.waitEvents(e, f);
      S.mma(acc, edgeA, edgeB, { m: 4, n: 4, k: 4, clear: round === 0 }, e);
      S.waitEvents(e);
      S.drain(out, acc, { rows: 4, cols: 4, stride: 4 }, e);
      S.waitEvents(e);
      S.dmaCopy(y, out, 16);
    }
    S.freeEvents(e, f);
  },
);

test("what another program left in memory is no transfer of this one", () => {
  const device = createDevice();
  const filling = kernel([i32], function filling(value) {
    S.dmaMemset(S.alloc(i32, [12_000], "l2"), value, 12_000);
  });
  const [fill, over] = [build(filling, { target: TARGET }), build(overwriting, { target: TARGET })];
  const run = (): number[] => {
    const y = new Float32Array(16);
    over.runWith({ tiles: 1, device }, y, Float32Array.from(values.slice(0, 16)), Float32Array.from(unit4));
    return Array.from(y);
  };
  const first = run();
  fill.runWith({ tiles: 1, device }, 0x01010101);
  expect(run()).toEqual(first);
});

describe("an array that is written while it is read", () => {
  const four = Float32Array.from(unit4);
  const shared = (): Float32Array => Float32Array.from({ length: 28 }, (_, i) => i + 1);
  const [y, x] = [(all: Float32Array) => all.subarray(12), (all: Float32Array) => all.subarray(0, 16)];
  const direct = shared();
  simulate(overwriting, [y(direct), x(direct), four], { tiles: 1, target: TARGET });

  test.each([true, false])("in memory of the host, checks %s", (checks) => {
    const own = shared();
    build(overwriting, { target: TARGET, checks }).runWith({ tiles: 1 }, y(own), x(own), four);
    expect(own).toEqual(direct);
  });
  test.each([true, false])("in memory of a device, checks %s", (checks) => {
    const device = createDevice();
    const own = device.alloc(f32, 28);
    own.set(shared());
    build(overwriting, { target: TARGET, checks }).runWith({ tiles: 1, device }, y(own), x(own), four);
    expect(Array.from(own)).toEqual(Array.from(direct));
  });
});

/** Sums of four rows plus a bias, drained and brought out `apart` elements from one another. */
const draining = (apart: number): unknown =>
  kernel([ptr(f32), ptr(f32, { const: true }), ptr(f32, { const: true })], function draining(y, x, bias) {
    const [sums, out] = [S.alloc(f32, [16], "l2"), S.alloc(f32, [16], "l2")];
    const acc = S.alloc(f32, [16], "acc");
    const [e] = S.allocEvents(1) as [never];
    S.dmaCopy(sums, x, 16);
    S.preload(acc, sums, { rows: 4, cols: 4, stride: 4 }, e);
    S.waitEvents(e);
    S.drain(out, acc, { rows: 4, cols: 4, stride: 4, bias }, e);
    S.waitEvents(e);
    S.asyncDmaCopy(y, out, 4, e, { srcStride: 4, dstStride: apart, times: 4 });
    S.waitEvents(e);
    S.freeEvents(e);
  });

test("rows are drained to where they go", () => {
  const [y, ...others] = [
    new Float32Array(24),
    Float32Array.from(values),
    Float32Array.from({ length: 4 }, (_, i) => i / 4),
  ];
  const [rows] = everyWay(draining(6), [y, ...others]);
  const at = (i: number): number =>
    i % 6 > 3 ? 0 : (values[4 * Math.floor(i / 6) + (i % 6)] as number) + (i % 6) / 4;
  expect(Array.from(rows as Float32Array)).toEqual(
    Array.from({ length: 22 }, (_, i) => at(i)).concat([0, 0]),
  );
});

test.each([true, false])("rows that go to where their bias is, checks %s", (checks) => {
  const k = draining(5) as Kernel<readonly ParamDecl[]>;
  const run = (how: (args: readonly Float32Array[]) => void): Float32Array => {
    const memory = Float32Array.from({ length: 24 }, (_, i) => i);
    how([memory.subarray(2), Float32Array.from(values), memory.subarray(0, 4)]);
    return memory;
  };
  const direct = run((args) => simulate(k, args as never, { tiles: 1, target: TARGET }));
  const built = run((args) =>
    build(k, { target: TARGET, checks }).runWith({ tiles: 1 }, ...(args as never[])),
  );
  expect(built).toEqual(direct);
});

describe("which buffers", () => {
  const forwardingOf = (k: unknown) =>
    build(k as Kernel<readonly ParamDecl[]>, { target: TARGET }).compiled.forwarding;
  const forwarded = (k: unknown): number => forwardingOf(k).noted.size;
  type Body = (near: never, y: never, x: never, e: never) => void;
  /** Brings x, streams it, and does something else with the buffer. */
  const besides = (body: Body, constant = true): unknown =>
    kernel([ptr(f32), ptr(f32, { const: constant })], function besides(y, x) {
      const near = S.alloc(f32, [16], "l2");
      const edge = S.alloc(f32, [16], "l1");
      const [e] = S.allocEvents(1) as [never];
      S.dmaCopy(near, x, 16);
      S.streamRows(edge, near, { rows: 4, depth: 4, stride: 4 }, e);
      S.waitEvents(e);
      body(near as never, y as never, x as never, e);
      S.freeEvents(e);
    });

  test("those of a product of the library", () => {
    const spec = { a: "f32", b: "f32", out: "f32" } as const;
    const plan = planGemm(spec, { m: 64, n: 64, k: 64 }, TARGET, 1);
    const { forwarding, params } = build(gemmKernel(spec, plan, TARGET, 1), { target: TARGET }).compiled;
    expect(forwarding.sources.map((i) => params[i]?.name)).toEqual(["a", "b"]);
    expect(forwarding.drained.size).toBeGreaterThan(0);
  });
  test("one that only streamers read", () => {
    expect(forwarded(besides(() => undefined))).toBe(2);
  });
  test("not one that something else reads", () => {
    expect(forwarded(besides((near, y) => S.dmaCopy(y, near, 16)))).toBe(0);
  });
  test("not one that something else writes", () => {
    expect(forwarded(besides((near) => S.dmaMemset(near, 0, 16)))).toBe(0);
  });
  test("not one whose array the kernel writes", () => {
    expect(forwarded(besides((_near, y, x) => S.dmaCopy(x, y, 4), false))).toBe(0);
  });
  test("none where something is printed, which is code of the host", () => {
    expect(forwarded(besides(() => S.print("here")))).toBe(0);
  });

  /** Drains four rows, and does something else with where they are. */
  const drains = (body: (out: never, y: never, near: never) => void): unknown =>
    kernel([ptr(f32), ptr(f32, { const: true })], function drains(y, x) {
      const [out, near] = [S.alloc(f32, [16], "l2"), S.alloc(f32, [16], "l2")];
      const [edge, acc] = [S.alloc(f32, [16], "l1"), S.alloc(f32, [16], "acc")];
      const [e] = S.allocEvents(1) as [never];
      S.dmaCopy(near, x, 16);
      S.streamRows(edge, near, { rows: 4, depth: 4, stride: 4 }, e);
      S.waitEvents(e);
      S.drain(out, acc, { rows: 4, cols: 4, stride: 4 }, e);
      S.waitEvents(e);
      body(out as never, y as never, near as never);
      S.freeEvents(e);
    });
  const inFours = { srcStride: 4, dstStride: 8, times: 4 } as const;
  test("drained rows that go out", () => {
    const { drained, noted } = forwardingOf(drains((out, y) => S.dmaCopy(y, out, 4, inFours)));
    expect([drained.size, noted.size]).toEqual([1, 2]);
  });
  test("not of which less goes out", () => {
    const less = { ...inFours, times: 3 };
    expect(forwardingOf(drains((out, y) => S.dmaCopy(y, out, 4, less))).drained.size).toBe(0);
  });
  test("not that go out twice", () => {
    const twice = drains((out, y) => {
      S.dmaCopy(y, out, 4, inFours);
      S.dmaCopy(y, out, 4, inFours);
    });
    expect(forwardingOf(twice).drained.size).toBe(0);
  });
  test("not that go to a buffer, which is then written by something else", () => {
    const { drained, noted } = forwardingOf(
      drains((out, _y, near) => S.dmaCopy(near, out, 4, { ...inFours, dstStride: 4 })),
    );
    expect([drained.size, noted.size]).toEqual([0, 0]);
  });
});
