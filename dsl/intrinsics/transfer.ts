/** Transfers by the copy engine, and the events of asynchronous ones. */

import { ALL_DTYPES } from "../../ir/dtype.ts";
import { address, integer, number, options, pointer, present } from "../arguments.ts";
import type { LowerContext, Simulation } from "../context.ts";
import type { AnyD } from "../dtypes.ts";
import { intrinsic, type OperandSpec } from "../intrinsic.ts";
import type { Expr } from "../ir.ts";
import { isExpr, shapeOf, shapeText, textOf, type Value } from "../operand.ts";
import { DirectOps, LoweredOps, type Ops } from "../ops.ts";
import type { Ptr } from "../pointer.ts";
import type { Event } from "../values.ts";

const family = "transfer";

export interface CopyOptions {
  /** Elements between the starts of source rows; `width` when absent. */
  readonly srcStride?: number | undefined;
  /** Elements between the starts of destination rows; `width` when absent. */
  readonly dstStride?: number | undefined;
  /** Number of rows; 1 when absent. */
  readonly times?: number | undefined;
}

interface Copy {
  readonly width: unknown;
  readonly srcStride: unknown;
  readonly dstStride: unknown;
  readonly times: unknown;
}

function copy(ops: Ops, dst: unknown, src: unknown, width: unknown, given: unknown, at: number): Copy {
  const d = pointer(ops, dst, "dst", 0, true);
  const s = pointer(ops, src, "src", 1);
  if (d !== s) {
    ops.refuse("KPU4007", `${ops.name}: copies ${s} to ${d}`, {
      argument: 1,
      help: "both pointers need one dtype; p.as(dtype) reinterprets",
    });
  }
  integer(ops, width, "width", 2, 0);
  const o = options(ops, given, ["srcStride", "dstStride", "times"], at);
  const strides = {
    srcStride: o["srcStride"] ?? width,
    dstStride: o["dstStride"] ?? width,
    times: o["times"] ?? 1,
  };
  integer(ops, strides.srcStride, "srcStride", at, 0);
  integer(ops, strides.dstStride, "dstStride", at, 0);
  integer(ops, strides.times, "times", at, 0);
  return { width, ...strides };
}

function event(ops: Ops, v: unknown, argument: number): Value {
  present(ops, v, "event", argument);
  const s = shapeOf(v);
  if (s.is === "event") return v as Value;
  return ops.refuse("KPU3001", `${ops.name}: expected an event, got ${shapeText(s)}`, {
    argument,
    help: "S.allocEvents(n) gives events",
  });
}

const COPY: readonly OperandSpec[] = [
  { name: "dst", kind: "ptr", dtype: ALL_DTYPES },
  { name: "src", kind: "ptr", dtype: "dst" },
  { name: "width", kind: "scalar", doc: "elements per row; 0 copies nothing" },
];
const COPY_OPTIONS: readonly OperandSpec[] = [
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
];
const EVENT: OperandSpec = { name: "event", kind: "event" };

function simulateCopy(sim: Simulation, dst: unknown, src: unknown, c: Copy, e: Event | undefined): void {
  const { width, srcStride, dstStride, times } = c as { readonly [K in keyof Copy]: number };
  sim.dmaCopy(dst as Ptr, src as Ptr, width, srcStride, dstStride, times, e);
}

function lowerCopy(
  b: LowerContext,
  ops: LoweredOps,
  dst: unknown,
  src: unknown,
  c: Copy,
  e: Value | undefined,
): void {
  const numbers = [c.width, c.srcStride, c.dstStride, c.times].map((v) => ops.number(v as Value));
  const args = [address(dst), address(src), ...numbers].map((v) => ops.expr(v));
  if (e === undefined) b.op("dma_copy", args);
  else b.op("dma_copy_async", [...args, ops.expr(e)]);
}

export const dmaCopy = intrinsic<
  <D extends AnyD>(dst: Ptr<D>, src: Ptr<NoInfer<D>>, width: number, options?: CopyOptions) => void
>({
  name: "dmaCopy",
  family,
  signature: { operands: COPY, options: COPY_OPTIONS, result: "nothing" },
  effect: "write",
  cost: "engine",
  doc: "Copies `times` rows of `width` elements; complete when it returns. Lengths are exact: beyond either buffer is an error, 0 is a no-op.",
  example: "S.dmaCopy(y, x, 4, { srcStride: 8, dstStride: 4, times: 2 });",
  simulate: (sim, dst: unknown, src: unknown, width: unknown, o?: unknown) => {
    const c = copy(new DirectOps(sim, "dmaCopy"), dst, src, width, o, 3);
    simulateCopy(sim, dst, src, c, undefined);
  },
  lower: (b, dst: unknown, src: unknown, width: unknown, o?: unknown) => {
    const ops = new LoweredOps(b, "dmaCopy");
    lowerCopy(b, ops, dst, src, copy(ops, dst, src, width, o, 3), undefined);
  },
});

