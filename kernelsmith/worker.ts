/** A worker thread of `kpu fuzz`: runs the batches it is sent. */
import { parentPort } from "node:worker_threads";
import { runBatch } from "./campaign.ts";
import type { WorkRequest } from "./crew.ts";

parentPort?.on("message", (work: WorkRequest) => {
  parentPort?.postMessage(runBatch(work.run, work.from, work.count, { known: work.known }));
});
