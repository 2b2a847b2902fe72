/** Runs a kernel directly, without the compiler: where it blocks is read off its text. */

import { readFileSync } from "node:fs";
import { captureFunction } from "../../capture/index.ts";
import { type Kernel, PtrParam, recordOf } from "../../dsl/kernel.ts";
import { KpuError } from "../../ir/diagnostic.ts";
import { type SimulateOptions, type SimulationReport, simulateKernel } from "../../pysim/index.ts";

const PARAMETERS = /\(([^)]*)\)/;

export function direct(k: Kernel, args: readonly unknown[], o: SimulateOptions = {}): SimulationReport {
  const record = recordOf(k);
  if (record === undefined) throw new TypeError("not a kernel");
  const captured = captureFunction(record.fn);
  const names = (PARAMETERS.exec(captured.text)?.[1] ?? "").split(",").map((n) => n.trim());
  const sites = [...captured.text.matchAll(/[\w$.]*\bS\.(?:barrier|waitEvents)\(/g)].map((m) => m.index);
  const paramSpecs = record.params.map((p, i) => {
    const pointer = p instanceof PtrParam;
    return {
      name: names[i] ?? `p${i}`,
      dtype: pointer ? p.dtype.name : p.name,
      pointer,
      constant: pointer && p.constant,
    };
  });
  return simulateKernel(
    record,
    { captured, blocking: new Map(sites.length > 0 ? [[captured, new Set(sites)]] : []), paramSpecs },
    args,
    o,
  );
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
