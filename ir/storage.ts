/**
 * Memory of the reference interpreter: buffers, pointers into them, checked access. Nothing is fast here; everything is
 * what the op table says.
 */
import type { DiagnosticCode } from "./codes.ts";
import { DTYPES, type DTypeName, isShared, type Scope } from "./dtype.ts";
import { readElement, readElements, storeElement, writeElement } from "./elements.ts";
import type { Target } from "./target.ts";

/** One allocation or one host argument. Host arguments may share bytes. */
export interface MemoryBuffer {
  readonly name: string;
  readonly view: DataView;
}

export interface Pointer {
  /** Undefined for the null pointer. */
  readonly memory: MemoryBuffer | undefined;
  readonly offset: number;
  readonly dtype: DTypeName;
}

/** Stops the program at the statement that runs. */
export type Stop = (code: DiagnosticCode, message: string, help?: string) => never;

export function moved(p: Pointer, elements: number): Pointer {
  return { ...p, offset: p.offset + elements * DTYPES[p.dtype].bytes };
}

export function sameAddress(p: Pointer, q: Pointer): boolean {
  if (p.memory === undefined || q.memory === undefined) return p.memory === q.memory && p.offset === q.offset;
  const at = (x: Pointer): number => (x.memory as MemoryBuffer).view.byteOffset + x.offset;
  return p.memory.view.buffer === q.memory.view.buffer && at(p) === at(q);
}

/** The bytes of `count` elements from `p` on, which must be within its buffer. */
function within(p: Pointer, count: number, stop: Stop, verb: string): DataView {
  const { memory, offset, dtype } = p;
  if (memory === undefined) return stop("KPU4008", `${verb} through a null pointer`, "test it with p.isNull");
  const { bytes } = DTYPES[dtype];
  const end = offset + count * bytes;
  if (offset < 0 || end > memory.view.byteLength) {
    const first = offset / bytes;
    stop(
      "KPU4001",
      `${verb} ${dtype} elements ${first} .. ${first + count - 1} of ${memory.name}, which has ${memory.view.byteLength / bytes}`,
    );
  }
  return memory.view;
}

/** One element; `index` moves first. */
export function readAt(p: Pointer, index: number, stop: Stop): number {
  const q = moved(p, index);
  return readElement(p.dtype, within(q, 1, stop, "reads"), q.offset);
}
/** Writes a value of the dtype. */
function writeAt(p: Pointer, index: number, value: number, stop: Stop): void {
  const q = moved(p, index);
  writeElement(p.dtype, within(q, 1, stop, "writes"), q.offset, value);
}
/** Writes any number by the store rule. */
export function storeAt(p: Pointer, index: number, value: number, stop: Stop): void {
  const q = moved(p, index);
  storeElement(p.dtype, within(q, 1, stop, "writes"), q.offset, value);
}
export function readLanes(p: Pointer, lanes: number, stop: Stop): number[] {
  return readElements(p.dtype, within(p, lanes, stop, "reads"), p.offset, lanes);
}
/** All bounds are checked before the first lane is written. */
export function writeLanes(p: Pointer, values: readonly number[], stop: Stop): void {
  const view = within(p, values.length, stop, "writes");
  for (const [i, x] of values.entries()) writeElement(p.dtype, view, p.offset + i * DTYPES[p.dtype].bytes, x);
}
/** Lane i from element `index(i)` where the mask is set, r elsewhere. */
export function readMasked(
  p: Pointer,
  index: (lane: number) => number,
  mask: readonly number[],
  r: readonly number[],
  stop: Stop,
): number[] {
  return mask.map((m, i) => (m ? readAt(p, index(i), stop) : (r[i] as number)));
}
export function writeMasked(
  p: Pointer,
  index: (lane: number) => number,
  mask: readonly number[],
  values: readonly number[],
  stop: Stop,
): void {
  for (const [i, m] of mask.entries()) if (m) within(moved(p, index(i)), 1, stop, "writes");
  for (const [i, m] of mask.entries()) if (m) writeAt(p, index(i), values[i] as number, stop);
}

export interface RowCopy {
  /** Elements of a row. */
  readonly width: number;
  /** Elements from the start of a row to the start of the next. */
  readonly srcStride: number;
  readonly dstStride: number;
  readonly times: number;
}

