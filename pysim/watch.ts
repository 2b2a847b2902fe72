/**
 * Finds the earlier of two racing accesses. The shadow knows only its tile; a second, identical run watches the bytes
 * and takes the stack when that tile touches them. Runs are deterministic, so the second one finds what the first met.
 */
import type { DType } from "../dsl/dtypes.ts";
import { type ElementRange, elementRange } from "../ir/bounds.ts";
import type { Location } from "../ir/diagnostic.ts";
import { here, type RaceFound } from "./faults.ts";
import type { Buffer } from "./memory.ts";
import type { Clock } from "./shadow.ts";

/** Sees every access of one region, slowly. */
export interface Watcher {
  readonly region: number;
  see(b: Buffer, dtype: DType, start: number, end: number, write: boolean, clock: Clock): void;
}

/** Remembers the line that wrote an element last. */
export class LastWrite implements Watcher {
  readonly region: number;
  location: Location | undefined = undefined;
  readonly #start: number;
  readonly #end: number;
  constructor(region: number, start: number, end: number) {
    this.region = region;
    this.#start = start;
    this.#end = end;
  }
  see(_b: Buffer, _dtype: DType, start: number, end: number, write: boolean): void {
    if (write && start < this.#end && end > this.#start) this.location = here();
  }
}

export interface EarlierAccess {
  readonly tile: number;
  readonly range: ElementRange;
  readonly location: Location | undefined;
}

export class Watch implements Watcher {
  readonly race: RaceFound;
  found: EarlierAccess | undefined = undefined;
  constructor(race: RaceFound) {
    this.race = race;
  }
  get region(): number {
    return this.race.region;
  }
  see(b: Buffer, dtype: DType, start: number, end: number, write: boolean, clock: Clock): void {
    const r = this.race;
    if (this.found !== undefined || b.region.id !== r.region || write !== r.write || clock.epoch !== r.epoch)
      return;
    if (start >= r.end || end <= r.start) return;
    if (r.tile === undefined ? clock.tile === r.notTile : clock.tile !== r.tile) return;
    this.found = { tile: clock.tile, range: elementRange(b, dtype, start, end), location: here() };
  }
}
