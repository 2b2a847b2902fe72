/**
 * One v128 part of a lane by lane operation: the second implementation of the ALU table (ir/formulas.ts), bit for bit.
 * Operands come as functions that push a part; the result is left on the stack. A comparison leaves a lane mask of the
 * dtype's width.
 */
import { DTYPES, type DTypeName, isFloat } from "../../ir/dtype.ts";
import type { Attrs } from "../../ir/kir.ts";
import { isMathName } from "../../ir/math.ts";
import { bitsPart } from "./bits.ts";
import { bitsOf } from "./context.ts";
import { dividePart } from "./division.ts";
import type { Code } from "./encoder.ts";
import { addToOdd, demote, joinPairs, narrowBits, pack16, promote, widen16 } from "./floats.ts";
import { constant, remainderLanes, shapeOf } from "./lanescalar.ts";
import { mathQuad } from "./math.ts";
import type { SimdOp } from "./opcodes.ts";
import { halves } from "./permute.ts";
import { saturating32 } from "./saturate32.ts";

type Push = () => void;

const COMPARES = new Set(["eq", "ne", "lt", "le", "gt", "ge"]);
export function isCompare(op: string): boolean {
  return COMPARES.has(op);
}

export function lanewisePart(c: Code, op: string, d: DTypeName, attrs: Attrs, args: readonly Push[]): void {
  if (isFloat(d)) floatPart(c, op, d, args);
  else integerPart(c, op, d, attrs, args);
}

/** Masks: `bool` lanes of any width. */
export function maskPart(c: Code, op: string, args: readonly Push[]): void {
  for (const a of args) a();
  c.v(`v128.${op}` as SimdOp);
}

// ---------------------------------------------------------------------------------------------- integers

function integerPart(c: Code, op: string, d: DTypeName, attrs: Attrs, args: readonly Push[]): void {
  const shape = shapeOf(d);
  const { signed, bits } = DTYPES[d];
  const s = signed ? "s" : "u";
  const all = (): void => {
    for (const a of args) a();
  };
  switch (op) {
    case "add":
    case "sub":
    case "mul":
      if (attrs["saturate"]) saturatingPart(c, op, d, attrs, args);
      else if (op === "mul" && bits === 8) multiplyBytes(c, args);
      else {
        all();
        c.v(`${shape}.${op}` as SimdOp);
      }
      return;
    case "neg":
      all();
      c.v(`${shape}.neg` as SimdOp);
      return;
    case "abs":
      all();
      if (signed) {
        c.v(`${shape}.abs` as SimdOp);
        // abs(min) is 2^(bits-1) as an unsigned number: the only one above the maximum.
        if (attrs["saturate"]) constant(c, d, DTYPES[d].max).v(`${shape}.min_u` as SimdOp);
      }
      return;
    case "mulhi":
      highProducts(c, d, args);
      return;
    case "min":
    case "max":
      all();
      c.v(`${shape}.${op}_${s}` as SimdOp);
      return;
    case "minimum":
    case "maximum":
      integerPart(c, op === "minimum" ? "min" : "max", d, attrs, args);
      return;
    case "sign":
      signPart(c, d, args);
      return;
    case "eq":
    case "ne":
      all();
      c.v(`${shape}.${op}` as SimdOp);
      return;
    case "lt":
    case "le":
    case "gt":
    case "ge":
      all();
      c.v(`${shape}.${op}_${s}` as SimdOp);
      return;
    case "and":
    case "or":
    case "xor":
    case "not":
      all();
      c.v(`v128.${op}`);
      return;
    case "clz":
    case "cls":
    case "ctz":
    case "popcnt":
    case "brev":
      all();
      bitsPart(c, op, d);
      return;
    case "div":
    case "mod": {
      const [x, y] = saved(c, args) as [number, number];
      dividePart(c, op, d, x, y);
      return;
    }
    default:
      throw new TypeError(`${op} is not defined for lanes of ${d}`);
  }
}

/** The operands in locals. */
function saved(c: Code, args: readonly Push[]): number[] {
  return args.map((push) => {
    push();
    return c.save("v128");
  });
}

/** Even and odd bytes apart, as products of 16-bit lanes. */
function multiplyBytes(c: Code, [x, y]: readonly Push[]): void {
  x!();
  const a = c.save("v128");
  y!();
  const b = c.save("v128");
  c.get(a).get(b).v("i16x8.mul").v16(0x00ff).v("v128.and");
  c.get(a).i32(8).v("i16x8.shr_u").get(b).i32(8).v("i16x8.shr_u").v("i16x8.mul").i32(8).v("i16x8.shl");
  c.v("v128.or");
}

