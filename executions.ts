/**
 * The two executions of a kernel, wired: `check` (the one checker of both), `simulate` (direct), `build` (compiled); and what
 * the compiled one costs: `timeKernel`, `stepKernel`, `traceKernel`.
 */
import { changedDiagnostic, findChanged, present } from "./capture/index.ts";
import { type CompiledKernel, compileKernel } from "./codegen/index.ts";
import {
  type HostParams,
  installExecutions,
  type Kernel,
  type KernelRecord,
  type ParamDecl,
  recordOf,
} from "./dsl/kernel.ts";
import { type Diagnostic, fail, installPresentation, KpuError, presenting } from "./ir/diagnostic.ts";
import { printKernel } from "./ir/print.ts";
import { resolveTarget, type Target, type TargetName } from "./ir/target.ts";
import { type LoweredKernel, lowerKernel } from "./lowering/index.ts";
import type { Mode } from "./machine/coverage.ts";
import type { Report } from "./machine/model/report.ts";
import type { TraceRun } from "./machine/model/run.ts";
import { targetOf } from "./machine/target.ts";
import type { Trace } from "./machine/trace.ts";
import { type SimulateOptions, type SimulationReport, simulateKernel } from "./pysim/index.ts";
import { KpuProgram } from "./runtime/index.ts";
import {
  type CallOptions,
  type InMode,
  machineOf,
  stepProgram,
  type TimeOptions,
  timeProgram,
  traceProgram,
} from "./runtime/timing.ts";

/** A kernel as callers hold it: made by `kernel()`, or a static method under `@kernel`. */
export type AnyKernel = Kernel<readonly ParamDecl[]> | ((...args: never[]) => unknown);

export interface BuildOptions {
  /** The machine to compile for. Default: "edge". */
  readonly target?: TargetName | Target;
  /** Bounds, null and assertion checks that stop the program with the author's line. Default: true. */
  readonly checks?: boolean;
  /** Gets the KIR text after every pass, in order. */
  readonly dump?: (pass: Pass, text: string) => void;
}

/** The passes of a build: the walk, range analysis, tidying, legalisation. */
export const PASSES = ["open", "virtual", "tidy", "machine"] as const;
export type Pass = (typeof PASSES)[number];

export type { SimulateOptions };

/** The record behind a kernel; anything else is refused. */
export function kernelRecord(kernel: unknown): KernelRecord {
  return (
    recordOf(kernel) ??
    fail(
      "KPU6008",
      `expected a kernel, got ${typeof kernel === "function" ? `function ${kernel.name}` : typeof kernel}`,
      {
        help: "declare it: kernel([...], function name(...) { ... }), or @kernel([...]) on a static method",
      },
    )
  );
}

/**
 * Checks a kernel without running it and returns every finding; an empty list means that both executions accept it.
 * Example: `check(saxpy).length === 0`.
 */
export function check(
  kernel: AnyKernel,
  options: { readonly target?: TargetName | Target } = {},
): readonly Diagnostic[] {
  const record = presenting(() => kernelRecord(kernel));
  try {
    lowerKernel(record, { target: resolveTarget(options.target) });
    return [];
  } catch (error) {
    if (error instanceof KpuError) return error.diagnostics;
    throw error;
  }
}

/**
 * Runs a kernel directly, as plain JavaScript, with all checks, and reports what the simulation saw.
 * Example: `simulate(saxpy, [xs, ys, 2, 1000], { tiles: 2, policy: "random", seed: 7 })`.
 */
export function simulate(
  kernel: AnyKernel,
  args: readonly unknown[],
  options: SimulateOptions = {},
): SimulationReport {
  return presenting(() => simulateRecord(kernelRecord(kernel), args, options));
}

/**
 * Compiles a kernel: its running source to KIR to a KPU program. The program gives the same bits as the direct call.
 * Example: `build(saxpy).run(xs, ys, 2, 1000)`.
 */
export function build<P extends readonly ParamDecl[]>(
  kernel: Kernel<P>,
  options?: BuildOptions,
): KpuProgram<HostParams<P>>;
export function build(kernel: AnyKernel, options?: BuildOptions): KpuProgram;
export function build(kernel: AnyKernel, options: BuildOptions = {}): KpuProgram {
  return presenting(() => {
    const record = kernelRecord(kernel);
    const target = resolveTarget(options.target);
    const { dump } = options;
    if (dump) lowerKernel(record, { target, dump: (pass, k) => dump(pass, printKernel(k)) });
    const compiled = compiledOf(record, target, options.checks ?? true);
    dump?.("machine", printKernel(compiled.machine));
    return new KpuProgram(compiled);
  });
}

