/** Graphs that cannot run are refused when the op is added, with a code and what to write instead. */
import { KpuError } from "kpu-dsl";
import { Graph } from "kpu-dsl/itpu";
import { expect, test } from "vitest";

const samples = (n: number): number[] => Array.from({ length: n }, (_, i) => Math.sin(i * i));

/** x: 8 samples, y: 9, ints, nan, flat (all equal), neg. */
function graph(): Graph {
  const g = new Graph();
  g.buffer("x", samples(8));
  g.buffer("y", samples(9));
  g.buffer(
    "ints",
    Int32Array.from({ length: 8 }, (_, i) => i),
  );
  g.buffer("nan", [...samples(7), Number.NaN]);
  g.buffer("flat", new Float32Array(8).fill(3));
  g.buffer("neg", [-1, ...samples(7)]);
  return g;
}

test.each<[string, string, RegExp, (g: Graph) => unknown]>([
  [
    "an op that does not exist",
    "KPU9101",
    /use one of kdePdf/,
    (g) => g.add({ op: "fft", inputs: ["x"], outputs: ["o"] }),
  ],
  ["a buffer that does not exist", "KPU9102", /there is no buffer "z"/, (g) => g.mi("x", "z")],
  [
    "an input that is left out",
    "KPU9102",
    /needs y/,
    (g) => g.add({ op: "mi", inputs: ["x"], outputs: ["o"] }),
  ],
  ["a name that is taken", "KPU9102", /a buffer "x" already/, (g) => g.dma("y", { out: "x" })],
  ["a buffer of another graph", "KPU9102", /of another graph/, (g) => g.dma(graph().get("x"))],
  ["different numbers of samples", "KPU9103", /"x" is \[8\], "y" \[9\]/, (g) => g.mi("x", "y")],
  [
    "values that are not the shape",
    "KPU9103",
    /6 values are not \[2, 2\]/,
    (g) => g.buffer("s", samples(6), [2, 2]),
  ],
  [
    "gains and information of different length",
    "KPU9103",
    /expected \[9\]/,
    (g) => g.plasticityStep("x", "y"),
  ],
  ["integers as samples", "KPU9103", /"ints" is i32/, (g) => g.entropy("ints")],
  ["NaN in samples", "KPU9105", /"nan" has NaN at 7/, (g) => g.mi("x", "nan")],
  [
    "as many neighbours as samples",
    "KPU9104",
    /less than the number of samples, 8, got 8/,
    (g) => g.mi("x", "x", { estimator: "ksg", k: 8 }),
  ],
  [
    "a bandwidth of zero",
    "KPU9104",
    /bandwidth: expected a number above 0/,
    (g) => g.kdePdf("x", null, { bandwidth: 0 }),
  ],
  ["equal samples without a bandwidth", "KPU9105", /its bandwidth is 0/, (g) => g.kdePdf("flat")],
  [
    "a negative cost",
    "KPU9105",
    /costs from 0, "neg" has -1 at 0/,
    (g) => g.plasticityStep("x", "x", null, "neg"),
  ],
  [
    "probabilities that do not sum to 1",
    "KPU9105",
    /sums to 24/,
    (g) => g.entropy("flat", { input: "probabilities" }),
  ],
  ["a parameter that does not exist", "KPU9104", /has no parameter "bin"/, (g) => g.mi("x", "x", { bin: 3 })],
  [
    "a parameter of another kind",
    "KPU9104",
    /expected hist or ksg, got "kde"/,
    (g) => g.mi("x", "x", { estimator: "kde" }),
  ],
  ["too many cells", "KPU9104", /cells, more than/, (g) => g.mi("x", "x", { bins: 5000 })],
  ["a number beyond f32", "KPU9105", /beyond the range of f32/, (g) => g.buffer("big", [1e300])],
  ["values before the run", "KPU9102", /call run\(\) first/, (g) => g.dma("x").data],
])("%s", (_what, code, text, act) => {
  const g = graph();
  const before = g.descriptors.length;
  expect(() => act(g)).toThrow(KpuError);
  expect(() => act(graph())).toThrow(expect.objectContaining({ code }));
  expect(() => act(graph())).toThrow(text);
  expect(g.descriptors.length).toBeLessThanOrEqual(before + (code === "KPU9102" ? 1 : 0));
});
