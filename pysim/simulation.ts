/** The simulation that intrinsics see: one object per run, whose clock says which tile is running. */
import { inspect } from "node:util";
import type { WaitRequest } from "../capture/index.ts";
import type { Observe, PrintValue, Simulation } from "../dsl/context.ts";
import type { DType } from "../dsl/dtypes.ts";
import { NdBuffer, Ptr } from "../dsl/pointer.ts";
import { type Event, Mask, Vec } from "../dsl/values.ts";
import type { Scope } from "../ir/dtype.ts";
import { type FormatValue, formatPrint, pointerText } from "../ir/format.ts";
import { INSPECT } from "../ir/inspect.ts";
import type { Command } from "../ir/path/command.ts";
import { type MarkKind, SpanMarks, type SpanProblem } from "../ir/spans.ts";
import type { Target } from "../ir/target.ts";
import type { Gather, Transfer } from "../ir/transfer.ts";
import { Access } from "./access.ts";
import { Allocator } from "./allocator.ts";
import { Faults } from "./faults.ts";
import type { RunOptions } from "./options.ts";
import { Clock } from "./shadow.ts";
import { Transfers } from "./transfers.ts";
import { ValueChecks } from "./values.ts";
import type { Watcher } from "./watch.ts";

/** What a tile yields when it may have to wait. */
export interface BarrierRequest extends WaitRequest {
  readonly kind: "barrier";
  /** Waited for before the barrier. */
  readonly events: readonly Event[];
}
export interface EventRequest extends WaitRequest {
  readonly kind: "wait";
  readonly events: readonly Event[];
}
export type Request = BarrierRequest | EventRequest;

export class TileSimulation implements Simulation {
  readonly target: Target;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly memory: Allocator;
  readonly transfers: Transfers;
  readonly #access: Access;
  readonly #print: (line: string) => void;
  /** False while tiles run natively: a wait could then not suspend. */
  suspends = false;
  readonly #barrier: BarrierRequest = { kind: "barrier", events: [], site: undefined };
  /** Sees what value intrinsics give. */
  readonly observe: Observe | undefined;
  readonly printed: string[] = [];
  /** Perf marks, per tile. */
  readonly spans: readonly SpanMarks[];
  /** What the tile that suspends now waits for; the scheduler takes it. */
  requested: Request | undefined = undefined;

