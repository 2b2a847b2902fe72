/**
 * Shifts and rotations of integer lanes. SIMD128 shifts all lanes by one amount; amounts per lane go through products:
 *
 *     x << y          =  x * 2^y, low half
 *     x >>> y         =  (x * 2^(w-1-y)) >>> (w-1) of the product, which has 2w bits
 *     x >> y          =  s ^ ((x ^ s) >>> y),  s = the sign in every bit
 *     x rotated by y  =  x * 2^y, low half | high half
 *
 * and 2^y comes from a table of bytes, which gives 0 from y = w on, as the shifts do.
 */
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import type { Apply, Expr } from "../../ir/kir.ts";
import { bitsOf, dtypeOf, type Emitter, type Parts } from "./context.ts";
import type { Code, LocalIndex } from "./encoder.ts";
import { constant, shapeOf } from "./lanescalar.ts";
import type { SimdOp } from "./opcodes.ts";

type ShiftOp = "shl" | "shr" | "rotl" | "rotr";
const SHIFTS: ReadonlySet<string> = new Set(["shl", "shr", "rotl", "rotr"]);
export function isShift(op: string): boolean {
  return SHIFTS.has(op);
}

/** How far, as an unsigned number of the dtype: one constant for all lanes, or a vector. */
type OwnAmount =
  | { readonly kind: "constant"; readonly by: number }
  | { readonly kind: "lanes"; readonly y: LocalIndex };
/** Also: one i32 for all lanes. */
type Amount = OwnAmount | { readonly kind: "uniform"; readonly by: LocalIndex };

export function emitShift(E: Emitter, e: Apply): Parts {
  const c = E.code;
  const d = dtypeOf(e);
  const x = E.vector(e.args[0]!);
  const amount = amountOf(E, e);
  return {
    count: x.count,
    push: (p) => {
      const by = amount(p);
      x.push(p);
      const v = c.save("v128");
      if (by.kind === "uniform") shift(c, e.op as ShiftOp, d, v, by);
      else if (e.attrs["saturate"]) saturatingLeft(c, d, v, by);
      else if (e.attrs["round"]) roundingRight(c, d, v, by);
      else shift(c, e.op as ShiftOp, d, v, by);
    },
  };
}

function amountOf(E: Emitter, e: Apply): (part: number) => Amount {
  const c = E.code;
  const y = e.args[1]!;
  const d = dtypeOf(y);
  const bits = bitsOf(d);
  const known = constantAmount(y);
  if (known !== undefined) {
    const amount: Amount = { kind: "constant", by: known < 0 ? known + 2 ** bits : known };
    return () => amount;
  }
  // Rounding and clamping look at each lane anyway.
  const plain = !e.attrs["saturate"] && !e.attrs["round"];
  if (plain && y.kind === "apply" && y.op === "splat" && isInteger(y.args[0]!)) {
    E.index32(y.args[0]!);
    if (bits < 32) c.i32(2 ** bits - 1).op("i32.and");
    const by = c.save("i32");
    return () => ({ kind: "uniform", by });
  }
  const lanes = E.vector(y);
  return (p) => {
    lanes.push(p);
    return { kind: "lanes", y: c.save("v128") };
  };
}
function isInteger(e: Expr): boolean {
  return e.type.kind === "scalar" && (e.type.name === "i32" || e.type.name === "i64");
}

/** The amount of a shift by one constant in all lanes. */
function constantAmount(e: Expr): number | undefined {
  if (e.kind !== "apply") return undefined;
  if (e.op === "splat") {
    const x = e.args[0]!;
    return x.kind === "const" && typeof x.value === "number" ? x.value : undefined;
  }
  if (e.op !== "vconst") return undefined;
  const values = e.attrs["values"] as readonly number[];
  return values.every((v) => v === values[0]) ? values[0] : undefined;
}

/** x shifted or rotated, without rounding or clamping. */
function shift(c: Code, op: ShiftOp, d: DTypeName, x: LocalIndex, amount: Amount): void {
  if (op === "rotl" || op === "rotr") rotate(c, op, d, x, amount);
  else if (amount.kind === "lanes") shiftByLanes(c, op, d, x, amount.y);
  else shiftByOne(c, op, d, x, amount);
}

