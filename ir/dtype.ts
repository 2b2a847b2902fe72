/**
 * The dtypes of the KPU and the facts every other table is derived from.
 *
 * A value of any dtype is held in JavaScript as an exact `number` (bool as 0 or 1): all of them fit in a
 * float64, so one representation serves memory, vectors, constants and tests.
 */

export type IntDType = "i8" | "u8" | "i16" | "u16" | "i32" | "u32";
export type FloatDType = "f16" | "bf16" | "f32";
/** Two elements share a byte: element 0 is the low half of byte 0, element 1 its high half. */
export type PackedDType = "i4" | "u4";
export type Float8DType = "f8e4m3" | "f8e5m2";
/** Dtypes of memory: they are moved and converted, and arithmetic is done in another dtype. */
export type StorageDType = PackedDType | Float8DType;
export type DTypeName = IntDType | FloatDType | "bool" | StorageDType;

export interface DTypeInfo {
  readonly name: DTypeName;
  readonly kind: "int" | "float" | "bool";
  /** Width of a value in memory, in bits. A bool is one byte in memory. */
  readonly bits: 4 | 8 | 16 | 32;
  /** Distance from one element to the next, in bytes. The size of `n` elements is {@link bytesOf}. */
  readonly bytes: 0.5 | 1 | 2 | 4;
  /** Width of a register lane, in bits. */
  readonly laneBits: 8 | 16 | 32;
  readonly signed: boolean;
  /** Smallest and largest finite value. */
  readonly min: number;
  readonly max: number;
  /** Long names that mean the same dtype. */
  readonly aliases: readonly string[];
  /** Host arrays that may be passed for a pointer to this dtype; the first is what the runtime allocates. */
  readonly hostArrays: readonly string[];
  /** NumPy type descriptor used in .npy files; bf16 has none and travels as raw 16-bit words. */
  readonly npy: string;
}

const F16_MAX = 65504;
const BF16_MAX = 2 ** 127 * (2 - 2 ** -7);
const F32_MAX = 2 ** 127 * (2 - 2 ** -23);
/** OCP 8-bit Floating Point Specification (OFP8) 1.0, table 1. */
const F8E4M3_MAX = 448;
const F8E5M2_MAX = 57344;

function int(
  name: IntDType | PackedDType,
  bits: 4 | 8 | 16 | 32,
  signed: boolean,
  alias: string,
  hostArrays: readonly string[],
): DTypeInfo {
  const bytes = (bits / 8) as DTypeInfo["bytes"];
  const laneBits = bits === 4 ? 8 : bits;
  const min = signed ? -(2 ** (bits - 1)) : 0;
  const max = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  const npy = `${bytes <= 1 ? "|" : "<"}${signed ? "i" : "u"}${Math.ceil(bytes)}`;
  return { name, kind: "int", bits, bytes, laneBits, signed, min, max, aliases: [alias], hostArrays, npy };
}

function float(
  name: FloatDType | Float8DType,
  bits: 8 | 16 | 32,
  max: number,
  alias: string,
  hostArrays: readonly string[],
  npy: string,
): DTypeInfo {
  const bytes = (bits / 8) as DTypeInfo["bytes"];
  const range = { signed: true, min: -max, max };
  return { name, kind: "float", bits, bytes, laneBits: bits, ...range, aliases: [alias], hostArrays, npy };
}

export const DTYPES: { readonly [K in DTypeName]: DTypeInfo } = {
  i8: int("i8", 8, true, "int8", ["Int8Array"]),
  u8: int("u8", 8, false, "uint8", ["Uint8Array", "Uint8ClampedArray"]),
  i16: int("i16", 16, true, "int16", ["Int16Array"]),
  u16: int("u16", 16, false, "uint16", ["Uint16Array"]),
  i32: int("i32", 32, true, "int32", ["Int32Array"]),
  u32: int("u32", 32, false, "uint32", ["Uint32Array"]),
  f16: float("f16", 16, F16_MAX, "float16", ["Uint16Array", "Float16Array"], "<f2"),
  bf16: float("bf16", 16, BF16_MAX, "bfloat16", ["Uint16Array"], "<u2"),
  f32: float("f32", 32, F32_MAX, "float32", ["Float32Array"], "<f4"),
  bool: {
    name: "bool",
    kind: "bool",
    bits: 8,
    bytes: 1,
    laneBits: 8,
    signed: false,
    min: 0,
    max: 1,
    aliases: ["boolean"],
    hostArrays: ["Uint8Array"],
    npy: "|b1",
  },
  i4: int("i4", 4, true, "int4", ["Uint8Array", "Int8Array"]),
  u4: int("u4", 4, false, "uint4", ["Uint8Array"]),
  f8e4m3: float("f8e4m3", 8, F8E4M3_MAX, "float8e4m3", ["Uint8Array"], "|u1"),
  f8e5m2: float("f8e5m2", 8, F8E5M2_MAX, "float8e5m2", ["Uint8Array"], "|u1"),
};

