/** What the host does while a tile runs: prints, events, checked transfers, and the errors that a program stops with. */
import {
  type AccessSite,
  type CompiledKernel,
  elementBytes,
  FAIL,
  GUARD_BYTES,
  type HostOperand,
  type HostSite,
} from "../codegen/index.ts";
import { HALF_BYTE_HELP, halfByteMessage, outsideReport } from "../ir/bounds.ts";
import type { DiagnosticCode } from "../ir/codes.ts";
import { diagnostic, KpuError } from "../ir/diagnostic.ts";
import { DTYPES, type DTypeName, isPacked, type Scope } from "../ir/dtype.ts";
import { readElements } from "../ir/elements.ts";
import { type FormatValue, formatPrint, pointerText } from "../ir/format.ts";
import { type NdList, ndList } from "../ir/operands.ts";
import { type Block, Blocks } from "../ir/path/blocks.ts";
import type { Command } from "../ir/path/command.ts";
import { commandOf } from "../ir/path/commands.ts";
import { isPathOp, namedOperands, type PathOp } from "../ir/path/operands.ts";
import { Box, type Region, regionsOverlap } from "../ir/region.ts";
import { type PerfMark, SpanMarks, type SpanProblem } from "../ir/spans.ts";
import {
  countProblem,
  destinationRegion,
  gatheredRows,
  gatherTarget,
  type Problem,
  rowTransfer,
  sourceRegion,
  type Transfer,
  transferProblem,
} from "../ir/transfer.ts";
import { bufferOf } from "./buffers.ts";
import { type Stop, TileEvents } from "./events.ts";

/** A pointer operand in bytes: where it points, and the buffer around it. */
interface PointerOperand {
  readonly address: number;
  readonly lo: number;
  readonly hi: number;
  readonly dtype: DTypeName;
  readonly scope: Scope;
}

/** The program's memory as the host reads it. */
export interface ProgramMemory {
  readonly view: DataView;
  readonly bytes: Uint8Array;
}

export class HostCalls {
  readonly #k: CompiledKernel;
  readonly #base: number;
  readonly #memory: () => ProgramMemory;
  #tile = 0;
  #tiles = 1;
  #print: (line: string) => void = () => {};
  #events: TileEvents[] = [];
  #spans: SpanMarks[] = [];
  /** What lies in the stream buffers of the tiles. */
  #blocks = new Blocks();
  readonly #plans = new Map<HostSite, readonly Planned[]>();

  constructor(k: CompiledKernel, base: number, memory: () => ProgramMemory) {
    this.#k = k;
    this.#base = base;
    this.#memory = memory;
  }

  /** Before a run. */
  begin(tiles: number, print: (line: string) => void): void {
    this.#print = print;
    this.#tiles = tiles;
    this.#spans = Array.from({ length: tiles }, () => new SpanMarks());
    if (!this.#k.checks || this.#k.emitted.sites.length === 0) return;
    this.#blocks = new Blocks();
    this.#events = Array.from({ length: tiles }, (_, t) => new TileEvents(t, this.#k.target.events));
  }
  /** Before a tile runs. */
  enter(tile: number): void {
    this.#tile = tile;
  }
  /** When a tile has ended. */
  leave(tile: number): void {
    this.#events[tile]?.finish(this.#stopAt(0));
    this.#paired(this.#spans[tile]?.finish(), this.#stopAt(0));
  }
  #paired(problem: SpanProblem | undefined, stop: Stop): void {
    if (problem !== undefined) stop("KPU5010", problem.message, problem.help);
  }
  /** What the tiles of the run marked. */
  get marks(): readonly (readonly PerfMark[])[] {
    return this.#spans.map((s) => s.marks);
  }

