/** Addition of quantised tensors: widening, fixed-point ratios, rounding shift, saturation; and the same in floats. */
import { f32, type i8, i16, i32, kernel, ptr, S, type u8 } from "kpu-dsl";
import { describe, test } from "vitest";
import { anyValues, DTYPES, expectNumbers, hostArray, sizesAround, TILES, zeros } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

interface Scale {
  readonly scale: number;
  readonly zero: number;
}
interface Scales {
  readonly a: Scale;
  readonly b: Scale;
  readonly sum: Scale;
}

/** Usual scales; one operand that hardly counts; results that saturate on both sides. */
const SCALES: Readonly<Record<string, Scales>> = {
  usual: { a: { scale: 0.05, zero: 3 }, b: { scale: 0.02, zero: 10 }, sum: { scale: 0.04, zero: 1 } },
  "one small": { a: { scale: 0.5, zero: 0 }, b: { scale: 0.001, zero: 7 }, sum: { scale: 0.25, zero: 100 } },
  saturating: { a: { scale: 1, zero: 50 }, b: { scale: 1, zero: 60 }, sum: { scale: 0.25, zero: 64 } },
};

const SHIFT = 18;
const ratios = ({ a, b, sum }: Scales): [number, number] => [
  Math.round((a.scale / sum.scale) * 2 ** SHIFT),
  Math.round((b.scale / sum.scale) * 2 ** SHIFT),
];

const LANES = 32;

/** In integers only. */
function fixedPoint(dtype: i8 | u8, scales: Scales) {
  const { a, b, sum } = scales;
  const [ratioA, ratioB] = ratios(scales);
  return kernel([ptr(dtype), ptr(dtype), ptr(dtype), i32], function fixedPoint(out, x, y, n) {
    for (let i = S.tileId() * LANES; i < n; i += S.tileCount() * LANES) {
      const mask = S.tailMask(n - i, LANES);
      const wideX = S.vsub(S.cast(S.vload(x.at(i), { mask }), i32), a.zero);
      const wideY = S.vsub(S.cast(S.vload(y.at(i), { mask }), i32), b.zero);
      const scaled = S.vadd(S.vmul(wideX, ratioA), S.vmul(wideY, ratioB));
      const rounded = S.vadd(S.vsr(scaled, SHIFT, { withRound: true }), sum.zero);
      S.vstore(S.cast(rounded, dtype, { saturate: true }), out.at(i), { mask });
    }
  });
}
function fixedPointTruth(low: number, scales: Scales, x: number, y: number): number {
  const { a, b, sum } = scales;
  const [ratioA, ratioB] = ratios(scales).map(BigInt) as [bigint, bigint];
  const scaled = BigInt(x - a.zero) * ratioA + BigInt(y - b.zero) * ratioB;
  const unit = 1n << BigInt(SHIFT);
  let q = scaled >> BigInt(SHIFT);
  const rest = scaled - q * unit;
  if (rest * 2n > unit || (rest * 2n === unit && q % 2n !== 0n)) q += 1n;
  return Math.min(Math.max(Number(q) + sum.zero, low), low + 255);
}

/** In f32, four quarters of a register at a time; halves of 16 bits on the way back. */
function inFloats(dtype: i8 | u8, { a, b, sum }: Scales) {
  const parts = ["ll", "lh", "hl", "hh"] as const;
  return kernel([ptr(dtype), ptr(dtype), ptr(dtype), i32], function inFloats(out, x, y, n) {
    for (let i = S.tileId() * LANES; i < n; i += S.tileCount() * LANES) {
      const mask = S.tailMask(n - i, LANES);
      const vx = S.vload(x.at(i), { mask });
      const vy = S.vload(y.at(i), { mask });
      const quarters = parts.map((part) => {
        const fx = S.vmul(S.vsub(S.cast(vx, f32, { part }), a.zero), a.scale);
        const fy = S.vmul(S.vsub(S.cast(vy, f32, { part }), b.zero), b.scale);
        const q = S.vrint(S.vdiv(S.vadd(fx, fy), sum.scale));
        return S.cast(S.vadd(q, sum.zero), i32);
      });
      const low = S.cast([quarters[0]!, quarters[1]!], i16, { saturate: true });
      const high = S.cast([quarters[2]!, quarters[3]!], i16, { saturate: true });
      S.vstore(S.cast([low, high], dtype, { saturate: true }), out.at(i), { mask });
    }
  });
}
function inFloatsTruth(low: number, { a, b, sum }: Scales, x: number, y: number): number {
  const f = Math.fround;
  const fx = f((x - a.zero) * f(a.scale));
  const fy = f((y - b.zero) * f(b.scale));
  const q = f(f(fx + fy) / f(sum.scale));
  const floor = Math.floor(q);
  const even = q - floor === 0.5 ? floor + (floor % 2 === 0 ? 0 : 1) : Math.round(q);
  return Math.min(Math.max(even + sum.zero, low), low + 255);
}

group(11, () => {
  describe.each(["i8", "u8"] as const)("%s", (name) => {
    const dtype = DTYPES[name];
    const low = name === "i8" ? -128 : 0;
    describe.each(Object.entries(SCALES))("%s", (_, scales) => {
      test.each([
        ["fixed point", fixedPoint(dtype, scales), fixedPointTruth],
        ["floats", inFloats(dtype, scales), inFloatsTruth],
      ] as const)("in %s", (_way, add, truth) => {
        for (const n of sizesAround(LANES)) {
          const x = anyValues(name, n);
          const y = anyValues(name, n, 1);
          const want = x.map((v, i) => truth(low, scales, v, y[i] as number));
          for (const machine of TILES) {
            const out = zeros(name, n);
            execute(add, [out, hostArray(name, x), hostArray(name, y), n], machine);
            expectNumbers(name, out, want);
          }
        }
        // Every pair of values once.
        const x = Array.from({ length: 65536 }, (_, i) => low + (i >> 8));
        const y = Array.from({ length: 65536 }, (_, i) => low + (i & 255));
        const out = zeros(name, 65536);
        execute(add, [out, hostArray(name, x), hostArray(name, y), 65536]);
        const want = x.map((v, i) => truth(low, scales, v, y[i] as number));
        expectNumbers(name, out, want);
      });
    });
  });
});
