/** Host arrays in files, by extension: .npy, .json (nested arrays), .png (u8). Reading needs the dtype that is wanted. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { extname } from "node:path";
import { PNG } from "pngjs";
import { fail } from "../ir/diagnostic.ts";
import { DTYPES, type DTypeName, isPacked, isStorage } from "../ir/dtype.ts";
import { type HostElements, hostZeros, readElement, storeElement } from "../ir/elements.ts";
import { type NdArray, type NpyType, readNpy, writeNpy } from "./npy.ts";

/**
 * An array of a dtype: floats below 32 bits as bit patterns, bool as bytes, 4-bit integers two to a byte. `shape` counts elements.
 * Zeros are made when `data` is first asked for: what is only timed needs the shape alone.
 */
export interface HostData {
  readonly dtype: DTypeName;
  readonly shape: readonly number[];
  readonly data: HostElements;
}

export const isDataFile = (name: string): boolean =>
  [".npy", ".json", ".png"].includes(extname(name).toLowerCase());

export function zeros(dtype: DTypeName, shape: readonly number[]): HostData {
  let made: HostElements | undefined;
  return {
    dtype,
    shape,
    get data() {
      made ??= madeZeros(dtype, shape);
      return made;
    },
  };
}

function madeZeros(dtype: DTypeName, shape: readonly number[]): HostElements {
  try {
    return hostZeros(
      dtype,
      shape.reduce((n, d) => n * d, 1),
    );
  } catch {
    return fail("KPU6002", `an array of ${shape.join("x")} ${dtype} does not fit into memory`);
  }
}

export function readData(file: string, dtype: DTypeName): HostData {
  const bytes = readBytes(file);
  switch (extname(file).toLowerCase()) {
    case ".npy":
      return fromNpy(readNpy(bytes, file), dtype, file);
    case ".json":
      return fromJson(bytes, dtype, file);
    case ".png":
      return fromPng(bytes, dtype, file);
  }
  return fail("KPU7005", `${file}: expected .npy, .json or .png`);
}

export function writeData(file: string, array: HostData): void {
  writeWhole(file, encoded(file, array));
}

/** What a file of this name holds for an array. @throws KPU7005 for what such a file cannot hold */
export function encoded(file: string, array: HostData): string | Uint8Array {
  switch (extname(file).toLowerCase()) {
    case ".npy":
      return writeNpy({
        type: npyType(array.dtype),
        shape: isPacked(array.dtype) ? [array.data.length] : array.shape,
        data: array.data,
      });
    case ".json":
      return `${JSON.stringify(nested(array))}\n`;
    case ".png":
      return toPng(array, file);
  }
  return fail("KPU7005", `${file}: expected .npy, .json or .png`);
}

export function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    return fail("KPU8002", `${file}: ${reasonOf(error, "no such file")}`);
  }
}

/** Why the system refused a file, in words. */
function reasonOf(error: unknown, missing: string): string {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: missing,
    ENOTDIR: missing,
    EISDIR: "it is a folder",
    EACCES: "no permission",
    EPERM: "no permission",
    EROFS: "the disk is read-only",
    ENOSPC: "the disk is full",
  };
  const { code, message } = error as NodeJS.ErrnoException;
  return reasons[code ?? ""] ?? message;
}

export interface Output {
  readonly file: string;
  readonly content: string | Uint8Array;
}

/** All or nothing: a reader never sees half a file. */
export function writeWhole(file: string, content: string | Uint8Array): void {
  writeAll([{ file, content }]);
}

/** Several files, all or none: each is whole beside its place before the first one takes it. */
export function writeAll(outputs: readonly Output[]): void {
  const partial = (file: string): string => `${file}.${process.pid}.partial`;
  const attempt = ({ file }: Output, write: () => void): void => {
    try {
      write();
    } catch (error) {
      for (const o of outputs) rmSync(partial(o.file), { force: true });
      fail("KPU8002", `${file}: cannot be written: ${reasonOf(error, "there is no such folder")}`);
    }
  };
  const made = outputs.map(({ file, content }) => ({ file, content }));
  for (const o of made) attempt(o, () => writeFileSync(partial(o.file), o.content));
  for (const o of outputs) attempt(o, () => renameSync(partial(o.file), o.file));
}

const npyType = (dtype: DTypeName): NpyType => DTYPES[dtype].npy.slice(1) as NpyType;

function fromNpy(array: NdArray, dtype: DTypeName, file: string): HostData {
  if (array.type !== npyType(dtype)) {
    fail("KPU6001", `${file}: expected ${dtype} (NumPy ${DTYPES[dtype].npy}), got NumPy ${array.type}`, {
      help:
        dtype === "bf16"
          ? "bf16 travels as its 16-bit words: uint16"
          : isStorage(dtype)
            ? `${dtype} travels as its bytes: a.view(numpy.${npyType(dtype) === "i1" ? "int8" : "uint8"})`
            : `save it with .astype('${DTYPES[dtype].npy.slice(1)}')`,
    });
  }
  if (!isPacked(dtype)) return { dtype, shape: array.shape, data: array.data };
  // The file has bytes; the parameter's elements are twice as many.
  return { dtype, shape: [2 * array.data.length], data: array.data };
}

