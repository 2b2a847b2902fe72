/** The table of engine ops: what each asks of a machine. Values that are moved are nobody's matter here, only where and how many. */
import { DTYPES } from "../../ir/dtype.ts";
import type { Apply } from "../../ir/kir.ts";
import { ndList } from "../../ir/operands.ts";
import type { OpName } from "../../ir/ops.ts";
import type { Command } from "../../ir/path/command.ts";
import { commandOf } from "../../ir/path/commands.ts";
import { namedOperands, type PathAttrs, type PathOp, pathOperands } from "../../ir/path/operands.ts";
import { Box, type Region } from "../../ir/region.ts";
import { destinationCounts, rowTransfer, type Transfer } from "../../ir/transfer.ts";
import type { Address, End, Fill, Level, Mma, Move, Runs, Transform } from "../../machine/trace.ts";
import { type Affine, add, constant } from "./affine.ts";
import type { Pointer } from "./value.ts";

/** A command without its events and place. */
export type EngineCommand = Bare<Move> | Bare<Fill> | Bare<Mma>;
type Bare<C> = Omit<C, "signal" | "after" | "at">;

/** Operands of an engine op; asking for one that is data refuses the program. */
export interface Operands {
  readonly pointer: (i: number) => Pointer;
  readonly count: (i: number) => number;
  readonly address: (at: Affine) => Address;
}

type Rule = (o: Operands, e: Apply) => EngineCommand | undefined;

const copy: Rule = (o) => transfer(o, rowTransfer(o.count(2), o.count(3), o.count(4), o.count(5)));
const nd: Rule = (o, e) => {
  const numbers = e.args.map((_, i) => i);
  const list = (name: Parameters<typeof ndList>[2]): number[] =>
    ndList(e.attrs, numbers, name).map((i) => o.count(i));
  const padding =
    e.attrs["padded"] === true ? { before: list("before"), after: list("after"), value: 0 } : undefined;
  return transfer(o, {
    counts: list("counts"),
    srcStrides: list("srcStrides"),
    dstStrides: list("dstStrides"),
    padding,
  });
};
/** Which rows it takes is data; they are told as if they followed one another. */
const gather: Rule = (o) => transfer(o, rowTransfer(o.count(4), o.count(5), o.count(6), o.count(3)));
const memset: Rule = (o) => {
  const dst = endOf(o, 0, [o.count(2)], [1]);
  return dst === undefined ? undefined : { kind: "fill", dst };
};
/** No level is a cache. */
const hint: Rule = () => undefined;

const blockMove: Rule = (o, e) => {
  const { transform, quantized } = e.attrs as PathAttrs["block_move"];
  return moveOf("bm", o, e, ["dst", "src"], quantized ? "quantize" : transform);
};
const stream =
  (mover: "rows" | "cols"): Rule =>
  (o, e) => {
    const { transposed } = e.attrs as PathAttrs["stream_rows"];
    return moveOf(mover, o, e, ["dst", "src"], transposed ? "transpose" : "identity");
  };
/** Partial sums come in where columns do. */
const preload: Rule = (o, e) => moveOf("cols", o, e, ["acc", "src"], "identity");
/** Bias, scale and residual come to the special function unit by a way of their own: their bytes are told, not where they lie. */
const drain: Rule = (o, e) => {
  const move = moveOf("drain", o, e, ["dst", "acc"], "identity");
  const { bias, scale, residual, activation, quantized } = e.attrs as PathAttrs["drain"];
  const ops = [
    ...(scale ? ["scale"] : []),
    ...(bias ? ["bias"] : []),
    ...(residual ? ["residual"] : []),
    ...(activation === "none" ? [] : [activation]),
    ...(quantized ? ["quantize"] : []),
  ];
  if (move === undefined || ops.length === 0) return move;
  const count = namedOperands(
    "drain",
    e.attrs,
    e.args.map((_, i) => i),
  );
  const beside = readBeside(o, e);
  const elements = o.count(count("rows")) * o.count(count("cols"));
  return { ...move, sfu: { elements, ops, ...(beside === undefined ? {} : { read: beside }) } };
};

/** Bytes of what a drain reads beside the accumulators, by level. */
function readBeside(o: Operands, e: Apply): Partial<Record<Level, number>> | undefined {
  const operands = pathOperands("drain", e.attrs);
  const read: Partial<Record<Level, number>> = {};
  for (const { operand, region } of pathCommand("drain", e, o).touches) {
    if (operand === "dst" || operand === "acc") continue;
    const { level, dtype } = o.pointer(operands.findIndex((x) => x.name === operand));
    const touched = region(0, DTYPES[dtype].bytes);
    if (touched === undefined) continue;
    const { count, bytes } = runsOf(touched);
    read[level] = (read[level] ?? 0) + count * bytes;
  }
  return Object.keys(read).length === 0 ? undefined : read;
}

const mma: Rule = (o, e) => {
  const [m, n, k] = [o.count(3), o.count(4), o.count(5)];
  const { dataflow } = e.attrs as PathAttrs["mma"];
  // Only the accumulators are cleared where there is nothing to multiply: no engine has to.
  if (m === 0 || n === 0 || k === 0) return undefined;
  return { kind: "mma", dtype: o.pointer(1).dtype, m, n, k, dataflow };
};

