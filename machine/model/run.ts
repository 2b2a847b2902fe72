/** Times traces: all at once, or step by step. */
import { fail } from "../../ir/diagnostic.ts";
import type { Mode } from "../coverage.ts";
import type { FabricModel } from "../fabric.ts";
import type { MachineConfig } from "../schema.ts";
import type { Trace } from "../trace.ts";
import { checkTrace } from "../trace-verify.ts";
import { PowerMeter, type PowerSample } from "./power.ts";
import { compileTrace, Op, type Program } from "./program.ts";
import { Replay } from "./replay.ts";
import type { ClockName, CycleReport, FunctionalReport, PowerReport, Report } from "./report.ts";
import { MAX_ROWS, type MemoryAccess, memoryTrace, ScheduleRecorder, type ScheduleRow } from "./schedule.ts";
import { Core } from "./state.ts";
import { Steady } from "./steady.ts";
import { cycleReport, endOf, functionalReport, powerReport } from "./summary.ts";

export interface TimingOptions {
  /** What the fabric hides; `overlapped` if not given. */
  readonly fabricModel?: FabricModel;
  /** Clock whose cycles the report counts; `control` if not given. */
  readonly clock?: ClockName;
  /** Writes down what happened when. Loops are replayed round by round then. */
  readonly schedule?: boolean | { readonly maxRows: number };
  /** Cycles of a window of the power trace; 64 to 128 windows if not given. */
  readonly powerWindow?: number;
  /** Leaves out rounds of loops that must repeat, which gives the same results sooner; true if not given. */
  readonly skipLoops?: boolean;
}

type Timing = Exclude<Mode, "functional">;

/**
 * Times a trace on a machine. Mode `functional` only counts what the trace asks for; `cycle` gives time, stalls, traffic;
 * `power` gives energy too. The same trace and machine give the same report.
 *
 *     const report = timeTrace(trace, PRESETS.edge);
 *     report.totalCycles;               // of the control clock
 *     report.units[0].stalls;           // { dram: 1200, noc: 88 }
 *     timeTrace(trace, PRESETS.edge, { mode: "power" }).totalEnergyUj;
 *
 * @throws KPU9011 or KPU9012 when the trace is not well formed or does not fit the machine, KPU9013 when the schedule has too
 * many rows
 */
export function timeTrace(
  trace: Trace,
  machine: MachineConfig,
  options: TimingOptions & { readonly mode: "functional" },
): FunctionalReport;
export function timeTrace(
  trace: Trace,
  machine: MachineConfig,
  options: TimingOptions & { readonly mode: "power" },
): PowerReport;
export function timeTrace(
  trace: Trace,
  machine: MachineConfig,
  options?: TimingOptions & { readonly mode?: "cycle" },
): CycleReport;
export function timeTrace(
  trace: Trace,
  machine: MachineConfig,
  options: TimingOptions & { readonly mode: Timing },
): CycleReport | PowerReport;
export function timeTrace(
  trace: Trace,
  machine: MachineConfig,
  options?: TimingOptions & { readonly mode?: Mode },
): Report;
export function timeTrace(
  trace: Trace,
  machine: MachineConfig,
  { mode = "cycle", ...options }: TimingOptions & { readonly mode?: Mode } = {},
): Report {
  if (mode !== "functional") return new TraceRun(trace, machine, mode, options).runUntilComplete();
  checkTrace(trace, machine);
  return functionalReport(compileTrace(trace, machine, options.fabricModel));
}

/** What a core does at the moment: where it is in the program, and whether it works, waits, or has ended. */
export interface TileState {
  readonly at: number | undefined;
  readonly doing:
    | "issues"
    | "works"
    | "waits for an event"
    | "waits for a queue"
    | "waits for tiles"
    | "ended";
}

export interface RunState {
  /** Cycles that have passed. */
  readonly cycle: number;
  readonly complete: boolean;
  /** Commands that have begun so far, and commands of those that are under way. */
  readonly begun: number;
  readonly underWay: number;
  readonly tiles: readonly TileState[];
}

/**
 * A trace that is timed step by step.
 *
 *     const run = new TraceRun(trace, PRESETS.edge, "power", { schedule: true });
 *     run.step(1000);
 *     run.state().tiles[0].doing;   // "waits for an event"
 *     run.memoryTrace();            // accesses of DRAM until now
 *     run.runUntilComplete().totalCycles;
 *
 * @throws KPU9011 or KPU9012 when the trace is not well formed or does not fit the machine
 */
export class TraceRun<M extends Timing = Timing> {
  readonly mode: M;
  readonly #program: Program;
  readonly #options: TimingOptions;
  readonly #ticks: number;
  #replay: Replay;
  #steady: Steady | undefined;
  #recorder: ScheduleRecorder | undefined;
  #meter: PowerMeter | undefined;
  #now = 0;
  #complete = false;

