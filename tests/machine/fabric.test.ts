/** machine/fabric.ts against an array that is stepped cycle by cycle (systolic-array.ts), and against published totals. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bestDataflow,
  DATAFLOWS,
  type Dataflow,
  type Fabric,
  type FabricCycles,
  fabricCycles,
  initiationInterval,
  type Product,
  peakMacs,
} from "../../machine/fabric.ts";
import { machineSchema } from "../../machine/schema.ts";
import {
  type ArrayRun,
  type ArraySize,
  type FoldOperands,
  operandStationary,
  outputStationary,
} from "./systolic-array.ts";

interface Case {
  readonly product: Product;
  readonly fabric: Fabric;
}

const fabricOf = (rows: number, cols: number, rate = 1, fillCycles = 0): Fabric => ({
  rows,
  cols,
  macs: { i8: rate },
  fillCycles,
});
const size = fc.integer({ min: 1, max: 8 });
const cases = (edge: number): fc.Arbitrary<Case> =>
  fc
    .record({
      m: size,
      n: size,
      k: size,
      dataflow: fc.constantFrom(...DATAFLOWS),
      rows: fc.integer({ min: 1, max: edge }),
      cols: fc.integer({ min: 1, max: edge }),
      rate: fc.constantFrom(1, 1, 1, 2, 4, 0.5, 1 / 3),
      fillCycles: fc.constantFrom(0, 0, 3),
    })
    .map(({ rows, cols, rate, fillCycles, ...shape }) => ({
      product: { ...shape, dtype: "i8" as const },
      fabric: fabricOf(rows, cols, rate, fillCycles),
    }))
    // Of a tiny array the oracle would step dozens of folds that are all alike.
    .filter(({ product, fabric }) => fabricCycles(product, fabric).folds <= 12);

/** The folds of a product with the operands of a real product, in order; `full` pads each to the size of the array. */
function foldsOf({ product: { m, n, k, dataflow }, fabric }: Case, full = false): FoldOperands[] {
  const group = Math.max(1, fabric.macs.i8!);
  const value = (x: number, y: number) => ((x * 7 + y * 13) % 11) - 5;
  const groups = Math.ceil(k / group);
  /** Group g of k of a row of a, or of a column of b. */
  const vector = (line: number, g: number, lines: number) =>
    Array.from({ length: group }, (_, i) => {
      const at = g * group + i;
      return at < k && line < lines ? value(line, at) : 0;
    });
  const a = (row: number, g: number) => vector(row, g, m);
  const b = (g: number, col: number) => vector(col + 100, g, n + 100);
  const ranges = (total: number, edge: number) =>
    Array.from({ length: Math.ceil(total / edge) }, (_, i) => ({
      from: i * edge,
      count: full ? edge : Math.min(edge, total - i * edge),
    }));
  const table = <T>(
    x: { from: number; count: number },
    y: { from: number; count: number },
    at: (x: number, y: number) => T,
  ) =>
    Array.from({ length: x.count }, (_, i) =>
      Array.from({ length: y.count }, (_, j) => at(x.from + i, y.from + j)),
    );
  const { rows, cols } = fabric;
  const steps = (count: number) => ({ from: 0, count });
  switch (dataflow) {
    case "os":
      return ranges(m, rows).flatMap((i) =>
        ranges(n, cols).map((j) => ({ left: table(i, steps(groups), a), top: table(steps(groups), j, b) })),
      );
    case "ws":
      return ranges(n, cols).flatMap((j) =>
        ranges(groups, rows).map((g) => ({ left: table(steps(m), g, a), top: table(g, j, b) })),
      );
    case "is":
      return ranges(m, cols).flatMap((i) =>
        ranges(groups, rows).map((g) => ({
          left: table(steps(n), g, (col, at) => b(at, col)),
          top: table(g, i, (at, row) => a(row, at)),
        })),
      );
  }
}

const arrayOf = ({ rows, cols, macs }: Fabric): ArraySize => ({
  rows,
  cols,
  interval: Math.max(1, 1 / macs.i8!),
});
const runFolds = (folds: readonly FoldOperands[], { product, fabric }: Case): ArrayRun =>
  (product.dataflow === "os" ? outputStationary : operandStationary)(folds, arrayOf(fabric));
