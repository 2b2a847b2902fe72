/**
 * Scalar expressions: JavaScript's meaning on i32, i64, f32, f64 and bool. Every function leaves one value on the stack.
 */
import {
  DTYPES,
  type DTypeName,
  type Float8DType,
  type FloatDType,
  hasFloats,
  isFloat8,
} from "../../ir/dtype.ts";
import type { Apply, Expr, ScalarName } from "../../ir/kir.ts";
import { isMathName } from "../../ir/math.ts";
import { type Emitter, emitFail, scalarName, wasmType } from "./context.ts";
import type { Code } from "./encoder.ts";
import { demoteToOdd, narrow8, narrowBits, widen8, widen16 } from "./floats.ts";
import { fmodHelper } from "./fmod.ts";
import { pairHelper } from "./math.ts";
import type { NumericOp } from "./opcodes.ts";

type Num = "i32" | "i64" | "f32" | "f64";

/** Ops that exist as one instruction per type: `add` is `i32.add`, `f64.add`, ... */
const DIRECT: { readonly [op: string]: readonly Num[] } = {
  add: ["i32", "i64", "f32", "f64"],
  sub: ["i32", "i64", "f32", "f64"],
  mul: ["i32", "i64", "f32", "f64"],
  div: ["f32", "f64"],
  neg: ["f32", "f64"],
  abs: ["f32", "f64"],
  min: ["f32", "f64"],
  max: ["f32", "f64"],
  floor: ["f32", "f64"],
  ceil: ["f32", "f64"],
  trunc: ["f32", "f64"],
  sqrt: ["f32", "f64"],
  eq: ["i32", "i64", "f32", "f64"],
  ne: ["i32", "i64", "f32", "f64"],
  and: ["i32", "i64"],
  or: ["i32", "i64"],
  xor: ["i32", "i64"],
};
const ORDER = new Set(["lt", "le", "gt", "ge"]);

/** Emits a scalar apply that does not touch vectors, memory or pointers; false when the op is not one. */
export function scalarApply(E: Emitter, e: Apply): boolean {
  const c = E.code;
  const first = e.args[0];
  if (first === undefined) {
    if (e.op === "tile_id") c.get(E.tileId);
    else if (e.op === "tile_count") c.get(E.tileCount);
    else return false;
    return true;
  }
  if (first.type.kind !== "scalar") return false;
  const name = scalarName(first);
  if (e.op === "select") {
    if (e.type.kind !== "scalar") return false;
    E.scalar(e.args[1]!);
    E.scalar(e.args[2]!);
    E.scalar(first);
    c.op("select");
    return true;
  }
  if (e.op === "convert") {
    E.scalar(first);
    convert(c, name, e.attrs["dtype"] as DTypeName, e.attrs["wrap"] === true);
    return true;
  }
  if (e.op === "cast_scalar") {
    // A sum of small integers needs no 64-bit arithmetic when only its i32 value is wanted.
    if (e.attrs["to"] === "i32" && name === "i64") {
      E.index32(first);
      return true;
    }
    E.scalar(first);
    castScalar(c, name, e.attrs["to"] as ScalarName);
    return true;
  }
  const t = wasmType(name);
  if (t === "v128") throw new TypeError("a scalar of type v128");
  const all = (): void => {
    for (const a of e.args) E.scalar(a);
  };
  if (DIRECT[e.op]?.includes(t)) {
    all();
    c.op(`${t}.${e.op}` as NumericOp);
    return true;
  }
  if (ORDER.has(e.op)) {
    all();
    c.op((t === "i32" || t === "i64" ? `${t}.${e.op}_s` : `${t}.${e.op}`) as NumericOp);
    return true;
  }
  return t === "i32" || t === "i64" ? integer(E, e, name, t, all) : float(E, e, t, all);
}

