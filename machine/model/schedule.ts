/** What happened when, row by row; and two views of it: the accesses of a memory, and a file for trace viewers. */
import { fail } from "../../ir/diagnostic.ts";
import type { Level, Runs } from "../trace.ts";
import { coreName, unitNames } from "./names.ts";
import type { CoreWork, EngineCommand, Place, Program } from "./program.ts";
import type { Watcher } from "./replay.ts";

export interface ScheduleEnd {
  readonly level: Level;
  /** Byte of the level, and the runs from there on. */
  readonly address: number;
  readonly runs: Runs;
}

export interface ScheduleRow {
  /** When its core issued it, when it began, and when it ended. */
  readonly issued: number;
  readonly cycle: number;
  readonly end: number;
  /** As `dma.0` or `tile.1.core`. */
  readonly component: string;
  /** What it does: `fill`, `mma`, `core`, or the transform of a transfer. */
  readonly op: string;
  readonly tile: number;
  readonly src?: ScheduleEnd;
  readonly dst?: ScheduleEnd;
  /** Index into the locations of the program. */
  readonly at: number;
}

/** Rows of a schedule if nothing else is said: some hundreds of megabytes. */
export const MAX_ROWS = 1_000_000;

/** Writes down each command when it begins. @throws KPU9013 at one row more than the limit */
export class ScheduleRecorder implements Watcher {
  readonly rows: ScheduleRow[] = [];
  readonly #names: readonly string[];
  readonly #ticks: number;
  readonly #limit: number;

  /** `ticks` are those of a cycle. */
  constructor(program: Program, ticks: number, limit: number) {
    this.#names = unitNames(program);
    this.#ticks = ticks;
    this.#limit = limit;
  }

  command(
    c: EngineCommand,
    unit: number,
    issued: number,
    begin: number,
    end: number,
    source: number,
    target: number,
  ): void {
    this.#add({
      issued: issued / this.#ticks,
      cycle: begin / this.#ticks,
      end: end / this.#ticks,
      component: this.#names[unit]!,
      op: c.item.kind === "move" ? c.item.transform : c.item.kind,
      tile: c.tile,
      ...(c.src === undefined ? {} : { src: endOf(c.src, source) }),
      ...(c.dst === undefined ? {} : { dst: endOf(c.dst, target) }),
      at: c.item.at,
    });
  }

  core({ item }: CoreWork, tile: number, begin: number, end: number): void {
    this.#add({
      issued: begin / this.#ticks,
      cycle: begin / this.#ticks,
      end: end / this.#ticks,
      component: coreName(tile),
      op: "core",
      tile,
      at: item.at,
    });
  }

  #add(row: ScheduleRow): void {
    if (this.rows.length >= this.#limit)
      fail("KPU9013", `the schedule has more than ${this.#limit} rows`, {
        help: "give a greater limit with `schedule: { maxRows }` or --max-rows, time a smaller problem, or leave the schedule out",
      });
    this.rows.push(row);
  }
}

function endOf({ level, runs }: Place, address: number): ScheduleEnd {
  return { level, address, runs };
}

export interface MemoryAccess {
  /** When the transfer begins. */
  readonly cycle: number;
  readonly kind: "read" | "write";
  readonly address: number;
  readonly bytes: number;
}

/**
 * The runs that transfers read and write of a level. What cores read and write themselves has no addresses.
 * @throws KPU9013 when there are more than a million
 */
export function memoryTrace(schedule: readonly ScheduleRow[], level: Level = "dram"): MemoryAccess[] {
  const accesses: MemoryAccess[] = [];
  const add = (kind: "read" | "write", cycle: number, end: ScheduleEnd | undefined): void => {
    if (end?.level !== level) return;
    const { count, bytes, stride } = end.runs;
    if (accesses.length + count > MAX_ROWS)
      fail("KPU9013", `the memory trace has more than ${MAX_ROWS} accesses`, {
        help: "time a smaller problem, or leave the memory trace out",
      });
    for (let r = 0; r < count; r++) accesses.push({ cycle, kind, address: end.address + r * stride, bytes });
  };
  for (const { cycle, src, dst } of schedule) {
    add("read", cycle, src);
    add("write", cycle, dst);
  }
  return accesses;
}

/**
 * The schedule in the Trace Event Format, which chrome://tracing and ui.perfetto.dev show: a process for the engines that all
 * tiles share and one for each tile, a thread for each component, times in microseconds.
 *
 * @param hz of the clock that the schedule's cycles count
 * @param placeOf a location of the program as text, as `saxpy.ts:12:5`; without it the index of the location stands there
 */
export function chromeTrace(
  schedule: readonly ScheduleRow[],
  hz: number,
  placeOf: (at: number) => string | number = (at) => at,
): string {
  const us = (cycles: number): number => (cycles / hz) * 1e6;
  const threads = new Map<string, { readonly pid: number; readonly tid: number }>();
  const lines: string[] = [];
  const name = (what: "process_name" | "thread_name", pid: number, tid: number, text: string): void => {
    lines.push(JSON.stringify({ name: what, ph: "M", pid, tid, args: { name: text } }));
  };
  const thread = (component: string): { readonly pid: number; readonly tid: number } => {
    const known = threads.get(component);
    if (known !== undefined) return known;
    const [, tile, part] = /^tile\.(\d+)\.(.*)$/.exec(component) ?? [];
    const pid = tile === undefined ? 0 : Number(tile) + 1;
    const tid = threads.size + 1;
    if (![...threads.values()].some((t) => t.pid === pid))
      name("process_name", pid, 0, tile === undefined ? "shared engines" : `tile ${tile}`);
    name("thread_name", pid, tid, part ?? component);
    const made = { pid, tid };
    threads.set(component, made);
    return made;
  };
  for (const { component, op, cycle, end, issued, src, dst, at } of schedule) {
    const { pid, tid } = thread(component);
    lines.push(
      JSON.stringify({
        name: op,
        ph: "X",
        ts: us(cycle),
        dur: us(end - cycle),
        pid,
        tid,
        args: {
          issued: us(issued),
          at: placeOf(at),
          ...(src && { src: place(src) }),
          ...(dst && { dst: place(dst) }),
        },
      }),
    );
  }
  return `{"displayTimeUnit":"ns","traceEvents":[\n${lines.join(",\n")}\n]}\n`;
}

function place({ level, address, runs }: ScheduleEnd): string {
  const { count, bytes, stride } = runs;
  return `${level}[${address}] ${count === 1 ? "" : `${count} x `}${bytes}${count === 1 ? "" : ` every ${stride}`}`;
}