const total = ({ lead, load, fill, stream, drain }: FabricCycles["phases"]) =>
  lead + load + fill + stream + drain;

test("overlapped folds: as many cycles as the array steps", () => {
  fc.assert(
    fc.property(cases(4), (c) => {
      const run = runFolds(foldsOf(c), c);
      const got = fabricCycles(c.product, c.fabric);
      const lead = c.fabric.fillCycles;
      expect([got.cycles, got.first, got.busy, got.folds]).toEqual([
        run.cycles + lead,
        run.first + lead,
        run.busy,
        run.starts.length,
      ]);
    }),
    { numRuns: 200 },
  );
});

test("folds alone: each as many cycles as the array steps", () => {
  fc.assert(
    fc.property(cases(5), (c) => {
      const each = foldsOf(c).map((fold) => runFolds([fold], c));
      const got = fabricCycles(c.product, c.fabric, "alone");
      const lead = c.fabric.fillCycles;
      expect(got.cycles).toBe(each.reduce((sum, run) => sum + run.cycles + lead, 0));
      expect(got.first).toBe(each[0]!.first + lead);
      expect(got.busy).toBe(each.reduce((sum, run) => sum + run.busy, 0));
    }),
    { numRuns: 300 },
  );
});

test("scalesim: padded folds one by one, until the last step; os lets results leave early", () => {
  fc.assert(
    fc.property(cases(5), (c) => {
      const each = foldsOf(c, true).map((fold) => runFolds([fold], c));
      const got = fabricCycles(c.product, c.fabric, "scalesim");
      expect(got.cycles).toBe(each.reduce((sum, run) => sum + run.computed, 0));
    }),
    { numRuns: 300 },
  );
});

test("one fold that fills the array", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 5000 }),
      (R, C, S) => {
        const fabric = fabricOf(R, C);
        const shapes: Record<Dataflow, Omit<Product, "dtype" | "dataflow">> = {
          os: { m: R, n: C, k: S },
          ws: { k: R, n: C, m: S },
          is: { k: R, m: C, n: S },
        };
        for (const dataflow of DATAFLOWS) {
          const product: Product = { ...shapes[dataflow], dtype: "i8", dataflow };
          expect(fabricCycles(product, fabric, "overlapped").cycles).toBe(S + 2 * R + C - 2);
          expect(fabricCycles(product, fabric, "alone").cycles).toBe(S + 2 * R + C - 2);
          expect(fabricCycles(product, fabric, "scalesim").cycles).toBe(
            S + (dataflow === "os" ? R : 2 * R) + C - 2,
          );
        }
      },
    ),
  );
});

test("overlap hides, but never what must be done", () => {
  const extent = fc.integer({ min: 1, max: 700 });
  fc.assert(
    fc.property(cases(40), extent, extent, extent, (c, m, n, k) => {
      const product = { ...c.product, m, n, k };
      const { rows, cols } = c.fabric;
      const [close, alone] = [fabricCycles(product, c.fabric), fabricCycles(product, c.fabric, "alone")];
      expect(close.cycles).toBeLessThanOrEqual(alone.cycles);
      expect(close.cycles).toBeGreaterThanOrEqual((m * n * k) / peakMacs(c.fabric, "i8"));
      for (const got of [close, alone]) {
        expect(total(got.phases)).toBe(got.cycles);
        expect(Math.min(...Object.values(got.phases))).toBeGreaterThanOrEqual(0);
        expect(got.busy).toBeLessThanOrEqual(rows * cols * got.cycles);
        expect(got.first).toBeLessThanOrEqual(got.cycles);
      }
    }),
    { numRuns: 1000 },
  );
});

test("products back to back: the second starts as early as the array lets it", () => {
  fc.assert(
    fc.property(cases(3), size, size, size, (c, m, n, k) => {
      const next = { ...c, product: { ...c.product, m, n, k } };
      const folds = foldsOf(c);
      const run = runFolds([...folds, ...foldsOf(next)], c);
      expect(initiationInterval(c.product, next.product, c.fabric)).toBe(run.starts[folds.length]);
    }),
    { numRuns: 100 },
  );
});

