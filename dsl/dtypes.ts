/** Dtypes as an author sees them: a value and a type under one name, `ptr(f32)` and `Ptr<f32>`. */

import { ALL_DTYPES, DTYPES, type DTypeName } from "../ir/dtype.ts";
import { INSPECT } from "./ir.ts";

export class DType<N extends DTypeName = DTypeName> {
  readonly name: N;
  /** Width of a value in memory. */
  readonly bits: 4 | 8 | 16 | 32;
  /** Distance from one element to the next; half a byte for i4 and u4. */
  readonly bytes: 0.5 | 1 | 2 | 4;
  readonly min: number;
  readonly max: number;
  /** Position in ALL_DTYPES: the key of per-dtype tables on hot paths. */
  readonly index: number;
  constructor(name: N) {
    const info = DTYPES[name];
    this.name = name;
    this.bits = info.bits;
    this.bytes = info.bytes;
    this.min = info.min;
    this.max = info.max;
    this.index = ALL_DTYPES.indexOf(name);
    Object.freeze(this);
  }
  toString(): string {
    return this.name;
  }
  [INSPECT](): string {
    return this.name;
  }
}

export type i8 = DType<"i8">;
export type u8 = DType<"u8">;
export type i16 = DType<"i16">;
export type u16 = DType<"u16">;
export type i32 = DType<"i32">;
export type u32 = DType<"u32">;
export type f16 = DType<"f16">;
export type bf16 = DType<"bf16">;
export type f32 = DType<"f32">;
export type bool = DType<"bool">;
export type i4 = DType<"i4">;
export type u4 = DType<"u4">;
export type f8e4m3 = DType<"f8e4m3">;
export type f8e5m2 = DType<"f8e5m2">;
export const i8: i8 = new DType("i8");
export const u8: u8 = new DType("u8");
export const i16: i16 = new DType("i16");
export const u16: u16 = new DType("u16");
export const i32: i32 = new DType("i32");
export const u32: u32 = new DType("u32");
export const f16: f16 = new DType("f16");
export const bf16: bf16 = new DType("bf16");
export const f32: f32 = new DType("f32");
export const bool: bool = new DType("bool");
export const i4: i4 = new DType("i4");
export const u4: u4 = new DType("u4");
export const f8e4m3: f8e4m3 = new DType("f8e4m3");
export const f8e5m2: f8e5m2 = new DType("f8e5m2");

/** Long names, as DTYPES lists them. */
export {
  bf16 as bfloat16,
  bool as boolean,
  f8e4m3 as float8e4m3,
  f8e5m2 as float8e5m2,
  f16 as float16,
  f32 as float32,
  i4 as int4,
  i8 as int8,
  i16 as int16,
  i32 as int32,
  u4 as uint4,
  u8 as uint8,
  u16 as uint16,
  u32 as uint32,
};

export type IntD = i8 | u8 | i16 | u16 | i32 | u32;
export type FloatD = f16 | bf16 | f32;
export type NumD = IntD | FloatD;
/** Dtypes of memory: moved and converted; arithmetic is done in another dtype. */
export type StorageD = i4 | u4 | f8e4m3 | f8e5m2;
/** The dtypes of vectors. */
export type VecD = NumD | StorageD;
export type AnyD = VecD | bool;

const BY_NAME: { readonly [K in DTypeName]: DType<K> } = {
  ...{ i8, u8, i16, u16, i32, u32, f16, bf16, f32, bool },
  ...{ i4, u4, f8e4m3, f8e5m2 },
};
export function dtypeOf<N extends DTypeName>(name: N): DType<N> {
  return BY_NAME[name];
}