const WIDER = { 8: "i16x8", 16: "i32x4", 32: "i64x2" } as const;

/** Products of twice the width in two vectors; the high half of each is kept. */
function highProducts(c: Code, d: DTypeName, [x, y]: readonly Push[]): void {
  const { signed } = DTYPES[d];
  const bits = bitsOf(d);
  x!();
  const a = c.save("v128");
  y!();
  const b = c.save("v128");
  for (const half of ["low", "high"] as const) {
    c.get(a)
      .get(b)
      .v(`${WIDER[bits]}.extmul_${half}_${shapeOf(d)}_${signed ? "s" : "u"}` as SimdOp);
  }
  halves(c, bits, "high");
}

/** -1, 0 or 1: a comparison gives -1 where it holds. */
function signPart(c: Code, d: DTypeName, [x]: readonly Push[]): void {
  x!();
  if (!DTYPES[d].signed) {
    constant(c, d, 1).v(`${shapeOf(d)}.min_u` as SimdOp);
    return;
  }
  const a = c.save("v128");
  c.get(a)
    .v32(0)
    .v(`${shapeOf(d)}.lt_s` as SimdOp);
  c.get(a)
    .v32(0)
    .v(`${shapeOf(d)}.gt_s` as SimdOp);
  c.v(`${shapeOf(d)}.sub` as SimdOp);
}

/** x op y exactly, then clamped to the result dtype. */
function saturatingPart(
  c: Code,
  op: "add" | "sub" | "mul",
  d: DTypeName,
  attrs: Attrs,
  args: readonly Push[],
): void {
  const { signed } = DTYPES[d];
  const bits = bitsOf(d);
  const s = signed ? "s" : "u";
  const out = (attrs["out"] ?? d) as DTypeName;
  if (bits === 32) {
    const [x, y] = args.map((a) => {
      a();
      return c.save("v128");
    }) as [number, number];
    saturating32(c, op, d, out, x, y);
    return;
  }
  if (op !== "mul" && out === d) {
    for (const a of args) a();
    c.v(`${shapeOf(d)}.${op}_sat_${s}` as SimdOp);
    return;
  }
  // Twice the width holds every exact result; the product of unsigned lanes needs all of it, as unsigned.
  args[0]!();
  const a = c.save("v128");
  args[1]!();
  const b = c.save("v128");
  const wide = bits === 8 ? "i16x8" : "i32x4";
  const narrow = bits === 8 ? "i8x16" : "i16x8";
  const { min, max } = DTYPES[out];
  const bound = (value: number): Code => (bits === 8 ? c.v16(value) : c.v32(value >>> 0));
  for (const half of ["low", "high"] as const) {
    for (const operand of [a, b]) c.get(operand).v(`${wide}.extend_${half}_${narrow}_${s}` as SimdOp);
    c.v(`${wide}.${op}` as SimdOp);
    if (op === "mul" && !signed) bound(max).v(`${wide}.min_u` as SimdOp);
    else {
      bound(max).v(`${wide}.min_s` as SimdOp);
      bound(min).v(`${wide}.max_s` as SimdOp);
    }
  }
  lowParts(c, bits);
}

/** Two vectors on the stack -> one of their lanes' low `bits` bits (8 of 16, or 16 of 32). */
export function lowParts(c: Code, bits: 8 | 16): void {
  halves(c, bits, "low");
}

// ---------------------------------------------------------------------------------------------- floats

/** Ops computed in float64 with one rounding to the dtype. */
const inDouble = (op: string): boolean => op === "fma" || op === "rsqrt" || isMathName(op);

function floatPart(c: Code, op: string, d: "f16" | "bf16" | "f32", args: readonly Push[]): void {
  if (d !== "f32" && (op === "neg" || op === "abs")) {
    args[0]!();
    if (op === "neg") c.v16(0x8000).v("v128.xor");
    else c.v16(0x7fff).v("v128.and");
    return;
  }
  if (op === "sign") {
    floatSign(c, d, args);
    return;
  }
  if (inDouble(op)) {
    doublePart(c, op, d, args);
    return;
  }
  if (d === "f32") {
    quad(c, op, args);
    return;
  }
  const operands = saved(c, args);
  for (const half of ["low", "high"] as const) {
    quad(
      c,
      op,
      operands.map((x) => () => {
        c.get(x);
        widen16(c, d, half);
      }),
    );
    if (!isCompare(op)) narrowBits(c, d);
  }
  if (isCompare(op)) c.v("i16x8.narrow_i32x4_s");
  else pack16(c);
}

