/** The rules of well-formed traces, and those of a trace that a machine can run. The model relies on both. */
import { type Diagnostic, diagnostic, KpuError } from "../ir/diagnostic.ts";
import type { MachineConfig } from "./schema.ts";
import {
  type Command,
  type Core,
  type End,
  type Item,
  type Level,
  type Loop,
  MOVERS,
  type Runs,
  type Trace,
  UNIT_WORK,
  type Unit,
} from "./trace.ts";
import { commandText } from "./trace-print.ts";

/** Deepest nesting of loops. */
export const MAX_LOOPS = 16;
/** Reports of one trace, after which the rest is left out. */
const MAX_REPORTS = 20;

/**
 * What is wrong with a trace by itself (KPU9011) and on a machine (KPU9012); nothing if the list is empty.
 *
 * - Figures are integers in range; a move goes between levels of its mover, and keeps the number of bytes unless its
 *   transform changes it. Strides are no more than the loops around them.
 * - Each event has one command at a time: it is signalled while free, named by `after` and `wait` while it is held.
 * - A body ends the spans that it begins. Tiles pass the same number of barriers.
 * - On a machine: tiles, events and dtypes exist (one more event than it has for a command that is waited for at once), and every address that a round of the loops can have lies inside its level.
 */
export function verifyTrace(trace: Trace, config?: MachineConfig): Diagnostic[] {
  const verifier = new TraceVerifier(trace, config);
  return verifier.trace();
}

/** @throws KPU9011 or KPU9012 with all findings of {@link verifyTrace} */
export function checkTrace(trace: Trace, config?: MachineConfig): void {
  const found = verifyTrace(trace, config);
  if (found.length > 0) throw new KpuError(found);
}

/** Bytes of a level of a machine; l1 is checked by who lays it out. */
export function capacityOf(config: MachineConfig, level: Exclude<Level, "l1">): number {
  const { dram, l3, tile } = config;
  switch (level) {
    case "dram":
      return dram.capacityBytes;
    case "l3":
      return l3.tiles * l3.bytesPerTile;
    case "l2":
      return tile.l2.banks * tile.l2.bytesPerBank;
    case "local":
      return tile.local.bytes;
  }
}

/** Bytes from an address that runs touch: `[low, high)`. */
export function spanOf({ count, bytes, stride }: Runs): { readonly low: number; readonly high: number } {
  const last = (count - 1) * stride;
  return { low: Math.min(0, last), high: Math.max(0, last) + bytes };
}

class TraceVerifier {
  private readonly trace_: Trace;
  private readonly config: MachineConfig | undefined;
  private readonly found: Diagnostic[] = [];
  private readonly said = new Set<string>();
  private tile = 0;
  /** Loops around the item, innermost first. */
  private loops: readonly Loop[] = [];
  private readonly held = new Set<number>();
  /** Work that stands in many places is looked at once. */
  private readonly worksSeen = new Set<Core>();

  constructor(trace: Trace, config: MachineConfig | undefined) {
    this.trace_ = trace;
    this.config = config;
  }

  trace(): Diagnostic[] {
    const { tiles } = this.trace_;
    const { config } = this;
    if (config !== undefined && tiles.length > config.tile.count)
      this.misfit(`the trace has ${tiles.length} tiles, ${config.name} has ${config.tile.count}`);
    const barriers = tiles.map((items, tile) => {
      this.tile = tile;
      this.held.clear();
      this.body(items);
      return barriersOf(items);
    });
    const odd = barriers.findIndex((n) => n !== barriers[0]);
    if (odd > 0)
      this.wrong(
        `tile 0 passes ${barriers[0]} barriers, tile ${odd} ${barriers[odd]}: the others would wait forever`,
      );
    return this.found;
  }

