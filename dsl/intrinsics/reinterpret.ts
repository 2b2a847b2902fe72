/** Width, sign and dtype of lanes by their bits: widening of halves, the other sign, another dtype. */
import { oppositeSign } from "../../ir/dtype.ts";
import { dtype, laneCount, options, underMask, vector } from "../arguments.ts";
import type { NumD } from "../dtypes.ts";
import { type Family, intrinsic, type OperandSpec } from "../intrinsic.ts";
import { DTYPES, type DTypeName, INTS, isInt, NUMERIC } from "../ir.ts";
import type { Value } from "../operand.ts";
import { DirectOps, LoweredOps, type Ops } from "../ops.ts";
import type { WithSign } from "../options.ts";
import { partLanes } from "../parts.ts";
import type { Widen } from "../signatures.ts";
import type { Vec } from "../values.ts";

const family: Family = "conversion";

const WIDER: { readonly [d: string]: DTypeName } = {
  ...{ i8: "i16", u8: "u16", i16: "i32", u16: "u32", f16: "f32", bf16: "f32" },
};
const NARROW = NUMERIC.filter((d) => d in WIDER);
const MASKED: readonly OperandSpec[] = [
  { name: "mask", kind: "mask", lanes: (n) => n / 2, optional: true, doc: "active lanes of the result" },
  {
    ...{ name: "r", kind: "vec|scalar", dtype: "result", lanes: (n: number) => n / 2, optional: true },
    doc: "inactive lanes; 0 when absent",
  },
];

function widen(ops: Ops, part: "low" | "high", x: unknown, given: unknown): Value {
  const from = vector(ops, x, "x", 0, NARROW);
  const to = WIDER[from.dtype] as DTypeName;
  const o = options(ops, given, ["mask", "r"], 1);
  const half = ops.op("shuffle", [x as Value], { lanes: partLanes(ops, part, from.lanes, 0) });
  const like = { dtype: to, lanes: from.lanes / 2 };
  return underMask(ops, o, ops.op("cast", [half], { dtype: to }), like, 1);
}

function widening(name: string, part: "low" | "high"): Widen {
  return intrinsic<Widen>({
    name,
    family,
    signature: {
      operands: [{ name: "x", kind: "vec", dtype: NARROW }],
      options: MASKED,
      widths: { multipleOf: 2 },
      result: "vec of twice x's width, half the lanes",
    },
    effect: "pure",
    cost: "valu",
    doc: `The ${part} half of the lanes, widened: 8 bits to 16, 16 to 32 (extended by sign or zero), f16 and bf16 to f32. The lane count must be even.`,
    example: `S.vstore(S.cast(S.${name}(S.cast(S.vload(i), i16)), i32), j);`,
    simulate: (sim, x: unknown, o?: unknown) => widen(new DirectOps(sim, name), part, x, o),
    lower: (b, x: unknown, o?: unknown) => widen(new LoweredOps(b, name), part, x, o),
  });
}
export const vxtl = widening("vxtl", "low");
export const vxth = widening("vxth", "high");

function signed(ops: Ops, sign: boolean, x: unknown): Value {
  const { dtype: d } = vector(ops, x, "x", 0, INTS);
  if (DTYPES[d].signed === sign || !isInt(d)) return x as Value;
  return ops.op("cast", [x as Value], { dtype: oppositeSign(d) });
}

function signing<F extends (...args: never[]) => unknown>(name: string, sign: boolean): F {
  const word = sign ? "signed" : "unsigned";
  return intrinsic<F>({
    name,
    family,
    signature: {
      operands: [{ name: "x", kind: "vec", dtype: INTS }],
      result: `vec of the ${word} dtype of x's width`,
    },
    effect: "pure",
    cost: "free",
    doc: `The same bits as lanes of the ${word} dtype of the same width. A vector of that dtype stays as it is.`,
    example: `S.vstore(S.cast(S.${name}(S.vload(i)), f32), y);`,
    simulate: (sim, x: unknown) => signed(new DirectOps(sim, name), sign, x),
    lower: (b, x: unknown) => signed(new LoweredOps(b, name), sign, x),
  });
}
export const asSigned = signing<WithSign<"signed">>("asSigned", true);
export const asUnsigned = signing<WithSign<"unsigned">>("asUnsigned", false);

function bits(ops: Ops, x: unknown, to: unknown): Value {
  const from = vector(ops, x, "x", 0, NUMERIC);
  const d = dtype(ops, to, "dtype", 1, NUMERIC);
  const lanes = (from.lanes * DTYPES[from.dtype].bits) / DTYPES[d].bits;
  if (!Number.isInteger(lanes)) {
    ops.refuse(
      "KPU3010",
      `${ops.name}: the bits of ${from.dtype}x${from.lanes} are no whole number of ${d} lanes`,
      {
        argument: 0,
        help: `give a multiple of ${DTYPES[d].bits / DTYPES[from.dtype].bits} lanes`,
      },
    );
  }
  laneCount(ops, lanes, 0);
  return d === from.dtype ? (x as Value) : ops.op("bitcast", [x as Value], { dtype: d });
}

export const reinterpret = intrinsic<<E extends NumD>(x: Vec<NumD>, dtype: E) => Vec<E>>({
  name: "reinterpret",
  family,
  signature: {
    operands: [
      { name: "x", kind: "vec", dtype: NUMERIC },
      { name: "dtype", kind: "dtype", dtype: NUMERIC },
    ],
    widths: { multipleOf: 4 },
    result: "vec of dtype, as many lanes as the bits give",
  },
  effect: "pure",
  cost: "free",
  doc: "The bits of the lanes as lanes of another dtype, least significant bits first: f32x8 is i8x32. The bits must make whole lanes. A NaN has the bits of its dtype's one NaN (0x7e00, 0x7fc0, 0x7fc00000), whichever bits it was loaded with.",
  example: "S.vstore(S.reinterpret(S.vload(x), i32), j);",
  simulate: (sim, x: unknown, d: unknown) => bits(new DirectOps(sim, "reinterpret"), x, d),
  lower: (b, x: unknown, d: unknown) => bits(new LoweredOps(b, "reinterpret"), x, d),
});
