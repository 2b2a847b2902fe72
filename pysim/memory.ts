/**
 * What memory consists of: a region is a run of bytes with its shadow; a buffer is what a pointer points into, one
 * allocation or one host argument. Host arguments that share bytes are several buffers over one region, so that
 * aliasing is seen and each is still bounded by itself.
 */

import type { DType } from "../dsl/dtypes.ts";
import type { MemoryObject } from "../dsl/pointer.ts";
import { describe, type NamedBuffer } from "../ir/bounds.ts";
import type { DTypeName, Scope } from "../ir/dtype.ts";
import { INSPECT } from "../ir/inspect.ts";
import type { Flight } from "./flights.ts";
import { Halves } from "./halves.ts";
import { type Lanes, lanesOver } from "./lanes.ts";
import type { Shadow } from "./shadow.ts";

/** What an access has to look at beyond bounds. */
export const CHECK_NOTHING = 0;
/** The shadow: who wrote and read these bytes. */
export const CHECK_SHADOW = 1;
/** Also transfers in flight, or the access that a replay is watching for. */
export const CHECK_SLOWLY = 2;
/** Also which half of a byte was written. */
export const CHECK_HALVES = 4;

export class Region {
  /** Counts regions of a run in order of creation: the same region in a replay. */
  readonly id: number;
  readonly buffer: ArrayBufferLike;
  readonly bytes: Uint8Array;
  /** First byte of the region within `buffer`, a multiple of 4, and the byte after its last. */
  readonly start: number;
  readonly end: number;
  /** Bits of CHECK_*. */
  checks: number;
  /** A replay looks at every access of this region. */
  watched = false;
  shadow: Shadow | undefined = undefined;
  #halves: Halves | undefined = undefined;
  readonly flights: Flight[] = [];
  readonly #lanes = new Map<DTypeName, Lanes>();

  constructor(id: number, buffer: ArrayBufferLike, start: number, end: number, checks: number) {
    this.id = id;
    this.buffer = buffer;
    this.bytes = new Uint8Array(buffer);
    this.start = start & ~3;
    this.end = end;
    this.checks = checks;
  }

  /** The shadow for accesses that may end inside a byte. */
  get halves(): Halves | undefined {
    if (this.shadow !== undefined) this.#halves ??= new Halves(this.shadow);
    return this.#halves;
  }

  lanes(dtype: DTypeName): Lanes {
    let lanes = this.#lanes.get(dtype);
    if (lanes === undefined) this.#lanes.set(dtype, (lanes = lanesOver(this.buffer, dtype)));
    return lanes;
  }
}

export class Buffer implements MemoryObject, NamedBuffer {
  readonly name: string;
  readonly scope: Scope;
  readonly byteLength: number;
  /** The dtype of its elements; accesses through other dtypes are possible and slower. */
  readonly dtype: DType;
  readonly region: Region;
  /** Address of the first byte within the region's ArrayBuffer. */
  readonly base: number;
  readonly lanes: Lanes;

  constructor(name: string, scope: Scope, dtype: DType, region: Region, base: number, byteLength: number) {
    this.name = name;
    this.scope = scope;
    this.dtype = dtype;
    this.region = region;
    this.base = base;
    this.byteLength = byteLength;
    this.lanes = region.lanes(dtype.name);
  }

  /** The lanes for access as `dtype`. */
  as(dtype: DType): Lanes {
    return dtype === this.dtype ? this.lanes : this.region.lanes(dtype.name);
  }

  get elements(): number {
    return this.byteLength / this.dtype.bytes;
  }

  [INSPECT](): string {
    const shown = Math.min(this.elements, 8);
    const values = (
      this.base % this.dtype.bytes === 0 ? this.lanes.read(this.base / this.dtype.bytes, shown) : []
    ).join(", ");
    return `${describe(this)} [${values}${this.elements > shown ? ", ..." : ""}]`;
  }
}
