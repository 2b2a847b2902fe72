/** What an op does to ranges: one function per op on numbers. */
import { roundTo } from "../../ir/convert.ts";
import { DTYPES, type DTypeName, hasIntegers } from "../../ir/dtype.ts";
import type { Attrs } from "../../ir/kir.ts";
import { rint } from "../../ir/rint.ts";
import { ANY, hasZero, I32, join, type Range, range } from "./range.ts";

type Transfer = (a: Range, b: Range, attrs: Attrs, same: boolean) => Range;

const infinite = (r: Range): boolean => r.lo === -Infinity || r.hi === Infinity;
/** Can be negative or -0; can be positive or +0. */
const minus = (r: Range): boolean => r.lo < 0 || r.nz;
const plus = (r: Range): boolean => r.hi >= 0;
const safe = (x: number, otherwise: number): number => (Number.isNaN(x) ? otherwise : x);

const add: Transfer = (a, b) =>
  range(safe(a.lo + b.lo, -Infinity), safe(a.hi + b.hi, Infinity), a.int && b.int, {
    nan:
      a.nan ||
      b.nan ||
      (a.hi === Infinity && b.lo === -Infinity) ||
      (a.lo === -Infinity && b.hi === Infinity),
    nz: a.nz && b.nz,
  });

const sub: Transfer = (a, b) =>
  range(safe(a.lo - b.hi, -Infinity), safe(a.hi - b.lo, Infinity), a.int && b.int, {
    nan:
      a.nan ||
      b.nan ||
      (a.hi === Infinity && b.hi === Infinity) ||
      (a.lo === -Infinity && b.lo === -Infinity),
    nz: a.nz && hasZero(b),
  });

const times = (x: number, y: number): number => (x === 0 || y === 0 ? 0 : x * y);

const mul: Transfer = (a, b, _attrs, same) => {
  const all = [times(a.lo, b.lo), times(a.lo, b.hi), times(a.hi, b.lo), times(a.hi, b.hi)];
  const int = a.int && b.int;
  const nan = a.nan || b.nan || (hasZero(a) && infinite(b)) || (hasZero(b) && infinite(a));
  if (same) return range(Math.max(0, Math.min(...all)), Math.max(...all), int, { nan: a.nan });
  // A zero times something of the other sign; fractions may underflow to a zero of either sign.
  const nz =
    (hasZero(a) && minus(b)) ||
    (a.nz && plus(b)) ||
    (hasZero(b) && minus(a)) ||
    (b.nz && plus(a)) ||
    (!int && (minus(a) || minus(b)));
  return range(Math.min(...all), Math.max(...all), int, { nan, nz });
};

const div: Transfer = (a, b) => {
  const nan = a.nan || b.nan || (hasZero(a) && hasZero(b)) || (infinite(a) && infinite(b));
  const nz = minus(a) || minus(b);
  if (hasZero(b)) return range(nz ? -Infinity : 0, Infinity, false, { nan, nz });
  const over = (x: number, y: number): number =>
    Number.isFinite(x) || Number.isFinite(y) ? x / y : Math.sign(x) * Math.sign(y) * Infinity;
  const all = [over(a.lo, b.lo), over(a.lo, b.hi), over(a.hi, b.lo), over(a.hi, b.hi)];
  if (infinite(a) && infinite(b)) all.push(0);
  return range(Math.min(...all), Math.max(...all), false, { nan, nz });
};

const mod: Transfer = (a, b) => {
  const largest = Math.max(Math.abs(b.lo), Math.abs(b.hi));
  const int = a.int && b.int;
  const m = int ? Math.max(0, largest - 1) : largest;
  const lo = a.lo < 0 ? Math.max(a.lo, -m) : 0;
  const hi = a.hi > 0 ? Math.min(a.hi, m) : 0;
  return range(lo, hi, int, { nan: a.nan || b.nan || hasZero(b) || infinite(a), nz: minus(a) });
};

const abs: Transfer = (a) =>
  range(
    hasZero(a) ? 0 : Math.min(Math.abs(a.lo), Math.abs(a.hi)),
    Math.max(Math.abs(a.lo), Math.abs(a.hi)),
    a.int,
    { nan: a.nan, f32: a.f32 },
  );

const toward =
  (f: (x: number) => number, makesZero: boolean): Transfer =>
  (a) =>
    range(f(a.lo), f(a.hi), true, { nan: a.nan, nz: a.nz || (makesZero && a.lo < 0 && !a.int), f32: a.f32 });

const pick =
  (f: (x: number, y: number) => number): Transfer =>
  (a, b) =>
    range(f(a.lo, b.lo), f(a.hi, b.hi), a.int && b.int, {
      nan: a.nan || b.nan,
      nz: a.nz || b.nz,
      f32: a.f32 && b.f32,
    });

const truncated = (a: Range, lo: number, hi: number): Range | undefined =>
  !a.nan && a.lo > lo - 1 && a.hi < hi + 1
    ? range(Math.trunc(a.lo) + 0, Math.trunc(a.hi) + 0, true)
    : undefined;

const toInt32: Transfer = (a) => truncated(a, I32.lo, I32.hi) ?? I32;

/** Smallest 2^k - 1 that is not below x. */
const allOnes = (x: number): number => 2 ** (32 - Math.clz32(x)) - 1;