function integer(E: Emitter, e: Apply, name: ScalarName, t: "i32" | "i64", all: () => void): boolean {
  const c = E.code;
  const constant = (v: number): Code => (t === "i32" ? c.i32(v) : c.i64(v));
  switch (e.op) {
    case "mod": {
      all();
      const divisor = e.args[1];
      if (!(divisor?.kind === "const" && divisor.value !== 0)) {
        // An arm of a select is computed also where its condition has excluded a zero divisor: then by 1.
        const y = c.temp(t);
        c.set(y).get(y).get(y).op(`${t}.eqz`);
        if (t === "i64") c.op("i64.extend_i32_u");
        c.op(`${t}.or`);
      }
      c.op(`${t}.rem_s`);
      return true;
    }
    case "neg":
      constant(0);
      all();
      c.op(`${t}.sub`);
      return true;
    case "abs": {
      all();
      const x = c.save(t);
      constant(0).get(x).op(`${t}.sub`).get(x).get(x);
      constant(0).op(`${t}.lt_s`).op("select");
      return true;
    }
    case "min":
    case "max": {
      E.scalar(e.args[0]!);
      const x = c.save(t);
      E.scalar(e.args[1]!);
      const y = c.save(t);
      c.get(x)
        .get(y)
        .get(x)
        .get(y)
        .op(e.op === "min" ? `${t}.lt_s` : `${t}.gt_s`)
        .op("select");
      return true;
    }
    case "sign": {
      all();
      const x = c.save(t);
      c.get(x);
      constant(0).op(`${t}.gt_s`).get(x);
      constant(0).op(`${t}.lt_s`).op("i32.sub");
      if (t === "i64") c.op("i64.extend_i32_s");
      return true;
    }
    case "not":
      all();
      if (name === "bool") c.op("i32.eqz");
      else c.i32(-1).op("i32.xor");
      return true;
    case "imul":
      all();
      c.op("i32.mul");
      return true;
    case "clz32":
      all();
      c.op("i32.clz");
      return true;
    case "js_shl":
      all();
      c.op("i32.shl");
      return true;
    case "js_shr":
      all();
      c.op("i32.shr_s");
      return true;
    case "to_int32":
      all();
      if (t === "i64") c.op("i32.wrap_i64");
      return true;
    case "to_uint32":
      all();
      if (t === "i64") c.i64(0xffffffff).op("i64.and");
      else c.op("i64.extend_i32_u");
      return true;
    case "truthy":
      all();
      if (name !== "bool") {
        constant(0).op(`${t}.ne`);
      }
      return true;
    case "floordiv":
    case "ceildiv": {
      E.scalar(e.args[0]!);
      const x = c.save(t);
      E.scalar(e.args[1]!);
      const y = c.save(t);
      c.get(y).op(`${t}.eqz`).if();
      emitFail(E, "zeroDivisor", e.at || E.at);
      c.end();
      const r = c.temp(t);
      c.get(x).get(y).op(`${t}.div_s`);
      c.get(x).get(y).op(`${t}.rem_s`).set(r);
      // The truncated quotient moves by one when it was inexact and rounded the other way.
      c.get(r);
      constant(0).op(`${t}.ne`);
      c.get(r).get(y).op(`${t}.xor`);
      constant(0).op(e.op === "floordiv" ? `${t}.lt_s` : `${t}.ge_s`);
      c.op("i32.and");
      if (t === "i64") c.op("i64.extend_i32_u");
      c.op(e.op === "floordiv" ? `${t}.sub` : `${t}.add`);
      return true;
    }
  }
  return false;
}

function float(E: Emitter, e: Apply, t: "f32" | "f64", all: () => void): boolean {
  const c = E.code;
  // On scalars the f32 function.
  if (isMathName(e.op) || e.op === "recip" || e.op === "rsqrt") {
    const operands = e.args.map((a) => {
      E.scalar(a);
      if (t === "f64") c.op("f32.demote_f64");
      c.op("f64.promote_f32");
      return c.save("f64");
    });
    if (isMathName(e.op)) {
      for (const x of operands) c.get(x).v("f64x2.splat");
      c.call(pairHelper(c.module, e.op)).vlane("f64x2.extract_lane", 0);
    } else {
      c.f64(1).get(operands[0] as number);
      if (e.op === "rsqrt") c.op("f64.sqrt");
      c.op("f64.div");
    }
    c.op("f32.demote_f64");
    if (t === "f64") c.op("f64.promote_f32");
    return true;
  }
  const constant = (v: number): Code => (t === "f32" ? c.f32(v) : c.f64(v));
  switch (e.op) {
    case "round_away": {
      all();
      const x = c.save(t);
      c.get(x).op(`${t}.trunc`);
      const whole = c.save(t);
      constant(1).get(x).op(`${t}.copysign`).get(whole).op(`${t}.add`).get(whole);
      c.get(x).get(whole).op(`${t}.sub`).op(`${t}.abs`);
      constant(0.5).op(`${t}.ge`).op("select");
      return true;
    }
    case "rint":
      all();
      c.op(`${t}.nearest`);
      return true;
    case "mod":
      for (const a of e.args) {
        E.scalar(a);
        if (t === "f32") c.op("f64.promote_f32");
      }
      c.call(fmodHelper(c.module));
      if (t === "f32") c.op("f32.demote_f64");
      return true;
    case "round": {
      // floor, and one more when the exact rest is a half or above; the sign of x keeps -0.
      all();
      const x = c.save(t);
      const f = c.temp(t);
      c.get(x).op(`${t}.floor`).tee(f);
      constant(1).op(`${t}.add`).get(f).get(x).get(f).op(`${t}.sub`);
      constant(0.5).op(`${t}.ge`).op("select").get(x).op(`${t}.copysign`);
      return true;
    }
    case "sign": {
      all();
      const x = c.save(t);
      constant(1);
      constant(-1).get(x).get(x);
      constant(0).op(`${t}.lt`).op("select").get(x);
      constant(0).op(`${t}.gt`).op("select");
      return true;
    }
    case "truthy":
      all();
      c.op(`${t}.abs`);
      constant(0).op(`${t}.gt`);
      return true;
    case "to_int32":
    case "to_uint32":
      all();
      if (t === "f32") c.op("f64.promote_f32");
      toInt32(c);
      if (e.op === "to_uint32") c.op("i64.extend_i32_u");
      return true;
  }
  return false;
}

