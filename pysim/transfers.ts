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
import type { Ptr } from "../dsl/pointer.ts";
import { Event } from "../dsl/values.ts";
import { describe } from "../ir/bounds.ts";
import type { Location } from "../ir/diagnostic.ts";
import { Blocks } from "../ir/path/blocks.ts";
import type { Command } from "../ir/path/command.ts";
import { InOrder } from "../ir/path/inorder.ts";
import { Box, type Region as Bytes, regionsOverlap } from "../ir/region.ts";
import {
  countProblem,
  destinationRegion,
  type Gather,
  gatheredRows,
  gatherTarget,
  moveGather,
  moveTransfer,
  type Problem,
  rowTransfer,
  sourceRegion,
  storedBytes,
  type Transfer,
  transferProblem,
} from "../ir/transfer.ts";
import type { Access } from "./access.ts";
import { type Faults, hereLater } from "./faults.ts";
import type { End, Flight } from "./flights.ts";
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
  /** Per tile. */
  readonly #queues: InOrder[];
  /** What lies in stream buffers. */
  readonly #blocks = new Blocks();
  /** Transfers started, for the report. */
  started = 0;

  constructor(clock: Clock, faults: Faults, access: Access, options: TransferOptions) {
    this.#clock = clock;
    this.#faults = faults;
    this.#access = access;
    this.#options = options;
    this.#slots = Array.from({ length: clock.tiles }, () => []);
    this.#queues = Array.from({ length: clock.tiles }, () => new InOrder());
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
    this.#sound(countProblem({ width, srcStride, dstStride, times }));
    this.#move(dst, src, rowTransfer(width, srcStride, dstStride, times), event);
  }

  /** A box in up to five dimensions, with padding: see ir/transfer.ts. */
  box(dst: Ptr, src: Ptr, t: Transfer, event: Event | undefined): void {
    this.#sound(transferProblem(t));
    this.#move(dst, src, t, event);
  }

  #move(dst: Ptr, src: Ptr, t: Transfer, event: Event | undefined): void {
    const slot = this.#begin(event);
    const size = dst.dtype.bytes;
    const [to, from] = [placeOf(dst), placeOf(src)];
    const target = destinationRegion(t, to, size);
    const source = sourceRegion(t, from, size);
    const dstEnd = target && this.#destination(dst, target);
    const sources = source === undefined ? [] : [this.#source(src, source)];
    const move = (): void => {
      if (dstEnd === undefined) return;
      const bytes = sources[0]?.buffer.region.bytes ?? NO_BYTES;
      moveTransfer({ bytes: dstEnd.buffer.region.bytes, at: to }, { bytes, at: from }, t, dst.dtype.name);
    };
    if (t.padding !== undefined) this.#access.stores(dst.dtype, t.padding.value);
    this.#launch(slot, dstEnd, sources, move);
  }

  /** Row i from the row that index[i] says. */
  gather(dst: Ptr, src: Ptr, index: Ptr, count: number, g: Gather, event: Event | undefined): void {
    this.#sound(countProblem({ count, ...g }));
    const slot = this.#begin(event);
    if (count === 0 || g.width === 0) {
      this.#launch(slot, undefined, [], () => {});
      return;
    }
    const size = dst.dtype.bytes;
    const [to, from] = [placeOf(dst), placeOf(src)];
    const listed = this.#source(index, Box.of(placeOf(index), index.dtype.bytes * count, [], []));
    this.#within(listed, "reads");
    const rows = this.#access.load(index, count);
    const source = this.#source(src, gatheredRows(g, from, rows, size));
    const target = this.#destination(dst, gatherTarget(g, to, count, size));
    this.#launch(slot, target, [source, listed], () => {
      const [into, out] = [target.buffer.region.bytes, source.buffer.region.bytes];
      moveGather({ bytes: into, at: to }, { bytes: out, at: from }, g, rows, size);
    });
  }

  memset(dst: Ptr, value: number, count: number, event: Event | undefined): void {
    this.#sound(countProblem({ count }));
    const slot = this.#begin(event);
    if (count === 0) {
      this.#launch(slot, undefined, [], () => {});
      return;
    }
    const end = this.#destination(dst, Box.of(placeOf(dst), count * dst.dtype.bytes, [], []));
    this.#access.stores(dst.dtype, value);
    this.#launch(slot, end, [], () => fill(end, value));
  }

  /** A command of the matrix path. */
  command(c: Command, at: (operand: string) => Ptr, event: Event): void {
    this.#sound(c.problem);
    const slot = this.#begin(event);
    let target: End | undefined;
    let inPlace = false;
    const sources: End[] = [];
    for (const { operand, access, region } of c.touches) {
      const p = at(operand);
      const bytes = region(placeOf(p), p.dtype.bytes);
      if (bytes === undefined) continue;
      if (access === "reads") sources.push(this.#source(p, bytes));
      else target = this.#destination(p, bytes);
      inPlace ||= access === "updates";
    }
    const move = (): void =>
      c.run((operand) => {
        const p = at(operand);
        return { bytes: (p.memory as Buffer | undefined)?.region.bytes ?? NO_BYTES, at: placeOf(p) };
      });
    this.#check(target, sources);
    const inOrder = c.inOrder ?? false;
    if (target !== undefined && inPlace) this.#note(target, false, inOrder);
    this.#stamp(target, sources, inOrder);
    this.#blocksOf(c, at);
    this.#start(slot, target, sources, move, inOrder);
  }

  /** Takes and leaves blocks in stream buffers. */
  #blocksOf({ takes, streams }: Command, at: (operand: string) => Ptr): void {
    const element = (p: Ptr): number => placeOf(p) / p.dtype.bytes;
    for (const { operand, block } of takes ?? []) {
      const p = at(operand);
      const wrong = this.#blocks.problem(this.#access.source(p).region, element(p), block);
      if (wrong !== undefined)
        this.#faults.fail("KPU4015", `${operand} ${wrong.message}`, { help: wrong.help, data: wrong.data });
    }
    if (streams === undefined) return;
    const p = at(streams.operand);
    this.#blocks.put(this.#access.destination(p).region, element(p), streams.block);
  }

  /** A hint about caches: no values move, but the range must be there. */
  touch(p: Ptr, count: number): void {
    this.#sound(countProblem({ count }));
    if (count > 0) this.#within(this.#source(p, Box.of(placeOf(p), count * p.dtype.bytes, [], [])), "reads");
  }

  #sound(problem: Problem | undefined): void {
    if (problem === undefined) return;
    this.#faults.fail("KPU4007", problem.message, { help: problem.help, data: problem.data });
  }

  #begin(event: Event | undefined): Slot | undefined {
    const slot = event === undefined ? undefined : this.#startable(event);
    this.started++;
    return slot;
  }

  #source(p: Ptr, bytes: Bytes): End {
    return { buffer: this.#access.source(p), dtype: p.dtype, bytes };
  }
  #destination(p: Ptr, bytes: Bytes): End {
    return { buffer: this.#access.destination(p), dtype: p.dtype, bytes };
  }

  /** Bounds of the whole transfer, before any part of it is noted. */
  #within({ buffer, dtype, bytes }: End, access: string): void {
    const out = bytes.firstOutside(buffer.base, buffer.base + buffer.byteLength);
    if (out !== undefined) this.#faults.outOfBounds(buffer, dtype, out.start, out.end, access);
  }

  /** Checks and stamps every byte of one end. */
  #note({ buffer, dtype, bytes }: End, write: boolean, inOrder = false): void {
    if (write) bytes.forEachRun((start, end) => this.#access.writes(buffer, dtype, start, end, inOrder));
    else bytes.forEachRun((start, end) => this.#access.reads(buffer, dtype, start, end, inOrder));
  }

  /** Checks both ends, then starts the transfer. */
  #launch(slot: Slot | undefined, dst: End | undefined, sources: readonly End[], move: () => void): void {
    this.#check(dst, sources);
    this.#stamp(dst, sources);
    this.#start(slot, dst, sources, move);
  }

  /** Bounds of both ends, and that they are apart. */
  #check(dst: End | undefined, sources: readonly End[]): void {
    for (const source of sources) this.#within(source, "reads");
    if (dst !== undefined) {
      this.#within(dst, "writes");
      for (const { buffer, bytes } of sources) {
        if (dst.buffer.region !== buffer.region || !regionsOverlap(dst.bytes, bytes)) continue;
        const message = `source and destination of the transfer overlap in ${describe(dst.buffer)}`;
        const help = "copy through a buffer between the two";
        this.#faults.fail("KPU4009", message, { help, data: { buffer: dst.buffer.name } });
      }
    }
  }

  #stamp(dst: End | undefined, sources: readonly End[], inOrder = false): void {
    for (const source of sources) this.#note(source, false);
    if (dst !== undefined) this.#note(dst, true, inOrder);
  }

  #start(
    slot: Slot | undefined,
    dst: End | undefined,
    sources: readonly End[],
    move: () => void,
    inOrder = false,
  ): void {
    if (slot === undefined) {
      move();
      return;
    }
    const late = this.#options.policy === "late";
    if (!late) move();
    const queue = inOrder ? this.#queues[this.#clock.tile] : undefined;
    const land = late ? (queue?.add(move) ?? move) : (): void => {};
    const flight: Flight = {
      tile: this.#clock.tile,
      event: slot.event,
      dst,
      sources,
      startedAt: hereLater(),
      inOrder,
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
      this.#stamp(flight.dst, flight.sources, flight.inOrder);
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

const NO_BYTES = new Uint8Array();

/** The address that a pointer points to; 0 for null, which no access passes. */
function placeOf(p: Ptr): number {
  return ((p.memory as Buffer | undefined)?.base ?? 0) + p.byteOffset;
}

function regionsOf(flight: Flight): Set<Buffer["region"]> {
  const regions = new Set<Buffer["region"]>();
  if (flight.dst) regions.add(flight.dst.buffer.region);
  for (const source of flight.sources) regions.add(source.buffer.region);
  return regions;
}

function fill({ buffer, dtype, bytes }: End, value: number): void {
  const { region } = buffer;
  const { start, end } = bytes;
  if (start % dtype.bytes === 0) {
    region.lanes(dtype.name).fill(start / dtype.bytes, end / dtype.bytes, value);
    return;
  }
  // Not aligned: make one element and repeat its bytes.
  const element = storedBytes(dtype.name, value);
  for (let at = start; at < end; at += dtype.bytes) region.bytes.set(element, at);
}
