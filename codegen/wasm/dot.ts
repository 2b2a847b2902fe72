/**
 * The op `dot` (see ir/dot.ts), 128 bits of acc at a time.
 *
 *   8-bit factors    extended to 16 bits; i32x4.dot_i16x8_s gives exact sums of two products
 *   16-bit factors   even and odd products in 32 bits; their sum with acc in float64, where it is exact
 *   floats           one group position at a time, in float64, two lanes of acc together
 */
import { DTYPES, type DTypeName, isFloat } from "../../ir/dtype.ts";
import { type LocalIndex, type Parts, partCount, pin } from "./context.ts";
import type { Code } from "./encoder.ts";
import { type Half, intToDouble, joinPairs, widen16 } from "./floats.ts";
import type { SimdOp } from "./opcodes.ts";
import { halves } from "./permute.ts";
import { saturating32 } from "./saturate32.ts";

export interface DotTypes {
  readonly acc: DTypeName;
  readonly x: DTypeName;
  readonly y: DTypeName;
  readonly lanes: number;
  readonly group: number;
}

const HALVES: readonly Half[] = ["low", "high"];

export function dotParts(c: Code, acc: Parts, x: Parts, y: Parts, t: DotTypes): Parts {
  const count = partCount(t.lanes, DTYPES[t.acc].bits);
  if (isFloat(t.x)) return { count, push: floatDot(c, acc, pin(c, x), pin(c, y), t) };
  const part = (p: number): [LocalIndex, LocalIndex] => {
    x.push(p);
    const a = c.save("v128");
    y.push(p);
    return [a, c.save("v128")];
  };
  return {
    count,
    push: (p) => {
      const [a, b] = part(p);
      acc.push(p);
      if (DTYPES[t.x].bits === 16) wordDot(c, a, b, t);
      else if (t.group === 2) byteDot2(c, a, b, t);
      else byteDot4(c, a, b, t);
    },
  };
}

const sign = (d: DTypeName): "s" | "u" => (DTYPES[d].signed ? "s" : "u");

/** Sums of two products of bytes, as four i32: |sum| is at most 2 * 255 * 255. */
function bytePairs(c: Code, x: LocalIndex, y: LocalIndex, half: Half, t: DotTypes): void {
  c.get(x).v(`i16x8.extend_${half}_i8x16_${sign(t.x)}` as SimdOp);
  c.get(y).v(`i16x8.extend_${half}_i8x16_${sign(t.y)}` as SimdOp);
  c.v("i32x4.dot_i16x8_s");
}

/** acc (16 bits) on the stack. */
function byteDot2(c: Code, x: LocalIndex, y: LocalIndex, t: DotTypes): void {
  const acc = c.save("v128");
  for (const half of HALVES) {
    bytePairs(c, x, y, half, t);
    c.get(acc).v(`i32x4.extend_${half}_i16x8_${sign(t.acc)}` as SimdOp);
    c.v("i32x4.add");
  }
  // Narrowing reads i32 and clamps to the dtype.
  c.v(`i16x8.narrow_i32x4_${sign(t.acc)}` as SimdOp);
}

/** acc (32 bits) on the stack. */
function byteDot4(c: Code, x: LocalIndex, y: LocalIndex, t: DotTypes): void {
  const acc = c.save("v128");
  bytePairs(c, x, y, "low", t);
  const low = c.save("v128");
  bytePairs(c, x, y, "high", t);
  const high = c.save("v128");
  c.get(low).get(high);
  halves(c, 32, "low");
  c.get(low).get(high);
  halves(c, 32, "high");
  c.v("i32x4.add");
  const sum = c.save("v128");
  const positive = !DTYPES[t.x].signed && !DTYPES[t.y].signed;
  if (DTYPES[t.acc].signed || positive) {
    saturating32(c, "add", t.acc, t.acc, acc, sum);
    return;
  }
  clampedSum(c, t.acc, [
    { value: acc, signed: false },
    { value: sum, signed: true },
  ]);
}

