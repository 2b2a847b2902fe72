/**
 * The reference interpreter of KIR: simple, slow, and the definition of what a program does. Every tile is a generator
 * that is suspended at barriers and event waits; tiles run in turn, tile 0 first.
 */
import { diagnostic, fail, KpuError, type Location } from "./diagnostic.ts";
import { DTYPES, type DTypeName, type Scope } from "./dtype.ts";
import { evaluate, type LaneValue } from "./evaluate.ts";
import { type FormatValue, formatPrint, pointerText } from "./format.ts";
import type { BoundArg } from "./hostargs.ts";
import type { Apply, Attrs, Expr, Kernel, Local, LocationIndex, Stmt, Type } from "./kir.ts";
import { ndList, paddingOperand } from "./operands.ts";
import type { OpName } from "./ops.ts";
import { commandOf } from "./path/commands.ts";
import { InOrder } from "./path/inorder.ts";
import { isPathOp, namedOperands, type PathOp } from "./path/operands.ts";
import { type MarkKind, type PerfMark, SpanMarks } from "./spans.ts";
import {
  Allocations,
  copyBox,
  copyRows,
  fillRow,
  gatherRows,
  moved,
  type Pointer,
  pathCommand,
  readAt,
  readLanes,
  readMasked,
  recast,
  type Stop,
  sameAddress,
  storeAt,
  touchRow,
  wholeByteWhere,
  writeLanes,
  writeMasked,
} from "./storage.ts";
import type { Target } from "./target.ts";
import type { Transfer } from "./transfer.ts";

export interface InterpretOptions {
  readonly tiles: number;
  readonly target: Target;
  /** Takes each printed line; those between two barriers come in the order of tiles. Default: dropped. */
  readonly print?: (line: string) => void;
  /** When asynchronous transfers move their data: at once, or when they are waited for. Default: "issue". */
  readonly transfers?: "issue" | "wait";
}

/** What a run leaves behind beside the arguments. */
export interface Interpreted {
  /** The perf marks of each tile. */
  readonly marks: readonly (readonly PerfMark[])[];
}

/**
 * Runs a kernel of any level on host arguments, in place.
 * @throws KpuError for what stops a program: bounds (KPU4001), a zero divisor (KPU3013), an assertion (KPU6007), ...
 * @example interpretKernel(parseKernel(text), bindArguments("k", specs, [xs, 8]), { tiles: 2, target: TARGETS.edge })
 */
export function interpretKernel(k: Kernel, args: readonly BoundArg[], o: InterpretOptions): Interpreted {
  if (args.length !== k.params.length)
    fail("KPU6004", `${k.name} takes ${k.params.length} arguments, got ${args.length}`);
  const shared = { kernel: k, options: o, memory: new Allocations(o.target) };
  const tiles = Array.from({ length: o.tiles }, (_, id) => new Tile(shared, id, args));
  const flush = (): void => {
    for (const line of tiles.flatMap((t) => t.printed.splice(0))) o.print?.(line);
  };
  try {
    for (let running = tiles.map((tile) => ({ tile, steps: tile.run() })); running.length > 0; ) {
      // One epoch: every tile runs until it is at a barrier or done. A tile at an event wait goes on in its next turn.
      const atBarrier: typeof running = [];
      for (let active = running; active.length > 0; ) {
        active = active.filter((t) => {
          const step = t.steps.next();
          if (!step.done && step.value === "barrier") atBarrier.push(t);
          return !step.done && step.value === "wait";
        });
      }
      flush();
      const [first] = atBarrier;
      if (first !== undefined && atBarrier.length < o.tiles) {
        first.tile.stop("KPU5003", `tile ${first.tile.id} waits at a barrier that not every tile reaches`);
      }
      running = atBarrier.sort((a, b) => a.tile.id - b.tile.id);
      mustMeet(running.map((t) => t.tile));
    }
  } catch (error) {
    flush();
    throw error;
  }
  return { marks: tiles.map((t) => t.spans.marks) };
}

