/**
 * What each op asks of the machine: items of work by the algorithms of `estimators/` and `kernels/`, with n samples, D columns,
 * k neighbours, b bins a column. How often the neighbour search looks at a pair depends on the samples; the kernels
 * that search count it.
 */
import type { MachineConfig } from "../../machine/schema.ts";
import type { Buf } from "../buf.ts";
import { binsFor, type EntropyOptions } from "../estimators/entropy.ts";
import type { HistogramOptions } from "../estimators/histogram.ts";
import { type KsgOptions, searchEffort } from "../estimators/ksg.ts";
import { type BatchOptions, type Pair, pairsOf } from "../estimators/pairs.ts";
import type { Execution } from "../execution.ts";
import type { Samples } from "../samples.ts";
import { residentBytes } from "./schedule.ts";
import { type Items, type Plan, type Rows, type Step, times, together, type WorkStep } from "./steps.ts";

/** Where an op is timed. Inputs have their values. */
export interface Costing {
  readonly machine: MachineConfig;
  readonly execution: Execution;
  readonly stored: (buf: Buf) => Stored;
  /** Of the output in DRAM. */
  readonly output: number;
}

/** An array of the graph in DRAM. */
export interface Stored {
  readonly address: number;
  readonly samples: Samples;
}

const WORD = 4;
const rowsOf = ({ address, samples }: Stored): Rows => ({ address, bytesPerRow: WORD * samples.dims });
const log2 = (n: number): number => Math.ceil(Math.log2(Math.max(2, n)));

/** Several passes over rows: the first brings them in, and where they fit they stay for the others. */
function passesOver(
  { machine }: Costing,
  arrays: readonly Stored[],
  passes: readonly Items[],
  keptBeside = 0,
): { readonly resident: number; readonly steps: readonly Step[] } {
  const rows = arrays[0]?.samples.n ?? 0;
  const load = arrays.map(rowsOf);
  const bytes = rows * load.reduce((sum, r) => sum + r.bytesPerRow, 0);
  const keep = bytes + keptBeside <= residentBytes(machine);
  return {
    resident: (keep ? bytes : 0) + keptBeside,
    steps: passes.map((work, i) =>
      keep && i > 0 ? { step: "work", work, read: bytes } : { step: "stream", rows, load, keep, work },
    ),
  };
}

const storeScalar = ({ output }: Costing): Step => ({ step: "store", address: output, bytes: WORD });

// ---------------------------------------------------------------------------------------------- reductions, copies

/** Orders of f32 are halved bit by bit (`kernels/reduce.ts`), for the elements of two ranks. */
const SELECTION_PASSES = 2 * 32;

export function reducePlan(c: Costing, x: Stored, op: "mean" | "max" | "percentile"): Plan {
  const n = x.samples.n * x.samples.dims;
  const passes: Readonly<Record<typeof op, readonly Items[]>> = {
    mean: [{ mac: n }],
    max: [{ compare: n }],
    percentile: Array.from({ length: SELECTION_PASSES }, () => ({ compare: n })),
  };
  const { resident, steps } = passesOver(c, [x], passes[op]);
  return { unit: "ecu", resident, steps: [...steps, storeScalar(c)] };
}

export function copyPlan({ output }: Costing, address: number, bytes: number): Plan {
  return { unit: "ecu", resident: 0, steps: [{ step: "copy", from: address, to: output, bytes }] };
}

// ---------------------------------------------------------------------------------------------- densities, entropies

/** Mean and deviation of each column: a pass for each. */
const momentPasses = ({ n, dims }: Samples): readonly Items[] => [
  { mac: n * dims },
  { mac: n * dims, root: dims },
];

/** Of each pair of a point and a sample: a difference scaled and a square for each column, an exponential, an addition. */
const kernelSums = (points: number, { n, dims }: Samples): Items => ({
  mac: points * n * (2 * dims + 1),
  exp: points * n,
});

