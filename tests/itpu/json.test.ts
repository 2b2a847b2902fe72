/** Graphs as JSON, and the command that runs them. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Graph, graphFile, readGraph } from "kpu-dsl/itpu";
import { expect, test } from "vitest";
import { writeNpy } from "../../cli/npy.ts";

const x = [0, 0, 1, 1, 0, 1, 0, 1];
const y = [0, 0, 1, 1, 1, 0, 0, 1];

test("a graph is the same after writing and reading", () => {
  const graph = new Graph();
  graph.mi(graph.buffer("x", x), graph.buffer("y", y), { bins: 2, out: "mi" });
  graph.plasticityStep("x", "y", null, "x", null, { out: "next" });
  graph.dma(graph.buffer("ints", Int16Array.of(3, -4)));
  const text = JSON.stringify(graphFile(graph));
  const read = readGraph(text);
  expect(JSON.stringify(graphFile(read))).toBe(text);
  graph.run();
  read.run();
  for (const buf of graph.buffers) expect(read.get(buf.name).data).toEqual(buf.data);
  expect(read.get("mi").data[0]).toBeCloseTo(0.13081203, 8);
});

test.each([
  ["not JSON", "{", "KPU9106"],
  ["another version", '{ "version": 2, "buffers": [], "kernels": [] }', "KPU9106"],
  ["a field too many", '{ "version": 1, "buffers": [], "kernels": [], "nodes": [] }', "KPU9106"],
  ["no data", '{ "version": 1, "buffers": [{ "name": "x" }], "kernels": [] }', "KPU9102"],
  [
    "a fraction as an integer",
    '{ "version": 1, "buffers": [{ "name": "x", "dtype": "i8", "data": [0.5] }], "kernels": [] }',
    "KPU9105",
  ],
  [
    "an unknown op",
    '{ "version": 1, "buffers": [], "kernels": [{ "op": "fft", "inputs": [], "outputs": ["o"] }] }',
    "KPU9101",
  ],
])("refused: %s", (_what, text, code) => {
  expect(() => readGraph(text)).toThrow(expect.objectContaining({ code }));
});

test("a mistake stands with its line and column", () => {
  const text = '{\n  "version": 1,\n  "buffers": [{ "name": "x" }, { "name": 3 }],\n  "kernels": []\n}';
  const location = { file: "g.json", line: 3, column: 42 };
  expect(() => readGraph(text, new Map(), "g.json")).toThrow(
    expect.objectContaining({
      diagnostics: [expect.objectContaining({ location: expect.objectContaining(location) })],
    }),
  );
});

test("kpu itpu run takes inputs from files, by their names", () => {
  const folder = mkdtempSync(join(tmpdir(), "kpu-itpu-"));
  const file = join(folder, "graph.json");
  writeFileSync(
    file,
    JSON.stringify({
      version: 1,
      buffers: [{ name: "x" }, { name: "y", data: y }],
      kernels: [{ op: "mi", inputs: ["x", "y"], outputs: ["information"], params: { bins: 2 } }],
    }),
  );
  writeFileSync(join(folder, "x.npy"), writeNpy({ type: "f4", shape: [8], data: Float32Array.from(x) }));
  const main = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
  const kpu = ["--conditions=kpu-source", "--import", "tsx", main, "itpu", "run", file];
  const output = execFileSync(process.execPath, [...kpu, "--input", join(folder, "x.npy")], {
    encoding: "utf8",
  });
  expect(output).toMatch(/^information = 0\.1308120/);
  const [metrics, trace] = [join(folder, "metrics.json"), join(folder, "trace.json")];
  const timed = execFileSync(
    process.execPath,
    [...kpu, "--input", join(folder, "x.npy"), "--mode", "power", "--metrics", metrics, "--trace", trace],
    { encoding: "utf8" },
  );
  expect(timed).toMatch(/^mi +information +[\d.]+ +[\d.]+ +[\d.]+ +latency/m);
  expect(JSON.parse(readFileSync(metrics, "utf8"))).toMatchObject({
    machine: "itpu-v0",
    graphOps: [{ op: "mi", output: "information" }],
    traffic: { dram: { read: 64, written: 4 } },
  });
  expect(JSON.parse(readFileSync(trace, "utf8")).traceEvents.length).toBeGreaterThan(10);
  const refused = spawnSync(process.execPath, kpu, { encoding: "utf8" });
  expect(refused.status).toBe(1);
  expect(refused.stderr).toMatch(/KPU9102.*buffer "x" has no data/s);
  expect(refused.stderr).not.toMatch(/\n\s+at /);
});