/** All tiles wait: at one barrier of the source, which may stand in the kernel several times, inlined or unrolled. */
function mustMeet(tiles: readonly Tile[]): void {
  const [first] = tiles;
  const other = first && tiles.find((t) => !t.meets(first));
  if (first === undefined || other === undefined) return;
  const place = (t: Tile): string => {
    const l = t.location;
    return l === undefined ? "another barrier" : `the barrier at ${l.file}:${l.line}:${l.column}`;
  };
  other.stop(
    "KPU5002",
    `tile ${first.id} waits at ${place(first)}, tile ${other.id} at ${place(other)}`,
    "all tiles must meet at the same barrier",
  );
}

interface Shared {
  readonly kernel: Kernel;
  readonly options: InterpretOptions;
  readonly memory: Allocations;
}

/** An event of a tile, with the transfer that was started on it. */
interface EventSlot {
  readonly id: number;
  free: boolean;
  inFlight: boolean;
  land: () => void;
}

type Value = LaneValue | Pointer | EventSlot;
type Suspension = "barrier" | "wait";
/** How a statement was left: undefined when control goes on to the next. */
type Jump = { readonly kind: "break" | "continue"; readonly label: string } | { readonly kind: "return" };

class Tile {
  readonly id: number;
  readonly printed: string[] = [];
  private readonly shared: Shared;
  private readonly values = new Map<Local, Value>();
  private readonly events: EventSlot[] = [];
  private readonly fabric = new InOrder();
  readonly spans = new SpanMarks();
  private at: LocationIndex = 0;
  /** The barrier that it waits at. */
  private barrier: Stmt | undefined;

  constructor(shared: Shared, id: number, args: readonly BoundArg[]) {
    this.shared = shared;
    this.id = id;
    shared.kernel.params.forEach((p, i) => {
      const arg = args[i] as BoundArg;
      if (arg.kind === "scalar") this.values.set(p.local, arg.value);
      else {
        const view = new DataView(arg.buffer, arg.byteOffset, arg.byteLength);
        const memory = arg.isNull ? undefined : { name: p.local.name, view };
        this.values.set(p.local, { memory, offset: 0, dtype: p.dtype });
      }
    });
  }

  *run(): Generator<Suspension, void, void> {
    yield* this.body(this.shared.kernel.body);
    const left = this.events.find((e) => !e.free && e.inFlight);
    if (left !== undefined)
      this.stop("KPU5006", `the transfer on event ${left.id} of tile ${this.id} is never waited for`);
    const open = this.spans.finish();
    if (open !== undefined) this.stop("KPU5010", open.message, open.help);
  }

  get location(): Location | undefined {
    return this.shared.kernel.locations[this.at];
  }
  /** Whether two tiles that wait, wait for each other. */
  meets(other: Tile): boolean {
    if (this.barrier === other.barrier) return true;
    const [a, b] = [this.location, other.location];
    return (
      a !== undefined && b !== undefined && a.file === b.file && a.line === b.line && a.column === b.column
    );
  }

  readonly stop: Stop = (code, message, help) => {
    const { location } = this;
    throw new KpuError([diagnostic(code, message, { location, help, data: { tile: this.id } })]);
  };

  // -------------------------------------------------------------------------------------------- statements

  private *body(stmts: readonly Stmt[]): Generator<Suspension, Jump | undefined, void> {
    for (const s of stmts) {
      const jump = yield* this.stmt(s);
      if (jump !== undefined) return jump;
    }
    return undefined;
  }

  private *stmt(s: Stmt): Generator<Suspension, Jump | undefined, void> {
    this.at = s.at;
    switch (s.kind) {
      case "let":
      case "assign":
        this.values.set(s.local, this.value(s.value));
        return undefined;
      case "effect":
        if (s.value.op === "barrier") {
          this.barrier = s;
          yield "barrier";
        } else if (s.value.op === "event_wait")
          yield* this.wait(this.value(s.value.args[0] as Expr) as EventSlot);
        else this.value(s.value);
        return undefined;
      case "if":
        return yield* this.body(this.value(s.cond) ? s.then : s.else);
      case "for":
        return yield* this.forLoop(s);
      case "loop":
        return yield* this.loop(s);
      case "block": {
        const jump = yield* this.body(s.body);
        return jump?.kind === "break" && jump.label === s.label ? undefined : jump;
      }
      case "break":
      case "continue":
        return { kind: s.kind, label: s.label };
      case "return":
        return { kind: "return" };
    }
  }

