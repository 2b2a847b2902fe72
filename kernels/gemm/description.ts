/** What the program file of a product tells beside its code: matrices, the op, and how the plan cuts it. */
import type { ProgramDescription, ProgramOp, ProgramTensor, Tiling } from "../../ir/program.ts";
import { type GemmPlan, keepsSums } from "./plan.ts";
import type { GemmSpec } from "./spec.ts";

/** Names are those of the kernel's parameters. */
export function gemmDescription(spec: GemmSpec, plan: GemmPlan): ProgramDescription {
  const along = (spec.axis ?? "column") === "column" ? "n" : "m";
  const input = (name: string, dtype: ProgramTensor["dtype"], ...shape: string[]): ProgramTensor => ({
    name,
    dtype,
    shape,
    role: "input",
    param: name,
  });
  const tensors: readonly ProgramTensor[] = [
    { ...input("out", spec.out, "m", "n"), role: "output" },
    spec.transposeA === true ? input("a", spec.a, "k", "m") : input("a", spec.a, "m", "k"),
    spec.transposeB === true ? input("b", spec.b, "n", "k") : input("b", spec.b, "k", "n"),
    ...(spec.bias === undefined ? [] : [input("bias", spec.bias, along)]),
    ...(spec.scale === "vector" ? [input("scale", "f32", along)] : []),
    ...(spec.residual === undefined ? [] : [input("residual", spec.residual, "m", "n")]),
  ];
  const op: ProgramOp = {
    name: "gemm",
    kind: "gemm",
    dims: { m: "m", n: "n", k: "k" },
    inputs: tensors.filter((t) => t.role === "input").map((t) => t.name),
    outputs: ["out"],
    attributes: {
      transposeA: spec.transposeA ?? false,
      transposeB: spec.transposeB ?? false,
      activation: spec.activation ?? "none",
      ...(typeof spec.scale === "number" ? { scale: spec.scale } : {}),
      ...(spec.quantize === undefined
        ? {}
        : { outScale: spec.quantize.scale, outZeroPoint: spec.quantize.zeroPoint ?? 0 }),
    },
    tiling: tilingOf(plan),
  };
  return { tensors, ops: [op] };
}

function tilingOf(plan: GemmPlan): Tiling {
  const { halfRows, cols, blockRows, blockCols, depth, turns } = plan;
  const block = { m: blockRows, n: blockCols };
  const far = keepsSums(plan) ? [] : (["l3"] as const);
  // Sums that do not stay in the accumulators lie in l3 while the depth goes on.
  const outer = far[0] ?? "l2";
  return {
    tileSizes: {
      ...(far.length === 0 ? {} : { l3: block }),
      l2: { ...block, k: depth },
      acc: { m: 2 * halfRows, n: cols },
      l1: { m: halfRows, n: cols, k: Math.ceil(depth / turns) },
    },
    loopOrder: [
      { level: outer, dim: "m" },
      { level: outer, dim: "n" },
      { level: "l2", dim: "k" },
      { level: "acc", dim: "m" },
      { level: "acc", dim: "n" },
      { level: "l1", dim: "m" },
      { level: "l1", dim: "k" },
    ],
    doubleBuffer: ["l2", "acc", "l1"],
    prefetchDistance: 1,
  };
}
