/** Events of the tiles in checked execution. Transfers are complete when issued; what is checked is their use. */
import type { DiagnosticCode } from "../ir/codes.ts";

export type Stop = (code: DiagnosticCode, message: string, help?: string) => never;

interface EventState {
  readonly id: number;
  free: boolean;
  inFlight: boolean;
}

export class TileEvents {
  readonly #limit: number;
  readonly #tile: number;
  readonly #events: EventState[] = [];

  constructor(tile: number, limit: number) {
    this.#tile = tile;
    this.#limit = limit;
  }

  /** A handle that is never given twice. */
  alloc(stop: Stop): number {
    const used = new Set(this.#events.filter((e) => !e.free).map((e) => e.id));
    let id = 0;
    while (used.has(id)) id++;
    if (id >= this.#limit)
      stop(
        "KPU5007",
        `all ${this.#limit} events of tile ${this.#tile} are in use`,
        "free events when their transfers are done",
      );
    return this.#events.push({ id, free: false, inFlight: false }) - 1;
  }
  id(handle: number): number {
    return this.#events[handle]?.id ?? handle;
  }
  start(handle: number, stop: Stop): void {
    const e = this.#live(handle, stop);
    if (e.inFlight) stop("KPU5005", `event ${e.id} still has a transfer in flight`, "wait for it first");
    e.inFlight = true;
  }
  wait(handle: number, stop: Stop): void {
    const e = this.#live(handle, stop);
    if (!e.inFlight)
      stop("KPU5004", `event ${e.id} has no transfer in flight`, "start a transfer on it first");
    e.inFlight = false;
  }
  release(handle: number, stop: Stop): void {
    const e = this.#live(handle, stop);
    if (e.inFlight)
      stop("KPU5006", `event ${e.id} is freed while its transfer is in flight`, "wait for it first");
    e.free = true;
  }
  /** At the end of the tile. */
  finish(stop: Stop): void {
    const left = this.#events.find((e) => !e.free && e.inFlight);
    if (left !== undefined)
      stop("KPU5006", `the transfer on event ${left.id} of tile ${this.#tile} is never waited for`);
  }
  #live(handle: number, stop: Stop): EventState {
    const e = this.#events[handle];
    if (e === undefined) throw new TypeError(`no event ${handle}`);
    return e.free ? stop("KPU5008", `event ${e.id} is used after it was freed`) : e;
  }
}
