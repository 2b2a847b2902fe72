/**
 * Milliseconds since `start()`: of the clock or of this process's processor time, whichever is less. On a quiet machine the clock
 * is, since processor time counts V8's helper threads too; on a busy one processor time leaves out the waiting.
 */
function stopwatch(): () => number {
  const cpu = process.cpuUsage();
  const start = performance.now();
  return () => {
    const wall = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    return Math.min(wall, (user + system) / 1000);
  };
}

/** Time of one call: the best of several batches, each long enough for the clock. */
export function bestOf(
  run: () => void,
  o: { readonly batches?: number; readonly batchMs?: number } = {},
): number {
  const { batches = 7, batchMs = 60 } = o;
  let times = 1;
  const batch = (): number => {
    const elapsed = stopwatch();
    for (let i = 0; i < times; i++) run();
    return elapsed();
  };
  for (let elapsed = batch(); elapsed < batchMs; elapsed = batch())
    times = Math.ceil(times * Math.max(1.2, Math.min(10, (1.2 * batchMs) / Math.max(elapsed, 0.001))));
  let best = Infinity;
  for (let b = 0; b < batches; b++) best = Math.min(best, batch() / times);
  return best;
}

/** For work of milliseconds: the best single call, which a busy machine disturbs least. */
export function bestCall(run: () => void, times: number): number {
  let best = Infinity;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** The same for asynchronous work. */
export async function bestCallAsync(run: () => Promise<unknown>, times: number): Promise<number> {
  let best = Infinity;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** Rounds without a better time after which a comparison ends, and rounds at most. */
const PATIENCE = 25;
const MOST_ROUNDS = 120;
/** What counts as better: a hundredth less. */
const BETTER = 0.99;

/**
 * Best calls of several pieces of work that are compared. Each round has a call of each, so that a busy moment meets all alike, and
 * rounds go on until all have met a quiet one: until none of the times gets better.
 */
export async function bestOfRounds<K extends string>(
  parts: Readonly<Record<K, () => unknown>>,
): Promise<Readonly<Record<K, number>>> {
  const names = Object.keys(parts) as K[];
  const best = Object.fromEntries(names.map((name) => [name, Infinity])) as Record<K, number>;
  for (let round = 0, since = 0; round < MOST_ROUNDS && since < PATIENCE; round++, since++)
    for (const name of names) {
      const start = performance.now();
      await parts[name]();
      const took = performance.now() - start;
      if (took < BETTER * best[name]) since = 0;
      best[name] = Math.min(best[name], took);
    }
  return best;
}

/** One line of the report. `budget` says what the value must keep, in the unit of the value. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly compared?: string;
  readonly budget?: { readonly atLeast?: number; readonly atMost?: number };
}

export function verdict(r: Row): string {
  if (r.budget === undefined) return "";
  const ok = r.value >= (r.budget.atLeast ?? -Infinity) && r.value <= (r.budget.atMost ?? Infinity);
  const { atLeast, atMost } = r.budget;
  const bound = atLeast === undefined ? `<= ${atMost}` : `>= ${Number(atLeast.toFixed(3))}`;
  return `${bound.padEnd(9)} ${ok ? "ok" : "MISS"}`;
}

export function table(rows: readonly Row[]): string {
  const shown = rows.map((r) => [r.name, `${format(r.value)} ${r.unit}`, r.compared ?? "", verdict(r)]);
  const widths = [0, 1, 2].map((c) => Math.max(...shown.map((r) => (r[c] as string).length)));
  return shown
    .map((r) =>
      r
        .map((cell, c) => cell.padEnd(widths[c] ?? 0))
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
}

function format(x: number): string {
  return x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2);
}
