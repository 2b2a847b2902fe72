/**
 * `checkEquivalence`: the property "direct and compiled give the same bits" on generated inputs, with fast-check as
 * the engine: seeds, replay by path, and shrinking.
 */
import { createRequire } from "node:module";
import type * as FastCheck from "fast-check";
import type { HostParams, Kernel, KernelRecord, ParamDecl } from "../dsl/kernel.ts";
import { type AnyKernel, build, kernelRecord, simulate } from "../executions.ts";
import { diagnostic, fail, KpuError, presenting } from "../ir/diagnostic.ts";
import { resolveTarget, type Target, type TargetName } from "../ir/target.ts";
import type { KpuProgram } from "../runtime/index.ts";
import { inputCases } from "./arbitrary.ts";
import { compareOutcomes, type Difference, observe } from "./compare.ts";
import { type Description, type Draw, descriptionOf, isDescribed } from "./inputs.ts";
import { type Counterexample, counterexampleText, explainDifference } from "./report.ts";

/** Where one input runs. */
export interface Configuration {
  readonly target: Target;
  readonly tiles: number;
}

/** What stands for the compiled execution, for programs that do not come from `build`. */
export type CompiledExecution = (
  args: readonly unknown[],
  o: Configuration & { readonly print: (line: string) => void },
) => void;

export interface EquivalenceOptions<P extends readonly ParamDecl[] = readonly ParamDecl[]> {
  /** How inputs are generated; default: what `describeInputs` declared, else derived from the signature. */
  readonly inputs?: (g: Draw) => HostParams<P>;
  /** Number of generated inputs. Default: 100. */
  readonly runs?: number;
  /** Same seed, same inputs. Default: 1. */
  readonly seed?: number;
  /** Replays one case, as a report prints it; with `seed`. */
  readonly path?: string;
  /** Default: edge and t64 (those that accept the kernel). */
  readonly targets?: readonly (TargetName | Target)[];
  /** Tile counts, each up to the target's. Default: 1, 2, 3 and all. */
  readonly tiles?: readonly number[];
  /** Default: `build(kernel, { target }).runWith(...)`. */
  readonly compiled?: CompiledExecution;
  readonly onProgress?: (done: number, runs: number) => void;
}

export interface EquivalenceReport {
  readonly kernel: string;
  readonly ok: boolean;
  readonly seed: number;
  /** Inputs generated; of these, compared in memory and output; and stopped alike by both executions. */
  readonly runs: number;
  readonly compared: number;
  readonly stopped: number;
  readonly counterexample?: Counterexample;
}

/**
 * Checks that direct and compiled execution of a kernel agree bit for bit on generated inputs (NaN equals NaN, -0
 * differs from 0), and throws KPU6011 with the smallest failing input otherwise.
 *
 *     checkEquivalence(saxpy, { runs: 500 });
 */
export function checkEquivalence<P extends readonly ParamDecl[]>(
  kernel: Kernel<P>,
  options?: EquivalenceOptions<P>,
): EquivalenceReport;
export function checkEquivalence(kernel: AnyKernel, options?: EquivalenceOptions): EquivalenceReport;
export function checkEquivalence(kernel: AnyKernel, options: EquivalenceOptions = {}): EquivalenceReport {
  return presenting(() => agreement(compareExecutions(kernel, options)));
}

function agreement(report: EquivalenceReport): EquivalenceReport {
  if (report.counterexample === undefined) return report;
  const found = diagnostic("KPU6011", counterexampleText(report.kernel, report.counterexample), {
    location: report.counterexample.directLocation ?? report.counterexample.compiledLocations[0],
    data: { counterexample: report.counterexample },
  });
  throw new KpuError([found]);
}

/** As {@link checkEquivalence}, but a difference is part of the report. */
export function compareExecutions(kernel: AnyKernel, options: EquivalenceOptions = {}): EquivalenceReport {
  return presenting(() => compare(kernel, options));
}

