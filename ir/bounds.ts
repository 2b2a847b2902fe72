/** How both executions report an access outside of its buffer: the same words and the same data. */
import type { DTypeName, Scope } from "./dtype.ts";

interface Elements {
  readonly name: DTypeName;
  readonly bytes: number;
}

/** What a pointer points into, as reports name it. */
export interface NamedBuffer {
  /** A parameter's name; `local#2` is the second allocation in local memory. */
  readonly name: string;
  readonly scope: Scope;
  readonly dtype: Elements;
  /** Address of the first byte. */
  readonly base: number;
  readonly byteLength: number;
}

/** A run of elements of a buffer, as `first` and `last` inclusive; in bytes when the access is not aligned. */
export interface ElementRange {
  readonly buffer: string;
  readonly unit: string;
  readonly first: number;
  readonly last: number;
}

/** The bytes from address `start` to `end` of a buffer in elements of `dtype`. */
export function elementRange(b: NamedBuffer, dtype: Elements, start: number, end: number): ElementRange {
  const from = start - b.base;
  const to = end - b.base;
  const unit = from % dtype.bytes === 0 && to % dtype.bytes === 0 ? dtype.bytes : 1;
  return {
    buffer: b.name,
    unit: unit === dtype.bytes ? dtype.name : "byte",
    first: from / unit,
    last: to / unit - 1,
  };
}

/** `y[8..15]`, `y[3]`, `bytes 3..6 of y`. */
export function rangeText(r: ElementRange): string {
  const span = r.first === r.last ? `${r.first}` : `${r.first}..${r.last}`;
  return r.unit === "byte"
    ? `byte${r.first === r.last ? "" : "s"} ${span} of ${r.buffer}`
    : `${r.buffer}[${span}]`;
}

/** How reports name a buffer: `y (global f32[1000])`. */
export function describe(b: NamedBuffer): string {
  return `${b.name} (${b.scope} ${b.dtype.name}[${b.byteLength / b.dtype.bytes}])`;
}

/** A vector access of 4-bit elements that starts at `element`, the high half of a byte. */
export function halfByteMessage(who: string, element: number): string {
  return `${who} accesses 4-bit elements from element ${element} on, which starts inside a byte`;
}
export const HALF_BYTE_HELP = "start at an even element, or use p.get and p.set, a stride or an index vector";

/** An access to the bytes from `start` to `end`, which `b` does not have. */
export interface OutsideAccess {
  /** `tile 1` */
  readonly who: string;
  readonly access: string;
  readonly dtype: Elements;
  readonly start: number;
  readonly end: number;
}

/** What to say of an access outside of buffer `b`. */
export function outsideReport(
  b: NamedBuffer,
  a: OutsideAccess,
): { message: string; help: string; data: Readonly<Record<string, unknown>> } {
  const range = elementRange(b, a.dtype, a.start, a.end);
  const size = b.byteLength / (range.unit === "byte" ? 1 : a.dtype.bytes);
  const has =
    range.unit === b.dtype.name
      ? describe(b)
      : `${describe(b)} = ${size} ${range.unit === "byte" ? "bytes" : range.unit}`;
  return {
    message: `${a.who} ${a.access} ${rangeText(range)}, outside ${has}`,
    help:
      range.first < 0
        ? "the pointer stands before its buffer"
        : "bound the access: a tail mask, S.min, or a smaller count",
    data: { buffer: b.name, first: range.first, last: range.last, size, access: a.access },
  };
}
