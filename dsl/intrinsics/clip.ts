/** `vclip` is two ops; this is its form over both executions. */

import { lanesLike, options, underMask } from "../arguments.ts";
import { type Family, intrinsic } from "../intrinsic.ts";
import { NUMERIC } from "../ir.ts";
import { commonLanes } from "../lanewise.ts";
import type { Value } from "../operand.ts";
import { DirectOps, LoweredOps, type Ops } from "../ops.ts";

const NAMES = ["x", "low", "high"];

function apply(ops: Ops, args: readonly unknown[], given: unknown): Value {
  const like = commonLanes(ops, NAMES, NUMERIC, args);
  const o = options(ops, given, ["mask", "r"], 3);
  const [x, low, high] = args.map((a, i) => lanesLike(ops, a, like, NAMES[i] ?? "", i)) as [
    Value,
    Value,
    Value,
  ];
  return underMask(ops, o, ops.op("min", [ops.op("max", [x, low]), high]), like, 3);
}

export function clipForm<F extends (...args: never[]) => unknown>(spec: {
  readonly name: string;
  readonly family: Family;
  readonly doc: string;
  readonly example: string;
}): F {
  return intrinsic<F>({
    ...spec,
    signature: {
      operands: NAMES.map((name) => ({ name, kind: "vec|scalar", dtype: NUMERIC })),
      options: [
        { name: "mask", kind: "mask", optional: true, doc: "active lanes" },
        { name: "r", kind: "vec|scalar", dtype: "x", optional: true, doc: "inactive lanes; 0 when absent" },
      ],
      result: "vec of x",
    },
    effect: "pure",
    cost: "valu",
    simulate: (sim, x: unknown, low: unknown, high: unknown, o?: unknown) =>
      apply(new DirectOps(sim, spec.name), [x, low, high], o),
    lower: (b, x: unknown, low: unknown, high: unknown, o?: unknown) =>
      apply(new LoweredOps(b, spec.name), [x, low, high], o),
  });
}
