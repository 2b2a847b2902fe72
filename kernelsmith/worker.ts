/** A worker thread of `kpu fuzz`: runs the batches it is sent. */
import { parentPort } from "node:worker_threads";
import { runBatch } from "./campaign.ts";
import type { WorkRequest } from "./crew.ts";
import { runMutants } from "./mutate.ts";

parentPort?.on("message", (work: WorkRequest) => {
  const { mode, run, from, count, known } = work;
  parentPort?.postMessage(
    mode === "mutants" ? runMutants(run, from, count) : runBatch(run, from, count, { known }),
  );
});
