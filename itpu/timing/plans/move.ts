/** What reductions and copies ask of the machine. */
import { type Costing, passesOver, type Stored, storeScalar } from "../costing.ts";
import type { Items, Plan } from "../steps.ts";

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
