/**
 * The matrix path: block movers, streamers, fabric and drain. What each command means stands in ir/path/, one file each.
 */

import { WHOLE_BYTE_DTYPES } from "../../ir/dtype.ts";
import { ACTIVATION_NAMES, type ActivationName } from "../../ir/path/activations.ts";
import {
  ACC_DTYPES,
  AXES,
  type AxisName,
  DATAFLOWS,
  type DataflowName,
  DRAIN_DTYPES,
  FABRIC_DTYPES,
  LAYOUTS,
  type LayoutName,
  STREAM_DTYPES,
  TRANSFORMS,
  type WINDOW,
} from "../../ir/path/operands.ts";
import { flag, integer, type Options, options } from "../arguments.ts";
import type { AnyD, bf16, f16, f32, i4, i8, i32, u4, u8 } from "../dtypes.ts";
import { count, product } from "../engine.ts";
import type { OperandSpec } from "../intrinsic.ts";
import { isExpr, shapeOf, textOf, type Value } from "../operand.ts";
import type { Ops } from "../ops.ts";
import { choice, condition, factor, pathCommand } from "../path.ts";
import type { Ptr } from "../pointer.ts";
import type { Event } from "../values.ts";

const optional = (ops: Ops, o: Options, key: string, absent: Value, argument: number): Value =>
  o[key] === undefined ? absent : count(ops, o[key], key, argument);

/** How floats become integers and back: x = (q - zeroPoint) * scale. */
export interface Quantization {
  readonly scale: number;
  /** 0 when absent. */
  readonly zeroPoint?: number | undefined;
}

function quantization(
  ops: Ops,
  v: unknown,
  key: string,
  argument: number,
): { scale: Value; zeroPoint: Value } {
  const o = options(ops, v, ["scale", "zeroPoint"], argument);
  const scale = factor(ops, o["scale"], `${key}.scale`, argument);
  const zeroPoint = o["zeroPoint"] ?? 0;
  integer(ops, zeroPoint, `${key}.zeroPoint`, argument);
  return { scale, zeroPoint: zeroPoint as Value };
}

// ---------------------------------------------------------------------------------------------- block movers

interface MoveRows {
  readonly rows: number;
  readonly cols: number;
  /** Elements between the starts of source rows; `cols` when absent. */
  readonly srcStride?: number | undefined;
}
/** As it is, or with rows and columns exchanged. */
export interface MovePlain extends MoveRows {
  readonly transform?: "identity" | "transpose" | undefined;
  /** Elements between the starts of destination rows; without gaps when absent. */
  readonly dstStride?: number | undefined;
}
/** Panels of `panel` rows, column by column in each. */
export interface MovePacked extends MoveRows {
  readonly transform: "pack";
  readonly panel: number;
}
/** Two numbers, of height and width, or one for both. */
type Pair = number | readonly [number, number];
/** The windows of an image, one row each. */
export interface MoveWindows {
  readonly transform: "im2col";
  /** Output positions to move. */
  readonly rows: number;
  /** The first of them; 0 when absent. */
  readonly first?: number | undefined;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly kernel: Pair;
  /** 1 when absent. */
  readonly stride?: Pair | undefined;
  /** Rows and columns of zeros around the image: one number, [height, width], or [top, left, bottom, right]. 0 when absent. */
  readonly padding?: Pair | readonly [number, number, number, number] | undefined;
  /** 1 when absent. */
  readonly dilation?: Pair | undefined;
  readonly layout?: LayoutName | undefined;
  /** Elements between the starts of destination rows; without gaps when absent. */
  readonly dstStride?: number | undefined;
}
export type Move = MovePlain | MovePacked | MoveWindows;

const AT = 2;

function numbersOf(ops: Ops, v: unknown, key: string, counts: readonly number[]): readonly Value[] {
  if (!isExpr(v) && Array.isArray(v)) {
    if (!counts.includes(v.length))
      ops.refuse("KPU3009", `${ops.name}: ${key} has ${v.length} entries, expected ${counts.join(" or ")}`, {
        argument: AT,
      });
    return v.map((x, i) => count(ops, x, `${key}[${i}]`, AT));
  }
  return [count(ops, v, key, AT)];
}
function pair(ops: Ops, o: Options, key: string, absent: Value): readonly [Value, Value] {
  const [h, w] = numbersOf(ops, o[key] ?? absent, key, [2]) as [Value, Value | undefined];
  return [h, w ?? h];
}

