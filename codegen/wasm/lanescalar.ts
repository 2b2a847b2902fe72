/**
 * Lanes computed one by one with scalar instructions, for what SIMD128 does not have: integer division, 32-bit
 * saturation, float remainder. Each is one helper function (v128, ...) -> v128.
 */
import { DTYPES, type DTypeName, hasFloats } from "../../ir/dtype.ts";
import type { Attrs } from "../../ir/kir.ts";
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
export function replaceLane(c: Code, d: DTypeName, lane: number): void {
  c.vlane(`${shapeOf(d)}.replace_lane`, lane);
}

/** Writes one lane's computation: operands in locals x, y (i32 or f32), the result is left on the stack. */
type LaneBody = (c: Code, x: number, y: number, d: DTypeName) => void;

const saturate64 = (c: Code, out: DTypeName): void => {
  const v = c.local("i64");
  const { min, max } = DTYPES[out];
  c.set(v);
  c.get(v).i64(max).get(v).i64(max).op("i64.lt_s").op("select").set(v);
  c.get(v).i64(min).get(v).i64(min).op("i64.gt_s").op("select").op("i32.wrap_i64");
};
const extend64 = (c: Code, d: DTypeName): void => {
  c.op(DTYPES[d].signed ? "i64.extend_i32_s" : "i64.extend_i32_u");
};

function body(op: string, d: DTypeName, attrs: Attrs): LaneBody {
  const { signed } = DTYPES[d];
  const out = (attrs["out"] ?? d) as DTypeName;
  switch (op) {
    case "div":
      return (c, x, y) => {
        c.get(y).op("i32.eqz").if("i32").i32(0).else();
        if (!signed) c.get(x).get(y).op("i32.div_u");
        else {
          // Only min / -1 leaves the range; 0 - x would wrap there.
          c.get(x).i32(DTYPES[d].min).op("i32.eq").get(y).i32(-1).op("i32.eq").op("i32.and");
          c.if("i32").i32(DTYPES[d].max).else().get(x).get(y).op("i32.div_s").end();
        }
        c.end();
      };
    case "mod":
      if (d === "f32") {
        return (c, x, y) => {
          c.get(x).op("f64.promote_f32").get(y).op("f64.promote_f32");
          c.call(fmodHelper(c.module)).op("f32.demote_f64");
        };
      }
      return (c, x, y) => {
        c.get(y).op("i32.eqz").if("i32").i32(0).else();
        c.get(x)
          .get(y)
          .op(signed ? "i32.rem_s" : "i32.rem_u")
          .end();
      };
    case "add":
    case "sub":
      return (c, x, y) => {
        c.get(x);
        extend64(c, d);
        c.get(y);
        extend64(c, d);
        c.op(op === "add" ? "i64.add" : "i64.sub");
        saturate64(c, out);
      };
    case "mul":
      return (c, x, y) => {
        c.get(x);
        extend64(c, d);
        c.get(y);
        extend64(c, d);
        c.op("i64.mul");
        if (!signed) {
          const v = c.local("i64");
          const top = DTYPES[out].max;
          c.set(v).get(v).i64(top).get(v).i64(top).op("i64.lt_u").op("select").op("i32.wrap_i64");
        } else saturate64(c, out);
      };
  }
  throw new TypeError(`no scalar lanes for ${op} on ${d}`);
}

/** Emits a call of the helper for (op, d, attrs); the operands' v128 parts are on the stack. */
export function scalarLanes(c: Code, op: string, d: DTypeName, attrs: Attrs): void {
  const key = `${op} ${d} ${JSON.stringify(attrs)}`;
  const index = c.module.helper(key, ["v128", "v128"], ["v128"], (h) => {
    const type = d === "f32" ? "f32" : "i32";
    const x = h.local(type);
    const y = h.local(type);
    const r = h.local("v128");
    const write = body(op, d, attrs);
    // The computation of one lane is a function of its own: small code, and V8 still predicts it well.
    const lanes = 128 / DTYPES[d].bits;
    const one = h.module.helper(`lane ${key}`, [type, type], [type], (l) => write(l, 0, 1, d));
    for (let i = 0; i < lanes; i++) {
      h.get(0);
      extractLane(h, d, i);
      h.set(x).get(1);
      extractLane(h, d, i);
      h.set(y).get(r).get(x).get(y).call(one);
      replaceLane(h, d, i);
      h.set(r);
    }
    h.get(r);
  });
  c.call(index);
}
