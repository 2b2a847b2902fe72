/**
 * Transfers in flight. Until its event was waited for, a transfer's destination is invisible and its source frozen,
 * for every tile: what an access overlaps is decided by rows, exactly.
 */
import type { Event } from "../dsl/values.ts";
import type { Location } from "../ir/diagnostic.ts";
import type { Buffer, Region } from "./memory.ts";

/** `times` rows of `width` bytes whose starts lie `stride` bytes apart. Addresses are those of the ArrayBuffer. */
export class Rows {
  readonly start: number;
  readonly width: number;
  readonly stride: number;
  readonly times: number;
  constructor(start: number, width: number, stride: number, times: number) {
    this.start = start;
    this.width = width;
    this.stride = stride;
    this.times = times;
  }

  get end(): number {
    return this.start + (this.times - 1) * this.stride + this.width;
  }

  /** True when some row has a byte in [start, end). */
  meets(start: number, end: number): boolean {
    if (end <= this.start || start >= this.end) return false;
    if (this.stride === 0) return true;
    // The first row that ends after `start`; it meets when it also begins before `end`.
    const row = Math.max(0, Math.floor((start - this.start - this.width) / this.stride) + 1);
    return row < this.times && this.start + row * this.stride < end;
  }

  overlaps(other: Rows): boolean {
    if (other.end <= this.start || other.start >= this.end) return false;
    const [few, many] = this.times <= other.times ? [this, other] : [other, this];
    for (let i = 0; i < few.times; i++) {
      const at = few.start + i * few.stride;
      if (many.meets(at, at + few.width)) return true;
    }
    return false;
  }
}

/** One side of a transfer. */
export interface End {
  readonly buffer: Buffer;
  readonly rows: Rows;
}

export interface Flight {
  readonly tile: number;
  readonly event: Event;
  /** Absent when the transfer moves nothing. */
  readonly dst: End | undefined;
  /** Absent for a fill. */
  readonly src: End | undefined;
  /** The line that started it; found when a report needs it. */
  readonly startedAt: () => Location | undefined;
  /** Moves the data, once. */
  readonly land: () => void;
}

/** The flight in whose way an access stands, and which end of it. */
export function flightInTheWay(
  region: Region,
  start: number,
  end: number,
  write: boolean,
): { flight: Flight; side: "source" | "destination" } | undefined {
  for (const flight of region.flights) {
    if (flight.dst?.buffer.region === region && flight.dst.rows.meets(start, end))
      return { flight, side: "destination" };
    if (write && flight.src?.buffer.region === region && flight.src.rows.meets(start, end))
      return { flight, side: "source" };
  }
  return undefined;
}
