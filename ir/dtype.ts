/**
 * The dtypes of the KPU and the facts every other table is derived from.
 *
 * A value of any dtype is held in JavaScript as an exact `number` (bool as 0 or 1): all of them fit in a
 * float64, so one representation serves memory, vectors, constants and tests.
 */

export type IntDType = "i8" | "u8" | "i16" | "u16" | "i32" | "u32";
export type FloatDType = "f16" | "bf16" | "f32";
export type DTypeName = IntDType | FloatDType | "bool";

export interface DTypeInfo {
  readonly name: DTypeName;
  readonly kind: "int" | "float" | "bool";
  /** Width in memory and in a register lane, in bits. A bool is one byte in memory. */
  readonly bits: 8 | 16 | 32;
  readonly bytes: 1 | 2 | 4;
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

function int(
  name: IntDType,
  bits: 8 | 16 | 32,
  signed: boolean,
  alias: string,
  host: readonly string[],
): DTypeInfo {
  const bytes = (bits / 8) as 1 | 2 | 4;
  const min = signed ? -(2 ** (bits - 1)) : 0;
  const max = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  const npy = `${bytes === 1 ? "|" : "<"}${signed ? "i" : "u"}${bytes}`;
  return { name, kind: "int", bits, bytes, signed, min, max, aliases: [alias], hostArrays: host, npy };
}

function float(
  name: FloatDType,
  bits: 16 | 32,
  max: number,
  alias: string,
  host: readonly string[],
  npy: string,
): DTypeInfo {
  const bytes = (bits / 8) as 2 | 4;
  return {
    name,
    kind: "float",
    bits,
    bytes,
    signed: true,
    min: -max,
    max,
    aliases: [alias],
    hostArrays: host,
    npy,
  };
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
    signed: false,
    min: 0,
    max: 1,
    aliases: ["boolean"],
    hostArrays: ["Uint8Array"],
    npy: "|b1",
  },
};

export const INTS: readonly IntDType[] = ["i8", "u8", "i16", "u16", "i32", "u32"];
export const FLOATS: readonly FloatDType[] = ["f16", "bf16", "f32"];
export const NUMERIC: readonly (IntDType | FloatDType)[] = [...INTS, ...FLOATS];
export const ALL_DTYPES: readonly DTypeName[] = [...NUMERIC, "bool"];

export function isInt(d: DTypeName): d is IntDType {
  return DTYPES[d].kind === "int";
}
export function isFloat(d: DTypeName): d is FloatDType {
  return DTYPES[d].kind === "float";
}

/** The integer dtype of the same width and the opposite sign: what `outSign` selects. */
export function oppositeSign(d: IntDType): IntDType {
  return (d.startsWith("i") ? `u${d.slice(1)}` : `i${d.slice(1)}`) as IntDType;
}

/** Memory scopes in the order of DESIGN: far to near. */
export const SCOPES = ["global", "l3", "l2", "local", "private"] as const;
export type Scope = (typeof SCOPES)[number];
/** Scopes that several tiles can reach, and where races therefore exist. */
export function isShared(scope: Scope): boolean {
  return scope === "global" || scope === "l3";
}
