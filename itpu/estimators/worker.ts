/** A thread that helps with a batch of pairs. */
import { workerData } from "node:worker_threads";
import { type Help, help } from "./threads.ts";

help(workerData as Help);
