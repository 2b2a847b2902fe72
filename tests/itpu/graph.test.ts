/** The graph: the figures of the unit's reference, both executions, running twice. */
import { Graph } from "kpu-dsl/itpu";
import { describe, expect, test } from "vitest";
import type { ExecutionName } from "../../itpu/execution.ts";
import { OP_NAMES } from "../../itpu/ops/index.ts";

/** One op on inputs, as numbers. */
function result(execution: ExecutionName, build: (g: Graph) => { readonly name: string }): number[] {
  const graph = new Graph();
  const { name } = build(graph);
  graph.run({ execution });
  return [...graph.get(name).data];
}
const near = (got: readonly number[], want: readonly number[], digits: number): void => {
  expect(got.length).toBe(want.length);
  got.forEach((v, i) => {
    expect(v).toBeCloseTo(want[i] as number, digits);
  });
};

describe.each<ExecutionName>(["compiled", "direct"])("%s", (execution) => {
  const run = (build: (g: Graph) => { readonly name: string }): number[] => result(execution, build);
  const of = (g: Graph, op: "mean" | "max" | "percentile", p = 95): { readonly name: string } =>
    g.reduce(
      g.buffer(
        "x",
        Array.from({ length: 101 }, (_, i) => (i * 37) % 101),
      ),
      { op, p },
    );

  test("plasticity on a path of four nodes, with costs, preconditions and a budget", () => {
    const path = [1, -1, 0, 0, -1, 2, -1, 0, 0, -1, 2, -1, 0, 0, -1, 1];
    const next = run((g) =>
      g.plasticityStep(
        g.buffer("I", [0.5, 0.2, 0.9, 0]),
        g.buffer("g", [0.1, 0.4, 0, 0.3]),
        g.buffer("L", path, [4, 4]),
        g.buffer("costs", [1, 2, 1, 0.5]),
        g.buffer("precond", [1, 2, 1, 4]),
        { lambda: 0.1, beta: 0.05, budget: 0.8 },
      ),
    );
    near(next, [0.41384143, 0.31636637, 0.6395731, 0.19751522], 7);
  });

  test("plasticity without neighbours, costs and preconditions", () => {
    const next = run((g) =>
      g.plasticityStep(
        g.buffer("I", [0.5, 0.2, 0.9, 0]),
        g.buffer("g", [0.1, 0.4, 0, 0.3]),
        null,
        null,
        null,
        { lambda: 0.1, budget: 100 },
      ),
    );
    near(next, [0.59, 0.56, 0.9, 0.27], 7);
  });

  test("information by a histogram of 2 x 2", () => {
    const x = [0, 0, 1, 1, 0, 1, 0, 1];
    const y = [0, 0, 1, 1, 1, 0, 0, 1];
    near(
      run((g) => g.mi(g.buffer("x", x), g.buffer("y", y), { bins: 2 })),
      [0.13081203],
      8,
    );
    // Three occupied marginal and four occupied joint cells less: (1 + 1 - 3) / 16.
    near(
      run((g) => g.mi(g.buffer("x", x), g.buffer("y", y), { bins: 2, correction: "millerMadow" })),
      [0.13081203 - 1 / 16],
      8,
    );
  });

  test("mean, max and percentile of 0 .. 100", () => {
    expect(run((g) => of(g, "mean"))).toEqual([50]);
    expect(run((g) => of(g, "max"))).toEqual([100]);
    near(
      run((g) => of(g, "percentile")),
      [95],
      5,
    );
    near(
      run((g) => of(g, "percentile", 12.25)),
      [12.25],
      5,
    );
    near(
      run((g) => g.reduce(g.buffer("x", [-3, -0.5, 2, -7]), { op: "percentile", p: 50 })),
      [-1.75],
      6,
    );
  });

  test("entropies", () => {
    const points = [0, 0, 1, 0, 0, 1, 2, 2];
    near(
      run((g) => g.entropy(g.buffer("x", points, [4, 2]))),
      [2.292712],
      6,
    );
    near(
      run((g) => g.entropy(g.buffer("p", [0.5, 0.5]), { input: "probabilities" })),
      [Math.LN2],
      6,
    );
    // Of the same density: at the samples themselves, and by way of kdePdf.
    near(
      run((g) => g.entropy(g.kdePdf(g.buffer("x", points, [4, 2])), { input: "density" })),
      [2.292712],
      6,
    );
    const p = [0.5, 0.25, 0.25, 0];
    const squares = 0.375;
    near(
      run((g) => g.entropy(g.buffer("p", p), { input: "probabilities", mode: "renyi" })),
      [-Math.log(squares)],
      6,
    );
    near(
      run((g) => g.entropy(g.buffer("p", p), { input: "probabilities", mode: "tsallis", alpha: 3 })),
      [(1 - (0.125 + 2 / 64)) / 2],
      6,
    );
    // 64 samples, of which each of 8 bins has 8.
    const even = Array.from({ length: 64 }, (_, i) => i);
    for (const mode of ["shannon", "renyi"])
      near(
        run((g) => g.entropy(g.buffer("x", even), { mode })),
        [Math.log(8)],
        6,
      );
    near(
      run((g) => g.entropy(g.buffer("x", even), { mode: "tsallis" })),
      [7 / 8],
      6,
    );
  });

  test("kernel density against the sum written out", () => {
    const [x, grid, h] = [[0.5, -1, 3, 3.25], [0, 1, 2.5], 0.7];
    const want = grid.map(
      (q) =>
        x.reduce((sum, v) => sum + Math.exp(-0.5 * ((v - q) / h) ** 2), 0) /
        (x.length * h * Math.sqrt(2 * Math.PI)),
    );
    near(
      run((g) => g.kdePdf(g.buffer("x", x), g.buffer("grid", grid), { bandwidth: h })),
      want,
      6,
    );
  });

  test("a batch is symmetric; its diagonal is self information, or 0 for neighbours only", () => {
    const list = [3, 5, 7].map((step) => Float32Array.from({ length: 40 }, (_, i) => (i * step) % 11));
    const batch = (pairing: string): number[] =>
      run((g) =>
        g.batchMi(
          list.map((x, i) => g.buffer(`x${i}`, x)),
          { pairing, bins: 4 },
        ),
      );
    const one = (i: number, j: number): number =>
      run((g) =>
        g.mi(g.buffer("x", list[i] as Float32Array), g.buffer("y", list[j] as Float32Array), { bins: 4 }),
      )[0] as number;
    const all = batch("all");
    const near2 = batch("adjacent");
    for (const i of [0, 1, 2])
      for (const j of [0, 1, 2]) {
        expect(all[3 * i + j]).toBe(all[3 * j + i]);
        expect(all[3 * i + j]).toBeCloseTo(one(i, j), 6);
        expect(near2[3 * i + j]).toBe(Math.abs(i - j) === 1 ? all[3 * i + j] : 0);
      }
  });

  test("a copy, of any dtype", () => {
    expect(run((g) => g.dma(g.buffer("x", Int16Array.of(-1, 300, 7))))).toEqual([-1, 300, 7]);
  });
});

