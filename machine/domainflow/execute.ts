/**
 * Executes a system with tagged tokens, step by step, as the schedule says.
 *
 * In a step every token that is due is computed from tokens of earlier steps. A token is live from the step that produces it
 * to the step of its last read, both included: in its last step it still takes up a register, beside what is made of it. A token
 * that nothing reads leaves the array as it is produced, and inputs wait outside: neither is ever live. So the peak of live tokens
 * is what an execution that forgets each token after its last read holds at most. (The conventions are those of the domain flow
 * literature, T. Omtzigt; e.g. the recurrence simulator of the repository branes-ai/domain_flow.)
 */
import { fail } from "../../ir/diagnostic.ts";
import type { Point } from "./polyhedron.ts";
import { type Steps, span } from "./schedule.ts";
import { type DependenceGraph, inputOf, minus, nameOf, type System } from "./system.ts";

export interface StepCount {
  /** Tokens produced. */
  readonly produced: number;
  /** Live tokens, those produced in this step included. */
  readonly live: number;
}

export interface Execution {
  /** Steps from the first to the last, one entry each. */
  readonly steps: readonly StepCount[];
  /** Most live tokens of one step, of all variables and of each. */
  readonly peakLive: number;
  readonly peakPerVariable: Readonly<Record<string, number>>;
  /** Tokens of the output that nothing reads, as they leave. Step 0 is the first of the schedule. */
  readonly results: readonly { readonly at: Point; readonly value: number; readonly step: number }[];
}

/** @throws KPU9003 when an operand is not there in its step */
export function execute(system: System, graph: DependenceGraph, steps: Steps): Execution {
  const { families, tokens } = graph;
  const { begin, latency } = span(steps);
  const lastRead = new Float64Array(tokens).fill(NEVER);
  for (const { first, dependences } of families)
    for (const dependence of dependences)
      dependence.tokens.forEach((token, i) => {
        if (token >= 0) lastRead[token] = Math.max(lastRead[token]!, steps[first + i]!);
      });
  const due: { readonly family: number; readonly point: number }[][] = Array.from(
    { length: latency },
    () => [],
  );
  families.forEach(({ first, points }, family) => {
    for (let point = 0; point < points.count; point++)
      due[steps[first + point]! - begin]!.push({ family, point });
  });
  const dying: number[][] = Array.from({ length: latency }, () => []);

  /** The store: only live tokens are in it. */
  const store = new Map<number, number>();
  const live = families.map(() => 0);
  const peaks = families.map(() => 0);
  const results: { at: Point; value: number; step: number }[] = [];
  const counts = due.map((firing, step): StepCount => {
    const made = firing.map(({ family, point }) => {
      const { name, recurrence, points, first, dependences } = families[family]!;
      const at = points.at(point);
      const operands = dependences.map(({ read, theta, tokens: from }) => {
        const token = from[point]!;
        if (token < 0) return inputOf(system, read, minus(at, theta));
        return (
          store.get(token) ??
          fail(
            "KPU9003",
            `${nameOf(graph, token)} is not there when ${nameOf(graph, first + point)} reads it`,
            {
              help: "a schedule is legal when tau . theta + offset(reader) - offset(read) is at least 1 for every read",
            },
          )
        );
      });
      const value = recurrence.value(operands, at);
      const read = lastRead[first + point]! !== NEVER;
      if (!read && name === system.output) results.push({ at, value, step });
      return { family, token: first + point, value, read };
    });
    // What this step makes is there from the next one on.
    for (const { family, token, value, read } of made) {
      if (!read) continue;
      store.set(token, value);
      live[family]!++;
      dying[lastRead[token]! - begin]!.push(token);
    }
    live.forEach((count, family) => {
      peaks[family] = Math.max(peaks[family]!, count);
    });
    const count = { produced: made.length, live: store.size };
    for (const token of dying[step]!) {
      store.delete(token);
      const family = families.findIndex(({ first, points }) => token < first + points.count);
      live[family]!--;
    }
    return count;
  });
  return {
    steps: counts,
    peakLive: counts.reduce((peak, count) => Math.max(peak, count.live), 0),
    peakPerVariable: Object.fromEntries(families.map(({ name }, i) => [name, peaks[i]!])),
    results,
  };
}

const NEVER = Number.NEGATIVE_INFINITY;
