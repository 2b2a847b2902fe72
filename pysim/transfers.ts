/**
 * Transfers and events of direct execution. A transfer without event is complete when the call returns. One with an
 * event is in flight until the event was waited for; when its data really moves is the run's transfer policy:
 *
 *   eager   at the start: a reader that comes too early would see the new data
 *   late    at the wait: a reader that comes too early would see the old data
 *
 * With the in-flight checks on, neither can be seen, and both policies give one result.
 * For races, a transfer reads its source and writes its destination both when it starts and when it was waited for:
 * it may touch them at any time between.
 */
import type { DType } from "../dsl/dtypes.ts";
import type { Ptr } from "../dsl/pointer.ts";
import { Event } from "../dsl/values.ts";
import { describe } from "../ir/bounds.ts";
import type { Location } from "../ir/diagnostic.ts";
import type { Access } from "./access.ts";
import { type Faults, hereLater } from "./faults.ts";
import { type End, type Flight, Rows } from "./flights.ts";
import { writeUnaligned } from "./lanes.ts";
import { type Buffer, CHECK_SLOWLY } from "./memory.ts";
import type { Clock } from "./shadow.ts";

export type TransferPolicy = "eager" | "late";

/** An allocated event of one tile, and what is in flight on it. */
interface Slot {
  readonly event: Event;
  readonly allocatedAt: () => Location | undefined;
  flight: Flight | undefined;
}

export interface TransferOptions {
  readonly policy: TransferPolicy;
  /** Events per tile. */
  readonly events: number;
  /** False switches the in-flight checks off. */
  readonly checks: boolean;
}

export class Transfers {
  readonly #clock: Clock;
  readonly #faults: Faults;
  readonly #access: Access;
  readonly #options: TransferOptions;
  /** Per tile and event id. */
  readonly #slots: (Slot | undefined)[][];
  /** Transfers started, for the report. */
  started = 0;

  constructor(clock: Clock, faults: Faults, access: Access, options: TransferOptions) {
    this.#clock = clock;
    this.#faults = faults;
    this.#access = access;
    this.#options = options;
    this.#slots = Array.from({ length: clock.tiles }, () => []);
  }

  // ------------------------------------------------------------------------------------------ transfers

