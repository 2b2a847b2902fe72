/** What the buffers of a kernel take of each memory. */
import { bytesOf, type DTypeName, type Scope } from "../ir/dtype.ts";
import type { Apply, Kernel } from "../ir/kir.ts";
import { forEachExpr } from "../ir/walk.ts";

/** Bytes of each scope: of all tiles together in global and l3, of each tile elsewhere. */
export type ScopeBytes = { readonly [K in Scope]: number };

/** Bytes that the buffers of a kernel of level machine take, up to the end of the last; constant tables apart. */
export function scopeBytes(k: Kernel): ScopeBytes {
  const bytes: Record<Scope, number> = { global: 0, l3: 0, l2: 0, l1: 0, acc: 0, local: 0, private: 0 };
  forEachExpr(k.body, (e) => {
    if (e.kind !== "apply" || e.op !== "alloc") return;
    const scope = e.attrs["scope"] as Scope;
    bytes[scope] = Math.max(bytes[scope], (e.attrs["offset"] as number) + allocatedBytes(e));
  });
  return bytes;
}

/** Bytes that an `alloc` takes of its scope. */
export function allocatedBytes(alloc: Apply): number {
  return bytesOf(alloc.attrs["dtype"] as DTypeName, alloc.attrs["count"] as number);
}

/** Bytes that the constant tables take of local memory, up to the end of the last that the code uses. */
export function constantBytes(k: Kernel): number {
  let bytes = 0;
  forEachExpr(k.body, (e) => {
    if (e.kind !== "apply" || e.op !== "alloc_const") return;
    const count = k.tables[e.attrs["table"] as number]?.values.length ?? 0;
    bytes = Math.max(bytes, (e.attrs["offset"] as number) + bytesOf(e.attrs["dtype"] as DTypeName, count));
  });
  return bytes;
}

/** What a run of the kernel takes of each memory beside the host arrays: its buffers, and in local its tables. */
export function peakBytes(k: Kernel): ScopeBytes {
  const buffers = scopeBytes(k);
  return { ...buffers, local: buffers.local + constantBytes(k) };
}