export const INTS: readonly IntDType[] = ["i8", "u8", "i16", "u16", "i32", "u32"];
export const FLOATS: readonly FloatDType[] = ["f16", "bf16", "f32"];
/** The dtypes that arithmetic is defined for. */
export const NUMERIC: readonly (IntDType | FloatDType)[] = [...INTS, ...FLOATS];
export const PACKED: readonly PackedDType[] = ["i4", "u4"];
export const FLOATS8: readonly Float8DType[] = ["f8e4m3", "f8e5m2"];
export const STORAGE: readonly StorageDType[] = [...PACKED, ...FLOATS8];
/** The dtypes of vectors; a vector of bool is a mask. */
export const VECTORS: readonly Exclude<DTypeName, "bool">[] = [...NUMERIC, ...STORAGE];
export const ALL_DTYPES: readonly DTypeName[] = [...NUMERIC, "bool", ...STORAGE];
/** The dtypes of transfers. */
export const WHOLE_BYTE_DTYPES: readonly DTypeName[] = [...NUMERIC, "bool", ...FLOATS8];

/** An integer dtype that arithmetic is defined for. */
export function isInt(d: DTypeName): d is IntDType {
  return DTYPES[d].kind === "int" && DTYPES[d].bits > 4;
}
/** A float dtype that arithmetic is defined for. */
export function isFloat(d: DTypeName): d is FloatDType {
  return DTYPES[d].kind === "float" && DTYPES[d].bits > 8;
}
export function isPacked(d: DTypeName): d is PackedDType {
  return DTYPES[d].bits === 4;
}
export function isFloat8(d: DTypeName): d is Float8DType {
  return DTYPES[d].kind === "float" && DTYPES[d].bits === 8;
}
export function isStorage(d: DTypeName): d is StorageDType {
  return isPacked(d) || isFloat8(d);
}
/** Its values are integers: those that arithmetic is defined for, and i4 and u4. */
export function hasIntegers(d: DTypeName): d is IntDType | PackedDType {
  return DTYPES[d].kind === "int";
}
/** Its values are floats: those that arithmetic is defined for, and the 8-bit ones. */
export function hasFloats(d: DTypeName): d is FloatDType | Float8DType {
  return DTYPES[d].kind === "float";
}

/** Whole bytes that `n` elements take from the start of a byte on: an odd number of 4-bit elements leaves half a byte over. */
export function bytesOf(d: DTypeName, n: number): number {
  return Math.ceil(n * DTYPES[d].bytes);
}

/** The integer dtype of the same width and the opposite sign: what `outSign` selects. */
export function oppositeSign(d: IntDType): IntDType {
  return (d.startsWith("i") ? `u${d.slice(1)}` : `i${d.slice(1)}`) as IntDType;
}

/**
 * Memory scopes, far to near. `l1` are the stream buffers at the edge of the fabric and `acc` its accumulators: no code
 * reaches their elements, only the commands of the matrix path do (path/operands.ts).
 */
export const SCOPES = ["global", "l3", "l2", "l1", "acc", "local", "private"] as const;
export type Scope = (typeof SCOPES)[number];
/** Scopes whose elements code and the copy engine reach. */
export function isAddressed(scope: Scope): boolean {
  return scope !== "l1" && scope !== "acc";
}
/** Scopes that several tiles can reach, and where races therefore exist. */
export function isShared(scope: Scope): boolean {
  return scope === "global" || scope === "l3";
}