  #stopAt(at: number): Stop {
    return (code, message, help) => this.stop(code, message, at, help === undefined ? {} : { help });
  }
  stop(
    code: DiagnosticCode,
    message: string,
    at: number,
    o: { help?: string; data?: Readonly<Record<string, unknown>> } = {},
  ): never {
    const location = this.#k.machine.locations[at];
    const data = { kernel: this.#k.name, tile: this.#tile, ...o.data };
    throw new KpuError([diagnostic(code, message, { location, help: o.help, data })]);
  }

  /** The import `fail` of the module. */
  readonly fail = (what: number, at: number, a: bigint, b: bigint): never => {
    switch (what) {
      case FAIL.zeroDivisor:
        return this.stop("KPU3013", `${this.#k.name} divides by zero`, at, {
          help: "test the divisor before",
        });
      case FAIL.assertion:
        return this.stop(
          "KPU6007",
          `assertion failed on tile ${this.#tile}: ${this.#k.machine.texts[Number(a)] ?? ""}`,
          at,
        );
      case FAIL.lane:
        return this.stop("KPU4001", `lane ${a} of ${b} lanes`, at);
      case FAIL.stride:
        return this.stop("KPU4007", `a stride must be at least 1, got ${a}`, at);
      case FAIL.halfByte:
        return this.stop("KPU4013", halfByteMessage(this.#who, Number(a)), at, {
          help: HALF_BYTE_HELP,
          data: { element: Number(a) },
        });
      default:
        throw new TypeError(`unknown failure ${what}`);
    }
  };

  /** The import `outside` of the module. */
  readonly outside = (index: number, start: bigint, end: bigint, lo: bigint, hi: bigint): never => {
    const site = this.#k.emitted.accesses[index];
    if (site === undefined) throw new TypeError(`no access ${index}`);
    const scale = unitBytes(site.dtype);
    const bounds = { lo: Number(lo) * scale, hi: Number(hi) * scale };
    return this.#outside(site, bounds, Number(start) * scale, Number(end) * scale);
  };
  #outside(site: AccessSite, { lo, hi }: { lo: number; hi: number }, start: number, end: number): never {
    const { at, access } = site;
    if (hi === 0) this.#null(site);
    const dtype = { name: site.dtype, bytes: elementBytes(site.dtype, site.scope) };
    const stopped = { k: this.#k, base: this.#base, view: this.#memory().view, tile: this.#tile };
    const buffer = bufferOf(stopped, { lo, hi, access });
    const { message, ...o } = outsideReport(buffer, { who: this.#who, access, dtype, start, end });
    return this.stop("KPU4001", message, at, o);
  }
  #null({ at, access }: AccessSite): never {
    return this.stop("KPU4008", `${this.#who} ${access} through a null pointer`, at, {
      help: "test p.isNull before the access, or pass an array",
    });
  }
  /** As direct execution names the one that runs. */
  get #who(): string {
    return this.#tiles > 1 ? `tile ${this.#tile}` : "the kernel";
  }

  /** The import `host` of the module. */
  readonly call = (index: number): number => {
    const site = this.#k.emitted.sites[index];
    if (site === undefined) throw new TypeError(`no host site ${index}`);
    const stop = this.#stopAt(site.at);
    const events = this.#events[this.#tile];
    const event = (i: number): number => this.#number(site.operands[i]!);
    switch (site.op) {
      case "print":
        this.#print(formatPrint(this.#k.machine.texts[site.text] ?? "", this.#shown(site), this.#tile));
        return 0;
      case "event_alloc":
        return events?.alloc(stop) ?? 0;
      case "event_wait":
        events?.wait(event(0), stop);
        return 0;
      case "event_free":
        events?.release(event(0), stop);
        return 0;
      case "perf_begin":
      case "perf_end": {
        const id = site.attrs["id"] as number;
        this.#paired(this.#spans[this.#tile]?.mark(site.op === "perf_begin" ? "begin" : "end", id), stop);
        return 0;
      }
      case "prefetch":
      case "flush_cache":
        if (site.operands.length > 0) this.#touch(site, 0, 1, "reads", stop);
        return 0;
      case "dma_copy":
      case "dma_copy_async":
      case "dma_nd":
      case "dma_nd_async":
        this.#box(site, stop);
        break;
      case "dma_gather":
      case "dma_gather_async":
        this.#gather(site, stop);
        break;
      case "dma_memset":
      case "dma_memset_async":
        this.#touch(site, 0, 2, "writes", stop);
        break;
      default:
        if (!isPathOp(site.op)) throw new TypeError(`the host has no ${site.op}`);
        this.#command(site.op, site, stop);
    }
    // A transfer or command: its event stands last.
    if (site.operands[site.operands.length - 1]?.kind === "event")
      events?.start(event(site.operands.length - 1), stop);
    return 0;
  };

  // -- operands
  #number(o: HostOperand): number {
    return this.#memory().view.getFloat64(this.#at(o), true);
  }
  #at(o: HostOperand): number {
    return this.#base + this.#k.layout.host + o.offset;
  }
  #pointer(o: HostOperand): PointerOperand {
    if (o.kind !== "pointer") throw new TypeError(`expected a pointer, got ${o.kind}`);
    const at = this.#at(o);
    const { view } = this.#memory();
    const scale = unitBytes(o.dtype);
    return {
      address: view.getFloat64(at, true) * scale,
      lo: view.getFloat64(at + 8, true) * scale,
      hi: view.getFloat64(at + 16, true) * scale,
      dtype: o.dtype,
      scope: o.scope,
    };
  }

  #shown(site: HostSite): FormatValue[] {
    const pieces = site.operands.map((o) => this.#value(o));
    const groups = site.groups;
    if (groups === undefined) return pieces;
    let next = 0;
    return groups.map((n) => joined(pieces.slice(next, (next += n))));
  }
  #value(o: HostOperand): FormatValue {
    const { view, bytes } = this.#memory();
    const at = this.#at(o);
    switch (o.kind) {
      case "number":
        return this.#number(o);
      case "bool":
        return this.#number(o) !== 0;
      case "event":
        return { text: `event ${this.#events[this.#tile]?.id(this.#number(o)) ?? this.#number(o)}` };
      case "pointer":
        return { text: pointerText(o.dtype, o.scope, isNull(o.dtype, this.#number(o))) };
      case "vector":
        return { dtype: o.dtype, data: readElements(laneDType(o.dtype), view, at, o.lanes) };
      case "mask":
        return { mask: Array.from(bytes.subarray(at, at + o.lanes), (b) => (b === 0 ? 0 : 1)) };
    }
  }

  // -- transfers
  /** `count` elements from a pointer on: operands by their numbers. */
  #touch(site: HostSite, p: number, n: number, access: AccessSite["access"], stop: Stop): void {
    const count = this.#number(site.operands[n]!);
    sound(countProblem({ count }), stop);
    const pointer = this.#pointer(site.operands[p]!);
    if (count > 0) this.#within(site, pointer, run(pointer, count), access);
  }

  #within(site: HostSite, p: PointerOperand, region: Region, access: AccessSite["access"]): void {
    const { at } = site;
    const checked: AccessSite = { at, dtype: p.dtype, scope: p.scope, access };
    if (p.hi === 0) this.#null(checked);
    const out = region.firstOutside(p.lo, p.hi);
    if (out !== undefined) this.#outside(checked, p, out.start, out.end);
  }

  #box(site: HostSite, stop: Stop): void {
    const t = this.#transfer(site, stop);
    const [dst, src] = [this.#pointer(site.operands[0]!), this.#pointer(site.operands[1]!)];
    const { bytes } = DTYPES[dst.dtype];
    const target = destinationRegion(t, dst.address, bytes);
    const source = sourceRegion(t, src.address, bytes);
    if (target !== undefined && dst.hi === 0) this.#within(site, dst, target, "writes");
    if (source !== undefined) this.#within(site, src, source, "reads");
    if (target !== undefined) this.#within(site, dst, target, "writes");
    if (target !== undefined && source !== undefined) apart(target, source, stop);
  }
  /** The description that the operands of dma_copy and dma_nd make, when it is sound. */
  #transfer(site: HostSite, stop: Stop): Transfer {
    const { operands, attrs } = site;
    const numbers = (list: readonly HostOperand[]): number[] => list.map((o) => this.#number(o));
    if (attrs["dims"] === undefined) {
      const [width, srcStride, dstStride, times] = numbers(operands.slice(2, 6)) as [
        number,
        number,
        number,
        number,
      ];
      sound(countProblem({ width, srcStride, dstStride, times }), stop);
      return rowTransfer(width, srcStride, dstStride, times);
    }
    const list = (name: NdList): number[] => numbers(ndList(attrs, operands, name));
    const padding =
      attrs["padded"] === true ? { before: list("before"), after: list("after"), value: 0 } : undefined;
    const t = {
      counts: list("counts"),
      srcStrides: list("srcStrides"),
      dstStrides: list("dstStrides"),
      padding,
    };
    sound(transferProblem(t), stop);
    return t;
  }

  #command(op: PathOp, site: HostSite, stop: Stop): void {
    const { command, touches, streams, takes } = this.#planned(op, site);
    sound(command.problem, stop);
    const pointers = touches.map((t) => this.#pointer(t.operand));
    if (!areFine(touches, pointers)) this.#examine(site, touches, pointers, stop);
    if (touches.every((t) => t.way === "reads")) return;
    // A buffer is known by where it begins: tiles have their own.
    const element = (p: PointerOperand): number => (p.address - p.lo) / elementBytes(p.dtype, p.scope);
    for (const { name, operand, block } of takes) {
      const p = this.#pointer(operand);
      const wrong = this.#blocks.problem(p.lo, element(p), block);
      if (wrong !== undefined) stop("KPU4015", `${name} ${wrong.message}`, wrong.help);
    }
    if (streams === undefined) return;
    const p = this.#pointer(streams.operand);
    this.#blocks.put(p.lo, element(p), streams.block);
  }

  /** A command by its numbers: those of the same site mostly have the same again and again, at other addresses. */
  #planned(op: PathOp, site: HostSite): Planned {
    const numbers = site.operands.map((o) => (o.kind === "pointer" ? 0 : this.#number(o)));
    const plans = this.#plans.get(site) ?? [];
    const known = plans.find((p) => p.numbers.every((n, i) => n === numbers[i]));
    if (known !== undefined) return known;
    const named = namedOperands(op, site.attrs, site.operands);
    const command = commandOf(op, site.attrs, {
      number: (name) => this.#number(named(name)),
      dtype: (name) => this.#pointer(named(name)).dtype,
    });
    const planned: Planned = {
      numbers,
      command,
      touches:
        command.problem === undefined ? touchesOf(command, (name) => this.#pointer(named(name)), named) : [],
      takes: (command.takes ?? []).map((t) => ({
        name: t.operand,
        operand: named(t.operand),
        block: t.block,
      })),
      streams: command.streams && { operand: named(command.streams.operand), block: command.streams.block },
    };
    this.#plans.set(site, [planned, ...plans.slice(0, MOST_PLANS - 1)]);
    return planned;
  }

  /** Byte by byte, when the spans of what is touched do not tell that all is well. */
  #examine(
    site: HostSite,
    touches: readonly Touched[],
    pointers: readonly PointerOperand[],
    stop: Stop,
  ): void {
    const ends = touches.map(({ way, region }, i) => {
      const p = pointers[i] as PointerOperand;
      return { p, way, bytes: region(p.address) };
    });
    for (const { p, bytes, way } of ends) if (p.hi === 0) this.#within(site, p, bytes, way);
    const sources = ends.filter((e) => e.way === "reads");
    const target = ends.find((e) => e.way === "writes");
    for (const { p, bytes } of sources) this.#within(site, p, bytes, "reads");
    if (target === undefined) return;
    this.#within(site, target.p, target.bytes, "writes");
    for (const { bytes } of sources) apart(target.bytes, bytes, stop);
  }

  #gather(site: HostSite, stop: Stop): void {
    const [dst, src, index] = site.operands.slice(0, 3).map((o) => this.#pointer(o)) as [
      PointerOperand,
      PointerOperand,
      PointerOperand,
    ];
    const [count, width, srcStride, dstStride] = site.operands.slice(3, 7).map((o) => this.#number(o)) as [
      number,
      number,
      number,
      number,
    ];
    const g = { width, srcStride, dstStride };
    sound(countProblem({ count, ...g }), stop);
    if (count === 0 || width === 0) return;
    const { bytes } = DTYPES[dst.dtype];
    const listed = run(index, count);
    this.#within(site, index, listed, "reads");
    const rows = readElements(index.dtype, this.#memory().view, index.address, count);
    const source = gatheredRows(g, src.address, rows, bytes);
    const target = gatherTarget(g, dst.address, count, bytes);
    this.#within(site, src, source, "reads");
    this.#within(site, dst, target, "writes");
    apart(target, source, stop);
    apart(target, listed, stop);
  }
}

