/** Masks from patterns and counts. */
import { laneCount, maskOf, number, present } from "../arguments.ts";
import { intrinsic } from "../intrinsic.ts";
import type { Value } from "../operand.ts";
import { DirectOps, LoweredOps, type Ops, tailMaskOf } from "../ops.ts";
import type { Mask } from "../values.ts";

const family = "mask";

function constant(ops: Ops, pattern: unknown): Value {
  present(ops, pattern, "pattern", 0);
  return maskOf(ops, pattern, undefined, 0, "pattern");
}

export const constMask = intrinsic<(pattern: string | readonly boolean[]) => Mask>({
  name: "constMask",
  family,
  signature: {
    operands: [
      {
        name: "pattern",
        kind: "static",
        values: ["T", "2FFFT3T", "4T_4F", [true, false, true]],
        doc: "a mask string or an array of booleans",
      },
    ],
    result: "mask",
  },
  effect: "pure",
  cost: "free",
  doc: "A mask written out. In a mask string T and F are lanes, a number repeats the letters that follow it up to the next number, and _ separates: `2FFFT3T` is FFFTFFFTTTT.",
  example: 'S.vstore(S.vload(x, { mask: S.constMask("4T_4F") }), y);',
  simulate: (sim, pattern: unknown) => constant(new DirectOps(sim, "constMask"), pattern),
  lower: (b, pattern: unknown) => {
    const ops = new LoweredOps(b, "constMask");
    return ops.expr(constant(ops, pattern));
  },
});

export const tailMask = intrinsic<(n: number, lanes: number) => Mask>({
  name: "tailMask",
  family,
  signature: {
    operands: [
      {
        name: "n",
        kind: "scalar",
        values: [3, -1, 0, 1, 2.5, 8, 35, 100],
        doc: "active lanes, clamped to 0..lanes",
      },
      { name: "lanes", kind: "static", values: [1, 3, 8, 35] },
    ],
    result: "mask",
  },
  effect: "pure",
  cost: "valu",
  doc: "The first n lanes active: the mask of a loop's last round.",
  example: "S.vstore(S.vload(x), y, { mask: S.tailMask(3, 8) });",
  simulate: (sim, n: unknown, lanes: unknown) => {
    if (typeof n !== "number" || lanes === undefined) number(new DirectOps(sim, "tailMask"), n, "n", 0);
    return tailMaskOf(n as number, laneCount(new DirectOps(sim, "tailMask"), lanes, 1));
  },
  lower: (b, n: unknown, lanes: unknown) => {
    const ops = new LoweredOps(b, "tailMask");
    number(ops, n, "n", 0);
    present(ops, lanes, "lanes", 1);
    return ops.op("tail_mask", [ops.number(n as Value)], { lanes: laneCount(ops, lanes, 1) });
  },
});
