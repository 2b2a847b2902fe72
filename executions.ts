/**
 * The two executions of a kernel, wired: `check` (the one checker of both), `simulate` (direct), `build` (compiled).
 */
import { changedDiagnostic, findChanged, present } from "./capture/index.ts";
import { compileKernel } from "./codegen/index.ts";
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
import { type SimulateOptions, type SimulationReport, simulateKernel } from "./pysim/index.ts";
import { KpuProgram } from "./runtime/index.ts";

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
    const lowered = checked(record, target);
    const compiled = compileKernel(lowered.kernel, {
      target,
      checks: options.checks ?? true,
      description: record.description,
    });
    dump?.("machine", printKernel(compiled.machine));
    return new KpuProgram(compiled);
  });
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
