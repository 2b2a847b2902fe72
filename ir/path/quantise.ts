/** ONNX QuantizeLinear on one f32, as S.quantize: x / scale in f32, half to even, plus the zero point, clamped. NaN gives 0. */
import { laneFn } from "../alu.ts";
import { castRule } from "../convert.ts";
import { DTYPES, type DTypeName } from "../dtype.ts";
import type { Problem } from "../transfer.ts";

export interface Affine {
  /** An f32. */
  readonly scale: number;
  readonly zeroPoint: number;
}

export function quantiser(to: DTypeName, { scale, zeroPoint }: Affine): (x: number) => number {
  const [div, rint, add] = [laneFn("div", "f32"), laneFn("rint", "f32"), laneFn("add", "f32")];
  const clamp = castRule("f32", to);
  return (x) => clamp(add(rint(div(x, scale, 0), 0, 0), zeroPoint, 0));
}

/** Its inverse as DequantizeLinear: (q - zero point) * scale, the product rounded to f32. */
export function dequantiser({ scale, zeroPoint }: Affine): (q: number) => number {
  return (q) => Math.fround((q - zeroPoint) * scale);
}

/** A zero point that its dtype does not have. */
export function zeroPointProblem(of: DTypeName, name: string, zeroPoint: number): Problem | undefined {
  const { min, max } = DTYPES[of];
  if (Number.isInteger(zeroPoint) && zeroPoint >= min && zeroPoint <= max) return undefined;
  return {
    message: `${name} must be a value of ${of}, ${min} to ${max}, got ${zeroPoint}`,
    help: "the zero point is the element that stands for 0",
    data: { [name]: zeroPoint },
  };
}
