import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { castRule, convertRule, fromBits, roundTo, storeRule, toBits } from "../../ir/convert.ts";
import { DTYPES, FLOATS, type FloatDType, INTS, NUMERIC } from "../../ir/dtype.ts";
import { edgeValues } from "../../ir/edges.ts";
import { fraction, nearest } from "./exact.ts";

/** The oracle with the cases that are not fractions. */
function rounded(d: FloatDType, x: number): number {
  if (!Number.isFinite(x)) return x;
  const r = nearest(d, fraction(x));
  return r === 0 && (x < 0 || Object.is(x, -0)) ? -0 : r;
}

describe("rounding to a float dtype", () => {
  for (const d of FLOATS) {
    test(`${d}: float64 numbers of the dtype's magnitude`, () => {
      const e = Math.ceil(Math.log2(DTYPES[d].max)) + 4;
      const magnitude = fc.tuple(
        fc.double({ min: 1, max: 2, noNaN: true }),
        fc.integer({ min: -2 * e, max: e }),
      );
      fc.assert(
        fc.property(magnitude, fc.boolean(), ([m, k], negative) => {
          const x = (negative ? -m : m) * 2 ** k;
          expect(roundTo(d)(x)).toBe(rounded(d, x));
        }),
        { numRuns: 2000 },
      );
    });

    test(`${d}: any float64`, () => {
      fc.assert(
        fc.property(fc.double(), (x) => void expect(roundTo(d)(x)).toBe(rounded(d, x))),
        { numRuns: 2000 },
      );
    });

    test(`${d}: half way between neighbours, and one float64 beside it`, () => {
      const bits = DTYPES[d].bits;
      const pattern = fc.integer({ min: 0, max: 2 ** bits - 2 });
      const check = (p: number): void => {
        const [a, b] = [fromBits(d, p), fromBits(d, p + 1)];
        const half = a / 2 + b / 2;
        if (!Number.isFinite(half)) return;
        for (const x of [half, half * (1 + 2 ** -52), half * (1 - 2 ** -52)])
          expect(roundTo(d)(x)).toBe(rounded(d, x));
      };
      for (const p of [0, 1, 2, 0x3ff, 0x400, 0x7f, 0x80, 0x7fffff, 0x800000, toBits(d, DTYPES[d].max) - 1])
        check(p);
      fc.assert(fc.property(pattern, check), { numRuns: 2000 });
    });
  }

  test("f32 is Math.fround", () => {
    fc.assert(fc.property(fc.double(), (x) => void expect(roundTo("f32")(x)).toBe(Math.fround(x))));
  });

  test("the largest numbers: half way to the next power of two is infinity", () => {
    expect([65519.99999999999, 65520, -65520].map(roundTo("f16"))).toEqual([65504, Infinity, -Infinity]);
    const { max } = DTYPES.bf16;
    const half = max + 2 ** 119;
    expect([half * (1 - 2 ** -53), half, -half].map(roundTo("bf16"))).toEqual([max, Infinity, -Infinity]);
  });

  test("half of the smallest subnormal goes to zero, keeping its sign", () => {
    expect(roundTo("f16")(2 ** -25)).toBe(0);
    expect(roundTo("f16")(-(2 ** -25))).toBe(-0);
    expect(roundTo("f16")(2 ** -25 * (1 + 2 ** -52))).toBe(2 ** -24);
    expect(roundTo("bf16")(-(2 ** -134))).toBe(-0);
    expect(roundTo("bf16")(5e-324)).toBe(0);
  });
});

