/**
 * `npm run test:mutations`: 100,000 mutants of program files on all cores, each refused with a diagnostic or whole. Prints what they
 * came to; exit code 1 when one is neither, or stands still. `-- --count 1000 --seed 7` tries others, `-- --only 123 --seed 7` one again.
 */
import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { originals } from "./originals.ts";
import { type Outcome, trial } from "./trial.ts";

/** A mutant that takes longer stands still. */
const STANDS_STILL_MS = 60_000;

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    /** Of a child: the first mutant, how far it is to the next, and where to end. */
    share: { type: "string" },
  },
});
const seed = Number(values.seed);

/** From a child: it begins with a mutant, and what came of it. */
interface Message {
  readonly n: number;
  readonly outcome?: Outcome;
  readonly failure?: string;
}

if (values.share !== undefined) await work(values.share);
else if (values.only !== undefined) {
  const outcome = trial(originals(40, true), seed, Number(values.only));
  console.log(`mutant ${values.only} of seed ${seed}: ${outcome.mutation}, ${outcome.gave}`);
} else await supervise(Number(values.count));

async function work(share: string): Promise<void> {
  const [first, step, end] = share.split(" ").map(Number) as [number, number, number];
  const from = originals(40, true);
  const send = (m: Message): Promise<void> =>
    new Promise((sent, failed) => {
      process.send?.(m, (error: Error | null) => (error === null ? sent() : failed(error)));
    });
  for (let n = first; n < end; n += step) {
    await send({ n });
    try {
      await send({ n, outcome: trial(from, seed, n) });
    } catch (error) {
      await send({ n, failure: (error as Error).message });
    }
  }
  process.disconnect();
}

async function supervise(count: number): Promise<void> {
  const jobs = Math.min(availableParallelism(), count);
  console.log(`seed ${seed}, mutants 0 to ${count - 1}, ${jobs} processes`);
  const outcomes: Outcome[] = [];
  const failures: string[] = [];
  const fails = (text: string): void => {
    failures.push(text);
    console.error(text);
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: jobs }, (_, i) => watched(i, jobs, count, outcomes, fails)));
  const seconds = (performance.now() - start) / 1000;
  report(outcomes, failures.length, seconds);
  process.exitCode = failures.length === 0 && outcomes.length === count ? 0 : 1;
}

/** Runs one share; a child that stands still or dies is replaced by one that begins with the next mutant. */
async function watched(
  first: number,
  step: number,
  end: number,
  outcomes: Outcome[],
  fails: (text: string) => void,
): Promise<void> {
  for (let next = first; next < end; ) {
    const file = fileURLToPath(import.meta.url);
    const child = fork(file, ["--seed", String(seed), "--share", `${next} ${step} ${end}`]);
    const last = await follow(child, (m) => {
      if (m.outcome !== undefined) outcomes.push(m.outcome);
      if (m.failure !== undefined) fails(m.failure);
    });
    if (last.ended) return;
    fails(`mutant ${last.n ?? next} of seed ${seed} stands still, or ends the process`);
    next = (last.n ?? next) + step;
  }
}

/** Until a child ends: whether it came to the end of its share, and the mutant that it was at. */
function follow(
  child: ChildProcess,
  take: (m: Message) => void,
): Promise<{ readonly ended: boolean; readonly n: number | undefined }> {
  return new Promise((resolve) => {
    let n: number | undefined;
    let timer: NodeJS.Timeout | undefined;
    child.on("message", (message: Message) => {
      clearTimeout(timer);
      timer = setTimeout(() => child.kill("SIGKILL"), STANDS_STILL_MS);
      n = message.n;
      take(message);
    });
    child.on("exit", (code) => {
      clearTimeout(timer);
      resolve({ ended: code === 0, n });
    });
  });
}

function report(outcomes: readonly Outcome[], failures: number, seconds: number): void {
  if (outcomes.length === 0) return;
  const codes = [...new Set(outcomes.map((o) => o.gave))].sort();
  const counts = (name: string, own: readonly Outcome[]): readonly string[] => [
    name,
    ...codes.map((c) => String(own.filter((o) => o.gave === c).length)),
  ];
  const mutations = [...new Set(outcomes.map((o) => o.mutation))].sort();
  const rows = [
    ["", ...codes],
    ...mutations.map((m) =>
      counts(
        m,
        outcomes.filter((o) => o.mutation === m),
      ),
    ),
    counts("all", outcomes),
  ];
  for (const row of rows)
    console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(34) : cell.padStart(9))).join(""));
  const slowest = outcomes.reduce((a, b) => (b.ms > a.ms ? b : a));
  const ran = outcomes.filter((o) => o.ran).length;
  console.log(
    `${outcomes.length} mutants in ${seconds.toFixed(0)} s, the slowest, ${slowest.n}, took ${slowest.ms.toFixed(0)} ms; ${ran} ran to the end; ${failures} failures`,
  );
}
