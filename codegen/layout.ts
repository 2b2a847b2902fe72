/**
 * Where a program keeps its things in linear memory.
 *
 *     program area (one per program)                       tile area (one per tile)
 *       0      HEAD: where tile areas are, ...               l2     buffers of near scopes
 *       args   32 bytes per parameter                        l1, acc  buffers at the fabric
 *       scratch  lanes on their way through memory           local
 *       tables   constant tables                             private
 *       l3, global   buffers shared by all tiles             notes  transfers that were noted: wasm/path/forward.ts
 *       host   operands of host calls                        frame  locals saved at a barrier
 *
 * Address 0 .. 65535 of the memory is used by nobody: 0 is the null pointer, and constant offsets below 64 KiB may be
 * moved from an index into the access without going below zero.
 */
import { bytesOf, DTYPES, type DTypeName, type Scope } from "../ir/dtype.ts";
import type { Kernel } from "../ir/kir.ts";
import type { ScopeBytes } from "./scopes.ts";

export const GUARD_BYTES = 65536;
const LINE = 64;
export const ARG_BYTES = 32;
/**
 * The words at the beginning of a program area: the address of the first tile area, the bytes of one, and whether the arrays
 * that transfers are forwarded from (forwarding.ts) share no memory with one that the program writes.
 */
export const HEAD = { tiles: 0, tileBytes: 4, apart: 8 } as const;
/** Transfers that a tile has noted at a time. */
export const NOTES = 8;
export const NOTE_BYTES = 32;

export function align(n: number, to = LINE): number {
  return Math.ceil(n / to) * to;
}

export interface Layout {
  /** Offsets in the program area. */
  readonly args: number;
  readonly scratchMask: number;
  readonly scratchIndex: number;
  readonly scratchValue: number;
  readonly tables: readonly number[];
  readonly shared: { readonly l3: number; readonly global: number };
  /** The last things in either area: emission decides how long they are. */
  readonly host: number;
  readonly frame: number;
  /** Offsets in a tile area. */
  readonly near: { readonly [K in NearScope | "notes"]: number };
}
/** Scopes of which every tile has its own. */
export type NearScope = Exclude<Scope, "l3" | "global">;

/**
 * Stream buffers hold operands as the micro-kernels read them: floats as f32, bytes as 16-bit integers. Nothing else sees
 * what is there, so that a buffer takes more room in a program's memory than on the machine: {@link L1_ROOM} times as much
 * from one buffer to the next, which is enough for every dtype.
 */
const L1_ROOM = 4;
const STREAMED: { readonly [K in DTypeName]?: 2 | 4 } = { f32: 4, f16: 4, bf16: 4, i8: 2, u8: 2 };
/** The micro-kernels read registers, which may reach beyond the end of a buffer. */
const SLACK = 64;
/** Before the accumulators: what a block that is narrower than the micro-kernels' tile goes through. */
const TILE_SCRATCH = 128;

/** Bytes from one element to the next in the memory of a program. */
export function elementBytes(dtype: DTypeName, scope: Scope): number {
  return scope === "l1" ? (STREAMED[dtype] ?? DTYPES[dtype].bytes) : DTYPES[dtype].bytes;
}
/** Bytes of a buffer in the memory of a program. */
export function bufferBytes(dtype: DTypeName, scope: Scope, count: number): number {
  return scope === "l1" ? Math.ceil(elementBytes(dtype, scope) * count) : bytesOf(dtype, count);
}
/** Where the buffer at `offset` of a scope begins: in the program area for l3 and global, else in the tile area. */
export function bufferPlace(layout: Layout, scope: Scope, offset: number): number {
  switch (scope) {
    case "l3":
    case "global":
      return layout.shared[scope] + offset;
    case "l1":
      return layout.near.l1 + L1_ROOM * offset;
    case "acc":
      return layout.near.acc + TILE_SCRATCH + offset;
    default:
      return layout.near[scope] + offset;
  }
}

/** @param forwards  whether transfers of the kernel may be noted */
export function planLayout(k: Kernel, scopes: ScopeBytes, forwards: boolean): Layout {
  const maxLanes = (k.registerBits ?? 256) / 8;
  let at = LINE;
  const take = (bytes: number): number => {
    const here = at;
    at = align(at + bytes);
    return here;
  };
  const args = take(k.params.length * ARG_BYTES);
  const scratchMask = take(maxLanes + 16);
  const scratchIndex = take(maxLanes * 4 + 16);
  const scratchValue = take(maxLanes * 4 + 16);
  const tables = k.tables.map((t) => take(bytesOf(t.dtype, t.values.length)));
  const shared = { l3: take(scopes.l3), global: take(scopes.global) };
  const host = at;
  at = 0;
  const near = {
    l2: take(scopes.l2),
    l1: take(scopes.l1 === 0 ? 0 : L1_ROOM * scopes.l1 + SLACK),
    acc: take(scopes.acc === 0 ? 0 : TILE_SCRATCH + scopes.acc),
    local: take(scopes.local),
    private: take(scopes.private),
    notes: take(forwards ? NOTES * NOTE_BYTES : 0),
  };
  return { args, scratchMask, scratchIndex, scratchValue, tables, shared, host, near, frame: at };
}