function windowNumbers(ops: Ops, o: Options): Readonly<Record<(typeof WINDOW)[number], Value>> {
  const [channels, height, width] = ["channels", "height", "width"].map((key) =>
    count(ops, o[key], key, AT),
  ) as [Value, Value, Value];
  if (o["kernel"] === undefined)
    ops.refuse("KPU3009", `${ops.name}: argument kernel is missing`, { argument: AT });
  const [kernelHeight, kernelWidth] = pair(ops, o, "kernel", 1);
  const [strideHeight, strideWidth] = pair(ops, o, "stride", 1);
  const [dilationHeight, dilationWidth] = pair(ops, o, "dilation", 1);
  const [padTop, left, bottom, right] = numbersOf(ops, o["padding"] ?? 0, "padding", [2, 4]) as [
    Value,
    Value | undefined,
    Value | undefined,
    Value | undefined,
  ];
  const padLeft = left ?? padTop;
  return {
    ...{ channels, height, width, kernelHeight, kernelWidth, strideHeight, strideWidth },
    ...{ padTop, padLeft, padBottom: bottom ?? padTop, padRight: right ?? padLeft },
    ...{ dilationHeight, dilationWidth, first: optional(ops, o, "first", 0, AT) },
  };
}

const IMAGE = ["channels", "height", "width", "kernel", "stride", "padding", "dilation", "layout", "first"];
const KEYS = {
  identity: ["cols", "srcStride", "dstStride"],
  transpose: ["cols", "srcStride", "dstStride"],
  pack: ["cols", "srcStride", "panel"],
  im2col: ["dstStride", ...IMAGE],
} as const;

export interface BlockMove {
  <D extends AnyD>(dst: Ptr<D>, src: Ptr<NoInfer<D>>, block: Move, event: Event): void;
  (
    dst: Ptr<i8> | Ptr<u8>,
    src: Ptr<f32>,
    block: Move & { readonly quantize: Quantization },
    event: Event,
  ): void;
}

const POINTER = (name: string, dtype: OperandSpec["dtype"], doc: string): OperandSpec => ({
  ...{ name, kind: "ptr", doc },
  ...(dtype === undefined ? {} : { dtype }),
});

