/**
 * Runs a kernel directly without the checker, for faults that the checker refuses before the first run. Where the kernel
 * blocks is read off its text.
 */

import { captureFunction } from "../../capture/index.ts";
import { type Kernel, PtrParam, recordOf } from "../../dsl/kernel.ts";
import { type SimulateOptions, type SimulationReport, simulateKernel } from "../../pysim/index.ts";

const PARAMETERS = /\(([^)]*)\)/;

export function unchecked(k: Kernel, args: readonly unknown[], o: SimulateOptions = {}): SimulationReport {
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
