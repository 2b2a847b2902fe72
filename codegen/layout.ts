/**
 * Where a program keeps its things in linear memory.
 *
 *     program area (one per program)                       tile area (one per tile)
 *       0      address of the first tile area                l2     buffers of near scopes
 *       args   32 bytes per parameter                        local
 *       scratch  lanes on their way through memory           private
 *       tables   constant tables                             frame  locals saved at a barrier
 *       l3, global   buffers shared by all tiles
 *       host   operands of host calls
 *
 * Address 0 .. 65535 of the memory is used by nobody: 0 is the null pointer, and constant offsets below 64 KiB may be
 * moved from an index into the access without going below zero.
 */
import { bytesOf, type Scope } from "../ir/dtype.ts";
import type { Kernel } from "../ir/kir.ts";

export const GUARD_BYTES = 65536;
const LINE = 64;
export const ARG_BYTES = 32;

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
  readonly near: { readonly l2: number; readonly local: number; readonly private: number };
}

/** Bytes of each scope's buffers at machine level. */
export type ScopeBytes = { readonly [K in Scope]: number };

export function planLayout(k: Kernel, scopes: ScopeBytes): Layout {
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
  const near = { l2: take(scopes.l2), local: take(scopes.local), private: take(scopes.private) };
  return { args, scratchMask, scratchIndex, scratchValue, tables, shared, host, near, frame: at };
}
