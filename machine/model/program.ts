/**
 * A trace made ready for a machine: instructions of each core, and for each command what does not depend on when it runs:
 * its engine, ticks of each stage, addresses as base and strides. docs/timing.md has the rules that are applied here.
 */
import { type FabricModel, fabricCycles, initiationInterval } from "../fabric.ts";
import type { MachineConfig } from "../schema.ts";
import {
  type Core,
  type CoreClass,
  type End,
  type Fill,
  type Item,
  type Level,
  type Mma,
  type Move,
  type Runs,
  type Trace,
  UNIT_LEVELS,
  UNIT_WORK,
  UNITS,
  type Unit,
} from "../trace.ts";
import { spanOf } from "../trace-verify.ts";
import { type Clocks, clocksOf, cyclesFor, type Fraction, fractionOf } from "./clock.ts";
import { Network } from "./network.ts";

/** Instructions of a core. What an argument counts is in brackets. */
export const Op = {
  /** Gives a command [commands] to an engine. */
  issue: 0,
  /** Works by itself [works]. */
  work: 1,
  /** Waits for an event [events of all tiles]. */
  wait: 2,
  barrier: 3,
  /** A span [spans] begins or ends. */
  begin: 4,
  end: 5,
  /** Enters a loop [loops], or ends a round of it. */
  loop: 6,
  next: 7,
  /** The end of the tile. */
  halt: 8,
} as const;

export const UNIT_KINDS = ["dma", "bm", "rows", "cols", "drain", "fabric", ...UNITS] as const;
export type UnitKind = (typeof UNIT_KINDS)[number];

/** Engines of a kind, of which a command takes the least loaded. */
export interface UnitClass {
  readonly kind: UnitKind;
  /** -1 for the DMA engines, which all tiles share. */
  readonly tile: number;
  /** Number of the first, and how many there are. */
  readonly first: number;
  readonly count: number;
  /** Commands that one may have under way. */
  readonly window: number;
}

/** One end of a transfer. */
export interface Place {
  readonly level: Level;
  readonly base: number;
  /** Counters of loops that move the address, and by how much per round. */
  readonly slots: readonly number[];
  readonly strides: readonly number[];
  readonly runs: Runs;
  readonly bytes: number;
  /** Bytes from the address that the runs touch: [low, high). */
  readonly low: number;
  readonly high: number;
  /** Ticks of the L2 of a tile, of an L3 tile that holds all of it, and of a link of the network. */
  readonly bankTicks: number;
  readonly linkTicks: number;
}

export interface EngineCommand {
  readonly index: number;
  readonly tile: number;
  readonly kind: UnitKind;
  /** Engines that may take it [classes]. */
  readonly unitClass: number;
  readonly item: Move | Fill | Mma | Unit;
  /** Events of all tiles; -1 for none. */
  readonly signal: number;
  readonly after: readonly number[];
  /** Ticks before the first byte, and ticks in which the engine itself moves all bytes. */
  readonly startup: number;
  readonly service: number;
  /** By which engines compare how much they have to do: bytes, multiply-accumulates, or cycles of a unit. */
  readonly load: number;
  readonly src: Place | undefined;
  readonly dst: Place | undefined;
  /** Ticks in which the special function unit takes all elements, and until the last one's result. */
  readonly sfuTicks: number;
  readonly sfuLatency: number;
  /** What the special function unit reads beside, or a unit reads and writes. */
  readonly spread: Spread | undefined;
  /** Whether it computes; else it only moves. */
  readonly computes: boolean;
  /** Which of the products' shapes. */
  readonly shape: number;
  /** What it costs, or how far its bytes go, depends on its address or engine: it asks DRAM, L3 or the network. */
  readonly asks: boolean;
}

/** Accesses to shared memories whose addresses are not told: ticks of each DRAM channel, of each L3 tile, of the tile's L2. */
export interface Spread {
  readonly channelTicks: number;
  readonly l3Ticks: number;
  readonly l2Ticks: number;
}

export interface CoreWork {
  readonly item: Core;
  readonly tile: number;
  readonly ticks: number;
  /** What it reads and writes meanwhile. */
  readonly spread: Spread | undefined;
}

export interface LoopInfo {
  readonly tile: number;
  readonly count: number;
  /** Loops around it. */
  readonly depth: number;
  /** Its counter, among those of all tiles. */
  readonly slot: number;
  /** First instruction of its body, and the one behind it. */
  readonly body: number;
  readonly exit: number;
}

