/**
 * What a call of a program costs on a machine: its command trace, timed. The call is not executed, and time does not depend on what
 * arrays hold, so an array may be given by its shape alone.
 */
import { fail, presenting } from "../ir/diagnostic.ts";
import { bytesOf } from "../ir/dtype.ts";
import { bindArguments } from "../ir/hostargs.ts";
import type { TargetName } from "../ir/target.ts";
import { checkMachine } from "../machine/check.ts";
import { MODES, type Mode } from "../machine/coverage.ts";
import { FABRIC_MODELS } from "../machine/fabric.ts";
import type { Report } from "../machine/model/report.ts";
import { type TimingOptions, TraceRun, timeTrace } from "../machine/model/run.ts";
import { PRESET_NAMES, PRESETS } from "../machine/presets/index.ts";
import type { MachineConfig } from "../machine/schema.ts";
import type { Trace } from "../machine/trace.ts";
import type { KpuProgram } from "./program.ts";
import { deriveTrace, type TraceArgument } from "./trace/index.ts";

/** An array of the parameter's dtype that is not there: time needs its size. */
export interface ShapeOnly {
  readonly shape: readonly number[];
}

export interface CallOptions {
  /** Tiles that the call runs on. Default: those of the program's target. */
  readonly tiles?: number;
}

export interface TimeOptions extends CallOptions, TimingOptions {
  /** A preset by its name, or a machine of one's own. Default: the preset that is named as the program's target. */
  readonly machine?: MachineConfig | TargetName;
}

/** What a mode gives is known where the mode is. */
export interface InMode<M extends Mode> {
  readonly mode?: M;
}

const CLOCK_NAMES = [
  "control",
  "fabric",
  "memory",
] as const satisfies readonly (keyof MachineConfig["clocks"])[];
const CALL_OPTIONS = ["tiles"] as const satisfies readonly (keyof CallOptions)[];
const TIME_OPTIONS = [
  ...CALL_OPTIONS,
  "machine",
  "mode",
  "fabricModel",
  "clock",
  "schedule",
  "powerWindow",
  "skipLoops",
] as const satisfies readonly (keyof TimeOptions | "mode")[];

/**
 * The command trace of a call: what every run with these arguments asks of a machine, whatever its arrays hold. Arrays lie in
 * DRAM one behind the other, also those that overlap in the host's memory. `kpu-dsl/machine` prints traces and times them on any machine.
 *
 * @param args what `program.run` takes; an array may be `{ shape: [rows, cols] }`
 * @throws KPU6001 to KPU6004 for arguments that the program does not take, KPU9020 where commands depend on data, KPU9021
 * where there are too many
 * @example traceProgram(program, [{ shape: [1000] }, { shape: [1000] }, 2, 1000])
 */
export function traceProgram(program: KpuProgram, args: readonly unknown[], o: CallOptions = {}): Trace {
  return presenting(() => {
    checkKeys("a trace", o, CALL_OPTIONS);
    return traceOf(program, args, o.tiles);
  });
}

/**
 * Times a call. Mode `functional` only counts commands and bytes, `cycle` (default) gives cycles, stalls and traffic, `power` energy
 * too: see {@link Report}.
 *
 * @param args what `program.run` takes; an array may be `{ shape: [rows, cols] }`
 * @throws what {@link traceProgram} does; KPU6006 for an option that is not valid, KPU9005 for a machine that is none,
 * KPU9012 for one on which the program does not fit, KPU9013 for a schedule that is too long
 * @example timeProgram(program, [xs, ys, 2, 1000], { machine: "t64", mode: "power" }).totalEnergyUj
 */
export function timeProgram<M extends Mode = "cycle">(
  program: KpuProgram,
  args: readonly unknown[],
  o?: TimeOptions & InMode<M>,
): Extract<Report, InMode<M>>;
export function timeProgram(
  program: KpuProgram,
  args: readonly unknown[],
  o: TimeOptions & InMode<Mode> = {},
): Report {
  return presenting(() => {
    checkOptions(o, MODES);
    const { trace, machine } = onMachine(program, args, o);
    return timeTrace(trace, machine, o);
  });
}

/**
 * A call that is timed step by step: `step(cycles)`, `state()`, `powerTrace()`, `memoryTrace()`, `runUntilComplete()`, `reset()`.
 *
 * @throws what {@link timeProgram} does
 * @example
 * const run = stepProgram(program, [xs, ys, 2, 1000], { schedule: true });
 * while (!run.step(100)) console.log(run.state().tiles[0].doing);
 */
