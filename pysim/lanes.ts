/**
 * Lanes in memory: how elements of each dtype are read from and written to the bytes of a buffer.
 *
 * V8 keeps type feedback per function text, so one loop shared by all dtypes would see seven kinds of typed arrays and
 * lose its fast path. `lanesOver` therefore evaluates one class text once per dtype; the table below says what
 * differs.
 *
 *   f32, n = 8:  return [one(at), one(at + 1), ...]      a literal: no holes, one allocation
 *   other n:     loop into new Array(n)
 */

import { fromBitsRule, type NumberRule, storeRule, toBitsRule } from "../ir/convert.ts";
import { DTYPES, type DTypeName } from "../ir/dtype.ts";

/** The elements of one dtype of a whole ArrayBuffer. Indices count elements from the start of the ArrayBuffer. */
export interface Lanes {
  get(at: number): number;
  /** Stores any number by the dtype's store rule. */
  set(at: number, x: number): void;
  read(at: number, n: number): number[];
  /** Lane i from element `at + i * stride` where the mask is set; r, or 0, elsewhere. */
  readMasked(at: number, stride: number, mask: readonly number[], r: readonly number[] | undefined): number[];
  /** Stores values that the dtype has. */
  write(at: number, data: readonly number[]): void;
  writeMasked(at: number, stride: number, data: readonly number[], mask: readonly number[]): void;
  fill(from: number, to: number, x: number): void;
}

type LanesClass = new (buffer: ArrayBufferLike) => Lanes;

interface Storage {
  /** The typed array class that holds the elements. */
  readonly array: string;
  /** JavaScript text: the value of the element at an index. */
  readonly load: (index: string) => string;
  /** JavaScript text: the statement that writes value `x` of the dtype to an index. */
  readonly store: (index: string) => string;
  /** The same for any number. */
  readonly convert: (index: string) => string;
  /** JavaScript text: the statement that does so from index `from` to `to`. */
  readonly fill: string;
}

function whole(
  array: string,
  o: { load?: (element: string) => string; store?: string; convert?: string },
): Storage {
  const store = o.store ?? "x";
  const convert = o.convert ?? store;
  return {
    array,
    load: (index) => (o.load === undefined ? `view[${index}]` : o.load(`view[${index}]`)),
    store: (index) => `view[${index}] = ${store};`,
    convert: (index) => `view[${index}] = ${convert};`,
    fill: `view.fill(${convert}, from, to);`,
  };
}
const plain = (array: string): Storage => whole(array, {});
const byTable = (array: string): Storage =>
  whole(array, { load: (element) => `table[${element}]`, store: "toBits(x)" });

/** Two elements to a byte, the even one low. */
function packed(load: (index: string) => string): Storage {
  const store = (index: string): string =>
    `{ const k = ${index}, shift = (k & 1) << 2; view[k >>> 1] = (view[k >>> 1] & (0xf0 >> shift)) | ((x & 15) << shift); }`;
  return {
    array: "Uint8Array",
    load,
    store,
    convert: store,
    fill: `for (let i = from; i < to; i++) ${store("i")}`,
  };
}
const nibble = (index: string): string => `view[(${index}) >>> 1] >> (((${index}) & 1) << 2)`;

// A typed array store of an integer dtype is its store rule. Every NaN is stored as the same bits: see ir/convert.ts.
const STORAGE: { readonly [K in DTypeName]: Storage } = {
  i8: plain("Int8Array"),
  u8: plain("Uint8Array"),
  i16: plain("Int16Array"),
  u16: plain("Uint16Array"),
  i32: plain("Int32Array"),
  u32: plain("Uint32Array"),
  f32: whole("Float32Array", { store: "(x === x ? x : NaN)" }),
  f16: byTable("Uint16Array"),
  bf16: byTable("Uint16Array"),
  bool: whole("Uint8Array", { load: (element) => `(${element} === 0 ? 0 : 1)`, convert: "storeRule(x)" }),
  i4: packed((index) => `((${nibble(index)}) << 28) >> 28`),
  u4: packed((index) => `(${nibble(index)}) & 15`),
  f8e4m3: byTable("Uint8Array"),
  f8e5m2: byTable("Uint8Array"),
};

function classText(name: string, s: Storage): string {
  const { load } = s;
  const eight = Array.from({ length: 8 }, (_, i) => load(`at + ${i}`)).join(", ");
  return `"use strict";
return class ${name} {
  constructor(buffer) {
    this.view = new ${s.array}(buffer, 0, Math.floor(buffer.byteLength / ${s.array}.BYTES_PER_ELEMENT));
  }
  get(at) {
    const view = this.view;
    return ${load("at")};
  }
  set(at, x) {
    const view = this.view;
    ${s.convert("at")}
  }
  read(at, n) {
    const view = this.view;
    if (n === 8) return [${eight}];
    const data = new Array(n);
    for (let i = 0; i < n; i++) data[i] = ${load("at + i")};
    return data;
  }
  readMasked(at, stride, mask, r) {
    const view = this.view;
    const n = mask.length;
    const data = new Array(n);
    for (let i = 0; i < n; i++) {
      if (mask[i]) data[i] = ${load("at + i * stride")};
      else data[i] = r === undefined ? 0 : r[i];
    }
    return data;
  }
  write(at, data) {
    const view = this.view;
    for (let i = 0; i < data.length; i++) {
      const x = data[i];
      ${s.store("at + i")}
    }
  }
  writeMasked(at, stride, data, mask) {
    const view = this.view;
    for (let i = 0; i < data.length; i++) {
      if (!mask[i]) continue;
      const x = data[i];
      ${s.store("at + i * stride")}
    }
  }
  fill(from, to, x) {
    const view = this.view;
    ${s.fill}
  }
};
//# sourceURL=kpu-dsl/lanes-${name}
`;
}

/** The value of every pattern of up to 16 bits: half a megabyte for f16 and bf16. */
function valueTable(fromBits: NumberRule, bits: number): Float64Array {
  return Float64Array.from({ length: 2 ** bits }, (_, pattern) => fromBits(pattern));
}

const classes = new Map<DTypeName, LanesClass>();

function lanesClass(dtype: DTypeName): LanesClass {
  const known = classes.get(dtype);
  if (known !== undefined) return known;
  const storage = STORAGE[dtype];
  const { kind, bits } = DTYPES[dtype];
  const table = kind === "float" && bits <= 16 ? valueTable(fromBitsRule(dtype), bits) : undefined;
  const make = new Function("table", "toBits", "storeRule", classText(`Lanes_${dtype}`, storage));
  const made = make(table, toBitsRule(dtype), storeRule(dtype)) as LanesClass;
  classes.set(dtype, made);
  return made;
}

/** The elements of `dtype` in an ArrayBuffer. */
export function lanesOver(buffer: ArrayBufferLike, dtype: DTypeName): Lanes {
  return new (lanesClass(dtype))(buffer);
}

/** Reads elements at an address that is no multiple of their size, through an aligned copy. */
export function readUnaligned(bytes: Uint8Array, start: number, dtype: DTypeName, n: number): number[] {
  const copy = bytes.slice(start, start + n * DTYPES[dtype].bytes);
  return lanesOver(copy.buffer, dtype).read(0, n);
}

/** Stores any number by the store rule of `dtype` at an address that is no multiple of its size. */
export function writeUnaligned(bytes: Uint8Array, start: number, dtype: DTypeName, value: number): void {
  const copy = new Uint8Array(DTYPES[dtype].bytes);
  lanesOver(copy.buffer, dtype).set(0, value);
  bytes.set(copy, start);
}
