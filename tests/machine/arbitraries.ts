/** Random machines, and random traces that are well formed and fit a machine. */
import fc from "fast-check";
import { type FieldPath, fieldOf, withField } from "../../machine/coverage.ts";
import { PRESET_NAMES, PRESETS } from "../../machine/presets/index.ts";
import { type MachineConfig, machineSchema } from "../../machine/schema.ts";
import {
  type Address,
  CORE_CLASSES,
  type Command,
  type End,
  type Item,
  type Level,
  type Loop,
  MOVERS,
  type Mover,
  type Runs,
  TRACE_VERSION,
  TRANSFORMS,
  type Trace,
  UNIT_WORK,
  UNITS,
} from "../../machine/trace.ts";
import { capacityOf } from "../../machine/trace-verify.ts";
import { smallMachine } from "./machines.ts";

/** Machines small enough that everything in them is contended. */
export const arbitraryMachine: fc.Arbitrary<MachineConfig> = fc
  .record({
    tiles: fc.integer({ min: 1, max: 3 }),
    clocks: fc.constantFrom(
      { control: 1e9, fabric: 1e9, memory: 1e9 },
      { control: 1e9, fabric: 0.9e9, memory: 1.6e9 },
      { control: 1.4e9, fabric: 0.7e9, memory: 0.8e9 },
    ),
    channels: fc.constantFrom(1, 2, 3),
    dramRate: fc.constantFrom(4, 6.25, 64),
    banks: fc.constantFrom(1, 2, 4),
    page: fc.constantFrom(128, 512),
    interleave: fc.constantFrom(64, 256),
    engines: fc.constantFrom(1, 2, 3),
    window: fc.constantFrom(1, 2, 4),
    l3Tiles: fc.constantFrom(1, 2, 3),
    l3Banks: fc.constantFrom(1, 4),
    topology: fc.constantFrom("none" as const, "mesh" as const, "torus" as const),
    link: fc.constantFrom(2, 12.5, 64),
    l2Rate: fc.constantFrom(1, 8, 64),
    movers: fc.constantFrom(1, 2),
    array: fc.constantFrom([2, 2], [4, 3]),
    sfu: fc.constantFrom(1, 8),
  })
  .map((o) => ({
    ...smallMachine,
    clocks: o.clocks,
    dram: {
      ...smallMachine.dram,
      channels: o.channels,
      bytesPerCycle: o.dramRate,
      banks: o.banks,
      pageBytes: o.page,
      interleaveBytes: o.interleave,
    },
    dma: { ...smallMachine.dma, engines: o.engines, window: o.window },
    l3: { ...smallMachine.l3, tiles: o.l3Tiles, banks: o.l3Banks },
    noc: { ...smallMachine.noc, topology: o.topology, linkBytesPerCycle: o.link },
    tile: {
      ...smallMachine.tile,
      count: o.tiles,
      l2: { ...smallMachine.tile.l2, bytesPerCycle: o.l2Rate },
      blockMovers: { ...smallMachine.tile.blockMovers, count: o.movers },
      fabric: { ...smallMachine.tile.fabric, rows: o.array[0] as number, cols: o.array[1] as number },
      sfu: { ...smallMachine.tile.sfu, lanes: o.sfu },
    },
  }));

/** What a trace is made of, before it is made to fit: each number picks one of what is possible where it stands. */
type Sketch =
  | { readonly what: "command"; readonly kind: string; readonly picks: readonly number[] }
  | { readonly what: "loop"; readonly count: number; readonly body: readonly Sketch[] };

const command = fc.record({
  what: fc.constant("command" as const),
  kind: fc.constantFrom(
    "dma",
    "dma",
    "bm",
    "bm",
    "rows",
    "cols",
    "drain",
    "fill",
    "mma",
    "unit",
    "unit",
    "core",
    "wait",
    "wait",
    "span",
    "barrier",
    "at once",
  ),
  picks: fc.array(fc.nat(1000), { minLength: 12, maxLength: 12 }),
});

export interface TraceShape {
  /** Most rounds of a loop. */
  readonly rounds?: number;
  /** Deepest nesting of loops. */
  readonly depth?: number;
  readonly barriers?: boolean;
}

function sketches({ rounds = 5, depth = 3 }: TraceShape): fc.Arbitrary<readonly Sketch[]> {
  const level = (left: number): fc.Arbitrary<readonly Sketch[]> =>
    fc.array(
      left === 0
        ? command
        : fc.oneof(
            { weight: 4, arbitrary: command },
            {
              weight: 1,
              arbitrary: fc.record({
                what: fc.constant("loop" as const),
                count: fc.integer({ min: 0, max: rounds }),
                body: level(left - 1),
              }),
            },
          ),
      { minLength: 1, maxLength: 6 },
    );
  return level(depth);
}

