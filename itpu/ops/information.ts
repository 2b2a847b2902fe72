/** Mutual information: of two variables, and of all pairs of a list. */
import { fail } from "../../ir/diagnostic.ts";
import { type Buf, shapeText } from "../buf.ts";
import { informationMatrix } from "../estimators/batch.ts";
import { CORRECTIONS, histogramMi } from "../estimators/histogram.ts";
import { ksgMi } from "../estimators/ksg.ts";
import { PAIRINGS } from "../estimators/pairs.ts";
import { choice, flag, type Values, whole } from "../params.ts";
import { batchPlan } from "../timing/plans/batch.ts";
import { histogramPlan } from "../timing/plans/histogram.ts";
import { ksgPlan } from "../timing/plans/neighbours.ts";
import { needSamples, needValues, op, readSamples, required, scalar } from "./op.ts";

/** Cells of a joint histogram, at most: 64 MB of counts. */
const MOST_CELLS = 2 ** 24;

export const ESTIMATOR = {
  estimator: choice(["hist", "ksg"]),
  k: whole(8, 1),
  bins: whole(32, 1),
  correction: choice(CORRECTIONS),
  zscore: flag,
} as const;

/** What a pair of variables owes an estimator. */
function needPair(site: string, x: Buf, y: Buf, { estimator, k, bins }: Values<typeof ESTIMATOR>): void {
  const [a, b] = [needSamples(site, x), needSamples(site, y)];
  if (a.n !== b.n)
    fail(
      "KPU9103",
      `${site}: expected as many samples of both, "${x.name}" is ${shapeText(x.shape)}, "${y.name}" ${shapeText(y.shape)}`,
    );
  if (estimator === "ksg" && k >= a.n)
    fail("KPU9104", `${site}: k: expected less than the number of samples, ${a.n}, got ${k}`);
  const cells = bins ** (a.dims + b.dims);
  if (estimator === "hist" && cells > MOST_CELLS)
    fail(
      "KPU9104",
      `${site}: bins: ${bins} in ${a.dims + b.dims} columns are ${cells} cells, more than ${MOST_CELLS}`,
      {
        help: 'use fewer bins, or estimator "ksg"',
      },
    );
}

export const mi = op({
  name: "mi",
  doc: "Mutual information of x and y in nats: by histograms, or by nearest neighbours (KSG 1)",
  inputs: ["x", "y"],
  params: ESTIMATOR,
  check(site, inputs, params) {
    const [x, y] = [required(site, inputs, 0, "x"), required(site, inputs, 1, "y")];
    needPair(site, x, y, params);
    return {
      dtype: "f32",
      shape: [],
      look() {
        for (const buf of [x, y]) needValues(site, buf);
      },
      run({ execution }) {
        const [a, b] = [readSamples(x), readSamples(y)];
        return scalar(
          params.estimator === "hist" ? histogramMi(execution, a, b, params) : ksgMi(execution, a, b, params),
        );
      },
      plan: (c) =>
        params.estimator === "hist"
          ? histogramPlan(c, c.stored(x), c.stored(y), params)
          : ksgPlan(c, c.stored(x), c.stored(y), params),
    };
  },
});

export const batchMi = op({
  name: "batchMi",
  doc: "Symmetric matrix of the mutual information of each pair of a list; with all pairs the diagonal is self information",
  inputs: ["...variables"],
  params: { pairing: choice(PAIRINGS), ...ESTIMATOR },
  check(site, inputs, params) {
    const list = inputs.map((_, i) => required(site, inputs, i, `variable ${i}`));
    const [first] = list;
    if (first === undefined) return fail("KPU9102", `${site} needs at least one variable`);
    for (const other of list) needPair(site, first, other, params);
    return {
      dtype: "f32",
      shape: [list.length, list.length],
      look() {
        for (const buf of list) needValues(site, buf);
      },
      run: (work) => informationMatrix(work, list.map(readSamples), params),
      plan: (c) => batchPlan(c, list.map(c.stored), params),
    };
  },
});
