/**
 * The shadow of a region: for every cell, who wrote it last and who read it in the current epoch.
 *
 *   cell    writer << 16 | reader, so that one load serves a check
 *   writer  0 never written · 1 written by the host before the call · else a stamp
 *   reader  the stamp of the reader; the slot after the last tile means "several tiles in this epoch"
 *   stamp   base of the epoch + tile; the next epoch's base is tiles + 1 higher
 *
 * An epoch is the time between two barriers. All tiles join every barrier, so program order and epochs are the whole
 * happens-before relation: another tile's stamp of the current epoch is unordered with us, any older stamp lies
 * before us. A check is one load and two comparisons per cell; a barrier moves the base and clears nothing.
 *
 * A cell is one element of the buffer's own dtype until an access ends inside one; then cells become bytes. So every
 * check is exact to the byte and the usual ones are as cheap as one per element.
 */
import { DTYPES, type DTypeName } from "../ir/dtype.ts";
import { drainCells, takeCells } from "./cells.ts";

/** Stamps of what was never written, and of the host. */
export const NEVER = 0;
const HOST = 1;
const FIRST_STAMP = 2;
const LAST_STAMP = 0xffff;

/** Stamps below this were given out in this process, so that cells of an earlier run count as the past. */
let used = FIRST_STAMP;

/** Who is running, as stamps. One per simulation; the scheduler moves it. */
export class Clock {
  readonly tiles: number;
  epoch = 0;
  tile = 0;
  /** First stamp of this epoch. */
  base = FIRST_STAMP;
  /** Stamp of the running tile. */
  mine = FIRST_STAMP;
  /** Stamp of "several tiles". */
  several = FIRST_STAMP;
  readonly #shadows: Shadow[] = [];

  constructor(tiles: number) {
    this.tiles = tiles;
    this.#begin();
  }

  /** A new range of stamps. When they run out, all that is stamped becomes "before". */
  #begin(): void {
    if (used + this.tiles > LAST_STAMP) {
      drainCells();
      for (const s of this.#shadows) s.forget();
      used = FIRST_STAMP;
    }
    this.base = used;
    this.several = used + this.tiles;
    this.mine = this.base + this.tile;
    used += this.tiles + 1;
  }
  run(tile: number): void {
    this.tile = tile;
    this.mine = this.base + tile;
  }
  /** All tiles met: everything before is ordered before everything after. */
  nextEpoch(): void {
    this.epoch++;
    this.#begin();
  }
  /** The shadows whose stamps are this clock's. */
  keeps(s: Shadow): Shadow {
    this.#shadows.push(s);
    return s;
  }
  get shadows(): readonly Shadow[] {
    return this.#shadows;
  }
  /** The tile behind a stamp of this epoch; undefined for "several". */
  tileOf(stamp: number): number | undefined {
    return stamp === this.several ? undefined : stamp - this.base;
  }
}

/** What a failed check found at byte `at` (relative to the region's start); `stamp` is the other access's. */
export interface Conflict {
  readonly kind: "uninitialised" | "after-write" | "after-read";
  readonly at: number;
  readonly cellBytes: number;
  readonly stamp: number;
}

export class Shadow {
  /** log2 of the bytes of a cell. */
  shift: number;
  cells: Int32Array;
  /** The smallest stamp that counts as written: 0 where the host filled the memory, so no pass has to say so. */
  readonly floor: 0 | 1;
  /** Several tiles can reach it: races are checked. */
  readonly shared: boolean;

  constructor(byteLength: number, dtype: DTypeName, o: { shared: boolean; initialised: boolean }) {
    this.shift = DTYPES[dtype].bytes >> 1;
    this.shared = o.shared;
    this.floor = o.initialised ? 0 : 1;
    const cells = Math.ceil(byteLength / (1 << this.shift));
    // Where nothing counts as never written, old stamps are as good as zeros.
    this.cells = o.initialised ? takeCells(cells) : new Int32Array(cells);
  }

  /** Checks a read of bytes [start, end) and notes it. */
  read(start: number, end: number, clock: Clock): Conflict | undefined {
    if (((start | end) & ((1 << this.shift) - 1)) !== 0) this.#refine();
    const { cells, shift, floor } = this;
    const last = end >>> shift;
    if (!this.shared) {
      for (let c = start >>> shift; c < last; c++) {
        if ((cells[c] as number) >>> 16 < floor) return this.#conflict(c, NEVER);
      }
      return undefined;
    }
    const { base, mine } = clock;
    // One comparison finds both: NEVER below the floor wraps to the largest number.
    const limit = base - floor;
    for (let c = start >>> shift; c < last; c++) {
      const cell = cells[c] as number;
      const w = cell >>> 16;
      if ((w - floor) >>> 0 >= limit && w !== mine) return this.#conflict(c, w);
      const r = cell & 0xffff;
      if (r !== mine) cells[c] = (w << 16) | (r < base ? mine : clock.several);
    }
    return undefined;
  }

  /** Checks a write of bytes [start, end) and notes it. */
  write(start: number, end: number, clock: Clock): Conflict | undefined {
    if (((start | end) & ((1 << this.shift) - 1)) !== 0) this.#refine();
    const { cells, shift } = this;
    const last = end >>> shift;
    if (!this.shared) {
      for (let c = start >>> shift; c < last; c++) cells[c] = HOST << 16;
      return undefined;
    }
    const { base, mine } = clock;
    for (let c = start >>> shift; c < last; c++) {
      const cell = cells[c] as number;
      const w = cell >>> 16;
      if (w >= base && w !== mine) return this.#conflict(c, w);
      const r = cell & 0xffff;
      if (r >= base && r !== mine) return { ...this.#conflict(c, r), kind: "after-read" };
      cells[c] = (mine << 16) | r;
    }
    return undefined;
  }

  #conflict(cell: number, stamp: number): Conflict {
    const kind = stamp === NEVER ? "uninitialised" : "after-write";
    return { kind, at: cell << this.shift, cellBytes: 1 << this.shift, stamp };
  }

  /** One cell per byte from now on. */
  #refine(): void {
    const { cells, shift } = this;
    const bytes = new Int32Array(cells.length << shift);
    for (let c = 0; c < cells.length; c++) bytes.fill(cells[c] as number, c << shift, (c + 1) << shift);
    this.cells = bytes;
    this.shift = 0;
  }

  /** Turns all of the past into "before": for the end of the stamps. */
  forget(): void {
    const { cells } = this;
    for (let c = 0; c < cells.length; c++) if ((cells[c] as number) >>> 16 !== NEVER) cells[c] = HOST << 16;
  }
}
