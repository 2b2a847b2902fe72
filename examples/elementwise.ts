/** A template: a function that makes kernels, specialised by what its closure captures. */
import {
  bf16,
  type Draw,
  describeInputs,
  f16,
  f32,
  i8,
  i16,
  i32,
  kernel,
  type NumD,
  ptr,
  S,
  u8,
  u16,
  u32,
  type Vec,
} from "kpu-dsl";
import { isMain } from "./is-main.ts";

/** What to do with a register of each operand. */
export type Binary<D extends NumD> = (x: Vec<D>, y: Vec<D>) => Vec<D>;

/** out = op(x, y) for any dtype; `unroll` registers per round of the loop. */
export function elementwise<D extends NumD>(dtype: D, op: Binary<D>, unroll = 2) {
  const lanes = 256 / dtype.bits;
  const step = lanes * unroll;
  const made = kernel(
    [ptr(dtype), ptr(dtype, { const: true }), ptr(dtype, { const: true }), i32],
    function elementwise(out, x, y, n) {
      for (let i = S.tileId() * step; i < n; i += S.tileCount() * step) {
        for (const u of S.unroll(unroll)) {
          const at = i + u * lanes;
          const mask = S.tailMask(n - at, lanes);
          S.vstore(op(S.vload(x.at(at), { mask }), S.vload(y.at(at), { mask })), out.at(at), { mask });
        }
      }
    },
  );
  return describeInputs(made, (g: Draw) => {
    const n = g.size();
    return [g.array(dtype, n), g.array(dtype, n), g.array(dtype, n), n];
  });
}

export const addF32 = elementwise(f32, (x, y) => S.vadd(x, y));
export const addF16 = elementwise(f16, (x, y) => S.vadd(x, y));
export const addBf16 = elementwise(bf16, (x, y) => S.vadd(x, y));
export const mulI8 = elementwise(i8, (x, y) => S.vmul(x, y), 1);
export const addSaturatingU8 = elementwise(u8, (x, y) => S.vadd(x, y, { saturate: true }), 4);
export const subI16 = elementwise(i16, (x, y) => S.vsub(x, y));
export const divU16 = elementwise(u16, (x, y) => S.vdiv(x, y), 3);
export const modI32 = elementwise(i32, (x, y) => S.vmod(x, y));
export const maxU32 = elementwise(u32, (x, y) => S.vmax(x, y));
/** Clamped to 0..6, as a network's activation. */
export const relu6Sum = elementwise(f32, (x, y) => S.vclip(S.vadd(x, y), 0, 6));

if (isMain(import.meta.url)) {
  const x = new Uint8Array([250, 1, 2, 3]);
  const sum = new Uint8Array(4);
  addSaturatingU8(sum, x, x, 4);
  console.log(sum);
}
