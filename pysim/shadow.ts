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
 * before us. A barrier moves the base and clears nothing.
 *
 * Two levels. A block is 32 bytes and has one value while all its cells agree; an access of whole blocks, which is what
 * vectors do, is one load and two comparisons per block. An access of a part spreads the block into cells, and an
 * access of the whole may join them again. A cell is one element of the buffer's own dtype until an access ends inside
 * one; then cells become bytes. So every check is exact to the byte, and the usual ones are as cheap as one per register.
 */
import { DTYPES, type DTypeName } from "../ir/dtype.ts";
import { drainCells, giveBackCells, takeCells } from "./cells.ts";

/** Stamps of what was never written, and of the host. */
export const NEVER = 0;
const HOST = 1;
const FIRST_STAMP = 2;
/** 0xffff is left to MIXED. */
const LAST_STAMP = 0xfffe;

/** log2 of the bytes of a block: one vector register. */
const BLOCK = 5;
const BLOCK_BYTES = 1 << BLOCK;
/** The value of a block whose cells differ. */
const MIXED = -1;

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
  readonly #bytes: number;
  /** Cells if all agree, else MIXED. */
  readonly #blocks: Int32Array;
  /** log2 of the bytes of a cell. */
  #shift: number;
  /** Valid in mixed blocks; made when the first block mixes. */
  #cells: Int32Array | undefined = undefined;
  /** The smallest stamp that counts as written: 0 where the host filled the memory, so no pass has to say so. */
  readonly #floor: 0 | 1;
  /** Several tiles can reach it: races are checked. */
  readonly #shared: boolean;

  constructor(byteLength: number, dtype: DTypeName, o: { shared: boolean; initialised: boolean }) {
    this.#bytes = byteLength;
    // Of 4-bit elements a cell has two: see halves.ts.
    this.#shift = DTYPES[dtype].bytes >> 1;
    this.#shared = o.shared;
    this.#floor = o.initialised ? 0 : 1;
    const blocks = Math.ceil(byteLength / BLOCK_BYTES);
    // Where nothing counts as never written, old stamps are as good as zeros.
    this.#blocks = o.initialised ? takeCells(blocks) : new Int32Array(blocks);
  }

  /** Ends the shadow: its memory serves the next one. */
  giveBack(): void {
    // A mixed block would look into cells that are gone.
    if (this.#cells !== undefined) this.#blocks.fill(0);
    giveBackCells(this.#blocks);
    if (this.#cells !== undefined) giveBackCells(this.#cells);
  }

  /** Whether anybody wrote the byte, or its cell. */
  isWritten(byte: number): boolean {
    const block = this.#blocks[byte >>> BLOCK] as number;
    const v = block === MIXED ? ((this.#cells as Int32Array)[byte >>> this.#shift] as number) : block;
    return v >>> 16 >= this.#floor;
  }

  /** Checks a read of bytes [start, end) and notes it. */
  read(start: number, end: number, clock: Clock): Conflict | undefined {
    if (((start | end) & (BLOCK_BYTES - 1)) !== 0) return this.#readParts(start, end, clock);
    const blocks = this.#blocks;
    const floor = this.#floor;
    const last = end >>> BLOCK;
    if (!this.#shared) {
      for (let b = start >>> BLOCK; b < last; b++) {
        const v = blocks[b] as number;
        if (v === MIXED || v >>> 16 < floor) {
          const found = this.#readPart(b, b << BLOCK, (b + 1) << BLOCK, clock);
          if (found !== undefined) return found;
        }
      }
      return undefined;
    }
    const { base, mine } = clock;
    // One comparison finds both: NEVER below the floor wraps to the largest number.
    const limit = base - floor;
    for (let b = start >>> BLOCK; b < last; b++) {
      const v = blocks[b] as number;
      const w = v >>> 16;
      if ((w - floor) >>> 0 >= limit && w !== mine) {
        const found = this.#readPart(b, b << BLOCK, (b + 1) << BLOCK, clock);
        if (found !== undefined) return found;
        continue;
      }
      const r = v & 0xffff;
      if (r !== mine) blocks[b] = (w << 16) | (r < base ? mine : clock.several);
    }
    return undefined;
  }

  /** Checks a write of bytes [start, end) and notes it. */
  write(start: number, end: number, clock: Clock): Conflict | undefined {
    if (((start | end) & (BLOCK_BYTES - 1)) !== 0) return this.#writeParts(start, end, clock);
    const blocks = this.#blocks;
    const last = end >>> BLOCK;
    if (!this.#shared) {
      for (let b = start >>> BLOCK; b < last; b++) blocks[b] = HOST << 16;
      return undefined;
    }
    const { base, mine } = clock;
    const stamp = mine << 16;
    for (let b = start >>> BLOCK; b < last; b++) {
      const v = blocks[b] as number;
      const w = v >>> 16;
      const r = v & 0xffff;
      if ((w >= base && w !== mine) || (r >= base && r !== mine)) {
        const found = this.#writePart(b, b << BLOCK, (b + 1) << BLOCK, clock);
        if (found !== undefined) return found;
      }
      // Our own reads need no stamp beside our write: whoever is unordered with them is with it too.
      blocks[b] = stamp;
    }
    return undefined;
  }

  #readParts(start: number, end: number, clock: Clock): Conflict | undefined {
    this.#fit(start, end);
    const first = start >>> BLOCK;
    if ((end - 1) >>> BLOCK === first) return this.#readPart(first, start, end, clock);
    for (let b = first; b << BLOCK < end; b++) {
      const found = this.#readPart(b, Math.max(start, b << BLOCK), Math.min(end, (b + 1) << BLOCK), clock);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** A read within one block: [start, end) are bounds of cells. */
  #readPart(b: number, start: number, end: number, clock: Clock): Conflict | undefined {
    const { base, mine, several } = clock;
    const floor = this.#floor;
    const shared = this.#shared;
    // Without races to check, only NEVER is beyond the limit.
    const limit = shared ? base - floor : 0x10000;
    const v = this.#blocks[b] as number;
    if (v !== MIXED) {
      const w = v >>> 16;
      if ((w - floor) >>> 0 >= limit && w !== mine) return this.#conflict(start, w);
      const r = v & 0xffff;
      // Nothing new: what we wrote is ours against everybody until the next barrier.
      if (!shared || w === mine || r === mine || r === several) return undefined;
      if (end - start === BLOCK_BYTES) {
        this.#blocks[b] = (w << 16) | (r < base ? mine : several);
        return undefined;
      }
    }
    const cells = this.#spread(b);
    const shift = this.#shift;
    const last = end >>> shift;
    let agree = true;
    for (let c = start >>> shift; c < last; c++) {
      const cell = cells[c] as number;
      const w = cell >>> 16;
      if ((w - floor) >>> 0 >= limit && w !== mine) return this.#conflict(c << shift, w);
      if (!shared) continue;
      const r = cell & 0xffff;
      const now = r < base || r === mine ? mine : several;
      cells[c] = (w << 16) | now;
      agree = agree && w < base && now === mine;
    }
    // All of it was written before and is read by us alone: who wrote it no longer matters.
    if (agree && end - start === BLOCK_BYTES) this.#blocks[b] = shared ? (HOST << 16) | mine : HOST << 16;
    return undefined;
  }

  #writeParts(start: number, end: number, clock: Clock): Conflict | undefined {
    this.#fit(start, end);
    const first = start >>> BLOCK;
    if ((end - 1) >>> BLOCK === first) return this.#writePart(first, start, end, clock);
    for (let b = first; b << BLOCK < end; b++) {
      const found = this.#writePart(b, Math.max(start, b << BLOCK), Math.min(end, (b + 1) << BLOCK), clock);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** A write within one block: [start, end) are bounds of cells. */
  #writePart(b: number, start: number, end: number, clock: Clock): Conflict | undefined {
    const { base, mine } = clock;
    const shared = this.#shared;
    const stamp = (shared ? mine : HOST) << 16;
    const v = this.#blocks[b] as number;
    if (v === stamp) return undefined;
    const cells = this.#spread(b);
    const shift = this.#shift;
    const last = end >>> shift;
    for (let c = start >>> shift; c < last; c++) {
      if (shared) {
        const cell = cells[c] as number;
        const w = cell >>> 16;
        if (w >= base && w !== mine) return this.#conflict(c << shift, w);
        const r = cell & 0xffff;
        if (r >= base && r !== mine) return { ...this.#conflict(c << shift, r), kind: "after-read" };
      }
      cells[c] = stamp;
    }
    if (end - start === BLOCK_BYTES) this.#blocks[b] = stamp;
    return undefined;
  }

  #conflict(at: number, stamp: number): Conflict {
    return {
      kind: stamp === NEVER ? "uninitialised" : "after-write",
      at,
      cellBytes: 1 << this.#shift,
      stamp,
    };
  }

  /** The cells, with those of block `b` valid from now on. */
  #spread(b: number): Int32Array {
    const shift = this.#shift;
    this.#cells ??= takeCells(Math.ceil(this.#bytes / BLOCK_BYTES) << (BLOCK - shift));
    const v = this.#blocks[b] as number;
    if (v !== MIXED) {
      const first = b << (BLOCK - shift);
      this.#cells.fill(v, first, first + (1 << (BLOCK - shift)));
      this.#blocks[b] = MIXED;
    }
    return this.#cells;
  }

  /** Cells become bytes when an access ends inside one. */
  #fit(start: number, end: number): void {
    const shift = this.#shift;
    if (((start | end) & ((1 << shift) - 1)) === 0) return;
    this.#shift = 0;
    const coarse = this.#cells;
    if (coarse === undefined) return;
    const fine = new Int32Array(Math.ceil(this.#bytes / BLOCK_BYTES) << BLOCK);
    const used = fine.length >> shift;
    for (let c = 0; c < used; c++) fine.fill(coarse[c] as number, c << shift, (c + 1) << shift);
    this.#cells = fine;
  }

  /** Turns all of the past into "before": for the end of the stamps. */
  forget(): void {
    const past = (v: number): number => (v === MIXED ? MIXED : v >>> 16 === NEVER ? NEVER : HOST << 16);
    this.#blocks.forEach((v, b) => {
      this.#blocks[b] = past(v);
    });
    this.#cells?.forEach((v, c) => {
      (this.#cells as Int32Array)[c] = past(v);
    });
  }
}