  constructor(trace: Trace, machine: MachineConfig, mode: M, options: TimingOptions = {}) {
    checkTrace(trace, machine);
    this.mode = mode;
    this.#options = options;
    this.#program = compileTrace(trace, machine, options.fabricModel);
    this.#ticks = this.#program.clocks[options.clock ?? "control"];
    this.#replay = new Replay(this.#program);
    this.reset();
  }

  /** Back to before the first cycle. */
  reset(): void {
    const { schedule = false, skipLoops = true, powerWindow } = this.#options;
    const replay = new Replay(this.#program);
    this.#replay = replay;
    this.#recorder =
      schedule === false
        ? undefined
        : new ScheduleRecorder(this.#program, this.#ticks, schedule === true ? MAX_ROWS : schedule.maxRows);
    replay.watcher = this.#recorder;
    this.#steady = skipLoops && this.#recorder === undefined ? new Steady(replay) : undefined;
    replay.hook = this.#steady;
    const width = powerWindow === undefined ? undefined : powerWindow * this.#ticks;
    this.#meter = this.mode === "power" ? new PowerMeter(replay, width) : undefined;
    this.#now = 0;
    this.#complete = false;
  }

  /** Goes on by so many cycles; less when the trace ends before. True when it has ended. */
  step(cycles: number): boolean {
    return this.#runTo(this.#now + cycles * this.#ticks);
  }

  /** Goes on to the end. */
  runUntilComplete(): M extends "power" ? PowerReport : CycleReport;
  runUntilComplete(): CycleReport | PowerReport {
    this.#runTo(Infinity);
    const extras = {
      clock: this.#options.clock ?? "control",
      skippedRounds: this.#steady?.skipped ?? 0,
      schedule: this.#recorder?.rows,
    } as const;
    return this.#meter === undefined
      ? cycleReport(this.#replay, extras)
      : powerReport(this.#replay, extras, this.#meter);
  }

  state(): RunState {
    const { state, program, places } = this.#replay;
    const { tiles, commands } = program;
    let begun = 0;
    for (let c = 0; c < commands.length; c++) begun += state.counters[places.begun + c]!;
    let underWay = 0;
    for (const unit of state.units) underWay += (unit.middle - unit.head) | 0;
    return {
      cycle: this.#now / this.#ticks,
      complete: this.#complete,
      begun,
      underWay,
      tiles: Array.from({ length: tiles }, (_, t) => ({
        at: this.#locationOf(state.pc[t]!),
        doing: DOING[state.mode[t]!]!,
      })),
    };
  }

  /** Power of the windows that have passed. @throws KPU9014 in a run of mode `cycle` */
  powerTrace(): readonly PowerSample[] {
    return (
      this.#meter?.samples(this.#ticks) ??
      fail("KPU9014", "a run of mode cycle has no power trace", { help: 'make the run with mode "power"' })
    );
  }

  /** What has begun. @throws KPU9014 in a run without a schedule */
  schedule(): readonly ScheduleRow[] {
    return (
      this.#recorder?.rows ??
      fail("KPU9014", "this run does not write down a schedule", {
        help: "make the run with the option `schedule: true`",
      })
    );
  }

  /** Accesses of DRAM that have begun. @throws KPU9014 in a run without a schedule */
  memoryTrace(): readonly MemoryAccess[] {
    return memoryTrace(this.schedule());
  }

  #runTo(until: number): boolean {
    const meter = this.#meter;
    while (!this.#complete) {
      const next = Math.min(until, meter?.next() ?? Infinity);
      this.#complete = this.#replay.run(next);
      this.#now = this.#complete ? endOf(this.#replay) : next;
      if (this.#complete) this.#assertEnded();
      if (meter !== undefined && (this.#complete || next === meter.next())) meter.take(this.#now);
      if (next === until) break;
    }
    return this.#complete;
  }

  /** A trace that is well formed always ends: what a command waits for was issued before it. */
  #assertEnded(): void {
    const { mode } = this.#replay.state;
    const tile = mode.findIndex((m) => m !== Core.halted);
    if (tile >= 0) throw new TypeError(`tile ${tile} never ends: it ${DOING[mode[tile]!]!}`);
  }

  /** The statement that a core is at. */
  #locationOf(pc: number): number | undefined {
    const { ops, args, commands, works } = this.#program;
    const arg = args[pc]!;
    switch (ops[pc]) {
      case Op.issue:
        return commands[arg]!.item.at;
      case Op.work:
        return works[arg]!.item.at;
      default:
        return undefined;
    }
  }
}

/** By the numbers of `Core`. */
const DOING: { readonly [mode: number]: TileState["doing"] } = {
  [Core.runs]: "issues",
  [Core.issued]: "issues",
  [Core.works]: "works",
  [Core.waitsForEvent]: "waits for an event",
  [Core.waitsForQueue]: "waits for a queue",
  [Core.waitsForTiles]: "waits for tiles",
  [Core.halted]: "ended",
};
