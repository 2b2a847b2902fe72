/** The table of engine ops: what each asks of a machine. Values that are moved are nobody's matter here, only where and how many. */
import { DTYPES } from "../../ir/dtype.ts";
import type { Apply, LocationIndex } from "../../ir/kir.ts";
import { ndList } from "../../ir/operands.ts";
import { OPS, type OpName } from "../../ir/ops.ts";
import type { Command } from "../../ir/path/command.ts";
import { commandOf } from "../../ir/path/commands.ts";
import { namedOperands, type PathAttrs, type PathOp, pathOperands } from "../../ir/path/operands.ts";
import { Box, type Region } from "../../ir/region.ts";
import { destinationCounts, rowTransfer, type Transfer } from "../../ir/transfer.ts";
import type { Address, End, Fill, Level, Mma, Move, Runs, Transform } from "../../machine/trace.ts";
import type { Pointer } from "./value.ts";

/** A command as its operands' numbers make it, which is the same at other addresses and on other events. */
type Template =
  | (Omit<Move, "signal" | "after" | "at" | "src" | "dst"> & { readonly src: Reach; readonly dst: Reach })
  | (Omit<Fill, "signal" | "after" | "at" | "dst"> & { readonly dst: Reach })
  | Omit<Mma, "signal" | "after" | "at">;
/** One end of a transfer: which operand points there, and what is touched so many bytes further on. */
interface Reach {
  readonly operand: number;
  readonly level: Level;
  readonly start: number;
  readonly runs: Runs;
}

/** Operands of an engine op; asking for one that is data refuses the program. */
export interface Operands {
  readonly pointer: (i: number) => Pointer;
  readonly count: (i: number) => number;
  /** So many bytes from where the pointer points. */
  readonly address: (pointer: number, bytes: number) => Address;
}
/** What a template depends on: addresses are not known. */
interface Numbers {
  readonly pointer: (i: number) => Pick<Pointer, "level" | "dtype">;
  readonly count: (i: number) => number;
}

