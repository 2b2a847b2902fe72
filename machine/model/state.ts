/** Everything of a machine that changes while it runs: what steady.ts compares, copies and moves on. Times are ticks. */
import { ActorHeap } from "./heap.ts";
import { type EngineCommand, eventsOf, type Program, type UnitClass } from "./program.ts";

/**
 * What a unit or core waits for. An engine's transfer for a stage that is slower than itself, or not free: dram, noc, l3,
 * l2, sfu. A fabric for its operands, another engine for the events of its command. A core for an event, a place in a queue,
 * or the other tiles.
 */
export const REASONS = ["dram", "noc", "l3", "l2", "sfu", "operand", "event", "queue", "barrier"] as const;
export type Reason = (typeof REASONS)[number];
export const REASON_COUNT = REASONS.length;
export const REASON = Object.fromEntries(REASONS.map((r, i) => [r, i])) as { readonly [R in Reason]: number };

/** What a core does next. */
export const Core = {
  /** Executes the instruction that it is at. */
  runs: 0,
  /** Has spent the ticks of issuing it; what it asks for happens now. */
  issued: 1,
  waitsForEvent: 2,
  waitsForQueue: 3,
  waitsForTiles: 4,
  halted: 5,
  /** Works on the instruction that it is at. */
  works: 6,
} as const;

/** Numbers of servers: whatever takes one transfer after the other, in the order in which they come. */
export interface Servers {
  readonly channel: number;
  readonly l3: number;
  readonly l2: number;
  readonly sfu: number;
  readonly link: number;
  readonly count: number;
}

export function serversOf({
  config,
  tiles,
  network,
}: Pick<Program, "config" | "tiles" | "network">): Servers {
  const l3 = config.dram.channels;
  const l2 = l3 + config.l3.tiles;
  const sfu = l2 + tiles;
  const link = sfu + tiles;
  return { channel: 0, l3, l2, sfu, link, count: link + network.links };
}

/** Where each figure begins among the counters. All of them only grow, and are the result of a run. */
export interface CounterPlaces {
  /** Of each unit: ticks busy, ticks of each reason to stall, commands done. */
  readonly busy: number;
  readonly stall: number;
  readonly done: number;
  /** The same of each core; what it does are instructions. */
  readonly coreBusy: number;
  readonly coreStall: number;
  readonly coreDone: number;
  /** Of each server: ticks busy. */
  readonly served: number;
  /** Ticks in which any fabric or core computes, and in which any of these or a transfer is under way. */
  readonly computing: number;
  readonly moving: number;
  /** Of each span: ticks inside, how often, and ticks of each reason that its core stalled inside. */
  readonly spanTicks: number;
  readonly spanCount: number;
  readonly spanStall: number;
  /** How many there are until here. Those that follow are many, and of single commands and works. */
  readonly shared: number;
  /** Of each command, and of each work of a core: how often it began. */
  readonly begun: number;
  readonly worked: number;
  /** Of each command: rows of DRAM that it opened, and bytes times hops. */
  readonly activations: number;
  readonly hops: number;
  readonly count: number;
}

export function counterPlaces(program: Program): CounterPlaces {
  let next = 0;
  const block = (length: number): number => {
    const at = next;
    next += length;
    return at;
  };
  const { units, tiles, commands, works, spans } = program;
  return {
    busy: block(units),
    stall: block(units * REASON_COUNT),
    done: block(units),
    coreBusy: block(tiles),
    coreStall: block(tiles * REASON_COUNT),
    coreDone: block(tiles),
    served: block(serversOf(program).count),
    computing: block(1),
    moving: block(1),
    spanTicks: block(spans.length),
    spanCount: block(spans.length),
    spanStall: block(spans.length * REASON_COUNT),
    shared: next,
    begun: block(commands.length),
    worked: block(works.length),
    activations: block(commands.length),
    hops: block(commands.length),
    count: next,
  };
}

/** A place in the queue of a unit: a command that waits or is under way. */
export class Slot {
  command: EngineCommand | undefined = undefined;
  issuedAt = 0;
  beganAt = 0;
  endsAt = 0;
  source = 0;
  target = 0;
  /** Events that were not complete when the command was issued: where they stand among `after`, and how many. */
  readonly afterFrom: number;
  afterCount = 0;