/** 1 with the sign of x, but x itself where it is a zero or a NaN; on the bits, for any float dtype. */
function floatSign(c: Code, d: "f16" | "bf16" | "f32", [x]: readonly Push[]): void {
  const shape = d === "f32" ? "i32x4" : "i16x8";
  const [infinity, one] = { f32: [0x7f800000, 0x3f800000], f16: [0x7c00, 0x3c00], bf16: [0x7f80, 0x3f80] }[
    d
  ] as [number, number];
  const lanes = (value: number): Code => (d === "f32" ? c.v32(value) : c.v16(value));
  const [sign, magnitude] = d === "f32" ? [0x80000000, 0x7fffffff] : [0x8000, 0x7fff];
  x!();
  const a = c.save("v128");
  lanes(one).get(a);
  lanes(sign).v("v128.and").v("v128.or").get(a);
  // 1 to infinity: neither zero nor NaN. Less 1, as an unsigned number, that is below infinity.
  c.get(a);
  lanes(magnitude).v("v128.and");
  lanes(1).v(`${shape}.sub`);
  lanes(infinity).v(`${shape}.lt_u`).v("v128.bitselect");
}

/** Four f32 lanes. */
function quad(c: Code, op: string, args: readonly Push[]): void {
  const all = (): void => {
    for (const a of args) a();
  };
  switch (op) {
    case "min":
    case "max": {
      args[0]!();
      const a = c.save("v128");
      args[1]!();
      const b = c.save("v128");
      // f32x4.min orders the zeros and propagates NaN; then an operand that is a NaN gives way to the other.
      c.get(a).get(b);
      c.get(a).get(b).v(`f32x4.${op}`);
      c.get(a).get(a).v("f32x4.ne").v("v128.bitselect");
      c.get(b).get(b).v("f32x4.ne").v("v128.bitselect");
      return;
    }
    case "minimum":
    case "maximum":
      all();
      c.v(op === "minimum" ? "f32x4.min" : "f32x4.max");
      return;
    case "recip": {
      c.v32(0x3f800000);
      all();
      c.v("f32x4.div");
      return;
    }
    case "round_away": {
      all();
      const x = c.save("v128");
      c.get(x).v("f32x4.trunc");
      const whole = c.save("v128");
      c.v32(0x3f800000).get(x).v32(0x7fffffff).v("v128.bitselect").get(whole).v("f32x4.add").get(whole);
      c.get(x).get(whole).v("f32x4.sub").v("f32x4.abs").v32(0x3f000000).v("f32x4.ge").v("v128.bitselect");
      return;
    }
    case "rint":
      all();
      c.v("f32x4.nearest");
      return;
    case "mod":
      all();
      remainderLanes(c);
      return;
    default:
      all();
      c.v(`f32x4.${op}` as SimdOp);
  }
}

function doublePart(c: Code, op: string, d: "f16" | "bf16" | "f32", args: readonly Push[]): void {
  const operands = saved(c, args);
  if (d === "f32") {
    doubleQuad(c, op, operands, "nearest");
    return;
  }
  for (const half of ["low", "high"] as const) {
    const wide = operands.map((x) => {
      c.get(x);
      widen16(c, d, half);
      return c.save("v128");
    });
    if (op === "fma" && d === "f16") fmaHalves(c, wide);
    else doubleQuad(c, op, wide, "odd");
    narrowBits(c, d);
  }
  pack16(c);
}

/** acc + x * y of f16 values in f32 lanes: their product has 22 bits and is exact there (a bf16 product can overflow). */
function fmaHalves(c: Code, [acc, x, y]: readonly number[]): void {
  c.get(x!).get(y!).v("f32x4.mul");
  addToOdd(c, acc!, c.save("v128"));
}

/** Four f32 lanes in locals, computed as two pairs of doubles, each rounded to f32. */
function doubleQuad(c: Code, op: string, args: readonly number[], rounding: "nearest" | "odd"): void {
  if (isMathName(op)) {
    mathQuad(c, op, args, rounding);
    return;
  }
  for (const half of ["low", "high"] as const) {
    const push = (i: number): void => promote(c, args[i]!, half);
    if (op === "fma") {
      push(0);
      push(1);
      push(2);
      c.v("f64x2.mul").v("f64x2.add");
    } else {
      c.vf64(1);
      push(0);
      c.v("f64x2.sqrt").v("f64x2.div");
    }
    demote(c, rounding);
  }
  joinPairs(c);
}