/** `grid` is undefined for the samples themselves; `bandwidth` whether it is worked out. */
export function densityPlan(c: Costing, x: Stored, grid: Stored | undefined, bandwidth: boolean): Plan {
  const { n, dims } = x.samples;
  const points = grid?.samples.n ?? n;
  const kept = passesOver(c, [x], bandwidth ? momentPasses(x.samples) : [{}]);
  return {
    unit: "ecu",
    // Every point passes all samples: they have to be there.
    resident: WORD * n * dims,
    steps: [
      ...kept.steps,
      {
        step: "stream",
        rows: points,
        load: grid === undefined ? [] : [rowsOf(grid)],
        keep: false,
        work: kernelSums(points, x.samples),
        read: WORD * points * n * dims,
        store: { address: c.output, bytesPerRow: WORD },
      },
    ],
  };
}

/** Of each weight: its logarithm, and a multiply and add; of a power the exponential too. */
const entropySum = (weights: number, { mode }: EntropyOptions): Items => ({
  log: weights,
  mac: weights,
  ...(mode === "shannon" ? {} : { exp: weights }),
});

export function entropyOfWeightsPlan(c: Costing, x: Stored, o: EntropyOptions): Plan {
  const { resident, steps } = passesOver(c, [x], [entropySum(x.samples.n, o)]);
  return { unit: "ecu", resident, steps: [...steps, storeScalar(c)] };
}

export function entropyOfSamplesPlan(c: Costing, x: Stored, o: EntropyOptions): Plan {
  const { n, dims } = x.samples;
  if (dims > 1) {
    const kept = passesOver(c, [x], momentPasses(x.samples));
    return {
      unit: "ecu",
      resident: WORD * n * dims,
      steps: [
        ...kept.steps,
        {
          step: "work",
          work: together(kernelSums(n, x.samples), entropySum(n, o)),
          read: WORD * n * n * dims,
        },
        storeScalar(c),
      ],
    };
  }
  const cells = binsFor(n);
  const { resident, steps } = passesOver(c, [x], [rangeOf(x.samples), binning(x.samples, 1)], WORD * cells);
  return {
    unit: "ecu",
    resident,
    steps: [
      ...steps,
      { step: "work", work: cellSum(c, "ecu", cells, entropySum(cells, o)), read: WORD * cells },
      storeScalar(c),
    ],
  };
}

// ---------------------------------------------------------------------------------------------- histograms

/** Least and largest of each column. */
const rangeOf = ({ n, dims }: Samples): Items => ({ compare: 2 * n * dims });
/** A multiply and add for the bin of each column; each sample is counted in so many histograms. */
const binning = ({ n, dims }: Samples, histograms: number): Items => ({ mac: n * dims, bin: n * histograms });

/** Units that share the samples have a histogram each, which are added first. Every cell counts as if it had a sample. */
function cellSum({ machine }: Costing, unit: "ecu" | "mieu", cells: number, sum: Items): Items {
  return together({ mac: cells * (machine.tile.units[unit].count - 1) }, sum);
}

export function histogramPlan(c: Costing, x: Stored, y: Stored, { bins }: HistogramOptions): Plan {
  const cells = [x, y].map(({ samples }) => bins ** samples.dims);
  const joint = cells.reduce((a, b) => a * b, 1);
  const all = joint + cells.reduce((a, b) => a + b, 0);
  const { resident, steps } = passesOver(
    c,
    [x, y],
    [
      together(rangeOf(x.samples), rangeOf(y.samples)),
      // Each sample counts in its own variable's histogram, and once in the joint one.
      together(binning(x.samples, 2), binning(y.samples, 1)),
    ],
    WORD * all,
  );
  const work = cellSum(c, "mieu", all, { log: all, mac: all });
  return {
    unit: "mieu",
    resident,
    steps: [...steps, { step: "work", work, read: WORD * all }, storeScalar(c)],
  };
}

// ---------------------------------------------------------------------------------------------- nearest neighbours

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
const searchBytes = (n: number, dims: number): number => n * (WORD * dims + 2 * KEY_BYTES + WORD + 2 * WORD);

/**
 * The steps of KSG 1 on samples that are in L2: rows are sorted into strips, the k-th neighbour of each is found, those that
 * are nearer in each variable are counted, and their digammas added up.
 */
