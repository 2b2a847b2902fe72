/**
 * Which variables belong together? Correlation sees straight lines only; mutual information sees a parabola, a circle and a
 * wave as well. Writes `out/dependence.svg`: the samples, and both figures beside each.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Graph } from "kpu-dsl/itpu";
import { isMain } from "../is-main.ts";
import { scatterPlots } from "./plot.ts";

export interface DataSet {
  readonly name: string;
  readonly x: Float32Array;
  readonly y: Float32Array;
}
export interface Finding extends DataSet {
  /** Pearson's, between -1 and 1. */
  readonly correlation: number;
  /** In nats; 0 without any dependence. */
  readonly information: number;
}

/** Even numbers above 0 and below 1, the same for every run of a seed (Lehmer's generator, with Park and Miller's factor). */
function uniforms(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** Pairs of n samples: a line, three dependences that no line is near to, and none at all. */
export function dataSets(n: number, seed = 1): readonly DataSet[] {
  const uniform = uniforms(seed);
  const spread = (): number => 2 * uniform() - 1;
  // The sum of three is nearly normal.
  const noise = (size: number): number => size * (spread() + spread() + spread());
  const made = (name: string, pair: () => readonly [number, number]): DataSet => {
    const pairs = Array.from({ length: n }, pair);
    return { name, x: Float32Array.from(pairs, ([x]) => x), y: Float32Array.from(pairs, ([, y]) => y) };
  };
  return [
    made("line", () => {
      const x = spread();
      return [x, x + noise(0.15)];
    }),
    made("parabola", () => {
      const x = spread();
      return [x, 2 * x * x - 1 + noise(0.1)];
    }),
    made("circle", () => {
      const angle = 2 * Math.PI * uniform();
      return [Math.cos(angle) + noise(0.05), Math.sin(angle) + noise(0.05)];
    }),
    made("wave", () => {
      const x = spread();
      return [x, Math.cos(3 * Math.PI * x) + noise(0.1)];
    }),
    made("none", () => [spread(), spread()]),
  ];
}

/** Both figures of every data set; the information of all in one run of a graph. */
export function findDependences(sets: readonly DataSet[]): readonly Finding[] {
  const graph = new Graph();
  for (const { name, x, y } of sets)
    graph.mi(graph.buffer(`${name} x`, x), graph.buffer(`${name} y`, y), {
      estimator: "ksg",
      k: 4,
      zscore: true,
      out: name,
    });
  graph.run();
  return sets.map((set) => ({
    ...set,
    correlation: correlation(set.x, set.y),
    information: graph.get(set.name).data[0] ?? Number.NaN,
  }));
}

export function correlation(x: Float32Array, y: Float32Array): number {
  const mean = (v: Float32Array): number => v.reduce((sum, a) => sum + a, 0) / v.length;
  const [mx, my] = [mean(x), mean(y)];
  let [xy, xx, yy] = [0, 0, 0];
  x.forEach((a, i) => {
    const [dx, dy] = [a - mx, (y[i] ?? 0) - my];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  });
  return xy / Math.sqrt(xx * yy);
}

if (isMain(import.meta.url)) {
  const findings = findDependences(dataSets(2000));
  for (const { name, correlation: r, information } of findings)
    console.log(
      `${name.padEnd(10)} correlation ${r.toFixed(2).padStart(5)}   mutual information ${information.toFixed(2).padStart(5)} nats`,
    );
  const out = new URL("../../out/", import.meta.url);
  mkdirSync(out, { recursive: true });
  const file = fileURLToPath(new URL("dependence.svg", out));
  writeFileSync(file, scatterPlots(findings));
  console.log(`wrote ${relative(process.cwd(), file)}`);
}
