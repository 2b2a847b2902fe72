/**
 * Pairs of a batch on several threads. Each thread takes the next pair that nobody has, and stores its value, which does not
 * depend on who computes it: the result has the same bits for any number of threads.
 *
 * The calling thread works too, and never waits for another: when all pairs are taken it computes those that are not
 * finished once more itself, which takes no longer than waiting. So a thread that fails to start, or dies, costs time and
 * nothing else, and an error of the computation is thrown where the caller can see it.
 */
import type { Worker } from "node:worker_threads";
import { startThread } from "../../runtime/thread.ts";
import {
  builtPrograms,
  type ExecutionName,
  executionOf,
  type SavedProgram,
  useProgram,
  type Work,
} from "../execution.ts";
import type { Samples } from "../samples.ts";
import { type BatchOptions, type Pair, pairEstimator, pairsOf } from "./pairs.ts";

/** A batch that threads share. Figures of pairs stand in the order of `pairsOf`. */
export interface SharedBatch {
  readonly list: readonly Samples[];
  readonly options: BatchOptions;
  readonly execution: ExecutionName;
  /** The next pair that nobody has taken; pairs that are finished. */
  readonly counters: Int32Array;
  readonly values: Float32Array;
  /** The thread that finished it, 1 for the calling one; 0 while it is open. */
  readonly finishedBy: Int32Array;
}
const TAKEN = 0;
const FINISHED = 1;

/** The part of a thread: it loads the programs of the calling one, and does without a compiler. */
export interface Help {
  readonly batch: SharedBatch;
  readonly thread: number;
  readonly programs: readonly SavedProgram[];
}

export function shareBatch(
  execution: ExecutionName,
  list: readonly Samples[],
  options: BatchOptions,
): SharedBatch {
  const pairs = pairsOf(list.length, options.pairing).length;
  const ints = (length: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * length));
  const floats = (length: number): Float32Array => new Float32Array(new SharedArrayBuffer(4 * length));
  const samples = list.map(({ data, n, dims }) => {
    const copy = floats(data.length);
    copy.set(data);
    return { data: copy, n, dims };
  });
  return {
    list: samples,
    options,
    execution,
    counters: ints(2),
    values: floats(pairs),
    finishedBy: ints(pairs),
  };
}

function finish(batch: SharedBatch, thread: number, at: number, value: number): void {
  batch.values[at] = value;
  if (Atomics.compareExchange(batch.finishedBy, at, 0, thread) === 0)
    Atomics.add(batch.counters, FINISHED, 1);
}

/** Takes pairs until all are taken; `after` is called behind each. */
function takePairs(
  batch: SharedBatch,
  thread: number,
  pairs: readonly Pair[],
  estimate: (i: number, j: number) => number,
  after: () => void = () => {},
): void {
  for (;;) {
    const at = Atomics.add(batch.counters, TAKEN, 1);
    const pair = pairs[at];
    if (pair === undefined) return;
    finish(batch, thread, at, estimate(...pair));
    after();
  }
}

/** What a thread of its own does. */
export function help({ batch, thread, programs }: Help): void {
  for (const program of programs) useProgram(program);
  const { execution, list, options } = batch;
  const estimate = pairEstimator(executionOf(execution), list, options);
  takePairs(batch, thread, pairsOf(list.length, options.pairing), estimate);
}

/** Threads are started for work of more than so many ms: they take as long to load. */
const WORTH_MS = 1500;

/**
 * The value of each pair of `pairsOf`.
 * @param worthMs what is left has to take so long before other threads are started
 */
export function pairValues(
  { execution, threads, progress }: Work,
  list: readonly Samples[],
  options: BatchOptions,
  worthMs = WORTH_MS,
): Float32Array {
  const pairs = pairsOf(list.length, options.pairing);
  const batch = shareBatch(execution.name, list, options);
  const estimate = pairEstimator(execution, batch.list, options);
  const helpers: Worker[] = [];
  const started = performance.now();
  let reported = 0;
  const after = (): void => {
    const finished = Atomics.load(batch.counters, FINISHED);
    if (finished > reported) progress(finished, pairs.length);
    reported = finished;
    const left = pairs.length - finished;
    if (helpers.length > 0 || ((performance.now() - started) / finished) * left < worthMs) return;
    for (let thread = 2; thread <= Math.min(threads, left); thread++)
      helpers.push(startHelper({ batch, thread, programs: builtPrograms() }));
  };
  try {
    takePairs(batch, 1, pairs, estimate, after);
    // The pairs taken last are those that are furthest from their end.
    for (let at = pairs.length - 1; at >= 0; at--) {
      if (Atomics.load(batch.finishedBy, at) !== 0) continue;
      finish(batch, 1, at, estimate(...(pairs[at] as Pair)));
      after();
    }
    after();
  } finally {
    for (const helper of helpers) void helper.terminate();
  }
  return batch.values;
}

export function startHelper(part: Help): Worker {
  const helper = startThread("./worker", import.meta.url, part);
  helper.unref();
  // Its pairs are computed by the calling thread then, and what is wrong with them shows there.
  helper.on("error", () => {});
  return helper;
}
