/**
 * What a kernel asks of the copy engine: checked arguments in numbers of either execution, and how each execution takes
 * them. The records of dsl/intrinsics/ that move memory make requests; each has a form that waits and one on an event.
 */
import { address, integer, number, options, pointer, present } from "./arguments.ts";
import type { LowerContext, Simulation } from "./context.ts";
import { intrinsic, type OperandSpec } from "./intrinsic.ts";
import { DTYPES, type DTypeName, type Expr } from "./ir.ts";
import { shapeOf, shapeText, type Value } from "./operand.ts";
import { DirectOps, LoweredOps, type Ops } from "./ops.ts";
import type { Ptr } from "./pointer.ts";
import type { Event } from "./values.ts";

export type Request =
  | {
      readonly kind: "rows";
      readonly dst: unknown;
      readonly src: unknown;
      readonly width: Value;
      readonly srcStride: Value;
      readonly dstStride: Value;
      readonly times: Value;
    }
  | {
      readonly kind: "box";
      readonly dst: unknown;
      readonly src: unknown;
      readonly counts: readonly Value[];
      readonly srcStrides: readonly Value[];
      readonly dstStrides: readonly Value[];
      readonly padding?:
        | { readonly before: readonly Value[]; readonly after: readonly Value[]; readonly value: Value }
        | undefined;
    }
  | {
      readonly kind: "gather";
      readonly dst: unknown;
      readonly src: unknown;
      readonly index: unknown;
      readonly count: Value;
      readonly width: Value;
      readonly srcStride: Value;
      readonly dstStride: Value;
    }
  | { readonly kind: "fill"; readonly dst: unknown; readonly value: Value; readonly count: Value };

// ---------------------------------------------------------------------------------------------- the executions

function simulateRequest(sim: Simulation, r: Request, event: Event | undefined): void {
  // In direct execution every value is a number.
  const n = (v: Value): number => Number(v);
  const all = (list: readonly Value[]): number[] => list.map(n);
  switch (r.kind) {
    case "rows":
      sim.dmaCopy(r.dst as Ptr, r.src as Ptr, n(r.width), n(r.srcStride), n(r.dstStride), n(r.times), event);
      return;
    case "box": {
      const { padding: p } = r;
      const box = {
        counts: all(r.counts),
        srcStrides: all(r.srcStrides),
        dstStrides: all(r.dstStrides),
        padding: p && { before: all(p.before), after: all(p.after), value: n(p.value) },
      };
      sim.dmaBox(r.dst as Ptr, r.src as Ptr, box, event);
      return;
    }
    case "gather": {
      const rows = { width: n(r.width), srcStride: n(r.srcStride), dstStride: n(r.dstStride) };
      sim.dmaGather(r.dst as Ptr, r.src as Ptr, r.index as Ptr, n(r.count), rows, event);
      return;
    }
    case "fill":
      sim.dmaMemset(r.dst as Ptr, n(r.value), n(r.count), event);
      return;
  }
}

function lowerRequest(b: LowerContext, ops: LoweredOps, r: Request, event: Value | undefined): void {
  const p = (v: unknown): Expr => ops.expr(address(v));
  const all = (list: readonly Value[]): Expr[] => list.map((v) => ops.number(v));
  /** Booleans are stored as they are; numbers go in one representation. */
  const stored = (v: Value): Expr => (shapeOf(v).is === "bool" ? ops.expr(v) : ops.number(v));
  const handle = event === undefined ? [] : [ops.expr(event)];
  switch (r.kind) {
    case "rows": {
      const args = [p(r.dst), p(r.src), ...all([r.width, r.srcStride, r.dstStride, r.times]), ...handle];
      b.op(event === undefined ? "dma_copy" : "dma_copy_async", args);
      return;
    }
    case "box": {
      const lists = [r.counts, r.srcStrides, r.dstStrides].flatMap(all);
      const pad = r.padding;
      const around = pad === undefined ? [] : [...all(pad.before), ...all(pad.after), stored(pad.value)];
      const attrs = { dims: r.counts.length, ...(pad === undefined ? {} : { padded: true }) };
      const args = [p(r.dst), p(r.src), ...lists, ...around, ...handle];
      b.op(event === undefined ? "dma_nd" : "dma_nd_async", args, attrs);
      return;
    }
    case "gather": {
      const numbers = all([r.count, r.width, r.srcStride, r.dstStride]);
      const args = [p(r.dst), p(r.src), p(r.index), ...numbers, ...handle];
      b.op(event === undefined ? "dma_gather" : "dma_gather_async", args);
      return;
    }
    case "fill": {
      const args = [p(r.dst), stored(r.value), ops.number(r.count), ...handle];
      b.op(event === undefined ? "dma_memset" : "dma_memset_async", args);
      return;
    }
  }
}

// ---------------------------------------------------------------------------------------------- the records

export interface TransferSpec {
  readonly name: string;
  readonly operands: readonly OperandSpec[];
  readonly options?: readonly OperandSpec[];
  readonly doc: string;
  /** What must be left alone until the event was waited for. */
  readonly asyncDoc: string;
  readonly example: string;
  readonly asyncExample: string;
  /** Checks the arguments. `args` are the positional ones, `o` the options, whose argument number is `at`. */
  readonly request: (ops: Ops, args: readonly unknown[], o: unknown, at: number) => Request;
}

const EVENT: OperandSpec = { name: "event", kind: "event" };

