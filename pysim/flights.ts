/**
 * Transfers in flight. Until its event was waited for, a transfer's destination is invisible and its source frozen,
 * for every tile: what an access overlaps is decided by the bytes, exactly.
 */
import type { DType } from "../dsl/dtypes.ts";
import type { Event } from "../dsl/values.ts";
import type { Location } from "../ir/diagnostic.ts";
import type { Region as Bytes } from "../ir/region.ts";
import type { Buffer, Region } from "./memory.ts";

/** One side of a transfer: what it reads or writes of a buffer, as elements of a dtype. */
export interface End {
  readonly buffer: Buffer;
  readonly dtype: DType;
  readonly bytes: Bytes;
}

export interface Flight {
  readonly tile: number;
  readonly event: Event;
  /** Absent when the transfer moves nothing. */
  readonly dst: End | undefined;
  /** What it reads: none for a fill, two for a gather. */
  readonly sources: readonly End[];
  /** The line that started it; found when a report needs it. */
  readonly startedAt: () => Location | undefined;
  /** Of a queue in which a tile's commands follow one another: none is in the way of the next. */
  readonly inOrder: boolean;
  /** Moves the data, once. */
  readonly land: () => void;
}

/** The flight in whose way an access stands, and which end of it; `inOrder` an access by a command that follows such flights. */
export function flightInTheWay(
  region: Region,
  start: number,
  end: number,
  write: boolean,
  inOrder: boolean,
): { flight: Flight; side: "source" | "destination" } | undefined {
  for (const flight of region.flights) {
    if (inOrder && flight.inOrder) continue;
    if (flight.dst?.buffer.region === region && flight.dst.bytes.meets(start, end))
      return { flight, side: "destination" };
    if (write && flight.sources.some((s) => s.buffer.region === region && s.bytes.meets(start, end)))
      return { flight, side: "source" };
  }
  return undefined;
}
