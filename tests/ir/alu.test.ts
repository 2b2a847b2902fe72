import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type LaneFn, laneFn, laneLoop, scalarFn } from "../../ir/alu.ts";
import { fromBits, roundTo } from "../../ir/convert.ts";
import {
  ALL_DTYPES,
  DTYPES,
  type DTypeName,
  FLOATS,
  type FloatDType,
  INTS,
  type IntDType,
  isInt,
  oppositeSign,
} from "../../ir/dtype.ts";
import { edgeValues } from "../../ir/edges.ts";
import { type Attrs, mask, scalar, vec } from "../../ir/kir.ts";
import { type AluOp, OPS, type OpName } from "../../ir/ops.ts";
import { fraction, minus, nearest, over, plus, squareRoot, times } from "./exact.ts";

const ALU_OPS = (Object.keys(OPS) as OpName[]).filter((op): op is AluOp => OPS[op].alu);

/** Every value of a dtype: edges twice as often as arbitrary bits. */
function lane(d: DTypeName): fc.Arbitrary<number> {
  const edges = fc.constantFrom(...edgeValues(d));
  return fc.oneof(
    edges,
    edges,
    fc.nat(2 ** DTYPES[d].bits - 1).map((p) => fromBits(d, p)),
  );
}

/** All pairs of edges, then random ones. */
function forPairs(d: DTypeName, check: (x: number, y: number) => void): void {
  for (const x of edgeValues(d)) for (const y of edgeValues(d)) check(x, y);
  fc.assert(
    fc.property(lane(d), lane(d), (x, y) => void check(x, y)),
    { numRuns: 500 },
  );
}

/** Like toBe (Object.is), but names the operands; `expect` per pair would be slow. */
function same(got: number, want: number, what: string, ...operands: number[]): void {
  if (!Object.is(got, want))
    expect.fail(
      `${what}(${operands.map((v) => (Object.is(v, -0) ? "-0" : v)).join(", ")}): got ${got}, want ${want}`,
    );
}

describe("integer lanes against BigInt", () => {
  const wrap = (d: IntDType, v: bigint): number =>
    Number(DTYPES[d].signed ? BigInt.asIntN(DTYPES[d].bits, v) : BigInt.asUintN(DTYPES[d].bits, v));
  const clamp = (d: IntDType, v: bigint): number => {
    const { min, max } = DTYPES[d];
    return v > BigInt(max) ? max : v < BigInt(min) ? min : Number(v);
  };
  /** The amount of a shift: the lane's bits, unsigned. Beyond 80 nothing changes any more. */
  const amount = (d: IntDType, y: bigint): bigint => {
    const n = BigInt.asUintN(DTYPES[d].bits, y);
    return n > 80n ? 80n : n;
  };
  const magnitude = (v: bigint): bigint => (v < 0n ? -v : v);
  /** x / 2^n, half to even. */
  const halfToEven = (x: bigint, n: bigint): bigint => {
    const unit = 1n << n;
    const floor = x >> n;
    const twice = 2n * (x - floor * unit);
    return floor + (twice > unit || (twice === unit && magnitude(floor) % 2n === 1n) ? 1n : 0n);
  };

  type Exact = (x: bigint, y: bigint, d: IntDType) => bigint;
  const exact: Partial<Record<AluOp, Exact>> = {
    add: (x, y) => x + y,
    sub: (x, y) => x - y,
    mul: (x, y) => x * y,
    div: (x, y, d) => (y === 0n ? 0n : BigInt(clamp(d, x / y))),
    mod: (x, y) => (y === 0n ? 0n : x % y),
    neg: (x) => -x,
    abs: magnitude,
    min: (x, y) => [x, y].reduce((a, b) => (b < a ? b : a)),
    max: (x, y) => [x, y].reduce((a, b) => (a < b ? b : a)),
    and: (x, y) => x & y,
    or: (x, y) => x | y,
    xor: (x, y) => x ^ y,
    not: (x) => ~x,
    shl: (x, y, d) => x << amount(d, y),
    shr: (x, y, d) => x >> amount(d, y),
    eq: (x, y) => (x === y ? 1n : 0n),
    ne: (x, y) => (x !== y ? 1n : 0n),
    lt: (x, y) => (x < y ? 1n : 0n),
    le: (x, y) => (x <= y ? 1n : 0n),
    gt: (x, y) => (x > y ? 1n : 0n),
    ge: (x, y) => (x >= y ? 1n : 0n),
  };

  for (const d of INTS) {
    for (const [op, want] of Object.entries(exact) as [AluOp, Exact][]) {
      test(`${op}.${d}`, () => {
        const f = laneFn(op, d);
        forPairs(d, (x, y) => same(f(x, y, 0), wrap(d, want(BigInt(x), BigInt(y), d)), op, x, y));
      });
    }
    for (const op of ["add", "sub", "mul", "abs", "shl"] as const) {
      test(`${op}.${d} saturating`, () => {
        const f = laneFn(op, d, { saturate: true });
        const want = exact[op] as Exact;
        forPairs(d, (x, y) => same(f(x, y, 0), clamp(d, want(BigInt(x), BigInt(y), d)), op, x, y));
      });
    }
    for (const op of ["add", "sub", "mul"] as const) {
      test(`${op}.${d} to the other sign`, () => {
        const out = oppositeSign(d);
        const wrapping = laneFn(op, d, { out });
        const clamping = laneFn(op, d, { out, saturate: true });
        forPairs(d, (x, y) => {
          const v = (exact[op] as Exact)(BigInt(x), BigInt(y), d);
          same(wrapping(x, y, 0), wrap(out, v), op, x, y);
          same(clamping(x, y, 0), clamp(out, v), op, x, y);
        });
      });
    }
    test(`shr.${d} rounding`, () => {
      const f = laneFn("shr", d, { round: true });
      forPairs(d, (x, y) =>
        same(f(x, y, 0), Number(halfToEven(BigInt(x), amount(d, BigInt(y)))), "shr", x, y),
      );
    });
  }

  test("the documented corners", () => {
    expect(laneFn("div", "i32")(-(2 ** 31), -1, 0)).toBe(2 ** 31 - 1);
    expect(laneFn("mod", "i8")(-128, -1, 0)).toBe(0);
    expect(laneFn("mod", "i32")(-7, 4, 0)).toBe(-3);
    expect(laneFn("abs", "i8")(-128, 0, 0)).toBe(-128);
    expect(laneFn("abs", "i8", { saturate: true })(-128, 0, 0)).toBe(127);
    expect(laneFn("shr", "i8")(-1, -1, 0)).toBe(-1);
    expect(laneFn("shr", "u8", { round: true })(255, 8, 0)).toBe(1);
    expect(laneFn("shl", "u32")(1, 32, 0)).toBe(0);
    expect(laneFn("mul", "i32")(65537, 65537, 0)).toBe(131073);
  });
});