/** The record of a transfer that is complete when it returns. */
export function transfer<F extends (...args: never[]) => unknown>(spec: TransferSpec): F {
  const n = spec.operands.length;
  const request = (ops: Ops, args: readonly unknown[]): Request =>
    spec.request(ops, args.slice(0, n), args[n], n);
  return intrinsic<F>({
    name: spec.name,
    family: "transfer",
    signature: { operands: spec.operands, ...optional(spec), result: "nothing" },
    effect: "write",
    cost: "engine",
    doc: spec.doc,
    example: spec.example,
    simulate: (sim: Simulation, ...args: unknown[]) =>
      simulateRequest(sim, request(new DirectOps(sim, spec.name), args), undefined),
    lower: (b: LowerContext, ...args: unknown[]) => {
      const ops = new LoweredOps(b, spec.name);
      lowerRequest(b, ops, request(ops, args), undefined);
    },
  });
}

/** The record of the same transfer on an event, which stands after the positional arguments. */
export function asyncTransfer<F extends (...args: never[]) => unknown>(spec: TransferSpec): F {
  const name = `async${spec.name.charAt(0).toUpperCase()}${spec.name.slice(1)}`;
  const n = spec.operands.length;
  const request = (ops: Ops, args: readonly unknown[]): Request =>
    spec.request(ops, args.slice(0, n), args[n + 1], n + 1);
  return intrinsic<F>({
    name,
    family: "transfer",
    signature: { operands: [...spec.operands, EVENT], ...optional(spec), result: "nothing" },
    effect: "write",
    cost: "engine",
    doc: `As ${spec.name}, but returns at once: ${spec.asyncDoc}`,
    example: `const [e] = S.allocEvents(1); ${spec.asyncExample} S.waitEvents(e); S.freeEvents(e);`,
    simulate: (sim: Simulation, ...args: unknown[]) => {
      const ops = new DirectOps(sim, name);
      const r = request(ops, args);
      simulateRequest(sim, r, event(ops, args[n], n) as Event);
    },
    lower: (b: LowerContext, ...args: unknown[]) => {
      const ops = new LoweredOps(b, name);
      const r = request(ops, args);
      lowerRequest(b, ops, r, event(ops, args[n], n));
    },
  });
}

function optional(spec: TransferSpec): { readonly options?: readonly OperandSpec[] } {
  return spec.options === undefined ? {} : { options: spec.options };
}

// ---------------------------------------------------------------------------------------------- arguments

/** Two pointers of one dtype, the first of which is written. */
export function ends(ops: Ops, dst: unknown, src: unknown): DTypeName {
  const d = pointer(ops, dst, "dst", 0, true);
  const s = pointer(ops, src, "src", 1);
  if (d === s) return wholeBytes(ops, d);
  return ops.refuse("KPU4007", `${ops.name}: copies ${s} to ${d}`, {
    argument: 1,
    help: "both pointers need one dtype; p.as(dtype) reinterprets",
  });
}

/** The dtype of a transfer, which moves whole bytes. */
export function wholeBytes(ops: Ops, d: DTypeName): DTypeName {
  if (DTYPES[d].bits >= 8) return d;
  return ops.refuse("KPU4007", `${ops.name}: moves whole bytes, not elements of ${d}`, {
    argument: 0,
    help: "move their bytes, two elements each: p.as(u8)",
  });
}

/** An integer of at least 0; what is not known now, memory checks. */
export function count(ops: Ops, v: unknown, what: string, argument: number): Value {
  integer(ops, v, what, argument, 0);
  return v as Value;
}

/** Options that are all counts, or absent. */
export function counts<K extends string>(
  ops: Ops,
  given: unknown,
  names: readonly K[],
  argument: number,
): { readonly [N in K]: Value | undefined } {
  const o = options(ops, given, names, argument);
  const out = {} as { [N in K]: Value | undefined };
  for (const name of names)
    out[name] = o[name] === undefined ? undefined : count(ops, o[name], name, argument);
  return out;
}

/** No buffer has more elements: a larger stride or extent is as far beyond every buffer. */
const MOST = 2 ** 32;

/** A stride or extent that follows from others, which are at least 0. Bounded, so that products of products are. */
export function product(ops: Ops, x: Value, y: Value): Value {
  if (typeof x === "number" && typeof y === "number") return Math.min(x * y, MOST);
  if (x === 1) return y;
  if (y === 1) return x;
  const exact = ops.op("mul", [ops.number(x), ops.number(y)]);
  return ops.op("min", [ops.op("max", [exact, ops.number(0)]), ops.number(MOST)]);
}
export function sum(ops: Ops, x: Value, y: Value): Value {
  if (typeof x === "number" && typeof y === "number") return x + y;
  if (x === 0) return y;
  if (y === 0) return x;
  return ops.op("add", [ops.number(x), ops.number(y)]);
}

/** The fill value: a number, or a boolean for bool pointers. */
export function fillValue(ops: Ops, v: unknown, dtype: DTypeName, what: string, argument: number): Value {
  present(ops, v, what, argument);
  if (dtype !== "bool" || shapeOf(v).is !== "bool") number(ops, v, what, argument);
  return v as Value;
}

export function event(ops: Ops, v: unknown, argument: number): Value {
  present(ops, v, "event", argument);
  const s = shapeOf(v);
  if (s.is === "event") return v as Value;
  return ops.refuse("KPU3001", `${ops.name}: expected an event, got ${shapeText(s)}`, {
    argument,
    help: "S.allocEvents(n) gives events",
  });
}

/** Accepts events one by one, or in arrays. */
export function eventList(ops: Ops, args: readonly unknown[]): Value[] {
  const list = args.flatMap((a) => (Array.isArray(a) ? (a as unknown[]).map((e) => [e]) : [[a]]));
  if (args.length === 0) ops.refuse("KPU3009", `${ops.name} needs at least one event`);
  return list.map(([e], i) => event(ops, e, Math.min(i, args.length - 1)));
}
