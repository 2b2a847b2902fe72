/** The table of engine ops: what each asks of a machine. Values that are moved are nobody's matter here, only where and how many. */
import { DTYPES } from "../../ir/dtype.ts";
import type { Apply } from "../../ir/kir.ts";
import { ndList } from "../../ir/operands.ts";
import type { OpName } from "../../ir/ops.ts";
import { Box } from "../../ir/region.ts";
import { destinationCounts, rowTransfer, type Transfer } from "../../ir/transfer.ts";
import type { Address, End, Fill, Mma, Move, Runs } from "../../machine/trace.ts";
import type { Affine } from "./affine.ts";
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
 * The runs of a box. Bytes and number are exact, and so is the distance of up to one dimension of runs; of more it is the
 * innermost one, or where that would leave the box the mean.
 */
export function runsOf(box: Box): Runs {
  const { runs: count, bytes, strides } = box;
  if (count === 1) return { count, bytes, stride: 0 };
  const mean = Math.floor((box.end - box.start - bytes) / (count - 1));
  return { count, bytes, stride: Math.min(strides.at(-1) as number, mean) };
}
