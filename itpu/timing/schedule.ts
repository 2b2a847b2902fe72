/**
 * Steps as commands of a trace. Blocks of a stream are double-buffered: while the units work on one, the next comes and the
 * one before goes.
 *
 * Of L2 the kept arrays have the first part; two buffers share what is left.
 */
import type { MachineConfig } from "../../machine/schema.ts";
import type { Address, End, Item, Level, UnitName } from "../../machine/trace.ts";
import { capacityOf } from "../../machine/trace-verify.ts";
import {
  type Items,
  type Plan,
  type Rows,
  type Step,
  scaled,
  times,
  together,
  type WorkStep,
} from "./steps.ts";

type Stream = Extract<Step, { readonly step: "stream" }>;

/** A block is not larger: a longer one waits longer for its first work. */
const MOST_BLOCK_BYTES = 64 * 1024;
/** Blocks that are written one by one; more are a loop. */
const FEW_BLOCKS = 6;

/** Bytes of L2 that an op may keep: all but two buffers for blocks. */
export function residentBytes(machine: MachineConfig): number {
  return Math.max(0, capacityOf(machine, "l2") - 2 * MOST_BLOCK_BYTES);
}

/**
 * @param units that work on the op: at least 1, at most {@link mostUnits}
 * @param at number of the op, which stands in every command
 */
export function itemsOf(plan: Plan, machine: MachineConfig, units: number, at: number): readonly Item[] {
  return new Scheduler(plan, machine, units, at).steps(plan.steps);
}

/** Events, by buffer: loads of the first and second array, and stores. The others are of units. */
const LOADED = [
  [0, 1],
  [2, 3],
] as const;
const STORED = [4, 5] as const;
const FIRST_WORK = 6;

/** Units of a kind that can work on an op: each ends with an event of its own. */
export function mostUnits({ tile }: MachineConfig, unit: UnitName): number {
  return Math.min(tile.units[unit].count, Math.max(1, tile.events - FIRST_WORK));
}

class Scheduler {
  readonly #unit: UnitName;
  readonly #machine: MachineConfig;
  readonly #at: number;
  readonly #units: number;
  readonly #resident: number;
  /** Bytes that are kept so far. */
  #kept = 0;

  constructor(
    { unit, resident, residentOfUnit = 0 }: Plan,
    machine: MachineConfig,
    units: number,
    at: number,
  ) {
    this.#unit = unit;
    this.#machine = machine;
    this.#at = at;
    this.#resident = resident + units * residentOfUnit;
    this.#units = units;
  }