export const blockMove = pathCommand<"block_move", BlockMove>({
  name: "blockMove",
  op: "block_move",
  operands: [
    POINTER("dst", WHOLE_BYTE_DTYPES, "in l2, or in l3 on the way out"),
    POINTER("src", WHOLE_BYTE_DTYPES, "in l3, or in l2 on the way out"),
    {
      name: "block",
      kind: "any",
      doc: "`{ rows, cols, srcStride?, dstStride?, transform?: 'identity' | 'transpose', quantize? }`, `{ rows, cols, srcStride?, transform: 'pack', panel, quantize? }`, or `{ rows, first?, transform: 'im2col', channels, height, width, kernel, stride?, padding?, dilation?, layout?: 'nchw' | 'nhwc', dstStride?, quantize? }`",
    },
  ],
  doc: "A block mover carries `rows` rows of `cols` elements between l3 and l2; until the event was waited for, the destination must not be touched and the source not be written. identity: as they are. transpose: dst[j][i] = src[i][j]. pack: panels of `panel` rows, column by column in each; rows that the last panel lacks are 0. im2col: row i are the elements under the window at output position `first` + i of an image of one batch, columns in the order (channel, kernel row, kernel column) of an nchw image and (kernel row, kernel column, channel) of an nhwc one; beyond the edges they are 0. `quantize: { scale, zeroPoint }` makes i8 or u8 of f32 by QuantizeLinear, and the zero point of what would be 0. pack and im2col go from l3 to l2 only. All numbers may be runtime values and count elements.",
  example:
    "const far = S.alloc(f32, [8], 'l3'); const near = S.alloc(f32, [8], 'l2'); const [e] = S.allocEvents(1); S.dmaCopy(far, x, 8); S.blockMove(near, far, { rows: 2, cols: 4, transform: 'transpose' }, e); S.waitEvents(e); S.dmaCopy(y, near, 8); S.freeEvents(e);",
  request: (ops, [dst, src, block]) => {
    const given = options(
      ops,
      block,
      ["transform", "rows", "quantize", ...new Set(Object.values(KEYS).flat())],
      AT,
    );
    const transform = choice(ops, given, "transform", TRANSFORMS, AT);
    const o = options(ops, block, ["transform", "rows", ...KEYS[transform], "quantize"], AT);
    const rows = count(ops, o["rows"], "rows", AT);
    const { scale, zeroPoint } =
      o["quantize"] === undefined
        ? { scale: undefined, zeroPoint: undefined }
        : quantization(ops, o["quantize"], "quantize", AT);
    const quantized = scale === undefined ? {} : ({ quantized: true } as const);
    const common = { dst, src, rows, scale, zeroPoint };
    if (transform === "im2col") {
      const w = windowNumbers(ops, o);
      const cols = product(ops, product(ops, w.kernelHeight, w.kernelWidth), w.channels);
      return {
        attrs: { transform, layout: choice(ops, o, "layout", LAYOUTS, AT), ...quantized },
        values: { ...common, ...w, dstStride: optional(ops, o, "dstStride", cols, AT) },
      };
    }
    const cols = count(ops, o["cols"], "cols", AT);
    const srcStride = optional(ops, o, "srcStride", cols, AT);
    const rest =
      transform === "pack"
        ? { panel: count(ops, o["panel"], "panel", AT) }
        : { dstStride: optional(ops, o, "dstStride", transform === "transpose" ? rows : cols, AT) };
    return { attrs: { transform, ...quantized }, values: { ...common, cols, srcStride, ...rest } };
  },
});

// ---------------------------------------------------------------------------------------------- streamers

interface StreamBlock {
  readonly depth: number;
  /** Elements between the starts of the rows that stand in l2; without gaps when absent. */
  readonly stride?: number | undefined;
  /** True when l2 holds the transpose of the matrix. */
  readonly transposed?: boolean | undefined;
}
export interface StreamRows extends StreamBlock {
  readonly rows: number;
}
export interface StreamCols extends StreamBlock {
  readonly cols: number;
}
export interface Stream<Block> {
  <D extends f32 | f16 | bf16 | i8 | u8>(dst: Ptr<D>, src: Ptr<NoInfer<D>>, block: Block, event: Event): void;
  (dst: Ptr<i8>, src: Ptr<i4>, block: Block, event: Event): void;
  (dst: Ptr<u8>, src: Ptr<u4>, block: Block, event: Event): void;
}

function stream<O extends "stream_rows" | "stream_cols">(
  op: O,
  ops: Ops,
  [dst, src, block]: readonly unknown[],
): { readonly attrs: { readonly transposed?: true }; readonly values: Readonly<Record<string, unknown>> } {
  const key = op === "stream_rows" ? "rows" : "cols";
  const o = options(ops, block, [key, "depth", "stride", "transposed"], AT);
  const extent = count(ops, o[key], key, AT);
  const depth = count(ops, o["depth"], "depth", AT);
  const transposed = flag(ops, o, "transposed", AT);
  const inner = (op === "stream_rows") === transposed ? extent : depth;
  return {
    attrs: transposed ? { transposed } : {},
    values: { dst, src, extent, depth, stride: optional(ops, o, "stride", inner, AT) },
  };
}

const L1 = POINTER("dst", FABRIC_DTYPES, "in l1");
const L2 = POINTER("src", STREAM_DTYPES, "in l2, of dst's dtype; i4 for i8, u4 for u8");
const UNTIL =
  "The block is then in l1 in the order in which the fabric takes it, which no code can see: S.mma takes it whole, by the pointer that it was streamed to. Until the event was waited for, the destination must not be touched and the source not be written.";

