/** With fabricModel "scalesim" the replay charges the compute cycles of SCALE-Sim v2, fold by fold: the closed forms of its paper. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { DATAFLOWS, type Dataflow } from "../../machine/fabric.ts";
import { timeTrace } from "../../machine/model/run.ts";
import type { MachineConfig } from "../../machine/schema.ts";
import { smallMachine } from "./machines.ts";

interface Case {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly rows: number;
  readonly cols: number;
  readonly dataflow: Dataflow;
}

/** Samajdar et al., ISPASS 2020: folds times cycles of each at the full size of the array. */
function closedForm({ m, n, k, rows, cols, dataflow }: Case): number {
  switch (dataflow) {
    case "os":
      return Math.ceil(m / rows) * Math.ceil(n / cols) * (k + rows + cols - 2);
    case "ws":
      return Math.ceil(k / rows) * Math.ceil(n / cols) * (m + 2 * rows + cols - 2);
    case "is":
      return Math.ceil(k / rows) * Math.ceil(m / cols) * (n + 2 * rows + cols - 2);
  }
}

function machineWith(rows: number, cols: number): MachineConfig {
  const { tile } = smallMachine;
  return {
    ...smallMachine,
    tile: {
      ...tile,
      fabric: { rows, cols, macs: { i8: 1 }, fillCycles: 3 },
      commands: { ...tile.commands, issue: 0 },
    },
  };
}

/** Products one behind the other on one tile. */
function cyclesOf(cases: readonly Case[], { rows, cols }: Case): number {
  const items = cases.map(
    ({ m, n, k, dataflow }) => ({ kind: "mma", dtype: "i8", m, n, k, dataflow, at: 0 }) as const,
  );
  const trace = { version: 1, kernel: "products", tiles: [items] } as const;
  const report = timeTrace(trace, machineWith(rows, cols), { fabricModel: "scalesim" });
  const fabric = report.units.find((u) => u.kind === "fabric");
  expect(fabric).toMatchObject({ busy: report.totalCycles, done: cases.length });
  return report.totalCycles;
}

test("432 shapes, arrays and dataflows", () => {
  let cases = 0;
  for (const [rows, cols] of [
    [8, 8],
    [16, 16],
    [32, 32],
    [128, 128],
    [8, 32],
    [64, 4],
  ] as const)
    for (const dataflow of DATAFLOWS)
      for (const m of [1, 16, 100, 3136])
        for (const n of [1, 64, 1000])
          for (const k of [27, 576]) {
            const one = { m, n, k, rows, cols, dataflow };
            expect(cyclesOf([one], one)).toBe(closedForm(one));
            cases++;
          }
  expect(cases).toBe(432);
});

test("several products: nothing overlaps", () => {
  const size = fc.integer({ min: 1, max: 300 });
  const product = fc.record({ m: size, n: size, k: size, dataflow: fc.constantFrom(...DATAFLOWS) });
  const array = fc.record({ rows: fc.integer({ min: 1, max: 40 }), cols: fc.integer({ min: 1, max: 40 }) });
  fc.assert(
    fc.property(fc.array(product, { minLength: 1, maxLength: 6 }), array, (products, sizes) => {
      const cases = products.map((p) => ({ ...p, ...sizes }));
      const sum = cases.reduce((cycles, c) => cycles + closedForm(c), 0);
      expect(cyclesOf(cases, cases[0] as Case)).toBe(sum);
    }),
    { numRuns: 200 },
  );
});