/** An operand that a command touches. */
interface Touched {
  readonly operand: HostOperand;
  readonly way: "reads" | "writes";
  /** From a pointer at an address on. */
  readonly region: (address: number) => Region;
  /** Of the region from address 0 on. */
  readonly start: number;
  readonly end: number;
}
/** How many a site remembers: turns and edges of blocks come again. */
const MOST_PLANS = 8;

interface Planned {
  /** Values of the operands that are no pointers. */
  readonly numbers: readonly number[];
  readonly command: Command;
  readonly touches: readonly Touched[];
  readonly takes: readonly { readonly name: string; readonly operand: HostOperand; readonly block: Block }[];
  readonly streams: { readonly operand: HostOperand; readonly block: Block } | undefined;
}

function touchesOf(
  command: Command,
  pointer: (name: string) => PointerOperand,
  named: (name: string) => HostOperand,
): Touched[] {
  return command.touches.flatMap(({ operand, access, region }) => {
    const { dtype, scope } = pointer(operand);
    const size = elementBytes(dtype, scope);
    const first = region(0, size);
    if (first === undefined) return [];
    // What is touched does not depend on where: there is something at every address, or nothing.
    const at = (address: number): Region => region(address, size) ?? first;
    const way = access === "reads" ? "reads" : "writes";
    return [{ operand: named(operand), way, region: at, start: first.start, end: first.end }];
  });
}

