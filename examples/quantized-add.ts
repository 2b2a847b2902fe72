/**
 * Addition of two int8 tensors with scales and zero points (as ONNX QLinearAdd), in integers only: widen to 32 bits,
 * multiply by fixed-point ratios, shift with rounding, clamp back to 8 bits.
 */
import { describeInputs, i8, i32, kernel, ptr, S } from "kpu-dsl";
import { isMain } from "./is-main.ts";

export interface Quantization {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Fraction bits of the ratios: with ratios up to 8 the sum stays within 31 bits. */
const SHIFT = 18;
const LANES = 32;

/** The scales are known when the kernel is made, so the ratios are constants of the program. */
export function quantizedAdd(a: Quantization, b: Quantization, sum: Quantization) {
  const ratioA = Math.round((a.scale / sum.scale) * 2 ** SHIFT);
  const ratioB = Math.round((b.scale / sum.scale) * 2 ** SHIFT);
  if (Math.max(ratioA, ratioB) > 2 ** (SHIFT + 3))
    throw new RangeError("a scale is more than 8 times the result's");

  return kernel(
    [ptr(i8), ptr(i8, { const: true }), ptr(i8, { const: true }), i32],
    function quantizedAdd(out, x, y, n) {
      for (let i = S.tileId() * LANES; i < n; i += S.tileCount() * LANES) {
        const mask = S.tailMask(n - i, LANES);
        const wideX = S.vsub(S.cast(S.vload(x.at(i), { mask }), i32), a.zeroPoint);
        const wideY = S.vsub(S.cast(S.vload(y.at(i), { mask }), i32), b.zeroPoint);
        const scaled = S.vadd(S.vmul(wideX, ratioA), S.vmul(wideY, ratioB));
        const rounded = S.vadd(S.vsr(scaled, SHIFT, { withRound: true }), sum.zeroPoint);
        S.vstore(S.cast(rounded, i8, { saturate: true }), out.at(i), { mask });
      }
    },
  );
}

export const exampleA: Quantization = { scale: 0.05, zeroPoint: 3 };
export const exampleB: Quantization = { scale: 0.02, zeroPoint: -10 };
export const exampleSum: Quantization = { scale: 0.04, zeroPoint: 1 };
export const addInt8 = quantizedAdd(exampleA, exampleB, exampleSum);

describeInputs(addInt8, (g) => {
  const n = g.size();
  return [g.array(i8, n), g.array(i8, n), g.array(i8, n), n];
});

if (isMain(import.meta.url)) {
  const x = new Int8Array([-128, -1, 0, 3, 127]);
  const y = new Int8Array([-10, 40, 127, -128, 127]);
  const out = new Int8Array(5);
  addInt8(out, x, y, 5);
  console.log(out);
}
