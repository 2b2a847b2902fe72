/**
 * Memory of the reference interpreter: buffers, pointers into them, checked access. Nothing is fast here; everything is
 * what the op table says.
 */

import { HALF_BYTE_HELP, halfByteMessage } from "./bounds.ts";
import type { DiagnosticCode } from "./codes.ts";
import { bytesOf, DTYPES, type DTypeName, isPacked, isShared, type Scope } from "./dtype.ts";
import { readElement, readElements, storeElement, writeElement } from "./elements.ts";
import { Blocks } from "./path/blocks.ts";
import type { Command } from "./path/command.ts";
import { Box, type Region, regionsOverlap } from "./region.ts";
import { nextBuffer, type Target } from "./target.ts";
import {
  countProblem,
  destinationRegion,
  type Gather,
  gatheredRows,
  gatherTarget,
  moveGather,
  moveTransfer,
  type Place,
  type Problem,
  rowTransfer,
  sourceRegion,
  type Transfer,
  transferProblem,
} from "./transfer.ts";

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

/** Refuses lanes and transfers that start inside a byte. */
function wholeByte(p: Pointer, stop: Stop): void {
  if (!Number.isInteger(p.offset))
    stop("KPU4013", halfByteMessage("the kernel", p.offset * 2), HALF_BYTE_HELP);
}

/** As {@link wholeByte}, for lanes under a mask: none may be active. */
export function wholeByteWhere(p: Pointer, mask: readonly number[], stop: Stop): void {
  if (mask.some((m) => m !== 0)) wholeByte(p, stop);
}

