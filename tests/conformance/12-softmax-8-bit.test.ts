/**
 * Softmax of rows of 8-bit numbers. In integers only: powers of two by table and shift, horizontal maximum and sum, a
 * narrowing shift, compression; and through f32 exponentials. Each step is a function of its own.
 */
import {
  f32,
  type i8,
  i16,
  i32,
  kernel,
  type Mask,
  type Ptr,
  ptr,
  S,
  type u8,
  u16,
  u32,
  type Vec,
} from "kpu-dsl";
import { describe, test } from "vitest";
import { anyValues, DTYPES, expectNumbers, hostArray, samples, TILES, zeros } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

const LANES = 8;

/** 2^(-f / 8) in 15 fraction bits: an input step of 1 is a factor of 2^(1 / 8). */
const POWERS = Array.from({ length: 8 }, (_, f) => Math.round(2 ** (15 - f / 8)));

const SHAPES = [
  [0, 3],
  [1, 1],
  [3, 7],
  [2, 8],
  [2, 9],
  [4, 33],
  [7, 64],
  [2, 997],
] as const;

type Bytes = i8 | u8;

function rowMaximum(lowest: number, from: Ptr<Bytes>, columns: number): number {
  let best = lowest;
  for (const c of S.range(0, columns, 32)) {
    const mask = S.tailMask(columns - c, 32);
    best = S.max(best, S.vrpmax(S.vload(from.at(c), { mask }), { mask }));
  }
  return best;
}

/** 2^((x - peak) / 8) in 15 fraction bits; 0 in inactive lanes. */
function powers(table: Vec<u16>, x: Vec<Bytes>, peak: number, mask: Mask): Vec<u16> {
  const below = S.cast(S.vsub(S.vbcast(S.i16(peak), i16, LANES), S.cast(x, i16)), u16);
  return S.vsr(S.vtbl(table, S.vand(below, 7)), S.vsr(below, 3), { mask });
}

/** e * 255 / sum, rounded half to even, as bytes: `reciprocal` is 2^31 / sum. Each byte is the lowest of four. */
function shares(e: Vec<u16>, reciprocal: number): Vec<u8> {
  const wide = S.vmul(S.cast(e, u32), S.vbcast(reciprocal, u32, LANES));
  const inPlace = S.vnsrsr(wide, 23);
  return S.vcompt(inPlace, `${LANES}TFFF`);
}

function integerSoftmax(dtype: Bytes, lowest: number) {
  return kernel([ptr(DTYPES.u8), ptr(dtype), i32, i32], function integerSoftmax(out, x, rows, columns) {
    const table = S.vload(S.allocConst(u16, POWERS), { lanes: 8 });
    for (let row = S.tileId(); row < rows; row += S.tileCount()) {
      const from = x.at(row * columns);
      const peak = rowMaximum(lowest, from, columns);
      let sum = 0;
      for (const c of S.range(0, columns, LANES)) {
        const mask = S.tailMask(columns - c, LANES);
        const e = powers(table, S.vload(from.at(c), { mask }), peak, mask);
        sum = S.u32(sum + S.vrpadd(S.cast(e, u32)));
      }
      const reciprocal = S.u32(2 ** 31 / sum);
      for (const c of S.range(0, columns, LANES)) {
        const mask = S.tailMask(columns - c, LANES);
        const e = powers(table, S.vload(from.at(c), { mask }), peak, mask);
        const [bytes] = S.vsplit(shares(e, reciprocal), 4);
        S.vstore(bytes!, out.at(row * columns + c), { mask });
      }
    }
  });
}
function integerTruth(row: readonly number[]): number[] {
  const peak = Math.max(...row);
  const e = row.map((v) => Math.floor((POWERS[(peak - v) & 7] as number) / 2 ** ((peak - v) >> 3)));
  const reciprocal = Math.floor(2 ** 31 / e.reduce((s, v) => s + v, 0));
  return e.map((v) => {
    const q = Math.floor((v * reciprocal) / 2 ** 23);
    const rest = (v * reciprocal) % 2 ** 23;
    const up = rest > 2 ** 22 || (rest === 2 ** 22 && q % 2 === 1);
    return Math.min(q + (up ? 1 : 0), 255);
  });
}

const SCALE = 0.0625;

function floatSoftmax(dtype: Bytes) {
  return kernel([ptr(DTYPES.u8), ptr(dtype), i32, i32], function floatSoftmax(out, x, rows, columns) {
    for (let row = S.tileId(); row < rows; row += S.tileCount()) {
      const from = x.at(row * columns);
      const exponentials = (c: number, peak: number, mask: Mask): Vec<f32> => {
        const v = S.cast(S.vload(from.at(c), { mask }), f32);
        return S.vexp(S.vmul(S.vsub(v, peak), SCALE), { mask });
      };
      const peak = rowMaximum(-128, from, columns);
      let sums = S.vbcast(0, f32, LANES);
      for (const c of S.range(0, columns, LANES))
        sums = S.vadd(sums, exponentials(c, peak, S.tailMask(columns - c, LANES)));
      const total = S.vrpadd(sums);
      for (const c of S.range(0, columns, LANES)) {
        const mask = S.tailMask(columns - c, LANES);
        const share = S.vrint(S.vmul(S.vdiv(exponentials(c, peak, mask), total), 255));
        S.vstore(S.cast(share, DTYPES.u8), out.at(row * columns + c), { mask });
      }
    }
  });
}
function floatTruth(row: readonly number[]): number[] {
  const f = Math.fround;
  const peak = Math.max(...row);
  const e = row.map((v) => f(Math.exp(f((v - peak) * SCALE))));
  let sums = new Array<number>(LANES).fill(0);
  for (let c = 0; c < row.length; c += LANES) sums = sums.map((s, lane) => f(s + (e[c + lane] ?? 0)));
  for (let n = LANES / 2; n >= 1; n /= 2)
    sums = sums.slice(0, n).map((s, lane) => f(s + (sums[n + lane] as number)));
  return e.map((v) => {
    const share = f(f(v / (sums[0] as number)) * 255);
    const floor = Math.floor(share);
    return share - floor === 0.5 ? floor + (floor % 2) : Math.round(share);
  });
}

group(12, () => {
  describe.each(["i8", "u8"] as const)("%s", (name) => {
    const dtype = DTYPES[name];
    test.each([
      ["integers", integerSoftmax(dtype, dtype.min), integerTruth],
      ["floats", floatSoftmax(dtype), floatTruth],
    ] as const)("in %s", (_, softmax, truth) => {
      for (const values of [anyValues, samples])
        for (const [rows, columns] of SHAPES) {
          const x = values(name, rows * columns);
          const want = Array.from({ length: rows }, (_v, r) =>
            truth(x.slice(r * columns, (r + 1) * columns)),
          ).flat();
          for (const machine of TILES) {
            const out = zeros("u8", rows * columns);
            execute(softmax, [out, hostArray(name, x), rows, columns], machine);
            expectNumbers("u8", out, want);
          }
        }
    });
  });
});
