/** Reports of a replay that has come to its end. */
import { ALL_DTYPES } from "../../ir/dtype.ts";
import { roofline } from "../bounds.ts";
import { notModelled } from "../coverage.ts";
import { type Level, UNIT_WORK, UNITS } from "../trace.ts";
import { type Counts, eachExecution, Sum } from "./counts.ts";
import { ENERGY_ACCURACY, ENERGY_PARTS, energyByPart, energyOf } from "./energy.ts";
import { coreName, serverNames, unitNames } from "./names.ts";
import type { PowerMeter } from "./power.ts";
import type { Program } from "./program.ts";
import type { Replay } from "./replay.ts";
import type {
  Bytes,
  ClockName,
  CycleReport,
  EnergyReport,
  FunctionalReport,
  OpReport,
  PowerReport,
  ServerReport,
  Stalls,
  Traffic,
  UnitReport,
} from "./report.ts";
import type { ScheduleRow } from "./schedule.ts";
import { REASON_COUNT, REASONS } from "./state.ts";

/** What the trace asks for, loops counted out. */
export function functionalReport(program: Program): FunctionalReport {
  const { trace, config } = program;
  const sum = new Sum(config.tile.fabric);
  let commands = 0;
  eachExecution(program, (item, engine, _, times) => {
    sum.item(item, times);
    if (engine) commands += times;
  });
  return {
    mode: "functional",
    kernel: trace.kernel,
    machine: config.name,
    notModelled: notModelled("functional"),
    commands,
    ...macsOf(sum.counts),
    unitWork: unitWorkOf(sum.counts),
    traffic: trafficOf(sum.counts),
  };
}

/** What a report has beside what the replay counted. */
export interface Extras {
  readonly clock: ClockName;
  readonly skippedRounds: number;
  readonly schedule: readonly ScheduleRow[] | undefined;
}

/** The replay has come to its end. */
export function cycleReport(replay: Replay, extras: Extras): CycleReport {
  return { mode: "cycle", notModelled: notModelled("cycle"), ...timed(new Figures(replay), extras) };
}

/** The replay has come to its end, and the meter has taken it. */
export function powerReport(replay: Replay, extras: Extras, meter: PowerMeter): PowerReport {
  const figures = new Figures(replay);
  const energy = energyReport(figures);
  const totalEnergyUj = energy.dynamicUj + energy.staticUj;
  const base = timed(figures, extras);
  return {
    mode: "power",
    notModelled: notModelled("power"),
    ...base,
    ops: base.ops.map((op, i) => ({ ...op, energyUj: figures.spanEnergy(i) })),
    totalEnergyUj,
    averagePowerWatts: base.totalTimeUs === 0 ? 0 : totalEnergyUj / base.totalTimeUs,
    energy,
    powerTrace: meter.samples(replay.program.clocks[extras.clock]),
  };
}

/** End of all that a replay has done, in ticks. */
export function endOf({ state }: Replay): number {
  return Math.max(0, ...state.units.map(({ lastEnd }) => lastEnd), ...state.since);
}

function timed(f: Figures, { clock, skippedRounds, schedule }: Extras) {
  const { program } = f;
  const { config, clocks } = program;
  const ticks = clocks[clock];
  const total = f.total / ticks;
  const compute = f.computing / ticks;
  const moving = f.moving / ticks;
  const seconds = f.total / clocks.ticksPerSecond;
  const traffic = { ...trafficOf(f.all), l1: bytesOf(f.all, "l1") };
  const products = macsOf(f.all);
  const unitWork = unitWorkOf(f.all);
  const least = roofline({ ...products, unitWork, traffic }, config);
  const cycles = (s: number): number => s * config.clocks[clock];
  return {
    kernel: program.trace.kernel,
    machine: config.name,
    fabricModel: program.fabricModel,
    clock: { name: clock, hz: config.clocks[clock] },
    totalCycles: total,
    totalTimeUs: seconds * 1e6,
    computeCycles: compute,
    memoryStallCycles: moving - compute,
    otherCycles: total - moving,
    commands: f.commands,
    ...products,
    unitWork,
    traffic,
    computeUtilization: seconds === 0 ? 0 : least.compute / seconds,
    memoryBandwidthUtilization: seconds === 0 ? 0 : least.dram / seconds,
    roofline: {
      compute: cycles(least.compute),
      dram: cycles(least.dram),
      l3: cycles(least.l3),
      l2: cycles(least.l2),
    },
    units: f.units(ticks),
    servers: f.servers(ticks),
    ops: f.ops(ticks),
    skippedRounds,
    ...(schedule === undefined ? {} : { schedule }),
  };
}

