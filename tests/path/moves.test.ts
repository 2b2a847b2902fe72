/** Block movers: every transform, as it is and quantized, of random shapes and strides, every way, against plain loops. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type AnyD, dtypeOf, f32, i32 } from "../../dsl/dtypes.ts";
import type { Move } from "../../dsl/intrinsics/path.ts";
import { kernel, ptr } from "../../dsl/kernel.ts";
import { S } from "../../dsl/s.ts";
import type { DTypeName } from "../../ir/dtype.ts";
import { hostArray, readElements } from "../../ir/elements.ts";
import { quantized } from "./reference.ts";
import { everyWay } from "./ways.ts";

const side = fc.integer({ min: 0, max: 12 });
const some = fc.integer({ min: 1, max: 3 });
const dtypes = fc.constantFrom<DTypeName>("i8", "u16", "f16", "f32", "bool");
const targets = fc.record({
  dtype: dtypes,
  quantize: fc.constantFrom(
    undefined,
    { to: "i8", scale: 0.5, zeroPoint: -3 },
    { to: "u8", scale: 0.3, zeroPoint: 9 },
  ) as fc.Arbitrary<{ to: "i8" | "u8"; scale: number; zeroPoint: number } | undefined>,
});
type Target = typeof targets extends fc.Arbitrary<infer T> ? T : never;

/** A move, how many elements both ends have, and where elements come from: -1 for what would be 0. */
interface Case {
  readonly block: Move;
  readonly srcSize: number;
  readonly dstSize: number;
  readonly source: ReadonlyMap<number, number>;
}

/** Moves with `block`, whose numbers are read at run time; elements that it does not write stay 1. */
function moves({ dtype, quantize }: Target, c: Case, out = false): void {
  const from = dtypeOf(quantize ? "f32" : dtype) as AnyD as typeof f32;
  const to = dtypeOf(quantize ? quantize.to : dtype) as AnyD as typeof f32;
  const { srcSize, dstSize, block } = c;
  const keys = Object.keys(block).filter((key) => typeof block[key as keyof Move] === "number");
  const affine = quantize && { scale: quantize.scale, zeroPoint: quantize.zeroPoint };
  const [first, second] = out ? (["l2", "l3"] as const) : (["l3", "l2"] as const);
  const k = kernel([ptr(to), ptr(from), ptr(i32)], function move(y, x, numbers) {
    const src = S.alloc(from, [Math.max(1, srcSize)], first);
    const dst = S.alloc(to, [Math.max(1, dstSize)], second);
    const [e] = S.allocEvents(1) as [never];
    S.dmaCopy(src, x, srcSize);
    S.dmaMemset(dst, 1, dstSize);
    const read: Record<string, unknown> = {};
    for (const i of S.unroll(keys.length)) read[keys[i] as string] = numbers.get(i);
    S.blockMove(
      dst as never,
      src as never,
      { ...block, ...read, ...(affine ? { quantize: affine } : {}) } as never,
      e,
    );
    S.waitEvents(e);
    S.dmaCopy(y, dst, dstSize);
    S.freeEvents(e);
  });
  const values = Array.from({ length: srcSize }, (_, i) =>
    from.name === "f32" ? ((i * 37) % 201) / 3 - 30 : (i * 37) % 201,
  );
  const x = hostArray(from.name, [...values, 0]);
  const numbers = Int32Array.from([...keys.map((key) => block[key as keyof Move] as unknown as number), 0]);
  const [y] = everyWay(k, [hostArray(to.name, new Array<number>(dstSize + 1).fill(0)), x, numbers]);
  const exact = readElements(from.name, new DataView(x.buffer), 0, srcSize);
  const expected = Array.from({ length: dstSize }, (_, i) => {
    const at = c.source.get(i);
    if (at === undefined) return 1;
    if (at < 0) return affine?.zeroPoint ?? 0;
    return affine ? quantized(exact[at] as number, affine, to.name) : (exact[at] as number);
  });
  expect(readElements(to.name, new DataView((y as Int8Array).buffer), 0, dstSize)).toEqual(expected);
}

test("identity and transpose, both ways", () => {
  const plans = fc.record({
    rows: side,
    cols: side,
    gaps: fc.tuple(fc.nat(3), fc.nat(3)),
    across: fc.boolean(),
    out: fc.boolean(),
  });
  fc.assert(
    fc.property(plans, targets, ({ rows, cols, gaps, across, out }, target) => {
      const srcStride = cols + gaps[0];
      const dstStride = (across ? rows : cols) + gaps[1];
      const source = new Map<number, number>();
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < cols; j++)
          source.set(across ? j * dstStride + i : i * dstStride + j, i * srcStride + j);
      const block = {
        rows,
        cols,
        srcStride,
        dstStride,
        transform: across ? "transpose" : "identity",
      } as const;
      moves(
        target,
        { block, srcSize: rows * srcStride, dstSize: (across ? cols : rows) * dstStride, source },
        out,
      );
    }),
    { numRuns: 15 },
  );
});

