/**
 * Saturating arithmetic of 32-bit lanes, which SIMD128 has only for narrower ones. Operands stand in locals, the result is left
 * on the stack. s is the wrapped result, all comparisons give a lane mask.
 */
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import type { Code } from "./encoder.ts";
import { halves } from "./permute.ts";

type Local = number;
const TOP = 0x7fffffff;

/** x op y exactly, clamped to `out`, which is `d` or the dtype of the other sign. */
export function saturating32(
  c: Code,
  op: "add" | "sub" | "mul",
  d: DTypeName,
  out: DTypeName,
  x: Local,
  y: Local,
): void {
  const from = DTYPES[d].signed;
  const to = DTYPES[out].signed;
  if (op === "mul") multiply(c, from, to, x, y);
  else if (from && to) signedToSigned(c, op, x, y);
  else if (from) signedToUnsigned(c, op, x, y);
  else if (op === "add") {
    // x + min(~x, y): ~x is what x lacks to the largest.
    c.get(x).get(x).v("v128.not").get(y).v("i32x4.min_u").v("i32x4.add");
    if (to) c.v32(TOP).v("i32x4.min_u");
  } else if (!to) c.get(x).get(y).v("i32x4.max_u").get(y).v("i32x4.sub");
  else {
    // What x exceeds y by, and y x: one of them is 0.
    c.get(x).get(y).v("i32x4.max_u").get(y).v("i32x4.sub").v32(TOP).v("i32x4.min_u");
    c.get(x)
      .get(y)
      .v("i32x4.max_u")
      .get(x)
      .v("i32x4.sub")
      .v32(TOP + 1)
      .v("i32x4.min_u");
    c.v("i32x4.sub");
  }
}

/** Where x has the sign of (for sub: another sign than) y and s has not that of x, s is replaced by the limit of x's sign. */
function signedToSigned(c: Code, op: "add" | "sub", x: Local, y: Local): void {
  c.get(x).get(y).v(`i32x4.${op}`);
  const s = c.save("v128");
  c.get(x).i32(31).v("i32x4.shr_s").v32(TOP).v("v128.xor").get(s);
  c.get(x).get(s).v("v128.xor");
  if (op === "add") c.get(y).get(s).v("v128.xor");
  else c.get(x).get(y).v("v128.xor");
  c.v("v128.and").i32(31).v("i32x4.shr_s").v("v128.bitselect");
}

/** No sum or difference is too large; a negative one becomes 0. x + y < 0 says x <= ~y, since ~y is -y - 1. */
function signedToUnsigned(c: Code, op: "add" | "sub", x: Local, y: Local): void {
  c.get(x).get(y).v(`i32x4.${op}`);
  c.get(x).get(y);
  if (op === "add") c.v("v128.not").v("i32x4.gt_s");
  else c.v("i32x4.ge_s");
  c.v("v128.and");
}

/** Low and high words of the exact products; the high word tells whether the low one is enough. */
function multiply(c: Code, from: boolean, to: boolean, x: Local, y: Local): void {
  const s = from ? "s" : "u";
  c.get(x).get(y).v(`i64x2.extmul_low_i32x4_${s}`);
  const first = c.save("v128");
  c.get(x).get(y).v(`i64x2.extmul_high_i32x4_${s}`);
  const second = c.save("v128");
  c.get(first).get(second);
  halves(c, 32, "low");
  const low = c.save("v128");
  c.get(first).get(second);
  halves(c, 32, "high");
  const high = c.save("v128");
  if (!from) {
    c.get(low).get(high).v32(0).v("i32x4.ne").v("v128.or");
    if (to) c.v32(TOP).v("i32x4.min_u");
    return;
  }
  c.get(low).get(high).i32(31).v("i32x4.shr_s");
  // The limit by the product's sign: largest or smallest, or all ones and 0.
  if (to) c.v32(TOP).v("v128.xor");
  else c.v("v128.not");
  c.get(high);
  if (to) c.get(low).i32(31).v("i32x4.shr_s");
  else c.v32(0);
  c.v("i32x4.eq").v("v128.bitselect");
}
