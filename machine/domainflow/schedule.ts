/**
 * When each token is produced: steps of a schedule, and whether it respects the dependences.
 *
 * A linear schedule produces variable v at point p in step tau . p + offset(v). A token is in time for a reader at p when it is
 * produced at least one step earlier: tau . theta + offset(reader) - offset(read) >= 1, the same for all edges of a dependence.
 * The free schedule produces each token one step after the last of its operands: no schedule is shorter.
 */
import { fail } from "../../ir/diagnostic.ts";
import { dot, type Point } from "./polyhedron.ts";
import { type DependenceGraph, familyOf, nameOf } from "./system.ts";

export interface LinearSchedule {
  readonly tau: Point;
  /** Per variable; 0 for those that are not named. */
  readonly offsets?: Readonly<Record<string, number>>;
}
export type Schedule = LinearSchedule | "free";

/** Step of each token. */
export type Steps = Float64Array;

/** First step of a schedule, and how many there are from it to the last. */
export function span(steps: Steps): { readonly begin: number; readonly latency: number } {
  if (steps.length === 0) return { begin: 0, latency: 0 };
  const begin = steps.reduce((x, y) => Math.min(x, y));
  return { begin, latency: steps.reduce((x, y) => Math.max(x, y)) - begin + 1 };
}

/** Each step is counted, used or not. */
const MOST_STEPS = 1 << 22;

/** An edge whose token is not there when it is read: `reader` at `at` reads `read` at `from`. */
export interface Violation {
  readonly reader: string;
  readonly at: Point;
  readonly read: string;
  readonly from: Point;
  /** Steps from production to read; at least 1 would be legal. */
  readonly slack: number;
}

/** @throws KPU9002 when tau or an offset does not fit the system, or tokens wait for each other in a circle (free) */
export function stepsOf(graph: DependenceGraph, schedule: Schedule): Steps {
  return schedule === "free" ? freeSteps(graph) : linearSteps(graph, schedule);
}

function linearSteps(
  { dims, families, tokens }: DependenceGraph,
  { tau, offsets = {} }: LinearSchedule,
): Steps {
  if (tau.length !== dims || !tau.every(Number.isSafeInteger))
    fail("KPU9002", `tau is [${tau.join(", ")}], expected ${dims} integers`);
  for (const [name, offset] of Object.entries(offsets)) {
    if (!families.some((family) => family.name === name))
      fail("KPU9002", `the schedule has an offset for ${name}, which the system does not have`);
    if (!Number.isSafeInteger(offset))
      fail("KPU9002", `the offset of ${name} is ${offset}, expected an integer`);
  }
  const steps = new Float64Array(tokens);
  for (const { name, points, first } of families) {
    const offset = offsets[name] ?? 0;
    for (let i = 0; i < points.count; i++) steps[first + i] = dot(tau, points.at(i)) + offset;
  }
  const { latency } = span(steps);
  if (latency > MOST_STEPS)
    fail(
      "KPU9002",
      `tau [${tau.join(", ")}] takes ${latency} steps, more than the ${MOST_STEPS} that are checked`,
    );
  return steps;
}

/** Longest path to each token, in order of the graph. */
function freeSteps(graph: DependenceGraph): Steps {
  const { families, tokens } = graph;
  const edges = families.flatMap(({ first, dependences }) =>
    dependences.map((dependence) => ({ first, read: dependence.tokens })),
  );
  const missing = new Int32Array(tokens);
  // Readers of token t are readers[from[t]] and on, to from[t + 1].
  const from = new Int32Array(tokens + 1);
  for (const { first, read } of edges)
    read.forEach((token, i) => {
      if (token < 0) return;
      missing[first + i]!++;
      from[token + 1]!++;
    });
  for (let token = 0; token < tokens; token++) from[token + 1]! += from[token]!;
  const readers = new Int32Array(graph.edges);
  const fill = from.slice();
  for (const { first, read } of edges)
    read.forEach((token, i) => {
      if (token >= 0) readers[fill[token]!++] = first + i;
    });
  const steps = new Float64Array(tokens);
  const ready: number[] = [];
  missing.forEach((count, token) => {
    if (count === 0) ready.push(token);
  });
  for (const token of ready)
    for (let i = from[token]!; i < from[token + 1]!; i++) {
      const reader = readers[i]!;
      steps[reader] = Math.max(steps[reader]!, steps[token]! + 1);
      if (--missing[reader]! === 0) ready.push(reader);
    }
  if (ready.length < tokens) {
    const stuck = missing.findIndex((count) => count > 0);
    fail("KPU9002", `${nameOf(graph, stuck)} waits for a value that depends on itself`, {
      help: "a system can be computed when the thetas along no circle of reads add up to zero",
    });
  }
  return steps;
}

/** Slack of each edge of a dependence. */
export function* slacks(
  graph: DependenceGraph,
  steps: Steps,
): Generator<{
  readonly reader: number;
  readonly read: number;
  readonly dependence: number;
  readonly slack: number;
}> {
  let dependence = 0;
  for (const { first, dependences } of graph.families)
    for (const { tokens } of dependences) {
      for (let i = 0; i < tokens.length; i++) {
        const read = tokens[i]!;
        if (read >= 0) yield { reader: first + i, read, dependence, slack: steps[first + i]! - steps[read]! };
      }
      dependence++;
    }
}

/** All edges that a schedule breaks; none when it is legal. */
export function violations(graph: DependenceGraph, steps: Steps): readonly Violation[] {
  const found: Violation[] = [];
  for (const { reader, read, slack } of slacks(graph, steps)) {
    if (slack >= 1) continue;
    const [to, from] = [familyOf(graph, reader), familyOf(graph, read)];
    found.push({
      reader: to.name,
      at: to.points.at(reader - to.first),
      read: from.name,
      from: from.points.at(read - from.first),
      slack,
    });
  }
  return found;
}
