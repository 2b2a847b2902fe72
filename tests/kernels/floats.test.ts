/** Float lanes: classification, NaN-propagating extremes, sign, pairwise and mixed-precision arithmetic (conformance 43). */
import { type Mask, S, type Vec } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { FLOATS, floats, held } from "../harness/arrays.ts";
import { rowByRow } from "../harness/rows.ts";

const times = <T>(n: number, f: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => f(i));

describe.each(FLOATS)("%s", (dtype) => {
  const lanes = 13;
  const n = lanes * 40;
  const x = floats(dtype, n);
  const y = floats(dtype, n, 1);
  const one = [{ dtype, lanes, values: x }];
  const two = [...one, { dtype, lanes, values: y }];

  test.each([
    { name: "visnan", is: (v: number) => Number.isNaN(v) },
    { name: "visinf", is: (v: number) => v === Infinity || v === -Infinity },
    { name: "visfinite", is: (v: number) => Number.isFinite(v) },
  ] as const)("$name", ({ name, is }) => {
    const call = (a: Vec): Mask => S[name](a as never);
    const masked = (a: Vec): Mask => S[name](a as never, { mask: "6T7F", r: true });
    expect(rowByRow(call, one, { dtype: "bool", lanes })).toEqual(x.map((v) => Number(is(v))));
    expect(rowByRow(masked, one, { dtype: "bool", lanes })).toEqual(
      x.map((v, i) => (i % lanes < 6 ? Number(is(v)) : 1)),
    );
  });

  test("vmaxnan, vminnan: a NaN wins, -0 is less than 0", () => {
    const extreme = (pick: (a: number, b: number) => number) => (v: number, i: number) =>
      pick(v, y[i] as number);
    const larger = (a: Vec, b: Vec): Vec => S.vmaxnan(a, b);
    const smaller = (a: Vec, b: Vec): Vec => S.vminnan(a, b);
    expect(rowByRow(larger, two, { dtype, lanes })).toEqual(x.map(extreme(Math.max)));
    expect(rowByRow(smaller, two, { dtype, lanes })).toEqual(x.map(extreme(Math.min)));
  });

  test("vsign keeps -0 and NaN", () => {
    expect(rowByRow((a: Vec): Vec => S.vsign(a), one, { dtype, lanes })).toEqual(x.map(Math.sign));
  });

  test("vaddh, vsubh, vmaxh round once; a NaN loses a maximum", () => {
    const pairs = (f: (a: number, b: number) => number): number[] =>
      times(n, (i) => {
        const at = i % 26;
        const [from, k] = at < 13 ? [x, at] : [y, at - 13];
        return held(dtype, f(from[i - at + 2 * k] as number, from[i - at + 2 * k + 1] as number));
      });
    const even = two.map((r) => ({ ...r, lanes: 26 }));
    const number = (a: number, b: number): number =>
      Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.max(a, b);
    const result = { dtype, lanes: 26 };
    expect(rowByRow((a: Vec, b: Vec): Vec => S.vaddh(a, b), even, result)).toEqual(pairs((a, b) => a + b));
    expect(rowByRow((a: Vec, b: Vec): Vec => S.vsubh(a, b), even, result)).toEqual(pairs((a, b) => a - b));
    expect(rowByRow((a: Vec, b: Vec): Vec => S.vmaxh(a, b), even, result)).toEqual(pairs(number));
  });
});

test.each([
  ["f16", "f16"],
  ["bf16", "bf16"],
  ["f16", "bf16"],
] as const)("vfmae vfmao of %s by %s: even and odd lanes, one rounding to f32", (xd, yd) => {
  const lanes = 11;
  const n = lanes * 40;
  const acc = floats("f32", n, 2);
  const x = floats(xd, 2 * n);
  const y = floats(yd, 2 * n, 1);
  const operands = [
    { dtype: "f32", lanes, values: acc },
    { dtype: xd, lanes: 2 * lanes, values: x },
    { dtype: yd, lanes: 2 * lanes, values: y },
  ] as const;
  const calls = [
    (a: Vec, b: Vec, c: Vec): Vec => S.vfmae(a as never, b as never, c as never),
    (a: Vec, b: Vec, c: Vec): Vec => S.vfmao(a as never, b as never, c as never),
  ];
  calls.forEach((call, first) => {
    const want = acc.map((v, i) =>
      Math.fround(v + (x[2 * i + first] as number) * (y[2 * i + first] as number)),
    );
    expect(rowByRow(call, operands, { dtype: "f32", lanes })).toEqual(want);
  });
});
