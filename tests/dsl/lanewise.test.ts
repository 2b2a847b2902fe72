/** Every lanewise intrinsic against expectations that share nothing with the ALU table. */
import { describe, expect, it } from "vitest";
import {
  bf16,
  bool,
  f16,
  f32,
  type IntD,
  i8,
  i16,
  i32,
  KpuError,
  Mask,
  S,
  u8,
  u16,
  u32,
  Vec,
} from "../../dsl/index.ts";

const F = (...x: number[]): Vec<typeof f32> => new Vec(f32, x.map(Math.fround));
const ints = [i8, u8, i16, u16, i32, u32] as const;
const wrap = (d: IntD, x: bigint): number =>
  Number(d.name.startsWith("i") ? BigInt.asIntN(d.bits, x) : BigInt.asUintN(d.bits, x));
const clamp = (d: IntD, x: bigint): number =>
  x < BigInt(d.min) ? d.min : x > BigInt(d.max) ? d.max : Number(x);
const edges = (d: IntD): number[] => [
  d.min,
  d.min + 1,
  0,
  1,
  2,
  3,
  7,
  Math.trunc(d.max / 2),
  d.max - 1,
  d.max,
  ...(d.min < 0 ? [-1, -2, -7] : []),
];
function code(f: () => unknown): string {
  try {
    f();
  } catch (e) {
    if (e instanceof KpuError) return e.code;
    throw e;
  }
  return "none";
}

