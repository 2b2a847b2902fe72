/**
 * Transfers as code: rows, boxes in up to five dimensions, fills, rows by an index. They are complete when issued. With
 * checks the host has checked ranges and events before; what moves the data is the same code with and without.
 */
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import type { Apply, Expr } from "../../ir/kir.ts";
import { type NdList, ndList, paddingOperand } from "../../ir/operands.ts";
import type { OpName } from "../../ir/ops.ts";
import { MAX_DIMS } from "../../ir/transfer.ts";
import { dtypeOf, type Emitter, scalarName } from "./context.ts";
import type { Code, LocalIndex } from "./encoder.ts";
import { canonicalBits } from "./memory.ts";
import type { AccessOp } from "./opcodes.ts";
import { emitNoted, isNoted, pushApart } from "./path/forward.ts";
import { elementUnits } from "./pointer.ts";
import { add, copyRowsHelper, countDown, I32S, pushAddress, pushBytes } from "./rows.ts";
import { index32 } from "./scalar.ts";

const MOVES: { readonly [K in OpName]?: (E: Emitter, e: Apply) => void } = {
  dma_copy: copyRows,
  dma_copy_async: copyRows,
  dma_nd: copyBox,
  dma_nd_async: copyBox,
  dma_gather: gatherRows,
  dma_gather_async: gatherRows,
  dma_memset: fill,
  dma_memset_async: fill,
};

export function isTransfer(op: OpName): boolean {
  return MOVES[op] !== undefined;
}

/** Emits the data movement of a transfer op. */
export function emitTransfer(E: Emitter, e: Apply): void {
  MOVES[e.op]?.(E, e);
}

// ---------------------------------------------------------------------------------------------- rows

/** Rows of `width` bytes, `times` of them. */
function copyRows(E: Emitter, e: Apply): void {
  const [dst, src, width, srcStride, dstStride, times] = e.args as [Expr, Expr, Expr, Expr, Expr, Expr];
  const isDrained = E.forwarding.broughtOut.has(e);
  if (isDrained) {
    pushApart(E);
    E.code.op("i32.eqz").if();
  }
  pushAddress(E, dst);
  pushAddress(E, src);
  for (const x of [width, srcStride, dstStride]) pushBytes(E, x, elementUnits(dst));
  index32(E, times);
  if (isNoted(E, e)) emitNoted(E);
  else E.code.call(copyRowsHelper(E.code));
  if (isDrained) E.code.end();
}

// ---------------------------------------------------------------------------------------------- boxes

export const LOAD: { readonly [bytes: number]: AccessOp } = {
  1: "i32.load8_u",
  2: "i32.load16_u",
  4: "i32.load",
};
export const STORE: { readonly [bytes: number]: AccessOp } = {
  1: "i32.store8",
  2: "i32.store16",
  4: "i32.store",
};

/** Rows up to this many bytes are moved by elements: a bulk copy costs a call. */
const SHORT_ROW = 24;

/** Counts of all five dimensions, in locals; those that the box does not have are 1. */
interface Lists {
  /** A list as elements; `absent` stands for dimensions that the box does not have. */
  elements(list: NdList, absent: number): readonly LocalIndex[];
  /** A list of strides in bytes. */
  strides(list: NdList): readonly LocalIndex[];
}

function listsOf(E: Emitter, e: Apply): Lists {
  const c = E.code;
  const bytes = elementUnits(e.args[0]!);
  const saved = (list: NdList, absent: number, push: (x: Expr) => void): LocalIndex[] => {
    const given = ndList(e.attrs, e.args, list);
    return Array.from({ length: MAX_DIMS }, (_, i) => {
      const x = given[i - (MAX_DIMS - given.length)];
      if (x === undefined) c.i32(absent);
      else push(x);
      return c.save("i32");
    });
  };
  return {
    elements: (list, absent) => saved(list, absent, (x) => index32(E, x)),
    strides: (list) => saved(list, 0, (x) => pushBytes(E, x, bytes)),
  };
}

