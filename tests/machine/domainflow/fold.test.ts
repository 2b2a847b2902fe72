/** The fabric and the recurrences agree: a fold takes the cycles that its system of recurrences takes steps. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { check, fold, matmul } from "../../../machine/domainflow/index.ts";
import { DATAFLOWS, fabricCycles } from "../../../machine/fabric.ts";

const matrix = (rows: number, cols: number) =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: cols }, (__, j) => ((i * 7 + j * 5) % 13) - 6));

const sizes = fc.record({
  dataflow: fc.constantFrom(...DATAFLOWS),
  rows: fc.integer({ min: 1, max: 6 }),
  cols: fc.integer({ min: 1, max: 6 }),
  /** Rows and columns of the array that the fold leaves unused. */
  spareRows: fc.integer({ min: 0, max: 4 }),
  spareCols: fc.integer({ min: 0, max: 4 }),
  steps: fc.integer({ min: 1, max: 9 }),
});
const ROLES = {
  os: (r: number, c: number, s: number) => ({ m: r, n: c, k: s, along: [0, 0, 1] }),
  ws: (r: number, c: number, s: number) => ({ m: s, n: c, k: r, along: [1, 0, 0] }),
  is: (r: number, c: number, s: number) => ({ m: c, n: s, k: r, along: [0, 1, 0] }),
} as const;

test("one fold, with its load and drain", () => {
  fc.assert(
    fc.property(sizes, ({ dataflow, rows, cols, spareRows, spareCols, steps }) => {
      const { m, n, k, along } = ROLES[dataflow](rows, cols, steps);
      const [a, b] = [matrix(m, k), matrix(k, n)];
      const array = { rows: rows + spareRows, cols: cols + spareCols, macs: { i8: 1 }, fillCycles: 0 };
      const { system, mapping } = fold(dataflow, a, b, array.rows);
      expect(mapping.direction).toEqual(along);
      const report = check(system, mapping);
      if (!report.legal) throw new Error("illegal");
      expect(report.conflicts).toEqual([]);
      expect(report.pes).toBe((dataflow === "os" ? rows : array.rows) * cols);

      const product = { m, n, k, dtype: "i8", dataflow } as const;
      const cycles = fabricCycles(product, array, "overlapped");
      expect(cycles).toEqual(fabricCycles(product, array, "alone"));
      expect(report.latency).toBe(cycles.cycles);
      expect(Math.min(...report.results.map(({ step }) => step)) + 1).toBe(cycles.first);

      const expected = a.flatMap((row) =>
        Array.from({ length: n }, (_, j) => row.reduce((sum, x, t) => sum + x * b[t]![j]!, 0)),
      );
      expect(report.results.map(({ value }) => value).toSorted((x, y) => x - y)).toEqual(
        expected.toSorted((x, y) => x - y),
      );
    }),
    { numRuns: 250 },
  );
});

test("the recurrence alone takes the same steps under each projection: fill and stream; SCALE-Sim's os fold is no more", () => {
  fc.assert(
    fc.property(sizes, ({ dataflow, rows, cols, steps }) => {
      const { m, n, k, along } = ROLES[dataflow](rows, cols, steps);
      const report = check(matmul(matrix(m, k), matrix(k, n)), {
        schedule: { tau: [1, 1, 1] },
        direction: along,
      });
      const array = { rows, cols, macs: { i8: 1 }, fillCycles: 0 };
      const product = { m, n, k, dtype: "i8", dataflow } as const;
      const { fill, stream } = fabricCycles(product, array).phases;
      expect([report.latency, report.pes]).toEqual([fill + stream, rows * cols]);
      if (dataflow === "os") expect(fabricCycles(product, array, "scalesim").cycles).toBe(report.latency);
    }),
    { numRuns: 100 },
  );
});
