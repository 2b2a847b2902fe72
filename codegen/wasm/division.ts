/**
 * Integer division and remainder by floating-point division, which is exact here: a quotient of integers that is no
 * integer is at least 1/y away from the next one, and the division's rounding moves it less (f32 for lanes of 8 and
 * 16 bits: at most 2^16/y * 2^-24; f64 for 32 bits: at most 2^32/y * 2^-53).
 *
 *   x / 0 = 0, x % 0 = 0, min / -1 = max, the remainder has the dividend's sign
 */
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import type { Code } from "./encoder.ts";
import { intToDouble, joinPairs } from "./floats.ts";
import { shapeOf } from "./lanescalar.ts";
import type { SimdOp } from "./opcodes.ts";

type Half = "low" | "high";

/** `x op y` of one v128 part each, in locals. */
export function dividePart(c: Code, op: "div" | "mod", d: DTypeName, x: number, y: number): void {
  const { bits, signed } = DTYPES[d];
  const s = signed ? "s" : "u";
  if (bits === 32) {
    for (const half of ["low", "high"] as const) {
      quotient(c, op, "f64x2", (operand) => intToDouble(c, operand, half, signed), x, y);
      c.v(`i32x4.trunc_sat_f64x2_${s}_zero`);
    }
    joinPairs(c);
  } else if (bits === 16) {
    halvesOf(c, op, s, x, y);
    c.v(`i16x8.narrow_i32x4_${s}`);
  } else {
    for (const half of ["low", "high"] as const) {
      const [a, b] = [x, y].map((operand) => {
        c.get(operand).v(`i16x8.extend_${half}_i8x16_${s}`);
        return c.save("v128");
      }) as [number, number];
      halvesOf(c, op, s, a, b);
      c.v("i16x8.narrow_i32x4_s");
    }
    c.v(`i8x16.narrow_i16x8_${s}`);
  }
  // The remainder by 0 is a NaN until here, and gave 0. The quotient, an infinity, gave the largest integer.
  if (op === "mod") return;
  const shape = shapeOf(d);
  c.get(y)
    .v32(0)
    .v(`${shape}.ne` as SimdOp)
    .v("v128.and");
}

/** The low and the high four of eight 16-bit lanes, as two vectors of i32; min / -1 has not been clamped. */
function halvesOf(c: Code, op: "div" | "mod", s: "s" | "u", x: number, y: number): void {
  const quad = (operand: number, half: Half): void => {
    c.get(operand).v(`i32x4.extend_${half}_i16x8_${s}`).v("f32x4.convert_i32x4_s");
  };
  for (const half of ["low", "high"] as const) {
    quotient(c, op, "f32x4", (operand) => quad(operand, half), x, y);
    c.v("i32x4.trunc_sat_f32x4_s");
  }
}

/** x / y, or x - trunc(x / y) * y, which is exact too. */
function quotient(
  c: Code,
  op: "div" | "mod",
  shape: "f32x4" | "f64x2",
  push: (operand: number) => void,
  x: number,
  y: number,
): void {
  push(x);
  if (op === "div") {
    push(y);
    c.v(`${shape}.div`);
    return;
  }
  const a = c.save("v128");
  push(y);
  const b = c.save("v128");
  c.get(a).get(a).get(b).v(`${shape}.div`).v(`${shape}.trunc`).get(b).v(`${shape}.mul`).v(`${shape}.sub`);
}