/**
 * Whether all that is touched lies in its buffers and what is written apart from what is read, as far as spans tell; half bytes
 * are looked at one by one.
 */
function areFine(touches: readonly Touched[], pointers: readonly PointerOperand[]): boolean {
  for (let i = 0; i < touches.length; i++) {
    const [{ way, start, end }, p] = [touches[i] as Touched, pointers[i] as PointerOperand];
    if (p.hi === 0 || !Number.isInteger(p.address)) return false;
    const [from, to] = [p.address + start, p.address + end];
    if (from < p.lo || to > p.hi) return false;
    if (way === "reads") continue;
    for (let j = 0; j < touches.length; j++) {
      const [other, q] = [touches[j] as Touched, pointers[j] as PointerOperand];
      if (j !== i && q.address + other.start < to && from < q.address + other.end) return false;
    }
  }
  return true;
}

/** `count` elements from a pointer on; at least one. */
function run(p: PointerOperand, count: number): Box {
  return Box.of(p.address, count * DTYPES[p.dtype].bytes, [], []);
}
function sound(problem: Problem | undefined, stop: Stop): void {
  if (problem !== undefined) stop("KPU4007", problem.message, problem.help);
}
function apart(target: Region, source: Region, stop: Stop): void {
  if (!regionsOverlap(target, source)) return;
  stop("KPU4009", "source and destination of the transfer overlap", "copy through a buffer between the two");
}