export const asyncDmaCopy = intrinsic<
  <D extends AnyD>(
    dst: Ptr<D>,
    src: Ptr<NoInfer<D>>,
    width: number,
    event: Event,
    options?: CopyOptions,
  ) => void
>({
  name: "asyncDmaCopy",
  family,
  signature: { operands: [...COPY, EVENT], options: COPY_OPTIONS, result: "nothing" },
  effect: "write",
  cost: "engine",
  doc: "As dmaCopy, but returns at once: until the event was waited for, the destination must not be touched and the source must not be written.",
  example: "const [e] = S.allocEvents(1); S.asyncDmaCopy(y, x, 8, e); S.waitEvents(e); S.freeEvents(e);",
  simulate: (sim, dst: unknown, src: unknown, width: unknown, e: unknown, o?: unknown) => {
    const ops = new DirectOps(sim, "asyncDmaCopy");
    const c = copy(ops, dst, src, width, o, 4);
    simulateCopy(sim, dst, src, c, event(ops, e, 3) as Event);
  },
  lower: (b, dst: unknown, src: unknown, width: unknown, e: unknown, o?: unknown) => {
    const ops = new LoweredOps(b, "asyncDmaCopy");
    const c = copy(ops, dst, src, width, o, 4);
    lowerCopy(b, ops, dst, src, c, event(ops, e, 3));
  },
});

/** The fill value: a number, or a boolean for bool pointers. */
function fill(ops: Ops, dst: unknown, value: unknown, count: unknown): void {
  const d = pointer(ops, dst, "dst", 0, true);
  present(ops, value, "value", 1);
  if (d !== "bool" || shapeOf(value).is !== "bool") number(ops, value, "value", 1);
  integer(ops, count, "count", 2, 0);
}

const FILL: readonly OperandSpec[] = [
  { name: "dst", kind: "ptr", dtype: ALL_DTYPES },
  { name: "value", kind: "scalar", dtype: "dst" },
  { name: "count", kind: "scalar", doc: "elements; 0 fills nothing" },
];

/** Booleans are stored as they are; numbers go in one representation. */
function fillValue(ops: LoweredOps, v: unknown): Expr {
  return shapeOf(v).is === "bool" ? ops.expr(v as Value) : ops.number(v as Value);
}

export const dmaMemset = intrinsic<
  <D extends AnyD>(dst: Ptr<D>, value: number | boolean, count: number) => void
>({
  name: "dmaMemset",
  family,
  signature: { operands: FILL, result: "nothing" },
  effect: "write",
  cost: "engine",
  doc: "Fills `count` elements with a value, by the dtype's store rule: integers wrap, floats round, bool takes truthiness. Complete when it returns.",
  example: "S.dmaMemset(y, 0, 8);",
  simulate: (sim, dst: unknown, value: unknown, count: unknown) => {
    fill(new DirectOps(sim, "dmaMemset"), dst, value, count);
    sim.dmaMemset(dst as Ptr, Number(value), count as number, undefined);
  },
  lower: (b, dst: unknown, value: unknown, count: unknown) => {
    const ops = new LoweredOps(b, "dmaMemset");
    fill(ops, dst, value, count);
    b.op("dma_memset", [ops.expr(address(dst)), fillValue(ops, value), ops.number(count as Value)]);
  },
});

export const asyncDmaMemset = intrinsic<
  <D extends AnyD>(dst: Ptr<D>, value: number | boolean, count: number, event: Event) => void
>({
  name: "asyncDmaMemset",
  family,
  signature: { operands: [...FILL, EVENT], result: "nothing" },
  effect: "write",
  cost: "engine",
  doc: "As dmaMemset, but returns at once: until the event was waited for, the destination must not be touched.",
  example: "const [e] = S.allocEvents(1); S.asyncDmaMemset(y, 1, 8, e); S.waitEvents(e); S.freeEvents(e);",
  simulate: (sim, dst: unknown, value: unknown, count: unknown, e: unknown) => {
    const ops = new DirectOps(sim, "asyncDmaMemset");
    fill(ops, dst, value, count);
    event(ops, e, 3);
    sim.dmaMemset(dst as Ptr, Number(value), count as number, e as Event);
  },
  lower: (b, dst: unknown, value: unknown, count: unknown, e: unknown) => {
    const ops = new LoweredOps(b, "asyncDmaMemset");
    fill(ops, dst, value, count);
    const handle = ops.expr(event(ops, e, 3));
    b.op("dma_memset_async", [
      ops.expr(address(dst)),
      fillValue(ops, value),
      ops.number(count as Value),
      handle,
    ]);
  },
});