test("products of different dataflow or dtype do not overlap, nor do those of models that hide nothing", () => {
  const fabric: Fabric = { rows: 4, cols: 4, macs: { i8: 4, f32: 1 }, fillCycles: 2 };
  const product: Product = { m: 8, n: 8, k: 8, dtype: "i8", dataflow: "os" };
  const all = fabricCycles(product, fabric).cycles;
  expect(initiationInterval(product, product, fabric)).toBeLessThan(all);
  expect(initiationInterval(product, { ...product, dataflow: "ws" }, fabric)).toBe(all);
  expect(initiationInterval(product, { ...product, dtype: "f32" }, fabric)).toBe(all);
  expect(initiationInterval(product, product, fabric, "alone")).toBe(
    fabricCycles(product, fabric, "alone").cycles,
  );
});

test("a product without elements takes no time", () => {
  expect(fabricCycles({ m: 4, n: 4, k: 0, dtype: "i8", dataflow: "os" }, fabricOf(4, 4, 1, 5)).cycles).toBe(
    0,
  );
});

test("a dtype that the fabric does not have", () => {
  expect(() => fabricCycles({ m: 1, n: 1, k: 1, dtype: "bf16", dataflow: "os" }, fabricOf(4, 4))).toThrow(
    expect.objectContaining({ code: "KPU9001", message: expect.stringContaining("use one of i8") }),
  );
});

test.each([
  [4, true],
  [1 / 49, true],
  [1.5, false],
  [0.4, false],
])("a rate of %d multiply-accumulates: %s", (rate, fine) => {
  const { fabric } = machineSchema().shape.tile.shape;
  expect(fabric.safeParse(fabricOf(4, 4, rate)).success).toBe(fine);
});

/** ResNet-18 on 224 x 224 (He et al. 2016): the layers as products, m pixels, n filters, k taps, and how often each comes. */
const RESNET18: readonly (readonly [name: string, m: number, n: number, k: number, count: number])[] = [
  ["conv1 7x7/2", 112 * 112, 64, 7 * 7 * 3, 1],
  ["conv2 3x3", 56 * 56, 64, 9 * 64, 4],
  ["conv3 3x3/2", 28 * 28, 128, 9 * 64, 1],
  ["conv3 1x1/2", 28 * 28, 128, 64, 1],
  ["conv3 3x3", 28 * 28, 128, 9 * 128, 3],
  ["conv4 3x3/2", 14 * 14, 256, 9 * 128, 1],
  ["conv4 1x1/2", 14 * 14, 256, 128, 1],
  ["conv4 3x3", 14 * 14, 256, 9 * 256, 3],
  ["conv5 3x3/2", 7 * 7, 512, 9 * 256, 1],
  ["conv5 1x1/2", 7 * 7, 512, 256, 1],
  ["conv5 3x3", 7 * 7, 512, 9 * 512, 3],
  ["fc", 1, 1000, 512, 1],
];

test.each([
  [16, 7_872_752, 7_117_175, 7_086_224],
  [32, 2_051_924, 1_788_999, 1_771_556],
  [128, 246_082, 198_544, 110_723],
])(
  "ResNet-18 on %i x %i: SCALE-Sim v2's compute cycles, and fewer with overlap",
  (edge, scalesim, overlapped, ideal) => {
    const fabric = fabricOf(edge, edge);
    const sum = (model: "scalesim" | "overlapped") =>
      RESNET18.reduce((cycles, [, m, n, k, count]) => {
        const shape = { m, n, k, dtype: "i8" as const };
        const dataflow = bestDataflow(shape, fabric, model);
        return cycles + count * fabricCycles({ ...shape, dataflow }, fabric, model).cycles;
      }, 0);
    const macs = RESNET18.reduce((n, [, m, cols, k, count]) => n + m * cols * k * count, 0);
    expect(RESNET18.reduce((n, row) => n + row[4], 0)).toBe(21);
    expect(macs).toBe(1_814_073_344);
    expect(Math.ceil(macs / peakMacs(fabric, "i8"))).toBe(ideal);
    expect(sum("scalesim")).toBe(scalesim);
    expect(sum("overlapped")).toBe(overlapped);
  },
);