export const streamRows = pathCommand<"stream_rows", Stream<StreamRows>>({
  name: "streamRows",
  op: "stream_rows",
  operands: [
    L1,
    L2,
    {
      name: "block",
      kind: "any",
      doc: "`{ rows, depth, stride?, transposed? }`, elements and runtime values",
    },
  ],
  doc: `A streamer feeds rows of a matrix to the fabric: a[i][p], i below \`rows\`, p below \`depth\`, which stands in l2 as rows of \`depth\` elements; with \`transposed\` as rows of \`rows\` elements, a[i][p] at p * stride + i. i4 and u4 are unpacked to i8 and u8. ${UNTIL}`,
  example: pathExample("S.streamRows(a, near, { rows: 2, depth: 4 }, e);"),
  request: (ops, args) => stream("stream_rows", ops, args),
});

export const streamCols = pathCommand<"stream_cols", Stream<StreamCols>>({
  name: "streamCols",
  op: "stream_cols",
  operands: [
    L1,
    L2,
    {
      name: "block",
      kind: "any",
      doc: "`{ cols, depth, stride?, transposed? }`, elements and runtime values",
    },
  ],
  doc: `A streamer feeds columns of a matrix to the fabric: b[p][j], p below \`depth\`, j below \`cols\`, which stands in l2 as rows of \`cols\` elements; with \`transposed\` as rows of \`depth\` elements, b[p][j] at j * stride + p. i4 and u4 are unpacked to i8 and u8. ${UNTIL}`,
  example: pathExample("S.streamCols(b, near, { cols: 2, depth: 4, transposed: true }, e);"),
  request: (ops, args) => stream("stream_cols", ops, args),
});

// ---------------------------------------------------------------------------------------------- fabric

export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** True: starts from 0. May be a runtime value. */
  readonly clear?: boolean | undefined;
  /** Which operand stays in the array: output, weight or input stationary. Time only. */
  readonly dataflow?: DataflowName | undefined;
}
export interface Mma {
  <D extends f32 | f16 | bf16>(
    acc: Ptr<f32>,
    a: Ptr<D>,
    b: Ptr<NoInfer<D>>,
    block: Product,
    event: Event,
  ): void;
  (acc: Ptr<i32>, a: Ptr<i8> | Ptr<u8>, b: Ptr<i8> | Ptr<u8>, block: Product, event: Event): void;
}

export const mma = pathCommand<"mma", Mma>({
  name: "mma",
  op: "mma",
  operands: [
    POINTER("acc", ACC_DTYPES, "in acc: m rows of n without gaps"),
    POINTER("a", FABRIC_DTYPES, "in l1: m rows of depth k, as streamed"),
    POINTER("b", FABRIC_DTYPES, "in l1: n columns of depth k, as streamed"),
    { name: "block", kind: "any", doc: "`{ m, n, k, clear?, dataflow?: 'os' | 'ws' | 'is' }`" },
  ],
  doc: "The fabric multiplies: acc[i][j] += the sum over p of a[i][p] * b[p][j], p ascending, starting from what the accumulators hold, or from 0 with `clear`. f32, f16 and bf16 accumulate in f32, unfused: each product is rounded to f32, then each sum. i8 and u8, in any mix, accumulate in i32 and wrap. a and b are blocks as S.streamRows and S.streamCols left them: the same pointers, m, n and k (KPU4015). The dataflow changes time, never bits. Until the event was waited for, the accumulators must not be touched and the blocks not be overwritten; products into the same accumulators follow one another as they were given, with no wait in between.",
  example: pathExample(
    "S.streamRows(a, near, { rows: 2, depth: 4 }, e); S.streamCols(b, near, { cols: 2, depth: 4 }, f); S.waitEvents(e, f); S.mma(acc, a, b, { m: 2, n: 2, k: 4, clear: true }, e);",
  ),
  request: (ops, [acc, a, b, block]) => {
    const at = 3;
    const o = options(ops, block, ["m", "n", "k", "clear", "dataflow"], at);
    const [m, n, k] = ["m", "n", "k"].map((key) => count(ops, o[key], key, at));
    return {
      attrs: { dataflow: choice(ops, o, "dataflow", DATAFLOWS, at) },
      values: { acc, a, b, m, n, k, clear: condition(ops, o, "clear", at) },
    };
  },
});