/** Fields that a machine may have more or less of, and still be one. */
const SCALED = [
  "clocks.control",
  "clocks.fabric",
  "clocks.memory",
  "dram.channels",
  "dram.bytesPerCycle",
  "dram.latency.rowHit",
  "dram.pageBytes",
  "dma.engines",
  "dma.bytesPerCycle",
  "dma.startup",
  "dma.window",
  "l3.tiles",
  "l3.banks",
  "l3.bytesPerCycle",
  "noc.linkBytesPerCycle",
  "noc.hopCycles",
  "tile.l2.banks",
  "tile.l2.bytesPerCycle",
  "tile.blockMovers.count",
  "tile.blockMovers.bytesPerCycle",
  "tile.streamers.bytesPerCycle",
  "tile.fabric.rows",
  "tile.fabric.cols",
  "tile.units.mieu.count",
  "tile.units.ecu.bytesPerCycle",
  "tile.sfu.lanes",
  "tile.commands.queue",
] as const satisfies readonly FieldPath[];

/** A field with another factor; machines that are none, as with half a channel, keep it. */
export function scaled(config: MachineConfig, field: FieldPath, factor: number): MachineConfig {
  const value = fieldOf(config, field);
  if (typeof value !== "number") throw new TypeError(`${field} is no number`);
  const parsed = machineSchema().safeParse(withField(config, field, value * factor));
  return parsed.success ? parsed.data : config;
}

/** Variations of the machines that come with the package. */
export const arbitraryVariation: fc.Arbitrary<MachineConfig> = fc
  .record({
    preset: fc.constantFrom(...PRESET_NAMES),
    changes: fc.array(fc.record({ field: fc.constantFrom(...SCALED), factor: fc.constantFrom(0.5, 2, 3) }), {
      maxLength: 5,
    }),
  })
  .map(({ preset, changes }) =>
    changes.reduce((config, { field, factor }) => scaled(config, field, factor), PRESETS[preset]),
  );

/** A machine and a trace that it can run. */
export function arbitraryCase(
  shape: TraceShape = {},
  machine: fc.Arbitrary<MachineConfig> = arbitraryMachine,
): fc.Arbitrary<{ config: MachineConfig; trace: Trace }> {
  return fc
    .record({ config: machine, sketch: sketches(shape), tiles: fc.integer({ min: 1, max: 3 }) })
    .map(({ config, sketch, tiles }) => ({
      config,
      trace: {
        version: TRACE_VERSION,
        kernel: "random",
        tiles: Array.from({ length: Math.min(tiles, config.tile.count) }, (_, tile) =>
          new Builder(config, tile, shape.barriers ?? true).body(sketch, []),
        ),
      },
    }));
}

/** Makes sketches well formed. All tiles get the same items with other addresses. */
class Builder {
  readonly #config: MachineConfig;
  readonly #tile: number;
  readonly #barriers: boolean;
  #held = new Set<number>();
  #at = 0;

  constructor(config: MachineConfig, tile: number, barriers: boolean) {
    this.#config = config;
    this.#tile = tile;
    this.#barriers = barriers;
  }