const RULES: { readonly [K in OpName]?: Rule } = {
  dma_copy: copy,
  dma_copy_async: copy,
  dma_nd: nd,
  dma_nd_async: nd,
  dma_gather: gather,
  dma_gather_async: gather,
  dma_memset: memset,
  dma_memset_async: memset,
  prefetch: hint,
  flush_cache: hint,
  block_move: blockMove,
  stream_rows: stream("rows"),
  stream_cols: stream("cols"),
  preload,
  mma,
  drain,
};

/** The command of an engine op; undefined where there is nothing to do. */
export function engineCommand(e: Apply, o: Operands): EngineCommand | undefined {
  const rule = RULES[e.op];
  if (rule === undefined) throw new TypeError(`runtime/trace/commands.ts has no rule for ${e.op}`);
  return rule(o, e);
}

function transfer(o: Operands, t: Transfer): EngineCommand | undefined {
  const dst = endOf(o, 0, destinationCounts(t), t.dstStrides);
  if (dst === undefined) return undefined;
  // Where nothing is read all of the box is padding.
  const src = endOf(o, 1, t.counts, t.srcStrides);
  if (src === undefined) return { kind: "fill", dst };
  // Padding is written and not read, and what a stride of 0 repeats is read once.
  const transform = bytesOf(src) === bytesOf(dst) ? "identity" : "pack";
  return { kind: "move", mover: "dma", src, dst, transform };
}

const bytesOf = ({ runs }: End): number => runs.count * runs.bytes;

/** A command of the matrix path that moves from one level to the next. */
function moveOf(
  mover: Move["mover"],
  o: Operands,
  e: Apply,
  [target, source]: readonly [target: string, source: string],
  transform: Transform,
): Bare<Move> | undefined {
  const op = e.op as PathOp;
  const command = pathCommand(op, e, o);
  const end = (name: string): { readonly touched: boolean; readonly end: End } => {
    const { level, dtype, at } = o.pointer(pathOperands(op, e.attrs).findIndex((x) => x.name === name));
    const region = command.touches.find((t) => t.operand === name)?.region(0, DTYPES[dtype].bytes);
    const runs = region === undefined ? NOTHING : runsOf(region);
    return {
      touched: region !== undefined,
      end: { level, at: o.address(add(at, constant(region?.start ?? 0))), runs },
    };
  };
  const [dst, src] = [end(target), end(source)];
  if (!dst.touched) return undefined;
  const changes = transform !== "identity" && transform !== "transpose";
  const how =
    changes || bytesOf(src.end) === bytesOf(dst.end) ? transform : mover === "drain" ? "quantize" : "pack";
  return { kind: "move", mover, src: src.end, dst: dst.end, transform: how };
}

/** Windows beyond an image are filled without reading: a trace has no shorter run. */
const NOTHING: Runs = { count: 1, bytes: 1, stride: 0 };

/** The command in numbers. Factors, zero points and flags do not decide which bytes are touched. */
function pathCommand(op: PathOp, e: Apply, o: Operands): Command {
  const operands = pathOperands(op, e.attrs);
  const index = (name: string): number => operands.findIndex((x) => x.name === name);
  return commandOf(op, e.attrs, {
    number: (name) => (operands[index(name)]?.is === "count" ? o.count(index(name)) : 0),
    dtype: (name) => o.pointer(index(name)).dtype,
  });
}

/** One end of a transfer; undefined where there are no elements. */
function endOf(
  o: Operands,
  operand: number,
  counts: readonly number[],
  strides: readonly number[],
): End | undefined {
  if (counts.includes(0)) return undefined;
  const { level, dtype, at } = o.pointer(operand);
  const size = DTYPES[dtype].bytes;
  const box = Box.of(
    0,
    size,
    counts,
    strides.map((s) => s * size),
  );
  return { level, at: o.address(at), runs: runsOf(box) };
}

/**
 * The runs of a region. Their bytes are exact in all. Number and distance are exact too for a box of up to one dimension of
 * runs; of more dimensions the distance is the innermost one, or where that would leave the region the mean. Runs of
 * different lengths, as windows of an image have, are told as at least as many of one length.
 */
export function runsOf(region: Region): Runs {
  const span = region.end - region.start;
  const { count, bytes, stride } = region instanceof Box ? ofBox(region) : ofLengths(region);
  if (count === 1) return { count, bytes, stride: 0 };
  return { count, bytes, stride: Math.min(stride, Math.floor((span - bytes) / (count - 1))) };
}

/** 4-bit elements may begin and end inside of a byte, which is moved whole. */
function ofBox({ runs, bytes, strides }: Box): Runs {
  return { count: runs, bytes: Math.ceil(bytes), stride: Math.floor(strides.at(-1) ?? 0) };
}

function ofLengths(region: Region): Runs {
  let [all, runs, last] = [0, 0, -1];
  region.forEachRun((start, end) => {
    if (start !== last) runs++;
    all += end - start;
    last = end;
  });
  let bytes = Math.floor(all / runs);
  while (all % bytes !== 0) bytes--;
  return { count: all / bytes, bytes, stride: Infinity };
}
