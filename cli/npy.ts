/**
 * NumPy .npy files, versions 1.0 to 3.0, for the dtypes of the KPU. Format:
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import { fail } from "../ir/diagnostic.ts";
import type { HostElements } from "../ir/elements.ts";

/** Elements as they lie in a file: floats of 16 bits as bit patterns. */
export interface NdArray {
  /** NumPy descriptor without byte order: `f4`, `u1`, `b1`, ... */
  readonly type: NpyType;
  readonly shape: readonly number[];
  readonly data: HostElements;
}

export type NpyType = keyof typeof READERS;

const READERS = {
  i1: Int8Array,
  u1: Uint8Array,
  b1: Uint8Array,
  i2: Int16Array,
  u2: Uint16Array,
  f2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
  f4: Float32Array,
} as const;

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const ALIGN = 64;

export function readNpy(bytes: Uint8Array, file = "npy data"): NdArray {
  const damaged = (what: string, help?: string): never => fail("KPU7005", `${file}: ${what}`, { help });
  if (bytes.length < 10 || MAGIC.some((b, i) => bytes[i] !== b)) damaged("not a .npy file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const major = bytes[6] as number;
  if (major < 1 || major > 3) damaged(`.npy version ${major} is not known`, "save it with numpy.save");
  const headerStart = major === 1 ? 10 : 12;
  if (bytes.length < headerStart) damaged("truncated in the header");
  const start = headerStart + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (bytes.length < start) damaged("truncated in the header");
  const header = new TextDecoder(major === 3 ? "utf-8" : "latin1").decode(bytes.subarray(headerStart, start));

  const descr =
    /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1] ??
    damaged("has no plain 'descr'", "structured dtypes are not supported");
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1] ?? damaged("has no 'fortran_order'");
  const dims = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header)?.[1] ?? damaged("has no 'shape'");
  const shape = dims
    .split(",")
    .map((d) => d.trim().replace(/L$/, ""))
    .filter((d) => d !== "")
    .map(Number);
  if (!shape.every(Number.isSafeInteger)) damaged(`shape (${dims.trim()}) is no shape`);
  const type = descr.slice(1);
  if (!Object.hasOwn(READERS, type))
    damaged(`dtype ${descr} is not one of the KPU`, "convert it, for example with .astype('float32')");
  const Data = READERS[type as NpyType];
  if (descr.startsWith(">") && Data.BYTES_PER_ELEMENT > 1)
    damaged("is big-endian", "save it with .astype(a.dtype.newbyteorder('<'))");

  const count = shape.reduce((n, d) => n * d, 1);
  const size = count * Data.BYTES_PER_ELEMENT;
  if (!Number.isSafeInteger(size)) damaged(`shape (${shape.join(", ")}) is too large`);
  if (bytes.length - start < size)
    damaged(`truncated: ${count} elements need ${size} bytes, ${bytes.length - start} are there`);
  if (bytes.length - start > size)
    damaged(`has ${bytes.length - start - size} bytes after its ${count} elements`);
  // A copy that starts at 0, so that elements are aligned. (slice of a Node Buffer would not copy.)
  const data = new Data(new Uint8Array(bytes.subarray(start, start + size)).buffer);
  return { type: type as NpyType, shape, data: fortran === "True" ? toRowMajor(data, shape) : data };
}

/** Version 1.0, little-endian, C order: what numpy.save writes. */
export function writeNpy(array: NdArray): Uint8Array {
  const { type, shape, data } = array;
  const order = data.BYTES_PER_ELEMENT === 1 ? "|" : "<";
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dict = `{'descr': '${order}${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + dict.length + 1) / ALIGN) * ALIGN;
  const bytes = new Uint8Array(length + data.byteLength);
  bytes.set(MAGIC);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, length - 10, true);
  bytes.set(new TextEncoder().encode(`${dict.padEnd(length - 11)}\n`), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), length);
  return bytes;
}

/** Fortran order has the first index fastest. */
function toRowMajor<T extends HostElements>(data: T, shape: readonly number[]): T {
  const out = data.slice() as T;
  const index = shape.map(() => 0);
  const strides: number[] = [];
  for (let d = 0, s = 1; d < shape.length; d++) {
    strides.push(s);
    s *= shape[d] as number;
  }
  for (let i = 0; i < data.length; i++) {
    out[i] = data[index.reduce((at, k, d) => at + k * (strides[d] as number), 0)] as number;
    for (let d = shape.length - 1; d >= 0; d--) {
      index[d] = (index[d] as number) + 1;
      if ((index[d] as number) < (shape[d] as number)) break;
      index[d] = 0;
    }
  }
  return out;
}