function compare(kernel: AnyKernel, options: EquivalenceOptions): EquivalenceReport {
  const record = kernelRecord(kernel);
  const runs = options.runs ?? 100;
  if (!Number.isSafeInteger(runs) || runs < 1)
    fail("KPU6006", `runs must be a positive integer, got ${runs}`);
  const seed = options.seed ?? 1;
  if (options.path !== undefined && !/^\d+(:\d+)*$/.test(options.path))
    fail("KPU6006", `path must be numbers with colons between, got "${options.path}"`, {
      help: "copy it from the report",
    });
  const describe: Description = options.inputs ?? descriptionOf(record);
  const programs = buildFor(kernel, options);
  const configurations = [...programs.keys()].flatMap((target) =>
    tileCounts(target, options.tiles).map((tiles) => ({ target, tiles })),
  );

  let done = 0;
  let compared = 0;
  let stopped = 0;
  const differenceOn = (args: readonly unknown[], where: Configuration): Difference | undefined => {
    const direct = observe(args, (own, print) => simulate(kernel, own, { ...where, print }));
    const compiled = observe(args, (own, print) => {
      if (options.compiled) options.compiled(own, { ...where, print });
      else (programs.get(where.target) as KpuProgram).runWith({ tiles: where.tiles, print }, ...own);
    });
    if (direct.error) stopped++;
    else compared++;
    return compareOutcomes(record, direct, compiled, where.tiles);
  };

  const fc = fastCheck();
  const cases = inputCases(fc, describe, configurations);
  // A bug of ours must come out as itself, not be shrunk as a difference.
  let broken: { readonly error: unknown } | undefined;
  const property = fc.property(cases, (input) => {
    if (broken !== undefined) return true;
    let difference: Difference | undefined;
    try {
      difference = differenceOn(input.args, input.where);
    } catch (error) {
      broken = { error };
      return true;
    }
    done++;
    if (done <= runs) options.onProgress?.(done, runs);
    return difference === undefined;
  });
  const { path } = options;
  const outcome = replaying(path, seed, () =>
    fc.check(property, { numRuns: runs, seed, ...(path === undefined ? {} : { path }) }),
  );
  if (broken !== undefined) throw (broken as { readonly error: unknown }).error;
  if (path !== undefined && done === 0) noSuchPath(path, seed);
  const base = { kernel: record.name, seed, runs: outcome.numRuns, compared, stopped };
  const failing = outcome.counterexample?.[0];
  if (!outcome.failed || failing === undefined) {
    if (compared === 0) refuseVacuous(record, stopped);
    return { ...base, ok: true };
  }
  const difference = differenceOn(failing.args, failing.where);
  if (difference === undefined) throw new TypeError(`${record.name}: a difference did not reproduce`);
  return {
    ...base,
    ok: false,
    counterexample: explainDifference(kernel, failing, difference, {
      seed,
      path: outcome.counterexamplePath ?? "",
    }),
  };
}

function refuseVacuous(record: KernelRecord, stopped: number): never {
  return fail(
    "KPU6010",
    `${record.name}: all ${stopped} generated inputs were stopped by an error, so nothing was compared`,
    {
      help: isDescribed(record)
        ? "its describeInputs(...) draws inputs that the kernel does not accept"
        : "declare its inputs: describeInputs(kernel, (g) => { const n = g.size(); return [g.array(f32, n), n]; })",
    },
  );
}

/** One program per target. Of the default targets, those that refuse the kernel are left out. */
function buildFor(kernel: AnyKernel, options: EquivalenceOptions): Map<Target, KpuProgram | undefined> {
  const programs = new Map<Target, KpuProgram | undefined>();
  let refused: unknown;
  for (const name of options.targets ?? (["edge", "t64"] as const)) {
    const target = resolveTarget(name);
    try {
      programs.set(target, options.compiled ? undefined : build(kernel, { target }));
    } catch (error) {
      if (!(error instanceof KpuError) || options.targets !== undefined) throw error;
      refused ??= error;
    }
  }
  if (programs.size === 0)
    throw refused ?? new KpuError([diagnostic("KPU6006", "targets must not be empty")]);
  return programs;
}

function tileCounts(target: Target, asked: readonly number[] | undefined): number[] {
  const counts = (asked ?? [1, 2, 3, target.tiles]).filter((n) => n >= 1 && n <= target.tiles);
  if (counts.length === 0)
    fail("KPU6006", `${target.name} has ${target.tiles} tiles; asked for ${asked?.join(", ")}`);
  return [...new Set(counts)].sort((a, b) => a - b);
}

let loaded: typeof FastCheck | undefined;
function fastCheck(): typeof FastCheck {
  loaded ??= createRequire(import.meta.url)("fast-check") as typeof FastCheck;
  return loaded;
}

/** fast-check throws where a path was not made under its seed. */
function replaying<T>(path: string | undefined, seed: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (path !== undefined) noSuchPath(path, seed);
    throw error;
  }
}
function noSuchPath(path: string, seed: number): never {
  fail("KPU6006", `path "${path}" leads to no input under seed ${seed}`, {
    help: "replay with the seed and the path of one report",
  });
}
