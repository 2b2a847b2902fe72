/**
 * The domain-flow check: may this system run by this schedule on the array that this projection makes, and what does it take?
 *
 *     const report = check(matmul(a, b), { schedule: { tau: [1, 1, 1] }, direction: [0, 0, 1] });
 *     // for 2 x 2 matrices: 20 edges, legal, latency 4, peakLive 9, 4 PEs without conflicts
 */
import { type Execution, execute, type StepCount } from "./execute.ts";
import type { Point } from "./polyhedron.ts";
import { type Projection, projection } from "./projection.ts";
import { type Schedule, type Steps, slacks, span, stepsOf, type Violation, violations } from "./schedule.ts";
import { type DependenceGraph, dependenceGraph, type System } from "./system.ts";

export interface Mapping {
  readonly schedule: Schedule;
  /** Direction of the projection; without it every point has a PE of its own. */
  readonly direction?: Point;
}

/** What one read of one variable asks of the array. */
export interface Route {
  readonly reader: string;
  readonly read: string;
  readonly theta: Point;
  readonly edges: number;
  /** Fewest steps from production to read; undefined without an edge. tau . theta + offset(reader) - offset(read). */
  readonly slack: number | undefined;
  /** From the PE that produces to the PE that reads. */
  readonly way: Point;
}

/** Points of one variable that one PE would have to compute in one step. */
export interface Conflict {
  readonly variable: string;
  readonly pe: Point;
  readonly step: number;
  readonly points: readonly Point[];
}

export interface ArrayStep extends StepCount {
  /** PEs that produce a token, and their part of all PEs. */
  readonly active: number;
  readonly utilisation: number;
}

interface Structure {
  readonly tokens: number;
  readonly edges: number;
  readonly routes: readonly Route[];
  /** A PE has a unit for each variable; legal projections give each unit one point per step. */
  readonly conflicts: readonly Conflict[];
  readonly pes: number;
  /** Steps from the first to the last token. */
  readonly latency: number;
}

/** A schedule that breaks a dependence has nothing to execute. */
export type Report =
  | (Structure & { readonly legal: false; readonly violations: readonly Violation[] })
  | (Structure & { readonly legal: true } & Omit<Execution, "steps"> & {
        readonly steps: readonly ArrayStep[];
      });

/** @throws KPU9002 when the system, the schedule or the direction is malformed */
export function check(system: System, { schedule, direction }: Mapping): Report {
  const graph = dependenceGraph(system);
  const steps = stepsOf(graph, schedule);
  const map = direction === undefined ? undefined : projection(direction, graph.dims);
  const array = occupancy(graph, steps, map);
  const structure: Structure = {
    tokens: graph.tokens,
    edges: graph.edges,
    routes: routesOf(graph, steps, map),
    conflicts: array.conflicts,
    pes: array.pes,
    latency: array.active.length,
  };
  const broken = violations(graph, steps);
  if (broken.length > 0) return { ...structure, legal: false, violations: broken };
  const execution = execute(system, graph, steps);
  return {
    ...structure,
    ...execution,
    legal: true,
    steps: execution.steps.map((count, step) => {
      const active = array.active[step]!;
      return { ...count, active, utilisation: active / array.pes };
    }),
  };
}

function routesOf(graph: DependenceGraph, steps: Steps, map: Projection | undefined): readonly Route[] {
  const tightest = new Map<number, { edges: number; slack: number }>();
  for (const { dependence, slack } of slacks(graph, steps)) {
    const so = tightest.get(dependence) ?? { edges: 0, slack: Number.POSITIVE_INFINITY };
    tightest.set(dependence, { edges: so.edges + 1, slack: Math.min(so.slack, slack) });
  }
  return graph.families
    .flatMap(({ dependences }) => dependences)
    .map(({ reader, read, theta }, i) => ({
      reader,
      read,
      theta,
      edges: tightest.get(i)?.edges ?? 0,
      slack: tightest.get(i)?.slack,
      way: map === undefined ? theta : map.place(theta),
    }));
}

/** Which PEs work when. */
function occupancy(graph: DependenceGraph, steps: Steps, map: Projection | undefined) {
  const { begin, latency } = span(steps);
  const pes = new Set<string>();
  const active = Array.from({ length: latency }, () => new Set<string>());
  const conflicts: Conflict[] = [];
  for (const { name, points, first } of graph.families) {
    const units = new Map<string, Point[]>();
    for (let i = 0; i < points.count; i++) {
      const at = points.at(i);
      const pe = (map === undefined ? at : map.place(at)).join();
      const step = steps[first + i]! - begin;
      pes.add(pe);
      active[step]!.add(pe);
      const unit = `${step}:${pe}`;
      const others = units.get(unit);
      if (others === undefined) units.set(unit, [at]);
      else others.push(at);
    }
    for (const [unit, together] of units) {
      if (together.length === 1) continue;
      const at = together[0]!;
      const step = Number(unit.slice(0, unit.indexOf(":")));
      conflicts.push({ variable: name, pe: map?.place(at) ?? at, step, points: together });
    }
  }
  return { pes: pes.size, active: active.map((set) => set.size), conflicts };
}
