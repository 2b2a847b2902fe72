/**
 * block_move: between l3 and l2, rearranged on the way.
 *
 *   identity    dst[i][j] = src[i][j]
 *   transpose   dst[j][i] = src[i][j]
 *   pack        panels of `panel` rows, column by column in each: dst[i / panel][j][i % panel] = src[i][j]; rows that the
 *               last panel lacks are 0
 *   im2col      row i are the elements under the window at output position `first` + i of an image, 0 beyond its edges.
 *               Columns in the order channel, kernel row, kernel column of an nchw image; kernel row, kernel column, channel of
 *               an nhwc one: the order of such weights
 *
 * Quantized, f32 become i8 or u8 by QuantizeLinear, and what would be 0 is the zero point.
 */
import { DTYPES } from "../dtype.ts";
import { readElement, writeElement } from "../elements.ts";
import { type Region, Rows } from "../region.ts";
import { countProblem, type Problem } from "../transfer.ts";
import type { Command, CommandOperands, Touch } from "./command.ts";
import { grid, gridProblem, viewOf } from "./grid.ts";
import { type LayoutName, type PathAttrs, WINDOW } from "./operands.ts";
import { quantiser, zeroPointProblem } from "./quantise.ts";

type Attrs = PathAttrs["block_move"];
type RegionOf = Touch["region"];

/** Where elements go: pairs of element offsets; a source of -1 stands for 0. */
interface Plan {
  readonly problem: Problem | undefined;
  readonly dst: RegionOf;
  readonly src: RegionOf;
  readonly forEach: (visit: (to: number, from: number) => void) => void;
}

export function moveCommand(attrs: Attrs, o: CommandOperands): Command {
  const plan = planOf(attrs, o);
  const affine = attrs.quantized ? { scale: o.number("scale"), zeroPoint: o.number("zeroPoint") } : undefined;
  const d = o.dtype("dst");
  return {
    problem: plan.problem ?? (affine && zeroPointProblem(d, "zeroPoint", affine.zeroPoint)),
    touches: [
      { operand: "dst", access: "writes", region: plan.dst },
      { operand: "src", access: "reads", region: plan.src },
    ],
    run: (at) => {
      const [to, from] = [at("dst"), at("src")];
      const size = DTYPES[d].bytes;
      if (affine === undefined) {
        plan.forEach((into, out) => {
          const place = to.at + into * size;
          if (out < 0) to.bytes.fill(0, place, place + size);
          else
            for (let b = 0; b < size; b++)
              to.bytes[place + b] = from.bytes[from.at + out * size + b] as number;
        });
        return;
      }
      const [into, out] = [viewOf(to), viewOf(from)];
      const quantise = quantiser(d, affine);
      plan.forEach((t, f) => {
        const value = f < 0 ? affine.zeroPoint : quantise(readElement("f32", out, from.at + f * 4));
        writeElement(d, into, to.at + t * size, value);
      });
    },
  };
}

function planOf(attrs: Attrs, o: CommandOperands): Plan {
  const rows = o.number("rows");
  if (attrs.transform === "im2col") return windows(attrs.layout ?? "nchw", rows, o);
  const [cols, srcStride] = [o.number("cols"), o.number("srcStride")];
  const src = grid(rows, cols, srcStride);
  const each = (to: (i: number, j: number) => number) => (visit: (to: number, from: number) => void) => {
    for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) visit(to(i, j), i * srcStride + j);
  };
  if (attrs.transform === "pack") return packed(rows, cols, srcStride, o.number("panel"), src);
  const dstStride = o.number("dstStride");
  const across = attrs.transform === "transpose";
  const [outer, inner] = across ? [cols, rows] : [rows, cols];
  return {
    problem:
      countProblem({ rows, cols, srcStride, dstStride }) ?? gridProblem("dstStride", dstStride, outer, inner),
    dst: grid(outer, inner, dstStride),
    src,
    forEach: each(across ? (i, j) => j * dstStride + i : (i, j) => i * dstStride + j),
  };
}

function packed(rows: number, cols: number, srcStride: number, panel: number, src: RegionOf): Plan {
  const all = Math.ceil(rows / panel) * panel;
  return {
    problem: countProblem({ rows, cols, srcStride, panel }) ?? atLeastOne({ panel }),
    dst: grid(1, all * cols, 0),
    src,
    forEach: (visit) => {
      for (let i = 0; i < all; i++)
        for (let j = 0; j < cols; j++)
          visit((i - (i % panel)) * cols + j * panel + (i % panel), i < rows ? i * srcStride + j : -1);
    },
  };
}