function energyReport({ all, total, program }: Figures): EnergyReport {
  const { energy } = program.config;
  const parts = energyByPart(all, energy);
  parts.set("static", (total / program.clocks.control) * energy.staticPerCycle);
  const uJ = Object.fromEntries(
    ENERGY_PARTS.map((part) => [part, (parts.get(part) ?? 0) * 1e-6]),
  ) as EnergyReport["parts"];
  return {
    source: energy.source,
    accuracy: ENERGY_ACCURACY,
    parts: uJ,
    dynamicUj: energyOf(all, energy) * 1e-6,
    staticUj: uJ.static,
  };
}

/** What a replay has counted, in amounts and ticks. */
class Figures {
  readonly program: Program;
  readonly total: number;
  readonly all: Counts;
  readonly commands: number;
  readonly computing: number;
  readonly moving: number;
  readonly #replay: Replay;
  /** Spans of all tiles with one name, in the order in which they stand in the trace. */
  readonly #spans: readonly { readonly id: string | number; readonly spans: readonly number[] }[];

  constructor(replay: Replay) {
    const { program, state, places } = replay;
    this.#replay = replay;
    this.program = program;
    this.total = endOf(replay);
    this.computing = state.counters[places.computing]!;
    this.moving = state.counters[places.moving]!;
    const { counts, commands } = this.#executed();
    this.all = counts;
    this.commands = commands;
    const spans = new Map<string | number, number[]>();
    program.spans.forEach(({ id }, span) => {
      const known = spans.get(id);
      if (known === undefined) spans.set(id, [span]);
      else known.push(span);
    });
    this.#spans = [...spans].map(([id, ofTiles]) => ({ id, spans: ofTiles }));
  }

  units(ticks: number): UnitReport[] {
    const { state, places, program } = this.#replay;
    const { counters } = state;
    const names = unitNames(program);
    const unit = (
      u: number,
      busyAt: number,
      stallAt: number,
      doneAt: number,
      rest: Pick<UnitReport, "name" | "kind" | "tile">,
    ): UnitReport => {
      const busy = counters[busyAt + u]!;
      const stallTicks = sum(counters, stallAt + u * REASON_COUNT, REASON_COUNT);
      return {
        ...rest,
        done: counters[doneAt + u]!,
        busy: busy / ticks,
        stalls: stallsOf(counters, stallAt + u * REASON_COUNT, ticks),
        stalled: stallTicks / ticks,
        idle: (this.total - busy - stallTicks) / ticks,
        utilization: this.total === 0 ? 0 : busy / this.total,
      };
    };
    return [
      ...program.classes.flatMap(({ kind, tile, first, count }) =>
        Array.from({ length: count }, (_, i) =>
          unit(first + i, places.busy, places.stall, places.done, { name: names[first + i]!, kind, tile }),
        ),
      ),
      ...Array.from({ length: program.tiles }, (_, tile) =>
        unit(tile, places.coreBusy, places.coreStall, places.coreDone, {
          name: coreName(tile),
          kind: "core",
          tile,
        }),
      ),
    ];
  }