function searchSteps(c: Costing, x: Samples, y: Samples, { k, zscore }: KsgOptions): readonly WorkStep[] {
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

// ---------------------------------------------------------------------------------------------- batches

/** Pairs of a batch whose search is counted; the others are taken as their mean. */
const COUNTED_PAIRS = 8;

/** All variables are brought in once. Each unit works on a pair of its own. */
export function batchPlan(c: Costing, list: readonly Stored[], o: BatchOptions): Plan {
  const m = list.length;
  const pairs = pairsOf(m, o.pairing);
  const bytes = list.reduce((sum, { samples }) => sum + WORD * samples.n * samples.dims, 0);
  const units = c.machine.tile.units.mieu.count;
  const histogram = o.estimator === "hist";
  const columns = Math.max(0, ...list.map(({ samples }) => samples.dims));
  const marginals = list.reduce((sum, { samples }) => sum + o.bins ** samples.dims, 0);
  const beside = histogram
    ? units * WORD * o.bins ** (2 * columns)
    : units * searchBytes(list[0]?.samples.n ?? 0, 2 * columns);
  const loads = list.map((x): Step => {
    const work = histogram ? together(rangeOf(x.samples), binning(x.samples, 1)) : {};
    return { step: "stream", rows: x.samples.n, load: [rowsOf(x)], keep: true, work };
  });
  const ofPairs = (count: number): readonly Step[] => {
    const of = histogram ? histogramSteps(list, pairs, o) : meanSteps(c, list, pairs, o);
    return of.map((s) => scaled(s, count));
  };
  return {
    unit: "mieu",
    resident: bytes + beside,
    steps: [
      ...loads,
      ...(histogram
        ? [
            {
              step: "work",
              work: cellSum(c, "mieu", marginals, { log: marginals, mac: marginals }),
              read: WORD * marginals,
            } as const,
          ]
        : []),
      { step: "repeat", times: Math.floor(pairs.length / units), steps: ofPairs(units) },
      ...(pairs.length % units === 0 ? [] : ofPairs(pairs.length % units)),
      { step: "store", address: c.output, bytes: WORD * m * m },
    ],
  };
}

function scaled({ work, read = 0, write = 0 }: WorkStep, count: number): WorkStep {
  const whole = (n: number): number => Math.ceil(n * count);
  return {
    step: "work",
    work: Object.fromEntries(Object.entries(times(count, work)).map(([kind, n]) => [kind, Math.ceil(n)])),
    read: whole(read),
    write: whole(write),
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
  return [
    { step: "work", work: { bin: n }, read: 2 * WORD * n },
    { step: "work", work: { log: cells, mac: cells }, read: WORD * cells },
  ];
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

// ---------------------------------------------------------------------------------------------- plasticity

/** Vectors of n edges, and the Laplacian row by row. */
export function plasticityPlan(c: Costing, vectors: readonly Stored[], laplacian: Stored | undefined): Plan {
  const n = vectors[0]?.samples.n ?? 0;
  const bytes = WORD * n;
  const loads = vectors.map(
    (v): Step => ({ step: "stream", rows: n, load: [rowsOf(v)], keep: true, work: {} }),
  );
  const spread: readonly Step[] =
    laplacian === undefined
      ? []
      : [
          {
            step: "stream",
            rows: n,
            load: [{ address: laplacian.address, bytesPerRow: bytes }],
            keep: false,
            work: { mac: n * n },
            read: n * bytes,
          },
        ];
  return {
    unit: "spc",
    resident: (vectors.length + 1) * bytes,
    steps: [
      ...loads,
      ...spread,
      // Decay, spread and information; the preconditioner at least 1e-6, a quotient; at least 0; the cost of a square.
      {
        step: "work",
        work: { mac: 5 * n, root: n, compare: 2 * n },
        read: vectors.length * bytes,
        write: bytes,
      },
      // As if the budget were always exceeded: a quotient, its root, and a product for each edge.
      { step: "work", work: { mac: n, root: 2 }, read: bytes, write: bytes },
      { step: "store", address: c.output, bytes },
    ],
  };
}
