import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { laneFn } from "../../ir/alu.ts";
import { fromBits, roundTo, toBits } from "../../ir/convert.ts";
import type { FloatDType } from "../../ir/dtype.ts";
import { MATH, type MathName, mathFn } from "../../ir/math.ts";
import * as exact from "./exact.ts";

/**
 * erf in float64 by a series without cancellation: 2 / sqrt(pi) e^(-x^2) sum of 2^k x^(2k+1) / (2k+1)!!. Abramowitz and Stegun 7.1.6.
 */
function erfSeries(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > Math.abs(sum) * 1e-18; k++) sum += term *= (2 * x * x) / (2 * k + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** A float64 oracle good to `TRUST`, and one in high precision for the inputs where that is not enough. */
const ORACLE: {
  readonly [K in MathName]: {
    readonly fast: (x: number) => number;
    readonly slow: (x: number) => exact.Fraction;
  };
} = {
  exp: { fast: Math.exp, slow: exact.exp },
  log: { fast: Math.log, slow: exact.log },
  tanh: { fast: Math.tanh, slow: exact.tanh },
  erf: { fast: erfSeries, slow: exact.erf },
};
const TRUST = 2 ** -47;

/** The correctly rounded value. */
function correct(name: MathName, d: FloatDType, x: number): number {
  const { fast, slow } = ORACLE[name];
  const v = fast(x);
  if (!Number.isFinite(v) || v === 0) return v;
  const [low, high] = [v * (1 - TRUST), v * (1 + TRUST)].map(roundTo(d)) as [number, number];
  return Object.is(low, high) ? low : exact.nearest(d, slow(x));
}

/** Position among the values of f32, so that neighbours differ by 1. */
function ordinal(x: number): number {
  const bits = toBits("f32", x);
  return bits >= 2 ** 31 ? 2 ** 31 - bits : bits;
}

const NAMES = Object.keys(MATH) as MathName[];

for (const name of NAMES) {
  describe(name, () => {
    for (const d of ["f16", "bf16"] as const) {
      test(`${d}: all 65536 inputs are correctly rounded`, () => {
        const f = laneFn(name, d);
        for (let p = 0; p < 65536; p++) {
          const x = fromBits(d, p);
          const [got, want] = [f(x, 0, 0), correct(name, d, x)];
          if (!Object.is(got, want)) expect.fail(`${name}.${d}(${x}) is ${got}, must be ${want}`);
        }
      });
    }

    test("f32: within 1 ulp, subnormal results included", () => {
      const f = laneFn(name, "f32");
      let notNearest = 0;
      const check = (x: number): void => {
        const [got, want] = [f(x, 0, 0), correct(name, "f32", x)];
        if (Object.is(got, want)) return;
        notNearest++;
        if (!(Math.abs(ordinal(got) - ordinal(want)) <= 1))
          expect.fail(`${name}.f32(${x}) is ${got}, must be ${want}`);
      };
      // A stride through all bit patterns, and densely where the functions are not trivial.
      for (let p = 0; p < 2 ** 32; p += 40009) check(fromBits("f32", p));
      for (let x = -110; x < 110; x += 0.00097) check(Math.fround(x));
      for (let x = 0.25; x < 2; x += 0.00001) check(Math.fround(x));
      expect(notNearest).toBe(0);
    });

    test("float64 before rounding is good to 1e-15, also against the high-precision oracle", () => {
      const ordinary = fc
        .double({ min: name === "log" ? 1e-30 : -80, max: 80, noNaN: true })
        .map(Math.fround);
      fc.assert(
        fc.property(ordinary, (x) => {
          if (
            x === 0 ||
            Math.abs(x) < 1e-30 ||
            (name === "erf" && Math.abs(x) > 6) ||
            (name === "tanh" && Math.abs(x) > 30)
          )
            return;
          const want = exact.nearest("f64", ORACLE[name].slow(x));
          if (want === 0) return;
          expect(Math.abs(mathFn(name)(x) - want) / Math.abs(want)).toBeLessThan(1e-15);
        }),
        { numRuns: 200 },
      );
    });
  });
}

test("what the functions give at the ends", () => {
  const inputs = [NaN, Infinity, -Infinity, 0, -0];
  const at = (name: MathName): number[] => inputs.map((x) => laneFn(name, "f32")(x, 0, 0));
  expect(at("exp")).toEqual([NaN, Infinity, 0, 1, 1]);
  expect(at("log")).toEqual([NaN, Infinity, NaN, -Infinity, -Infinity]);
  expect(at("tanh")).toEqual([NaN, 1, -1, 0, -0]);
  expect(at("erf")).toEqual([NaN, 1, -1, 0, -0]);
  expect(laneFn("log", "f32")(1, 0, 0)).toBe(0);
  expect(laneFn("log", "f32")(-1, 0, 0)).toBe(NaN);
});

test("results that are subnormal in f32 are kept", () => {
  expect(laneFn("exp", "f32")(-100, 0, 0)).toBe(Math.fround(Math.exp(-100)));
  expect(laneFn("exp", "f32")(-104, 0, 0)).toBe(0);
  expect(laneFn("exp", "f32")(Math.fround(88.73), 0, 0)).toBe(Infinity);
  const tiny = 2 ** -149;
  expect(laneFn("log", "f32")(tiny, 0, 0)).toBe(Math.fround(-149 * Math.LN2));
  expect(laneFn("tanh", "f32")(-tiny, 0, 0)).toBe(-tiny);
  expect(laneFn("erf", "f32")(tiny, 0, 0)).toBe(tiny);
});

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
