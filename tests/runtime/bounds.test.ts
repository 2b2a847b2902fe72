/** An access outside of its buffer is reported alike by both executions: the tile, the buffer, the elements, the line. */
import { build, f32, i8, i32, KpuError, kernel, ptr, S, simulate } from "kpu-dsl";
import { describe, expect, it } from "vitest";

interface Report {
  readonly code: string;
  readonly message: string;
  readonly help: string | undefined;
  readonly line: number | undefined;
  readonly data: unknown;
}

function report(run: () => unknown): Report {
  try {
    run();
  } catch (error) {
    if (!(error instanceof KpuError)) throw error;
    const [d] = error.diagnostics;
    const { tile, buffer, first, last, size, access } = d?.data ?? {};
    return {
      code: error.code,
      message: d?.message ?? "",
      help: d?.help,
      line: d?.location?.line,
      data: { tile, buffer, first, last, size, access },
    };
  }
  throw new Error("nothing was reported");
}

type Loose = Parameters<typeof simulate>[0];
const floats = (n: number): Float32Array => new Float32Array(n);
const onTile1 = kernel([ptr(f32), i32], function onTile1(x, n) {
  if (S.tileId() === 1) x.set(n, 1);
});
const walked = kernel([ptr(f32), i32], function walked(x, n) {
  let p = x;
  for (let i = 0; i <= n; i++) {
    p.get(0);
    p = p.at(1);
  }
});
const before = kernel([ptr(f32)], function before(x) {
  S.vload(x.at(-3));
});
const allocated = kernel([i32], function allocated(n) {
  S.alloc(f32, 8);
  const b = S.alloc(i32, 4);
  if (S.tileId() === 1) b.set(n, 1);
});
const unused = kernel([i32], function unused(n) {
  const t = S.allocConst(i32, [1, 2, 3]);
  const far = S.alloc(f32, 6, "l3");
  const own = S.alloc(f32, 8);
  own.set(0, t.get(n));
  far.set(n, 0);
});
const shared = kernel([i32], function shared(n) {
  const b = S.alloc(f32, 6, "l3");
  S.barrier();
  if (S.tileId() === 1) b.set(n, 1);
});
const gathered = kernel([ptr(f32), ptr(i32)], function gathered(x, i) {
  S.vloadGather(x, S.vload(i));
});
const scattered = kernel([ptr(f32), ptr(i32)], function scattered(x, i) {
  if (S.tileId() === 1) S.vstoreScatter(S.vbcast(1, f32), x, S.vload(i));
});
const strided = kernel([ptr(f32), i32], function strided(x, n) {
  S.vload(x, { stride: n });
});
const tail = kernel([ptr(f32), i32], function tail(x, n) {
  S.vload(x.at(8), { mask: S.tailMask(n, 8) });
});
const rows = kernel([ptr(f32)], function rows(x) {
  const t = S.alloc(f32, 16);
  S.dmaCopy(t, x, 4, { srcStride: 5, dstStride: 4, times: 4 });
});
const transferred = kernel([ptr(f32), i32], function transferred(x, n) {
  const t = S.alloc(f32, 16);
  S.dmaCopy(t.at(n), x, 4);
});
const filled = kernel([ptr(f32), i32], function filled(x, n) {
  if (S.tileId() === 1) S.dmaMemset(x, 0, n);
});
const bytes = kernel([ptr(i8), i32], function bytes(x, n) {
  x.as(f32).at(n).get(0);
});
const twice = kernel([ptr(f32, { const: true }), ptr(f32), i32], function twice(x, y, n) {
  y.set(n, 1);
  x.get(0);
});
const nothing = kernel([ptr(f32)], function nothing(x) {
  x.get(0);
});
const same = floats(4);

const CASES: Record<string, readonly [k: unknown, args: () => unknown[], message: string, tiles?: number]> = {
  "a parameter, on tile 1": [onTile1, () => [floats(8), 8], "tile 1 writes x[8], outside x (global f32[8])"],
  "a walked-off pointer": [walked, () => [floats(5), 5], "tile 0 reads x[5], outside x (global f32[5])"],
  "one tile is the kernel": [
    walked,
    () => [floats(5), 5],
    "the kernel reads x[5], outside x (global f32[5])",
    1,
  ],
  "before a parameter": [before, () => [floats(9)], "tile 0 reads x[-3..4], outside x (global f32[9])"],
  "an allocation, on tile 1": [
    allocated,
    () => [4],
    "tile 1 writes local#2[4], outside local#2 (local i32[4])",
  ],
  "a table": [unused, () => [3], "tile 0 reads local#1[3], outside local#1 (local i32[3])"],
  "a shared allocation, after a barrier": [
    shared,
    () => [6],
    "tile 1 writes l3#1[6], outside l3#1 (l3 f32[6])",
  ],
  "a gather": [
    gathered,
    () => [floats(10), Int32Array.of(0, 9, 3, -1, 5, 6, 7, 8)],
    "tile 0 reads x[-1], outside x (global f32[10])",
  ],
  "a scatter": [
    scattered,
    () => [floats(10), Int32Array.of(0, 9, 3, 10, 5, 6, 7, 8)],
    "tile 1 writes x[10], outside x (global f32[10])",
  ],
  "a strided read": [strided, () => [floats(10), 2], "tile 0 reads x[10], outside x (global f32[10])"],
  "a tail mask": [tail, () => [floats(10), 3], "tile 0 reads x[8..10], outside x (global f32[10])"],
  "rows of a transfer": [rows, () => [floats(15)], "tile 0 reads x[15..18], outside x (global f32[15])"],
  "the destination of a transfer": [
    transferred,
    () => [floats(4), 13],
    "tile 0 writes local#1[13..16], outside local#1 (local f32[16])",
  ],
  "a fill": [filled, () => [floats(7), 8], "tile 1 writes x[0..7], outside x (global f32[7])"],
  "another dtype": [
    bytes,
    () => [new Int8Array(8), 2],
    "tile 0 reads x[2], outside x (global i8[8]) = 2 f32",
  ],
  "one array twice": [twice, () => [same, same, 4], "tile 0 writes y[4], outside y (global f32[4])"],
  "an empty array": [onTile1, () => [floats(0), 0], "tile 1 writes x[0], outside x (global f32[0])"],
  "a null pointer": [nothing, () => [null], "tile 0 reads through a null pointer"],
};

describe("both executions report alike", () => {
  it.each(Object.entries(CASES))("%s", (_name, [k, args, message, tiles = 2]) => {
    const compiled = report(() => build(k as Loose).runWith({ tiles }, ...args()));
    expect(compiled.message).toBe(message);
    expect(compiled).toEqual(report(() => simulate(k as Loose, args() as never, { tiles })));
    expect(compiled.line).toBeDefined();
  });
});
