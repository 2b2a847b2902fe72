/**
 * The transfers of the copy engine as one description: a box of elements in up to five dimensions, where it is read and
 * where it goes. Rows, N-d windows, transposition and upsampling differ in their strides only:
 *
 *     2 rows of 4        counts [2, 4]           srcStrides [s, 1]              dstStrides [d, 1]
 *     transpose r x c    counts [r, c]           srcStrides [s, 1]              dstStrides [1, d]
 *     upsample h x w     counts [h, sy, w, sx, c] srcStrides [row, 0, pixel, 0, 1] dstStrides [sy * drow, drow, sx * dpixel, dpixel, 1]
 *
 * With padding the destination is a box of before + count + after elements per dimension; what lies around the source is a constant.
 * What is wrong with a description, which bytes it touches and how it moves them is written here once, for direct
 * execution, the interpreter and the checks of compiled programs.
 */
import { DTYPES, type DTypeName } from "./dtype.ts";
import { storeElement } from "./elements.ts";
import { Box, Rows } from "./region.ts";

/** Dimensions that a transfer may have. */
export const MAX_DIMS = 5;

export interface Padding {
  /** Elements before and after the box, per dimension. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Stored by the dtype's store rule. */
  readonly value: number;
}

/** All lists have one entry per dimension, outermost first; strides count elements. */
export interface Transfer {
  readonly counts: readonly number[];
  readonly srcStrides: readonly number[];
  readonly dstStrides: readonly number[];
  readonly padding?: Padding | undefined;
}

/** Rows of `width` elements. */
export function rowTransfer(width: number, srcStride: number, dstStride: number, times: number): Transfer {
  return { counts: [times, width], srcStrides: [srcStride, 1], dstStrides: [dstStride, 1] };
}

export interface Gather {
  /** Elements per row. */
  readonly width: number;
  readonly srcStride: number;
  readonly dstStride: number;
}

export interface Problem {
  readonly message: string;
  readonly help: string;
  /** The number that is wrong, by name. */
  readonly data: Readonly<Record<string, number>>;
}

/** A count or stride that is no integer of at least 0. */
export function countProblem(numbers: Readonly<Record<string, number>>): Problem | undefined {
  for (const [what, n] of Object.entries(numbers)) {
    if (Number.isSafeInteger(n) && n >= 0) continue;
    return {
      message: `${what} of a transfer must be an integer of at least 0, got ${n}`,
      help: "counts and strides are elements and go forward",
      data: { [what]: n },
    };
  }
  return undefined;
}

/** The same for the lists of a transfer, whose destination elements must also be distinct. */
export function transferProblem(t: Transfer): Problem | undefined {
  const { counts, srcStrides, dstStrides, padding } = t;
  const lists = { shape: counts, srcStrides, dstStrides, before: padding?.before, after: padding?.after };
  for (const [name, list] of Object.entries(lists)) {
    for (const [i, n] of (list ?? []).entries()) {
      const wrong = countProblem({ [`${name}[${i}]`]: n });
      if (wrong !== undefined) return wrong;
    }
  }
  return distinctProblem(t);
}

/** Each destination stride, from the smallest on, must go beyond what the smaller ones span. */
function distinctProblem(t: Transfer): Problem | undefined {
  const dims = destinationCounts(t)
    .map((count, i) => ({ i, count, stride: t.dstStrides[i] as number }))
    .filter((d) => d.count !== 1)
    .sort((a, b) => a.stride - b.stride);
  if (dims.some((d) => d.count === 0)) return undefined;
  let span = 1;
  for (const { i, count, stride } of dims) {
    if (stride < span) {
      return {
        message: `dstStrides[${i}] of a transfer is ${stride}, but the dimensions inside of it span ${span} elements: elements of the destination coincide`,
        help: "every element of the destination is written once: give a larger stride",
        data: { [`dstStrides[${i}]`]: stride, span },
      };
    }
    span += (count - 1) * stride;
  }
  return undefined;
}