/** Compiled once per record, target and choice of checks, as it is lowered once. */
const compiledKernels = new WeakMap<LoweredKernel, Map<boolean, CompiledKernel>>();

function compiledOf(record: KernelRecord, target: Target, checks: boolean): CompiledKernel {
  const lowered = checked(record, target);
  let known = compiledKernels.get(lowered);
  if (known === undefined) compiledKernels.set(lowered, (known = new Map()));
  const before = known.get(checks);
  if (before !== undefined) return before;
  const { description } = record;
  const made = compileKernel(lowered.kernel, { target, checks, description });
  known.set(checks, made);
  return made;
}

/**
 * The command trace of a call: what every run with these arguments asks of a machine. Nothing is executed.
 * Example: `traceKernel(saxpy, [{ shape: [1000] }, { shape: [1000] }, 2, 1000])`.
 *
 * @param kernel a kernel, which is built for `target`, or a program
 * @param args what a call takes; an array may be `{ shape: [rows, cols] }`, since time does not depend on what it holds
 * @throws KPU9020 where the commands depend on data
 */
export function traceKernel(
  kernel: AnyKernel | KpuProgram,
  args: readonly unknown[],
  { target, ...o }: CallOptions & Pick<BuildOptions, "target"> = {},
): Trace {
  const program = isProgram(kernel) ? kernel : build(kernel, target === undefined ? {} : { target });
  return traceProgram(program, args, o);
}

/**
 * Times a call on a machine, without executing it: cycles, what each unit waited for, bytes of each level; in mode `power` energy, too.
 * Example: `timeKernel(saxpy, [xs, ys, 2, 1000], { machine: "t64" }).totalCycles`.
 *
 * @param kernel a kernel, which is built for the machine, or a program
 * @param args what a call takes; an array may be `{ shape: [rows, cols] }`
 * @throws KPU9005 for a machine that is none, KPU9012 for a machine on which the program does not fit, KPU9020 where the commands
 * depend on data
 */
export function timeKernel<M extends Mode = "cycle">(
  kernel: AnyKernel | KpuProgram,
  args: readonly unknown[],
  o?: TimeOptions & InMode<M>,
): Extract<Report, InMode<M>>;
export function timeKernel(
  kernel: AnyKernel | KpuProgram,
  args: readonly unknown[],
  o: TimeOptions & InMode<Mode> = {},
): Report {
  return timeProgram(...onMachine(kernel, args, o));
}

/**
 * A call that is timed step by step. Example: `stepKernel(saxpy, [xs, ys, 2, 1000]).step(100)`.
 *
 * @throws what {@link timeKernel} does
 */
export function stepKernel<M extends Exclude<Mode, "functional"> = "cycle">(
  kernel: AnyKernel | KpuProgram,
  args: readonly unknown[],
  o?: TimeOptions & InMode<M>,
): TraceRun<M>;
export function stepKernel(
  kernel: AnyKernel | KpuProgram,
  args: readonly unknown[],
  o: TimeOptions & InMode<Exclude<Mode, "functional">> = {},
): TraceRun {
  return stepProgram(...onMachine(kernel, args, o));
}

/** What is timed: a kernel is built for the machine that it is timed on. */
function onMachine<O extends TimeOptions>(
  kernel: AnyKernel | KpuProgram,
  args: readonly unknown[],
  o: O,
): [program: KpuProgram, args: readonly unknown[], o: O] {
  if (isProgram(kernel)) return [kernel, args, o];
  const machine = presenting(() => machineOf(o.machine ?? resolveTarget(undefined).name));
  return [build(kernel, { target: targetOf(machine) }), args, { ...o, machine }];
}

function isProgram(x: AnyKernel | KpuProgram): x is KpuProgram {
  return x instanceof KpuProgram;
}

/** The memoised checker; refuses when a captured value changed since (KPU2003). */
function checked(record: KernelRecord, target: Target): LoweredKernel {
  const lowered = lowerKernel(record, { target });
  const changed = findChanged(lowered.frozen);
  if (changed !== undefined) throw new KpuError([changedDiagnostic(changed)]);
  return lowered;
}

function simulateRecord(
  record: KernelRecord,
  args: readonly unknown[],
  options: SimulateOptions,
): SimulationReport {
  const target = resolveTarget(options.target);
  return simulateKernel(record, checked(record, target), args, { ...options, target });
}

installPresentation(present);
installExecutions({
  call: (record, args) => {
    presenting(() => simulateRecord(record, args, {}));
  },
});