function shiftByOne(
  c: Code,
  op: "shl" | "shr",
  d: DTypeName,
  x: LocalIndex,
  amount: Exclude<Amount, { kind: "lanes" }>,
): void {
  const { bits, signed } = DTYPES[d];
  const name = `${shapeOf(d)}.${op === "shl" ? "shl" : signed ? "shr_s" : "shr_u"}` as SimdOp;
  const fills = op === "shr" && signed;
  if (amount.kind === "constant") {
    if (amount.by >= bits && !fills) c.v32(0);
    else
      c.get(x)
        .i32(Math.min(amount.by, bits - 1))
        .v(name);
    return;
  }
  // The instruction takes its amount modulo the width.
  const { by } = amount;
  c.get(x);
  if (fills) {
    c.get(by)
      .i32(bits - 1)
      .get(by)
      .i32(bits)
      .op("i32.lt_u")
      .op("select")
      .v(name);
    return;
  }
  c.get(by).v(name);
  c.i32(0).get(by).i32(bits).op("i32.lt_u").op("i32.sub").v("i32x4.splat").v("v128.and");
}

function shiftByLanes(c: Code, op: "shl" | "shr", d: DTypeName, x: LocalIndex, y: LocalIndex): void {
  const { bits, signed } = DTYPES[d];
  if (op === "shl") {
    const power = powerOf(c, d, () => c.get(y));
    if (bits > 8)
      c.get(x)
        .get(power)
        .v(`${shapeOf(d)}.mul` as SimdOp);
    else products(c, 8, x, power, () => {}, "low");
    return;
  }
  const sign = signed ? signBits(c, d, x) : undefined;
  let v = x;
  if (sign !== undefined) {
    c.get(x).get(sign).v("v128.xor");
    v = c.save("v128");
  }
  const power = powerOf(c, d, () => {
    constant(c, d, bits - 1);
    c.get(y).v(`${shapeOf(d)}.sub` as SimdOp);
  });
  products(c, bits, v, power, () => c.i32(bits - 1).v(`${DOUBLE[bits]}.shr_u` as SimdOp), "low");
  if (sign !== undefined) c.get(sign).v("v128.xor");
}

function rotate(c: Code, op: "rotl" | "rotr", d: DTypeName, x: LocalIndex, amount: Amount): void {
  const { bits } = DTYPES[d];
  const shape = shapeOf(d);
  const [to, back] = op === "rotl" ? ["shl", "shr_u"] : ["shr_u", "shl"];
  if (amount.kind === "constant") {
    const by = amount.by % bits;
    c.get(x);
    if (by === 0) return;
    c.i32(by).v(`${shape}.${to}` as SimdOp);
    c.get(x)
      .i32(bits - by)
      .v(`${shape}.${back}` as SimdOp)
      .v("v128.or");
    return;
  }
  if (amount.kind === "uniform") {
    // Both instructions take their amount modulo the width: by 0, x meets itself.
    c.get(x)
      .get(amount.by)
      .v(`${shape}.${to}` as SimdOp);
    c.get(x).i32(0).get(amount.by).op("i32.sub");
    c.v(`${shape}.${back}` as SimdOp).v("v128.or");
    return;
  }
  const power = powerOf(c, d, () => {
    c.get(amount.y);
    if (op === "rotr") c.v(`${shape}.neg` as SimdOp);
    constant(c, d, bits - 1).v("v128.and");
  });
  products(c, bits, x, power, () => {}, "both");
}