describe("float lanes against exact rationals", () => {
  const finite = (...x: number[]): boolean => x.every(Number.isFinite);
  /** The exact result, rounded once; where it is not a rational, or zero, whose sign float64 gets right, float64 decides. */
  const rounded = (d: FloatDType, float64: number, exact: () => ReturnType<typeof fraction>): number => {
    if (!finite(float64) && Number.isNaN(float64)) return NaN;
    const r = nearest(d, exact());
    return r === 0 ? (float64 < 0 || Object.is(float64, -0) ? -0 : 0) : r;
  };

  for (const d of FLOATS) {
    const arithmetic = {
      add: [plus, (x: number, y: number) => x + y],
      sub: [minus, (x: number, y: number) => x - y],
      mul: [times, (x: number, y: number) => x * y],
      div: [over, (x: number, y: number) => x / y],
    } as const;
    for (const [op, [exact, float64]] of Object.entries(arithmetic)) {
      test(`${op}.${d} is correctly rounded`, () => {
        const f = laneFn(op as AluOp, d);
        forPairs(d, (x, y) => {
          const v = float64(x, y);
          const want =
            finite(x, y) && !(op === "div" && y === 0)
              ? rounded(d, v, () => exact(fraction(x), fraction(y)))
              : roundTo(d)(v);
          same(f(x, y, 0), want, op, x, y);
        });
      });
    }
    test(`mod.${d} is exact`, () => {
      const f = laneFn("mod", d);
      forPairs(d, (x, y) => {
        if (!finite(x, y) || y === 0) {
          same(f(x, y, 0), x % y, "mod", x, y);
          return;
        }
        const [a, b] = [fraction(x), fraction(y)];
        const quotient = over(a, b);
        const whole = { n: quotient.n / quotient.d, d: 1n };
        const r = nearest("f64", minus(a, times(b, whole)));
        same(f(x, y, 0), r === 0 ? (x < 0 || Object.is(x, -0) ? -0 : 0) : r, "mod", x, y);
      });
    });
    test(`fma.${d}: exact product, sum in float64, one rounding`, () => {
      const f = laneFn("fma", d);
      const check = (acc: number, x: number, y: number): void => {
        const float64 = acc + x * y;
        if (!finite(acc, x, y)) {
          same(f(acc, x, y), float64, "fma", acc, x, y);
          return;
        }
        const sum = rounded(d, float64, () => plus(fraction(acc), times(fraction(x), fraction(y))));
        const inFloat64 = nearest("f64", plus(fraction(acc), times(fraction(x), fraction(y))));
        same(f(acc, x, y), inFloat64 === 0 ? sum : roundTo(d)(inFloat64), "fma", acc, x, y);
      };
      fc.assert(
        fc.property(lane(d), lane(d), lane(d), (acc, x, y) => void check(acc, x, y)),
        { numRuns: 5000 },
      );
    });
    test(`sqrt.${d} is correctly rounded, recip.${d} too`, () => {
      const [sqrt, recip, rsqrt] = (["sqrt", "recip", "rsqrt"] as const).map((op) => laneFn(op, d)) as [
        LaneFn,
        LaneFn,
        LaneFn,
      ];
      const check = (x: number): void => {
        const regular = finite(x) && x > 0;
        same(sqrt(x, 0, 0), regular ? nearest(d, squareRoot(fraction(x))) : Math.sqrt(x), "sqrt", x);
        same(
          recip(x, 0, 0),
          finite(x) && x !== 0 ? rounded(d, 1 / x, () => over(fraction(1), fraction(x))) : 1 / x,
          "recip",
          x,
        );
        if (!regular) same(rsqrt(x, 0, 0), x === 0 ? 1 / x : x > 0 ? 0 : NaN, "rsqrt", x);
        else if (d !== "f32")
          same(rsqrt(x, 0, 0), nearest(d, over(fraction(1), squareRoot(fraction(x)))), "rsqrt", x);
      };
      for (const x of edgeValues(d)) check(x);
      fc.assert(
        fc.property(lane(d), (x) => void check(x)),
        { numRuns: 1000 },
      );
      // Every 16-bit input; the significand and two exponents tell everything.
      if (d !== "f32") for (let p = 0; p < 2 ** 16; p += d === "f16" ? 7 : 5) check(fromBits(d, p));
    });
    test(`min.${d} and max.${d}: a NaN loses, -0 is less than 0`, () => {
      const order = (x: number): number => (Object.is(x, -0) ? -Number.MIN_VALUE : x);
      const [min, max] = [laneFn("min", d), laneFn("max", d)];
      forPairs(d, (x, y) => {
        const [low, high] = Number.isNaN(x)
          ? [y, y]
          : Number.isNaN(y)
            ? [x, x]
            : order(x) < order(y)
              ? [x, y]
              : [y, x];
        same(min(x, y, 0), low, "min", x, y);
        same(max(x, y, 0), high, "max", x, y);
      });
    });
    test(`floor ceil trunc rint neg abs on ${d}`, () => {
      const toEven = (x: number): number => {
        const r = Math.round(x) - x === 0.5 && Math.round(x) % 2 !== 0 ? Math.round(x) - 1 : Math.round(x);
        return r === 0 && (x < 0 || Object.is(x, -0)) ? -0 : r;
      };
      const want = {
        floor: Math.floor,
        ceil: Math.ceil,
        trunc: Math.trunc,
        rint: toEven,
        neg: (x: number) => -x,
        abs: Math.abs,
      };
      const values = d === "f32" ? edgeValues(d) : Array.from({ length: 65536 }, (_, p) => fromBits(d, p));
      for (const [op, f] of Object.entries(want))
        for (const x of values) same(laneFn(op as AluOp, d)(x, 0, 0), f(x), op, x);
    });
    test(`comparisons on ${d}`, () => {
      forPairs(d, (x, y) => {
        const [lt, eq] = [x < y, x === y];
        const gt = !lt && !eq && !Number.isNaN(x) && !Number.isNaN(y);
        const want = { eq, ne: !eq, lt, le: lt || eq, gt, ge: gt || eq };
        for (const [op, w] of Object.entries(want))
          same(laneFn(op as AluOp, d)(x, y, 0), Number(w), op, x, y);
      });
    });
  }
});

