/** What the programs of math.ts give at the ends, and their form. How accurate they are: tests/accuracy. */
import { expect, test } from "vitest";
import { laneFn } from "../../ir/alu.ts";
import { MATH, type MathName } from "../../ir/math.ts";

const f32 = (name: MathName, x: number, y = 0): number => laneFn(name, "f32")(x, y, 0);

test("NaN, infinities, zeros", () => {
  const at = (name: MathName): number[] => [NaN, Infinity, -Infinity, 0, -0].map((x) => f32(name, x));
  expect(at("exp")).toEqual([NaN, Infinity, 0, 1, 1]);
  expect(at("exp2")).toEqual([NaN, Infinity, 0, 1, 1]);
  expect(at("log")).toEqual([NaN, Infinity, NaN, -Infinity, -Infinity]);
  expect(at("log2")).toEqual([NaN, Infinity, NaN, -Infinity, -Infinity]);
  expect(at("sin")).toEqual([NaN, NaN, NaN, 0, -0]);
  expect(at("cos")).toEqual([NaN, NaN, NaN, 1, 1]);
  expect(at("tan")).toEqual([NaN, NaN, NaN, 0, -0]);
  expect(at("tanh")).toEqual([NaN, 1, -1, 0, -0]);
  expect(at("sigmoid")).toEqual([NaN, 1, 0, 0.5, 0.5]);
  expect(at("silu")).toEqual([NaN, Infinity, -0, 0, -0]);
  expect(at("erf")).toEqual([NaN, 1, -1, 0, -0]);
  expect(at("gelu")).toEqual([NaN, Infinity, -0, 0, -0]);
  expect([f32("log", 1), f32("log", -1), f32("log2", 1)]).toEqual([0, NaN, 0]);
});

test("pow has the special values of C and IEEE 754", () => {
  const pow = (x: number, y: number): number => f32("pow", x, y);
  const values = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 2, -2, 0.5, 3];
  for (const x of values) expect([pow(x, 0), pow(x, -0)]).toEqual([1, 1]);
  for (const y of values) expect(pow(1, y)).toBe(1);
  expect([pow(-1, Infinity), pow(-1, -Infinity)]).toEqual([1, 1]);
  expect([pow(NaN, 1), pow(2, NaN), pow(-1, NaN), pow(0, NaN)]).toEqual([NaN, NaN, NaN, NaN]);
  // Zero to an odd integer keeps the sign.
  expect([3, 2, 0.5, Infinity].map((y) => pow(0, y))).toEqual([0, 0, 0, 0]);
  expect([3, 2, 0.5, Infinity].map((y) => pow(-0, y))).toEqual([-0, 0, 0, 0]);
  expect([-3, -2, -0.5, -Infinity].map((y) => pow(0, y))).toEqual([Infinity, Infinity, Infinity, Infinity]);
  expect([-3, -2, -0.5, -Infinity].map((y) => pow(-0, y))).toEqual([-Infinity, Infinity, Infinity, Infinity]);
  expect([3, 2, 0.5, -3, -2, -0.5].map((y) => pow(Infinity, y))).toEqual([
    Infinity,
    Infinity,
    Infinity,
    0,
    0,
    0,
  ]);
  expect([3, 2, 0.5, -3, -2, -0.5].map((y) => pow(-Infinity, y))).toEqual([
    -Infinity,
    Infinity,
    Infinity,
    -0,
    0,
    0,
  ]);
  expect([0.5, -0.5, 2, -2].map((x) => pow(x, Infinity))).toEqual([0, 0, Infinity, Infinity]);
  expect([0.5, -0.5, 2, -2].map((x) => pow(x, -Infinity))).toEqual([Infinity, Infinity, 0, 0]);
  expect([pow(-2, 3), pow(-2, 2), pow(-2, -1), pow(-2, 0.5)]).toEqual([-8, 4, -0.5, NaN]);
  // From 2^24 on every f32 is an even integer.
  expect([pow(-1, 2 ** 24), pow(-1, 2 ** 24 - 1), pow(-1, 3e38)]).toEqual([1, -1, 1]);
  expect([pow(2, 200), pow(-2, 201), pow(2, -200), pow(-2, -201)]).toEqual([Infinity, -Infinity, 0, -0]);
  expect([pow(2 ** -149, 1e-38), pow(2 ** -149, 1e38), pow(3e38, -3e38)]).toEqual([1, 0, 0]);
});

test("exact results are exact", () => {
  for (let n = -149; n < 128; n++) {
    expect(f32("exp2", n)).toBe(2 ** n);
    expect(f32("log2", 2 ** n)).toBe(n);
    expect(f32("pow", 2, n)).toBe(2 ** n);
    expect(f32("pow", 2 ** n, 1)).toBe(2 ** n);
  }
  for (let x = 1; x < 256; x++) {
    expect(f32("pow", x, 2)).toBe(x * x);
    expect(f32("pow", x, 3)).toBe(x ** 3);
    expect(f32("pow", x * x, 0.5)).toBe(x);
    expect(f32("pow", x / 16, 2)).toBe((x / 16) ** 2);
  }
  // 1.5^7 is half-way between two f16: the even one.
  expect(laneFn("pow", "f16")(1.5, 7, 0)).toBe(17.09375);
});

test("results that are subnormal in f32 are kept", () => {
  const tiny = 2 ** -149;
  expect(f32("exp", -100)).toBe(Math.fround(Math.exp(-100)));
  expect(f32("exp", -104)).toBe(0);
  expect(f32("exp", Math.fround(88.73))).toBe(Infinity);
  expect(f32("log", tiny)).toBe(Math.fround(-149 * Math.LN2));
  expect(f32("sigmoid", -100)).toBe(Math.fround(Math.exp(-100)));
  expect(f32("silu", -100)).toBe(Math.fround(-100 * Math.exp(-100)));
  for (const name of ["sin", "tan", "tanh", "erf"] as const) expect(f32(name, -tiny)).toBe(-tiny);
  // Half of an odd number of the smallest units: the next term of the series decides.
  for (const name of ["silu", "gelu"] as const) {
    expect([tiny, 3 * tiny, 5 * tiny, 7 * tiny].map((x) => f32(name, x) / tiny)).toEqual([1, 2, 3, 4]);
    expect([tiny, 3 * tiny, 5 * tiny, 7 * tiny].map((x) => f32(name, -x) / tiny)).toEqual([-0, -1, -2, -3]);
  }
});

const NAMES = Object.keys(MATH) as MathName[];

test("programs are straight-line: operands come before their users, nothing is left over", () => {
  for (const name of NAMES) {
    const { nodes } = MATH[name];
    const used = new Set<number>([nodes.length - 1]);
    nodes.forEach((n, i) => {
      for (const key of ["a", "b", "c"] as const) {
        const operand = (n as Readonly<Record<string, unknown>>)[key];
        if (typeof operand !== "number") continue;
        expect(operand).toBeLessThan(i);
        used.add(operand);
      }
    });
    expect(used.size).toBe(nodes.length);
  }
});
