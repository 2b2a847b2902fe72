/** A step of plasticity. */
import { plasticity } from "../kernels/plasticity.ts";
import { splitPair } from "../pairs.ts";
import { real } from "../params.ts";
import { plasticityPlan } from "../timing/plans/plasticity.ts";
import { floatsOf, needFloats, needShape, needValues, op, required } from "./op.ts";

export const plasticityStep = op({
  name: "plasticityStep",
  doc: "Gains of edges after one step: up their information, down their decay and their neighbours, within a budget",
  inputs: ["I", "g", "L?", "costs?", "precond?"],
  params: { lambda: real(0.01), beta: real(0), budget: real(1, { from: 0 }) },
  check(site, inputs, { lambda, beta, budget }) {
    const [information, g] = [required(site, inputs, 0, "I"), required(site, inputs, 1, "g")];
    const [, , laplacian, costs, precondition] = inputs;
    needFloats(site, g, [1]);
    const [n = 0] = g.shape;
    for (const buf of [information, costs, precondition]) if (buf !== undefined) needShape(site, buf, [n]);
    if (laplacian !== undefined) needShape(site, laplacian, [n, n]);
    return {
      dtype: "f32",
      shape: [n],
      look() {
        for (const buf of [information, g, laplacian, precondition]) needValues(site, buf);
        needValues(site, costs, "costs from 0", (v) => v >= 0);
      },
      run({ execution }) {
        const next = new Float32Array(n);
        const settings = Float32Array.from([lambda, beta, budget].flatMap(splitPair));
        const [l, c, p] = [laplacian, costs, precondition].map((b) => (b === undefined ? null : floatsOf(b)));
        execution.run(
          plasticity,
          next,
          floatsOf(information),
          floatsOf(g),
          l ?? null,
          c ?? null,
          p ?? null,
          settings,
          n,
        );
        return next;
      },
      plan: (c) =>
        plasticityPlan(
          c,
          [information, g, costs, precondition].flatMap((buf) => (buf === undefined ? [] : [c.stored(buf)])),
          laplacian === undefined ? undefined : c.stored(laplacian),
        ),
    };
  },
});