describe("the table as a whole", () => {
  const variants: readonly Attrs[] = [{}, { saturate: true }, { round: true }];

  test("defines exactly what the op table allows, and loops agree with lanes", () => {
    for (const op of ALU_OPS) {
      for (const d of ALL_DTYPES) {
        const outs: Attrs[] = isInt(d)
          ? [{ out: oppositeSign(d) }, { out: oppositeSign(d), saturate: true }, { out: d }]
          : [];
        for (const attrs of [...variants, ...outs]) {
          const spec = OPS[op];
          const known = Object.keys(attrs).every((k) => spec.attrs?.includes(`${k}?`));
          const type = d === "bool" ? mask(4) : vec(d, 4);
          const result = known
            ? spec.rule(
                Array.from({ length: spec.arity as number }, () => type),
                attrs,
              )
            : "unknown attribute";
          const floatWithAttributes = !isInt(d) && Object.values(attrs).some(Boolean);
          if (typeof result === "string" || floatWithAttributes) {
            if (typeof result === "string" && d !== "bool")
              expect(() => laneFn(op, d, attrs), `${op}.${d} ${result}`).toThrow(TypeError);
            continue;
          }
          const [xs, ys, zs] = [1, 2, 3].map((k) =>
            edgeValues(d).map((_, i, e) => e[(i * k) % e.length] as number),
          ) as [number[], number[], number[]];
          const f = laneFn(op, d, attrs);
          const want = xs.map((x, i) => f(x, ys[i] as number, zs[i] as number));
          expect(laneLoop(op, d, attrs)(xs, ys, zs)).toEqual(want);
          const out = result.kind === "vec" ? result.dtype : "bool";
          for (const v of want)
            if (!Object.is(fromBitsRound(out, v), v)) expect.fail(`${op}.${d}: ${v} is not a ${out}`);
        }
      }
    }
  });
  const fromBitsRound = (d: DTypeName, v: number): number =>
    d === "bool" ? (v ? 1 : 0) : isInt(d) ? clampInt(d, v) : roundTo(d as FloatDType)(v);
  const clampInt = (d: IntDType, v: number): number =>
    Math.min(Math.max(Math.trunc(v), DTYPES[d].min), DTYPES[d].max) + 0;

  test("is memoised, also by attributes", () => {
    expect(laneFn("add", "i8")).toBe(laneFn("add", "i8", {}));
    expect(laneFn("add", "i8", { saturate: false })).toBe(laneFn("add", "i8"));
    expect(laneFn("add", "i8", { saturate: true })).toBe(laneFn("add", "i8", { saturate: true }));
    expect(laneLoop("add", "f32")).toBe(laneLoop("add", "f32"));
  });

  test("masks", () => {
    for (const x of [0, 1]) {
      for (const y of [0, 1]) {
        expect(laneFn("and", "bool")(x, y, 0)).toBe(x && y);
        expect(laneFn("or", "bool")(x, y, 0)).toBe(x || y);
        expect(laneFn("xor", "bool")(x, y, 0)).toBe(x === y ? 0 : 1);
      }
      expect(laneFn("not", "bool")(x, 0, 0)).toBe(1 - x);
    }
  });

  test("loops take any number of lanes", () => {
    for (const n of [0, 1, 2, 3, 4, 5, 7, 8, 16, 17, 100, 1000]) {
      const xs = Array.from({ length: n }, (_, i) => i);
      expect(laneLoop("add", "f32")(xs, xs, xs)).toEqual(xs.map((x) => x + x));
    }
  });
});

