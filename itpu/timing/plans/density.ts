/** What densities and entropies ask of the machine. */
import { binsFor, type EntropyOptions } from "../../estimators/entropy.ts";
import type { Samples } from "../../samples.ts";
import { type Costing, passesOver, rowsOf, type Stored, storeScalar, WORD } from "../costing.ts";
import { type Items, type Plan, together } from "../steps.ts";
import { binning, cellSum, rangeOf } from "./histogram.ts";

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
    steps: [...steps, cellSum(cells, entropySum(cells, o)), storeScalar(c)],
  };
}
