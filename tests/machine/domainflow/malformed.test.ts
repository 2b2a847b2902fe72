/** Domains, and what the check refuses. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { execute } from "../../../machine/domainflow/execute.ts";
import {
  atLeast,
  atMost,
  box,
  check,
  type Mapping,
  matmul,
  type Recurrence,
  type System,
  within,
} from "../../../machine/domainflow/index.ts";
import { Points } from "../../../machine/domainflow/polyhedron.ts";
import { stepsOf } from "../../../machine/domainflow/schedule.ts";
import { dependenceGraph } from "../../../machine/domainflow/system.ts";
import { pointsByTrying } from "./systems.ts";

test("points of a polyhedron: all that satisfy it, in order, and no others", () => {
  const halfSpace = (dims: number) =>
    fc.record({
      normal: fc.array(fc.integer({ min: -3, max: 3 }), { minLength: dims, maxLength: dims }),
      least: fc.integer({ min: -6, max: 6 }),
    });
  const domains = fc.integer({ min: 1, max: 3 }).chain((dims) =>
    fc.record({
      sides: fc.array(fc.tuple(fc.integer({ min: -3, max: 1 }), fc.integer({ min: 0, max: 4 })), {
        minLength: dims,
        maxLength: dims,
      }),
      cuts: fc.array(halfSpace(dims), { maxLength: 4 }),
    }),
  );
  fc.assert(
    fc.property(domains, ({ sides, cuts }) => {
      // Bounds that only follow from a sum and a difference have to be found by elimination.
      const domain = within(box(...sides.map(([from, extent]) => [from, from + extent] as const)), ...cuts);
      const points = new Points(domain);
      const expected = pointsByTrying(domain, -3, 5);
      expect(Array.from({ length: points.count }, (_, i) => points.at(i))).toEqual(expected);
      for (const p of pointsByTrying(box(...sides.map(() => [-4, 7] as const)), -4, 6))
        expect(points.find(p)).toBe(expected.findIndex((q) => q.join() === p.join()));
    }),
    { numRuns: 60 },
  );
});

test("bounds may follow from several half-spaces", () => {
  const diamond = {
    dims: 2,
    halfSpaces: [atMost([1, 1], 2), atLeast([1, 1], -2), atMost([1, -1], 2), atLeast([1, -1], -2)],
  };
  expect(new Points(diamond).count).toBe(13);
});

const flow = (over: Partial<Recurrence>): System => ({
  variables: {
    x: {
      domain: box(3, 3),
      reads: [{ variable: "x", theta: [0, 1] }],
      value: ([x]) => x! + 1,
      input: () => 0,
      ...over,
    },
  },
  output: "x",
});
const linear: Mapping = { schedule: { tau: [1, 1] } };
const sums = matmul([[1]], [[1]]);

test.each<[string, () => unknown, RegExp]>([
  [
    "an unbounded axis",
    () =>
      check(
        flow({
          domain: { dims: 2, halfSpaces: [atLeast([1, 0], 0), atMost([1, 0], 2), atLeast([0, 1], 0)] },
        }),
        linear,
      ),
    /unbounded along axis 1/,
  ],
  ["a huge domain", () => check(flow({ domain: box(3000, 3000) }), linear), /points, more than the/],
  [
    "theta of another length",
    () => check(flow({ reads: [{ variable: "x", theta: [1] }] }), linear),
    /theta of the read of x is \[1\], expected 2 integers/,
  ],
  [
    "a fraction in theta",
    () => check(flow({ reads: [{ variable: "x", theta: [0.5, 1] }] }), linear),
    /expected 2 integers/,
  ],
  [
    "a read of nothing",
    () => check(flow({ reads: [{ variable: "z", theta: [0, 1] }] }), linear),
    /reads z, which is neither/,
  ],
  [
    "no input at the boundary",
    () =>
      check(
        {
          variables: { x: { domain: box(2), reads: [{ variable: "x", theta: [1] }], value: ([x]) => x! } },
          output: "x",
        },
        { schedule: "free" },
      ),
    /x is read at \[-1\], outside its domain/,
  ],
  [
    "an output that is no variable",
    () => check({ ...sums, output: "d" }, { schedule: "free" }),
    /the output d is not a variable.*use one of a, b, c/s,
  ],
  [
    "variables with different axes",
    () =>
      check(
        { variables: { ...sums.variables, d: { domain: box(2), reads: [], value: () => 0 } }, output: "c" },
        { schedule: "free" },
      ),
    /d has 1 axes, but the first variable has 3/,
  ],
  [
    "tau of another length",
    () => check(flow({}), { schedule: { tau: [1, 1, 1] } }),
    /tau is \[1, 1, 1\], expected 2 integers/,
  ],
  [
    "an offset for nobody",
    () => check(flow({}), { schedule: { tau: [1, 1], offsets: { y: 1 } } }),
    /offset for y/,
  ],
  [
    "a fraction as offset",
    () => check(flow({}), { schedule: { tau: [1, 1], offsets: { x: 0.5 } } }),
    /offset of x is 0.5/,
  ],
  ["steps without end", () => check(flow({}), { schedule: { tau: [1e9, 1] } }), /takes 2000000003 steps/],
  [
    "a direction of zeros",
    () => check(flow({}), { ...linear, direction: [0, 0] }),
    /runs along \[0, 0\], expected 2/,
  ],
  [
    "a direction of another length",
    () => check(flow({}), { ...linear, direction: [1] }),
    /runs along \[1\], expected 2/,
  ],
  [
    "a circle of reads",
    () =>
      check(
        flow({
          reads: [
            { variable: "x", theta: [0, 1] },
            { variable: "x", theta: [0, -1] },
          ],
        }),
        { schedule: "free" },
      ),
    /x\[0, 0\] waits for a value that depends on itself/,
  ],
])("%s", (_, run, message) => {
  expect(run).toThrow(expect.objectContaining({ code: "KPU9002", message: expect.stringMatching(message) }));
});

test("an execution by an illegal schedule stops at the first operand that is missing", () => {
  const system = matmul([[1, 2]], [[3], [4]]);
  const graph = dependenceGraph(system);
  const steps = stepsOf(graph, { tau: [1, 1, -1] });
  expect(() => execute(system, graph, steps)).toThrow(
    expect.objectContaining({
      code: "KPU9003",
      message: expect.stringContaining("c[0, 0, 0] is not there when c[0, 0, 1] reads it"),
    }),
  );
});
