/**
 * What every report must satisfy, whatever the trace and the machine. Each check gives what is wrong, in words; nothing if
 * all is well. None of them uses the replay: they go by the trace, counted out, the schedule, and the configuration.
 */
import { initiationInterval } from "../../machine/fabric.ts";
import type { PowerReport } from "../../machine/model/report.ts";
import { timeTrace } from "../../machine/model/run.ts";
import type { ScheduleEnd, ScheduleRow } from "../../machine/model/schedule.ts";
import type { MachineConfig } from "../../machine/schema.ts";
import {
  type Address,
  type Command,
  type End,
  type Item,
  type Level,
  type Runs,
  type Trace,
  UNIT_WORK,
  UNITS,
} from "../../machine/trace.ts";
import { capacityOf } from "../../machine/trace-verify.ts";

/** A trace, a machine, and what is said of the two; the report has a schedule. */
export interface Run {
  readonly trace: Trace;
  readonly machine: MachineConfig;
  readonly report: PowerReport;
}

export function runOf(trace: Trace, machine: MachineConfig): Run {
  return { trace, machine, report: timeTrace(trace, machine, { mode: "power", schedule: true }) };
}

export type Check = (run: Run) => readonly string[];

/** Times are quotients of whole ticks. */
const TOLERANCE = 1e-6;
const same = (a: number, b: number): boolean =>
  Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b));

// ---------------------------------------------------------------------------------------------- the trace, counted out

type Engine = Extract<Command, { readonly kind: "move" | "fill" | "mma" | "unit" }>;

function isEngine(c: Command): c is Engine {
  return c.kind === "move" || c.kind === "fill" || c.kind === "mma" || c.kind === "unit";
}

/** Commands of a tile in the order in which its core comes to them; `rounds` of the loops around, innermost first. */
function* countedOut(
  items: readonly Item[],
  rounds: readonly number[] = [],
): Generator<{ readonly command: Command; readonly rounds: readonly number[] }> {
  for (const item of items) {
    if (item.kind !== "loop") yield { command: item, rounds };
    else for (let r = 0; r < item.count; r++) yield* countedOut(item.body, [r, ...rounds]);
  }
}

function addressIn({ base, strides = [] }: Address, rounds: readonly number[]): number {
  return strides.reduce((sum, stride, i) => sum + stride * (rounds[i] ?? 0), base);
}

function bytesOf({ count, bytes }: Runs): number {
  return count * bytes;
}

type LevelBytes = { readonly [L in Level]: { read: number; written: number } };

function noBytes(): LevelBytes {
  return {
    dram: { read: 0, written: 0 },
    l3: { read: 0, written: 0 },
    l2: { read: 0, written: 0 },
    local: { read: 0, written: 0 },
    l1: { read: 0, written: 0 },
  };
}

/** Bytes that transfers, units and cores read and write; what fabrics take of l1 is not in it. */
function bytesOfTrace({ tiles }: Trace): LevelBytes {
  const sum = noBytes();
  for (const items of tiles)
    for (const { command } of countedOut(items)) {
      if (command.kind === "move") {
        sum[command.src.level].read += bytesOf(command.src.runs);
        for (const level of ["dram", "l3", "l2"] as const) sum[level].read += command.sfu?.read?.[level] ?? 0;
      }
      if (command.kind === "move" || command.kind === "fill")
        sum[command.dst.level].written += bytesOf(command.dst.runs);
      if (command.kind !== "core" && command.kind !== "unit") continue;
      for (const [level, n] of Object.entries(command.read)) sum[level as Level].read += n;
      for (const [level, n] of Object.entries(command.write)) sum[level as Level].written += n;
    }
  return sum;
}

// ---------------------------------------------------------------------------------------------- 1

/** Cycles in which at least one of some rows is under way. */
function union(rows: readonly { readonly begin: number; readonly end: number }[]): number {
  let until = 0;
  let cycles = 0;
  for (const { begin, end } of rows.toSorted((a, b) => a.begin - b.begin)) {
    cycles += Math.max(0, end - Math.max(begin, until));
    until = Math.max(until, end);
  }
  return cycles;
}