describe("integer arithmetic", () => {
  const exact = {
    vadd: (a: bigint, b: bigint) => a + b,
    vsub: (a: bigint, b: bigint) => a - b,
    vmul: (a: bigint, b: bigint) => a * b,
  };
  for (const d of ints) {
    const pairs = edges(d).flatMap((a) => edges(d).map((b) => [a, b] as const));
    const x = new Vec<IntD>(
      d,
      pairs.map(([a]) => a),
    );
    const y = new Vec<IntD>(
      d,
      pairs.map(([, b]) => b),
    );
    const big = pairs.map(([a, b]) => [BigInt(a), BigInt(b)] as const);
    for (const name of ["vadd", "vsub", "vmul"] as const) {
      it(`${name} ${d} wraps, saturates, changes sign`, () => {
        const f = exact[name];
        expect(S[name](x, y).data).toEqual(big.map(([a, b]) => wrap(d, f(a, b))));
        expect(S[name](x, y, { saturate: true }).data).toEqual(big.map(([a, b]) => clamp(d, f(a, b))));
        for (const outSign of ["signed", "unsigned"] as const) {
          const out = {
            8: { signed: i8, unsigned: u8 },
            16: { signed: i16, unsigned: u16 },
            32: { signed: i32, unsigned: u32 },
          }[d.bits as 8 | 16 | 32][outSign];
          const r = S[name](x, y, { outSign, saturate: true });
          expect(r.dtype).toBe(out);
          expect(r.data).toEqual(big.map(([a, b]) => clamp(out, f(a, b))));
          expect(S[name](x, y, { outSign }).data).toEqual(big.map(([a, b]) => wrap(out, f(a, b))));
        }
      });
    }
    it(`vdiv vmod ${d}: zero divisors, min / -1, signs`, () => {
      expect(S.vdiv(x, y).data).toEqual(big.map(([a, b]) => (b === 0n ? 0 : clamp(d, a / b))));
      expect(S.vmod(x, y).data).toEqual(big.map(([a, b]) => (b === 0n ? 0 : Number(a % b))));
    });
    it(`vabs vneg vinv ${d}`, () => {
      const abs = (a: bigint): bigint => (a < 0n ? -a : a);
      expect(S.vabs(x).data).toEqual(big.map(([a]) => wrap(d, abs(a))));
      expect(S.vabs(x, { saturate: true }).data).toEqual(big.map(([a]) => clamp(d, abs(a))));
      expect(S.vneg(x).data).toEqual(big.map(([a]) => wrap(d, -a)));
      expect(S.vneg(x, { saturate: true }).data).toEqual(big.map(([a]) => clamp(d, -a)));
      expect(S.vinv(x).data).toEqual(big.map(([a]) => wrap(d, ~a)));
    });
    it(`vand vor vxor vmin vmax vclip ${d}`, () => {
      expect(S.vand(x, y).data).toEqual(big.map(([a, b]) => wrap(d, a & b)));
      expect(S.vor(x, y).data).toEqual(big.map(([a, b]) => wrap(d, a | b)));
      expect(S.vxor(x, y).data).toEqual(big.map(([a, b]) => wrap(d, a ^ b)));
      expect(S.vmin(x, y).data).toEqual(pairs.map(([a, b]) => Math.min(a, b)));
      expect(S.vmax(x, y).data).toEqual(pairs.map(([a, b]) => Math.max(a, b)));
      expect(S.vclip(x, 1, 5).data).toEqual(pairs.map(([a]) => Math.min(Math.max(a, 1), 5)));
      expect(S.vclip(x, 5, 1).data).toEqual(pairs.map(() => 1));
    });
    it(`vsl vsr ${d}: amounts 0, width - 1, width, beyond`, () => {
      const amounts = [0, 1, 2, d.bits - 1, d.bits, d.bits + 3, ...(d.min < 0 ? [-1] : [d.max])];
      for (const s of amounts) {
        const big = BigInt(s < 0 ? 2 ** d.bits + s : s);
        const capped = big > 100n ? 100n : big;
        const down = (a: bigint): bigint => a >> capped;
        const even = (a: bigint): bigint => {
          const unit = 1n << capped;
          const low = a - ((a >> capped) << capped);
          const q = a >> capped;
          return low * 2n > unit || (low * 2n === unit && q % 2n !== 0n) ? q + 1n : q;
        };
        expect(S.vsl(x, s).data).toEqual(x.data.map((a) => wrap(d, BigInt(a) << capped)));
        expect(S.vsl(x, s, { saturate: true }).data).toEqual(
          x.data.map((a) => clamp(d, BigInt(a) << capped)),
        );
        expect(S.vsr(x, s).data).toEqual(x.data.map((a) => Number(down(BigInt(a)))));
        if (capped < 60n)
          expect(S.vsr(x, s, { withRound: true }).data).toEqual(x.data.map((a) => Number(even(BigInt(a)))));
      }
    });
    it(`compares ${d}`, () => {
      const bits = (f: (a: number, b: number) => boolean): number[] =>
        pairs.map(([a, b]) => (f(a, b) ? 1 : 0));
      expect(S.vceq(x, y).data).toEqual(bits((a, b) => a === b));
      expect(S.vcneq(x, y).data).toEqual(bits((a, b) => a !== b));
      expect(S.vcgt(x, y).data).toEqual(bits((a, b) => a > b));
      expect(S.vcge(x, y).data).toEqual(bits((a, b) => a >= b));
      expect(S.vclt(x, y).data).toEqual(bits((a, b) => a < b));
      expect(S.vcle(x, y).data).toEqual(bits((a, b) => a <= b));
    });
  }
});