  steps(steps: readonly Step[]): Item[] {
    return steps.flatMap((s) => this.#step(s));
  }

  #step(s: Step): Item[] {
    switch (s.step) {
      case "stream":
        return this.#stream(s);
      case "work":
        return this.#shared(s);
      case "store":
        return [
          this.#move(end("l2", 0, s.bytes), end("dram", s.address, s.bytes), { signal: STORED[0] }),
          this.#wait(STORED[0]),
        ];
      case "copy":
        return this.#copy(s.from, s.to, s.bytes);
      case "each": {
        const rounds = Math.floor(s.times / this.#units);
        const left = s.times % this.#units;
        const body = s.steps.flatMap((one) => this.#shared({ ...scaled(one, this.#units), joining: {} }));
        return [
          ...(rounds === 0 ? [] : [{ kind: "loop", count: rounds, body } as const]),
          ...(left === 0 ? [] : s.steps.flatMap((one) => this.#shared(scaled(one, left)))),
        ];
      }
    }
  }

  #shared({ work, read = 0, write = 0, joining = {} }: WorkStep): Item[] {
    const all = together(work, times(this.#units - 1, joining));
    return [...this.#work(all, read, write, []), ...this.#workDone()];
  }

  /** An equal part for each DMA engine. */
  #copy(from: number, to: number, bytes: number): Item[] {
    const engines = Math.min(this.#machine.dma.engines, this.#machine.tile.events, bytes);
    const parts = Array.from({ length: engines }, (_, i) => {
      const begin = Math.floor((bytes * i) / engines);
      const length = Math.floor((bytes * (i + 1)) / engines) - begin;
      return this.#move(end("dram", from + begin, length), end("dram", to + begin, length), { signal: i });
    });
    return [...parts, ...parts.map((_, i) => this.#wait(i))];
  }

  /** One command for each unit, which together do all of it. */
  #work(work: Items, read: number, write: number, after: readonly number[]): Item[] {
    const share = (total: number, unit: number): number =>
      Math.floor((total * (unit + 1)) / this.#units) - Math.floor((total * unit) / this.#units);
    const bytes = (total: number, unit: number) => (total === 0 ? {} : { l2: share(total, unit) });
    return Array.from({ length: this.#units }, (_, unit) => ({
      kind: "unit" as const,
      unit: this.#unit,
      work: Object.fromEntries(Object.entries(work).map(([kind, n]) => [kind, share(n, unit)])),
      read: bytes(read, unit),
      write: bytes(write, unit),
      ...(after.length === 0 ? {} : { after }),
      signal: FIRST_WORK + unit,
      at: this.#at,
    }));
  }
  #workDone(): Item[] {
    return Array.from({ length: this.#units }, (_, unit) => this.#wait(FIRST_WORK + unit));
  }

  #stream(s: Stream): Item[] {
    if (s.rows === 0) return [];
    const stream = new StreamBlocks(s, s.keep ? this.#kept : this.#resident);
    if (s.keep) this.#kept += s.rows * stream.loadBytes;
    const { blocks, whole } = stream;
    // A round of the loop is two blocks, behind the first two; these and the ones that they load are whole.
    const rounds = blocks <= FEW_BLOCKS ? 0 : Math.max(0, Math.floor((whole - 3) / 2));
    const items = this.#loads(stream, 0, false);
    for (let b = 0; b < Math.min(blocks, 2); b++) items.push(...this.#turn(stream, b, false));
    if (rounds > 0)
      items.push({
        kind: "loop",
        count: rounds,
        body: [...this.#turn(stream, 2, true), ...this.#turn(stream, 3, true)],
      });
    for (let b = 2 + 2 * rounds; b < blocks; b++) items.push(...this.#turn(stream, b, false));
    if (s.store !== undefined)
      for (let b = Math.max(0, blocks - 2); b < blocks; b++) items.push(this.#wait(STORED[side(b)]));
    return items;
  }

  /** The next block is loaded, this one is worked on, and stored. */
  #turn(stream: StreamBlocks, block: number, loops: boolean): Item[] {
    const { load, store } = stream.stream;
    const next = loops || block + 1 < stream.blocks ? this.#loads(stream, block + 1, loops) : [];
    const { work, read, write } = stream.shareOf(block);
    const loaded = load.map((_, i) => loadEvent(i, block));
    return [
      ...next,
      // Results go where those of two blocks before have left.
      ...(store !== undefined && block >= 2 ? [this.#wait(STORED[side(block)])] : []),
      ...this.#work(work, read, write, loaded),
      ...loaded.map((event) => this.#wait(event)),
      ...this.#workDone(),
      ...(store === undefined
        ? []
        : [
            this.#move(
              stream.inL2(block, stream.loadBytes, store.bytesPerRow, loops),
              stream.inDram(store, block, loops),
              { signal: STORED[side(block)] },
            ),
          ]),
    ];
  }

  #loads(stream: StreamBlocks, block: number, loops: boolean): Item[] {
    let before = 0;
    return stream.stream.load.map((array, i) => {
      const dst = stream.inL2(block, before, array.bytesPerRow, loops);
      before += array.bytesPerRow;
      return this.#move(stream.inDram(array, block, loops), dst, { signal: loadEvent(i, block) });
    });
  }

  #move(src: End, dst: End, events: { readonly signal?: number }): Item {
    return { kind: "move", mover: "dma", src, dst, transform: "identity", ...events, at: this.#at };
  }
  #wait(event: number): Item {
    return { kind: "wait", event, at: this.#at };
  }
}

/** Blocks of a stream, and where they are. Of a loop the addresses are those of its first round. */
class StreamBlocks {
  readonly stream: Stream;
  readonly blocks: number;
  /** Blocks that have all their rows; the last one may have fewer. */
  readonly whole: number;
  /** Of a row. */
  readonly loadBytes: number;
  readonly #rowsPerBlock: number;
  readonly #bufferBytes: number;
  readonly #base: number;

  constructor(stream: Stream, base: number) {
    const { rows, load, store } = stream;
    this.stream = stream;
    this.loadBytes = load.reduce((sum, r) => sum + r.bytesPerRow, 0);
    const rowBytes = this.loadBytes + (store?.bytesPerRow ?? 0);
    this.#rowsPerBlock = Math.max(1, Math.floor(MOST_BLOCK_BYTES / Math.max(1, rowBytes)));
    this.#bufferBytes = this.#rowsPerBlock * rowBytes;
    this.#base = base;
    this.blocks = Math.ceil(rows / this.#rowsPerBlock);
    this.whole = Math.floor(rows / this.#rowsPerBlock);
  }

  inDram({ address, bytesPerRow }: Rows, block: number, loops: boolean): End {
    const bytes = this.#rowsPerBlock * bytesPerRow;
    return end(
      "dram",
      address + block * bytes,
      this.#rowsOf(block) * bytesPerRow,
      loops ? { strides: [2 * bytes] } : {},
    );
  }

  /** Of an array, behind `before` bytes of each row. What is kept stands block behind block, other blocks take turns in two buffers. */
  inL2(block: number, before: number, bytesPerRow: number, loops: boolean): End {
    const place = this.stream.keep ? block : side(block);
    return end(
      "l2",
      this.#base + place * this.#bufferBytes + before * this.#rowsPerBlock,
      this.#rowsOf(block) * bytesPerRow,
      loops && this.stream.keep ? { strides: [2 * this.#bufferBytes] } : {},
    );
  }

  /** Of all whole blocks the same, and of the last one the rest. */
  shareOf(block: number): { readonly work: Items; readonly read: number; readonly write: number } {
    const { rows, work, read = 0, write = 0, store } = this.stream;
    const part = (total: number): number => {
      const ofWhole = Math.floor((total * this.#rowsPerBlock) / rows);
      return block === this.blocks - 1 ? total - ofWhole * (this.blocks - 1) : ofWhole;
    };
    const own = this.#rowsOf(block);
    return {
      work: Object.fromEntries(Object.entries(work).map(([kind, n]) => [kind, part(n)])),
      read: own * this.loadBytes + part(read),
      write: own * (store?.bytesPerRow ?? 0) + part(write),
    };
  }

  #rowsOf(block: number): number {
    return Math.min(this.#rowsPerBlock, this.stream.rows - block * this.#rowsPerBlock);
  }
}

const loadEvent = (array: number, block: number): number => {
  const events = LOADED[array];
  if (events === undefined) throw new TypeError(`a stream loads at most ${LOADED.length} arrays`);
  return events[side(block)];
};
const side = (block: number): 0 | 1 => (block % 2 === 0 ? 0 : 1);

function end(level: Level, base: number, bytes: number, strides: Pick<Address, "strides"> = {}): End {
  return { level, at: { base, ...strides }, runs: { count: 1, bytes, stride: 0 } };
}
