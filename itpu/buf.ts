/** What the unit's memory holds: an array with its shape and dtype under a name. */
import { fail } from "../ir/diagnostic.ts";

/** Host arrays by dtype. */
const ARRAYS = {
  f32: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
  i16: Int16Array,
  u16: Uint16Array,
  i8: Int8Array,
  u8: Uint8Array,
} as const;
export type BufDType = keyof typeof ARRAYS;
export const BUF_DTYPES = Object.keys(ARRAYS) as readonly BufDType[];
export type BufData =
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

export const isBufDType = (name: unknown): name is BufDType => BUF_DTYPES.some((d) => d === name);
export const elementsOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);
export const shapeText = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/** Zeros of a dtype. */
export function zerosOf(dtype: BufDType, length: number): BufData {
  return new ARRAYS[dtype](length);
}

/**
 * A buffer of a graph. One that an op writes has its shape from the beginning and its values after `run()`.
 * @example graph.buffer("x", Float32Array.of(1, 2, 3)).shape // [3]
 */
export class Buf {
  readonly name: string;
  readonly dtype: BufDType;
  readonly shape: readonly number[];
  readonly #data: BufData;
  #ready: boolean;

  constructor(name: string, dtype: BufDType, shape: readonly number[], data?: BufData) {
    this.name = name;
    this.dtype = dtype;
    this.shape = shape;
    this.#data = data ?? zerosOf(dtype, elementsOf(shape));
    this.#ready = data !== undefined;
  }

  /** Whether it has its values. */
  get ready(): boolean {
    return this.#ready;
  }
  /**
   * The elements, row by row.
   * @throws KPU9102 while no run has written them
   */
  get data(): BufData {
    if (this.#ready) return this.#data;
    return fail("KPU9102", `buffer "${this.name}" has no values yet`, { help: "call run() first" });
  }
  /** Takes its values, once. */
  fill(values: BufData): void {
    this.#data.set(values);
    this.#ready = true;
  }
}

/** What `buffer()` takes: an array of one of the dtypes, or numbers that are rounded to f32. */
export type BufSource = BufData | Float64Array | readonly number[];

/**
 * Values as the unit's memory holds them. Float64 and plain numbers are rounded to f32.
 * @throws KPU9105 a number beyond f32
 */
export function storedValues(
  name: string,
  values: BufSource,
): { readonly dtype: BufDType; readonly data: BufData } {
  const dtype = BUF_DTYPES.find((d) => values instanceof ARRAYS[d]);
  if (dtype !== undefined) return { dtype, data: values as BufData };
  const data = Float32Array.from(values);
  const lost = data.findIndex((v, i) => !Number.isFinite(v) && Number.isFinite(values[i]));
  if (lost >= 0)
    fail("KPU9105", `buffer "${name}": element ${lost}, ${values[lost]}, is beyond the range of f32`, {
      help: "scale the samples first",
    });
  return { dtype: "f32", data };
}
