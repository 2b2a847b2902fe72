/** Lanes of a v128 by dtype: shapes, constants, one lane at a time. */
import { DTYPES, type DTypeName, hasFloats } from "../../ir/dtype.ts";
import type { Code, SimdShape } from "./encoder.ts";
import { fmodHelper } from "./fmod.ts";

export function shapeOf(d: DTypeName): SimdShape {
  if (d === "f32") return "f32x4";
  const bits = DTYPES[d].laneBits;
  return bits === 8 ? "i8x16" : bits === 16 ? "i16x8" : "i32x4";
}

/** Every lane of an integer dtype set to one value. */
export function constant(c: Code, d: DTypeName, value: number): Code {
  const bits = DTYPES[d].laneBits;
  const low = value & (bits === 32 ? -1 : 2 ** bits - 1);
  return c.v32((bits === 8 ? low * 0x01010101 : bits === 16 ? low * 0x00010001 : low) >>> 0);
}

/** Extracts one lane of a v128 in a local as i32 (sign or zero extended) or f32. */
export function extractLane(c: Code, d: DTypeName, lane: number): void {
  const shape = shapeOf(d);
  const s = DTYPES[d].signed && !hasFloats(d) ? "s" : "u";
  if (shape === "i8x16") c.vlane(`i8x16.extract_lane_${s}`, lane);
  else if (shape === "i16x8") c.vlane(`i16x8.extract_lane_${s}`, lane);
  else c.vlane(`${shape === "f32x4" ? "f32x4" : "i32x4"}.extract_lane`, lane);
}

/** The remainder of four f32 lanes, which SIMD128 does not have: each by one call. The operands are on the stack. */
export function remainderLanes(c: Code): void {
  const index = c.module.helper("f32 remainders", ["v128", "v128"], ["v128"], (h) => {
    const r = h.local("v128");
    for (let i = 0; i < 4; i++) {
      h.get(r);
      for (const operand of [0, 1]) h.get(operand).vlane("f32x4.extract_lane", i).op("f64.promote_f32");
      h.call(fmodHelper(h.module)).op("f32.demote_f64").vlane("f32x4.replace_lane", i).set(r);
    }
    h.get(r);
  });
  c.call(index);
}