/** f64 -> i32 modulo 2^32, as JavaScript's `x | 0`. */
export function toInt32(c: Code): void {
  const index = c.module.helper("to_int32", ["f64"], ["i32"], (h) => {
    const bits = h.local("i64");
    const shift = h.local("i64");
    const r = h.local("i32");
    h.get(0)
      .op("f64.abs")
      .f64(2 ** 63)
      .op("f64.lt");
    h.if().get(0).sat("i64.trunc_sat_f64_s").op("i32.wrap_i64").op("return").end();
    // 2^63 and above: the significand shifted left; from 2^84 on (and for infinity and NaN) the low bits are 0.
    h.get(0).op("i64.reinterpret_f64").tee(bits).i64(52).op("i64.shr_u").i64(0x7ff).op("i64.and");
    h.i64(1075).op("i64.sub").tee(shift).i64(31).op("i64.gt_s").if().i32(0).op("return").end();
    h.get(bits).i64(0xfffffffffffffn).op("i64.and").i64(0x10000000000000n).op("i64.or");
    h.get(shift).op("i64.shl").op("i32.wrap_i64").set(r);
    h.i32(0).get(r).op("i32.sub").get(r).get(bits).i64(0).op("i64.lt_s").op("select");
  });
  c.call(index);
}
/** A scalar of type `from` on the stack becomes f64, exactly (integers are below 2^53). */
function toDouble(c: Code, from: ScalarName): void {
  if (from === "f32") c.op("f64.promote_f32");
  else if (from === "i64") c.op("f64.convert_i64_s");
  else if (from !== "f64") c.op("f64.convert_i32_s");
}

/** Rounds the scalar on the stack to a float dtype, in one rounding; leaves f32. */
export function roundScalar(c: Code, from: ScalarName, d: FloatDType | Float8DType): void {
  if (d === "f32") {
    if (from === "f64") c.op("f32.demote_f64");
    else if (from === "i64") c.op("f32.convert_i64_s");
    else if (from !== "f32") c.op("f32.convert_i32_s");
    return;
  }
  roundToBits(c, from, d);
  fromBits(c, d);
}

/** Floats that are bits in a scalar's i32. */
export type SmallFloat = "f16" | "bf16" | Float8DType;
export function isSmallFloat(d: DTypeName): d is SmallFloat {
  return hasFloats(d) && d !== "f32";
}
function narrow(c: Code, d: SmallFloat): void {
  if (isFloat8(d)) narrow8(c, d, false);
  else narrowBits(c, d);
}

/** Rounds the scalar on the stack to a float below 32 bits; leaves its bits as i32. */
export function roundToBits(c: Code, from: ScalarName, d: SmallFloat): void {
  if (from === "f32") {
    c.call(
      c.module.helper(`f32 to ${d}`, ["f32"], ["i32"], (h) => {
        h.get(0).v("f32x4.splat");
        narrow(h, d);
        h.vlane("i32x4.extract_lane", 0);
      }),
    );
    return;
  }
  toDouble(c, from);
  c.call(
    c.module.helper(`f64 to ${d}`, ["f64"], ["i32"], (h) => {
      h.get(0).v("f64x2.splat");
      demoteToOdd(h);
      narrow(h, d);
      h.vlane("i32x4.extract_lane", 0);
    }),
  );
}
/** Bits of a float below 32 bits, as i32 -> f32. */
export function fromBits(c: Code, d: SmallFloat): void {
  if (d === "bf16") {
    c.i32(16).op("i32.shl").op("f32.reinterpret_i32");
    return;
  }
  c.call(
    c.module.helper(`from ${d}`, ["i32"], ["f32"], (h) => {
      h.get(0);
      if (isFloat8(d)) widen8(h.v("i32x4.splat"), d);
      else widen16(h.v("i16x8.splat"), d, "low");
      h.vlane("f32x4.extract_lane", 0);
    }),
  );
}