  private *forLoop(s: Extract<Stmt, { kind: "for" }>): Generator<Suspension, Jump | undefined, void> {
    const from = this.value(s.from) as number;
    const to = this.value(s.to) as number;
    for (let i = from; s.step > 0 ? i < to : i > to; i += s.step) {
      this.values.set(s.local, i);
      const jump = yield* this.body(s.body);
      if (jump === undefined) continue;
      if (jump.kind === "return" || jump.label !== s.label) return jump;
      if (jump.kind === "break") return undefined;
    }
    return undefined;
  }

  private *loop(s: Extract<Stmt, { kind: "loop" }>): Generator<Suspension, Jump | undefined, void> {
    const leaves = (jump: Jump | undefined): jump is Jump =>
      jump !== undefined && !(jump.kind === "continue" && jump.label === s.label);
    const outcome = (jump: Jump): Jump | undefined =>
      jump.kind === "break" && jump.label === s.label ? undefined : jump;
    for (let first = true; ; first = false) {
      if (!first || s.testFirst) {
        const jump = yield* this.body(s.test);
        if (jump !== undefined) return outcome(jump);
        this.at = s.at;
        if (!this.value(s.cond)) return undefined;
      }
      for (const part of [s.body, s.update]) {
        const jump = yield* this.body(part);
        if (leaves(jump)) return outcome(jump);
      }
    }
  }

  // -------------------------------------------------------------------------------------------- expressions

  private value(e: Expr): Value {
    switch (e.kind) {
      case "const":
        return Number(e.value);
      case "ref": {
        const value = this.values.get(e.local);
        if (value === undefined)
          throw new TypeError(`%${e.local.name} has no value: the kernel was not verified`);
        return value;
      }
      case "apply": {
        const args = e.args.map((a) => this.value(a));
        if (e.at !== 0) this.at = e.at;
        return this.apply(e, args);
      }
    }
  }

