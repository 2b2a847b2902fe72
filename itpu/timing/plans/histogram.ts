/** What histograms ask of the machine: n samples, D columns, b bins a column. */
import type { HistogramOptions } from "../../estimators/histogram.ts";
import type { Samples } from "../../samples.ts";
import { type Costing, passesOver, type Stored, storeScalar, WORD } from "../costing.ts";
import { type Items, type Plan, together, type WorkStep } from "../steps.ts";

/** Least and largest of each column. */
export const rangeOf = ({ n, dims }: Samples): Items => ({ compare: 2 * n * dims });
/** A multiply and add for the bin of each column; each sample is counted in so many histograms. */
export const binning = ({ n, dims }: Samples, histograms: number): Items => ({
  mac: n * dims,
  bin: n * histograms,
});

/** Units that share the samples have a histogram each, which are added first. Every cell counts as if it had a sample. */
export function cellSum(cells: number, sum: Items): WorkStep {
  return { step: "work", work: sum, joining: { mac: cells }, read: WORD * cells };
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
  return {
    unit: "mieu",
    resident,
    steps: [...steps, cellSum(all, { log: all, mac: all }), storeScalar(c)],
  };
}