function convert(c: Code, from: ScalarName, d: DTypeName, wrap: boolean): void {
  if (hasFloats(d)) {
    roundScalar(c, from, d);
    return;
  }
  if (d === "bool") {
    truthy(c, from);
    return;
  }
  const { min, max, bits } = DTYPES[d];
  const integer = from !== "f32" && from !== "f64";
  if (wrap) {
    lowBits(c, from, d);
    return;
  }
  if (!integer) {
    // Through i64, whose range holds every dtype's; NaN gives 0.
    c.sat(from === "f32" ? "i64.trunc_sat_f32_s" : "i64.trunc_sat_f64_s");
  } else if (from !== "i64") {
    if (bits === 32 && d === "i32") return;
    c.op("i64.extend_i32_s");
  }
  const x = c.save("i64");
  c.get(x).i64(max).get(x).i64(max).op("i64.lt_s").op("select").set(x);
  c.get(x).i64(min).get(x).i64(min).op("i64.gt_s").op("select");
  if (d !== "u32") c.op("i32.wrap_i64");
}

/** Keeps the low bits of the integer part; the result is the dtype's scalar. */
function lowBits(c: Code, from: ScalarName, d: DTypeName): void {
  if (from === "f32") c.op("f64.promote_f32");
  if (from === "f32" || from === "f64") toInt32(c);
  else if (from === "i64") c.op("i32.wrap_i64");
  if (d === "i8") c.op("i32.extend8_s");
  else if (d === "i16") c.op("i32.extend16_s");
  else if (d === "u8") c.i32(0xff).op("i32.and");
  else if (d === "u16") c.i32(0xffff).op("i32.and");
  else if (d === "u32") c.op("i64.extend_i32_u");
  else if (d === "i4") c.i32(28).op("i32.shl").i32(28).op("i32.shr_s");
  else if (d === "u4") c.i32(15).op("i32.and");
}

export function truthy(c: Code, from: ScalarName): void {
  if (from === "bool") return;
  if (from === "f32") c.op("f32.abs").f32(0).op("f32.gt");
  else if (from === "f64") c.op("f64.abs").f64(0).op("f64.gt");
  else if (from === "i64") c.i64(0).op("i64.ne");
  else c.i32(0).op("i32.ne");
}

/** Change of representation; the value is proven to fit. */
export function castScalar(c: Code, from: ScalarName, to: ScalarName): void {
  if (from === to) return;
  switch (to) {
    case "i32":
      if (from === "i64") c.op("i32.wrap_i64");
      else if (from === "f32") c.sat("i32.trunc_sat_f32_s");
      else if (from === "f64") c.sat("i32.trunc_sat_f64_s");
      return;
    case "i64":
      if (from === "f32") c.sat("i64.trunc_sat_f32_s");
      else if (from === "f64") c.sat("i64.trunc_sat_f64_s");
      else c.op("i64.extend_i32_s");
      return;
    case "f32":
      roundScalar(c, from, "f32");
      return;
    case "f64":
      toDouble(c, from);
      return;
    case "bool":
      truthy(c, from);
      return;
    default:
      throw new TypeError(`cast_scalar to ${to}`);
  }
}

/** The scalar on the stack becomes the bits that a store to dtype `d` leaves, as i32 (f32: its bits). */
export function storeBits(c: Code, from: ScalarName, d: DTypeName): void {
  if (d === "f32") {
    roundScalar(c, from, "f32");
    c.op("i32.reinterpret_f32");
  } else if (isSmallFloat(d)) roundToBits(c, from, d);
  else if (d === "bool") truthy(c, from);
  else if (from === "f32" || from === "f64") {
    if (from === "f32") c.op("f64.promote_f32");
    toInt32(c);
  } else if (from === "i64") c.op("i32.wrap_i64");
}

const INDEX_OPS: { readonly [op: string]: NumericOp } = { add: "i32.add", sub: "i32.sub", mul: "i32.mul" };

/** Pushes the low 32 bits of an integer expression: addresses need no more, so i64 sums are computed in i32. */
export function index32(E: Emitter, e: Expr): void {
  const c = E.code;
  const name = scalarName(e);
  if (name === "i32" || name === "bool") {
    E.scalar(e);
    return;
  }
  if (name !== "i64") throw new TypeError(`an index of type ${name}`);
  if (e.kind === "const") {
    c.i32(Number(BigInt.asIntN(32, BigInt(e.value))));
    return;
  }
  if (e.kind === "apply") {
    const op = INDEX_OPS[e.op];
    if (op !== undefined) {
      index32(E, e.args[0]!);
      index32(E, e.args[1]!);
      c.op(op);
      return;
    }
    const arg = e.args[0];
    if (e.op === "cast_scalar" && arg !== undefined && scalarName(arg) === "i32") {
      E.scalar(arg);
      return;
    }
    if (e.op === "neg") {
      c.i32(0);
      index32(E, arg!);
      c.op("i32.sub");
      return;
    }
  }
  E.scalar(e);
  c.op("i32.wrap_i64");
}
