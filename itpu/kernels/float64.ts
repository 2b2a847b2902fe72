/**
 * Float64 inside of kernels. Numbers of a kernel are float64, memory holds f32: sums and logarithms that are about to be
 * subtracted from each other stay numbers, and leave the kernel as two f32 whose sum they are.
 */
import { type f32, i32, type Ptr, S } from "../../index.ts";

const LN2_HIGH = 0.6931471803691238; // 0x3fe62e42fee00000: its products with exponents are exact
const LN2_LOW = 1.9082149292705877e-10;
const SQRT2 = Math.SQRT2;

/** 2^e for -126 <= e <= 127, by the bits of an f32 in `cell`. */
function powerOf2(e: number, cell: Ptr<f32>): number {
  cell.as(i32).set(0, (e + 127) << 23);
  return cell.get(0);
}

/**
 * Natural logarithm of x, 2^-126 <= x < 2^126, within 2 units of the last place of float64: x = m 2^e with m between
 * sqrt(1/2) and sqrt(2), and ln m = 2 atanh((m - 1) / (m + 1)) by its series. `cell` is one f32 of scratch.
 */
export function ln(x: number, cell: Ptr<f32>): number {
  cell.set(0, x);
  const floor = ((cell.as(i32).get(0) >> 23) & 255) - 127;
  const scaled = x * powerOf2(S.i32(-floor), cell);
  const large = scaled > SQRT2;
  const m = large ? scaled / 2 : scaled;
  const e = large ? floor + 1 : floor;
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let tail = 1 / 23;
  for (const odd of S.unroll(10)) tail = tail * z + 1 / (21 - 2 * odd);
  return e * LN2_HIGH + (e * LN2_LOW + 2 * s * (1 + z * tail));
}

/** e to the x by Taylor's series around multiples of ln 2; 0 below -87, where an f32 is no longer normal. x <= 87. */
export function exp(x: number, cell: Ptr<f32>): number {
  if (x < -87) return 0;
  const e = S.i32(Math.floor(Math.min(x, 87) / Math.LN2 + 0.5));
  const r = x - e * LN2_HIGH - e * LN2_LOW;
  let sum = 1;
  for (const k of S.unroll(14)) sum = 1 + (sum * r) / (14 - k);
  return sum * powerOf2(e, cell);
}

/** Stores a float64 as two f32, 48 bits together: `pair` puts it together again. */
export function setPair(out: Ptr<f32>, at: number, x: number): void {
  const high = S.f32(x);
  out.set(at, high);
  out.set(at + 1, x - high);
}