  copy(
    dst: Ptr,
    src: Ptr,
    width: number,
    srcStride: number,
    dstStride: number,
    times: number,
    event: Event | undefined,
  ): void {
    this.#count("width", width);
    this.#count("srcStride", srcStride);
    this.#count("dstStride", dstStride);
    this.#count("times", times);
    if (dst.dtype !== src.dtype) {
      this.#faults.fail(
        "KPU4007",
        `S.dmaCopy copies equal dtypes, got ${src.dtype.name} to ${dst.dtype.name}`,
        {
          help: "reinterpret one side with .as(dtype), or load, cast and store",
        },
      );
    }
    const slot = event === undefined ? undefined : this.#startable(event);
    this.started++;
    if (width === 0 || times === 0) {
      this.#start(slot, undefined, undefined, () => {});
      return;
    }
    const to = this.#access.destination(dst);
    const from = this.#access.source(src);
    const dstEnd = { buffer: to, rows: rowsOf(dst, to, width, dstStride, times) };
    const srcEnd = { buffer: from, rows: rowsOf(src, from, width, srcStride, times) };
    this.#within(srcEnd, src.dtype, "reads");
    this.#within(dstEnd, dst.dtype, "writes");
    if (to.region === from.region && dstEnd.rows.overlaps(srcEnd.rows)) {
      this.#faults.fail("KPU4009", `source and destination of the transfer overlap in ${describe(to)}`, {
        help: "copy through a buffer between the two",
        data: { buffer: to.name },
      });
    }
    this.#note(srcEnd, src.dtype, false);
    this.#note(dstEnd, dst.dtype, true);
    this.#start(slot, dstEnd, srcEnd, () => moveRows(dstEnd, srcEnd));
  }

  memset(dst: Ptr, value: number, count: number, event: Event | undefined): void {
    this.#count("count", count);
    const slot = event === undefined ? undefined : this.#startable(event);
    this.started++;
    if (count === 0) {
      this.#start(slot, undefined, undefined, () => {});
      return;
    }
    const to = this.#access.destination(dst);
    const end = { buffer: to, rows: rowsOf(dst, to, count, count, 1) };
    this.#within(end, dst.dtype, "writes");
    this.#note(end, dst.dtype, true);
    this.#start(slot, end, undefined, () => fill(end, dst.dtype, value));
  }

  #count(what: string, n: number): void {
    if (Number.isSafeInteger(n) && n >= 0) return;
    this.#faults.fail("KPU4007", `${what} of a transfer must be an integer of at least 0, got ${n}`, {
      help: "strides count elements between row starts and go forward",
      data: { [what]: n },
    });
  }

  /** Bounds of the whole transfer, before any part of it is noted. */
  #within({ buffer, rows }: End, dtype: DType, access: string): void {
    const limit = buffer.base + buffer.byteLength;
    if (rows.start >= buffer.base && rows.end <= limit) return;
    // The first row that leaves the buffer.
    const fits =
      rows.start < buffer.base ? 0 : Math.floor((limit - rows.start - rows.width) / (rows.stride || 1)) + 1;
    const at = rows.start + Math.max(0, Math.min(fits, rows.times - 1)) * rows.stride;
    this.#faults.outOfBounds(buffer, dtype, at, at + rows.width, access);
  }

  /** Checks and stamps every byte of one end. */
  #note({ buffer, rows }: End, dtype: DType, write: boolean): void {
    for (let i = 0; i < rows.times; i++) {
      const at = rows.start + i * rows.stride;
      if (write) this.#access.writes(buffer, dtype, at, at + rows.width);
      else this.#access.reads(buffer, dtype, at, at + rows.width);
    }
  }

  #start(slot: Slot | undefined, dst: End | undefined, src: End | undefined, move: () => void): void {
    if (slot === undefined) {
      move();
      return;
    }
    const late = this.#options.policy === "late";
    if (!late) move();
    const land = late ? move : (): void => {};
    const flight: Flight = {
      tile: this.#clock.tile,
      event: slot.event,
      dst,
      src,
      startedAt: hereLater(),
      land,
    };
    slot.flight = flight;
    if (!this.#options.checks) return;
    for (const region of regionsOf(flight)) {
      region.flights.push(flight);
      region.checks |= CHECK_SLOWLY;
    }
  }

  // ------------------------------------------------------------------------------------------ events

  allocEvents(count: number): Event[] {
    const slots = this.#slots[this.#clock.tile] as (Slot | undefined)[];
    const limit = this.#options.events;
    const free: number[] = [];
    for (let id = 0; id < limit && free.length < count; id++) if (slots[id] === undefined) free.push(id);
    if (free.length < count) {
      this.#faults.fail(
        "KPU5007",
        `${count} event${count === 1 ? "" : "s"} asked for, but ${free.length} of the tile's ${limit} are free`,
        {
          help: "free events with S.freeEvents, or reuse one after waiting for it",
          data: { asked: count, free: free.length, limit },
        },
      );
    }
    const allocatedAt = hereLater();
    return free.map((id) => {
      const event = new Event(id);
      slots[id] = { event, allocatedAt, flight: undefined };
      return event;
    });
  }

  freeEvents(events: readonly Event[]): void {
    for (const event of events) {
      const slot = this.#slot(event);
      if (slot.flight !== undefined) {
        this.#faults.fail("KPU5006", `event ${event.id} is freed while its transfer is in flight`, {
          help: "S.waitEvents(event) before S.freeEvents(event)",
          notes: [note("the transfer was started here", slot.flight.startedAt())],
          data: { event: event.id },
        });
      }
      (this.#slots[this.#clock.tile] as (Slot | undefined)[])[event.id] = undefined;
    }
  }

  /** Refuses a wait that could never end. */
  checkWait(events: readonly Event[]): void {
    for (const event of events) {
      if (this.#slot(event).flight === undefined) {
        this.#faults.fail(
          "KPU5004",
          `event ${event.id} has no transfer in flight: this wait would never end`,
          {
            help: "start a transfer on the event first; one wait takes one transfer",
            data: { event: event.id },
          },
        );
      }
    }
  }

  /** Completes what was waited for: the data has arrived and both ends are free. */
  complete(events: readonly Event[]): void {
    for (const event of events) {
      const slot = this.#slot(event);
      const flight = slot.flight;
      // One event may stand twice in a wait.
      if (flight === undefined) continue;
      slot.flight = undefined;
      for (const region of regionsOf(flight)) {
        const i = region.flights.indexOf(flight);
        if (i >= 0) region.flights.splice(i, 1);
        if (region.flights.length === 0 && !region.watched) region.checks &= ~CHECK_SLOWLY;
      }
      if (flight.src) this.#note(flight.src, flight.src.buffer.dtype, false);
      if (flight.dst) this.#note(flight.dst, flight.dst.buffer.dtype, true);
      flight.land();
    }
  }

  /** What a tile must not leave behind. */
  atEndOfTile(): void {
    for (const slot of this.#slots[this.#clock.tile] as (Slot | undefined)[]) {
      if (slot === undefined) continue;
      const flight = slot.flight;
      const location = (flight?.startedAt ?? slot.allocatedAt)();
      const message =
        flight === undefined
          ? `event ${slot.event.id} is never freed`
          : `the transfer on event ${slot.event.id} is never waited for`;
      this.#faults.fail("KPU5006", message, {
        help:
          flight === undefined
            ? "end with S.freeEvents(event)"
            : "S.waitEvents(event), then S.freeEvents(event)",
        notes: flight === undefined ? [] : [note("the event was allocated here", slot.allocatedAt())],
        data: { event: slot.event.id },
        ...(location ? { location } : {}),
      });
    }
  }

  #slot(event: Event): Slot {
    const slot = this.#slots[this.#clock.tile]?.[event.id];
    if (slot?.event === event) return slot;
    return this.#faults.fail("KPU5008", `event ${event.id} is used after it was freed`, {
      help: "allocate a new one with S.allocEvents",
      data: { event: event.id },
    });
  }

  #startable(event: Event): Slot {
    const slot = this.#slot(event);
    if (slot.flight !== undefined) {
      this.#faults.fail("KPU5005", `event ${event.id} still has a transfer in flight`, {
        help: "wait for it first, or use another event",
        notes: [note("the transfer was started here", slot.flight.startedAt())],
        data: { event: event.id },
      });
    }
    return slot;
  }
}

