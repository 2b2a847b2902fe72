/**
 * The cast matrix: every dtype to every other, every part, saturating and not, wrapping and not; lists that merge; numbers.
 * NaN, infinities, halfway values and limits of the target among the values.
 */
import { dtypeOf, i32, kernel, type NumD, ptr, S, type Vec } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import {
  anyValues,
  corners,
  expectNumbers,
  held,
  hostArray,
  INTEGERS,
  type IntegerName,
  isFloatName,
  NUMERIC,
  type NumericName,
  zeros,
} from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { clamp, maxOf, minOf, wrap } from "../harness/integers.ts";
import { eachRow } from "../harness/rows.ts";
import { group } from "./group.ts";

const isInteger = (d: NumericName): d is IntegerName => !isFloatName(d);

/** Number to dtype: truncates and clamps (`wrap`: low bits of the i32 that it would be); integers keep low bits (`saturate`: clamp). */
function converted(
  from: NumericName,
  to: NumericName,
  x: number,
  how: "plain" | "saturate" | "wrap",
): number {
  if (!isInteger(to)) return held(to, x);
  if (isInteger(from)) return how === "saturate" ? clamp(to, BigInt(x)) : wrap(to, BigInt(x));
  const limited = (d: IntegerName): number => {
    if (Number.isNaN(x)) return 0;
    const [min, max] = [Number(minOf(d)), Number(maxOf(d))];
    return x <= min ? min : x >= max ? max : Math.trunc(x) + 0;
  };
  return how === "wrap" ? wrap(to, BigInt(limited("i32"))) : limited(to);
}

/** Lanes of n that a part takes; as docs/language.md lists them. */
const PARTS = {
  all: (n: number) => [0, n, 1],
  low: (n: number) => [0, n / 2, 1],
  high: (n: number) => [n / 2, n, 1],
  even: (n: number) => [0, n, 2],
  odd: (n: number) => [1, n, 2],
  ll: (n: number) => [0, n / 4, 1],
  lh: (n: number) => [n / 4, n / 2, 1],
  hl: (n: number) => [n / 2, (3 * n) / 4, 1],
  hh: (n: number) => [(3 * n) / 4, n, 1],
} as const;
type Part = keyof typeof PARTS;
function taken(part: Part, n: number): number[] {
  const [from, to, step] = PARTS[part](n) as [number, number, number];
  const lanes: number[] = [];
  for (let i = from; i < to; i += step) lanes.push(i);
  return lanes;
}
const GROUPS: readonly (readonly Part[])[] = [
  ["all"],
  ["low", "high", "even", "odd"],
  ["ll", "lh", "hl", "hh"],
];

/** Values of `from` around the limits of `to`, halfway between its neighbours, and others. */
function interesting(from: NumericName, to: NumericName, count: number): number[] {
  const near: number[] = [];
  if (isInteger(to)) {
    for (const limit of [Number(minOf(to)), Number(maxOf(to))])
      for (const d of [-2, -1, -0.5, 0, 0.5, 1, 2]) near.push(limit + d);
    near.push(0.99, -0.99, 1e9, -1e9, 3e9, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, 255.5, 256);
  } else {
    // Halves of units in the last place: ties, and just off them.
    for (const [one, unit] of [
      [1, 2 ** -11],
      [1, 2 ** -8],
      [2048, 1],
      [256, 1],
      [2 ** 24, 1],
      [65504, 16],
      [2 ** -24, 2 ** -25],
      [2 ** -14, 2 ** -25],
    ] as const)
      for (const k of [-1, 1, 3]) near.push(one + k * unit, -one - k * unit, one + k * unit * 1.001);
    near.push(65519, 65520, 3.4e38, 2 ** 31 - 1, 2 ** 32 - 1);
  }
  const own = isInteger(from) ? [Number(minOf(from)), Number(maxOf(from))] : [-Infinity, Infinity];
  const fits = near
    .map((x) =>
      held(from, isInteger(from) ? Math.min(Math.max(Math.trunc(x), own[0] as number), own[1] as number) : x),
    )
    .concat(corners(from));
  return [...fits, ...anyValues(from, count)].slice(0, count);
}

/** What the options of a pair are. */
function hows(from: NumericName, to: NumericName): ("plain" | "saturate" | "wrap")[] {
  if (!isInteger(to)) return ["plain"];
  return isInteger(from) ? ["plain", "saturate"] : ["plain", "saturate", "wrap"];
}
const optionsOf = (how: string): object => (how === "plain" ? {} : { [how]: true });

const PAIRS = NUMERIC.flatMap((from) => NUMERIC.map((to) => [from, to] as const));

