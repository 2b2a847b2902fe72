/**
 * The execution context: who is asking when `S.vadd(...)` is called. A small tagged union with push and pop; and the
 * two interfaces that the executions offer to intrinsics: `Simulation` (implemented in pysim) and `LowerContext`
 * (implemented in lowering).
 */

import type { Command } from "../ir/path/command.ts";
import type { MarkKind } from "../ir/spans.ts";
import type { Gather, Transfer } from "../ir/transfer.ts";
import type { DType, VecD } from "./dtypes.ts";
import type { Attrs, DiagnosticCode, DTypeName, Expr, OpName, Scope, Target } from "./ir.ts";
import type { NdBuffer, Ptr } from "./pointer.ts";
import type { Event, Mask, Vec } from "./values.ts";

export type ExecutionContext =
  /** `target` is set while lowering evaluates a static expression, whose meaning may depend on the register width. */
  | { readonly kind: "idle"; readonly target?: Target }
  | { readonly kind: "simulate"; readonly sim: Simulation; readonly observe?: Observe | undefined }
  | { readonly kind: "lower"; readonly builder: LowerContext };

/** Sees every call of a value intrinsic and what it gave. */
export type Observe = (name: string, args: readonly unknown[], result: unknown) => void;

export const IDLE: ExecutionContext = { kind: "idle" };

/** The current context. Read on every intrinsic call, so it is a plain binding. */
export let current: ExecutionContext = IDLE;

/** Sets the context and returns the one before, for `try { ... } finally { enter(before) }`. */
export function enter(next: ExecutionContext): ExecutionContext {
  const before = current;
  current = next;
  return before;
}

/** What a print shows: scalars, vectors, masks. */
export type PrintValue = number | boolean | Vec<VecD> | Mask | Ptr | Event;

/**
 * Direct execution as intrinsics see it: memory with all its checks, the SPMD facts, transfers and events. Lane
 * arithmetic is not here: it is pure and stands in `lanewise.ts`. All pointers are element addressed by their dtype;
 * every method checks bounds, initialisation, races and transfers in flight, and reports with the author's line.
 */
export interface Simulation {
  readonly target: Target;
  tileId(): number;
  tileCount(): number;
  /** Returns the request that the coroutine yields to the scheduler. The events are waited for first. */
  barrier(events: readonly Event[]): unknown;
  alloc<D extends DType>(dtype: D, shape: readonly number[], scope: Scope): NdBuffer<D>;
  allocConst<D extends DType>(dtype: D, values: readonly number[]): NdBuffer<D>;
  get(p: Ptr): number;
  set(p: Ptr, value: number): void;
  /** `lanes` consecutive elements. Values are dtype-exact numbers; a bool pointer gives 0 and 1. */
  load(p: Ptr, lanes: number): number[];
  /** Lane i from element i * stride where mask[i]; `r[i]` (or 0) elsewhere. */
  loadMasked(p: Ptr, stride: number, mask: readonly number[], r: readonly number[] | undefined): number[];
  store(p: Ptr, data: readonly number[]): void;
  storeMasked(p: Ptr, stride: number, data: readonly number[], mask: readonly number[]): void;
  gather(
    p: Ptr,
    indices: readonly number[],
    mask: readonly number[] | undefined,
    r: readonly number[] | undefined,
  ): number[];
  scatter(
    p: Ptr,
    indices: readonly number[],
    data: readonly number[],
    mask: readonly number[] | undefined,
  ): void;
  /** A transfer of `times` rows of `width` elements; with an event it is asynchronous. */
  dmaCopy(
    dst: Ptr,
    src: Ptr,
    width: number,
    srcStride: number,
    dstStride: number,
    times: number,
    event: Event | undefined,
  ): void;
  /** A box in up to five dimensions, with padding. */
  dmaBox(dst: Ptr, src: Ptr, t: Transfer, event: Event | undefined): void;
  /** `count` rows of the source, picked by an index of integers. */
  dmaGather(dst: Ptr, src: Ptr, index: Ptr, count: number, g: Gather, event: Event | undefined): void;
  dmaMemset(dst: Ptr, value: number, count: number, event: Event | undefined): void;
  /** A hint about `count` elements from p on, which must be there. */
  touch(p: Ptr, count: number): void;
  /** A command of the matrix path, with its pointers by name. */
  command(c: Command, at: (operand: string) => Ptr, event: Event): void;
  allocEvents(count: number): Event[];
  /** Returns the request that the coroutine yields to the scheduler. */
  waitEvents(events: readonly Event[]): unknown;
  freeEvents(events: readonly Event[]): void;
  print(format: string, values: readonly PrintValue[]): void;
  assert(condition: boolean, message: string): void;
  /** Notes the begin or end of a span of this tile. */
  perf(kind: MarkKind, id: number): void;
}

/** A runtime value during lowering (a KIR expression) or a static JavaScript value of the same meaning. */
export type Operand = Expr | number | boolean;

/**
 * A buffer or view with a shape during lowering; `strides` count elements. Every pointer that `alloc` or `view` made
 * is one; a plain pointer is an Expr.
 */
export interface LoweredView {
  readonly kind: "view";
  readonly ptr: Expr;
  readonly shape: readonly (number | Expr)[];
}

/** What an intrinsic's `lower` may do. Implemented by lowering's builder. */
export interface LowerContext {
  readonly target: Target;
  /**
   * Makes an op. The result type follows from the op table (a rule violation is an internal error: check operands
   * first and `refuse`). Reading, writing, trapping and blocking ops are emitted as statements at once, and a value
   * they give comes back as a Ref; pure ops come back as expressions.
   */
  op(name: OpName, args: readonly Expr[], attrs?: Attrs): Expr;
  /** A scalar constant of type `num` or `bool`; an Expr is returned as it is. */
  expr(value: Operand): Expr;
  /** Binds a pure expression to a local, so that it is computed once. */
  bind(value: Expr, name?: string): Expr;
  /** Throws the diagnostic at the call that is being lowered. `argument` narrows it to that argument's position. */
  refuse(code: DiagnosticCode, message: string, o?: { help?: string; argument?: number }): never;
  /** Registers a constant table and returns its index for `alloc_const`. */
  table(dtype: DTypeName, values: readonly number[]): number;
  /** Registers a text and returns its index for `print` and `assert`. */
  text(s: string): number;
  /** True while lowering stands inside a loop on runtime values or under a runtime condition. */
  readonly underRuntimeLoop: boolean;
  /** Says that the argument must be static; gives its JavaScript value or refuses (KPU2007). */
  static<T>(value: unknown, what: string, is: (v: unknown) => v is T, argument?: number): T;
}