/** Extent of the destination per dimension, padding included. */
export function destinationCounts({ counts, padding }: Transfer): readonly number[] {
  if (padding === undefined) return counts;
  return counts.map((n, i) => (padding.before[i] as number) + n + (padding.after[i] as number));
}

const none = (counts: readonly number[]): boolean => counts.includes(0);

/** The bytes that are read, from a source pointer at address `start`; undefined when none are. */
export function sourceRegion(t: Transfer, start: number, elementBytes: number): Box | undefined {
  return none(t.counts) ? undefined : region(start, elementBytes, t.counts, t.srcStrides);
}
/** The bytes that are written, from a destination pointer at address `start`. */
export function destinationRegion(t: Transfer, start: number, elementBytes: number): Box | undefined {
  const counts = destinationCounts(t);
  return none(counts) ? undefined : region(start, elementBytes, counts, t.dstStrides);
}
function region(start: number, bytes: number, counts: readonly number[], strides: readonly number[]): Box {
  return Box.of(
    start,
    bytes,
    counts,
    strides.map((s) => s * bytes),
  );
}

/** Bytes of a memory, and where in it a pointer points. */
export interface Place {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** Moves what a checked transfer says, in ascending order of indices. */
export function moveTransfer(dst: Place, src: Place, t: Transfer, dtype: DTypeName): void {
  const size = DTYPES[dtype].bytes;
  let to = dst.at;
  const { padding } = t;
  if (padding !== undefined) {
    const element = storedBytes(dtype, padding.value);
    destinationRegion(t, dst.at, size)?.forEachRun((start, end) => {
      for (let at = start; at < end; at += size) dst.bytes.set(element, at);
    });
    for (const [i, n] of padding.before.entries()) to += n * (t.dstStrides[i] as number) * size;
  }
  if (none(t.counts)) return;
  const last = t.counts.length - 1;
  const count = t.counts[last] as number;
  const [s, d] = [(t.srcStrides[last] as number) * size, (t.dstStrides[last] as number) * size];
  const whole = s === size && d === size;
  const [step, times] = whole ? [count * size, 1] : [size, count];
  const walk = (from: number, into: number, dim: number): void => {
    if (dim === last) {
      for (let i = 0; i < times; i++) {
        const at = from + i * s;
        dst.bytes.set(src.bytes.subarray(at, at + step), into + i * d);
      }
      return;
    }
    const [a, b] = [(t.srcStrides[dim] as number) * size, (t.dstStrides[dim] as number) * size];
    for (let i = 0; i < (t.counts[dim] as number); i++) walk(from + i * a, into + i * b, dim + 1);
  };
  walk(src.at, to, 0);
}

/** The bytes that a number is stored as. */
export function storedBytes(dtype: DTypeName, value: number): Uint8Array {
  const element = new Uint8Array(DTYPES[dtype].bytes);
  storeElement(dtype, new DataView(element.buffer), 0, value);
  return element;
}

/** The rows that an index picks, from a source pointer at address `start`; there is at least one, of at least one element. */
export function gatheredRows(g: Gather, start: number, index: readonly number[], elementBytes: number): Rows {
  const step = g.srcStride * elementBytes;
  return new Rows(
    g.width * elementBytes,
    index.map((i) => start + i * step),
  );
}
/** Where they go. */
export function gatherTarget(g: Gather, start: number, count: number, elementBytes: number): Box {
  return region(start, elementBytes, [count, g.width], [g.dstStride, 1]);
}
export function moveGather(
  dst: Place,
  src: Place,
  g: Gather,
  index: readonly number[],
  elementBytes: number,
): void {
  const bytes = g.width * elementBytes;
  for (const [i, row] of index.entries()) {
    const from = src.at + row * g.srcStride * elementBytes;
    dst.bytes.set(src.bytes.subarray(from, from + bytes), dst.at + i * g.dstStride * elementBytes);
  }
}
