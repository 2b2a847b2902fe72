/** Direct runs of kernels, and what their faults are compared with. */
import { readFileSync } from "node:fs";
import { type Kernel, KpuError, type SimulateOptions, simulate } from "kpu-dsl";
import type { SimulationReport } from "../../pysim/index.ts";

export function direct(k: Kernel, args: readonly unknown[], o: SimulateOptions = {}): SimulationReport {
  return simulate(k, args, o);
}

/** The error of a run that must fail. */
export function faultOf(run: () => unknown): KpuError {
  try {
    run();
  } catch (e) {
    if (e instanceof KpuError) return e;
    throw e;
  }
  throw new Error("the run was expected to fail");
}

/** The line of `file` that carries the comment `// @mark`. */
export function lineOf(file: string, mark: string): number {
  const lines = readFileSync(file, "utf8").split("\n");
  const found = lines.findIndex((l) => l.trimEnd().endsWith(`// @${mark}`));
  if (found < 0) throw new Error(`no line is marked @${mark}`);
  return found + 1;
}
