/** Many kernels of one seed: generated, run every way, counted, and the findings shrunk. */
import { type Counts, countProgram, linesOf } from "./coverage.ts";
import { evaluate } from "./evaluate.ts";
import {
  type AnyKernel,
  type Finding,
  findingText,
  type RunOptions,
  runProgram,
  signature,
} from "./executions.ts";
import { generate } from "./generate.ts";
import { printProgram } from "./print.ts";
import { seedOf } from "./seed.ts";
import { regressionTest, shrink } from "./shrink.ts";
import type { Program } from "./tree.ts";

/** Kernels that are evaluated in one script. */
export const BATCH = 40;

/** A finding with its smallest kernel. */
export interface Failure {
  /** Generates the kernel that it was found with. */
  readonly seed: number;
  readonly signature: string;
  readonly text: string;
  /** The whole kernel, and the smallest that still shows it, as a test to paste. */
  readonly source: string;
  readonly test: string;
}

export interface BatchReport {
  readonly kernels: number;
  readonly statements: number;
  readonly lines: number;
  readonly counts: Counts;
  readonly failures: readonly Failure[];
}

export interface BatchOptions extends RunOptions {
  /** Signatures that need no shrinking: they were reported already. */
  readonly known?: ReadonlySet<string>;
}

/** Kernels number `from` to `from + count - 1` of a run. */
export function runBatch(run: number, from: number, count: number, o: BatchOptions = {}): BatchReport {
  const programs = Array.from({ length: count }, (_, i) => generate(seedOf(run, from + i)));
  const kernels = evaluate(programs);
  const counts: Counts = new Map();
  let statements = 0;
  let lines = 0;
  const failures: Failure[] = [];
  const seen = new Set(o.known);
  programs.forEach((p, i) => {
    statements += countProgram(p, counts);
    lines += linesOf(p);
    const finding = runProgram(p, kernels[i] as AnyKernel, o);
    if (finding === undefined) return;
    failures.push(failureOf(p, finding, o, seen.has(signature(finding))));
    seen.add(signature(finding));
  });
  return { kernels: count, statements, lines, counts, failures };
}

function failureOf(p: Program, finding: Finding, o: RunOptions, known: boolean): Failure {
  const source = printProgram(p, { types: true });
  const small = known ? { program: p, finding } : shrink(p, finding, o);
  return {
    seed: p.seed,
    signature: signature(finding),
    text: findingText(small.finding),
    source,
    test: regressionTest(small.program, small.finding),
  };
}

/** One kernel by its seed, as a report names it. */
export function runSeed(
  seed: number,
  o: RunOptions = {},
): { readonly program: Program; readonly failure: Failure | undefined } {
  const program = generate(seed);
  const [kernel] = evaluate([program]);
  const finding = runProgram(program, kernel as AnyKernel, { ...o, thorough: true });
  return { program, failure: finding && failureOf(program, finding, o, false) };
}