describe("float arithmetic", () => {
  const values = [0, -0, 1, -1, 0.1, 3, 1e38, -1e38, 1e-45, Infinity, -Infinity, NaN];
  const pairs = values.flatMap((a) => values.map((b) => [Math.fround(a), Math.fround(b)] as const));
  const x = F(...pairs.map(([a]) => a));
  const y = F(...pairs.map(([, b]) => b));
  const each = (f: (a: number, b: number) => number): number[] => pairs.map(([a, b]) => Math.fround(f(a, b)));
  it("f32 rounds once", () => {
    expect(S.vadd(x, y).data).toEqual(each((a, b) => a + b));
    expect(S.vsub(x, y).data).toEqual(each((a, b) => a - b));
    expect(S.vmul(x, y).data).toEqual(each((a, b) => a * b));
    expect(S.vdiv(x, y).data).toEqual(each((a, b) => a / b));
    expect(S.vmod(x, y).data).toEqual(each((a, b) => a % b));
    expect(S.vneg(x).data).toEqual(each((a) => -a));
    expect(S.vabs(x).data).toEqual(each((a) => Math.abs(a)));
    expect(S.vfma(x, x, y).data).toEqual(each((a, b) => a + a * b));
  });
  it("min and max: a NaN loses, -0 < +0", () => {
    const pick = (a: number, b: number, f: (a: number, b: number) => number): number =>
      Number.isNaN(a) ? b : Number.isNaN(b) ? a : f(a, b);
    expect(S.vmin(x, y).data).toEqual(each((a, b) => pick(a, b, Math.min)));
    expect(S.vmax(x, y).data).toEqual(each((a, b) => pick(a, b, Math.max)));
  });
  it("compares with NaN", () => {
    expect(S.vceq(F(NaN, 0), F(NaN, -0)).data).toEqual([0, 1]);
    expect(S.vcneq(F(NaN, 0), F(NaN, -0)).data).toEqual([1, 0]);
    expect(S.vcle(F(NaN, 1), 1).data).toEqual([0, 1]);
  });
  it("f16 and bf16 overflow and round", () => {
    expect(S.vadd(new Vec(f16, [65504, 1]), new Vec(f16, [65504, 2 ** -11])).data).toEqual([Infinity, 1]);
    expect(S.vadd(new Vec(bf16, [256, 256]), new Vec(bf16, [1, 3])).data).toEqual([256, 260]);
  });
  it("math forms on vectors and on numbers", () => {
    expect(S.vfloor(F(1.5, -1.5, -0)).data).toEqual([1, -2, -0]);
    expect(S.vceil(F(1.5, -1.5, -0.5)).data).toEqual([2, -1, -0]);
    expect(S.vrint(F(0.5, 1.5, 2.5, -0.5)).data).toEqual([0, 2, 2, -0]);
    expect(S.vsqrt(F(2, -1)).data).toEqual([Math.fround(Math.sqrt(2)), NaN]);
    expect(S.vrecip(F(3)).data).toEqual([Math.fround(1 / 3)]);
    expect(S.vrsqrt(F(2)).data).toEqual([Math.fround(1 / Math.sqrt(2))]);
    for (const [name, f] of [
      ["vexp", Math.exp],
      ["vlog", Math.log],
      ["vtanh", Math.tanh],
    ] as const) {
      for (const v of [0.5, 1, 2, 3.25]) {
        const got = S[name](v);
        expect(Math.abs(got - f(v))).toBeLessThanOrEqual(Math.abs(f(v)) * 2 ** -23);
        expect(S[name](F(v)).data[0]).toBe(got);
      }
    }
    expect(S.verf(0.5)).toBeCloseTo(0.5204998778, 6);
    expect(S.vexp(0.1)).toBe(S.vexp(Math.fround(0.1)));
    expect(S.vfloor(2.7)).toBe(2);
    expect(S.vrint(2.5)).toBe(2);
    expect(S.vsqrt(2)).toBe(Math.fround(Math.sqrt(2)));
  });
});

