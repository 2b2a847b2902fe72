/** Transfers by the copy engine: rows, boxes in up to five dimensions, fills. */
import { WHOLE_BYTE_DTYPES } from "../../ir/dtype.ts";
import { MAX_DIMS } from "../../ir/transfer.ts";
import { type Options, options, pointer } from "../arguments.ts";
import type { AnyD } from "../dtypes.ts";
import {
  asyncTransfer,
  count,
  counts,
  ends,
  fillValue,
  product,
  type Request,
  sum,
  type TransferSpec,
  transfer,
  wholeBytes,
} from "../engine.ts";
import { isExpr, shapeOf, textOf, type Value } from "../operand.ts";
import type { Ops } from "../ops.ts";
import type { Ptr } from "../pointer.ts";
import type { Event } from "../values.ts";

export interface CopyOptions {
  /** Elements between the starts of source rows; `width` when absent. */
  readonly srcStride?: number | undefined;
  /** Elements between the starts of destination rows; `width` when absent. */
  readonly dstStride?: number | undefined;
  /** Number of rows; 1 when absent. */
  readonly times?: number | undefined;
}

/** What lies around the copied box in the destination. */
export interface BoxPadding {
  /** Elements before the box, per dimension; none when absent. */
  readonly before?: readonly number[] | undefined;
  /** Elements after the box, per dimension; none when absent. */
  readonly after?: readonly number[] | undefined;
  /** Stored by the dtype's store rule; 0 when absent. */
  readonly value?: number | boolean | undefined;
}

/** A box of elements in one to five dimensions, outermost first. Lists have one entry per dimension. */
export interface CopyBox {
  /** Elements that are read, per dimension; may be runtime values. */
  readonly shape: readonly number[];
  /** Elements between neighbours in the source, per dimension; without gaps when absent. 0 repeats. */
  readonly srcStrides?: readonly number[] | undefined;
  /** Elements between neighbours in the destination; without gaps, padding included, when absent. */
  readonly dstStrides?: readonly number[] | undefined;
  readonly padding?: BoxPadding | undefined;
}

// ---------------------------------------------------------------------------------------------- rows and boxes

function copyRequest(ops: Ops, [dst, src, width]: readonly unknown[], o: unknown, at: number): Request {
  const dtype = ends(ops, dst, src);
  if (typeof width === "object" && width !== null && shapeOf(width).is === "other") {
    if (o !== undefined)
      ops.refuse("KPU3004", `${ops.name}: a box has no further options`, {
        argument: at,
        help: "strides and padding stand in the box: { shape, srcStrides, dstStrides, padding }",
      });
    return boxRequest(ops, dst, src, width, dtype);
  }
  const w = count(ops, width, "width", 2);
  const { srcStride = w, dstStride = w, times = 1 } = counts(ops, o, ["srcStride", "dstStride", "times"], at);
  return { kind: "rows", dst, src, width: w, srcStride, dstStride, times };
}

/** Argument 2 is the box. */
const BOX = 2;

function boxRequest(
  ops: Ops,
  dst: unknown,
  src: unknown,
  box: object,
  dtype: Parameters<typeof fillValue>[2],
): Request {
  const o = options(ops, box, ["shape", "srcStrides", "dstStrides", "padding"], BOX);
  const shape = list(ops, o, "shape", undefined);
  const dims = shape.length;
  if (dims < 1 || dims > MAX_DIMS)
    ops.refuse("KPU4007", `${ops.name}: shape has ${dims} dimensions, expected 1 to ${MAX_DIMS}`, {
      argument: BOX,
    });
  const given = (key: string, of: Options = o): readonly Value[] | undefined =>
    of[key] === undefined ? undefined : list(ops, of, key, dims);
  const common = {
    kind: "box",
    dst,
    src,
    counts: shape,
    srcStrides: given("srcStrides") ?? packed(ops, shape),
  } as const;
  if (o["padding"] === undefined) return { ...common, dstStrides: given("dstStrides") ?? packed(ops, shape) };
  const p = options(ops, o["padding"], ["before", "after", "value"], BOX);
  const nothing = shape.map(() => 0);
  const before = given("before", p) ?? nothing;
  const after = given("after", p) ?? nothing;
  const value = fillValue(ops, p["value"] ?? (dtype === "bool" ? false : 0), dtype, "padding.value", BOX);
  const whole = shape.map((n, i) => sum(ops, sum(ops, before[i] as Value, n), after[i] as Value));
  return {
    ...common,
    dstStrides: given("dstStrides") ?? packed(ops, whole),
    padding: { before, after, value },
  };
}