function copyBox(E: Emitter, e: Apply): void {
  const c = E.code;
  const [dst, src] = e.args as [Expr, Expr];
  const d = dtypeOf(dst);
  const { bytes } = DTYPES[d];
  const lists = listsOf(E, e);
  const counts = lists.elements("counts", 1);
  const from = lists.strides("srcStrides");
  const into = lists.strides("dstStrides");
  pushAddress(E, dst);
  const to = c.save("i32");
  if (e.attrs["padded"] === true) {
    const before = lists.elements("before", 0);
    const after = lists.elements("after", 0);
    const value = e.args[paddingOperand(e.attrs)]!;
    c.get(to);
    E.scalar(value);
    canonicalBits(c, scalarName(value), d);
    for (let i = 0; i < MAX_DIMS; i++)
      c.get(before[i]!).get(counts[i]!).op("i32.add").get(after[i]!).op("i32.add");
    for (const s of into) c.get(s);
    c.call(fillBoxHelper(c, bytes));
    for (let i = 0; i < MAX_DIMS; i++)
      c.get(to).get(before[i]!).get(into[i]!).op("i32.mul").op("i32.add").set(to);
  }
  c.get(to);
  pushAddress(E, src);
  for (const x of [...counts, ...from, ...into]) c.get(x);
  c.call(copyBoxHelper(c, bytes));
}

/**
 * Loops over all but the last dimension: `places` are moved by their `strides` in each, `row` runs with the places of
 * that row.
 */
export function nest(
  c: Code,
  counts: readonly LocalIndex[],
  places: readonly { readonly at: LocalIndex; readonly strides: readonly LocalIndex[] }[],
  row: (places: readonly LocalIndex[]) => void,
  dim = 0,
): void {
  if (dim === counts.length - 1) {
    row(places.map((p) => p.at));
    return;
  }
  const own = places.map((p) => ({ ...p, at: c.temp("i32") }));
  const n = c.temp("i32");
  for (const [i, p] of places.entries()) c.get(p.at).set(own[i]!.at);
  c.get(counts[dim]!).set(n);
  countDown(c, n, () => {
    nest(c, counts, own, row, dim + 1);
    for (const p of own) add(c, p.at, p.strides[dim]!);
  });
}

export const indices = (from: number): number[] => Array.from({ length: MAX_DIMS }, (_, i) => from + i);

/** (dst, src, counts, source strides, destination strides): strides in bytes, elements of `bytes` bytes. */
export function copyBoxHelper(c: Code, bytes: number): number {
  return c.module.helper(`copy box ${bytes}`, I32S(2 + 3 * MAX_DIMS), [], (h) => {
    const [counts, from, into] = [indices(2), indices(2 + MAX_DIMS), indices(2 + 2 * MAX_DIMS)];
    const last = MAX_DIMS - 1;
    const whole = h.temp("i32");
    h.get(from[last]!).i32(bytes).op("i32.eq").get(into[last]!).i32(bytes).op("i32.eq").op("i32.and");
    h.get(counts[last]!)
      .i32(SHORT_ROW / bytes)
      .op("i32.gt_s")
      .op("i32.and")
      .set(whole);
    const n = h.temp("i32");
    const places = [
      { at: 0, strides: into },
      { at: 1, strides: from },
    ];
    nest(h, counts, places, ([dst, src]) => {
      const [d, s] = [h.temp("i32"), h.temp("i32")];
      h.get(whole).if();
      h.get(dst!).get(src!).get(counts[last]!).i32(bytes).op("i32.mul").memoryCopy();
      h.else();
      h.get(dst!).set(d).get(src!).set(s).get(counts[last]!).set(n);
      countDown(h, n, () => {
        h.get(d).get(s).access(LOAD[bytes]!).access(STORE[bytes]!);
        add(h, d, into[last]!);
        add(h, s, from[last]!);
      });
      h.end();
    });
  });
}