/** Half to even of x / 2^y: the quotient, plus one where the remainder is above half, or half beside an odd quotient. */
function roundingRight(c: Code, d: DTypeName, x: LocalIndex, amount: OwnAmount): void {
  const { bits } = DTYPES[d];
  const shape = shapeOf(d);
  const op = (name: string): Code => c.v(`${shape}.${name}` as SimdOp);
  if (amount.kind === "constant" && (amount.by === 0 || amount.by > bits)) {
    if (amount.by === 0) c.get(x);
    else c.v32(0);
    return;
  }
  shift(c, "shr", d, x, amount);
  const quotient = c.save("v128");
  const half = halfOf(c, d, amount);
  // 2 * half - 1 has the bits that are shifted out; 2 * half is 0 where all are.
  c.get(x).get(half).get(half);
  op("add");
  constant(c, d, 1);
  op("sub").v("v128.and");
  const remainder = c.save("v128");
  c.get(remainder).get(half);
  op("gt_u");
  c.get(remainder).get(half);
  op("eq").get(quotient);
  constant(c, d, 1).v("v128.and");
  op("neg").v("v128.and").v("v128.or");
  const up = c.save("v128");
  c.get(quotient).get(up);
  if (amount.kind === "constant") {
    op("sub");
    return;
  }
  // By 0 nothing is shifted out; beyond the width nothing is left, whatever the sign.
  c.get(amount.y).v32(0);
  op("ne").v("v128.and");
  op("sub").get(amount.y);
  constant(c, d, bits);
  op("le_u").v("v128.and");
}

/** 2^(y-1), 0 for y = 0. */
function halfOf(c: Code, d: DTypeName, amount: OwnAmount): LocalIndex {
  if (amount.kind === "constant") {
    constant(c, d, 2 ** (amount.by - 1));
    return c.save("v128");
  }
  return powerOf(c, d, () => {
    c.get(amount.y);
    constant(c, d, 1).v(`${shapeOf(d)}.sub` as SimdOp);
  });
}

/** x * 2^y, or the limit on x's side where shifting back does not give x. */
function saturatingLeft(c: Code, d: DTypeName, x: LocalIndex, amount: OwnAmount): void {
  const shape = shapeOf(d);
  shift(c, "shl", d, x, amount);
  const q = c.save("v128");
  c.get(q);
  if (DTYPES[d].signed) {
    c.get(signBits(c, d, x));
    constant(c, d, DTYPES[d].max).v("v128.xor");
  } else c.v32(0xffffffff);
  shift(c, "shr", d, q, amount);
  c.get(x)
    .v(`${shape}.eq` as SimdOp)
    .v("v128.bitselect");
}

/** The sign of each lane in all its bits. */
function signBits(c: Code, d: DTypeName, x: LocalIndex): LocalIndex {
  c.get(x)
    .i32(DTYPES[d].bits - 1)
    .v(`${shapeOf(d)}.shr_s` as SimdOp);
  return c.save("v128");
}

const POWERS = new Uint8Array([1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0]);

/** 2^y in each lane, for the lanes that `amount` pushes; 0 where y, as unsigned, is the width or more. */
function powerOf(c: Code, d: DTypeName, amount: () => void): LocalIndex {
  const { bits } = DTYPES[d];
  c.v128(POWERS);
  amount();
  if (bits > 8) {
    // Byte k of the lane is 2^(y - 8k), which the table has for 0 .. 7 only.
    constant(c, d, bits).v(`${shapeOf(d)}.min_u` as SimdOp);
    if (bits === 16) c.v16(0x0101).v("i16x8.mul").v16(0x0800);
    else c.v32(0x01010101).v("i32x4.mul").v32(0x18100800);
    c.v("i8x16.sub");
  }
  c.v("i8x16.swizzle");
  return c.save("v128");
}

const DOUBLE: { readonly [bits: number]: string } = { 8: "i16x8", 16: "i32x4", 32: "i64x2" };

/** The unsigned products of lanes, which have twice the bits, each after `then`; the low or high halves of them, or both joined. */
function products(
  c: Code,
  bits: number,
  x: LocalIndex,
  y: LocalIndex,
  then: () => void,
  halves: "low" | "both",
): void {
  const wide = DOUBLE[bits]!;
  const narrow = { 8: "i8x16", 16: "i16x8", 32: "i32x4" }[bits]!;
  const [low, high] = (["low", "high"] as const).map((half) => {
    c.get(x)
      .get(y)
      .v(`${wide}.extmul_${half}_${narrow}_u` as SimdOp);
    then();
    return c.save("v128");
  }) as [LocalIndex, LocalIndex];
  const step = bits / 8;
  const pick = (from: number): number[] =>
    Array.from({ length: 16 }, (_, i) => Math.floor(i / step) * 2 * step + (i % step) + from);
  c.get(low).get(high).shuffle(pick(0));
  if (halves === "both") c.get(low).get(high).shuffle(pick(step)).v("v128.or");
}