const shift: Transfer = (a, b) => {
  if (b.lo !== b.hi) return I32;
  const factor = 2 ** (b.lo & 31);
  const lo = a.lo * factor;
  const hi = a.hi * factor;
  return lo >= I32.lo && hi <= I32.hi ? range(lo, hi, true) : I32;
};

const exactDivision =
  (round: (x: number) => number): Transfer =>
  (a, b) => {
    // A zero divisor stops the program, so that only the others count.
    const divisors = [b.lo, b.hi, -1, 1].filter((y) => y !== 0 && y >= b.lo && y <= b.hi);
    if (divisors.length === 0) return range(0, 0, true);
    const all = divisors.flatMap((y) => [round(a.lo / y) + 0, round(a.hi / y) + 0]).map((x) => safe(x, 0));
    // One further, because the quotient was rounded before it was floored.
    const wide = Math.max(Math.abs(a.lo), Math.abs(a.hi)) > 2 ** 51 ? 1 : 0;
    return range(Math.min(...all) - wide, Math.max(...all) + wide, true);
  };

const convert: Transfer = (a, _b, attrs) => {
  const d = attrs["dtype"] as DTypeName;
  const info = DTYPES[d];
  if (hasIntegers(d)) {
    const fits = truncated(a, info.min, info.max);
    if (fits !== undefined) return fits;
    if (attrs["wrap"] === true) return range(info.min, info.max, true);
    const clamp = (x: number): number => Math.min(info.max, Math.max(info.min, Math.trunc(x))) + 0;
    const zero = a.nan ? range(0, 0, true) : undefined;
    const clamped = range(clamp(a.lo), clamp(a.hi), true);
    if (a.lo > a.hi) return zero ?? clamped;
    return zero ? join(clamped, zero) : clamped;
  }
  const f = roundTo(d as "f32");
  if (d === "f8e4m3") {
    // What rounds beyond the largest value is NaN.
    const inside = (x: number): number => f(Math.min(info.max, Math.max(info.min, x)));
    const nan = a.nan || Number.isNaN(f(a.lo)) || Number.isNaN(f(a.hi));
    return range(inside(a.lo), inside(a.hi), a.int, { nan, nz: a.nz || (a.lo < 0 && !a.int), f32: true });
  }
  return range(f(a.lo), f(a.hi), a.int, { nan: a.nan, nz: a.nz || (a.lo < 0 && !a.int), f32: true });
};

/** Ops on number scalars. */
const TRANSFER: Readonly<Record<string, Transfer>> = {
  add,
  sub,
  mul,
  div,
  mod,
  neg: (a) => range(-a.hi + 0, -a.lo + 0, a.int, { nan: a.nan, nz: hasZero(a), f32: a.f32 }),
  abs,
  min: pick(Math.min),
  max: pick(Math.max),
  floor: toward(Math.floor, false),
  ceil: toward(Math.ceil, true),
  trunc: toward(Math.trunc, true),
  round: toward(Math.round, true),
  rint: toward(rint, true),
  round_away: toward((x) => (Number.isFinite(x) ? Math.sign(x) * Math.round(Math.abs(x)) : x), true),
  sqrt: (a) =>
    range(Math.sqrt(Math.max(0, a.lo)), Math.sqrt(Math.max(0, a.hi)), false, {
      nan: a.nan || a.lo < 0,
      nz: a.nz,
    }),
  sign: (a) => range(Math.sign(a.lo), Math.sign(a.hi), true, { nan: a.nan, nz: a.nz }),
  to_int32: toInt32,
  to_uint32: (a) => truncated(a, 0, 2 ** 32 - 1) ?? range(0, 2 ** 32 - 1, true),
  js_shl: shift,
  js_shr: (a, b) => {
    if (b.lo === b.hi) return range(a.lo >> (b.lo & 31), a.hi >> (b.lo & 31), true);
    return range(Math.min(a.lo, 0), Math.max(a.hi, 0), true);
  },
  and: (a, b) => {
    if (a.lo < 0 && b.lo < 0) return I32;
    const bounds = [a, b].filter((r) => r.lo >= 0).map((r) => r.hi);
    return range(0, Math.min(...bounds), true);
  },
  or: (a, b) =>
    a.lo >= 0 && b.lo >= 0 ? range(Math.max(a.lo, b.lo), allOnes(Math.max(a.hi, b.hi)), true) : I32,
  xor: (a, b) => (a.lo >= 0 && b.lo >= 0 ? range(0, allOnes(Math.max(a.hi, b.hi)), true) : I32),
  not: (a) => range(-a.hi - 1, -a.lo - 1, true),
  imul: (a, b) => {
    const p = mul(a, b, {}, false);
    return p.lo >= I32.lo && p.hi <= I32.hi ? range(p.lo, p.hi, true) : I32;
  },
  clz32: () => range(0, 32, true),
  ceildiv: exactDivision(Math.ceil),
  floordiv: exactDivision(Math.floor),
  convert,
  select: (a, b) => join(a, b),
};

export function transfer(op: string, a: Range, b: Range, attrs: Attrs, same: boolean): Range {
  return TRANSFER[op]?.(a, b, attrs, same) ?? ANY;
}
