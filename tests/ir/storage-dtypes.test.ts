/** i4, u4, f8e4m3 and f8e5m2: values, bits and conversions against the formats of tests/harness, which share nothing with ir/. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { castRule, convertRule, fromBits, roundTo, storeRule, toBits } from "../../ir/convert.ts";
import { bytesOf, DTYPES, FLOATS8, INTS, PACKED } from "../../ir/dtype.ts";
import { hostArray, readElements, writeElement } from "../../ir/elements.ts";
import { numbersOf, hostArray as packed } from "../harness/arrays.ts";
import { BF16, E4M3, E5M2, F16 } from "../harness/floats.ts";

const TRUTH = { f8e4m3: E4M3, f8e5m2: E5M2 } as const;
const word = new DataView(new ArrayBuffer(4));

describe.each(FLOATS8)("%s", (d) => {
  const truth = TRUTH[d];
  const same = (x: number): void => {
    const want = truth.bits(x);
    if (toBits(d, x) !== want) expect.fail(`${x} is ${toBits(d, x)}, expected ${want}`);
    if (!Object.is(roundTo(d)(x), truth.value(want))) expect.fail(`${x} rounds to ${roundTo(d)(x)}`);
  };

  test("all 256 codes both ways", () => {
    for (let code = 0; code < 256; code++) {
      const x = fromBits(d, code);
      expect(x).toBe(truth.value(code));
      if (!Number.isNaN(x)) expect(toBits(d, x)).toBe(code);
    }
    expect(toBits(d, NaN)).toBe(d === "f8e4m3" ? 0x7f : 0x7e);
  });

  test("all f16 and bf16 numbers, and 262,144 of f32", () => {
    for (let bits = 0; bits < 65536; bits++) {
      same(F16.value(bits));
      same(BF16.value(bits));
    }
    for (let high = 0; high < 65536; high++) {
      for (const low of [1, 0x7fff, 0x8001, 0xffff]) {
        word.setUint32(0, high * 65536 + low);
        same(word.getFloat32(0));
      }
    }
  });

  test("half way between neighbours, and one float64 beside it: one rounding", () => {
    for (let code = 0; code < 0x7f; code++) {
      const half = truth.value(code) / 2 + truth.value(code + 1) / 2;
      if (Number.isFinite(half))
        for (const x of [half, half * (1 + 2 ** -52), half * (1 - 2 ** -52), -half]) same(x);
    }
    fc.assert(fc.property(fc.double(), same), { numRuns: 2000 });
  });

  test("overflow and `saturate`", () => {
    const { max } = DTYPES[d];
    const over = d === "f8e4m3" ? [464, NaN, 465, NaN] : [61439.99, Infinity, 61440, Infinity];
    expect(roundTo(d)(over[0] as number)).toBe(max);
    expect(roundTo(d)(over[2] as number)).toBe(over[3]);
    const clamp = castRule("f32", d, { saturate: true });
    expect([1e9, -1e9, Infinity, -Infinity, NaN, -0].map(clamp)).toEqual([max, -max, max, -max, NaN, -0]);
    expect(castRule("i32", d, { saturate: true })(2 ** 31 - 1)).toBe(max);
    expect(convertRule(d)(Infinity)).toBe(d === "f8e4m3" ? NaN : Infinity);
  });
});

describe.each(PACKED)("%s", (d) => {
  const { min, max } = DTYPES[d];
  const wrapped = (x: number): number => ((((x - min) % 16) + 16) % 16) + min;

  test("rules: low bits, clamped, truncated", () => {
    for (let x = -300; x <= 300; x++) {
      expect(storeRule(d)(x)).toBe(wrapped(x));
      expect(convertRule(d)(x + 0.5)).toBe(Math.min(max, Math.max(min, Math.trunc(x + 0.5))) + 0);
      for (const from of INTS) {
        expect(castRule(from, d)(x)).toBe(wrapped(x));
        expect(castRule(from, d, { saturate: true })(x)).toBe(Math.min(max, Math.max(min, x)));
      }
    }
    expect([NaN, Infinity, -Infinity].map(castRule("f32", d))).toEqual([0, max, min]);
    expect(castRule("f32", d, { wrap: true })(25.9)).toBe(wrapped(25));
  });

  test("packed at every offset, odd tails included", () => {
    for (let n = 0; n <= 9; n++) {
      const values = Array.from({ length: n }, (_, i) => wrapped(i * 7 + 3));
      const bytes = hostArray(d, values);
      expect(bytes.length).toBe(bytesOf(d, n));
      expect([...bytes]).toEqual([...packed(d, values)]);
      const view = new DataView(bytes.buffer);
      for (let at = 0; at < n; at++) {
        expect(readElements(d, view, at / 2, n - at)).toEqual(values.slice(at));
        writeElement(d, view, at / 2, min);
        expect(numbersOf(d, bytes).slice(0, n)).toEqual(values.map((x, i) => (i <= at ? min : x)));
      }
    }
  });
});
