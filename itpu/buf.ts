/** What the unit's memory holds: an array with its shape and dtype under a name. */
import { fail } from "../ir/diagnostic.ts";
import type { DTypeName } from "../ir/dtype.ts";
import { HOST_ARRAYS, type HostElements, hostZeros } from "../ir/elements.ts";

/** Dtypes of buffers: those whose elements are numbers on the host too. */
export const BUF_DTYPES = [
  "f32",
  "i32",
  "u32",
  "i16",
  "u16",
  "i8",
  "u8",
] as const satisfies readonly DTypeName[];
export type BufDType = (typeof BUF_DTYPES)[number];

export const elementsOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);
export const shapeText = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/**
 * A buffer of a graph. One that an op writes has its shape from the beginning and its values after `run()`.
 * @example graph.buffer("x", Float32Array.of(1, 2, 3)).shape // [3]
 */
export class Buf {
  readonly name: string;
  readonly dtype: BufDType;
  readonly shape: readonly number[];
  readonly #data: HostElements;
  #ready: boolean;

  constructor(name: string, dtype: BufDType, shape: readonly number[], data?: HostElements) {
    this.name = name;
    this.dtype = dtype;
    this.shape = shape;
    this.#data = data ?? hostZeros(dtype, elementsOf(shape));
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
  get data(): HostElements {
    if (this.#ready) return this.#data;
    return fail("KPU9102", `buffer "${this.name}" has no values yet`, { help: "call run() first" });
  }
  /** Takes its values, once. */
  fill(values: HostElements): void {
    this.#data.set(values);
    this.#ready = true;
  }
}

/** What `buffer()` takes: an array of one of the dtypes, or numbers that are rounded to f32. */
export type BufSource = HostElements | Float64Array | readonly number[];

/**
 * Values as the unit's memory holds them. Float64 and plain numbers are rounded to f32.
 * @throws KPU9105 a number beyond f32
 */
export function storedValues(
  name: string,
  values: BufSource,
): { readonly dtype: BufDType; readonly data: HostElements } {
  for (const dtype of BUF_DTYPES) {
    const array = HOST_ARRAYS[dtype];
    if (values instanceof array) return { dtype, data: values };
  }
  const data = Float32Array.from(values);
  const lost = data.findIndex((v, i) => !Number.isFinite(v) && Number.isFinite(values[i]));
  if (lost >= 0)
    fail("KPU9105", `buffer "${name}": element ${lost}, ${values[lost]}, is beyond the range of f32`, {
      help: "scale the samples first",
    });
  return { dtype: "f32", data };
}