/** (dst, bits, counts, strides in bytes). */
function fillBoxHelper(c: Code, bytes: number): number {
  const row = fillHelper(c, bytes);
  return c.module.helper(`fill box ${bytes}`, I32S(2 + 2 * MAX_DIMS), [], (h) => {
    const [counts, strides] = [indices(2), indices(2 + MAX_DIMS)];
    const last = MAX_DIMS - 1;
    const n = h.temp("i32");
    nest(h, counts, [{ at: 0, strides }], ([dst]) => {
      const d = h.temp("i32");
      h.get(strides[last]!).i32(bytes).op("i32.eq").if();
      h.get(dst!).get(1).get(counts[last]!).call(row);
      h.else();
      h.get(dst!).set(d).get(counts[last]!).set(n);
      countDown(h, n, () => {
        h.get(d).get(1).access(STORE[bytes]!);
        add(h, d, strides[last]!);
      });
      h.end();
    });
  });
}

// ---------------------------------------------------------------------------------------------- rows by an index

const INDEX_LOAD: { readonly [K in DTypeName]?: AccessOp } = {
  i16: "i32.load16_s",
  u16: "i32.load16_u",
  i32: "i32.load",
  u32: "i32.load",
};

function gatherRows(E: Emitter, e: Apply): void {
  const [dst, src, index, count, width, srcStride, dstStride] = e.args as [
    Expr,
    Expr,
    Expr,
    Expr,
    Expr,
    Expr,
    Expr,
  ];
  const d = dtypeOf(index);
  const load = INDEX_LOAD[d];
  if (load === undefined) throw new TypeError(`an index of ${d}`);
  // (dst, src, index, count, width, source stride, destination stride), the last three in bytes
  const helper = E.code.module.helper(`gather rows ${d}`, I32S(7), [], (h) => {
    countDown(h, 3, () => {
      h.get(0);
      h.get(1).get(2).access(load).get(5).op("i32.mul").op("i32.add");
      h.get(4).memoryCopy();
      add(h, 0, 6);
      h.get(2).i32(DTYPES[d].bytes).op("i32.add").set(2);
    });
  });
  for (const p of [dst, src, index]) pushAddress(E, p);
  index32(E, count);
  for (const x of [width, srcStride, dstStride]) pushBytes(E, x, elementUnits(dst));
  E.code.call(helper);
}

// ---------------------------------------------------------------------------------------------- fills

/** `count` elements of one value. */
function fill(E: Emitter, e: Apply): void {
  const c = E.code;
  const [p, value, count] = e.args as [Expr, Expr, Expr];
  const d = dtypeOf(p);
  pushAddress(E, p);
  E.scalar(value);
  canonicalBits(c, scalarName(value), d);
  index32(E, count);
  c.call(fillHelper(c, DTYPES[d].bytes));
}

/** (address, bits, count): a register at a time, then element by element. */
export function fillHelper(c: Code, bytes: number): number {
  return c.module.helper(`fill ${bytes}`, I32S(3), [], (h) => {
    if (bytes === 1) {
      h.get(0).get(1).get(2).memoryFill();
      return;
    }
    const lanes = 16 / bytes;
    const [v, n] = [h.temp("v128"), h.temp("i32")];
    h.get(1)
      .v(bytes === 2 ? "i16x8.splat" : "i32x4.splat")
      .set(v);
    h.get(2).i32(Math.log2(lanes)).op("i32.shr_s").set(n);
    countDown(h, n, () => {
      h.get(0).get(v).vaccess("v128.store");
      h.get(0).i32(16).op("i32.add").set(0);
    });
    h.get(2)
      .i32(lanes - 1)
      .op("i32.and")
      .set(n);
    countDown(h, n, () => {
      h.get(0).get(1).access(STORE[bytes]!);
      h.get(0).i32(bytes).op("i32.add").set(0);
    });
  });
}
