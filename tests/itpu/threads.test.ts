/** Batches of pairs on several threads: the same bits, progress, and errors as on one. */
import { once } from "node:events";
import { Graph } from "kpu-dsl/itpu";
import { expect, test } from "vitest";
import type { BatchOptions } from "../../itpu/estimators/pairs.ts";
import { pairValues, shareBatch, startHelper } from "../../itpu/estimators/threads.ts";
import { builtPrograms, type Execution, executionOf } from "../../itpu/execution.ts";
import { ITPU_KERNELS } from "../../itpu/kernels/index.ts";
import { keyOf } from "../../itpu/kernels/per-key.ts";
import { samplesOf } from "../../itpu/samples.ts";
import { Draws } from "./draws.ts";

const draws = new Draws(11);
const list = [1, 1, 2, 1, 1].map((dims) =>
  samplesOf(
    Float32Array.from({ length: 60 * dims }, () => draws.normal()),
    [60, dims],
  ),
);
const OPTIONS: BatchOptions = {
  pairing: "all",
  estimator: "ksg",
  k: 4,
  zscore: true,
  bins: 5,
  correction: "none",
};
const compiled = executionOf("compiled");
const alone = { execution: compiled, threads: 1, progress: () => {} };

test("a helping thread gives the bits of the calling one", async () => {
  const want = pairValues(alone, list, OPTIONS);
  const batch = shareBatch("compiled", list, OPTIONS);
  const helper = startHelper({ batch, thread: 2, programs: builtPrograms() });
  helper.ref();
  await once(helper, "exit");
  expect([...batch.finishedBy]).toEqual(new Array(15).fill(2));
  expect(batch.values).toEqual(want);
});

test.each(["ksg", "hist"] as const)(
  "several threads: the bits of one, and progress that grows: %s",
  (estimator) => {
    const options = { ...OPTIONS, estimator };
    const said: number[] = [];
    const progress = (done: number, total: number): void => {
      expect(total).toBe(15);
      said.push(done);
    };
    // Threads are started behind the first pair.
    const found = pairValues({ execution: compiled, threads: 3, progress }, list, options, 0);
    expect(found).toEqual(pairValues(alone, list, options));
    expect(said.at(-1)).toBe(15);
    expect(said).toEqual([...new Set(said)].sort((a, b) => a - b));
  },
);

test("an error of a pair reaches the caller", () => {
  let runs = 0;
  const broken: Execution = {
    name: "compiled",
    run(kernel, ...args) {
      if (++runs > 20) throw new RangeError("no more");
      compiled.run(kernel, ...args);
    },
  };
  expect(() => pairValues({ ...alone, execution: broken, threads: 2 }, list, OPTIONS, 0)).toThrow("no more");
});

test("every kernel has a key of its own", () => {
  const keys = Object.values(ITPU_KERNELS).map(keyOf);
  expect(new Set(keys).size).toBe(keys.length);
});

test.each([0, 1.5, Number.NaN])("%d threads are refused", (threads) => {
  expect(() => new Graph().run({ threads })).toThrow(expect.objectContaining({ code: "KPU6006" }));
});
