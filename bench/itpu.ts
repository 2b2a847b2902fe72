/** The information-theory unit on this machine: single estimates, and a batch on one thread and on all. */
import { availableParallelism } from "node:os";
import { Graph, type Params } from "kpu-dsl/itpu";
import { histogramMi } from "../itpu/estimators/histogram.ts";
import { ksgMi } from "../itpu/estimators/ksg.ts";
import { executionOf } from "../itpu/execution.ts";
import { samplesOf } from "../itpu/samples.ts";
import { bestOf, type Row } from "./measure.ts";

/** Normal samples by Box and Muller, the same in every run. */
function normals(seed: number): (n: number) => Float32Array {
  let state = seed;
  const uniform = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return (n) => Float32Array.from({ length: n }, normal);
}

/** Of the batch: 2080 pairs. */
const VARIABLES = 64;
const SAMPLES = 5000;

function seconds(list: readonly Float32Array[], threads: number, params: Params): number {
  const graph = new Graph();
  graph.batchMi(
    list.map((x, i) => graph.buffer(`x${i}`, x)),
    params,
  );
  const started = performance.now();
  graph.run({ threads });
  return (performance.now() - started) / 1000;
}

export function itpuRows(): Row[] {
  const draw = normals(1);
  const compiled = executionOf("compiled");
  const of = (n: number) => samplesOf(draw(n));
  const [a, b, x, y] = [of(10_000), of(10_000), of(SAMPLES), of(SAMPLES)];
  const ksg = bestOf(() => ksgMi(compiled, a, b, { k: 4, zscore: false }));
  const histogram = bestOf(() => histogramMi(compiled, x, y, { bins: 48, correction: "none" }));
  const list = Array.from({ length: VARIABLES }, () => draw(SAMPLES));
  const threads = availableParallelism();
  const search = { estimator: "ksg", k: 4 };
  const [one, all] = [seconds(list, 1, search), seconds(list, threads, search)];
  const binned = seconds(list, 1, { bins: 32 });
  return [
    {
      name: "mutual information, KSG k = 4, 10,000 pairs",
      value: ksg,
      unit: "ms",
      compared: "SciPy 18",
      budget: { atMost: 18 },
    },
    {
      name: "mutual information, 48 x 48 bins, 5,000 pairs",
      value: histogram,
      unit: "ms",
      compared: "others 0.65",
      budget: { atMost: 0.65 },
    },
    { name: `all pairs of ${VARIABLES} x ${SAMPLES}, 32 bins, one thread`, value: binned, unit: "s" },
    {
      name: `all pairs of ${VARIABLES} x ${SAMPLES}, KSG k = 4, ${threads} threads`,
      value: one / all,
      unit: "x one thread",
      compared: `${all.toFixed(1)} s, one thread ${one.toFixed(1)}`,
    },
  ];
}