  private body(items: readonly Item[]): void {
    const open: (string | number)[] = [];
    for (let i = 0; i < items.length; i++) {
      const item = items[i]!;
      if (item.kind === "loop") this.loop(item);
      else this.command(item, items[i + 1]);
      if (item.kind !== "mark") continue;
      if (item.phase === "begin") {
        if (open.includes(item.id)) this.wrong("the span is open already", item);
        open.push(item.id);
      } else if (open.pop() !== item.id)
        this.wrong("the span that ends is not the innermost open one of this body", item);
    }
    if (open.length > 0)
      this.wrong(`the span ${JSON.stringify(open[0])} does not end in the body that begins it`);
  }

  private loop(loop: Loop): void {
    this.integer(loop.count, 0, "the rounds of a loop");
    if (this.loops.length >= MAX_LOOPS) {
      this.wrong(`loops are nested more than ${MAX_LOOPS} deep`);
      return;
    }
    if (!(loop.count > 0)) return;
    const outer = this.loops;
    this.loops = [loop, ...outer];
    const before = [...this.held];
    this.body(loop.body);
    // What holds an event after the first round is the same after every further one.
    if (loop.count > 1 && !sameMembers(before, this.held)) this.body(loop.body);
    this.loops = outer;
  }

  /** `next` is what follows in the same body. */
  private command(c: Command, next: Item | undefined): void {
    this.integer(c.at, 0, "the location", c);
    switch (c.kind) {
      case "move": {
        const { from, to } = MOVERS[c.mover];
        this.end(c.src, from, "reads from", c);
        this.end(c.dst, to, "writes to", c);
        const [read, written] = [bytesOf(c.src), bytesOf(c.dst)];
        if ((c.transform === "identity" || c.transform === "transpose") && read !== written)
          this.wrong(`${c.transform} reads ${read} bytes and writes ${written}`, c);
        if (c.sfu !== undefined) {
          this.integer(c.sfu.elements, 0, "the elements of the special function unit", c);
          this.amounts(c.sfu.read, "a count of bytes", c);
        }
        this.events(c, next);
        return;
      }
      case "fill":
        this.end(c.dst, MOVERS.dma.to, "writes to", c);
        this.events(c, next);
        return;
      case "mma":
        this.integer(c.m, 1, "a size of a product", c);
        this.integer(c.n, 1, "a size of a product", c);
        this.integer(c.k, 1, "a size of a product", c);
        if (this.config !== undefined && this.config.tile.fabric.macs[c.dtype] === undefined)
          this.misfit(`the fabric of ${this.config.name} cannot multiply ${c.dtype}`, c);
        this.events(c, next);
        return;
      case "unit":
        this.amounts(c.work, "a count of items or bytes", c);
        this.amounts(c.read, "a count of items or bytes", c);
        this.amounts(c.write, "a count of items or bytes", c);
        this.unit(c);
        this.events(c, next);
        return;
      case "core":
        if (this.worksSeen.has(c)) return;
        this.worksSeen.add(c);
        this.amounts(c.ops, "a count of ops", c);
        this.amounts(c.lanes, "a count of ops", c);
        this.amounts(c.read, "a count of bytes", c);
        this.amounts(c.write, "a count of bytes", c);
        if (c.cycles !== undefined) this.integer(c.cycles, 0, "the cycles", c);
        return;
      case "wait":
        if (!this.held.delete(c.event)) this.wrong(`event ${c.event} belongs to no command`, c);
        return;
      case "barrier":
      case "mark":
        return;
    }
  }

  private unit(c: Unit): void {
    if (this.config === undefined) return;
    const { name, tile } = this.config;
    const { count, perCycle } = tile.units[c.unit];
    if (count === 0) this.misfit(`a tile of ${name} has no ${c.unit}`, c);
    else
      for (const kind of UNIT_WORK)
        if ((c.work[kind] ?? 0) > 0 && perCycle[kind] === undefined)
          this.misfit(`the ${c.unit} of ${name} does no ${kind}`, c);
  }