type Rule = (o: Numbers, e: Apply) => Template | undefined;

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
function readBeside(o: Numbers, e: Apply): Partial<Record<Level, number>> | undefined {
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

/** What was asked for a template, in order, and answered. */
type Asked =
  | { readonly count: number; readonly is: number }
  | ({ readonly pointer: number } & Pick<Pointer, "level" | "dtype">);
interface Plan {
  readonly asked: readonly Asked[];
  readonly template: Template | undefined;
}
/** Of a site, the last ones. */
const MOST_PLANS = 8;

/** An engine op of a program. It mostly has the same numbers again and again, at other addresses. */
export class EngineSite {
  readonly #e: Apply;
  readonly #rule: Rule;
  #plans: readonly Plan[] = [];

  private constructor(e: Apply, rule: Rule) {
    this.#e = e;
    this.#rule = rule;
  }

  /** Undefined for ops that no engine does. */
  static of(e: Apply): EngineSite | undefined {
    if (OPS[e.op].cost !== "engine") return undefined;
    const rule = RULES[e.op];
    if (rule === undefined) throw new TypeError(`runtime/trace/commands.ts has no rule for ${e.op}`);
    return new EngineSite(e, rule);
  }

  /** The command; undefined where there is nothing to do. */
  command(o: Operands, signal: number, at: LocationIndex): Move | Fill | Mma | undefined {
    const { template } = this.#plans.find((p) => isAnswered(p, o)) ?? this.#planned(o);
    if (template === undefined) return undefined;
    switch (template.kind) {
      case "move": {
        const { mover, transform, sfu } = template;
        const [src, dst] = [endAt(template.src, o), endAt(template.dst, o)];
        return sfu === undefined
          ? { kind: "move", mover, src, dst, transform, signal, at }
          : { kind: "move", mover, src, dst, transform, sfu, signal, at };
      }
      case "fill":
        return { kind: "fill", dst: endAt(template.dst, o), signal, at };
      case "mma": {
        const { dtype, m, n, k, dataflow } = template;
        return { kind: "mma", dtype, m, n, k, dataflow, signal, at };
      }
    }
  }

  #planned(o: Operands): Plan {
    const asked: Asked[] = [];
    const numbers: Numbers = {
      count: (i) => {
        const is = o.count(i);
        asked.push({ count: i, is });
        return is;
      },
      pointer: (i) => {
        const { level, dtype } = o.pointer(i);
        asked.push({ pointer: i, level, dtype });
        return { level, dtype };
      },
    };
    const plan = { asked, template: this.#rule(numbers, this.#e) };
    this.#plans = [plan, ...this.#plans.slice(0, MOST_PLANS - 1)];
    return plan;
  }
}

function endAt({ operand, level, start, runs }: Reach, o: Operands): End {
  return { level, at: o.address(operand, start), runs };
}

/** Whether all that was asked would be answered in the same way. */
function isAnswered({ asked }: Plan, o: Operands): boolean {
  for (const a of asked) {
    if ("count" in a) {
      if (o.count(a.count) !== a.is) return false;
    } else {
      const { level, dtype } = o.pointer(a.pointer);
      if (level !== a.level || dtype !== a.dtype) return false;
    }
  }
  return true;
}

function transfer(o: Numbers, t: Transfer): Template | undefined {
  const dst = endOf(o, 0, destinationCounts(t), t.dstStrides);
  if (dst === undefined) return undefined;
  // Where nothing is read all of the box is padding.
  const src = endOf(o, 1, t.counts, t.srcStrides);
  if (src === undefined) return { kind: "fill", dst };
  // Padding is written and not read, and what a stride of 0 repeats is read once.
  const transform = bytesOf(src) === bytesOf(dst) ? "identity" : "pack";
  return { kind: "move", mover: "dma", src, dst, transform };
}

const bytesOf = ({ runs }: Reach): number => runs.count * runs.bytes;

/** A command of the matrix path that moves from one level to the next. */
function moveOf(
  mover: Move["mover"],
  o: Numbers,
  e: Apply,
  [target, source]: readonly [target: string, source: string],
  transform: Transform,
): Extract<Template, { kind: "move" }> | undefined {
  const op = e.op as PathOp;
  const command = pathCommand(op, e, o);
  const end = (name: string): { readonly touched: boolean; readonly reach: Reach } => {
    const operand = pathOperands(op, e.attrs).findIndex((x) => x.name === name);
    const { level, dtype } = o.pointer(operand);
    const region = command.touches.find((t) => t.operand === name)?.region(0, DTYPES[dtype].bytes);
    const runs = region === undefined ? NOTHING : runsOf(region);
    return { touched: region !== undefined, reach: { operand, level, start: region?.start ?? 0, runs } };
  };
  const [dst, src] = [end(target), end(source)];
  if (!dst.touched) return undefined;
  const changes = transform !== "identity" && transform !== "transpose";
  const how =
    changes || bytesOf(src.reach) === bytesOf(dst.reach)
      ? transform
      : mover === "drain"
        ? "quantize"
        : "pack";
  return { kind: "move", mover, src: src.reach, dst: dst.reach, transform: how };
}

/** Windows beyond an image are filled without reading: a trace has no shorter run. */
const NOTHING: Runs = { count: 1, bytes: 1, stride: 0 };

/** The command in numbers. Factors, zero points and flags do not decide which bytes are touched. */
function pathCommand(op: PathOp, e: Apply, o: Numbers): Command {
  const operands = pathOperands(op, e.attrs);
  const index = (name: string): number => operands.findIndex((x) => x.name === name);
  return commandOf(op, e.attrs, {
    number: (name) => (operands[index(name)]?.is === "count" ? o.count(index(name)) : 0),
    dtype: (name) => o.pointer(index(name)).dtype,
  });
}

/** One end of a transfer; undefined where there are no elements. */
function endOf(
  o: Numbers,
  operand: number,
  counts: readonly number[],
  strides: readonly number[],
): Reach | undefined {
  if (counts.includes(0)) return undefined;
  const { level, dtype } = o.pointer(operand);
  const size = DTYPES[dtype].bytes;
  const box = Box.of(
    0,
    size,
    counts,
    strides.map((s) => s * size),
  );
  return { operand, level, start: 0, runs: runsOf(box) };
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