describe("masks and r", () => {
  const x = F(1, 2, 3, 4);
  it("inactive lanes are r, else 0, in every form of mask", () => {
    for (const mask of ["2T2F", [true, true, false, false], S.tailMask(2, 4), S.constMask("TTFF")]) {
      expect(S.vadd(x, 1, { mask }).data).toEqual([2, 3, 0, 0]);
      expect(S.vadd(x, 1, { mask, r: 9 }).data).toEqual([2, 3, 9, 9]);
      expect(S.vadd(x, 1, { mask, r: x }).data).toEqual([2, 3, 3, 4]);
    }
    expect(S.vadd(x, 1, { mask: "4T" }).data).toEqual([2, 3, 4, 5]);
    expect(S.vcgt(x, 1, { mask: "TTTF", r: true }).data).toEqual([0, 1, 1, 1]);
    expect(S.vcgt(x, 1, { mask: "TTTF" }).data).toEqual([0, 1, 1, 0]);
    expect(S.vneg(x, { mask: "TFTF" }).data).toEqual([-1, 0, -3, 0]);
    expect(S.vfma(x, x, x, { mask: "FFFT", r: -1 }).data).toEqual([-1, -1, -1, 20]);
    expect(S.vclip(x, 2, 3, { mask: "TTTF", r: 7 }).data).toEqual([2, 2, 3, 7]);
  });
  it("r is of the result dtype under outSign", () => {
    expect(S.vsub(new Vec(u8, [1, 2]), 3, { outSign: "signed", mask: "TF", r: -5 }).data).toEqual([-2, -5]);
  });
  it("a literal of the opposite sign needs outSign", () => {
    const a = new Vec(u8, [0, 250]);
    expect(code(() => S.vadd(a, -3))).toBe("KPU3003");
    expect(S.vadd(a, -3, { outSign: "signed", saturate: true }).data).toEqual([-3, 127]);
    expect(S.vadd(a, -3, { outSign: "unsigned", saturate: true }).data).toEqual([0, 247]);
    expect(S.vadd(new Vec(u32, [1]), -3, { outSign: "signed" }).data).toEqual([-2]);
    expect(code(() => S.vadd(new Vec(u32, [1]), -3, { outSign: "signed", saturate: true }))).toBe("KPU3003");
  });
  it("logic on masks", () => {
    const a = S.constMask("TTFF");
    const b = S.constMask("TFTF");
    expect(S.vand(a, b).data).toEqual([1, 0, 0, 0]);
    expect(S.vor(a, b).data).toEqual([1, 1, 1, 0]);
    expect(S.vxor(a, b).data).toEqual([0, 1, 1, 0]);
    expect(S.vinv(a).data).toEqual([0, 0, 1, 1]);
    expect(S.vand(a, true).data).toEqual([1, 1, 0, 0]);
    expect(S.vsel(a, b, "FFTT").data).toEqual([1, 0, 0, 0]);
    expect([S.vany(a), S.vall(a), S.vany("4F"), S.vall("4T"), S.vall([true, true])]).toEqual([
      true,
      false,
      false,
      true,
      true,
    ]);
  });
  it("mask strings", () => {
    expect(S.constMask("2FFFT3T")).toEqual(
      new Mask([...("FFFTFFFTTTT" as string)].map((c) => (c === "T" ? 1 : 0))),
    );
    expect(S.constMask("4T_1F").data).toEqual([1, 1, 1, 1, 0]);
    for (const bad of ["", "abc", "3", "0T", "T2"]) expect(code(() => S.constMask(bad))).toBe("KPU3008");
  });
  it("tailMask clamps", () => {
    const of = (n: number): number => S.tailMask(n, 4).data.filter((b) => b).length;
    expect([-5, 0, 1, 3, 4, 100, Infinity, NaN].map(of)).toEqual([0, 0, 1, 3, 4, 4, 4, 0]);
    expect(S.tailMask(2, 4)).toBe(S.tailMask(2, 4));
  });
  it("vsel broadcasts either side", () => {
    expect(S.vsel(x, 0, S.vcgt(x, 2)).data).toEqual([0, 0, 3, 4]);
    expect(S.vsel(0, x, S.vcgt(x, 2)).data).toEqual([1, 2, 0, 0]);
  });
});

describe("reductions", () => {
  it("sum by halves, odd lanes carried", () => {
    expect(S.vrpadd(F(1, 2, 3, 4))).toBe(10);
    const big = [1e8, 1, -1e8, 1, 0.5];
    const h = (a: number, b: number): number => Math.fround(a + b);
    // 5 lanes: (0+2, 1+3, 4) then (0+1, 2) then the sum.
    expect(S.vrpadd(F(...big))).toBe(h(h(h(1e8, -1e8), h(1, 1)), 0.5));
    expect(S.vrpadd(new Vec(i8, [127, 1]))).toBe(-128);
    expect(S.vrpadd(F(1, 2, 3, 4), { mask: "TFTF" })).toBe(4);
  });
  it("no active lane: identity", () => {
    expect(S.vrpadd(F(1, 2), { mask: "2F" })).toBe(0);
    expect(S.vrpmax(F(1, 2), { mask: "2F" })).toBe(-Infinity);
    expect(S.vrpmin(F(1, 2), { mask: "2F" })).toBe(Infinity);
    expect(S.vrpmax(new Vec(u8, [1, 2]), { mask: "2F" })).toBe(0);
    expect(S.vrpmin(new Vec(i16, [1, 2]), { mask: "2F" })).toBe(32767);
  });
  it("returnIdx: lowest of ties, -1 when none", () => {
    expect(S.vrpmax(F(1, 5, 5, 2), { returnIdx: true })).toBe(1);
    expect(S.vrpmin(F(3, 1, 2, 1), { returnIdx: true, mask: "TFTT" })).toBe(3);
    expect(S.vrpmin(F(3, 1), { returnIdx: true, mask: "2F" })).toBe(-1);
    expect(S.vrpmax(F(NaN, 1, 2), { returnIdx: true })).toBe(2);
  });
});

