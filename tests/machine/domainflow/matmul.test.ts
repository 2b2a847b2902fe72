/** Matrix products as recurrences: published figures, real values, and arrays of other shapes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  check,
  type Mapping,
  type Matrix,
  matmul,
  matvec,
  type Report,
} from "../../../machine/domainflow/index.ts";

const a: Matrix = [
  [1, 2],
  [3, 4],
];
const b: Matrix = [
  [5, 6],
  [7, 8],
];

/** What a report says about time and tokens. */
function figures(report: Report) {
  const { edges, latency } = report;
  return report.legal
    ? { edges, latency, peakLive: report.peakLive }
    : { edges, violations: report.violations.length };
}

// The figures of dfactl, the recurrence simulator of branes-ai/domain_flow (docs/sure-simulator.md there).
test("matrix product of 2 x 2 x 2", () => {
  const run = (mapping: Mapping) => figures(check(matmul(a, b), mapping));
  expect(run({ schedule: { tau: [1, 1, 1] } })).toEqual({ edges: 20, latency: 4, peakLive: 9 });
  expect(run({ schedule: "free" })).toEqual({ edges: 20, latency: 3, peakLive: 12 });
  expect(run({ schedule: { tau: [1, 1, 0] } })).toEqual({ edges: 20, violations: 4 });
});

test("product of a 2 x 3 matrix and a vector", () => {
  const system = matvec(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    [1, 0, -1],
  );
  const report = check(system, { schedule: { tau: [1, 1], offsets: { y: 1 } } });
  expect(figures(report)).toEqual({ edges: 13, latency: 5, peakLive: 7 });
  expect(report.legal && report.peakPerVariable).toEqual({ x: 4, y: 3 });
  expect(report.legal && report.results.map(({ value }) => value)).toEqual([-2, -2]);
  // Without the offset y reads x in the step that produces it.
  expect(figures(check(system, { schedule: { tau: [1, 1] } }))).toEqual({ edges: 13, violations: 6 });
});

test("an illegal tau: the edges it breaks", () => {
  const report = check(matmul(a, b), { schedule: { tau: [1, 1, 0] } });
  expect(!report.legal && report.violations).toEqual(
    [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ].map(([i, j]) => ({ reader: "c", at: [i, j, 1], read: "c", from: [i, j, 0], slack: 0 })),
  );
});

test.each([
  ["along k: sums stay", [0, 0, 1], 4, { a: [0, 1], b: [1, 0], c: [0, 0] }],
  ["along i: b stays", [1, 0, 0], 6, { a: [1, 0], b: [0, 0], c: [0, 1] }],
  ["along j: a stays", [0, 1, 0], 6, { a: [0, 0], b: [1, 0], c: [0, 1] }],
  [
    "along (1, 1, 1): all three move, on a hexagonal array",
    [1, 1, 1],
    10,
    { a: [1, 0], b: [-1, -1], c: [0, 1] },
  ],
])("projected %s", (_, direction, pes, ways) => {
  const wide = [
    [5, 6],
    [7, 8],
    [9, 1],
  ];
  const report = check(
    matmul(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      wide,
    ),
    { schedule: { tau: [1, 1, 1] }, direction },
  );
  expect(report.conflicts).toEqual([]);
  expect(report.pes).toBe(pes);
  expect(
    Object.fromEntries(
      report.routes.filter(({ reader, read }) => reader === read).map(({ read, way }) => [read, way]),
    ),
  ).toEqual(ways);
  expect(report.latency).toBe(2 + 2 + 3 - 2);
});

test("a direction in which time stands still puts two points on a PE at once", () => {
  const { conflicts } = check(matmul(a, b), { schedule: { tau: [1, 1, 1] }, direction: [1, -1, 0] });
  expect(conflicts).toHaveLength(6);
  expect(conflicts[0]).toEqual({
    variable: "a",
    pe: [1, 0],
    step: 1,
    points: [
      [0, 1, 0],
      [1, 0, 0],
    ],
  });
});

test("values and latency of any product, by any legal schedule", () => {
  const extent = fc.integer({ min: 1, max: 5 });
  const positive = fc.integer({ min: 1, max: 3 });
  fc.assert(
    fc.property(extent, extent, extent, fc.tuple(positive, positive, positive), (m, n, k, tau) => {
      const left = Array.from({ length: m }, (_, i) =>
        Array.from({ length: k }, (__, j) => ((i * 5 + j * 3) % 7) - 3),
      );
      const right = Array.from({ length: k }, (_, i) =>
        Array.from({ length: n }, (__, j) => ((i * 2 + j * 11) % 9) - 4),
      );
      const report = check(matmul(left, right), { schedule: { tau } });
      if (!report.legal) throw new Error("illegal");
      expect(report.results).toHaveLength(m * n);
      for (const { at, value } of report.results)
        expect(value).toBe(left[at[0]!]!.reduce((sum, x, t) => sum + x * right[t]![at[1]!]!, 0));
      expect(report.latency).toBe((m - 1) * tau[0] + (n - 1) * tau[1] + (k - 1) * tau[2] + 1);
    }),
    { numRuns: 100 },
  );
});