  constructor(options: RunOptions, watch?: Watcher) {
    this.target = options.target;
    this.clock = new Clock(options.tiles);
    this.faults = new Faults(this.clock);
    this.memory = new Allocator(options.target, this.clock, this.faults, options.checks, watch?.region);
    this.#access = new Access(this.clock, this.faults, watch, {
      vectorAlignment: options.target.vectorAlignment ?? 1,
      lossy: options.checks.lossy,
      nonfinite: options.checks.nonfinite,
    });
    const values = new ValueChecks(this.faults, options.checks);
    this.observe = options.checks.nonfinite
      ? (name, args, result) => values.made(name, args, result)
      : undefined;
    this.transfers = new Transfers(this.clock, this.faults, this.#access, {
      policy: options.transfers,
      events: options.target.events,
      checks: options.checks.transfers,
    });
    this.#print = options.print;
    this.spans = Array.from({ length: options.tiles }, () => new SpanMarks());
  }

  tileId(): number {
    return this.clock.tile;
  }
  tileCount(): number {
    return this.clock.tiles;
  }

  barrier(events: readonly Event[]): Request {
    if (events.length > 0) {
      this.transfers.checkWait(events);
      return this.#suspend({ kind: "barrier", events, site: undefined });
    }
    // One object serves all barriers: the scheduler has read it before the next tile runs.
    this.#barrier.site = undefined;
    return this.#suspend(this.#barrier);
  }
  waitEvents(events: readonly Event[]): Request {
    this.transfers.checkWait(events);
    return this.#suspend({ kind: "wait", events, site: undefined });
  }
  #suspend(request: Request): Request {
    if (!this.suspends) throw new TypeError(`a ${request.kind} in a kernel that was checked as not blocking`);
    this.requested = request;
    return request;
  }

  alloc<D extends DType>(dtype: D, shape: readonly number[], scope: Scope): NdBuffer<D> {
    const elements = shape.reduce((n, extent) => n * extent, 1);
    return new NdBuffer(dtype, this.memory.alloc(dtype, elements, scope), 0, false, shape);
  }
  allocConst<D extends DType>(dtype: D, values: readonly number[]): NdBuffer<D> {
    return new NdBuffer(dtype, this.memory.table(dtype, values), 0, true, [values.length]);
  }

  get(p: Ptr): number {
    return this.#access.get(p);
  }
  set(p: Ptr, value: number): void {
    this.#access.set(p, value);
  }
  load(p: Ptr, lanes: number): number[] {
    return this.#access.load(p, lanes);
  }
  loadMasked(p: Ptr, stride: number, mask: readonly number[], r: readonly number[] | undefined): number[] {
    return this.#access.loadMasked(p, stride, mask, r);
  }
  store(p: Ptr, data: readonly number[]): void {
    this.#access.store(p, data);
  }
  storeMasked(p: Ptr, stride: number, data: readonly number[], mask: readonly number[]): void {
    this.#access.storeMasked(p, stride, data, mask);
  }
  gather(
    p: Ptr,
    indices: readonly number[],
    mask: readonly number[] | undefined,
    r: readonly number[] | undefined,
  ): number[] {
    return this.#access.gather(p, indices, mask, r);
  }
  scatter(
    p: Ptr,
    indices: readonly number[],
    data: readonly number[],
    mask: readonly number[] | undefined,
  ): void {
    this.#access.scatter(p, indices, data, mask);
  }

  dmaCopy(
    dst: Ptr,
    src: Ptr,
    width: number,
    srcStride: number,
    dstStride: number,
    times: number,
    event: Event | undefined,
  ): void {
    this.transfers.copy(dst, src, width, srcStride, dstStride, times, event);
  }
  dmaBox(dst: Ptr, src: Ptr, t: Transfer, event: Event | undefined): void {
    this.transfers.box(dst, src, t, event);
  }
  dmaGather(dst: Ptr, src: Ptr, index: Ptr, count: number, g: Gather, event: Event | undefined): void {
    this.transfers.gather(dst, src, index, count, g, event);
  }
  touch(p: Ptr, count: number): void {
    this.transfers.touch(p, count);
  }
  dmaMemset(dst: Ptr, value: number, count: number, event: Event | undefined): void {
    this.transfers.memset(dst, value, count, event);
  }
  command(c: Command, at: (operand: string) => Ptr, event: Event): void {
    this.transfers.command(c, at, event);
  }
  allocEvents(count: number): Event[] {
    return this.transfers.allocEvents(count);
  }
  freeEvents(events: readonly Event[]): void {
    this.transfers.freeEvents(events);
  }

  print(format: string, values: readonly PrintValue[]): void {
    const line = formatPrint(format, values.map(formatValue), this.clock.tile);
    this.printed.push(line);
    this.#print(line);
  }
  assert(condition: boolean, message: string): void {
    if (!condition) this.faults.fail("KPU6007", `assertion failed on tile ${this.clock.tile}: ${message}`);
  }

  perf(kind: MarkKind, id: number): void {
    this.#paired((this.spans[this.clock.tile] as SpanMarks).mark(kind, id));
  }
  #paired(problem: SpanProblem | undefined): void {
    if (problem !== undefined) this.faults.fail("KPU5010", problem.message, { help: problem.help });
  }

  /** What a tile must not leave behind. */
  atEndOfTile(): void {
    this.transfers.atEndOfTile();
    this.#paired((this.spans[this.clock.tile] as SpanMarks).finish());
  }

  [INSPECT](): string {
    return `simulation of tile ${this.clock.tile} of ${this.clock.tiles} on ${this.target.name}, epoch ${this.clock.epoch}`;
  }
}

function formatValue(v: PrintValue): FormatValue {
  if (v instanceof Vec) return { dtype: v.dtype.name, data: v.data };
  if (v instanceof Mask) return { mask: [...v.data] };
  if (v instanceof Ptr) return { text: pointerText(v.dtype.name, v.scope, v.isNull) };
  return typeof v === "object" ? { text: inspect(v) } : v;
}