/** The same address as another dtype; a 4-bit element's is that of its byte. */
export function recast(p: Pointer, dtype: DTypeName): Pointer {
  return { ...p, dtype, offset: isPacked(dtype) ? p.offset : Math.floor(p.offset) };
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
  const view = within(p, lanes, stop, "reads");
  wholeByte(p, stop);
  return readElements(p.dtype, view, p.offset, lanes);
}
/** All bounds are checked before the first lane is written. */
export function writeLanes(p: Pointer, values: readonly number[], stop: Stop): void {
  const view = within(p, values.length, stop, "writes");
  wholeByte(p, stop);
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

/** The bytes that a pointer's memory is in, and where in them it points: host arguments may share them. */
function place({ memory, offset }: Pointer): Place {
  if (memory === undefined) return { bytes: new Uint8Array(), at: offset };
  const { buffer, byteOffset } = memory.view;
  return { bytes: new Uint8Array(buffer), at: byteOffset + offset };
}

/** One end of a transfer: its bytes, which must be within the pointer's buffer. */
function inside(p: Pointer, region: Region, stop: Stop, verb: string): Region {
  const { memory, dtype } = p;
  if (memory === undefined) return stop("KPU4008", `${verb} through a null pointer`, "test it with p.isNull");
  const base = memory.view.byteOffset;
  const { bytes } = DTYPES[dtype];
  const out = region.firstOutside(base, base + memory.view.byteLength);
  if (out !== undefined) {
    const first = (out.start - base) / bytes;
    const last = (out.end - base) / bytes - 1;
    stop(
      "KPU4001",
      `${verb} ${dtype} elements ${first} .. ${last} of ${memory.name}, which has ${memory.view.byteLength / bytes}`,
    );
  }
  return region;
}

function apart(dst: Pointer, to: Region, src: Pointer, from: Region, stop: Stop): void {
  if (dst.memory?.view.buffer !== src.memory?.view.buffer || !regionsOverlap(to, from)) return;
  stop("KPU4009", "source and destination of the transfer overlap", "copy through a buffer between the two");
}

function refuse(problem: Problem | undefined, stop: Stop): void {
  if (problem !== undefined) stop("KPU4007", problem.message, problem.help);
}

/** A copy of rows, checked now; the result moves the data. */
export function copyRows(
  dst: Pointer,
  src: Pointer,
  o: {
    readonly width: number;
    readonly srcStride: number;
    readonly dstStride: number;
    readonly times: number;
  },
  stop: Stop,
): () => void {
  refuse(countProblem({ ...o }), stop);
  return movedBox(dst, src, rowTransfer(o.width, o.srcStride, o.dstStride, o.times), stop);
}

/** A transfer of a box, checked now; the result moves the data. */
export function copyBox(dst: Pointer, src: Pointer, t: Transfer, stop: Stop): () => void {
  refuse(transferProblem(t), stop);
  return movedBox(dst, src, t, stop);
}

function movedBox(dst: Pointer, src: Pointer, t: Transfer, stop: Stop): () => void {
  const { bytes } = DTYPES[dst.dtype];
  const [to, from] = [place(dst), place(src)];
  const target = destinationRegion(t, to.at, bytes);
  const source = sourceRegion(t, from.at, bytes);
  if (source !== undefined) inside(src, source, stop, "a transfer reads");
  if (target !== undefined) inside(dst, target, stop, "a transfer writes");
  if (source !== undefined && target !== undefined) apart(dst, target, src, source, stop);
  return () => moveTransfer(to, from, t, dst.dtype);
}

/** Rows picked by an index, checked now; the result moves the data. */
export function gatherRows(
  dst: Pointer,
  src: Pointer,
  index: Pointer,
  count: number,
  g: Gather,
  stop: Stop,
): () => void {
  refuse(countProblem({ count, ...g }), stop);
  if (count === 0 || g.width === 0) return () => {};
  const { bytes } = DTYPES[dst.dtype];
  const [to, from] = [place(dst), place(src)];
  const picked = Box.of(place(index).at, DTYPES[index.dtype].bytes * count, [], []);
  inside(index, picked, stop, "a transfer reads");
  const rows = readLanes(index, count, stop);
  const source = inside(src, gatheredRows(g, from.at, rows, bytes), stop, "a transfer reads");
  const target = inside(dst, gatherTarget(g, to.at, count, bytes), stop, "a transfer writes");
  apart(dst, target, src, source, stop);
  apart(dst, target, index, picked, stop);
  return () => moveGather(to, from, g, rows, bytes);
}

/** A fill of `n` elements, checked now; the result writes. */
export function fillRow(dst: Pointer, value: number, n: number, stop: Stop): () => void {
  refuse(countProblem({ count: n }), stop);
  if (n === 0) return () => {};
  within(dst, n, stop, "a transfer writes");
  return () => {
    for (let i = 0; i < n; i++) storeAt(dst, i, value, stop);
  };
}

/** A command of the matrix path, checked now; the result does it. `blocks` are those in the stream buffers of the run. */
export function pathCommand(
  c: Command,
  at: (operand: string) => Pointer,
  blocks: Blocks,
  stop: Stop,
): () => void {
  refuse(c.problem, stop);
  const ends = c.touches.flatMap(({ operand, access, region }) => {
    const p = at(operand);
    const bytes = region(place(p).at, DTYPES[p.dtype].bytes);
    if (bytes === undefined) return [];
    inside(p, bytes, stop, access === "reads" ? "a command reads" : "a command writes");
    return [{ p, bytes, access }];
  });
  const target = ends.find((e) => e.access !== "reads");
  for (const source of ends)
    if (target !== undefined && source !== target)
      apart(target.p, target.bytes, source.p, source.bytes, stop);
  const element = ({ offset, dtype }: Pointer): number => offset / DTYPES[dtype].bytes;
  for (const { operand, block } of c.takes ?? []) {
    const p = at(operand);
    const wrong = p.memory && blocks.problem(p.memory, element(p), block);
    if (wrong !== undefined) stop("KPU4015", `${operand} ${wrong.message}`, wrong.help);
  }
  if (c.streams !== undefined) {
    const p = at(c.streams.operand);
    if (p.memory !== undefined) blocks.put(p.memory, element(p), c.streams.block);
  }
  return () => c.run((operand) => place(at(operand)));
}

/** Elements that a hint about caches names. */
export function touchRow(p: Pointer, n: number, stop: Stop): void {
  refuse(countProblem({ count: n }), stop);
  if (n > 0) within(p, n, stop, "a transfer reads");
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
  /** What lies in stream buffers. */
  readonly blocks = new Blocks();

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
    const bytes = bytesOf(dtype, elements);
    const used = nextBuffer(this.used.get(key) ?? 0) + bytes;
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