export function stepProgram<M extends Exclude<Mode, "functional"> = "cycle">(
  program: KpuProgram,
  args: readonly unknown[],
  o?: TimeOptions & InMode<M>,
): TraceRun<M>;
export function stepProgram(
  program: KpuProgram,
  args: readonly unknown[],
  o: TimeOptions & InMode<Exclude<Mode, "functional">> = {},
): TraceRun {
  return presenting(() => {
    checkOptions(o, ["cycle", "power"]);
    const { trace, machine } = onMachine(program, args, o);
    return new TraceRun(trace, machine, o.mode ?? "cycle", o);
  });
}

/**
 * A machine as options give it, checked.
 * @throws KPU6006 there is no such preset, KPU9005 what is wrong with a machine of one's own
 */
export function machineOf(given: MachineConfig | string): MachineConfig {
  if (typeof given === "string") {
    const preset = PRESET_NAMES.find((name) => name === given);
    if (preset !== undefined) return PRESETS[preset];
    return fail("KPU6006", `unknown machine "${given}"`, {
      help: `use one of ${PRESET_NAMES.join(", ")}, or give a configuration`,
    });
  }
  return Object.values(PRESETS).includes(given) ? given : checkMachine(given);
}

/** The machine that a program is built for, where that is a preset. */
export function ownMachine(program: KpuProgram): MachineConfig {
  const { name } = program.compiled.target;
  const preset = PRESET_NAMES.find((p) => p === name);
  if (preset !== undefined) return PRESETS[preset];
  return fail("KPU6006", `${program.name} is built for "${name}", which is the name of no preset`, {
    help: "give the machine: { machine }",
  });
}

function onMachine(program: KpuProgram, args: readonly unknown[], o: TimeOptions) {
  const machine = o.machine === undefined ? ownMachine(program) : machineOf(o.machine);
  const trace = traceOf(program, args, o.tiles);
  const tiles = trace.tiles.length;
  if (tiles > machine.tile.count)
    fail("KPU9012", `${program.name} runs on ${tiles} tiles, ${machine.name} has ${machine.tile.count}`, {
      help: `give { tiles: ${machine.tile.count} }, or a machine with more`,
    });
  return { trace, machine };
}

function traceOf(program: KpuProgram, args: readonly unknown[], tiles: number | undefined): Trace {
  const { target, machine } = program.compiled;
  if (tiles !== undefined && !(Number.isInteger(tiles) && tiles >= 1))
    fail("KPU6006", `tiles must be an integer from 1, got ${tiles}`);
  return deriveTrace(machine, sizesOf(program, args), { tiles: tiles ?? target.tiles });
}

/** The arguments as time sees them, checked as those of a run are. */
export function sizesOf({ name, params }: KpuProgram, args: readonly unknown[]): readonly TraceArgument[] {
  const shapes = args.map((a, i) => (params[i]?.pointer === true && isShape(a) ? a.shape : undefined));
  const given = args.map((a, i) => (shapes[i] === undefined ? a : null));
  return bindArguments(name, params, given).map((bound, i): TraceArgument => {
    const shape = shapes[i];
    if (shape !== undefined) {
      if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0))
        fail("KPU6002", `${name}: argument ${params[i]?.name} has a shape that is no list of sizes`, {
          help: "give it a shape like [2, 3]",
        });
      const bytes = bytesOf(
        params[i]!.dtype,
        shape.reduce((n, d) => n * d, 1),
      );
      if (!Number.isSafeInteger(bytes))
        fail("KPU6002", `${name}: argument ${params[i]?.name} has more bytes than there are addresses`);
      return { bytes };
    }
    if (bound.kind === "scalar") return bound.value;
    return bound.isNull ? null : { bytes: bound.byteLength };
  });
}

/** A tensor has data, too. */
function isShape(a: unknown): a is ShapeOnly {
  return typeof a === "object" && a !== null && "shape" in a && Array.isArray(a.shape) && !("data" in a);
}

function checkOptions(o: TimeOptions & InMode<Mode>, modes: readonly Mode[]): void {
  checkKeys("timing", o, TIME_OPTIONS);
  checkName("mode", o.mode, modes);
  checkName("fabricModel", o.fabricModel, FABRIC_MODELS);
  checkName("clock", o.clock, CLOCK_NAMES);
  if (o.powerWindow !== undefined && !(o.powerWindow > 0))
    fail("KPU6006", `powerWindow must be a number of cycles above 0, got ${o.powerWindow}`);
}

function checkName(option: string, value: string | undefined, names: readonly string[]): void {
  if (value !== undefined && !names.includes(value))
    fail("KPU6006", `unknown ${option} "${value}"`, { help: `use ${names.join(", ")}` });
}

function checkKeys(what: string, o: object, known: readonly string[]): void {
  for (const key of Object.keys(o))
    if (!known.includes(key))
      fail("KPU6006", `${what} has no option "${key}"`, { help: `use ${known.join(", ")}` });
}