/** NumPy's own limit. */
const MOST_DIMENSIONS = 64;
/** JSON has no NaN and no infinities: they are the strings "NaN", "Infinity", "-Infinity". */
const SPECIAL: Readonly<Record<string, number>> = { NaN, Infinity, "-Infinity": -Infinity, "-0": -0 };

function fromJson(bytes: Uint8Array, dtype: DTypeName, file: string): HostData {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    return fail("KPU7005", `${file}: ${(error as Error).message}`);
  }
  const shape: number[] = [];
  for (let v = value; Array.isArray(v); v = v[0]) {
    if (shape.push(v.length) > MOST_DIMENSIONS)
      return fail("KPU7005", `${file}: arrays are nested more than ${MOST_DIMENSIONS} deep`);
  }
  if (shape.length === 0) return fail("KPU7005", `${file}: expected an array of numbers`);
  const array = zeros(dtype, shape);
  const view = new DataView(array.data.buffer);
  let next = 0;
  const fill = (v: unknown, depth: number): void => {
    if (depth < shape.length) {
      if (!Array.isArray(v) || v.length !== shape[depth])
        fail("KPU7005", `${file}: rows have different lengths`);
      for (const element of v) fill(element, depth + 1);
    } else storeElement(dtype, view, next++ * DTYPES[dtype].bytes, element(v, dtype, file));
  };
  fill(value, 0);
  return array;
}

function element(v: unknown, dtype: DTypeName, file: string): number {
  const info = DTYPES[dtype];
  const x = typeof v === "string" && Object.hasOwn(SPECIAL, v) ? (SPECIAL[v] as number) : v;
  if (dtype === "bool" && typeof x === "boolean") return Number(x);
  if (typeof x !== "number") return fail("KPU7005", `${file}: expected a number, got ${JSON.stringify(v)}`);
  if (info.kind !== "float" && !(Number.isInteger(x) && x >= info.min && x <= info.max)) {
    return fail("KPU7005", `${file}: ${x} does not fit ${dtype}`);
  }
  return x;
}

function nested({ dtype, shape, data }: HostData): unknown {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let next = 0;
  const shown = (x: number): unknown => {
    if (dtype === "bool") return x !== 0;
    return Number.isFinite(x) && !Object.is(x, -0) ? x : Object.is(x, -0) ? "-0" : String(x);
  };
  const build = (depth: number): unknown =>
    depth === shape.length
      ? shown(readElement(dtype, view, next++ * DTYPES[dtype].bytes))
      : Array.from({ length: shape[depth] as number }, () => build(depth + 1));
  return build(0);
}

/** Pixels as [height, width], or [height, width, 3 or 4]. */
function fromPng(bytes: Uint8Array, dtype: DTypeName, file: string): HostData {
  if (dtype !== "u8") fail("KPU6001", `${file}: a PNG holds u8, the parameter is ${dtype}`);
  let png: PNG & { readonly colorType?: number; readonly depth?: number };
  try {
    png = PNG.sync.read(Buffer.from(bytes));
  } catch (error) {
    return fail("KPU7005", `${file}: ${(error as Error).message}`);
  }
  if ((png.depth ?? 8) > 8) {
    fail("KPU7005", `${file}: expected 8 bits per channel, got ${png.depth}`, {
      help: "save it as an 8-bit PNG",
    });
  }
  const channels = png.colorType === 0 ? 1 : (png.colorType ?? 6) & 4 ? 4 : 3;
  const pixels = png.width * png.height;
  const data = new Uint8Array(pixels * channels);
  for (let p = 0; p < pixels; p++)
    for (let c = 0; c < channels; c++) data[p * channels + c] = png.data[p * 4 + c] as number;
  return { dtype, shape: channels === 1 ? [png.height, png.width] : [png.height, png.width, channels], data };
}

const COLOR_TYPE: Readonly<Record<number, 0 | 2 | 6>> = { 1: 0, 3: 2, 4: 6 };

function toPng({ dtype, shape, data }: HostData, file: string): Uint8Array {
  const [height = 0, width = 0, channels = 1] = shape;
  const colorType = COLOR_TYPE[channels];
  if (dtype !== "u8" || shape.length < 2 || shape.length > 3 || colorType === undefined) {
    return fail(
      "KPU7005",
      `${file}: a PNG needs u8 of shape height x width, or height x width x 3 or 4; got ${dtype} ${shape.join("x")}`,
      {
        help: "give the shape: --out name=file.png:480x640",
      },
    );
  }
  const png = new PNG({ width, height });
  for (let p = 0; p < width * height; p++) {
    for (let c = 0; c < 3; c++) png.data[p * 4 + c] = data[p * channels + (channels === 1 ? 0 : c)] as number;
    png.data[p * 4 + 3] = channels === 4 ? (data[p * 4 + 3] as number) : 255;
  }
  return PNG.sync.write(png, { colorType, inputHasAlpha: true });
}
