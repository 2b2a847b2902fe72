import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { identityOf, laneFn, parseMaskString, reduce, reduceIndex, tailMask } from "../../ir/alu.ts";
import { roundTo } from "../../ir/convert.ts";
import { FLOATS, NUMERIC } from "../../ir/dtype.ts";
import { edgeValues } from "../../ir/edges.ts";

describe("reductions", () => {
  /** The rule of intrinsics.md, written as a recursion. */
  function byHalves(x: readonly number[], f: (a: number, b: number) => number): number {
    if (x.length === 1) return x[0] as number;
    const h = Math.floor(x.length / 2);
    const next = Array.from({ length: h }, (_, i) => f(x[i] as number, x[i + h] as number));
    if (x.length % 2 === 1) next.push(x[x.length - 1] as number);
    return byHalves(next, f);
  }
  for (const d of NUMERIC) {
    const lanes = fc.array(fc.constantFrom(...edgeValues(d)), { minLength: 1, maxLength: 40 });
    const float = FLOATS.some((f) => f === d);
    test(`${d}`, () => {
      fc.assert(
        fc.property(lanes, (x) => {
          const before = [...x];
          const sum = byHalves(x, (a, b) => (float ? Math.fround(a + b) : laneFn("add", d)(a, b, 0)));
          expect(reduce("radd", d, x)).toBe(float ? roundTo(d as "f16")(sum) : sum);
          expect(reduce("rmin", d, x)).toBe(byHalves(x, (a, b) => laneFn("min", d)(a, b, 0)));
          expect(reduce("rmax", d, x)).toBe(byHalves(x, (a, b) => laneFn("max", d)(a, b, 0)));
          expect(x).toEqual(before);
        }),
        { numRuns: 300 },
      );
    });
    test(`${d}: the index of an extreme is the lowest of an active lane with that value`, () => {
      const pair = fc.array(fc.tuple(fc.constantFrom(...edgeValues(d)), fc.constantFrom(0, 1)), {
        maxLength: 20,
      });
      fc.assert(
        fc.property(pair, (lanes) => {
          const x = lanes.map(([v]) => v);
          const mask = lanes.map(([, m]) => m);
          const active = x.filter((_, i) => mask[i]);
          for (const [op, index] of [
            ["rmin", "rmin_idx"],
            ["rmax", "rmax_idx"],
          ] as const) {
            const best = active.length === 0 ? undefined : reduce(op, d, active);
            const want = x.findIndex((v, i) => mask[i] === 1 && Object.is(v, best));
            expect(reduceIndex(index, d, x, mask)).toBe(want);
          }
        }),
        { numRuns: 300 },
      );
    });
    test(`${d}: nothing to reduce gives the identity`, () => {
      expect(reduce("radd", d, [])).toBe(0);
      for (const op of ["rmin", "rmax"] as const) {
        expect(reduce(op, d, [])).toBe(identityOf(op, d));
        for (const v of edgeValues(d))
          if (!Number.isNaN(v)) expect(reduce(op, d, [v, identityOf(op, d)])).toBe(v);
      }
    });
  }
  test("f16 accumulates in f32 and rounds once", () => {
    expect(reduce("radd", "f16", [2048, 1, 1, 0])).toBe(2050);
    expect(reduce("radd", "f16", [65504, 65504, -65504, 0])).toBe(65504);
    expect(reduce("radd", "i8", [100, 100])).toBe(-56);
  });
});

describe("masks", () => {
  test("tail masks clamp", () => {
    expect(tailMask(3, 5)).toEqual([1, 1, 1, 0, 0]);
    expect([-1, 0, 9, NaN, Infinity].map((n) => tailMask(n, 2))).toEqual([
      [0, 0],
      [0, 0],
      [1, 1],
      [0, 0],
      [1, 1],
    ]);
  });
  const text = (s: string): string => {
    const m = parseMaskString(s);
    return typeof m === "string" ? m : m.map((b) => (b ? "T" : "F")).join("");
  };
  test("mask strings", () => {
    expect(text("2FFFT3T")).toBe("FFFTFFFTTTT");
    expect(text("4T1F")).toBe("TTTTF");
    expect(text("TF_TF")).toBe("TFTF");
    expect(text("T3F")).toBe("TFFF");
    expect(text("10T_2FT")).toBe("TTTTTTTTTTFTFT");
  });
  test("what is wrong with a mask string is said", () => {
    expect(text("")).toMatchInlineSnapshot(`"a mask string needs at least one lane"`);
    expect(text("TTx")).toMatchInlineSnapshot(
      `"a mask string has T, F, counts and _ only, got "x" at position 2"`,
    );
    expect(text("T4")).toMatchInlineSnapshot(
      `"the count 4 at the end of the mask string "T4" has no letters after it"`,
    );
    expect(text("0T")).toMatchInlineSnapshot(`"a count in a mask string must be at least 1, got 0"`);
    expect(text("99999999T")).toMatchInlineSnapshot(
      `"the mask string "99999999T" has more than 65536 lanes"`,
    );
  });
});
