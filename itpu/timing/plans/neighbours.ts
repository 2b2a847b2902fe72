/**
 * What the search for nearest neighbours asks of the machine. How often it looks at a pair depends on the samples: the kernels
 * that search count it.
 */
import { type KsgOptions, searchEffort } from "../../estimators/ksg.ts";
import type { Samples } from "../../samples.ts";
import { type Costing, log2, rowsOf, type Stored, storeScalar, WORD } from "../costing.ts";
import { type Items, type Plan, together, type WorkStep } from "../steps.ts";

/** Merge sort in passes of so many ways, whose comparisons are those of a sort by pairs (assumption). */
const MERGE_WAYS = 16;
/** What is sorted: a value, and the place it came from. */
const KEY_BYTES = 8;

/** Sorting so many rows in runs of a length: comparisons, and bytes that go through L2 in each pass. */
function sorting(rows: number, run: number): { readonly work: Items; readonly bytes: number } {
  const passes = Math.max(1, Math.ceil(log2(run) / log2(MERGE_WAYS)));
  return { work: { compare: rows * log2(run) }, bytes: rows * KEY_BYTES * passes };
}

/** Bytes of L2 for each sample: columns, keys of two passes of a sort, the place of the neighbour, and a sorted line per variable. */
export const searchBytes = (n: number, dims: number): number =>
  n * (WORD * dims + 2 * KEY_BYTES + WORD + 2 * WORD);

/**
 * The steps of KSG 1 on samples that are in L2: rows are sorted into strips, the k-th neighbour of each is found, those that
 * are nearer in each variable are counted, and their digammas added up.
 */
export function searchSteps(
  c: Costing,
  x: Samples,
  y: Samples,
  { k, zscore }: KsgOptions,
): readonly WorkStep[] {
  const { n } = x;
  const dims = x.dims + y.dims;
  const effort = searchEffort(c.execution, x, y, k);
  const first = sorting(n, n);
  const strips = sorting(n, effort.size);
  const joint: Items = {
    difference: effort.taken * dims,
    // Each against the radius; one that comes nearer finds its place in a sorted list of k; a strip is entered by halving.
    compare: effort.taken + effort.kept * log2(k + 1) + effort.searched * log2(effort.size),
  };
  const variables = effort.variables.map((v): { readonly work: Items; readonly bytes: number } => {
    if (v.dims === 1) {
      const sort = sorting(n, n);
      const halvings = 2 * n * log2(n);
      return {
        work: together(sort.work, { compare: halvings }),
        bytes: 2 * sort.bytes + WORD * halvings,
      };
    }
    const sort = [sorting(n, n), sorting(n, v.size)];
    // Every strip is asked whether it is near enough.
    const asked = 2 * n * Math.ceil(n / v.size);
    return {
      work: together(...sort.map((s) => s.work), {
        difference: v.taken * v.dims,
        compare: asked + v.taken + v.searched * log2(v.size),
      }),
      bytes: 2 * sort.reduce((sum, s) => sum + s.bytes, 0) + WORD * (asked + v.taken * v.dims),
    };
  });
  const scale: readonly WorkStep[] = zscore
    ? [{ step: "work", work: { mac: 3 * n * dims }, read: 3 * WORD * n * dims, write: WORD * n * dims }]
    : [];
  return [
    ...scale,
    {
      step: "work",
      work: together(first.work, strips.work),
      read: first.bytes + strips.bytes,
      write: first.bytes + strips.bytes,
    },
    { step: "work", work: joint, read: WORD * (effort.taken * dims + effort.searched * log2(effort.size)) },
    {
      step: "work",
      work: together(...variables.map((v) => v.work), { digamma: 2 * n }),
      read: variables.reduce((sum, v) => sum + v.bytes, 0),
    },
  ];
}

export function ksgPlan(c: Costing, x: Stored, y: Stored, o: KsgOptions): Plan {
  const { n, dims } = x.samples;
  const load = { step: "stream", rows: n, load: [rowsOf(x), rowsOf(y)], keep: true, work: {} } as const;
  return {
    unit: "mieu",
    resident: searchBytes(n, dims + y.samples.dims),
    steps: [load, ...searchSteps(c, x.samples, y.samples, o), storeScalar(c)],
  };
}