  body(sketches: readonly Sketch[], loops: readonly number[]): Item[] {
    const entered = new Set(this.#held);
    const items: Item[] = [];
    for (const s of sketches) {
      if (s.what === "loop") {
        const loop: Loop = { kind: "loop", count: s.count, body: this.body(s.body, [s.count, ...loops]) };
        items.push(loop);
      } else items.push(...this.#command(s.kind, s.picks, loops));
    }
    if (loops.length > 0) {
      // A round leaves the events as it found them, so that the next one may do the same.
      for (const e of this.#held) if (!entered.has(e)) items.push(this.#wait(e));
      for (const e of entered)
        if (!this.#held.has(e)) {
          this.#held.add(e);
          items.push({ ...this.#move("dma", [3, e, 5, 1], loops), signal: e });
        }
      this.#held = new Set(entered);
    }
    return items;
  }

  #command(kind: string, picks: readonly number[], loops: readonly number[]): Item[] {
    const pick = (i: number): number => picks[i] ?? 0;
    const at = this.#at++;
    switch (kind) {
      case "wait": {
        const held = [...this.#held];
        return held.length === 0 ? [] : [this.#wait(held[pick(0) % held.length] as number)];
      }
      case "at once": {
        // The event that is nobody's.
        const event = this.#config.tile.events;
        return [
          { ...this.#move("dma", picks, loops), signal: event },
          { kind: "wait", event, at },
        ];
      }
      case "barrier":
        return this.#barriers ? [{ kind: "barrier", at }] : [];
      case "span": {
        const id = pick(0) % 2 === 0 ? pick(1) % 5 : `span ${pick(1) % 5}`;
        return [
          { kind: "mark", phase: "begin", id, at },
          ...this.#command("core", picks, loops),
          { kind: "mark", phase: "end", id, at },
        ];
      }
      case "core": {
        const name = CORE_CLASSES[pick(0) % CORE_CLASSES.length] as (typeof CORE_CLASSES)[number];
        const level = (["dram", "l3", "l2", "local"] as const)[pick(5) % 4] as Level;
        return [
          {
            kind: "core",
            ops: { scalar: pick(1) % 9, [name]: pick(2) % 9 },
            lanes: { int: pick(3), float: pick(4), math: pick(6) % 7 },
            read: pick(7) % 3 === 0 ? { [level]: pick(8) } : {},
            write: pick(9) % 3 === 0 ? { [level]: pick(10) } : {},
            ...(pick(11) % 2 === 0 ? { cycles: pick(11) % 50 } : {}),
            at,
          },
        ];
      }
      case "mma": {
        const dataflow = (["os", "ws", "is"] as const)[pick(3) % 3] as "os";
        const dtype = pick(4) % 2 === 0 ? "i8" : "f32";
        const sizes = { m: 1 + (pick(0) % 9), n: 1 + (pick(1) % 9), k: 1 + (pick(2) % 20) };
        return [{ kind: "mma", dtype, ...sizes, dataflow, at, ...this.#events(picks) }];
      }
      case "unit": {
        const able = UNITS.filter((u) => this.#config.tile.units[u].count > 0);
        const unit = able[pick(0) % able.length];
        if (unit === undefined) return [];
        const kinds = UNIT_WORK.filter((w) => this.#config.tile.units[unit].perCycle[w] !== undefined);
        const work = Object.fromEntries(kinds.map((w, i) => [w, pick(1 + (i % 4)) % 60]));
        const read = pick(5) % 3 === 0 ? {} : { l2: pick(6) };
        const write = pick(7) % 3 === 0 ? { l2: pick(8) } : {};
        return [{ kind: "unit", unit, work, read, write, at, ...this.#events(picks) }];
      }
      case "fill": {
        const { dst } = this.#move("dma", picks, loops);
        return [{ kind: "fill", dst, at, ...this.#events(picks) }];
      }
      default:
        return [{ ...this.#move(kind as Mover, picks, loops), at, ...this.#events(picks) }];
    }
  }

  #wait(event: number): Command {
    this.#held.delete(event);
    return { kind: "wait", event, at: this.#at++ };
  }

  #events(picks: readonly number[]): { after?: number[]; signal?: number } {
    const held = [...this.#held];
    const mask = (picks[10] ?? 0) % 5;
    const after = held.filter((e) => mask > 1 && e % 4 === mask % 4);
    const free = Array.from({ length: this.#config.tile.events }, (_, e) => e).filter(
      (e) => !this.#held.has(e),
    );
    const wanted = (picks[11] ?? 0) % 3 > 0 && free.length > 1;
    const signal = free[(picks[9] ?? 0) % Math.max(1, free.length)];
    if (!wanted || signal === undefined) return after.length === 0 ? {} : { after };
    this.#held.add(signal);
    return after.length === 0 ? { signal } : { after, signal };
  }

  #move(mover: Mover, picks: readonly number[], loops: readonly number[]): Command & { kind: "move" } {
    const pick = (i: number): number => picks[i] ?? 0;
    const { from, to } = MOVERS[mover];
    const transform = TRANSFORMS[pick(0) % (2 * TRANSFORMS.length)] ?? "identity";
    const bytes = 4 * (1 + (pick(1) % 40));
    const one: Runs = { count: 1, bytes, stride: 0 };
    const many: Runs = { count: bytes / 4, bytes: 4, stride: 4 * (1 + (pick(2) % 30)) };
    const shapes = [one, one, many, { count: 2, bytes: bytes / 2, stride: bytes }];
    const level = (levels: readonly Level[], p: number): Level => levels[p % levels.length] as Level;
    // Half of what DMA engines do is between DRAM and L3.
    const usual = mover === "dma" && pick(3) % 2 === 0;
    const src = this.#end(usual ? "dram" : level(from, pick(3)), shapes[pick(4) % 4] as Runs, pick(5), loops);
    const dst = this.#end(usual ? "l3" : level(to, pick(6)), shapes[pick(7) % 4] as Runs, pick(8), loops);
    const beside = pick(8) % 3 === 0 ? { read: { [level(["dram", "l3", "l2"], pick(9))]: bytes } } : {};
    const sfu =
      mover === "drain" && pick(6) % 2 === 0
        ? { sfu: { elements: bytes / 4, ops: ["bias", "relu"].slice(pick(7) % 2), ...beside } }
        : {};
    return { kind: "move", mover, src, dst, transform, at: this.#at++, ...sfu };
  }

  /** An address such that all rounds stay inside the level. */
  #end(level: Level, runs: Runs, seed: number, loops: readonly number[]): End {
    const capacity = level === "l1" ? 4096 : capacityOf(this.#config, level);
    let left = capacity - ((runs.count - 1) * runs.stride + runs.bytes);
    const steps = [0, 4, 64, 100, runs.bytes, 512, 1024];
    const strides = loops.map((count, i) => {
      const stride = steps[(seed + 3 * i) % steps.length] as number;
      const all = stride * Math.max(0, count - 1);
      if (all > left) return 0;
      left -= all;
      return stride;
    });
    const base = (4 * (seed * 37 + 64 * this.#tile)) % (left + 1);
    const at: Address = strides.every((s) => s === 0) ? { base } : { base, strides };
    return { level, at, runs };
  }
}