export interface SpanInfo {
  readonly tile: number;
  readonly id: string | number;
}

export interface Program {
  readonly trace: Trace;
  readonly config: MachineConfig;
  readonly fabricModel: FabricModel;
  readonly clocks: Clocks;
  readonly network: Network;
  /** Compute tiles that have a part in the trace. */
  readonly tiles: number;
  readonly ops: Uint8Array;
  readonly args: Int32Array;
  /** First instruction of each tile. */
  readonly starts: readonly number[];
  readonly classes: readonly UnitClass[];
  readonly units: number;
  readonly commands: readonly EngineCommand[];
  readonly works: readonly CoreWork[];
  readonly loops: readonly LoopInfo[];
  readonly spans: readonly SpanInfo[];
  /** Most counters of loops of a tile; those of tile t are `t * depth` and on. */
  readonly depth: number;
  /** Most events that a command waits for. */
  readonly mostAfter: number;
  /** Ticks in which a core issues a command, and commands that may wait in the queue of an engine. */
  readonly issueTicks: number;
  readonly queue: number;
  readonly products: Products;
}

/** Ticks of products by shape, and from the start of one to that of another behind it on the same fabric. */
export class Products {
  readonly shapes: Mma[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #ticks: number[] = [];
  readonly #intervals: number[][] = [];
  readonly #config: MachineConfig;
  readonly #model: FabricModel;
  readonly #tick: number;

  constructor(config: MachineConfig, model: FabricModel, tick: number) {
    this.#config = config;
    this.#model = model;
    this.#tick = tick;
  }

  shape(mma: Mma): number {
    const key = `${mma.dtype} ${mma.dataflow} ${mma.m} ${mma.n} ${mma.k}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.shapes.push(mma) - 1;
    this.#numbers.set(key, number);
    this.#ticks.push(fabricCycles(mma, this.#config.tile.fabric, this.#model).cycles * this.#tick);
    this.#intervals.push([]);
    return number;
  }

  ticks(shape: number): number {
    return this.#ticks[shape]!;
  }

  interval(before: number, shape: number): number {
    const row = this.#intervals[before]!;
    const known = row[shape];
    if (known !== undefined) return known;
    const [a, b] = [this.shapes[before] as Mma, this.shapes[shape] as Mma];
    return (row[shape] = initiationInterval(a, b, this.#config.tile.fabric, this.#model) * this.#tick);
  }
}

/** Products that the fabric may have begun and not finished. Short ones overlap many times on a large array. */
const FABRIC_WINDOW = 64;
/** Numbers of the classes of a tile follow one another in this order. */
const TILE_KINDS = ["bm", "rows", "cols", "drain", "fabric", ...UNITS] as const;
type TileKind = (typeof TILE_KINDS)[number];

const NONE: readonly number[] = [];
const NOTHING: Core["read"] = {};

/** The trace must have passed `checkTrace(trace, config)`. */
export function compileTrace(
  trace: Trace,
  config: MachineConfig,
  fabricModel: FabricModel = "overlapped",
): Program {
  return new Compiler(trace, config, fabricModel).program();
}

class Compiler {
  readonly #trace: Trace;
  readonly #config: MachineConfig;
  readonly #model: FabricModel;
  readonly #clocks: Clocks;
  readonly #network: Network;
  readonly #products: Products;
  readonly #ops: number[] = [];
  readonly #args: number[] = [];
  readonly #commands: EngineCommand[] = [];
  readonly #works: CoreWork[] = [];
  readonly #loops: LoopInfo[] = [];
  readonly #spans: SpanInfo[] = [];
  readonly #depth: number;
  /** Kinds of which a tile has any. */
  readonly #kinds: readonly TileKind[];
  readonly #rates: { readonly [K in UnitKind | "l3" | "l2" | "link" | "sfu"]: Fraction };
  #tile = 0;
  /** The same item may stand in many places. */
  #worksOfTile = new Map<Core, CoreWork>();
  #spanNumbers = new Map<string | number, number>();

  constructor(trace: Trace, config: MachineConfig, model: FabricModel) {
    this.#trace = trace;
    this.#config = config;
    this.#model = model;
    this.#clocks = clocksOf(config.clocks);
    this.#network = new Network(config);
    this.#products = new Products(config, model, this.#clocks.fabric);
    this.#depth = Math.max(1, ...trace.tiles.map(depthOf));
    const { dma, l3, noc, tile } = config;
    this.#kinds = TILE_KINDS.filter((kind) => enginesOf(kind, config) > 0);
    const { rows, cols, drain, bytesPerCycle } = tile.streamers;
    this.#rates = {
      dma: fractionOf(dma.bytesPerCycle),
      bm: fractionOf(tile.blockMovers.bytesPerCycle),
      // The streams of a kind share each transfer.
      rows: fractionOf(rows * bytesPerCycle),
      cols: fractionOf(cols * bytesPerCycle),
      drain: fractionOf(drain * bytesPerCycle),
      fabric: { num: 1, den: 1 },
      mieu: fractionOf(tile.units.mieu.bytesPerCycle),
      ecu: fractionOf(tile.units.ecu.bytesPerCycle),
      spc: fractionOf(tile.units.spc.bytesPerCycle),
      l3: fractionOf(l3.bytesPerCycle),
      l2: fractionOf(tile.l2.bytesPerCycle),
      link: fractionOf(noc.linkBytesPerCycle),
      sfu: { num: tile.sfu.lanes, den: 1 },
    };
  }

  program(): Program {
    const config = this.#config;
    const tiles = this.#trace.tiles.length;
    const starts = this.#trace.tiles.map((items, tile) => {
      this.#tile = tile;
      this.#spanNumbers = new Map();
      this.#worksOfTile = new Map();
      const start = this.#ops.length;
      this.#items(items, []);
      this.#emit(Op.halt, 0);
      return start;
    });
    const classes: UnitClass[] = [];
    let units = 0;
    const add = (kind: UnitKind, tile: number, count: number, window: number): void => {
      classes.push({ kind, tile, first: units, count, window });
      units += count;
    };
    add("dma", -1, config.dma.engines, config.dma.window);
    for (let tile = 0; tile < tiles; tile++)
      for (const kind of this.#kinds)
        add(kind, tile, enginesOf(kind, config), kind === "fabric" ? FABRIC_WINDOW : 1);
    return {
      trace: this.#trace,
      config,
      fabricModel: this.#model,
      clocks: this.#clocks,
      network: this.#network,
      tiles,
      ops: new Uint8Array(this.#ops),
      args: new Int32Array(this.#args),
      starts,
      classes,
      units,
      commands: this.#commands,
      works: this.#works,
      loops: this.#loops,
      spans: this.#spans,
      depth: this.#depth,
      mostAfter: this.#commands.reduce((most, { after }) => Math.max(most, after.length), 1),
      issueTicks: config.tile.commands.issue * this.#clocks.control,
      queue: config.tile.commands.queue,
      products: this.#products,
    };
  }

  /** `slots` are the counters of the loops around, innermost first. */
  #items(items: readonly Item[], slots: readonly number[]): void {
    for (const item of items)
      switch (item.kind) {
        case "loop": {
          const loop = this.#loops.length;
          const slot = this.#tile * this.#depth + slots.length;
          const depth = slots.length;
          const body = this.#ops.length + 1;
          // An outer loop comes before those in it.
          this.#loops.push({ tile: this.#tile, count: item.count, depth, slot, body, exit: body });
          this.#emit(Op.loop, loop);
          this.#items(item.body, [slot, ...slots]);
          this.#emit(Op.next, loop);
          this.#loops[loop] = {
            tile: this.#tile,
            count: item.count,
            depth,
            slot,
            body,
            exit: this.#ops.length,
          };
          break;
        }
        case "move":
        case "fill":
        case "mma":
        case "unit":
          this.#emit(Op.issue, this.#commands.push(this.#command(item, slots)) - 1);
          break;
        case "core":
          this.#emit(Op.work, this.#works.push(this.#work(item)) - 1);
          break;
        case "wait":
          this.#emit(Op.wait, this.#event(item.event));
          break;
        case "barrier":
          this.#emit(Op.barrier, 0);
          break;
        case "mark":
          this.#emit(item.phase === "begin" ? Op.begin : Op.end, this.#span(item.id));
          break;
      }
  }

  #emit(op: number, arg: number): void {
    this.#ops.push(op);
    this.#args.push(arg);
  }

  #event(event: number): number {
    return this.#tile * eventsOf(this.#config) + event;
  }

  #span(id: string | number): number {
    const known = this.#spanNumbers.get(id);
    if (known !== undefined) return known;
    const number = this.#spans.push({ tile: this.#tile, id }) - 1;
    this.#spanNumbers.set(id, number);
    return number;
  }

  #command(item: Move | Fill | Mma | Unit, slots: readonly number[]): EngineCommand {
    const { control, fabric } = this.#clocks;
    const { tile: t } = this.#config;
    const tile = this.#tile;
    const kind = kindOf(item);
    const src = item.kind === "move" ? this.#place(item.src, slots) : undefined;
    const dst = item.kind === "move" || item.kind === "fill" ? this.#place(item.dst, slots) : undefined;
    const sfu = item.kind === "move" ? item.sfu : undefined;
    const { startup, service } = this.#ownCycles(item, kind, src, dst);
    // One literal without spreads: V8 gives objects one hidden class only then, and the replay lives from that.
    return {
      index: this.#commands.length,
      tile,
      kind,
      unitClass: kind === "dma" ? 0 : 1 + tile * this.#kinds.length + this.#kinds.indexOf(kind),
      item,
      signal: item.signal === undefined ? -1 : this.#event(item.signal),
      after: item.after === undefined ? NONE : item.after.map((e) => this.#event(e)),
      startup: startup * control,
      service: service * control,
      load: loadOf(item, src, dst, service),
      src,
      dst,
      sfuTicks: sfu === undefined ? 0 : cyclesFor(sfu.elements, this.#rates.sfu) * fabric,
      // The units of a chain of ops follow one another.
      sfuLatency: sfu === undefined || sfu.elements === 0 ? 0 : t.sfu.latency * sfu.ops.length * fabric,
      spread:
        item.kind === "unit"
          ? this.#spread(item.read, item.write)
          : this.#spread(sfu?.read ?? NOTHING, NOTHING),
      computes: item.kind === "mma" || item.kind === "unit",
      shape: item.kind === "mma" ? this.#products.shape(item) : -1,
      asks: kind === "dma" || src?.level === "l3" || dst?.level === "l3",
    };
  }

  /** Cycles before the first byte or item, and in which the engine itself does all. A product has those of its shape. */
  #ownCycles(
    item: Move | Fill | Mma | Unit,
    kind: UnitKind,
    src: Place | undefined,
    dst: Place | undefined,
  ): { readonly startup: number; readonly service: number } {
    const { tile, dma } = this.#config;
    switch (item.kind) {
      case "move":
      case "fill": {
        const { startup } = kind === "dma" ? dma : kind === "bm" ? tile.blockMovers : tile.streamers;
        const read = src === undefined ? 1 : this.#engineCycles(kind, src.runs);
        const written = dst === undefined ? 1 : this.#engineCycles(kind, dst.runs);
        return { startup, service: Math.max(1, read, written) };
      }
      case "mma":
        return { startup: 0, service: 0 };
      case "unit":
        return { startup: tile.units[item.unit].startup, service: this.#unitCycles(item) };
    }
  }

  /** All parts of a unit work at the same time: those for each kind of work, and its port. The slowest decides. */
  #unitCycles({ unit, work, read, write }: Unit): number {
    const { perCycle } = this.#config.tile.units[unit];
    const bytes = UNIT_LEVELS.reduce((sum, level) => sum + (read[level] ?? 0) + (write[level] ?? 0), 0);
    const parts = UNIT_WORK.map((kind) => {
      const rate = perCycle[kind];
      return rate === undefined ? 0 : cyclesFor(work[kind] ?? 0, fractionOf(rate));
    });
    return Math.max(1, cyclesFor(bytes, this.#rates[unit]), ...parts);
  }

  /** Cycles in which an engine moves runs: a DMA engine whole bursts, the others each run in whole cycles. */
  #engineCycles(kind: UnitKind, { count, bytes }: Runs): number {
    const rate = this.#rates[kind];
    const { burstBytes } = this.#config.dma;
    return kind === "dma"
      ? cyclesFor(count * Math.ceil(bytes / burstBytes) * burstBytes, rate)
      : count * cyclesFor(bytes, rate);
  }

  #place({ level, at, runs: given }: End, slots: readonly number[]): Place {
    const runs = given.count > 1 && given.stride === given.bytes ? oneRun(given) : given;
    const bytes = runs.count * runs.bytes;
    let moving = NONE;
    let strides = NONE;
    if (at.strides?.some((stride) => stride !== 0)) {
      moving = slots.filter((_, i) => (at.strides?.[i] ?? 0) !== 0);
      strides = at.strides.filter((stride) => stride !== 0);
    }
    const { control } = this.#clocks;
    const banks = level === "l3" ? this.#config.l3.banks : this.#config.tile.l2.banks;
    const rate = level === "l3" ? this.#rates.l3 : this.#rates.l2;
    const { low, high } = spanOf(runs);
    return {
      level,
      base: at.base,
      slots: moving,
      strides,
      runs,
      bytes,
      low,
      high,
      bankTicks: bankCycles(runs.count * cyclesFor(runs.bytes, rate), banks) * control,
      linkTicks: cyclesFor(bytes, this.#rates.link) * control,
    };
  }

  #work(item: Core): CoreWork {
    const known = this.#worksOfTile.get(item);
    if (known !== undefined) return known;
    const made: CoreWork = {
      item,
      tile: this.#tile,
      ticks: (item.cycles ?? this.#scheduleCycles(item)) * this.#clocks.control,
      spread: this.#spread(item.read, item.write),
    };
    this.#worksOfTile.set(item, made);
    return made;
  }

  /** Where the bytes lie is not known: all channels and banks take an equal part. Undefined where there are none. */
  #spread(read: Core["read"], write: Core["write"]): Spread | undefined {
    const { dram, dma, l3, tile } = this.#config;
    const { control, memory } = this.#clocks;
    const fromDram = (read.dram ?? 0) + (write.dram ?? 0);
    const fromL3 = (read.l3 ?? 0) + (write.l3 ?? 0);
    const fromL2 = (read.l2 ?? 0) + (write.l2 ?? 0);
    if (fromDram + fromL3 + fromL2 === 0) return undefined;
    const bursts = Math.ceil(fromDram / dram.channels / dma.burstBytes) * dma.burstBytes;
    return {
      channelTicks: cyclesFor(bursts, fractionOf(dram.bytesPerCycle)) * memory,
      l3Ticks: bankCycles(cyclesFor(fromL3, this.#rates.l3), l3.banks * l3.tiles) * control,
      l2Ticks: bankCycles(cyclesFor(fromL2, this.#rates.l2), tile.l2.banks) * control,
    };
  }

  /** Without a static schedule: the busiest of the scalar, vector and memory unit, until its last result. */
  #scheduleCycles({ ops }: Core): number {
    const { issue, costs } = this.#config.tile.vector;
    let [scalar, vector, memory, last] = [0, 0, 0, 1];
    for (const name in ops) {
      const op = name as CoreClass;
      const count = ops[op] ?? 0;
      if (count === 0) continue;
      const cost = costs[op];
      if (op === "scalar" || op === "branch") scalar += count * cost.interval;
      else if (op === "load" || op === "store") memory += count * cost.interval;
      else vector += count * cost.interval;
      last = Math.max(last, cost.latency);
    }
    const busiest = Math.max(
      Math.ceil(scalar / issue.scalar),
      Math.ceil(vector / issue.vector),
      Math.ceil(memory / issue.memory),
    );
    return busiest === 0 ? 0 : busiest + last - 1;
  }
}

/** Events of a tile, with the one for what its core waits for at once. */
export function eventsOf({ tile }: MachineConfig): number {
  return tile.events + 1;
}

function kindOf(item: Move | Fill | Mma | Unit): UnitKind {
  switch (item.kind) {
    case "move":
      return item.mover;
    case "fill":
      return "dma";
    case "mma":
      return "fabric";
    case "unit":
      return item.unit;
  }
}

/** By which engines of a kind are compared. */
function loadOf(
  item: Move | Fill | Mma | Unit,
  src: Place | undefined,
  dst: Place | undefined,
  service: number,
): number {
  switch (item.kind) {
    case "move":
    case "fill":
      return Math.max(src?.bytes ?? 0, dst?.bytes ?? 0);
    case "mma":
      return item.m * item.n * item.k;
    case "unit":
      return service;
  }
}

/** Engines of a kind in each tile. */
function enginesOf(kind: TileKind, { tile }: MachineConfig): number {
  switch (kind) {
    case "bm":
      return tile.blockMovers.count;
    case "rows":
    case "cols":
    case "drain":
    case "fabric":
      return 1;
    case "mieu":
    case "ecu":
    case "spc":
      return tile.units[kind].count;
  }
}

/** Cycles of accesses that spread evenly over banks. */
export function bankCycles(accesses: number, banks: number): number {
  return Math.ceil(accesses / banks);
}

function oneRun({ count, bytes }: Runs): Runs {
  return { count: 1, bytes: count * bytes, stride: 0 };
}

function depthOf(items: readonly Item[]): number {
  return items.reduce((most, i) => Math.max(most, i.kind === "loop" ? 1 + depthOf(i.body) : 0), 0);
}