  private events(
    c: Command & { readonly after?: readonly number[]; readonly signal?: number },
    next: Item | undefined,
  ): void {
    for (const event of c.after ?? [])
      if (!this.held.has(event)) this.wrong(`after names event ${event}, which belongs to no command`, c);
    if (c.after?.length === 0) this.wrong("after is empty: leave it out", c);
    const { signal } = c;
    if (signal === undefined) return;
    this.integer(signal, 0, "an event", c);
    if (this.held.has(signal))
      this.wrong(`event ${signal} still belongs to another command: wait for it before it is used again`, c);
    this.held.add(signal);
    if (this.config === undefined || signal < this.config.tile.events) return;
    const { name, tile } = this.config;
    if (signal > tile.events || next?.kind !== "wait" || next.event !== signal)
      this.misfit(`a tile of ${name} has ${tile.events} events, there is no event ${signal}`, c);
  }

  private end(end: End, levels: readonly Level[], verb: string, c: Command): void {
    const { level, at, runs } = end;
    const mover = c.kind === "move" ? c.mover : "fill";
    if (!levels.includes(level)) this.wrong(`${mover} ${verb} ${levels.join(", ")}, not ${level}`, c);
    this.integer(runs.count, 1, "the number of runs", c);
    this.integer(runs.bytes, 1, "the bytes of a run", c);
    this.integer(runs.stride, -Infinity, "the distance of runs", c);
    this.integer(at.base, 0, "an address", c);
    const span = spanOf(runs);
    let low = at.base + span.low;
    let high = at.base + span.high;
    if (at.strides !== undefined) {
      const { strides } = at;
      for (let i = 0; i < strides.length; i++) {
        const stride = strides[i]!;
        this.integer(stride, -Infinity, "a stride", c);
        const move = stride * ((this.loops[i]?.count ?? 1) - 1);
        low += Math.min(0, move);
        high += Math.max(0, move);
      }
      if (strides.length === 0) this.wrong("strides are empty: leave them out", c);
      if (strides.length > this.loops.length)
        this.wrong(`an address has ${strides.length} strides and ${this.loops.length} loops around it`, c);
    }
    if (low < 0) this.wrong(`bytes from ${low} on are touched: an address is at least 0`, c);
    if (level === "l1" || this.config === undefined) return;
    const capacity = capacityOf(this.config, level);
    if (high > capacity)
      this.misfit(`bytes up to ${high} of ${level} are touched; ${this.config.name} has ${capacity}`, c);
  }

  /** Each amount of a table, as the bytes that a core reads of each level. */
  private amounts(
    table: Readonly<Record<string, number | undefined>> | undefined,
    what: string,
    c: Command,
  ): void {
    for (const name in table) this.integer(table[name] as number, 0, what, c);
  }

  private integer(value: number, least: number, what: string, c?: Command): void {
    if (Number.isSafeInteger(value) && value >= least) return;
    const range = least === -Infinity ? "an integer" : `an integer from ${least}`;
    this.wrong(`${what} is ${value}, expected ${range}`, c);
  }

  private wrong(message: string, c?: Command): void {
    this.report("KPU9011", message, c);
  }
  private misfit(message: string, c?: Command): void {
    this.report("KPU9012", message, c);
  }
  private report(code: "KPU9011" | "KPU9012", message: string, c?: Command): void {
    const where = c === undefined ? "" : ` in \`${commandText(c)}\` of tile ${this.tile}`;
    const text = `@${this.trace_.kernel}: ${message}${where}`;
    // A loop's body is looked at twice.
    if (this.said.has(text) || this.found.length >= MAX_REPORTS) return;
    this.said.add(text);
    this.found.push(diagnostic(code, text));
  }
}

function sameMembers(list: readonly number[], set: ReadonlySet<number>): boolean {
  return list.length === set.size && list.every((x) => set.has(x));
}

function bytesOf({ runs }: End): number {
  return runs.count * runs.bytes;
}

function barriersOf(items: readonly Item[]): number {
  return items.reduce(
    (sum, i) =>
      sum + (i.kind === "barrier" ? 1 : i.kind === "loop" && i.count > 0 ? i.count * barriersOf(i.body) : 0),
    0,
  );
}
