/** Comparison, selection and reductions to one number. */
import { identityOf, reduce } from "../../ir/alu.ts";
import { ALL_DTYPES } from "../../ir/dtype.ts";
import { flag, lanesLike, maskOf, options, present, vector } from "../arguments.ts";
import { intrinsic, type OperandSpec } from "../intrinsic.ts";
import { type AluOp, type CostClass, NUMERIC } from "../ir.ts";
import { commonLanes, lanewise } from "../lanewise.ts";
import type { Value } from "../operand.ts";
import { DirectOps, fullMask, LoweredOps, type Ops } from "../ops.ts";
import type { Compare, IndexedReduction, Lanewise2, Reduction, Select } from "../signatures.ts";
import { Vec } from "../values.ts";

const family = "compare";

function compare(name: string, op: AluOp, sign: string, nan: string): Compare {
  return lanewise<Compare>({
    name,
    family,
    op,
    operands: ["x", "y"],
    dtypes: NUMERIC,
    result: "mask",
    cost: "valu",
    doc: `The mask of lanes where x ${sign} y. With a NaN: ${nan}.`,
    example: `S.vstore(S.vsel(S.vload(x), 0, S.${name}(S.vload(x), 1)), y);`,
  });
}
export const vceq = compare("vceq", "eq", "equals", "false");
export const vcneq = compare("vcneq", "ne", "differs from", "true");
export const vcgt = compare("vcgt", "gt", ">", "false");
export const vcge = compare("vcge", "ge", ">=", "false");
export const vclt = compare("vclt", "lt", "<", "false");
export const vcle = compare("vcle", "le", "<=", "false");

export const vmaxnan = lanewise<Lanewise2>({
  name: "vmaxnan",
  family,
  op: "maximum",
  operands: ["x", "y"],
  dtypes: NUMERIC,
  cost: "valu",
  doc: "The larger of x and y; where one is a NaN, NaN (IEEE maximum, ONNX Max; -0 < +0). Integers: as vmax.",
  example: "S.vstore(S.vmaxnan(S.vload(x), 0), y);",
});
export const vminnan = lanewise<Lanewise2>({
  name: "vminnan",
  family,
  op: "minimum",
  operands: ["x", "y"],
  dtypes: NUMERIC,
  cost: "valu",
  doc: "The smaller of x and y; where one is a NaN, NaN (IEEE minimum, ONNX Min; -0 < +0). Integers: as vmin.",
  example: "S.vstore(S.vminnan(S.vload(x), 6), y);",
});

function select(ops: Ops, x: unknown, y: unknown, m: unknown): Value {
  const like = commonLanes(ops, ["x", "y"], ALL_DTYPES, [x, y]);
  present(ops, m, "mask", 2);
  const cond = maskOf(ops, m, like.lanes, 2);
  return ops.op("sel", [cond, lanesLike(ops, x, like, "x", 0), lanesLike(ops, y, like, "y", 1)]);
}

export const vsel = intrinsic<Select>({
  name: "vsel",
  family,
  signature: {
    operands: [
      { name: "x", kind: "vec|scalar", dtype: ALL_DTYPES },
      { name: "y", kind: "vec|scalar", dtype: "x" },
      { name: "mask", kind: "mask" },
    ],
    result: "vec of x",
  },
  effect: "pure",
  cost: "valu",
  doc: "Lanes of x where the mask is active, of y elsewhere. Works on masks too.",
  example: "S.vstore(S.vsel(S.vload(x), 0, S.vcgt(S.vload(x), 0)), y);",
  simulate: (sim, x: unknown, y: unknown, m: unknown) => select(new DirectOps(sim, "vsel"), x, y, m),
  lower: (b, x: unknown, y: unknown, m: unknown) => select(new LoweredOps(b, "vsel"), x, y, m),
});

type ReduceOp = "radd" | "rmin" | "rmax";

/** Inactive lanes are replaced by the op's identity, so that they do not count. */
function reduceLanes(ops: Ops, op: ReduceOp, known: readonly string[], x: unknown, given: unknown): Value {
  const like = vector(ops, x, "x", 0, NUMERIC);
  const o = options(ops, given, known, 1);
  const mask = o["mask"] === undefined ? undefined : maskOf(ops, o["mask"], like.lanes, 1);
  if (op !== "radd" && flag(ops, o, "returnIdx", 1)) {
    return ops.op(op === "rmin" ? "rmin_idx" : "rmax_idx", [x as Value, mask ?? fullMask(like.lanes)]);
  }
  if (mask === undefined) return ops.op(op, [x as Value]);
  const identity = ops.op("splat", [identityOf(op, like.dtype)], { dtype: like.dtype, lanes: like.lanes });
  return ops.op(op, [ops.op("sel", [mask, x as Value, identity])]);
}

const MASK: OperandSpec = { name: "mask", kind: "mask", optional: true, doc: "lanes that count" };
const RETURN_IDX: OperandSpec = {
  name: "returnIdx",
  kind: "static",
  values: [true],
  optional: true,
  doc: "true: give the lowest index of the extreme lane instead, -1 when no lane is active",
};

function reduction<F extends (...args: never[]) => unknown>(name: string, op: ReduceOp, doc: string): F {
  const indexed = op !== "radd";
  const known = indexed ? ["mask", "returnIdx"] : ["mask"];
  const cost: CostClass = "vreduce";
  return intrinsic<F>({
    name,
    family: indexed ? family : "arithmetic",
    signature: {
      operands: [{ name: "x", kind: "vec", dtype: NUMERIC }],
      options: indexed ? [MASK, RETURN_IDX] : [MASK],
      result: "number",
    },
    effect: "pure",
    cost,
    doc,
    example: `y.set(0, S.${name}(S.vload(x)));`,
    simulate: (sim, x: unknown, o?: unknown) =>
      o === undefined && x instanceof Vec
        ? reduce(op, x.dtype.name, x.data)
        : reduceLanes(new DirectOps(sim, name), op, known, x, o),
    lower: (b, x: unknown, o?: unknown) => reduceLanes(new LoweredOps(b, name), op, known, x, o),
  });
}

export const vrpadd = reduction<Reduction>(
  "vrpadd",
  "radd",
  "Sum of the active lanes, by halves: lanes i and i + n/2, n halving; an odd last lane is carried. Integers wrap; f16 and bf16 accumulate in f32 and round once. No active lane: 0.",
);
export const vrpmax = reduction<IndexedReduction>(
  "vrpmax",
  "rmax",
  "Largest active lane (a NaN loses). No active lane: the smallest value of the dtype (-Infinity for floats). `returnIdx`: its lowest index instead.",
);
export const vrpmin = reduction<IndexedReduction>(
  "vrpmin",
  "rmin",
  "Smallest active lane (a NaN loses). No active lane: the largest value of the dtype (Infinity for floats). `returnIdx`: its lowest index instead.",
);
