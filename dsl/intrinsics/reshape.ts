/** Transfers that change the order of elements: transposition, upsampling, rows by an index. */
import { WHOLE_BYTE_DTYPES } from "../../ir/dtype.ts";
import { pointer } from "../arguments.ts";
import type { AnyD } from "../dtypes.ts";
import { asyncTransfer, count, counts, ends, product, type TransferSpec, transfer } from "../engine.ts";
import type { OperandSpec } from "../intrinsic.ts";
import type { IndexD } from "../options.ts";
import type { Ptr } from "../pointer.ts";
import type { Event } from "../values.ts";

const ENDS: readonly OperandSpec[] = [
  { name: "dst", kind: "ptr", dtype: WHOLE_BYTE_DTYPES },
  { name: "src", kind: "ptr", dtype: "dst" },
];
const scalar = (name: string, doc: string): OperandSpec => ({ name, kind: "scalar", doc });
const option = (name: string, doc: string): OperandSpec => ({ name, kind: "scalar", optional: true, doc });

// ---------------------------------------------------------------------------------------------- transposition

export interface TransposeOptions {
  /** Elements between the starts of source rows; `cols` when absent. */
  readonly srcStride?: number | undefined;
  /** Elements between the starts of destination rows; `rows` when absent. */
  readonly dstStride?: number | undefined;
}

const TRANSPOSE: TransferSpec = {
  name: "dmaTranspose2d",
  operands: [...ENDS, scalar("rows", "rows of the source"), scalar("cols", "columns of the source")],
  options: [
    option("srcStride", "elements between starts of source rows; cols when absent"),
    option("dstStride", "elements between starts of destination rows; rows when absent"),
  ],
  doc: "Transposes a matrix: element (r, c) of the source, `rows` by `cols`, becomes element (c, r) of the destination, which has `cols` rows of `rows` elements. `dstStride` must be at least `rows`. Complete when it returns. Beyond either buffer is an error, so is overlap; 0 rows or columns is a no-op.",
  asyncDoc:
    "until the event was waited for, the destination must not be touched and the source must not be written.",
  example:
    "S.dmaTranspose2d(y, x, 3, 5); S.dmaTranspose2d(y.at(16), x, 2, 3, { srcStride: 8, dstStride: 4 });",
  asyncExample: "S.asyncDmaTranspose2d(y, x, 3, 5, e);",
  request: (ops, [dst, src, r, c], o, at) => {
    ends(ops, dst, src);
    const rows = count(ops, r, "rows", 2);
    const cols = count(ops, c, "cols", 3);
    const { srcStride = cols, dstStride = rows } = counts(ops, o, ["srcStride", "dstStride"], at);
    return {
      kind: "box",
      dst,
      src,
      counts: [rows, cols],
      srcStrides: [srcStride, 1],
      dstStrides: [1, dstStride],
    };
  },
};

export const dmaTranspose2d =
  transfer<
    <D extends AnyD>(
      dst: Ptr<D>,
      src: Ptr<NoInfer<D>>,
      rows: number,
      cols: number,
      options?: TransposeOptions,
    ) => void
  >(TRANSPOSE);
export const asyncDmaTranspose2d =
  asyncTransfer<
    <D extends AnyD>(
      dst: Ptr<D>,
      src: Ptr<NoInfer<D>>,
      rows: number,
      cols: number,
      event: Event,
      options?: TransposeOptions,
    ) => void
  >(TRANSPOSE);

// ---------------------------------------------------------------------------------------------- upsampling

export interface UpsampleOptions {
  /** Elements of a pixel; 1 when absent. */
  readonly channels?: number | undefined;
  /** How many rows and columns each pixel becomes; 1 when absent. */
  readonly scaleH?: number | undefined;
  readonly scaleW?: number | undefined;
  /** Elements between neighbouring pixels; `channels` when absent. */
  readonly srcPixel?: number | undefined;
  readonly dstPixel?: number | undefined;
  /** Elements between the starts of rows; those of its pixels when absent. */
  readonly srcStride?: number | undefined;
  readonly dstStride?: number | undefined;
}