/**
 * Busy, stalled and idle cycles of each unit are all cycles, and an engine is idle exactly while it has no command; what computes
 * and what moves, and the rest, are all cycles too.
 */
export const accounting: Check = ({ report }) => {
  const wrong: string[] = [];
  const { totalCycles: total } = report;
  const schedule = report.schedule ?? [];
  for (const u of report.units) {
    const rows = schedule.filter((r) => r.component === u.name);
    const parts = [u.busy, u.stalled, u.idle, ...Object.values(u.stalls)];
    if (parts.some((x) => !(x >= 0))) wrong.push(`${u.name}: ${parts} of cycles`);
    if (!same(u.busy + u.stalled + u.idle, total))
      wrong.push(`${u.name}: parts are not all of ${total} cycles`);
    if (
      !same(
        u.stalled,
        Object.values(u.stalls).reduce((a, b) => a + b, 0),
      )
    )
      wrong.push(`${u.name}: reasons are not all of ${u.stalled} stalled cycles`);
    if (!(u.utilization >= 0 && u.utilization <= 1)) wrong.push(`${u.name}: utilization ${u.utilization}`);
    if (u.done > 0 && u.kind !== "core" && !(u.utilization > 0))
      wrong.push(`${u.name}: works and is not used`);
    if (u.kind === "core") continue;
    if (u.done !== rows.length) wrong.push(`${u.name}: ${u.done} commands, ${rows.length} rows`);
    const given = union(rows.map((r) => ({ begin: r.issued, end: r.end })));
    if (!same(u.busy + u.stalled, given))
      wrong.push(`${u.name}: has commands in ${given} cycles, not ${u.busy + u.stalled}`);
  }
  for (const s of report.servers)
    if (!(s.busy >= 0 && s.utilization <= 1 + TOLERANCE))
      wrong.push(`${s.name}: utilization ${s.utilization}`);
  for (const u of [report.computeUtilization, report.memoryBandwidthUtilization])
    if (!(u >= 0 && u <= 1 + TOLERANCE)) wrong.push(`utilization ${u}`);
  const { computeCycles, memoryStallCycles, otherCycles } = report;
  if ([computeCycles, memoryStallCycles, otherCycles].some((x) => !(x >= 0)))
    wrong.push("parts of cycles below 0");
  if (!same(computeCycles + memoryStallCycles + otherCycles, total)) wrong.push("parts are not all cycles");
  const all = union(schedule.map((r) => ({ begin: r.cycle, end: r.end })));
  if (!same(computeCycles + memoryStallCycles, all)) wrong.push(`something is under way in ${all} cycles`);
  const computing = union(
    schedule
      .filter((r) => r.op === "mma" || r.op === "unit" || r.op === "core")
      .map((r) => ({ begin: r.cycle, end: r.end })),
  );
  if (computeCycles > computing + TOLERANCE) wrong.push(`something computes in ${computing} cycles`);
  return wrong;
};

// ---------------------------------------------------------------------------------------------- 2

/** No run is faster than its multiply-accumulates and bytes at the rates of the machine. */
export const withinRates: Check = ({ trace, machine, report }) => {
  const wrong: string[] = [];
  const seconds = report.totalTimeUs * 1e-6;
  const { clocks, dram, l3, tile } = machine;
  let fabric = 0;
  let units = 0;
  for (const items of trace.tiles)
    for (const { command: c } of countedOut(items))
      if (c.kind === "mma") fabric += (c.m * c.n * c.k) / (tile.fabric.macs[c.dtype] ?? 0);
  for (const unit of UNITS)
    for (const kind of UNIT_WORK) {
      const commands = trace.tiles.flatMap((items) => [...countedOut(items)].map(({ command }) => command));
      const items = commands.reduce(
        (n, c) => n + (c.kind === "unit" && c.unit === unit ? (c.work[kind] ?? 0) : 0),
        0,
      );
      const { count, perCycle } = tile.units[unit];
      if (items > 0) units = Math.max(units, items / (count * tile.count * (perCycle[kind] ?? 0)));
    }
  const bytes = bytesOfTrace(trace);
  const all = (level: Level): number => bytes[level].read + bytes[level].written;
  const least = {
    multiplying: fabric / (tile.fabric.rows * tile.fabric.cols * tile.count) / clocks.fabric,
    "the work of units": units / clocks.control,
    "the bytes of dram": all("dram") / (dram.bytesPerCycle * dram.channels) / clocks.memory,
    "the bytes of l3": all("l3") / (l3.bytesPerCycle * l3.banks * l3.tiles) / clocks.control,
    "the bytes of l2": all("l2") / (tile.l2.bytesPerCycle * tile.l2.banks * tile.count) / clocks.control,
  };
  for (const [what, bound] of Object.entries(least))
    if (seconds < bound * (1 - TOLERANCE)) wrong.push(`${seconds} s, ${what} takes ${bound} s`);
  return wrong;
};