/** acc (32 bits) on the stack. A product with a signed factor fits i32, one without u32. */
function wordDot(c: Code, x: LocalIndex, y: LocalIndex, t: DotTypes): void {
  const acc = c.save("v128");
  const signed = DTYPES[t.x].signed || DTYPES[t.y].signed;
  const products = (["even", "odd"] as const).map((which) => {
    for (const [v, d] of [
      [x, t.x],
      [y, t.y],
    ] as const) {
      c.get(v);
      if (which === "odd") c.i32(16).v(`i32x4.shr_${sign(d)}` as SimdOp);
      else if (DTYPES[d].signed) c.i32(16).v("i32x4.shl").i32(16).v("i32x4.shr_s");
      else c.v32(0xffff).v("v128.and");
    }
    c.v("i32x4.mul");
    return { value: c.save("v128"), signed };
  });
  clampedSum(c, t.acc, [{ value: acc, signed: DTYPES[t.acc].signed }, ...products]);
}

/** The sum of 32-bit lanes in float64, where it is exact; truncation clamps it to the dtype. */
function clampedSum(
  c: Code,
  d: DTypeName,
  terms: readonly { readonly value: LocalIndex; readonly signed: boolean }[],
): void {
  for (const half of HALVES) {
    terms.forEach((t, i) => {
      intToDouble(c, t.value, half, t.signed);
      if (i > 0) c.v("f64x2.add");
    });
    c.v(`i32x4.trunc_sat_f64x2_${sign(d)}_zero` as SimdOp);
  }
  joinPairs(c);
}

/** Two lanes of f32 as f64x2: lane k of the group of one lane of acc, and of the next. */
function promoteTwo(c: Code, first: LocalIndex, second: LocalIndex, k: number, group: number): void {
  const at = (lane: number): number[] => [0, 1, 2, 3].map((b) => lane * 4 + b);
  const lanes = group === 4 ? [...at(k), ...at(4 + k)] : [...at(k), ...at(2 + k)];
  c.get(first)
    .get(second)
    .shuffle([...lanes, ...lanes]);
  c.v("f64x2.promote_low_f32x4");
}

function floatDot(c: Code, acc: Parts, x: Parts, y: Parts, t: DotTypes): (p: number) => void {
  /** Four lanes of a 16-bit float operand as f32x4, in a local; the last ones where there are no more. */
  const quad = (v: Parts, d: DTypeName, q: number): LocalIndex => {
    v.push(Math.min(q >> 1, v.count - 1));
    widen16(c, d as "f16" | "bf16", q % 2 === 0 ? "low" : "high");
    return c.save("v128");
  };
  return (p) => {
    acc.push(p);
    const a = c.save("v128");
    const sums = HALVES.map((half, h) => {
      c.get(a);
      if (half === "high") c.get(a).shuffle([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
      c.v("f64x2.promote_low_f32x4");
      const sum = c.save("v128");
      // The lanes of x that belong to these two lanes of acc are one quad (group 2) or two (group 4).
      const first = (p * 2 + h) * (t.group / 2);
      const quads = t.group === 4 ? [first, first + 1] : [first, first];
      const [x0, x1] = quads.map((q) => quad(x, t.x, q)) as [LocalIndex, LocalIndex];
      const [y0, y1] = quads.map((q) => quad(y, t.y, q)) as [LocalIndex, LocalIndex];
      for (let k = 0; k < t.group; k++) {
        c.get(sum);
        promoteTwo(c, x0, x1, k, t.group);
        promoteTwo(c, y0, y1, k, t.group);
        c.v("f64x2.mul").v("f64x2.add").set(sum);
      }
      c.get(sum).v("f32x4.demote_f64x2_zero");
      return c.save("v128");
    });
    for (const s of sums) c.get(s);
    joinPairs(c);
  };
}
