/** Reductions and copies. */
import { fail } from "../../ir/diagnostic.ts";
import { hostZeros } from "../../ir/elements.ts";
import { elementsOf, shapeText } from "../buf.ts";
import { largest, mean, quantile } from "../kernels/reduce.ts";
import { copyBytes } from "../kernels/transfer.ts";
import { joinPair, splitPair } from "../pairs.ts";
import { choice, real } from "../params.ts";
import { copyPlan, reducePlan } from "../timing/plans/move.ts";
import { floatsOf, needFloats, needValues, op, required, scalar } from "./op.ts";

export const reduce = op({
  name: "reduce",
  doc: "Mean, largest or percentile (linear interpolation) of all elements",
  inputs: ["x"],
  params: { op: choice(["mean", "max", "percentile"]), p: real(95, { from: 0, to: 100 }) },
  check(site, inputs, params) {
    const x = required(site, inputs, 0, "x");
    needFloats(site, x, [0, 1, 2, 3, 4]);
    const n = elementsOf(x.shape);
    if (n === 0)
      fail("KPU9103", `${site}: expected at least one element, "${x.name}" is ${shapeText(x.shape)}`);
    return {
      dtype: "f32",
      shape: [],
      look: () => needValues(site, x),
      run({ execution }) {
        const out = new Float32Array(2);
        const data = floatsOf(x);
        switch (params.op) {
          case "mean":
            execution.run(mean, out, data, n);
            break;
          case "max":
            execution.run(largest, out, data, n);
            break;
          case "percentile": {
            const at = (params.p / 100) * (n - 1);
            const rank = Math.floor(at);
            execution.run(quantile, out, data, n, rank, ...splitPair(at - rank));
            break;
          }
        }
        return scalar(joinPair(out));
      },
      plan: (c) => reducePlan(c, c.stored(x), params.op),
    };
  },
});

export const dma = op({
  name: "dma",
  doc: "A copy by the DMA engine, of any dtype",
  inputs: ["x"],
  params: {},
  check(site, inputs) {
    const x = required(site, inputs, 0, "x");
    return {
      dtype: x.dtype,
      shape: x.shape,
      look: () => {},
      run({ execution }) {
        const out = hostZeros(x.dtype, elementsOf(x.shape));
        const { buffer, byteOffset, byteLength } = x.data;
        const bytes = new Uint8Array(buffer, byteOffset, byteLength);
        execution.run(copyBytes, new Uint8Array(out.buffer), bytes, byteLength);
        return out;
      },
      plan: (c) => copyPlan(c, c.stored(x).address, x.data.byteLength),
    };
  },
});
