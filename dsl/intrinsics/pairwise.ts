/** Neighbouring lanes combined: the results of x stand in the low half of the lanes, those of y in the high half. */
import { lanesLike } from "../arguments.ts";
import { composed, lanesBy, multiple } from "../composed.ts";
import type { Family } from "../intrinsic.ts";
import { isInt, NUMERIC } from "../ir.ts";
import { commonLanes } from "../lanewise.ts";
import type { Lanewise2 } from "../signatures.ts";

const NAMES = ["x", "y"];

function pairwise(
  name: string,
  family: Family,
  op: "add" | "sub" | "max" | "min",
  doc: string,
  example: string,
): Lanewise2 {
  return composed<Lanewise2>({
    name,
    family,
    operands: NAMES.map((operand) => ({ name: operand, kind: "vec|scalar", dtype: NUMERIC })),
    multipleOf: 2,
    result: "vec of x",
    cost: "valu",
    doc: `${doc} The lane count must be even.`,
    example,
    apply: (ops, args) => {
      const like = commonLanes(ops, NAMES, NUMERIC, args);
      multiple(ops, like.lanes, 2, 0);
      const both = args.map((a, i) => ops.once(lanesLike(ops, a, like, NAMES[i] ?? "", i)));
      const first = ops.op("shuffle", both, { lanes: lanesBy(like.lanes, (i) => 2 * i) });
      const second = ops.op("shuffle", both, { lanes: lanesBy(like.lanes, (i) => 2 * i + 1) });
      const clamps = (op === "add" || op === "sub") && isInt(like.dtype);
      return ops.op(op, [first, second], clamps ? { saturate: true } : {});
    },
  });
}

export const vaddh = pairwise(
  "vaddh",
  "arithmetic",
  "add",
  "Sums of neighbouring lanes: x[0] + x[1], x[2] + x[3], ... in the low half, those of y in the high half. Integers saturate; floats round once.",
  "S.vstore(S.vaddh(S.vload(x), S.vload(x.at(8))), y);",
);
export const vsubh = pairwise(
  "vsubh",
  "arithmetic",
  "sub",
  "Differences of neighbouring lanes: x[0] - x[1], x[2] - x[3], ... in the low half, those of y in the high half. Integers saturate; floats round once.",
  "S.vstore(S.vsubh(S.vload(x), S.vload(x.at(8))), y);",
);
export const vmaxh = pairwise(
  "vmaxh",
  "compare",
  "max",
  "The larger of neighbouring lanes, those of x in the low half, those of y in the high half. IEEE maximumNumber: a NaN loses, -0 < +0.",
  "S.vstore(S.vmaxh(S.vload(x), S.vload(x.at(8))), y);",
);
export const vminh = pairwise(
  "vminh",
  "compare",
  "min",
  "The smaller of neighbouring lanes, those of x in the low half, those of y in the high half. IEEE minimumNumber: a NaN loses, -0 < +0.",
  "S.vstore(S.vminh(S.vload(x), S.vload(x.at(8))), y);",
);