describe("cast and vbcast", () => {
  it("parts", () => {
    const x = new Vec(i8, [0, 1, 2, 3, 4, 5, 6, 7]);
    const parts = {
      all: [0, 1, 2, 3, 4, 5, 6, 7],
      low: [0, 1, 2, 3],
      high: [4, 5, 6, 7],
      even: [0, 2, 4, 6],
      odd: [1, 3, 5, 7],
      ll: [0, 1],
      lh: [2, 3],
      hl: [4, 5],
      hh: [6, 7],
    };
    for (const [part, lanes] of Object.entries(parts))
      expect(S.cast(x, f32, { part: part as "all" }).data).toEqual(lanes);
    expect(code(() => S.cast(new Vec(i8, [1, 2, 3]), f32, { part: "low" }))).toBe("KPU3010");
    expect(code(() => S.cast(new Vec(i8, [1, 2]), f32, { part: "ll" }))).toBe("KPU3010");
    expect(code(() => S.cast(x, f32, { part: "middle" as "low" }))).toBe("KPU3004");
  });
  it("rules", () => {
    const x = F(300.7, -300.7, NaN, Infinity, -0.5);
    expect(S.cast(x, i8).data).toEqual([127, -128, 0, 127, 0]);
    expect(S.cast(x, u8).data).toEqual([255, 0, 0, 255, 0]);
    expect(S.cast(x, i8, { wrap: true }).data).toEqual([44, -44, 0, -1, 0]);
    expect(S.cast(F(3e9), u32).data).toEqual([3e9]);
    expect(S.cast(new Vec(i32, [300, -1]), u8).data).toEqual([44, 255]);
    expect(S.cast(new Vec(i32, [300, -1]), u8, { saturate: true }).data).toEqual([255, 0]);
    expect(S.cast(new Vec(u32, [4294967295]), f32).data).toEqual([4294967296]);
    expect(S.cast(new Vec(i32, [16777217]), f16).data).toEqual([Infinity]);
    expect(code(() => S.cast(x, f16, { saturate: true }))).toBe("KPU3011");
    expect(code(() => S.cast(x, i8, { saturate: true, wrap: true }))).toBe("KPU3004");
  });
  it("merges a list", () => {
    const a = new Vec(i32, [1, 300]);
    expect(S.cast([a, a], i8).data).toEqual([1, 44, 1, 44]);
    expect(S.cast([a, new Vec(i32, [7])], u8, { saturate: true }).data).toEqual([1, 255, 7]);
    expect(code(() => S.cast([a, a], f32))).toBe("KPU3001");
    expect(code(() => S.cast([], i8))).toBe("KPU3001");
    expect(code(() => S.cast([a], i8, { part: "low" }))).toBe("KPU3004");
  });
  it("vbcast", () => {
    expect(S.vbcast(0.1, f32, 2).data).toEqual([Math.fround(0.1), Math.fround(0.1)]);
    expect(Object.is(S.vbcast(-0, i32, 1).data[0], 0)).toBe(true);
    expect(S.vbcast(true, bool, 3).data).toEqual([1, 1, 1]);
    expect(S.vbcast(5, i8, { lanes: 3, mask: "TFT", r: 1 }).data).toEqual([5, 1, 5]);
    expect(S.vbcast(5, i8, { mask: S.tailMask(1, 2) }).data).toEqual([5, 0]);
    expect(code(() => S.vbcast(5.5, i8, 2))).toBe("KPU3003");
    expect(code(() => S.vbcast(1, f32))).toBe("KPU6005");
    expect(code(() => S.vbcast(1, f32, 0))).toBe("KPU3010");
  });
});