group(42, () => {
  test.each(PAIRS)("%s to %s, every part", (from, to) => {
    const target = dtypeOf(to) as NumD;
    for (const lanes of [16, 36]) {
      const x = interesting(from, to, 5 * lanes);
      const operands = [{ dtype: from, lanes, values: x }];
      for (const parts of lanes === 16 ? GROUPS : GROUPS.slice(0, 1)) {
        const cases = parts.flatMap((part) => hows(from, to).map((how) => ({ part, how })));
        const calls = cases.map(({ part, how }) => {
          const o = { part, ...optionsOf(how) };
          return (v: Vec): Vec => S.cast(v, target, o);
        });
        const results = taken(parts[0] as Part, lanes).length;
        const got = eachRow(calls, operands, { dtype: to, lanes: results });
        cases.forEach(({ part, how }, k) => {
          const want = Array.from({ length: 5 }, (_, row) =>
            taken(part, lanes).map((i) => converted(from, to, x[row * lanes + i] as number, how)),
          ).flat();
          expect(got[k], `${part}, ${how}`).toEqual(want);
        });
      }
    }
  });

  const NARROWER = PAIRS.filter(([from, to]) => dtypeOf(to).bits < dtypeOf(from).bits);
  test.each(NARROWER)("lists of %s merge into %s", (from, to) => {
    const target = dtypeOf(to) as NumD;
    const lanes = 9;
    const x = interesting(from, to, 6 * lanes);
    const y = interesting(from, to, 6 * lanes).reverse();
    const operands = [
      { dtype: from, lanes, values: x },
      { dtype: from, lanes, values: y },
    ];
    const ways = hows(from, to);
    const calls = ways.flatMap((how) => {
      const o = optionsOf(how);
      return [
        (a: Vec, b: Vec): Vec => S.cast([a, b, a, b], target, o),
        (a: Vec, b: Vec): Vec => S.cast([b, a, a, a], target, o),
      ];
    });
    const got = eachRow(calls, operands, { dtype: to, lanes: 4 * lanes });
    ways.forEach((how, k) => {
      const rows = (order: readonly (readonly number[])[]): number[] =>
        Array.from({ length: 6 }, (_, row) =>
          order.flatMap((v) =>
            v.slice(row * lanes, (row + 1) * lanes).map((e) => converted(from, to, e, how)),
          ),
        ).flat();
      expect(got[2 * k], how).toEqual(rows([x, y, x, y]));
      expect(got[2 * k + 1], how).toEqual(rows([y, x, x, x]));
    });
  });

  describe("numbers", () => {
    /** JavaScript numbers that no dtype holds all of: fractions of every size, limits, NaN. */
    const SCALARS = ["i8", "u8", "i16", "u16", "i32", "u32", "f16", "bf16", "f32"] as const;
    test.each(NUMERIC)("S.i8(x) to S.f32(x) of numbers loaded from %s, and stores to every dtype", (from) => {
      for (const to of SCALARS) {
        const dtype = dtypeOf(to) as NumD;
        const convert = S[to] as (x: number, o?: { wrap: boolean }) => number;
        const integer = isInteger(to);
        const k = kernel([ptr(dtype), ptr(dtypeOf(from) as NumD), i32], function scalars(out, x, n) {
          for (let i = S.tileId(); i < n; i += S.tileCount()) {
            const v: number = x.get(i);
            out.set(i, convert(v));
            out.set(n + i, v);
            out.set(2 * n + i, convert(v / 2));
            if (integer) out.set(3 * n + i, convert(v * 3, { wrap: true }));
            else out.set(3 * n + i, v / 3);
          }
        });
        const x = interesting(from, to, 90);
        const out = zeros(to, 360);
        execute(k, [out, hostArray(from, x), 90]);
        const limit = (v: number): number => converted("f32", to, v, "plain");
        const low = (v: number): number =>
          Number.isFinite(v)
            ? integer
              ? wrap(to as IntegerName, BigInt(Math.trunc(v)))
              : held(to, v)
            : held(to, v);
        expectNumbers(to, out, [
          ...x.map(limit),
          ...x.map(low),
          ...x.map((v) => limit(v / 2)),
          ...x.map((v) => (integer ? low(v * 3) : held(to, v / 3))),
        ]);
      }
    });
  });

  test.each(INTEGERS)("quantize to %s and back: half to even, clamped; NaN is 0", (to) => {
    if (to === "u32") return;
    const dtype = dtypeOf(to) as i32;
    const zero = to === "i32" ? 0 : to.startsWith("u") ? 7 : -3;
    const lanes = 11;
    for (const from of ["f16", "bf16", "f32"] as const) {
      const x = interesting(from, to, 8 * lanes);
      const scales = [1, 0.5, 0.1, 3].map(Math.fround);
      const calls = scales.map(
        (scale) =>
          (v: Vec): Vec =>
            S.quantize(v as never, scale, zero, dtype),
      );
      const got = eachRow(calls, [{ dtype: from, lanes, values: x }], { dtype: to, lanes });
      scales.forEach((scale, k) => {
        const want = x.map((v) => {
          const q = Math.fround(v / scale);
          if (Number.isNaN(q)) return 0;
          const low = Math.floor(q);
          const up = q - low > 0.5 || (q - low === 0.5 && low % 2 !== 0);
          const sum = q === Infinity || q === -Infinity ? q : (up ? low + 1 : low) + zero;
          return Math.min(Math.max(sum, Number(minOf(to))), Number(maxOf(to))) + 0;
        });
        expect(got[k], `${from} / ${scale}`).toEqual(want);
      });
      const stored = interesting("f32", to, 0).concat(
        Array.from({ length: 4 * lanes }, (_, i) => wrap(to, BigInt(Math.imul(i + 1, 0x9e3779b1)))),
      );
      const back = scales.map(
        (scale) =>
          (v: Vec): Vec =>
            S.dequantize(v as never, scale, zero, dtypeOf(from) as never),
      );
      const values = eachRow(back, [{ dtype: to, lanes, values: stored }], { dtype: from, lanes });
      scales.forEach((scale, k) => {
        const want = stored.map((v) => held(from, Math.fround(Math.fround(v - zero) * scale)));
        expect(values[k], `${to} * ${scale}`).toEqual(want);
      });
    }
  });
});
