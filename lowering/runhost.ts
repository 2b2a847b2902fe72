/** Host functions that are really run while a kernel is lowered, because all that they get is static. */
import type ts from "typescript";
import { enter } from "../dsl/context.ts";
import { KpuError } from "../ir/diagnostic.ts";
import { stat, type Value } from "./values.ts";
import type { Walker } from "./walker.ts";

/** Results of these depend on when they are asked. */
const UNSTABLE = new Set<unknown>([Math.random, Date.now, performance.now, Date]);

/** Really runs a host function on static values. */
export function runHost(
  w: Walker,
  fn: (...a: unknown[]) => unknown,
  thisValue: unknown,
  args: unknown[],
  node: ts.Node,
): Value {
  if (UNSTABLE.has(fn)) {
    return w.refuse(
      "KPU2004",
      `expected a function that always gives the same, got ${fn.name}`,
      node,
      "call it before the kernel and capture or pass the result",
    );
  }
  const before = enter({ kind: "idle", target: w.target });
  try {
    return stat(Reflect.apply(fn, thisValue, args));
  } catch (error) {
    if (error instanceof KpuError) throw error;
    return w.refuse(
      "KPU2011",
      `${fn.name || "the function"} threw while it was evaluated: ${(error as Error).message}`,
      node,
    );
  } finally {
    enter(before);
  }
}