function atLeastOne(numbers: Readonly<Record<string, number>>): Problem | undefined {
  for (const [name, n] of Object.entries(numbers)) {
    if (n >= 1) continue;
    return {
      message: `${name} must be at least 1, got ${n}`,
      help: `give ${name} as 1 or more`,
      data: { [name]: n },
    };
  }
  return undefined;
}

// ---------------------------------------------------------------------------------------------- im2col

/** Output positions along one side of an image. */
export function positions(
  size: number,
  before: number,
  after: number,
  kernel: number,
  stride: number,
  dilation: number,
): number {
  const free = size + before + after - (dilation * (kernel - 1) + 1);
  return free < 0 ? 0 : Math.floor(free / stride) + 1;
}

function windows(layout: LayoutName, rows: number, o: CommandOperands): Plan {
  const dstStride = o.number("dstStride");
  const w = Object.fromEntries(WINDOW.map((name) => [name, o.number(name)])) as Record<
    (typeof WINDOW)[number],
    number
  >;
  const { channels, height, width, kernelHeight, kernelWidth, strideHeight, strideWidth } = w;
  const { padTop, padBottom, padLeft, padRight, dilationHeight, dilationWidth, first } = w;
  const down = positions(height, padTop, padBottom, kernelHeight, strideHeight, dilationHeight);
  const across = positions(width, padLeft, padRight, kernelWidth, strideWidth, dilationWidth);
  const cols = kernelHeight * kernelWidth * channels;
  /** Elements of the image from a pixel to the next, from a row to the next, from a channel to the next. */
  const [pixel, line, plane] =
    layout === "nhwc" ? [channels, width * channels, 1] : [1, width, height * width];
  const column = (kh: number, kw: number, c: number): number =>
    layout === "nhwc" ? (kh * kernelWidth + kw) * channels + c : (c * kernelHeight + kh) * kernelWidth + kw;
  /** Positions of windows and kernels, with the image's pixel there or -1. */
  const pixels = (visit: (row: number, kh: number, kw: number, at: number) => void): void => {
    for (let r = 0; r < rows; r++) {
      const [oy, ox] = [Math.floor((first + r) / across), (first + r) % across];
      for (let kh = 0; kh < kernelHeight; kh++) {
        const y = oy * strideHeight + kh * dilationHeight - padTop;
        for (let kw = 0; kw < kernelWidth; kw++) {
          const x = ox * strideWidth + kw * dilationWidth - padLeft;
          const inside = y >= 0 && y < height && x >= 0 && x < width;
          visit(r, kh, kw, inside ? y * line + x * pixel : -1);
        }
      }
    }
  };
  return {
    problem:
      countProblem({ rows, dstStride, ...w }) ??
      atLeastOne({ kernelHeight, kernelWidth, strideHeight, strideWidth, dilationHeight, dilationWidth }) ??
      gridProblem("dstStride", dstStride, rows, cols) ??
      tooMany(first + rows, down * across),
    dst: grid(rows, cols, dstStride),
    src: (start, bytes) => imageRegion(pixels, channels, plane, start, bytes),
    forEach: (visit) =>
      pixels((r, kh, kw, at) => {
        for (let c = 0; c < channels; c++)
          visit(r * dstStride + column(kh, kw, c), at < 0 ? -1 : at + c * plane);
      }),
  };
}

function tooMany(last: number, all: number): Problem | undefined {
  if (last <= all) return undefined;
  return {
    message: `rows reach output position ${last - 1}, but the window has ${all} positions`,
    help: "first + rows is at most the number of output positions",
    data: { last: last - 1, positions: all },
  };
}

/** The elements under the windows. */
function imageRegion(
  pixels: (visit: (row: number, kh: number, kw: number, at: number) => void) => void,
  channels: number,
  plane: number,
  start: number,
  bytes: number,
): Region | undefined {
  const found = new Set<number>();
  pixels((_row, _kh, _kw, at) => {
    if (at >= 0) found.add(at);
  });
  if (found.size === 0 || channels === 0) return undefined;
  const places = [...found].map((at) => start + at * bytes);
  if (plane === 1) return new Rows(channels * bytes, places);
  return new Rows(
    bytes,
    Array.from({ length: channels }, (_, c) => places.map((at) => at + c * plane * bytes)).flat(),
  );
}