  private apply(e: Apply, args: readonly Value[]): Value {
    const types = e.args.map((a) => a.type);
    // A select of pointers or events is the only op of evaluate that meets them.
    const pure = evaluate(e.op, types, args as readonly LaneValue[], e.attrs);
    if (pure !== undefined) return pure;
    const number = (i: number): number => args[i] as number;
    const pointer = (i: number): Pointer => args[i] as Pointer;
    const lanes = (i: number): readonly number[] => args[i] as readonly number[];
    const event = (i: number): EventSlot => args[i] as EventSlot;
    const { stop, shared } = this;
    const gather = () => ({ width: number(4), srcStride: number(5), dstStride: number(6) });
    const box = (): Transfer => transferOf(e.attrs, args);
    const rows = () => ({ width: number(2), srcStride: number(3), dstStride: number(4), times: number(5) });
    switch (e.op as Exclude<OpName, "barrier" | "event_wait">) {
      case "ceildiv":
      case "floordiv":
        return stop("KPU3013", `${e.op} of ${number(0)} by zero`);
      case "extract":
        return stop("KPU4001", `lane ${number(1)} of ${lanes(0).length} lanes`);
      case "ptr_add":
        return moved(pointer(0), number(1));
      case "ptr_cast":
        return recast(pointer(0), e.attrs["dtype"] as DTypeName);
      case "ptr_eq":
        return sameAddress(pointer(0), pointer(1)) ? 1 : 0;
      case "ptr_diff":
        if (pointer(0).memory !== pointer(1).memory)
          stop("KPU3001", "Ptr.diff needs two pointers into one buffer");
        return Math.trunc((pointer(0).offset - pointer(1).offset) / DTYPES[pointer(0).dtype].bytes) + 0;
      case "ptr_null":
        return pointer(0).memory === undefined ? 1 : 0;
      case "get":
        return readAt(pointer(0), 0, stop);
      case "set":
        return done(storeAt(pointer(0), 0, number(1), stop));
      case "load":
        return readLanes(pointer(0), e.attrs["lanes"] as number, stop);
      case "load_masked":
        wholeByteWhere(pointer(0), lanes(1), stop);
        return readMasked(pointer(0), (i) => i, lanes(1), lanes(2), stop);
      case "load_strided":
        return readMasked(pointer(0), this.strided(number(1)), lanes(2), lanes(3), stop);
      case "store":
        return done(writeLanes(pointer(0), lanes(1), stop));
      case "store_masked":
        wholeByteWhere(pointer(0), lanes(2), stop);
        return done(writeMasked(pointer(0), (i) => i, lanes(2), lanes(1), stop));
      case "store_strided":
        return done(writeMasked(pointer(0), this.strided(number(2)), lanes(3), lanes(1), stop));
      case "gather":
        return readMasked(pointer(0), (i) => lanes(1)[i] as number, lanes(2), lanes(3), stop);
      case "scatter":
        return done(writeMasked(pointer(0), (i) => lanes(1)[i] as number, lanes(3), lanes(2), stop));
      case "alloc": {
        const { dtype, scope, count, name } = e.attrs;
        return shared.memory.alloc(
          this.id,
          dtype as DTypeName,
          scope as Scope,
          count as number,
          name as string | undefined,
          stop,
        );
      }
      case "alloc_const": {
        const table = shared.kernel.tables[e.attrs["table"] as number];
        if (table === undefined)
          throw new TypeError("alloc_const without its table: the kernel was not verified");
        return shared.memory.table(this.id, table.dtype, table.values, stop);
      }
      case "dma_copy":
        return done(copyRows(pointer(0), pointer(1), rows(), stop)());
      case "dma_copy_async":
        return done(this.start(event(6), copyRows(pointer(0), pointer(1), rows(), stop)));
      case "dma_nd":
        return done(copyBox(pointer(0), pointer(1), box(), stop)());
      case "dma_nd_async":
        return done(this.start(event(args.length - 1), copyBox(pointer(0), pointer(1), box(), stop)));
      case "dma_gather":
        return done(gatherRows(pointer(0), pointer(1), pointer(2), number(3), gather(), stop)());
      case "dma_gather_async":
        return done(
          this.start(event(7), gatherRows(pointer(0), pointer(1), pointer(2), number(3), gather(), stop)),
        );
      case "prefetch":
        return done(touchRow(pointer(0), number(1), stop));
      case "flush_cache":
        return done(args.length > 0 ? touchRow(pointer(0), number(1), stop) : 0);
      case "perf_begin":
      case "perf_end":
        return done(this.mark(e.op === "perf_begin" ? "begin" : "end", e.attrs["id"] as number));
      case "dma_memset":
        return done(fillRow(pointer(0), number(1), number(2), stop)());
      case "dma_memset_async":
        return done(this.start(event(3), fillRow(pointer(0), number(1), number(2), stop)));
      case "event_alloc":
        return this.event();
      case "event_free":
        if (this.live(event(0)).inFlight)
          stop("KPU5006", `event ${event(0).id} is freed while its transfer is in flight`);
        event(0).free = true;
        return 0;
      case "tile_id":
        return this.id;
      case "tile_count":
        return shared.options.tiles;
      case "print": {
        const pieces = args.map((v, i) => shown(v, types[i] as Type));
        const values =
          e.attrs["groups"] === undefined ? pieces : joined(pieces, e.attrs["groups"] as readonly number[]);
        this.printed.push(formatPrint(this.text(e), values, this.id));
        return 0;
      }
      case "lane_check": {
        const [lane, lanes] = [number(0), e.attrs["lanes"] as number];
        return lane >= 0 && lane < lanes ? 0 : stop("KPU4001", `lane ${lane} of ${lanes} lanes`);
      }
      case "assert":
        return number(0) ? 0 : stop("KPU6007", `assertion failed on tile ${this.id}: ${this.text(e)}`);
      default:
        if (isPathOp(e.op))
          return done(this.start(event(args.length - 1), this.command(e.op, e.attrs, args)));
        throw new TypeError(`${e.op} has no meaning in the interpreter`);
    }
  }

