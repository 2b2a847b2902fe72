/** Affine quantisation by the rules of ONNX QuantizeLinear and DequantizeLinear (opset 21). */
import { dtype, lanesLike, options, underMask, vector } from "../arguments.ts";
import { type Family, intrinsic, type OperandSpec } from "../intrinsic.ts";
import { type DTypeName, FLOATS } from "../ir.ts";
import { shapeOf, type Value } from "../operand.ts";
import { DirectOps, LoweredOps, type Ops } from "../ops.ts";
import type { Dequantize, Quantize } from "../signatures.ts";

const family: Family = "conversion";
const QUANTIZED: readonly DTypeName[] = ["i8", "u8", "i16", "u16", "i32"];
const SCALES = [1, 0.5, 0.1, 3, 1e-30, 1e30, 0];

/** The zero point as f32 lanes, or nothing for i32, whose only zero point is 0: sums of larger ones would round. */
function zeroLanes(ops: Ops, zero: unknown, q: DTypeName, lanes: number): Value | undefined {
  if (q === "i32") {
    const s = shapeOf(zero);
    if (s.is === "number" && s.value === 0) return undefined;
    return ops.refuse("KPU3003", `${ops.name}: the zero point of i32 must be the constant 0`, {
      argument: 2,
    });
  }
  const own = lanesLike(ops, zero, { dtype: q, lanes }, "zeroPoint", 2);
  return ops.op("cast", [own], { dtype: "f32" });
}
function f32Lanes(ops: Ops, x: unknown, from: DTypeName): Value {
  return from === "f32" ? (x as Value) : ops.op("cast", [x as Value], { dtype: "f32" });
}

function quantized(ops: Ops, x: unknown, scale: unknown, zero: unknown, to: unknown, given: unknown): Value {
  const { dtype: from, lanes } = vector(ops, x, "x", 0, FLOATS);
  const by = lanesLike(ops, scale, { dtype: "f32", lanes }, "scale", 1);
  const d = dtype(ops, to, "dtype", 3, QUANTIZED);
  const zeros = zeroLanes(ops, zero, d, lanes);
  const o = options(ops, given, ["mask", "r"], 4);
  const rounded = ops.op("rint", [ops.op("div", [f32Lanes(ops, x, from), by])]);
  // Exact where the sum is near the range of 16 bits; beyond, the cast clamps.
  const sum = zeros === undefined ? rounded : ops.op("add", [rounded, zeros]);
  return underMask(ops, o, ops.op("cast", [sum], { dtype: d }), { dtype: d, lanes }, 4);
}

function dequantized(
  ops: Ops,
  x: unknown,
  scale: unknown,
  zero: unknown,
  to: unknown,
  given: unknown,
): Value {
  const { dtype: from, lanes } = vector(ops, x, "x", 0, QUANTIZED);
  const by = lanesLike(ops, scale, { dtype: "f32", lanes }, "scale", 1);
  const zeros = zeroLanes(ops, zero, from, lanes);
  const d = dtype(ops, to, "dtype", 3, FLOATS);
  const o = options(ops, given, ["mask", "r"], 4);
  const wide = f32Lanes(ops, x, from);
  const product = ops.op("mul", [zeros === undefined ? wide : ops.op("sub", [wide, zeros]), by]);
  const result = d === "f32" ? product : ops.op("cast", [product], { dtype: d });
  return underMask(ops, o, result, { dtype: d, lanes }, 4);
}

const SCALE: OperandSpec = { name: "scale", kind: "vec|scalar", dtype: ["f32"], values: SCALES };
const OPTIONS: readonly OperandSpec[] = [
  { name: "mask", kind: "mask", optional: true, doc: "active lanes" },
  { name: "r", kind: "vec|scalar", dtype: "result", optional: true, doc: "inactive lanes; 0 when absent" },
];

export const quantize = intrinsic<Quantize>({
  name: "quantize",
  family,
  signature: {
    operands: [
      { name: "x", kind: "vec", dtype: FLOATS },
      SCALE,
      { name: "zeroPoint", kind: "static", values: [0], doc: "a value of dtype: a number or a vector" },
      { name: "dtype", kind: "dtype", dtype: QUANTIZED },
    ],
    options: OPTIONS,
    result: "vec of dtype",
  },
  effect: "pure",
  cost: "vdiv",
  doc: "ONNX QuantizeLinear: x / scale in f32, rounded half to even, plus the zero point, clamped to dtype (i8 u8 i16 u16, or i32 with zero point 0). Scale and zero point are numbers or vectors with one for each lane. NaN gives 0.",
  example: "S.vstore(S.quantize(S.vload(x), 0.5, 0, i32), j);",
  simulate: (sim, x: unknown, s: unknown, z: unknown, d: unknown, o?: unknown) =>
    quantized(new DirectOps(sim, "quantize"), x, s, z, d, o),
  lower: (b, x: unknown, s: unknown, z: unknown, d: unknown, o?: unknown) =>
    quantized(new LoweredOps(b, "quantize"), x, s, z, d, o),
});

export const dequantize = intrinsic<Dequantize>({
  name: "dequantize",
  family,
  signature: {
    operands: [
      { name: "x", kind: "vec", dtype: QUANTIZED },
      SCALE,
      { name: "zeroPoint", kind: "static", values: [0], doc: "a value of x's dtype: a number or a vector" },
      { name: "dtype", kind: "dtype", dtype: FLOATS },
    ],
    options: OPTIONS,
    result: "vec of dtype",
  },
  effect: "pure",
  cost: "vmul",
  doc: "ONNX DequantizeLinear: (x - zero point) * scale, the product rounded to f32 and then to dtype. x is i8 u8 i16 u16, or i32 with zero point 0 (converted to f32 first). Scale and zero point are numbers or vectors with one for each lane.",
  example: "S.vstore(S.dequantize(S.vload(i), 0.5, 0, f32), y);",
  simulate: (sim, x: unknown, s: unknown, z: unknown, d: unknown, o?: unknown) =>
    dequantized(new DirectOps(sim, "dequantize"), x, s, z, d, o),
  lower: (b, x: unknown, s: unknown, z: unknown, d: unknown, o?: unknown) =>
    dequantized(new LoweredOps(b, "dequantize"), x, s, z, d, o),
});
