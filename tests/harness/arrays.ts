/** Data for kernel tests: sizes with edges, deterministic numbers, and exact comparison of arrays. */
import { bf16, type DTypeName, f16, f32, i8, i16, i32, u8, u16, u32 } from "kpu-dsl";
import { expect } from "vitest";
import { BF16, E4M3, E5M2, F16 } from "./floats.ts";

/** 0, 1, around a register of 8 lanes, around the edges of tiles, a large prime. */
export const SIZES = [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 997];

/** 0, 1, around one and two registers, around the edges of parts of 2, 5 and 32 tiles, a large prime. */
export function sizesAround(lanes: number): number[] {
  const sizes = [0, 1, lanes - 1, lanes, lanes + 1, 2 * lanes - 1, 2 * lanes, 2 * lanes + 1, 31, 32, 33, 997];
  return [...new Set(sizes)].sort((a, b) => a - b);
}

/** Tile counts: one, the usual two, more than divide evenly, more than there are elements. One program serves all. */
export const TILES = [1, 2, 5, 32].map((tiles) => ({ target: "t64", tiles }) as const);

export type HostArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array;

const ARRAYS: { readonly [K in DTypeName]: new (n: number) => HostArray } = {
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  f32: Float32Array,
  bool: Uint8Array,
  i4: Uint8Array,
  u4: Uint8Array,
  f8e4m3: Uint8Array,
  f8e5m2: Uint8Array,
};
const SMALL_FLOATS: { readonly [K in DTypeName]?: typeof F16 } = {
  f16: F16,
  bf16: BF16,
  f8e4m3: E4M3,
  f8e5m2: E5M2,
};

export const NUMERIC = ["i8", "u8", "i16", "u16", "i32", "u32", "f16", "bf16", "f32"] as const;
export const INTEGERS = ["i8", "u8", "i16", "u16", "i32", "u32"] as const;
export const FLOATS = ["f16", "bf16", "f32"] as const;

/** The author's dtypes by name. */
export const DTYPES = { i8, u8, i16, u16, i32, u32, f16, bf16, f32 } as const;
export type NumericName = keyof typeof DTYPES;
export type IntegerName = (typeof INTEGERS)[number];
export type FloatName = (typeof FLOATS)[number];

export const isFloatName = (name: DTypeName): name is FloatName =>
  name === "f16" || name === "bf16" || name === "f32";

/** The values where arithmetic has corners: extremes, zeros, infinities, NaN, the smallest subnormal. */
export function corners(dtype: NumericName): number[] {
  if (isFloatName(dtype)) {
    const [largest, smallest] = {
      f16: [65504, 2 ** -24] as const,
      bf16: [2 ** 128 - 2 ** 120, 2 ** -133] as const,
      f32: [2 ** 128 - 2 ** 104, 2 ** -149] as const,
    }[dtype];
    return [
      0,
      -0,
      1,
      -1,
      0.5,
      1.5,
      -2.5,
      largest,
      -largest,
      smallest,
      -smallest,
      Infinity,
      -Infinity,
      Number.NaN,
    ];
  }
  const bits = DTYPES[dtype].bits;
  return dtype.startsWith("u")
    ? [0, 1, 2, 3, bits, 2 ** (bits - 1) - 1, 2 ** (bits - 1), 2 ** bits - 2, 2 ** bits - 1]
    : [
        0,
        1,
        -1,
        2,
        -2,
        bits,
        -(2 ** (bits - 1)),
        1 - 2 ** (bits - 1),
        2 ** (bits - 1) - 2,
        2 ** (bits - 1) - 1,
      ];
}

/** Corners and numbers over the whole range of integers, near 0 for floats, in a fixed order. */
export function anyValues(dtype: NumericName, count: number, salt = 0): number[] {
  const edge = corners(dtype);
  return Array.from({ length: count }, (_, i) => {
    const h = Math.imul(i + 1 + salt * 7919, 0x9e3779b1) >>> 0;
    if (h % 3 === 0) return edge[(h >>> 8) % edge.length] as number;
    return held(dtype, isFloatName(dtype) ? (h - 2 ** 31) / 2 ** 25 : h);
  });
}