/** Every op once, on samples with ties and without. */
function everyOp(): Graph {
  const g = new Graph();
  const n = 60;
  const x = g.buffer(
    "x",
    Array.from({ length: n }, (_, i) => Math.sin(i * i)),
  );
  const y = g.buffer(
    "y",
    Array.from({ length: n }, (_, i) => Math.round(3 * Math.cos(i * i))),
  );
  const wide = g.buffer(
    "wide",
    Array.from({ length: 3 * n }, (_, i) => Math.cos(i * i)),
    [n, 3],
  );
  g.kdePdf(wide, null, { out: "density" });
  g.entropy("density", { input: "density", mode: "tsallis", alpha: 1.5 });
  g.entropy(wide, { mode: "renyi", alpha: 0.5 });
  g.mi(x, wide, { estimator: "ksg", k: 3, zscore: true });
  g.mi(x, wide, { bins: 5 });
  g.batchMi([x, y, wide], { estimator: "ksg", k: 4, out: "matrix" });
  g.plasticityStep(g.dma(x), x, null, null, null, { budget: 0.5 });
  g.reduce("matrix", { op: "percentile", p: 77.7 });
  return g;
}

test("both executions leave the same bits in every buffer", () => {
  const [direct, compiled] = [everyOp(), everyOp()];
  direct.run({ execution: "direct" });
  compiled.run({ execution: "compiled" });
  expect(new Set(direct.descriptors.map((d) => d.op))).toEqual(new Set(OP_NAMES));
  for (const buf of compiled.buffers) expect(buf.data).toEqual(direct.get(buf.name).data);
});

test("a second run does nothing, and leaves the same buffers", () => {
  const graph = everyOp();
  let steps = 0;
  const onProgress = (): void => void steps++;
  graph.run({ onProgress });
  const first = graph.buffers.map((b) => b.data);
  const taken = steps;
  graph.run({ onProgress });
  expect(steps).toBe(taken);
  expect(taken).toBeGreaterThan(0);
  graph.buffers.forEach((b, i) => {
    expect(b.data).toBe(first[i]);
  });
});
