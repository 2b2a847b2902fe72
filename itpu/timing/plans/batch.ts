/** What a batch of pairs asks of the machine. */
import { type BatchOptions, type Pair, pairsOf } from "../../estimators/pairs.ts";
import { type Costing, rowsOf, type Stored, WORD } from "../costing.ts";
import { type Plan, type Step, times, together, type WorkStep } from "../steps.ts";
import { binning, cellSum, rangeOf } from "./histogram.ts";
import { searchBytes, searchSteps } from "./neighbours.ts";

/** Pairs of a batch whose search is counted; the others are taken as their mean. */
const COUNTED_PAIRS = 8;

/** All variables are brought in once. Each unit works on pairs of its own. */
export function batchPlan(c: Costing, list: readonly Stored[], o: BatchOptions): Plan {
  const m = list.length;
  const pairs = pairsOf(m, o.pairing);
  const bytes = list.reduce((sum, { samples }) => sum + WORD * samples.n * samples.dims, 0);
  const histogram = o.estimator === "hist";
  const columns = Math.max(0, ...list.map(({ samples }) => samples.dims));
  const marginals = list.reduce((sum, { samples }) => sum + o.bins ** samples.dims, 0);
  const loads = list.map((x): Step => {
    const work = histogram ? together(rangeOf(x.samples), binning(x.samples, 1)) : {};
    return { step: "stream", rows: x.samples.n, load: [rowsOf(x)], keep: true, work };
  });
  return {
    unit: "mieu",
    resident: bytes,
    residentOfUnit: histogram
      ? WORD * o.bins ** (2 * columns)
      : searchBytes(list[0]?.samples.n ?? 0, 2 * columns),
    steps: [
      ...loads,
      ...(histogram ? [cellSum(marginals, { log: marginals, mac: marginals })] : []),
      {
        step: "each",
        times: pairs.length,
        steps: histogram ? histogramSteps(list, pairs, o) : meanSteps(c, list, pairs, o),
      },
      { step: "store", address: c.output, bytes: WORD * m * m },
    ],
  };
}

/** What is known of a variable alone is there: of a pair the joint histogram is left, of mean size where columns differ. */
function histogramSteps(
  list: readonly Stored[],
  pairs: readonly Pair[],
  { bins }: BatchOptions,
): readonly WorkStep[] {
  const n = list[0]?.samples.n ?? 0;
  const dims = (i: number): number => list[i]?.samples.dims ?? 0;
  const cells =
    pairs.reduce((sum, [i, j]) => sum + bins ** (dims(i) + dims(j)), 0) / Math.max(1, pairs.length);
  return [{ step: "work", work: { bin: n }, read: 2 * WORD * n }, cellSum(cells, { log: cells, mac: cells })];
}

/** The steps of a pair: the mean of some that are spread over all. */
function meanSteps(
  c: Costing,
  list: readonly Stored[],
  pairs: readonly Pair[],
  o: BatchOptions,
): readonly WorkStep[] {
  const count = Math.min(COUNTED_PAIRS, pairs.length);
  const some = Array.from({ length: count }, (_, i) => pairs[Math.floor((i * pairs.length) / count)] as Pair);
  const each = some.map(([i, j]) =>
    searchSteps(c, (list[i] as Stored).samples, (list[j] as Stored).samples, o),
  );
  return (each[0] ?? []).map((_, at) => {
    const same = each.flatMap((steps) => steps.slice(at, at + 1));
    const mean = (of: (s: WorkStep) => number): number => same.reduce((sum, s) => sum + of(s), 0) / count;
    return {
      step: "work",
      work: times(1 / count, together(...same.map((s) => s.work))),
      read: mean((s) => s.read ?? 0),
      write: mean((s) => s.write ?? 0),
    };
  });
}