  constructor(afterFrom: number) {
    this.afterFrom = afterFrom;
  }
}

/** An engine, with its queue: head, middle and tail count on (modulo 2^32) and are taken modulo the size of the ring. */
export class Unit {
  readonly number: number;
  readonly unitClass: UnitClass;
  readonly ring: readonly Slot[];
  readonly mask: number;
  /** [head, middle) is under way, [middle, tail) waits. */
  head = 0;
  middle = 0;
  tail = 0;
  load = 0;
  /** When the engine's own part is free for another transfer; when its fabric began its last product, and which. */
  free = 0;
  lastShape = -1;
  /** End of all that it has begun. */
  lastEnd = 0;
  /** When to look again at the command that waits first. */
  retry = Infinity;
  /** The event that its first command waits for, or -1; the next unit that waits for the same. */
  waitsFor = -1;
  nextWaiting = -1;
  /** Cores that wait for a place in a queue of its class, in order. */
  readonly queueing: number[];

  constructor(number: number, unitClass: UnitClass, ring: readonly Slot[], queueing: number[]) {
    this.number = number;
    this.unitClass = unitClass;
    this.ring = ring;
    this.mask = ring.length - 1;
    this.queueing = queueing;
  }

  /** The place of a count. */
  slot(at: number): Slot {
    return this.ring[at & this.mask]!;
  }
}

export class MachineState {
  /** Actors are the units, then the cores. */
  readonly heap: ActorHeap;
  readonly units: readonly Unit[];
  /** Places of all queues. */
  readonly slots: number;

  /** Of each slot: events that were not complete when its command was issued, and their count of completions then. */
  readonly after: Int32Array;
  readonly afterCompleted: Int32Array;

  // Of each server.
  readonly serverFree: Float64Array;

  // Of each core.
  readonly pc: Int32Array;
  readonly mode: Uint8Array;
  /** When it stopped, or began what it works on. */
  readonly since: Float64Array;
  /** Counters of loops: rounds completed. */
  readonly rounds: Float64Array;

  // Of each event: how often it was signalled and completed, and the first unit that waits for it.
  readonly signalled: Int32Array;
  readonly completed: Int32Array;
  readonly firstWaiting: Int32Array;

  /** Cores that wait for a place in a queue of each class, in order. */
  readonly queueing: readonly number[][];
  atBarrier = 0;

  // Of each span: when it began, or NaN, and the stalls of its core until then.
  readonly spanBegin: Float64Array;
  readonly spanStallBegin: Float64Array;

  /** Until when something that has begun computes, and until when anything that has begun is under way. */
  computesUntil = 0;
  movesUntil = 0;

  readonly counters: Float64Array;

  constructor(program: Program) {
    const { units, tiles, classes, queue, config, depth, mostAfter } = program;
    this.heap = new ActorHeap(units + tiles);
    let slots = 0;
    this.queueing = classes.map(() => []);
    this.units = classes.flatMap((unitClass, c) =>
      Array.from({ length: unitClass.count }, (_, i) => {
        const size = 2 ** Math.ceil(Math.log2(queue + unitClass.window + 1));
        const ring = Array.from({ length: size }, () => new Slot(mostAfter * slots++));
        return new Unit(unitClass.first + i, unitClass, ring, this.queueing[c]!);
      }),
    );
    this.slots = slots;
    this.after = new Int32Array(slots * mostAfter);
    this.afterCompleted = new Int32Array(slots * mostAfter);
    this.serverFree = new Float64Array(serversOf(program).count);
    this.pc = new Int32Array(tiles);
    this.mode = new Uint8Array(tiles);
    this.since = new Float64Array(tiles);
    this.rounds = new Float64Array(tiles * depth);
    const events = tiles * eventsOf(config);
    this.signalled = new Int32Array(events);
    this.completed = new Int32Array(events);
    this.firstWaiting = new Int32Array(events).fill(-1);
    this.spanBegin = new Float64Array(program.spans.length).fill(Number.NaN);
    this.spanStallBegin = new Float64Array(program.spans.length * REASON_COUNT);
    this.counters = new Float64Array(counterPlaces(program).count);
    for (let tile = 0; tile < tiles; tile++) {
      this.pc[tile] = program.starts[tile]!;
      this.heap.set(units + tile, 0);
    }
  }
}