/** What a store of an exact number leaves in memory: ground truth, not the project's table. */
export function held(dtype: DTypeName, x: number): number {
  const float = SMALL_FLOATS[dtype];
  if (float !== undefined) return float.round(x);
  if (dtype === "bool") return x ? 1 : 0;
  if (dtype === "u4" || dtype === "i4") {
    const low = ((x % 16) + 16) % 16;
    return dtype === "i4" && low > 7 ? low - 16 : low;
  }
  const one = new ARRAYS[dtype](1);
  one[0] = x;
  return one[0] as number;
}

/** A host array of numbers: bit patterns for floats below 32 bits, two 4-bit integers to a byte, the first one low. */
export function hostArray(dtype: DTypeName, values: ArrayLike<number>): HostArray {
  const list = Array.from(values);
  if (dtype === "u4" || dtype === "i4") {
    const nibble = (i: number): number => (((list[i] ?? 0) % 16) + 16) % 16;
    return Uint8Array.from(
      { length: Math.ceil(list.length / 2) },
      (_, b) => nibble(2 * b) + 16 * nibble(2 * b + 1),
    );
  }
  const float = SMALL_FLOATS[dtype];
  const out: HostArray = new ARRAYS[dtype](list.length);
  for (const [i, x] of list.entries()) out[i] = float === undefined ? x : float.bits(x);
  return out;
}

/** The elements of a host array; of i4 and u4 two per byte. */
export function numbersOf(dtype: DTypeName, array: HostArray): number[] {
  if (dtype === "u4" || dtype === "i4") {
    const signed = (x: number): number => (dtype === "i4" && x > 7 ? x - 16 : x);
    return Array.from(array).flatMap((b) => {
      const byte = (b + 256) % 256;
      return [signed(byte % 16), signed(Math.floor(byte / 16))];
    });
  }
  const float = SMALL_FLOATS[dtype];
  return Array.from(array, (x) => (float === undefined ? x : float.value(x)));
}

/** Numbers that any dtype holds exactly after `held`: small, signed where the dtype is, some fractions for floats. */
export function samples(dtype: DTypeName, count: number, salt = 0): number[] {
  const float = dtype === "f32" || SMALL_FLOATS[dtype] !== undefined;
  return Array.from({ length: count }, (_, i) => {
    const h = Math.imul(i + 1 + salt * 7919, 0x9e3779b1) >>> 8;
    const x = (h % 251) - 125;
    return held(dtype, float ? x / 8 : dtype.startsWith("u") ? Math.abs(x) : x);
  });
}

/** `count` exact values of a float dtype: zeros, infinities, NaN, subnormals, limits, and others of every size. */
export function floats(dtype: "f16" | "bf16" | "f32", count: number, salt = 0): number[] {
  const [tiny, max] = { f16: [2 ** -24, 65504], bf16: [2 ** -133, 2 ** 127], f32: [2 ** -149, 2 ** 127] }[
    dtype
  ] as [number, number];
  const edges = [0, -0, Infinity, -Infinity, Number.NaN, tiny, -tiny, max, -max, 1, -1, 0.5, 3 * tiny, 1024];
  return Array.from({ length: count }, (_, i) => {
    const h = Math.imul(Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca6b), 0xc2b2ae35) >>> 0;
    if (h % 3 === 0) return edges[(h >>> 8) % edges.length] as number;
    return held(dtype, (((h >>> 12) % 8191) - 4095) * 2 ** (((h >>> 4) % 31) - 15));
  });
}

/** Exact: -0 and NaN included. */
export function expectNumbers(dtype: DTypeName, got: HostArray, want: readonly number[]): void {
  const numbers = numbersOf(dtype, got);
  for (let i = 0; i < Math.max(numbers.length, want.length); i++) {
    if (!Object.is(numbers[i], want[i]))
      expect({ at: i, value: numbers[i] }).toEqual({ at: i, value: want[i] });
  }
}

export function zeros(dtype: DTypeName, n: number): HostArray {
  return new ARRAYS[dtype](n);
}

/** The same bytes, NaN payloads included. */
export function expectBits(got: HostArray, want: HostArray): void {
  const bytes = (a: HostArray): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
  if (Buffer.compare(bytes(got), bytes(want)) !== 0) expect(got).toEqual(want);
}
