/** Kernel density, and the entropies. */
import { fail } from "../../ir/diagnostic.ts";
import type { Buf } from "../buf.ts";
import {
  ENTROPY_MODES,
  entropyOfDensity,
  entropyOfProbabilities,
  entropyOfSamples,
} from "../estimators/entropy.ts";
import { kdeDensity, silverman } from "../estimators/kde.ts";
import { choice, type Param, real } from "../params.ts";
import { densityPlan, entropyOfSamplesPlan, entropyOfWeightsPlan } from "../timing/plans/density.ts";
import {
  floatsOf,
  needFloats,
  needSamples,
  needShape,
  needValues,
  op,
  readSamples,
  required,
  scalar,
} from "./op.ts";

/** One bandwidth for all columns, or one for each; none: Silverman's rule. */
const bandwidth: Param<number | readonly number[] | null> = {
  initial: null,
  expected: "a number above 0, one for each column, or null for Silverman's rule",
  accepts: (v): v is number | readonly number[] | null =>
    v === null || [v].flat().every((h) => typeof h === "number" && h > 0 && Number.isFinite(h)),
};

/** @throws KPU9105 for a column whose samples are all equal */
function needSpread(site: string, buf: Buf): void {
  if (!buf.ready) return;
  const { data, n, dims } = readSamples(buf);
  for (let c = 0; c < dims; c++) {
    let i = 1;
    while (i < n && data[i * dims + c] === data[c]) i++;
    if (i === n)
      fail(
        "KPU9105",
        `${site}: all samples of column ${c} of "${buf.name}" are ${data[c]}, so its bandwidth is 0`,
        {
          help: "give a bandwidth, or leave the column out",
        },
      );
  }
}

export const kdePdf = op({
  name: "kdePdf",
  doc: "Gaussian kernel density of samples at the rows of a grid, or at the samples themselves",
  inputs: ["samples", "grid?"],
  params: { bandwidth },
  check(site, inputs, params) {
    const samples = required(site, inputs, 0, "samples");
    const { dims } = needSamples(site, samples);
    const grid = inputs[1];
    if (grid !== undefined)
      needShape(site, grid, dims === 1 && grid.shape.length === 1 ? grid.shape : [grid.shape[0] ?? 0, dims]);
    const given = params.bandwidth;
    if (Array.isArray(given) && given.length !== dims)
      fail(
        "KPU9104",
        `${site}: bandwidth: expected ${dims} numbers, one for each column, got ${given.length}`,
      );
    const at = grid ?? samples;
    return {
      dtype: "f32",
      shape: [at.shape[0] ?? 0],
      look() {
        for (const buf of [samples, grid]) needValues(site, buf);
        if (given === null) needSpread(site, samples);
      },
      run({ execution }) {
        const x = readSamples(samples);
        const widths =
          given === null
            ? silverman(execution, x)
            : Array.isArray(given)
              ? given
              : Array<number>(dims).fill(Number(given));
        return kdeDensity(execution, x, readSamples(at), widths);
      },
      plan: (c) =>
        densityPlan(c, c.stored(samples), grid === undefined ? undefined : c.stored(grid), given === null),
    };
  },
});

const ENTROPY_INPUTS = ["samples", "probabilities", "density"] as const;
/** How far probabilities may be from a sum of 1. */
const SUM_TOLERANCE = 1e-3;

export const entropy = op({
  name: "entropy",
  doc: "Entropy in nats of samples, of probabilities, or of a density's values at its samples",
  inputs: ["src"],
  params: { mode: choice(ENTROPY_MODES), alpha: real(2, { from: 0 }), input: choice(ENTROPY_INPUTS) },
  check(site, inputs, params) {
    const src = required(site, inputs, 0, "src");
    const { input, mode, alpha } = params;
    const dims = input === "samples" ? needSamples(site, src).dims : 1;
    if (input !== "samples") needFloats(site, src, [1]);
    if (mode !== "shannon" && (alpha === 0 || alpha === 1))
      fail("KPU9104", `${site}: alpha: expected a number above 0 that is not 1, got ${alpha}`, {
        help: 'of order 1 both are Shannon\'s entropy: mode "shannon"',
      });
    return {
      dtype: "f32",
      shape: [],
      look() {
        if (input === "samples") {
          needValues(site, src);
          if (dims > 1) needSpread(site, src);
          return;
        }
        if (input === "density") {
          needValues(site, src, "densities above 0", (v) => v > 0);
          return;
        }
        needValues(site, src, "probabilities from 0", (v) => v >= 0);
        if (!src.ready) return;
        const sum = floatsOf(src).reduce((total, p) => total + p, 0);
        if (Math.abs(sum - 1) > SUM_TOLERANCE)
          fail("KPU9105", `${site}: expected probabilities that sum to 1, "${src.name}" sums to ${sum}`, {
            help: 'divide by their sum, or say input: "samples" or "density"',
          });
      },
      run({ execution }) {
        switch (input) {
          case "samples":
            return scalar(entropyOfSamples(execution, readSamples(src), params));
          case "probabilities":
            return scalar(entropyOfProbabilities(execution, floatsOf(src), params));
          case "density":
            return scalar(entropyOfDensity(execution, floatsOf(src), params));
        }
      },
      plan: (c) =>
        input === "samples"
          ? entropyOfSamplesPlan(c, c.stored(src), params)
          : entropyOfWeightsPlan(c, c.stored(src), params),
    };
  },
});