// ---------------------------------------------------------------------------------------------- 3

/** Bytes of dram that transfers touch, each counted once. */
function distinct(ends: readonly ScheduleEnd[]): number {
  const intervals = ends.flatMap(({ address, runs }) =>
    Array.from({ length: runs.count }, (_, r) => {
      const begin = address + r * runs.stride;
      return { begin, end: begin + runs.bytes };
    }),
  );
  return union(intervals);
}

/** Traffic of each level is that of the commands, and at least every byte that they touch, once. */
export const traffic: Check = ({ trace, report }) => {
  const wrong: string[] = [];
  const asked = bytesOfTrace(trace);
  for (const level of ["dram", "l3", "l2", "local"] as const)
    for (const way of ["read", "written"] as const)
      if (report.traffic[level][way] !== asked[level][way])
        wrong.push(`${level}: ${report.traffic[level][way]} bytes ${way}, commands say ${asked[level][way]}`);
  const schedule = report.schedule ?? [];
  const reads = schedule.flatMap(({ src }) => (src?.level === "dram" ? [src] : []));
  const writes = schedule.flatMap(({ dst }) => (dst?.level === "dram" ? [dst] : []));
  if (report.traffic.dram.read < distinct(reads)) wrong.push("dram: less read than is touched");
  if (report.traffic.dram.written < distinct(writes)) wrong.push("dram: less written than is touched");
  return wrong;
};

// ---------------------------------------------------------------------------------------------- 4

/** No unit does two things at once, and nothing that is shared serves more than its rate in any stretch of time. */
export const exclusive: Check = ({ machine, report }) => {
  const wrong: string[] = [];
  const schedule = report.schedule ?? [];
  for (const u of report.units) {
    const rows = schedule.filter((r) => r.component === u.name).toSorted((a, b) => a.cycle - b.cycle);
    const window = u.kind === "dma" ? machine.dma.window : u.kind === "fabric" ? Infinity : 1;
    rows.forEach((row, i) => {
      const before = rows[i - window];
      if (before !== undefined && row.cycle < before.end - TOLERANCE)
        wrong.push(`${u.name}: ${window + 1} at once at cycle ${row.cycle}`);
      const last = rows[i - 1];
      if (last !== undefined && row.end < last.end - TOLERANCE) wrong.push(`${u.name}: ends out of order`);
    });
  }
  const { control, memory } = machine.clocks;
  const { dram, l3, tile } = machine;
  const inClock = report.clock.hz;
  const rates: readonly (readonly [string, number, (r: ScheduleRow) => number])[] = [
    ["dram", (dram.channels * dram.bytesPerCycle * memory) / inClock, (r) => moved(r, "dram")],
    ["l3", (l3.tiles * l3.banks * l3.bytesPerCycle * control) / inClock, (r) => moved(r, "l3")],
    ...Array.from(
      { length: tile.count },
      (_, t) =>
        [
          `l2 of tile ${t}`,
          (tile.l2.banks * tile.l2.bytesPerCycle * control) / inClock,
          (r: ScheduleRow) => (r.tile === t ? moved(r, "l2") : 0),
        ] as const,
    ),
  ];
  for (const [what, rate, bytes] of rates) {
    const rows = schedule.filter((r) => bytes(r) > 0).toSorted((a, b) => a.end - b.end);
    // All that begins and ends between two moments has been served between them.
    for (const { cycle: begin } of rows) {
      let served = 0;
      for (const row of rows) {
        if (row.cycle < begin) continue;
        served += bytes(row);
        if (served > rate * (row.end - begin) * (1 + TOLERANCE))
          wrong.push(`${what}: ${served} bytes between ${begin} and ${row.end}`);
      }
    }
  }
  return wrong;
};

