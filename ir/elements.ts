/**
 * Elements in memory: the exact number that the bytes at an address hold, for every dtype. Little endian, at any byte
 * offset; 4-bit elements also at a half: the one at 3.5 is the high half of byte 3. Every NaN is stored as the quiet NaN of `toBits`.
 */
import { fromBits, storeRule, toBits } from "./convert.ts";
import { bytesOf, DTYPES, type DTypeName, type Float8DType, type PackedDType } from "./dtype.ts";

interface ElementAccess {
  readonly read: (view: DataView, at: number) => number;
  /** Writes a value of the dtype. */
  readonly write: (view: DataView, at: number, value: number) => void;
}

const bits16 = (dtype: "f16" | "bf16"): ElementAccess => ({
  read: (v, at) => fromBits(dtype, v.getUint16(at, true)),
  write: (v, at, x) => v.setUint16(at, toBits(dtype, x), true),
});

const bits8 = (dtype: Float8DType): ElementAccess => ({
  read: (v, at) => fromBits(dtype, v.getUint8(at)),
  write: (v, at, x) => v.setUint8(at, toBits(dtype, x)),
});

const bits4 = (dtype: PackedDType): ElementAccess => ({
  read: (v, at) => fromBits(dtype, v.getUint8(Math.floor(at)) >> shiftAt(at)),
  write: (v, at, x) => {
    const byte = Math.floor(at);
    const shift = shiftAt(at);
    v.setUint8(byte, (v.getUint8(byte) & (0xf0 >> shift)) | (toBits(dtype, x) << shift));
  },
});
/** Where a 4-bit element stands in its byte. */
const shiftAt = (at: number): 0 | 4 => (Number.isInteger(at) ? 0 : 4);

const ACCESS: { readonly [K in DTypeName]: ElementAccess } = {
  i8: { read: (v, at) => v.getInt8(at), write: (v, at, x) => v.setInt8(at, x) },
  u8: { read: (v, at) => v.getUint8(at), write: (v, at, x) => v.setUint8(at, x) },
  i16: { read: (v, at) => v.getInt16(at, true), write: (v, at, x) => v.setInt16(at, x, true) },
  u16: { read: (v, at) => v.getUint16(at, true), write: (v, at, x) => v.setUint16(at, x, true) },
  i32: { read: (v, at) => v.getInt32(at, true), write: (v, at, x) => v.setInt32(at, x, true) },
  u32: { read: (v, at) => v.getUint32(at, true), write: (v, at, x) => v.setUint32(at, x, true) },
  f16: bits16("f16"),
  bf16: bits16("bf16"),
  f32: {
    read: (v, at) => v.getFloat32(at, true),
    write: (v, at, x) => v.setUint32(at, toBits("f32", x), true),
  },
  bool: {
    read: (v, at) => (v.getUint8(at) === 0 ? 0 : 1),
    write: (v, at, x) => v.setUint8(at, x === 0 ? 0 : 1),
  },
  i4: bits4("i4"),
  u4: bits4("u4"),
  f8e4m3: bits8("f8e4m3"),
  f8e5m2: bits8("f8e5m2"),
};

/** The exact value of the element at byte `at`; a RangeError beyond the view, which is the caller's bug. */
export function readElement(dtype: DTypeName, view: DataView, at: number): number {
  return ACCESS[dtype].read(view, at);
}

/** Writes a value of the dtype at byte `at`. Use {@link storeElement} for any other number. */
export function writeElement(dtype: DTypeName, view: DataView, at: number, value: number): void {
  ACCESS[dtype].write(view, at, value);
}

/** Writes any number by the dtype's store rule: integers wrap, floats round, bool takes truthiness. */
export function storeElement(dtype: DTypeName, view: DataView, at: number, value: number): void {
  ACCESS[dtype].write(view, at, storeRule(dtype)(value));
}

/** `count` elements from byte `at`; `stride` counts elements from one to the next. */
export function readElements(
  dtype: DTypeName,
  view: DataView,
  at: number,
  count: number,
  stride = 1,
): number[] {
  const { read } = ACCESS[dtype];
  const step = DTYPES[dtype].bytes * stride;
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(read(view, at + i * step));
  return values;
}

/** Writes values of the dtype from byte `at` on. */
export function writeElements(
  dtype: DTypeName,
  view: DataView,
  at: number,
  values: readonly number[],
  stride = 1,
): void {
  const { write } = ACCESS[dtype];
  const step = DTYPES[dtype].bytes * stride;
  for (const [i, x] of values.entries()) write(view, at + i * step, x);
}

/** The typed arrays that hold elements on the host: floats below 32 bits as bit patterns, bool as bytes, i4 and u4 two to a byte. */
export type HostElements =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array;

export const HOST_ARRAYS: { readonly [K in DTypeName]: new (length: number) => HostElements } = {
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

/** A host array of `length` zeros. */
export function hostZeros(dtype: DTypeName, length: number): HostElements {
  return new HOST_ARRAYS[dtype](bytesOf(dtype, length) / Math.max(1, DTYPES[dtype].bytes));
}

/** A host array of a dtype: `hostArray("f16", [1, 2])` is a Uint16Array with the bits of 1 and 2. Values are stored by the store rule. */
export function hostArray(dtype: DTypeName, values: readonly number[]): HostElements {
  const array = hostZeros(dtype, values.length);
  const view = new DataView(array.buffer);
  for (const [i, x] of values.entries()) storeElement(dtype, view, i * DTYPES[dtype].bytes, x);
  return array;
}
