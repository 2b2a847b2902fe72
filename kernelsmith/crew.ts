/** The threads of a campaign: each works on a batch of its own, so that the kernels of a seed do not depend on their number. */
import { availableParallelism } from "node:os";
import { startThread } from "../runtime/thread.ts";
import { BATCH, type BatchReport, type Failure, runBatch } from "./campaign.ts";
import type { Counts } from "./coverage.ts";
import { MUTATIONS, type MutationResult, runMutants } from "./mutate.ts";

export interface WorkRequest {
  /** Kernels to compare, or kernels with and without a planted bug. */
  readonly mode: "kernels" | "mutants";
  readonly run: number;
  readonly from: number;
  readonly count: number;
  readonly known: ReadonlySet<string>;
}

export interface CampaignOptions {
  readonly seed: number;
  /** Ends after so many seconds, or after so many kernels. */
  readonly seconds?: number;
  readonly kernels?: number;
  /** Threads; 0 works in the calling thread. Default: the cores of the machine. */
  readonly jobs?: number;
  readonly onProgress?: (report: CampaignReport) => void;
}

export interface CampaignReport {
  readonly seed: number;
  kernels: number;
  statements: number;
  lines: number;
  seconds: number;
  readonly counts: Counts;
  readonly failures: Failure[];
}

/** Failures after which a campaign ends: the rest would be the same ones. */
const MOST_FAILURES = 50;

export async function campaign(o: CampaignOptions): Promise<CampaignReport> {
  const started = performance.now();
  const report: CampaignReport = {
    seed: o.seed,
    kernels: 0,
    statements: 0,
    lines: 0,
    seconds: 0,
    counts: new Map(),
    failures: [],
  };
  let next = 0;
  /** The next batch, or undefined when the campaign is over. */
  const take = (): WorkRequest | undefined => {
    const left = (o.kernels ?? Infinity) - next;
    const late = o.seconds !== undefined && performance.now() - started >= o.seconds * 1000;
    if (left <= 0 || late || report.failures.length >= MOST_FAILURES) return undefined;
    const count = Math.min(BATCH, left);
    const from = next;
    next += count;
    return {
      mode: "kernels",
      run: o.seed,
      from,
      count,
      known: new Set(report.failures.map((f) => f.signature)),
    };
  };
  const add = (b: BatchReport): void => {
    report.kernels += b.kernels;
    report.statements += b.statements;
    report.lines += b.lines;
    for (const [k, n] of b.counts) report.counts.set(k, (report.counts.get(k) ?? 0) + n);
    report.failures.push(...b.failures);
    report.seconds = (performance.now() - started) / 1000;
    o.onProgress?.(report);
  };
  await spread(o.jobs, take, (work) => runBatch(work.run, work.from, work.count, work), add);
  report.seconds = (performance.now() - started) / 1000;
  return report;
}

/** Work on all threads, or here when `jobs` is 0. */
async function spread<T>(
  jobs: number = availableParallelism(),
  take: () => WorkRequest | undefined,
  here: (work: WorkRequest) => T,
  add: (result: T) => void,
): Promise<void> {
  if (jobs === 0) for (let work = take(); work !== undefined; work = take()) add(here(work));
  else await Promise.all(Array.from({ length: jobs }, () => hand(take, add)));
}

/** One thread, kept busy until there is nothing more to take. */
function hand<T>(take: () => WorkRequest | undefined, add: (result: T) => void): Promise<void> {
  return new Promise((done, failed) => {
    const worker = startThread("./worker", import.meta.url);
    const go = (): void => {
      const work = take();
      if (work === undefined) void worker.terminate().then(() => done());
      else worker.postMessage(work);
    };
    worker.on("message", (result: T) => {
      add(result);
      go();
    });
    worker.on("error", failed);
    go();
  });
}

export interface MutationOptions {
  readonly seed: number;
  /** Bugs to plant; as many kernels without one are run too. */
  readonly mutants: number;
  readonly jobs?: number;
  readonly onProgress?: (report: MutationReport) => void;
}

/** One row of the table. */
export interface MutationRow {
  readonly kind: string;
  planted: number;
  found: number;
  /** Seeds of the kernels whose bug nobody reported by its name. */
  readonly missed: MutationResult[];
}

export interface MutationReport {
  readonly seed: number;
  readonly rows: readonly MutationRow[];
  planted: number;
  found: number;
  /** Kernels without a bug, and those of them that something was reported of. */
  clean: number;
  readonly alarms: MutationResult[];
  seconds: number;
}

export async function mutationCampaign(o: MutationOptions): Promise<MutationReport> {
  const started = performance.now();
  const rows = new Map(
    MUTATIONS.map((k) => [k.name, { kind: k.name, planted: 0, found: 0, missed: [] } as MutationRow]),
  );
  const report: MutationReport = {
    seed: o.seed,
    rows: [...rows.values()],
    planted: 0,
    found: 0,
    clean: 0,
    alarms: [],
    seconds: 0,
  };
  let next = 0;
  const take = (): WorkRequest | undefined => {
    const count = Math.min(BATCH / 2, o.mutants - next);
    if (count <= 0) return undefined;
    const from = next;
    next += count;
    return { mode: "mutants", run: o.seed, from, count, known: new Set() };
  };
  const add = (results: readonly MutationResult[]): void => {
    for (const r of results) {
      const row = rows.get(r.kind) as MutationRow;
      report.clean++;
      report.planted++;
      row.planted++;
      if (r.alarm !== undefined) report.alarms.push(r);
      if (r.planted === "found") {
        report.found++;
        row.found++;
      } else row.missed.push(r);
    }
    report.seconds = (performance.now() - started) / 1000;
    o.onProgress?.(report);
  };
  await spread(o.jobs, take, (work) => runMutants(work.run, work.from, work.count), add);
  return report;
}