function moved({ src, dst }: ScheduleRow, level: Level): number {
  return [src, dst].reduce((sum, end) => sum + (end?.level === level ? bytesOf(end.runs) : 0), 0);
}

/**
 * Each command of the trace has one row, with its addresses, and as many bytes out as in unless it changes them. It begins when
 * what it comes after has ended, and is issued when its core has waited for all that stands before it. A core takes time to issue.
 */
export const ordered: Check = ({ trace, machine, report }) => {
  if (machine.tile.commands.issue < 1) throw new TypeError("rows are told apart by when they are issued");
  const wrong: string[] = [];
  // Barriers of each tile: when the core came to each at the earliest, and the first that it issued behind it.
  const arrived: number[][] = [];
  const left: number[][] = [];
  trace.tiles.forEach((items, tile) => {
    const rows = (report.schedule ?? [])
      .filter((r) => r.tile === tile)
      .toSorted((a, b) => a.issued - b.issued);
    const given = rows.filter((r) => r.op !== "core");
    const own = rows.filter((r) => r.op === "core");
    const ends = new Map<number, number>();
    let next = 0;
    let core = 0;
    arrived[tile] = [];
    left[tile] = [];
    for (const { command, rounds } of countedOut(items)) {
      if (command.kind === "wait") core = Math.max(core, ends.get(command.event) ?? Infinity);
      if (command.kind === "barrier") arrived[tile].push(core);
      if (!isEngine(command) && command.kind !== "core") continue;
      next++;
      const row = (command.kind === "core" ? own : given).shift();
      const name = `${command.kind} ${next} of tile ${tile}`;
      if (row === undefined) {
        wrong.push(`${name}: has no row`);
        continue;
      }
      if (row.issued < core - TOLERANCE)
        wrong.push(`${name}: issued at ${row.issued}, its core is busy or waits until ${core}`);
      core = Math.max(core, command.kind === "core" ? row.end : row.issued);
      while (left[tile].length < arrived[tile].length) left[tile].push(row.issued);
      if (row.at !== command.at) wrong.push(`${name}: is another statement`);
      if (row.cycle < row.issued || row.end < row.cycle)
        wrong.push(`${name}: begins before it is issued, or ends before`);
      if (!isEngine(command)) continue;
      if (command.kind === "move") wrong.push(...sameEnd(name, row.src, command.src, rounds));
      if (command.kind === "move" || command.kind === "fill")
        wrong.push(...sameEnd(name, row.dst, command.dst, rounds));
      if (row.src !== undefined && row.dst !== undefined && (row.op === "identity" || row.op === "transpose"))
        if (bytesOf(row.src.runs) !== bytesOf(row.dst.runs)) wrong.push(`${name}: other bytes out than in`);
      for (const event of command.after ?? [])
        if (row.cycle < (ends.get(event) ?? Infinity) - TOLERANCE)
          wrong.push(`${name}: begins before event ${event}`);
      if (command.signal !== undefined) ends.set(command.signal, row.end);
    }
    if (rows.length > next) wrong.push(`tile ${tile}: ${rows.length} rows for ${next} commands`);
  });
  left.forEach((times, tile) => {
    times.forEach((time, barrier) => {
      const last = Math.max(...arrived.map((a) => a[barrier] ?? 0));
      if (time < last - TOLERANCE)
        wrong.push(`tile ${tile}: passes barrier ${barrier} at ${time}, others come at ${last}`);
    });
  });
  return wrong;
};

