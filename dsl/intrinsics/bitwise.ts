/** Bit operations and shifts on integer lanes; logic on masks. */
import { maskOf, present } from "../arguments.ts";
import type { IntD } from "../dtypes.ts";
import { intrinsic } from "../intrinsic.ts";
import { type AluOp, INTS } from "../ir.ts";
import { lanewise } from "../lanewise.ts";
import type { Value } from "../operand.ts";
import { DirectOps, LoweredOps, type Ops } from "../ops.ts";
import type { MaskArg } from "../options.ts";
import type { Bitwise1, Bitwise2, IntegerFunction, Lanewise2, ShiftLeft, ShiftRight } from "../signatures.ts";

const family = "bitwise";
const INTS_AND_MASKS = [...INTS, "bool"] as const;

export const vand = lanewise<Bitwise2>({
  name: "vand",
  family,
  op: "and",
  operands: ["x", "y"],
  dtypes: INTS_AND_MASKS,
  cost: "valu",
  doc: "Bitwise and of integers; logical and of masks.",
  example: "S.vstore(S.vand(S.vload(i), 1), j);",
});
export const vor = lanewise<Bitwise2>({
  name: "vor",
  family,
  op: "or",
  operands: ["x", "y"],
  dtypes: INTS_AND_MASKS,
  cost: "valu",
  doc: "Bitwise or of integers; logical or of masks.",
  example: "S.vstore(S.vor(S.vload(i), 1), j);",
});
export const vxor = lanewise<Bitwise2>({
  name: "vxor",
  family,
  op: "xor",
  operands: ["x", "y"],
  dtypes: INTS_AND_MASKS,
  cost: "valu",
  doc: "Bitwise exclusive or of integers; of masks: lanes that differ.",
  example: "S.vstore(S.vxor(S.vload(i), 1), j);",
});
export const vinv = lanewise<Bitwise1>({
  name: "vinv",
  family,
  op: "not",
  operands: ["x"],
  dtypes: INTS_AND_MASKS,
  cost: "valu",
  doc: "Bitwise complement of integers; the other lanes of a mask.",
  example: "S.vstore(S.vinv(S.vload(i)), j);",
});
export const vsl = lanewise<ShiftLeft>({
  name: "vsl",
  family,
  op: "shl",
  operands: ["x", "amount"],
  dtypes: INTS,
  options: ["saturate"],
  cost: "valu",
  doc: "Shift left. The amount is taken as unsigned; at or above the width the result is 0. `saturate` clamps the exact result x * 2^amount.",
  example: "S.vstore(S.vsl(S.vload(i), 2), j);",
});
export const vsr = lanewise<ShiftRight>({
  name: "vsr",
  family,
  op: "shr",
  operands: ["x", "amount"],
  dtypes: INTS,
  options: ["withRound"],
  cost: "valu",
  doc: "Shift right: arithmetic on signed, logical on unsigned dtypes. The amount is taken as unsigned; at or above the width the result is the sign fill or 0. `withRound` rounds half to even instead of down.",
  example: "S.vstore(S.vsr(S.vload(i), 2, { withRound: true }), j);",
});

export const vrol = lanewise<Lanewise2<IntD>>({
  name: "vrol",
  family,
  op: "rotl",
  operands: ["x", "amount"],
  dtypes: INTS,
  cost: "valu",
  doc: "Rotates each lane left: bits shifted out above come back below. The amount counts modulo the width, also a negative one.",
  example: "S.vstore(S.vrol(S.vload(i), 5), j);",
});
export const vror = lanewise<Lanewise2<IntD>>({
  name: "vror",
  family,
  op: "rotr",
  operands: ["x", "amount"],
  dtypes: INTS,
  cost: "valu",
  doc: "Rotates each lane right: bits shifted out below come back above. The amount counts modulo the width, also a negative one.",
  example: "S.vstore(S.vror(S.vload(i), 5), j);",
});

/** Counts and reversals of the bits of each lane. */
function ofBits(name: string, op: AluOp, doc: string): IntegerFunction {
  const example = `S.vstore(S.${name}(S.vload(i)), j);`;
  return lanewise<IntegerFunction>({
    ...{ name, family, op, operands: ["x"], dtypes: INTS, cost: "valu", doc, example },
  });
}
export const vclz = ofBits(
  "vclz",
  "clz",
  "Leading zeros: how many bits above the highest one are 0. A lane of 0 gives the width.",
);
export const vcls = ofBits(
  "vcls",
  "cls",
  "Leading sign bits: how many bits below the top bit equal it, without a gap. Lanes of 0 and -1 give the width - 1. On unsigned dtypes the top bit counts as the sign.",
);
export const vctz = ofBits(
  "vctz",
  "ctz",
  "Trailing zeros: how many bits below the lowest one are 0. A lane of 0 gives the width.",
);
export const vpcnt = ofBits("vpcnt", "popcnt", "Population count: how many bits are 1.");
export const vbrevs = ofBits(
  "vbrevs",
  "brev",
  "The bits of each lane in reverse order: the lowest becomes the highest, which is the sign on signed dtypes.",
);

function overMask(ops: Ops, op: "any" | "all", m: unknown): Value {
  present(ops, m, "mask", 0);
  return ops.op(op, [maskOf(ops, m, undefined, 0)]);
}
const signature = { operands: [{ name: "mask", kind: "mask" }], result: "boolean" } as const;

export const vany = intrinsic<(mask: MaskArg) => boolean>({
  name: "vany",
  family,
  signature,
  effect: "pure",
  cost: "vreduce",
  doc: "True when some lane is active.",
  example: "if (S.vany(S.vcgt(S.vload(x), 0))) S.vstore(S.vload(x), y);",
  simulate: (sim, m: unknown) => overMask(new DirectOps(sim, "vany"), "any", m),
  lower: (b, m: unknown) => overMask(new LoweredOps(b, "vany"), "any", m),
});
export const vall = intrinsic<(mask: MaskArg) => boolean>({
  name: "vall",
  family,
  signature,
  effect: "pure",
  cost: "vreduce",
  doc: "True when every lane is active.",
  example: "if (S.vall(S.vcgt(S.vload(x), 0))) S.vstore(S.vload(x), y);",
  simulate: (sim, m: unknown) => overMask(new DirectOps(sim, "vall"), "all", m),
  lower: (b, m: unknown) => overMask(new LoweredOps(b, "vall"), "all", m),
});