describe("scalars", () => {
  const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(...edgeValues("f32")));
  const binary: Partial<Record<OpName, (x: number, y: number) => number | boolean>> = {
    add: (x, y) => x + y,
    sub: (x, y) => x - y,
    mul: (x, y) => x * y,
    div: (x, y) => x / y,
    mod: (x, y) => x % y,
    min: Math.min,
    max: Math.max,
    eq: (x, y) => x === y,
    ne: (x, y) => x !== y,
    lt: (x, y) => x < y,
    le: (x, y) => x <= y,
    gt: (x, y) => x > y,
    ge: (x, y) => x >= y,
    and: (x, y) => x & y,
    or: (x, y) => x | y,
    xor: (x, y) => x ^ y,
    imul: Math.imul,
    js_shl: (x, y) => x << y,
    js_shr: (x, y) => x >> y,
    neg: (x) => -x,
    abs: Math.abs,
    floor: Math.floor,
    ceil: Math.ceil,
    trunc: Math.trunc,
    round: Math.round,
    sign: Math.sign,
    sqrt: Math.sqrt,
    clz32: Math.clz32,
    not: (x) => ~x,
    to_int32: (x) => x | 0,
    to_uint32: (x) => x >>> 0,
    truthy: (x) => Boolean(x),
  };
  for (const [op, js] of Object.entries(binary) as [OpName, (x: number, y: number) => number | boolean][]) {
    test(`${op}: on f64 as JavaScript does`, () => {
      const f = scalarFn(op, "f64");
      fc.assert(
        fc.property(number, number, (x, y) => void same(f(x, y), Number(js(x, y)), op, x, y)),
        { numRuns: 300 },
      );
    });
    if (
      !OPS[op]
        .rule([scalar("f32"), scalar("f32")], {})
        .toString()
        .startsWith("not defined") &&
      !["and", "or", "xor", "not"].includes(op)
    ) {
      test(`${op}: on f32 rounded once`, () => {
        const f = scalarFn(op, "f32");
        const whole = ["to_int32", "to_uint32"].includes(op);
        fc.assert(
          fc.property(lane("f32"), lane("f32"), (x, y) => {
            const v = Number(js(x, y));
            same(f(x, y), whole ? v : Math.fround(v), op, x, y);
          }),
          { numRuns: 300 },
        );
      });
    }
  }

  test("an i32 or i64 is never -0", () => {
    for (const type of ["i32", "i64"] as const) {
      expect(scalarFn("mul", type)(0, -5)).toBe(0);
      expect(scalarFn("neg", type)(0)).toBe(0);
      expect(scalarFn("mod", type)(-4, 4)).toBe(0);
    }
    expect(scalarFn("mul", "f64")(0, -5)).toBe(-0);
  });

  const safe = fc.oneof(
    fc.maxSafeInteger(),
    fc.integer(),
    fc.integer({ min: -20, max: 20 }),
    fc.constantFrom(2 ** 53 - 1, 1 - 2 ** 53),
  );
  test("ceildiv and floordiv are exact on safe integers", () => {
    fc.assert(
      fc.property(safe, safe, (x, y) => {
        if (y === 0)
          return void expect([scalarFn("ceildiv", "i64")(x, y), scalarFn("floordiv", "i64")(x, y)]).toEqual([
            NaN,
            NaN,
          ]);
        const [a, b] = [BigInt(x), BigInt(y)];
        const below = a / b - (a % b !== 0n && a < 0n !== b < 0n ? 1n : 0n);
        same(scalarFn("floordiv", "i64")(x, y), Number(below), "floordiv", x, y);
        same(scalarFn("ceildiv", "i64")(x, y), Number(a % b === 0n ? below : below + 1n), "ceildiv", x, y);
      }),
      { numRuns: 5000 },
    );
  });

  test("functions are the f32 functions, whatever holds the operand", () => {
    expect(scalarFn("exp", "f64")(0.1)).toBe(scalarFn("exp", "f32")(Math.fround(0.1)));
    expect(scalarFn("exp", "f32")(Math.fround(0.1))).toBe(laneFn("exp", "f32")(Math.fround(0.1), 0, 0));
    expect(scalarFn("recip", "f64")(3)).toBe(Math.fround(1 / 3));
    expect(scalarFn("rsqrt", "f32")(4)).toBe(0.5);
    expect(scalarFn("rint", "f64")(2.5)).toBe(2);
  });

  test("conversions, choices and bools", () => {
    expect(scalarFn("convert", "f64", { dtype: "i8" })(300.7)).toBe(127);
    expect(scalarFn("convert", "f64", { dtype: "i8", wrap: true })(300.7)).toBe(44);
    expect(scalarFn("convert", "f64", { dtype: "f16" })(0.1)).toBe(roundTo("f16")(0.1));
    expect(scalarFn("convert", "f64", { dtype: "bool" })(NaN)).toBe(0);
    expect(scalarFn("cast_scalar", "bool", { to: "f64" })(1)).toBe(1);
    expect(scalarFn("cast_scalar", "i32", { to: "i64" })(-3)).toBe(-3);
    expect(scalarFn("select", "f64")(1, -0, 5)).toBe(-0);
    expect(scalarFn("select", "bool")(0, 1, 0)).toBe(0);
    expect(scalarFn("not", "bool")(1)).toBe(0);
    expect(scalarFn("not", "i32")(1)).toBe(-2);
    expect(scalarFn("eq", "bool")(1, 1)).toBe(1);
    expect(() => scalarFn("load", "f32")).toThrow(TypeError);
  });
});