const UPSAMPLE: TransferSpec = {
  name: "dmaUpsample",
  operands: [...ENDS, scalar("height", "rows of the source"), scalar("width", "pixels of a source row")],
  options: [
    option("channels", "elements of a pixel; 1 when absent"),
    option("scaleH", "rows that a row becomes; 1 when absent"),
    option("scaleW", "pixels that a pixel of a row becomes; 1 when absent"),
    option("srcPixel", "elements between neighbouring source pixels; channels when absent"),
    option("dstPixel", "elements between neighbouring destination pixels; channels when absent"),
    option("srcStride", "elements between starts of source rows; width * srcPixel when absent"),
    option("dstStride", "elements between starts of destination rows; width * scaleW * dstPixel when absent"),
  ],
  doc: "Nearest-neighbour upsampling of an image by whole factors: pixel (h, w) of the source becomes `scaleH` by `scaleW` pixels of the destination, from row h * scaleH and column w * scaleW on. The destination has height * scaleH rows of width * scaleW pixels. Pixels and rows of the destination must not overlap. Complete when it returns. Beyond either buffer is an error, so is overlap of source and destination; a size or factor of 0 is a no-op.",
  asyncDoc:
    "until the event was waited for, the destination must not be touched and the source must not be written.",
  example: "S.dmaUpsample(y, x, 2, 3, { channels: 2, scaleH: 2, scaleW: 2 });",
  asyncExample: "S.asyncDmaUpsample(y, x, 4, 4, e, { scaleW: 2 });",
  request: (ops, [dst, src, h, w], o, at) => {
    ends(ops, dst, src);
    const height = count(ops, h, "height", 2);
    const width = count(ops, w, "width", 3);
    const names = ["channels", "scaleH", "scaleW", "srcPixel", "dstPixel", "srcStride", "dstStride"] as const;
    const given = counts(ops, o, names, at);
    const { channels = 1, scaleH = 1, scaleW = 1 } = given;
    const { srcPixel = channels, dstPixel = channels } = given;
    const srcStride = given.srcStride ?? product(ops, width, srcPixel);
    const dstStride = given.dstStride ?? product(ops, product(ops, width, scaleW), dstPixel);
    return {
      kind: "box",
      dst,
      src,
      counts: [height, scaleH, width, scaleW, channels],
      srcStrides: [srcStride, 0, srcPixel, 0, 1],
      dstStrides: [product(ops, dstStride, scaleH), dstStride, product(ops, dstPixel, scaleW), dstPixel, 1],
    };
  },
};

export const dmaUpsample =
  transfer<
    <D extends AnyD>(
      dst: Ptr<D>,
      src: Ptr<NoInfer<D>>,
      height: number,
      width: number,
      options?: UpsampleOptions,
    ) => void
  >(UPSAMPLE);
export const asyncDmaUpsample =
  asyncTransfer<
    <D extends AnyD>(
      dst: Ptr<D>,
      src: Ptr<NoInfer<D>>,
      height: number,
      width: number,
      event: Event,
      options?: UpsampleOptions,
    ) => void
  >(UPSAMPLE);

// ---------------------------------------------------------------------------------------------- rows by an index

export interface GatherRowsOptions {
  /** Elements of a row; 1 when absent. */
  readonly width?: number | undefined;
  /** Elements between the starts of source rows; `width` when absent. */
  readonly srcStride?: number | undefined;
  /** Elements between the starts of destination rows; `width` when absent. */
  readonly dstStride?: number | undefined;
}

const INDEX_DTYPES = ["i16", "u16", "i32", "u32"] as const;

const GATHER: TransferSpec = {
  name: "dmaGather",
  operands: [
    ...ENDS,
    { name: "index", kind: "ptr", dtype: INDEX_DTYPES, doc: "row numbers" },
    scalar("count", "rows; 0 copies nothing"),
  ],
  options: [
    option("width", "elements of a row; 1 when absent"),
    option("srcStride", "elements between starts of source rows; width when absent"),
    option("dstStride", "elements between starts of destination rows; width when absent"),
  ],
  doc: "Copies `count` rows chosen by an index: row i of the destination is row index[i] of the source, which starts index[i] * srcStride elements from src. The index is read as the transfer starts. A row that is not within the source's buffer is an error, a row chosen twice is not; `dstStride` must be at least `width`. Complete when it returns.",
  asyncDoc:
    "until the event was waited for, the destination must not be touched, and neither the chosen rows nor the index written.",
  example: "j.set(0, 3); j.set(1, 0); S.dmaGather(y, x, j, 2, { width: 4 });",
  asyncExample: "j.set(0, 3); S.asyncDmaGather(y, x, j, 1, e, { width: 4, srcStride: 5 });",
  request: (ops, [dst, src, index, n], o, at) => {
    ends(ops, dst, src);
    const d = pointer(ops, index, "index", 2);
    if (!INDEX_DTYPES.some((allowed) => allowed === d)) {
      ops.refuse("KPU3001", `${ops.name}: index must be a pointer to ${INDEX_DTYPES.join(", ")}, got ${d}`, {
        argument: 2,
      });
    }
    const rows = count(ops, n, "count", 3);
    const { width = 1, ...strides } = counts(ops, o, ["width", "srcStride", "dstStride"], at);
    const { srcStride = width, dstStride = width } = strides;
    return { kind: "gather", dst, src, index, count: rows, width, srcStride, dstStride };
  },
};

export const dmaGather =
  transfer<
    <D extends AnyD>(
      dst: Ptr<D>,
      src: Ptr<NoInfer<D>>,
      index: Ptr<IndexD>,
      count: number,
      options?: GatherRowsOptions,
    ) => void
  >(GATHER);
export const asyncDmaGather =
  asyncTransfer<
    <D extends AnyD>(
      dst: Ptr<D>,
      src: Ptr<NoInfer<D>>,
      index: Ptr<IndexD>,
      count: number,
      event: Event,
      options?: GatherRowsOptions,
    ) => void
  >(GATHER);