/** A copy of rows, checked now; the result moves the data. */
export function copyRows(dst: Pointer, src: Pointer, o: RowCopy, stop: Stop): () => void {
  const { width, srcStride, dstStride, times } = o;
  for (const [what, n] of Object.entries(o)) count(what, n, stop);
  if (width === 0 || times === 0) return () => {};
  // Strides are not negative: with the first and the last row all are within. This comes before anything of size `times`.
  const last = times - 1;
  for (const i of [0, last]) {
    within(moved(src, i * srcStride), width, stop, "a transfer reads");
    within(moved(dst, i * dstStride), width, stop, "a transfer writes");
  }
  const bytes = width * DTYPES[src.dtype].bytes;
  const at = (p: Pointer): number => (p.memory?.view.byteOffset ?? 0) + p.offset;
  const meet = (p: number, pEnd: number, q: number, qEnd: number): boolean => p < qEnd && q < pEnd;
  const starts = (p: Pointer, stride: number): number[] =>
    stride === 0 ? [at(p)] : Array.from({ length: times }, (_, i) => at(moved(p, i * stride)));
  const [from, to] = [starts(src, srcStride), starts(dst, dstStride)];
  const end = (list: readonly number[]): number => (list[list.length - 1] as number) + bytes;
  const near =
    dst.memory?.view.buffer === src.memory?.view.buffer && meet(at(src), end(from), at(dst), end(to));
  if (near && to.some((t) => from.some((f) => meet(t, t + bytes, f, f + bytes)))) {
    stop(
      "KPU4009",
      "source and destination of the transfer overlap",
      "copy through a buffer between the two",
    );
  }
  return () => {
    const source = (src.memory as MemoryBuffer).view.buffer;
    const target = (dst.memory as MemoryBuffer).view.buffer;
    for (let i = 0; i < Math.max(from.length, to.length); i++) {
      const row = new Uint8Array(source, from[i] ?? (from[0] as number), bytes);
      new Uint8Array(target, to[i] ?? (to[0] as number), bytes).set(row);
    }
  };
}

/** A fill of `n` elements, checked now; the result writes. */
export function fillRow(dst: Pointer, value: number, n: number, stop: Stop): () => void {
  count("count", n, stop);
  if (n === 0) return () => {};
  within(dst, n, stop, "a transfer writes");
  return () => {
    for (let i = 0; i < n; i++) storeAt(dst, i, value, stop);
  };
}

function count(what: string, n: number, stop: Stop): void {
  if (!Number.isSafeInteger(n) || n < 0)
    stop("KPU4007", `${what} of a transfer must be an integer of at least 0, got ${n}`);
}

/**
 * The buffers that a program allocates: near scopes per tile; in `l3` and `global` the n-th allocation of every tile is
 * the same buffer. New memory holds zeros.
 */
export class Allocations {
  private readonly target: Target;
  private readonly shared: MemoryBuffer[] = [];
  private readonly turn = new Map<number, number>();
  private readonly used = new Map<string, number>();

  constructor(target: Target) {
    this.target = target;
  }

  alloc(
    tile: number,
    dtype: DTypeName,
    scope: Scope,
    elements: number,
    name: string | undefined,
    stop: Stop,
  ): Pointer {
    if (!isShared(scope))
      return { memory: this.made(`${scope} ${tile}`, dtype, scope, elements, name, stop), offset: 0, dtype };
    const turn = this.turn.get(tile) ?? 0;
    this.turn.set(tile, turn + 1);
    const memory = this.shared[turn] ?? this.made(scope, dtype, scope, elements, name, stop);
    this.shared[turn] = memory;
    return { memory, offset: 0, dtype };
  }

  table(tile: number, dtype: DTypeName, values: readonly number[], stop: Stop): Pointer {
    const memory = this.made(`local ${tile}`, dtype, "local", values.length, "table", stop);
    const p: Pointer = { memory, offset: 0, dtype };
    writeLanes(p, values, stop);
    return p;
  }

  private made(
    key: string,
    dtype: DTypeName,
    scope: Scope,
    elements: number,
    name: string | undefined,
    stop: Stop,
  ): MemoryBuffer {
    const bytes = elements * DTYPES[dtype].bytes;
    const used = (this.used.get(key) ?? 0) + bytes;
    const capacity = scope === "global" ? 2 ** 31 : this.target.capacity[scope];
    if (used > capacity)
      stop(
        "KPU4003",
        `${dtype}[${elements}] does not fit ${scope}: ${used} of ${capacity} bytes would be used`,
      );
    this.used.set(key, used);
    return { name: name ?? scope, view: new DataView(new ArrayBuffer(bytes)) };
  }
}