function sameEnd(name: string, is: ScheduleEnd | undefined, end: End, rounds: readonly number[]): string[] {
  const address = addressIn(end.at, rounds);
  if (is?.level === end.level && is.address === address && bytesOf(is.runs) === bytesOf(end.runs)) return [];
  return [`${name}: is at ${is?.level} ${is?.address}, expected ${end.level} ${address}`];
}

/** Products on a fabric begin as far apart as its registers need. */
export const spaced: Check = ({ trace, machine, report }) => {
  const wrong: string[] = [];
  const perCycle = report.clock.hz / machine.clocks.fabric;
  trace.tiles.forEach((items, tile) => {
    const rows = (report.schedule ?? []).filter((r) => r.tile === tile && r.op === "mma");
    const products = [...countedOut(items)].flatMap(({ command }) =>
      command.kind === "mma" ? [command] : [],
    );
    products.forEach((product, i) => {
      const [before, previous, row] = [products[i - 1], rows[i - 1], rows[i]];
      if (before === undefined || previous === undefined || row === undefined) return;
      const apart = initiationInterval(before, product, machine.tile.fabric, report.fabricModel) * perCycle;
      if (row.cycle < previous.cycle + apart * (1 - TOLERANCE))
        wrong.push(
          `tile ${tile}: products ${i - 1} and ${i} are ${row.cycle - previous.cycle} cycles apart, not ${apart}`,
        );
    });
  });
  return wrong;
};

/** Of a program whose buffers are its own: nothing is written while another transfer of its tile reads or writes it. */
export const buffersLiveOnce: Check = ({ report }) => {
  const wrong: string[] = [];
  const uses = (report.schedule ?? []).flatMap((row) => [
    ...(row.src === undefined ? [] : [{ row, end: row.src, writes: false }]),
    ...(row.dst === undefined ? [] : [{ row, end: row.dst, writes: true }]),
  ]);
  for (const a of uses) {
    if (!a.writes || a.end.level === "l1") continue;
    for (const b of uses) {
      if (a.row === b.row || a.end.level !== b.end.level) continue;
      const isOfTile = a.end.level === "l2" || a.end.level === "local";
      if (isOfTile && a.row.tile !== b.row.tile) continue;
      const meet = a.row.cycle < b.row.end && b.row.cycle < a.row.end;
      if (meet && overlap(a.end, b.end))
        wrong.push(
          `${a.end.level} ${a.end.address}: ${a.row.component} and ${b.row.component} at ${a.row.cycle}`,
        );
    }
  }
  return wrong;
};

function overlap(a: ScheduleEnd, b: ScheduleEnd): boolean {
  const runs = ({ address, runs: { count, bytes, stride } }: ScheduleEnd) =>
    Array.from({ length: count }, (_, r) => [address + r * stride, address + r * stride + bytes] as const);
  const theirs = runs(b);
  return runs(a).some(([low, high]) => theirs.some(([l, h]) => low < h && l < high));
}

// ---------------------------------------------------------------------------------------------- 6 and 8

/** The same trace on the same machine has the same report. */
export const deterministic: Check = ({ trace, machine, report }) =>
  JSON.stringify(runOf(trace, machine).report) === JSON.stringify(report)
    ? []
    : ["another run has another report"];

/** Nothing outside the memories of the machine is touched. */
export const inCapacity: Check = ({ machine, report }) =>
  (report.schedule ?? []).flatMap(({ src, dst, component, cycle }) =>
    [src, dst].flatMap((end) => {
      if (end === undefined || end.level === "l1") return [];
      const { count, bytes, stride } = end.runs;
      const last = end.address + (count - 1) * stride;
      const [low, high] = [Math.min(end.address, last), Math.max(end.address, last) + bytes];
      return low >= 0 && high <= capacityOf(machine, end.level)
        ? []
        : [`${component} at ${cycle}: bytes ${low} to ${high} of ${end.level}`];
    }),
  );

/** All that hold for any trace, by name. */
export const INVARIANTS = {
  accounting,
  withinRates,
  traffic,
  exclusive,
  ordered,
  spaced,
  deterministic,
  inCapacity,
} as const satisfies Record<string, Check>;