test("panels", () => {
  const plans = fc.record({ rows: side, cols: side, gap: fc.nat(3), panel: fc.integer({ min: 1, max: 9 }) });
  fc.assert(
    fc.property(plans, targets, ({ rows, cols, gap, panel }, target) => {
      const panels = Math.ceil(rows / panel);
      const source = new Map<number, number>();
      let at = 0;
      for (let p = 0; p < panels; p++)
        for (let j = 0; j < cols; j++)
          for (let r = 0; r < panel; r++)
            source.set(at++, p * panel + r < rows ? (p * panel + r) * (cols + gap) + j : -1);
      const block = { rows, cols, srcStride: cols + gap, transform: "pack", panel } as const;
      moves(target, { block, srcSize: rows * (cols + gap), dstSize: at, source });
    }),
    { numRuns: 15 },
  );
});

test("windows of images", () => {
  const pair = fc.tuple(some, some);
  const plans = fc.record({
    channels: fc.integer({ min: 1, max: 4 }),
    height: fc.integer({ min: 1, max: 9 }),
    width: fc.integer({ min: 1, max: 9 }),
    kernel: pair,
    stride: pair,
    dilation: pair,
    padding: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)),
    layout: fc.constantFrom("nchw", "nhwc") as fc.Arbitrary<"nchw" | "nhwc">,
    part: fc.tuple(fc.nat(100), fc.nat(100)),
    gap: fc.nat(2),
  });
  fc.assert(
    fc.property(plans, targets, (p, target) => {
      const {
        channels,
        height,
        width,
        kernel: [kh, kw],
        stride,
        dilation,
        padding,
        layout,
      } = p;
      const [top, left, bottom, right] = padding;
      // All positions at which the window is within the padded image.
      const starts: [number, number][] = [];
      for (let y = -top; y + dilation[0] * (kh - 1) < height + bottom; y += stride[0])
        for (let x = -left; x + dilation[1] * (kw - 1) < width + right; x += stride[1]) starts.push([y, x]);
      const first = p.part[0] % (starts.length + 1);
      const rows = p.part[1] % (starts.length - first + 1);
      const cols = kh * kw * channels;
      const dstStride = cols + p.gap;
      const source = new Map<number, number>();
      for (let r = 0; r < rows; r++) {
        const [y0, x0] = starts[first + r] as [number, number];
        for (let c = 0; c < channels; c++)
          for (let i = 0; i < kh; i++)
            for (let j = 0; j < kw; j++) {
              const [y, x] = [y0 + i * dilation[0], x0 + j * dilation[1]];
              const inside = y >= 0 && y < height && x >= 0 && x < width;
              const pixel = layout === "nchw" ? (c * height + y) * width + x : (y * width + x) * channels + c;
              const column = layout === "nchw" ? (c * kh + i) * kw + j : (i * kw + j) * channels + c;
              source.set(r * dstStride + column, inside ? pixel : -1);
            }
      }
      const block = {
        ...{ transform: "im2col" as const, rows, first, channels, height, width, layout, dstStride },
        ...{ kernel: p.kernel, stride, dilation, padding },
      } as const;
      moves(target, { block, srcSize: channels * height * width, dstSize: rows * dstStride, source });
    }),
    { numRuns: 25 },
  );
});

test("the defaults of a window are stride 1, no padding and rows without gaps", () => {
  const image = Float32Array.from({ length: 9 }, (_, i) => i + 1);
  const k = kernel([ptr(f32), ptr(f32)], function windows(y, x) {
    const far = S.alloc(f32, [9], "l3");
    const near = S.alloc(f32, [16], "l2");
    const [e] = S.allocEvents(1) as [never];
    S.dmaCopy(far, x, 9);
    S.blockMove(near, far, { transform: "im2col", rows: 4, channels: 1, height: 3, width: 3, kernel: 2 }, e);
    S.waitEvents(e);
    S.dmaCopy(y, near, 16);
    S.freeEvents(e);
  });
  expect([...(everyWay(k, [new Float32Array(16), image])[0] as Float32Array)]).toEqual([
    ...[1, 2, 4, 5],
    ...[2, 3, 5, 6],
    ...[4, 5, 7, 8],
    ...[5, 6, 8, 9],
  ]);
});