// ---------------------------------------------------------------------------------------------- partial sums

export interface Preload {
  readonly rows: number;
  readonly cols: number;
  /** Elements between the starts of source rows; `cols` when absent. */
  readonly stride?: number | undefined;
}

export const preload = pathCommand<
  "preload",
  <D extends f32 | i32>(acc: Ptr<D>, src: Ptr<NoInfer<D>>, block: Preload, event: Event) => void
>({
  name: "preload",
  op: "preload",
  operands: [
    POINTER("acc", ACC_DTYPES, "in acc: rows of cols without gaps"),
    POINTER("src", ACC_DTYPES, "in l2, of acc's dtype"),
    { name: "block", kind: "any", doc: "`{ rows, cols, stride? }`, elements and runtime values" },
  ],
  doc: "Loads accumulators from l2 through the column streams, as they are: S.mma without `clear` goes on from there. Partial sums that S.drain brought out come back so; f32 sums then stay in the order of the depth, which the residual of S.drain would not keep. Until the event was waited for, the accumulators must not be touched and the source not be written.",
  example: pathExample(
    "S.preload(acc, near, { rows: 2, cols: 2 }, e); S.waitEvents(e); S.drain(out, acc, { rows: 2, cols: 2 }, e);",
    "S.dmaCopy(y, out, 4);",
  ),
  request: (ops, [acc, src, block]) => {
    const o = options(ops, block, ["rows", "cols", "stride"], AT);
    const [rows, cols] = [count(ops, o["rows"], "rows", AT), count(ops, o["cols"], "cols", AT)];
    return { attrs: {}, values: { acc, src, rows, cols, stride: optional(ops, o, "stride", cols, AT) } };
  },
});

// ---------------------------------------------------------------------------------------------- drain

export interface Drain {
  readonly rows: number;
  readonly cols: number;
  /** Elements between the starts of destination rows; `cols` when absent. */
  readonly stride?: number | undefined;
  /** One of each column, in l2, l3 or global. i32 is added to i32 accumulators as they are, a float after `scale`. */
  readonly bias?: Ptr<f32> | Ptr<f16> | Ptr<bf16> | Ptr<i32> | undefined;
  /** One number, or one f32 of each column. */
  readonly scale?: number | Ptr<f32> | undefined;
  /** What the elements of `bias` and `scale` belong to; "column" when absent. */
  readonly axis?: AxisName | undefined;
  /** A matrix in l2 that is added before the activation. */
  readonly residual?: Ptr<f32> | Ptr<f16> | Ptr<bf16> | Ptr<i8> | Ptr<u8> | undefined;
  /** `cols` when absent. */
  readonly residualStride?: number | undefined;
  /** Of a residual of i8 or u8, which needs it. */
  readonly residualQuantization?: Quantization | undefined;
  readonly activation?: ActivationName | undefined;
  /** Of a destination of i8 or u8, which needs it. */
  readonly quantize?: Quantization | undefined;
}
export type DrainD = f32 | f16 | bf16 | i8 | u8 | i32;

const DRAIN_KEYS = [
  ...[
    "rows",
    "cols",
    "stride",
    "bias",
    "scale",
    "axis",
    "residual",
    "residualStride",
    "residualQuantization",
  ],
  ...["activation", "quantize"],
];

export const drain = pathCommand<
  "drain",
  (dst: Ptr<DrainD>, acc: Ptr<f32> | Ptr<i32>, block: Drain, event: Event) => void