/** A list of counts, of `dims` entries when that is known. */
function list(ops: Ops, o: Options, key: string, dims: number | undefined): readonly Value[] {
  const v = o[key];
  if (isExpr(v) || !Array.isArray(v))
    return ops.refuse("KPU3001", `${ops.name}: ${key} must be an array, got ${textOf(v)}`, { argument: BOX });
  if (dims !== undefined && v.length !== dims)
    ops.refuse("KPU3009", `${ops.name}: ${key} has ${v.length} entries, shape has ${dims}`, {
      argument: BOX,
    });
  return v.map((x, i) => count(ops, x, `${key}[${i}]`, BOX));
}

/** Strides of a shape without gaps. */
function packed(ops: Ops, shape: readonly Value[]): Value[] {
  const strides: Value[] = [];
  let stride: Value = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    if (i > 0) stride = product(ops, stride, shape[i] as Value);
  }
  return strides;
}

const COPY: TransferSpec = {
  name: "dmaCopy",
  operands: [
    { name: "dst", kind: "ptr", dtype: WHOLE_BYTE_DTYPES },
    { name: "src", kind: "ptr", dtype: "dst" },
    {
      name: "width",
      kind: "scalar",
      doc: "elements per row, 0 copies nothing; or a box `{ shape, srcStrides?, dstStrides?, padding?: { before?, after?, value? } }`, which takes no options",
    },
  ],
  options: [
    {
      name: "srcStride",
      kind: "scalar",
      optional: true,
      doc: "elements between starts of source rows; width when absent",
    },
    {
      name: "dstStride",
      kind: "scalar",
      optional: true,
      doc: "elements between starts of destination rows; width when absent",
    },
    { name: "times", kind: "scalar", optional: true, doc: "rows; 1 when absent" },
  ],
  doc: "Copies `times` rows of `width` elements, or a box of `shape` elements in one to five dimensions, outermost first; complete when it returns. All numbers may be runtime values; strides count elements and go forward. Strides that are absent mean a box without gaps. A source stride of 0 repeats; the elements of a box's destination must be distinct: from the smallest on, each destination stride must reach beyond what the smaller ones span. With `padding` the destination receives `before + shape + after` elements per dimension, and those around the box are `value` (0 when absent, stored by the dtype's store rule); an empty box then still gives its padding. Lengths are exact: beyond either buffer is an error (KPU4001), overlap of source and destination too (KPU4009), 0 is a no-op.",
  asyncDoc:
    "until the event was waited for, the destination must not be touched and the source must not be written. A box stands where the width does: `S.asyncDmaCopy(y, x, { shape: [2, 4] }, e)`.",
  example:
    "S.dmaCopy(y, x, 4, { srcStride: 8, dstStride: 4, times: 2 }); S.dmaCopy(y.at(16), x, { shape: [2, 3], srcStrides: [8, 1], padding: { before: [1, 1], after: [1, 1], value: -1 } });",
  asyncExample: "S.asyncDmaCopy(y, x, 8, e);",
  request: copyRequest,
};

export interface Copy {
  <D extends AnyD>(dst: Ptr<D>, src: Ptr<NoInfer<D>>, width: number, options?: CopyOptions): void;
  <D extends AnyD>(dst: Ptr<D>, src: Ptr<NoInfer<D>>, box: CopyBox): void;
}
export interface AsyncCopy {
  <D extends AnyD>(
    dst: Ptr<D>,
    src: Ptr<NoInfer<D>>,
    width: number,
    event: Event,
    options?: CopyOptions,
  ): void;
  <D extends AnyD>(dst: Ptr<D>, src: Ptr<NoInfer<D>>, box: CopyBox, event: Event): void;
}
export const dmaCopy = transfer<Copy>(COPY);
export const asyncDmaCopy = asyncTransfer<AsyncCopy>(COPY);

// ---------------------------------------------------------------------------------------------- fills

const FILL: TransferSpec = {
  name: "dmaMemset",
  operands: [
    { name: "dst", kind: "ptr", dtype: WHOLE_BYTE_DTYPES },
    { name: "value", kind: "scalar", dtype: "dst" },
    { name: "count", kind: "scalar", doc: "elements; 0 fills nothing" },
  ],
  doc: "Fills `count` elements with a value, by the dtype's store rule: integers wrap, floats round, bool takes truthiness. Complete when it returns.",
  asyncDoc: "until the event was waited for, the destination must not be touched.",
  example: "S.dmaMemset(y, 0, 8);",
  asyncExample: "S.asyncDmaMemset(y, 1, 8, e);",
  request: (ops, [dst, value, n], o, at) => {
    const dtype = wholeBytes(ops, pointer(ops, dst, "dst", 0, true));
    const filled = fillValue(ops, value, dtype, "value", 1);
    options(ops, o, [], at);
    return { kind: "fill", dst, value: filled, count: count(ops, n, "count", 2) };
  },
};

export const dmaMemset =
  transfer<<D extends AnyD>(dst: Ptr<D>, value: number | boolean, count: number) => void>(FILL);
export const asyncDmaMemset =
  asyncTransfer<<D extends AnyD>(dst: Ptr<D>, value: number | boolean, count: number, event: Event) => void>(
    FILL,
  );
