/**
 * Finds the earlier of two racing accesses. The shadow knows only its tile; a second, identical run watches the bytes
 * and takes the stack when that tile touches them. Runs are deterministic, so the second one finds what the first met.
 */
import type { DType } from "../dsl/dtypes.ts";
import type { Location } from "../ir/diagnostic.ts";
import { type ElementRange, elementRange, here, type RaceFound } from "./faults.ts";
import type { Buffer } from "./memory.ts";
import type { Clock } from "./shadow.ts";

export interface EarlierAccess {
  readonly tile: number;
  readonly range: ElementRange;
  readonly location: Location | undefined;
}

export class Watch {
  readonly race: RaceFound;
  found: EarlierAccess | undefined = undefined;
  constructor(race: RaceFound) {
    this.race = race;
  }
  see(b: Buffer, dtype: DType, start: number, end: number, write: boolean, clock: Clock): void {
    const r = this.race;
    if (this.found !== undefined || b.region.id !== r.region || write !== r.write || clock.epoch !== r.epoch) return;
    if (start >= r.end || end <= r.start) return;
    if (r.tile === undefined ? clock.tile === r.notTile : clock.tile !== r.tile) return;
    this.found = { tile: clock.tile, range: elementRange(b, dtype, start, end), location: here() };
  }
}