describe("refusals", () => {
  const x = F(1, 2);
  const bad = S as unknown as Record<string, (...a: unknown[]) => unknown>;
  const call = (name: string, ...a: unknown[]) => code(() => bad[name]?.(...a));
  it("have the documented code", () => {
    expect(call("vadd", x)).toBe("KPU3009");
    expect(call("vadd", 1, 2)).toBe("KPU3001");
    expect(call("vadd", x, "1")).toBe("KPU3001");
    expect(call("vadd", x, new Vec(i32, [1, 2]))).toBe("KPU3001");
    expect(call("vadd", x, F(1))).toBe("KPU3002");
    expect(call("vadd", x, x, { mask: "3T" })).toBe("KPU3002");
    expect(call("vadd", x, x, { masks: "2T" })).toBe("KPU3004");
    expect(call("vadd", x, x, 5)).toBe("KPU3004");
    expect(call("vadd", x, x, { r: 1 })).toBe("KPU3004");
    expect(call("vadd", x, x, { saturate: true })).toBe("KPU3011");
    expect(call("vadd", x, x, { outSign: "signed" })).toBe("KPU3011");
    expect(call("vadd", new Vec(i8, [1]), 1, { outSign: "positive" })).toBe("KPU3004");
    expect(call("vadd", new Vec(i8, [1]), 1, { saturate: 1 })).toBe("KPU3004");
    expect(call("vadd", new Vec(i8, [1]), 0.5)).toBe("KPU3003");
    expect(call("vadd", new Vec(i8, [1]), NaN)).toBe("KPU3003");
    expect(call("vmin", new Vec(i8, [1]), 1, { saturate: true })).toBe("KPU3004");
    expect(call("vand", x, x)).toBe("KPU3001");
    expect(call("vfma", new Vec(i8, [1]), 1, 1)).toBe("KPU3001");
    expect(call("vexp", new Vec(i8, [1]))).toBe("KPU3001");
    expect(call("vexp", 1, { mask: "T" })).toBe("KPU3004");
    expect(call("vsel", x, 0)).toBe("KPU3009");
    expect(call("vsel", x, 0, x)).toBe("KPU3001");
    expect(call("vany", x)).toBe("KPU3001");
    expect(call("vadd", S.tailMask(1, 2), S.tailMask(1, 2))).toBe("KPU3001");
    expect(call("vadd", x, x, { mask: [1, 0] })).toBe("KPU3001");
    expect(call("vrpadd", x, { returnIdx: true })).toBe("KPU3004");
    expect(call("cast", x, "i8")).toBe("KPU3001");
    expect(call("cast", x, bool)).toBe("KPU3001");
  });
  it("scalar forms", () => {
    expect([
      S.i8(300.5),
      S.i8(-300),
      S.u32(3e9),
      S.i32(NaN),
      S.u8(-1, { wrap: true }),
      S.i8(300, { wrap: true }),
    ]).toEqual([127, -128, 3e9, 0, 255, 44]);
    expect([S.f16(1e6), S.bf16(257), S.f32(0.1), S.bool(NaN), S.bool(2), S.i8(true)]).toEqual([
      Infinity,
      256,
      Math.fround(0.1),
      false,
      true,
      1,
    ]);
    expect([S.ceildiv(7, 2), S.ceildiv(-7, 2), S.floordiv(-7, 2), S.floordiv(7, -2)]).toEqual([
      4, -3, -4, -4,
    ]);
    expect(Object.is(S.ceildiv(-1, 2), 0)).toBe(true);
    expect(S.ceildiv(2 ** 53 - 1, 2)).toBe(2 ** 52);
    expect([S.min(1, NaN), S.max(-0, 0), S.clip(9, 0, 5), S.clip(1, 5, 3), S.abs(-3)]).toEqual([
      NaN,
      0,
      5,
      3,
      3,
    ]);
    expect(call("ceildiv", 1, 0)).toBe("KPU3013");
    expect(call("floordiv", 1.5, 2)).toBe("KPU3005");
    expect(call("min", 1)).toBe("KPU3009");
    expect(call("i8", x)).toBe("KPU3001");
    expect(call("f32", 1, { wrap: true })).toBe("KPU3004");
  });
});
