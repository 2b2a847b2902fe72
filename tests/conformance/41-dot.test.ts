/** Dot products and accumulation over all sign mixes and saturation points, mixed precision, 4x4 matrices, against BigInt and plain float64. */
import { f16, i8, i16, S, type Vec } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { floats } from "../harness/arrays.ts";
import { clamp, type IntName, integer, integers, isSigned, maxOf, minOf, wrap } from "../harness/integers.ts";
import { rowByRow } from "../harness/rows.ts";
import { group } from "./group.ts";

const SIGNS = [true, false];
const LANES = [1, 8, 19];
const big = (x: number | undefined): bigint => BigInt(x as number);
const times = <T>(n: number, f: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => f(i));

/** Edges and others, then groups in which every product is as large as can be: where the sums saturate. */
function factors(d: IntName, count: number, salt: number): number[] {
  const [min, max] = [Number(minOf(d)), Number(maxOf(d))];
  return integers(d, count, salt).map((x, i) =>
    i < count / 2 ? x : (i >> (3 + salt)) % 2 === 0 ? max : min,
  );
}

const FAMILIES = [
  { bits: 8, group: 2 },
  { bits: 16, group: 2 },
  { bits: 8, group: 4 },
] as const;
const CASES = FAMILIES.flatMap((f) =>
  SIGNS.flatMap((x) => SIGNS.map((y) => ({ ...f, xd: integer(f.bits, x), yd: integer(f.bits, y) }))),
);