describe("bits", () => {
  for (const d of ["f16", "bf16"] as const) {
    test(`${d}: all 65536 patterns`, () => {
      let last = -Infinity;
      for (let p = 0; p < 65536; p++) {
        const v = fromBits(d, p);
        if (Number.isNaN(v)) expect(toBits(d, v)).toBe(d === "f16" ? 0x7e00 : 0x7fc0);
        else if (toBits(d, v) !== p || roundTo(d)(v) !== v) expect.fail(`${d} ${p} is ${v}`);
        if (p === 0x8000) last = Infinity;
        if (!Number.isNaN(v) && (p < 0x8000 ? !(v > last) : !(v < last || Object.is(v, -0))))
          expect.fail(`order at ${p}`);
        if (!Number.isNaN(v)) last = v;
      }
    });
  }
  test("bf16 is the upper half of f32, f16 has known values", () => {
    for (const v of edgeValues("bf16"))
      if (!Number.isNaN(v)) expect(toBits("bf16", v) * 65536).toBe(toBits("f32", v));
    expect([1, -2, 65504, 2 ** -24, 2 ** -14, 1 / 3].map((v) => toBits("f16", v))).toEqual([
      0x3c00, 0xc000, 0x7bff, 1, 0x400, 0x3555,
    ]);
  });
  test("toBits rounds what is not a value of the dtype", () => {
    expect(toBits("f16", 65520)).toBe(0x7c00);
    expect(toBits("bf16", 1 + 2 ** -8)).toBe(0x3f80);
    expect(toBits("i8", 300)).toBe(44);
    expect(toBits("bool", 0.5)).toBe(1);
  });
  for (const d of NUMERIC) {
    test(`${d}: edge values go to bits and back`, () => {
      for (const v of edgeValues(d)) expect(fromBits(d, toBits(d, v))).toBe(v);
    });
  }
  test("f32 against a TypedArray", () => {
    const f = new Float32Array(1);
    const u = new Uint32Array(f.buffer);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (p) => {
        u[0] = p;
        expect(fromBits("f32", p)).toBe(f[0]);
        if (!Number.isNaN(f[0])) expect(toBits("f32", f[0] as number)).toBe(p);
      }),
    );
  });
});

const ARRAYS = {
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
} as const;

describe("conversion to integers", () => {
  const numbers = fc.oneof(
    fc.double(),
    fc.double({ min: -1e10, max: 1e10 }),
    fc.integer(),
    fc.constantFrom(...edgeValues("f32")),
  );
  for (const d of INTS) {
    test(`${d}: a store keeps the low bits, as a TypedArray does`, () => {
      const array = new ARRAYS[d](1);
      fc.assert(
        fc.property(numbers, (x) => {
          array[0] = x;
          expect(storeRule(d)(x)).toBe(array[0]);
          expect(convertRule(d, true)(x)).toBe(array[0]);
        }),
      );
    });
    test(`${d}: S.${d}(x) truncates and saturates, NaN is 0`, () => {
      const { min, max } = DTYPES[d];
      fc.assert(
        fc.property(numbers, (x) => {
          const want = Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), min), max);
          expect(convertRule(d)(x)).toBe(want === 0 ? 0 : want);
          expect(castRule("f32", d)(x)).toBe(want === 0 ? 0 : want);
        }),
      );
    });
  }
  test("the corners that others get wrong", () => {
    expect(convertRule("i8")(300)).toBe(127);
    expect(convertRule("u32")(3e9)).toBe(3e9);
    expect(convertRule("u8")(-0.5)).toBe(0);
    expect(convertRule("bool")(NaN)).toBe(0);
  });
});

describe("cast of a lane", () => {
  test("float to integer with wrap keeps the low bits of the saturated i32", () => {
    expect(castRule("f32", "i8", { wrap: true })(300)).toBe(44);
    expect(castRule("f32", "u8", { wrap: true })(-1)).toBe(255);
    expect(castRule("f32", "u16", { wrap: true })(1e20)).toBe(0xffff);
    expect(castRule("f32", "i16", { wrap: true })(-Infinity)).toBe(0);
    expect(castRule("f32", "u32", { wrap: true })(3e9)).toBe(2147483647);
    expect(castRule("f32", "u32", { wrap: true })(-1)).toBe(4294967295);
    expect(castRule("f32", "i8", { wrap: true })(NaN)).toBe(0);
  });
  for (const from of INTS) {
    for (const to of INTS) {
      test(`${from} to ${to}: low bits, or clamped`, () => {
        const { min, max, bits, signed } = DTYPES[to];
        for (const x of edgeValues(from)) {
          const low = signed ? BigInt.asIntN(bits, BigInt(x)) : BigInt.asUintN(bits, BigInt(x));
          expect(castRule(from, to)(x)).toBe(Number(low));
          expect(castRule(from, to, { saturate: true })(x)).toBe(Math.min(Math.max(x, min), max));
        }
      });
    }
  }
  test("to a float dtype: one rounding", () => {
    for (const from of NUMERIC) {
      for (const to of FLOATS)
        for (const x of edgeValues(from)) expect(castRule(from, to)(x)).toBe(rounded(to, x));
    }
    expect(castRule("u32", "f16")(70000)).toBe(Infinity);
  });
  test("saturation to a float dtype does not exist", () => {
    expect(() => castRule("f32", "f16", { saturate: true })).toThrow(TypeError);
  });
});