  /** Links that nothing passes are left out. */
  servers(ticks: number): ServerReport[] {
    const { state, places, program } = this.#replay;
    return serverNames(program).flatMap((name, s) => {
      const busy = state.counters[places.served + s]!;
      if (busy === 0 && name.startsWith("noc.")) return [];
      return [{ name, busy: busy / ticks, utilization: this.total === 0 ? 0 : busy / this.total }];
    });
  }

  ops(ticks: number): OpReport[] {
    const { counters } = this.#replay.state;
    const { spanTicks, spanCount, spanStall } = this.#replay.places;
    return this.#spans.map(({ id, spans }) => {
      const longest = spans.reduce((a, b) => (counters[spanTicks + b]! > counters[spanTicks + a]! ? b : a));
      const { counts, commands } = this.#executed(spans);
      return {
        id,
        tiles: spans.length,
        times: spans.reduce((n, s) => n + counters[spanCount + s]!, 0),
        cycles: counters[spanTicks + longest]! / ticks,
        stalls: stallsOf(counters, spanStall + longest * REASON_COUNT, ticks),
        commands,
        macs: macsOf(counts).macs,
        traffic: trafficOf(counts),
      };
    });
  }

  /** uJ of commands and works issued in an op. */
  spanEnergy(op: number): number {
    return energyOf(this.#executed(this.#spans[op]!.spans).counts, this.program.config.energy) * 1e-6;
  }

  /** What was executed, in all or inside of spans. */
  #executed(spans?: readonly number[]): { readonly counts: Counts; readonly commands: number } {
    const { places, state } = this.#replay;
    const { counters } = state;
    const sum = new Sum(this.program.config.tile.fabric);
    let commands = 0;
    eachExecution(this.program, (item, engine, index, _, inside) => {
      if (spans !== undefined && !inside.some((s) => spans.includes(s))) return;
      const times = counters[(engine ? places.begun : places.worked) + index]!;
      sum.item(item, times);
      if (!engine) return;
      commands += times;
      sum.add("activation", counters[places.activations + index]!);
      sum.add("noc", counters[places.hops + index]!);
    });
    return { counts: sum.counts, commands };
  }
}

function macsOf(counts: Counts): Pick<FunctionalReport, "macs" | "macsByDtype"> {
  const byDtype = ALL_DTYPES.flatMap((d) => {
    const macs = counts[`mac ${d}`];
    return macs === undefined ? [] : [[d, macs] as const];
  });
  return { macs: byDtype.reduce((sum, [, macs]) => sum + macs, 0), macsByDtype: Object.fromEntries(byDtype) };
}

function unitWorkOf(counts: Counts): FunctionalReport["unitWork"] {
  const table = <K extends string, V>(keys: readonly K[], value: (key: K) => V | undefined) =>
    Object.fromEntries(
      keys.flatMap((key) => {
        const v = value(key);
        return v === undefined ? [] : [[key, v] as const];
      }),
    );
  return table(UNITS, (unit) => {
    const work = table(UNIT_WORK, (kind) => counts[`${unit} ${kind}`]);
    return Object.keys(work).length === 0 ? undefined : work;
  });
}

function bytesOf(counts: Counts, level: Level): Bytes {
  return { read: counts[`${level} read`] ?? 0, written: counts[`${level} write`] ?? 0 };
}

function trafficOf(counts: Counts): Traffic {
  return {
    dram: bytesOf(counts, "dram"),
    l3: bytesOf(counts, "l3"),
    l2: bytesOf(counts, "l2"),
    local: bytesOf(counts, "local"),
  };
}

function stallsOf(counters: Float64Array, at: number, ticks: number): Stalls {
  return Object.fromEntries(
    REASONS.flatMap((reason, r) => (counters[at + r]! > 0 ? [[reason, counters[at + r]! / ticks]] : [])),
  );
}

function sum(list: Float64Array, from: number, count: number): number {
  let total = 0;
  for (let i = from; i < from + count; i++) total += list[i]!;
  return total;
}
