/** What is known about a number: the abstract values of the range analysis. */
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";

/** Every value lies in lo..hi, apart from NaN. Bounds are computed by the operations themselves: rounding is monotone. */
export interface Range {
  readonly lo: number;
  readonly hi: number;
  /** Never fractional. */
  readonly int: boolean;
  /** May be NaN. */
  readonly nan: boolean;
  /** May be -0. */
  readonly nz: boolean;
  /** Exact in f32. */
  readonly f32: boolean;
}

export const SAFE = Number.MAX_SAFE_INTEGER;
const I32_MIN = -(2 ** 31);
const I32_MAX = 2 ** 31 - 1;

export function range(
  lo: number,
  hi: number,
  int: boolean,
  o: { nan?: boolean; nz?: boolean; f32?: boolean } = {},
): Range {
  const f32 = o.f32 === true || (int && lo >= -(2 ** 24) && hi <= 2 ** 24);
  return { lo, hi, int, nan: o.nan === true, nz: o.nz === true && lo <= 0 && hi >= 0, f32 };
}

export const ANY: Range = range(-Infinity, Infinity, false, { nan: true, nz: true });
export const ANY_F32: Range = range(-Infinity, Infinity, false, { nan: true, nz: true, f32: true });
export const I32: Range = range(I32_MIN, I32_MAX, true);
export const ZERO: Range = range(0, 0, true);
export const BIT: Range = range(0, 1, true);

export function constRange(x: number): Range {
  if (Number.isNaN(x)) return range(Infinity, -Infinity, true, { nan: true, f32: true });
  return range(x, x, Number.isInteger(x) || !Number.isFinite(x), {
    nz: Object.is(x, -0),
    f32: Object.is(Math.fround(x), x),
  });
}

/** All values of a dtype. */
export function dtypeRange(d: DTypeName): Range {
  const info = DTYPES[d];
  return info.kind === "float" ? ANY_F32 : range(info.min, info.max, true);
}

export function join(a: Range, b: Range): Range {
  if (a === b) return a;
  return {
    lo: Math.min(a.lo, b.lo),
    hi: Math.max(a.hi, b.hi),
    int: a.int && b.int,
    nan: a.nan || b.nan,
    nz: a.nz || b.nz,
    f32: a.f32 && b.f32,
  };
}

export function sameRange(a: Range, b: Range): boolean {
  return (
    a === b ||
    (a.lo === b.lo && a.hi === b.hi && a.int === b.int && a.nan === b.nan && a.nz === b.nz && a.f32 === b.f32)
  );
}

/** Whether every value of a is one of b. */
export function within(a: Range, b: Range): boolean {
  return (
    (a.lo >= b.lo || a.lo > a.hi) &&
    (a.hi <= b.hi || a.lo > a.hi) &&
    (a.int || !b.int) &&
    (!a.nan || b.nan) &&
    (!a.nz || b.nz) &&
    (a.f32 || !b.f32)
  );
}

/** Few steps, because every one may cost a pass; narrowing finds the bounds in between. */
const UPPER = [0, 1, I32_MAX, 2 ** 32, SAFE, 2 ** 53, 2 ** 57, 2 ** 62];
const LOWER = [0, -1, I32_MIN, -(2 ** 32), -SAFE, -(2 ** 53), -(2 ** 57), -(2 ** 62)];

/** Jumps to the next threshold where a bound grew, so that iteration ends. */
export function widen(old: Range, next: Range, far: boolean): Range {
  const all = join(old, next);
  const lo = all.lo < old.lo ? (far ? -Infinity : (LOWER.find((t) => t <= all.lo) ?? -Infinity)) : old.lo;
  const hi = all.hi > old.hi ? (far ? Infinity : (UPPER.find((t) => t >= all.hi) ?? Infinity)) : old.hi;
  const f32 = all.f32 && (!all.int || lo < -(2 ** 24) || hi > 2 ** 24 ? all.f32 && !all.int : true);
  return { ...all, lo, hi, f32 };
}

/** How a number is held: the smallest exact representation. `zeroSign` says whether -0 must be told from 0. */
export function held(r: Range, zeroSign: boolean): "i32" | "i64" | "f32" | "f64" {
  if (isExactInt(r) && !(r.nz && zeroSign)) return r.lo >= I32_MIN && r.hi <= I32_MAX ? "i32" : "i64";
  return r.f32 ? "f32" : "f64";
}

/** An integer in the safe range, certainly. A value that never exists counts as one. */
export function isExactInt(r: Range): boolean {
  return r.int && !r.nan && r.lo >= -SAFE && r.hi <= SAFE;
}

export function hasZero(r: Range): boolean {
  return r.lo <= 0 && r.hi >= 0;
}