group(41, () => {
  describe.each(CASES)("$xd by $yd, groups of $group", ({ bits, group, xd, yd }) => {
    const wide = bits * group;
    const dot =
      group === 2
        ? (a: Vec, b: Vec): Vec => S.vdot(a as never, b as never)
        : (a: Vec, b: Vec): Vec => S.vqdot(a as never, b as never);
    const accumulate =
      group === 2
        ? (c: Vec, a: Vec, b: Vec): Vec => S.vdpa(c as never, a as never, b as never)
        : (c: Vec, a: Vec, b: Vec): Vec => S.vqdpa(c as never, a as never, b as never);

    test.each(LANES)("%i lanes", (lanes) => {
      const n = lanes * Math.ceil(200 / lanes);
      const x = factors(xd, n * group, 0);
      const y = factors(yd, n * group, 1);
      const sum = (i: number): bigint =>
        times(group, (k) => big(x[i * group + k]) * big(y[i * group + k])).reduce((a, b) => a + b);
      const pair = [
        { dtype: xd, lanes: lanes * group, values: x },
        { dtype: yd, lanes: lanes * group, values: y },
      ];
      const out = integer(wide, isSigned(xd) || isSigned(yd));
      expect(rowByRow(dot, pair, { dtype: out, lanes })).toEqual(times(n, (i) => clamp(out, sum(i))));
      for (const signed of SIGNS) {
        const d = integer(wide, signed);
        const acc = integers(d, n, 2);
        const got = rowByRow(accumulate, [{ dtype: d, lanes, values: acc }, ...pair], { dtype: d, lanes });
        expect(got).toEqual(times(n, (i) => clamp(d, big(acc[i]) + sum(i))));
      }
    });
  });

  const FLOAT_PAIRS = [
    ["f16", "f16"],
    ["bf16", "bf16"],
    ["bf16", "f16"],
  ] as const;

  describe.each(FLOAT_PAIRS)("%s by %s", (xd, yd) => {
    test.each(LANES)("vqdot, vqdpa: %i packed lanes, summed in order in float64", (lanes) => {
      const n = lanes * Math.ceil(150 / lanes);
      const [x, y, acc] = [floats(xd, 4 * n), floats(yd, 4 * n, 1), floats("f32", n, 2)];
      const from = (start: number, i: number): number => {
        let sum = start;
        for (let k = 4 * i; k < 4 * i + 4; k++) sum += (x[k] as number) * (y[k] as number);
        return Math.fround(sum);
      };
      const pair = [
        { dtype: xd, lanes: 4 * lanes, values: x },
        { dtype: yd, lanes: 4 * lanes, values: y },
      ];
      const dot = (a: Vec, b: Vec): Vec => S.vqdot(a as never, b as never);
      const dpa = (c: Vec, a: Vec, b: Vec): Vec => S.vqdpa(c as never, a as never, b as never);
      const result = { dtype: "f32", lanes } as const;
      expect(rowByRow(dot, pair, result)).toEqual(times(n, (i) => from(0, i)));
      expect(rowByRow(dpa, [{ ...result, values: acc }, ...pair], result)).toEqual(
        acc.map((v, i) => from(v, i)),
      );
    });

    test.each([16, 48])("vmml, vmma: %i lanes, unfused in f32", (lanes) => {
      const n = lanes * 8;
      const [x, y, acc] = [floats(xd, n), floats(yd, n, 1), floats("f32", n, 2)];
      const element = (start: number, l: number): number => {
        const [base, i, j] = [l - (l % 16), (l >> 2) & 3, l & 3];
        let sum = start;
        for (let k = 0; k < 4; k++)
          sum = Math.fround(
            sum + Math.fround((x[base + 4 * i + k] as number) * (y[base + 4 * k + j] as number)),
          );
        return sum;
      };
      const pair = [
        { dtype: xd, lanes, values: x },
        { dtype: yd, lanes, values: y },
      ];
      const mml = (a: Vec, b: Vec): Vec => S.vmml(a as never, b as never);
      const mma = (c: Vec, a: Vec, b: Vec): Vec => S.vmma(c as never, a as never, b as never);
      const result = { dtype: "f32", lanes } as const;
      expect(rowByRow(mml, pair, result)).toEqual(times(n, (l) => element(0, l)));
      expect(rowByRow(mma, [{ ...result, values: acc }, ...pair], result)).toEqual(acc.map(element));
    });
  });

  test.each(SIGNS.flatMap((x) => SIGNS.map((y) => [integer(8, x), integer(8, y)] as const)))(
    "vmml, vmma of %s by %s: sums in i32, wrapping",
    (xd, yd) => {
      for (const lanes of [16, 48]) {
        const n = lanes * 12;
        const [x, y, acc] = [factors(xd, n, 0), factors(yd, n, 1), integers("i32", n, 2)];
        const element = (start: number, l: number): number => {
          const [base, i, j] = [l - (l % 16), (l >> 2) & 3, l & 3];
          return wrap(
            "i32",
            times(4, (k) => big(x[base + 4 * i + k]) * big(y[base + 4 * k + j])).reduce(
              (a, b) => a + b,
              big(start),
            ),
          );
        };
        const pair = [
          { dtype: xd, lanes, values: x },
          { dtype: yd, lanes, values: y },
        ];
        const mml = (a: Vec, b: Vec): Vec => S.vmml(a as never, b as never);
        const mma = (c: Vec, a: Vec, b: Vec): Vec => S.vmma(c as never, a as never, b as never);
        const result = { dtype: "i32", lanes } as const;
        expect(rowByRow(mml, pair, result)).toEqual(times(n, (l) => element(0, l)));
        expect(rowByRow(mma, [{ ...result, values: acc }, ...pair], result)).toEqual(acc.map(element));
      }
    },
  );

  test("masks have the lanes of the result; inactive lanes are r, else 0", () => {
    const [x, y] = [integers("i8", 64, 0), integers("u8", 64, 1)];
    const pair = [
      { dtype: "i8", lanes: 16, values: x },
      { dtype: "u8", lanes: 16, values: y },
    ] as const;
    const masked = (a: Vec, b: Vec): Vec => S.vqdot(a as never, b as never, { mask: "TFTF", r: -5 });
    const plain = (a: Vec, b: Vec): Vec => S.vdot(a as never, b as never, { mask: "5T3F" });
    const sum = (i: number, group: number): number =>
      times(group, (k) => (x[i * group + k] as number) * (y[i * group + k] as number)).reduce(
        (a, b) => a + b,
      );
    expect(rowByRow(masked, pair, { dtype: "i32", lanes: 4 })).toEqual(
      times(16, (i) => (i % 2 === 0 ? sum(i, 4) : -5)),
    );
    expect(rowByRow(plain, pair, { dtype: "i16", lanes: 8 })).toEqual(
      times(32, (i) => (i % 8 < 5 ? clamp("i16", BigInt(sum(i, 2))) : 0)),
    );
  });

  test("what does not fit together is refused", () => {
    const of = (f: () => unknown): string => {
      try {
        f();
        return "accepted";
      } catch (error) {
        return (error as { message: string }).message.split("\n")[0] as string;
      }
    };
    const v = (d: "i8" | "i16" | "f16", n: number): never => S.vbcast(1, { i8, i16, f16 }[d], n) as never;
    expect(of(() => S.vdot(v("i8", 5), v("i8", 5)))).toContain("multiple of 2, got 5");
    expect(of(() => S.vdot(v("i8", 4), v("i16", 4)))).toContain("S.vdot: y is i16x4, beside x i8x4");
    expect(of(() => S.vdpa(v("i16", 4), v("i8", 4), v("i8", 4)))).toContain(
      "x has 4 lanes, expected 8 beside acc i16x4",
    );
    expect(of(() => S.vmml(v("f16", 8), v("f16", 8)))).toContain("multiple of 16, got 8");
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
});