/** The program counts half bytes in pointers to 4-bit elements; 3.5 is the high half of byte 3. */
function unitBytes(dtype: DTypeName): number {
  return isPacked(dtype) ? 0.5 : 1;
}
/** A dtype that has the lanes of `d` as its elements in memory. */
function laneDType(d: DTypeName): DTypeName {
  return d === "i4" ? "i8" : d === "u4" ? "u8" : d;
}
/** A null pointer that was moved is null: nothing else points within a guard's distance of address 0. */
function isNull(dtype: DTypeName, units: number): boolean {
  const guard = isPacked(dtype) ? 2 * GUARD_BYTES : GUARD_BYTES;
  return units < guard || units >= 2 ** 32 - guard;
}

/** Pieces of one wide value, whole again. */
function joined(pieces: readonly FormatValue[]): FormatValue {
  const [first] = pieces;
  if (typeof first === "object" && "data" in first) {
    return {
      dtype: first.dtype,
      data: pieces.flatMap((p) => (typeof p === "object" && "data" in p ? p.data : [])),
    };
  }
  if (typeof first === "object" && "mask" in first) {
    return { mask: pieces.flatMap((p) => (typeof p === "object" && "mask" in p ? p.mask : [])) };
  }
  if (first === undefined) throw new TypeError("a printed value without pieces");
  return first;
}