function note(message: string, location: Location | undefined): { message: string; location?: Location } {
  return location === undefined ? { message } : { message, location };
}

function rowsOf(p: Ptr, b: Buffer, width: number, stride: number, times: number): Rows {
  const bytes = p.dtype.bytes;
  const start = b.base + p.byteOffset;
  // Rows that follow each other are one row.
  if (stride === width) return new Rows(start, width * times * bytes, 0, 1);
  return new Rows(start, width * bytes, stride * bytes, times);
}

function regionsOf(flight: Flight): Set<Buffer["region"]> {
  const regions = new Set<Buffer["region"]>();
  if (flight.dst) regions.add(flight.dst.buffer.region);
  if (flight.src) regions.add(flight.src.buffer.region);
  return regions;
}

function moveRows(dst: End, src: End): void {
  const to = dst.buffer.region.bytes;
  const from = src.buffer.region.bytes;
  const d = dst.rows;
  const s = src.rows;
  // One side may be one long row where the other has several: go by the shorter rows.
  const width = Math.min(d.width, s.width);
  const times = Math.max(d.times, s.times);
  const dStep = d.times > 1 ? d.stride : width;
  const sStep = s.times > 1 ? s.stride : width;
  for (let i = 0; i < times; i++) {
    const at = s.start + i * sStep;
    to.set(from.subarray(at, at + width), d.start + i * dStep);
  }
}

function fill({ buffer, rows }: End, dtype: DType, value: number): void {
  const { region } = buffer;
  if (rows.start % dtype.bytes === 0) {
    region.lanes(dtype.name).fill(rows.start / dtype.bytes, rows.end / dtype.bytes, value);
    return;
  }
  // Not aligned: make one element and repeat its bytes.
  const element = new Uint8Array(dtype.bytes);
  writeUnaligned(element, 0, dtype.name, value);
  for (let at = rows.start; at < rows.end; at += dtype.bytes) region.bytes.set(element, at);
}
