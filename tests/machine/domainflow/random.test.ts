/** Random systems of uniform recurrences: legality, execution, latency and live tokens against direct definitions. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { check, type LinearSchedule, type Report } from "../../../machine/domainflow/index.ts";
import { type Drawn, drawn, graphOf, keyOf, stepOf, valueAt } from "./systems.ts";

type Legal = Extract<Report, { legal: true }>;
function legal(report: Report): Legal {
  if (!report.legal) throw new Error(`illegal: ${JSON.stringify(report.violations)}`);
  return report;
}

const NUM_RUNS = 300;

/** Latency of a linear schedule from the corners: the largest less the smallest step. */
function latencyOf(d: Drawn, schedule: LinearSchedule): number {
  const steps = graphOf(d).tokens.map((token) => stepOf(schedule, token));
  return steps.length === 0 ? 0 : Math.max(...steps) - Math.min(...steps) + 1;
}

test("a legal schedule finds every operand, gives the values of the recurrence, and takes the steps of the formula", () => {
  fc.assert(
    fc.property(drawn, (d) => {
      const report = legal(check(d.system, { schedule: d.schedule }));
      const { tokens, edges, known } = graphOf(d);
      const read = new Set(edges.map(({ from }) => from));
      const expected = tokens
        .filter(({ name, at }) => name === "u" && !read.has(keyOf(name, at)))
        .map(({ at }) => [at, valueAt(d, known, "u", at)]);
      const results = report.results.map(({ at, value }) => [at, value]);
      expect(results).toHaveLength(expected.length);
      expect(results).toEqual(expect.arrayContaining(expected));
      expect([report.tokens, report.edges]).toEqual([tokens.length, edges.length]);
      expect(report.latency).toBe(latencyOf(d, d.schedule));
      expect(report.steps).toHaveLength(report.latency);
      expect(report.steps.reduce((sum, { produced }) => sum + produced, 0)).toBe(tokens.length);
    }),
    { numRuns: NUM_RUNS },
  );
});

test("live tokens: from production to the last read", () => {
  fc.assert(
    fc.property(drawn, (d) => {
      const { tokens, edges } = graphOf(d);
      const at = new Map(tokens.map((token) => [keyOf(token.name, token.at), stepOf(d.schedule, token)]));
      const begin = Math.min(...at.values());
      const last = new Map<string, number>();
      for (const { from, to } of edges) last.set(from, Math.max(last.get(from) ?? -100, at.get(to)!));
      const report = legal(check(d.system, { schedule: d.schedule }));
      report.steps.forEach(({ live }, step) => {
        const alive = [...last].filter(([key, end]) => at.get(key)! <= begin + step && begin + step <= end);
        expect(live).toBe(alive.length);
      });
      expect(report.peakLive).toBe(Math.max(0, ...report.steps.map(({ live }) => live)));
      const perVariable = Object.values(report.peakPerVariable);
      expect(Math.max(0, ...perVariable)).toBeLessThanOrEqual(report.peakLive);
      expect(report.peakLive).toBeLessThanOrEqual(perVariable.reduce((x, y) => x + y, 0));
    }),
    { numRuns: NUM_RUNS },
  );
});

test("any tau: exactly the edges without a step between production and read are listed", () => {
  const tau = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 3, maxLength: 3 });
  let illegal = 0;
  fc.assert(
    fc.property(drawn, tau, (d, long) => {
      const schedule = { ...d.schedule, tau: long.slice(0, d.schedule.tau.length) };
      const { tokens, edges } = graphOf(d);
      const step = new Map(tokens.map((token) => [keyOf(token.name, token.at), stepOf(schedule, token)]));
      const broken = edges.filter(({ from, to }) => step.get(to)! - step.get(from)! < 1);
      const report = check(d.system, { schedule });
      expect(report.legal).toBe(broken.length === 0);
      if (report.legal) return;
      illegal++;
      const named = report.violations.map((v) => ({
        from: keyOf(v.read, v.from),
        to: keyOf(v.reader, v.at),
      }));
      expect(named).toHaveLength(broken.length);
      expect(named).toEqual(expect.arrayContaining(broken));
      for (const { reader, read, slack, theta } of report.routes) {
        if (slack === undefined) continue;
        const offsets = schedule.offsets ?? {};
        const formula = theta.reduce((sum, x, axis) => sum + x * schedule.tau[axis]!, 0);
        expect(slack).toBe(formula + (offsets[reader] ?? 0) - (offsets[read] ?? 0));
      }
    }),
    { numRuns: NUM_RUNS },
  );
  expect(illegal).toBeGreaterThan(NUM_RUNS / 20);
});

test("the free schedule takes the longest path, and no linear schedule is shorter", () => {
  fc.assert(
    fc.property(drawn, (d) => {
      const { tokens, edges } = graphOf(d);
      const depth = new Map(tokens.map(({ name, at }) => [keyOf(name, at), 1]));
      for (let changed = true; changed; ) {
        changed = false;
        for (const { from, to } of edges)
          if (depth.get(to)! <= depth.get(from)!) {
            depth.set(to, depth.get(from)! + 1);
            changed = true;
          }
      }
      const free = legal(check(d.system, { schedule: "free" }));
      const linear = legal(check(d.system, { schedule: d.schedule }));
      expect(free.latency).toBe(Math.max(0, ...depth.values()));
      expect(free.latency).toBeLessThanOrEqual(linear.latency);
      const values = ({ results }: Legal) => new Map(results.map(({ at, value }) => [at.join(), value]));
      expect(values(free)).toEqual(values(linear));
    }),
    { numRuns: NUM_RUNS },
  );
});

test("conflicts: points of a variable on one line along the direction, in one step", () => {
  const vector = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 3, maxLength: 3 });
  let found = 0;
  fc.assert(
    fc.property(drawn, vector, (d, long) => {
      const direction = long.slice(0, d.schedule.tau.length);
      if (direction.every((x) => x === 0)) return;
      const onOneLine = (p: readonly number[], q: readonly number[]) =>
        direction.every((x, i) => direction.every((y, j) => (p[i]! - q[i]!) * y === (p[j]! - q[j]!) * x));
      const report = legal(check(d.system, { schedule: d.schedule, direction }));
      const { tokens } = graphOf(d);
      const lines = (all: typeof tokens) => {
        const seen: (readonly number[])[] = [];
        for (const { at } of all) if (!seen.some((other) => onOneLine(other, at))) seen.push(at);
        return seen.length;
      };
      expect(report.pes).toBe(lines(tokens));
      const clashing = tokens.filter(({ name, at }) =>
        tokens.some(
          (other) =>
            other.name === name &&
            other.at.join() !== at.join() &&
            onOneLine(other.at, at) &&
            stepOf(d.schedule, other) === stepOf(d.schedule, { name, at }),
        ),
      );
      const named = report.conflicts.flatMap(({ variable, points }) =>
        points.map((at) => keyOf(variable, at)),
      );
      expect(named.toSorted()).toEqual(clashing.map(({ name, at }) => keyOf(name, at)).toSorted());
      const begin = Math.min(...tokens.map((token) => stepOf(d.schedule, token)));
      report.steps.forEach(({ active, utilisation }, step) => {
        expect(active).toBe(lines(tokens.filter((token) => stepOf(d.schedule, token) === begin + step)));
        expect(utilisation).toBe(active / report.pes);
      });
      if (clashing.length > 0) found++;
    }),
    { numRuns: 150 },
  );
  expect(found).toBeGreaterThan(5);
});