>({
  name: "drain",
  op: "drain",
  operands: [
    POINTER("dst", DRAIN_DTYPES, "in l2"),
    POINTER("acc", ACC_DTYPES, "in acc: rows of cols without gaps"),
    {
      name: "block",
      kind: "any",
      doc: `\`{ rows, cols, stride?, bias?, scale?, axis?: 'column' | 'row', residual?, residualStride?, residualQuantization?, activation?, quantize? }\`; activations are ${ACTIVATION_NAMES.join(", ")}`,
    },
  ],
  doc: "Brings accumulators to l2 through the special function unit. Per element, in f32, one rounding per step, in this order: an i32 bias is added to an i32 accumulator (as integers, wraps); an i32 accumulator becomes f32; times `scale`; plus a float bias; plus the residual, one of i8 or u8 as (q - zeroPoint) * scale; the activation; f16 and bf16 are rounded once, i8 and u8 quantized by `quantize: { scale, zeroPoint }` as QuantizeLinear does. A destination of i32 takes i32 accumulators as they are, with a bias of i32 at most. `bias` and a `scale` that is a pointer (f32) have one element of each column, with `axis: 'row'` of each row, and stand in l2, l3 or global; the residual stands in l2. relu of NaN is NaN. Until the event was waited for, the destination must not be touched, and accumulators, bias, scale and residual not be written.",
  example: pathExample(
    "S.streamRows(a, near, { rows: 2, depth: 4 }, e); S.streamCols(b, near, { cols: 2, depth: 4 }, f); S.waitEvents(e, f); S.mma(acc, a, b, { m: 2, n: 2, k: 4, clear: true }, e); S.waitEvents(e); S.drain(out, acc, { rows: 2, cols: 2, bias: x, activation: 'relu' }, e);",
    "S.dmaCopy(y, out, 4);",
  ),
  request: (ops, [dst, acc, block]) => {
    const o = options(ops, block, DRAIN_KEYS, AT);
    const rows = count(ops, o["rows"], "rows", AT);
    const cols = count(ops, o["cols"], "cols", AT);
    const out = o["quantize"] === undefined ? undefined : quantization(ops, o["quantize"], "quantize", AT);
    const residual = o["residual"];
    const from =
      o["residualQuantization"] === undefined
        ? undefined
        : quantization(ops, o["residualQuantization"], "residualQuantization", AT);
    for (const key of ["residualStride", "residualQuantization"])
      if (residual === undefined && o[key] !== undefined)
        ops.refuse("KPU3004", `${ops.name}: option ${key} has no effect without residual`, { argument: AT });
    const scale = o["scale"];
    const scaled = shapeOf(scale).is;
    if (scale !== undefined && scaled !== "ptr" && scaled !== "number")
      ops.refuse("KPU3001", `${ops.name}: scale must be a number or a pointer, got ${textOf(scale)}`, {
        argument: AT,
      });
    return {
      attrs: {
        axis: choice(ops, o, "axis", AXES, AT),
        activation: choice(ops, o, "activation", ACTIVATION_NAMES, AT),
        ...(o["bias"] === undefined ? {} : { bias: true as const }),
        ...(scale === undefined
          ? {}
          : { scale: scaled === "ptr" ? ("vector" as const) : ("number" as const) }),
        ...(residual === undefined
          ? {}
          : { residual: from === undefined ? ("plain" as const) : ("quantized" as const) }),
        ...(out === undefined ? {} : { quantized: true as const }),
      },
      values: {
        ...{ dst, acc, rows, cols, stride: optional(ops, o, "stride", cols, AT) },
        ...{ bias: o["bias"], scale, residual, residualStride: optional(ops, o, "residualStride", cols, AT) },
        ...{ residualScale: from?.scale, residualZeroPoint: from?.zeroPoint },
        ...{ outScale: out?.scale, outZeroPoint: out?.zeroPoint },
      },
    };
  },
});

/** An example around lines of the path: 8 elements of x are in l2 and y takes `then`. */
function pathExample(lines: string, then = ""): string {
  return `const near = S.alloc(f32, [8], 'l2'); const out = S.alloc(f32, [2, 2], 'l2'); const a = S.alloc(f32, [2, 4], 'l1'); const b = S.alloc(f32, [4, 2], 'l1'); const acc = S.alloc(f32, [2, 2], 'acc'); const [e, f] = S.allocEvents(2); S.dmaCopy(near, x, 8); ${lines} S.waitEvents(e); ${then} S.freeEvents(e, f);`;
}