  private command(op: PathOp, attrs: Attrs, args: readonly Value[]): () => void {
    const named = namedOperands(op, attrs, args);
    const at = (name: string): Pointer => named(name) as Pointer;
    const c = commandOf(op, attrs, {
      number: (name) => named(name) as number,
      dtype: (name) => at(name).dtype,
    });
    const move = pathCommand(c, at, this.shared.memory.blocks, this.stop);
    return c.inOrder && this.shared.options.transfers === "wait" ? this.fabric.add(move) : move;
  }

  private strided(stride: number): (lane: number) => number {
    if (!(stride >= 1)) this.stop("KPU4007", `a stride must be at least 1, got ${stride}`);
    return (i) => i * stride;
  }
  private text(e: Apply): string {
    return this.shared.kernel.texts[e.attrs["text"] as number] ?? "";
  }

  // -------------------------------------------------------------------------------------------- events

  private event(): EventSlot {
    const limit = this.shared.options.target.events;
    const used = new Set(this.events.filter((e) => !e.free).map((e) => e.id));
    let id = 0;
    while (used.has(id)) id++;
    if (id >= limit) this.stop("KPU5007", `all ${limit} events of tile ${this.id} are in use`);
    const slot: EventSlot = { id, free: false, inFlight: false, land: () => {} };
    this.events.push(slot);
    return slot;
  }
  private mark(kind: MarkKind, id: number): void {
    const wrong = this.spans.mark(kind, id);
    if (wrong !== undefined) this.stop("KPU5010", wrong.message, wrong.help);
  }
  private live(e: EventSlot): EventSlot {
    return e.free ? this.stop("KPU5008", `event ${e.id} is used after it was freed`) : e;
  }
  private start(e: EventSlot, move: () => void): void {
    if (this.live(e).inFlight) this.stop("KPU5005", `event ${e.id} still has a transfer in flight`);
    e.inFlight = true;
    if (this.shared.options.transfers === "wait") e.land = move;
    else move();
  }
  private *wait(e: EventSlot): Generator<Suspension, void, void> {
    if (!this.live(e).inFlight) this.stop("KPU5004", `event ${e.id} has no transfer in flight`);
    yield "wait";
    e.land();
    e.land = () => {};
    e.inFlight = false;
  }
}

/** The operands of dma_nd. */
function transferOf(attrs: Attrs, args: readonly Value[]): Transfer {
  const list = (name: Parameters<typeof ndList>[2]): number[] =>
    ndList(attrs, args as readonly number[], name).map(Number);
  const box = { counts: list("counts"), srcStrides: list("srcStrides"), dstStrides: list("dstStrides") };
  if (attrs["padded"] !== true) return box;
  const value = Number(args[paddingOperand(attrs)]);
  return { ...box, padding: { before: list("before"), after: list("after"), value } };
}

/** Ops without a result: nothing uses what they give. */
function done(_nothing: unknown): Value {
  return 0;
}

/** Values that legalisation has cut into pieces, whole again. */
function joined(pieces: readonly FormatValue[], groups: readonly number[]): FormatValue[] {
  let next = 0;
  return groups.map((count) => {
    const group = pieces.slice(next, (next += count));
    const [first] = group;
    if (typeof first === "object" && "data" in first) {
      return {
        dtype: first.dtype,
        data: group.flatMap((p) => (typeof p === "object" && "data" in p ? p.data : [])),
      };
    }
    if (typeof first === "object" && "mask" in first) {
      return { mask: group.flatMap((p) => (typeof p === "object" && "mask" in p ? p.mask : [])) };
    }
    return first as FormatValue;
  });
}

function shown(v: Value, t: Type): FormatValue {
  switch (t.kind) {
    case "vec":
      return { dtype: t.dtype, data: v as readonly number[] };
    case "mask":
      return { mask: v as readonly number[] };
    case "scalar":
      if (t.name === "event") return { text: `event ${(v as EventSlot).id}` };
      return t.name === "bool" ? v !== 0 : (v as number);
    case "ptr":
      return { text: pointerText(t.dtype, t.scope, (v as Pointer).memory === undefined) };
    case "void":
      throw new TypeError("print of nothing: the kernel was not verified");
  }
}
