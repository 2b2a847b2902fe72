/** What the host does while a tile runs: prints, events, checked transfers, and the errors that a program stops with. */
import {
  type AccessSite,
  type CompiledKernel,
  FAIL,
  type HostOperand,
  type HostSite,
} from "../codegen/index.ts";
import { outsideReport } from "../ir/bounds.ts";
import type { DiagnosticCode } from "../ir/codes.ts";
import { diagnostic, KpuError } from "../ir/diagnostic.ts";
import { DTYPES, type DTypeName } from "../ir/dtype.ts";
import { readElements } from "../ir/elements.ts";
import { type FormatValue, formatPrint } from "../ir/format.ts";
import { bufferOf } from "./buffers.ts";
import { type Stop, TileEvents } from "./events.ts";

/** A pointer operand in bytes: where it points, and the buffer around it. */
interface PointerOperand {
  readonly address: number;
  readonly lo: number;
  readonly hi: number;
  readonly dtype: DTypeName;
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

  constructor(k: CompiledKernel, base: number, memory: () => ProgramMemory) {
    this.#k = k;
    this.#base = base;
    this.#memory = memory;
  }

  /** Before a run. */
  begin(tiles: number, print: (line: string) => void): void {
    this.#print = print;
    this.#tiles = tiles;
    if (!this.#k.checks || this.#k.emitted.sites.length === 0) return;
    this.#events = Array.from({ length: tiles }, (_, t) => new TileEvents(t, this.#k.target.events));
  }
  /** Before a tile runs. */
  enter(tile: number): void {
    this.#tile = tile;
  }
  /** When a tile has ended. */
  leave(tile: number): void {
    this.#events[tile]?.finish(this.#stopAt(0));
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
      default:
        throw new TypeError(`unknown failure ${what}`);
    }
  };

  /** The import `outside` of the module. */
  readonly outside = (index: number, start: bigint, end: bigint, lo: bigint, hi: bigint): never => {
    const site = this.#k.emitted.accesses[index];
    if (site === undefined) throw new TypeError(`no access ${index}`);
    const bounds = { lo: Number(lo), hi: Number(hi) };
    return this.#outside(site, bounds, Number(start), Number(end));
  };
  #outside(site: AccessSite, { lo, hi }: { lo: number; hi: number }, start: number, end: number): never {
    const { at, access } = site;
    if (hi === 0) this.#null(site);
    const dtype = { name: site.dtype, bytes: DTYPES[site.dtype].bytes };
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
      case "dma_copy":
      case "dma_copy_async":
        this.#copy(site, stop);
        if (site.op === "dma_copy_async") events?.start(event(6), stop);
        return 0;
      case "dma_memset":
      case "dma_memset_async": {
        const count = this.#count("count", this.#number(site.operands[2]!), stop);
        if (count > 0) this.#within(this.#pointer(site.operands[0]!), count, site.at, "writes");
        if (site.op === "dma_memset_async") events?.start(event(3), stop);
        return 0;
      }
      default:
        throw new TypeError(`the host has no ${site.op}`);
    }
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
    return {
      address: view.getFloat64(at, true),
      lo: view.getFloat64(at + 8, true),
      hi: view.getFloat64(at + 16, true),
      dtype: o.dtype,
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
        return { text: this.#number(o) === 0 ? "null pointer" : "pointer" };
      case "vector":
        return { dtype: o.dtype, data: readElements(o.dtype, view, at, o.lanes) };
      case "mask":
        return { mask: Array.from(bytes.subarray(at, at + o.lanes), (b) => (b === 0 ? 0 : 1)) };
    }
  }

  // -- transfers
  #count(what: string, n: number, stop: Stop): number {
    if (!Number.isSafeInteger(n) || n < 0)
      stop("KPU4007", `${what} of a transfer must be an integer of at least 0, got ${n}`);
    return n;
  }
  #within(p: PointerOperand, elements: number, at: number, access: AccessSite["access"]): void {
    const end = p.address + elements * DTYPES[p.dtype].bytes;
    if (p.address < p.lo || end > p.hi) this.#outside({ at, dtype: p.dtype, access }, p, p.address, end);
  }

  #copy(site: HostSite, stop: Stop): void {
    const [dst, src] = [this.#pointer(site.operands[0]!), this.#pointer(site.operands[1]!)];
    const [width, srcStride, dstStride, times] = ["width", "srcStride", "dstStride", "times"].map((what, i) =>
      this.#count(what, this.#number(site.operands[i + 2]!), stop),
    ) as [number, number, number, number];
    if (width === 0 || times === 0) return;
    const size = DTYPES[dst.dtype].bytes;
    const row = width * size;
    const from = (i: number): number => src.address + i * srcStride * size;
    const to = (i: number): number => dst.address + i * dstStride * size;
    if (dst.hi === 0) this.#null({ at: site.at, dtype: dst.dtype, access: "writes" });
    for (let i = 0; i < times; i++) this.#within({ ...src, address: from(i) }, width, site.at, "reads");
    for (let i = 0; i < times; i++) this.#within({ ...dst, address: to(i) }, width, site.at, "writes");
    const apart = to(times - 1) + row <= from(0) || from(times - 1) + row <= to(0);
    if (!apart) {
      for (let i = 0; i < times; i++) {
        for (let j = 0; j < times; j++) {
          if (to(i) < from(j) + row && from(j) < to(i) + row) {
            stop(
              "KPU4009",
              "source and destination of the transfer overlap",
              "copy through a buffer between the two",
            );
          }
        }
      }
    }
    const { bytes } = this.#memory();
    for (let i = 0; i < times; i++) bytes.copyWithin(to(i), from(i), from(i) + row);
  }
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