/** A tuple of N events for a literal N, so that `const [a, b] = S.allocEvents(2)` has exact types. */
export type Events<N extends number, T extends readonly Event[] = readonly []> = number extends N
  ? readonly Event[]
  : T["length"] extends N
    ? T
    : T["length"] extends 64
      ? readonly Event[]
      : Events<N, readonly [...T, Event]>;

function eventCount(ops: Ops, v: unknown): number {
  present(ops, v, "count", 0);
  if (isExpr(v)) return ops.refuse("KPU2007", `${ops.name}: count must be static`, { argument: 0 });
  const most = ops.target.events;
  if (typeof v === "number" && Number.isInteger(v) && v >= 1) {
    if (v <= most) return v;
    return ops.refuse(
      "KPU5007",
      `${ops.name}: ${v} events wanted, target ${ops.target.name} has ${most} per tile`,
      { argument: 0 },
    );
  }
  return ops.refuse("KPU3001", `${ops.name}: count must be a positive integer, got ${textOf(v)}`, {
    argument: 0,
  });
}

export const allocEvents = intrinsic<<const N extends number>(count: N) => Events<N>>({
  name: "allocEvents",
  family,
  signature: { operands: [{ name: "count", kind: "static", doc: "at least 1" }], result: "array of events" },
  effect: "write",
  cost: "sync",
  doc: "Takes `count` events of this tile; the target has a limit per tile.",
  example: "const [e] = S.allocEvents(1); S.asyncDmaMemset(y, 1, 8, e); S.waitEvents(e); S.freeEvents(e);",
  simulate: (sim, count: unknown) => sim.allocEvents(eventCount(new DirectOps(sim, "allocEvents"), count)),
  lower: (b, count: unknown): Expr[] => {
    const n = eventCount(new LoweredOps(b, "allocEvents"), count);
    if (b.underRuntimeLoop) {
      b.refuse("KPU4004", "S.allocEvents stands inside a loop or under a condition on runtime values", {
        help: "allocate before the loop",
      });
    }
    return Array.from({ length: n }, () => b.op("event_alloc", []));
  },
});

/** Accepts events one by one, or in arrays. */
function eventList(ops: Ops, args: readonly unknown[]): Value[] {
  const list = args.flatMap((a) => (Array.isArray(a) ? (a as unknown[]).map((e) => [e]) : [[a]]));
  if (args.length === 0) ops.refuse("KPU3009", `${ops.name} needs at least one event`);
  return list.map(([e], i) => event(ops, e, Math.min(i, args.length - 1)));
}
const EVENTS: readonly OperandSpec[] = [
  { name: "events", kind: "event", doc: "events, or arrays of events" },
];
type OverEvents = (...events: (Event | readonly Event[])[]) => void;

export const waitEvents = intrinsic<OverEvents>({
  name: "waitEvents",
  family,
  variadic: true,
  signature: { operands: EVENTS, result: "nothing" },
  effect: "block",
  cost: "sync",
  doc: "Waits until the transfers started on the events are complete. An event on which nothing was started is an error.",
  example: "const [e] = S.allocEvents(1); S.asyncDmaCopy(y, x, 8, e); S.waitEvents(e); S.freeEvents(e);",
  simulate: (sim, ...events: unknown[]) =>
    sim.waitEvents(eventList(new DirectOps(sim, "waitEvents"), events) as Event[]),
  lower: (b, ...events: unknown[]) => {
    const ops = new LoweredOps(b, "waitEvents");
    for (const e of eventList(ops, events)) b.op("event_wait", [ops.expr(e)]);
  },
});

export const freeEvents = intrinsic<OverEvents>({
  name: "freeEvents",
  family,
  variadic: true,
  signature: { operands: EVENTS, result: "nothing" },
  effect: "write",
  cost: "sync",
  doc: "Gives events back. A transfer still in flight on one is an error.",
  example: "const [e] = S.allocEvents(1); S.asyncDmaCopy(y, x, 8, e); S.waitEvents(e); S.freeEvents(e);",
  simulate: (sim, ...events: unknown[]) =>
    sim.freeEvents(eventList(new DirectOps(sim, "freeEvents"), events) as Event[]),
  lower: (b, ...events: unknown[]) => {
    const ops = new LoweredOps(b, "freeEvents");
    for (const e of eventList(ops, events)) b.op("event_free", [ops.expr(e)]);
  },
});
