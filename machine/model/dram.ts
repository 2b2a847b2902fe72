/**
 * Channels and open rows. Addresses take turns on the channels, `interleaveBytes` at a time; what a channel gets is cut into
 * rows of `pageBytes`, which take turns on its banks. A bank keeps the row open that it was last asked for.
 *
 * An access to the open row is a hit; to another row it costs rowConflict - rowHit memory cycles more, and rowEmpty - rowHit
 * when no row was open yet. Banks open rows at the same time: that of a transfer's later row begins when the bank's data before
 * have flowed, and from the begin of the transfer on if the bank had none. Only what is not over when the data before it on the
 * channel have flowed costs time (bank-level parallelism; Rixner, Dally, Kapasi, Mattson, Owens, Memory Access Scheduling, ISCA
 * 2000). How many banks may open rows in a while (tFAW) is not modelled.
 */

import { gcd } from "../gcd.ts";
import type { MachineConfig } from "../schema.ts";
import type { Runs } from "../trace.ts";
import { type Clocks, cyclesFor, fractionOf } from "./clock.ts";

/** No row is open. */
const NONE = -1;

/** Quicker than the remainder, which V8 leaves to the library of C where numbers may be fractions. */
function isMultiple(a: number, b: number): boolean {
  return Math.floor(a / b) === a / b;
}

export class Dram {
  /**
   * What the last access needs of its `touched` channels, in order: the channel; ticks until its first row is open; ticks of
   * data and of opening further rows.
   */
  touched = 0;
  readonly channel: Int32Array;
  readonly opening: Float64Array;
  readonly occupied: Float64Array;
  /** Rows that the last access opened. */
  activations = 0;

  /** The open row of each bank; banks of a channel stand together. */
  readonly open: Float64Array;

  readonly #channels: number;
  readonly #banks: number;
  readonly #page: number;
  readonly #interleave: number;
  readonly #burst: number;
  readonly #tick: number;
  readonly #rate: { readonly num: number; readonly den: number };
  readonly #whenEmpty: number;
  readonly #whenConflict: number;

  // Of each channel during an access. Times are exact: in parts of a tick, of which `#rate.num` are one, from the transfer's begin.
  readonly #bytes: Float64Array;
  readonly #extra: Float64Array;
  readonly #time: Float64Array;
  readonly #place: Int32Array;
  /** When the data of each bank have flowed, in the access of this number. */
  readonly #end: Float64Array;
  readonly #endOf: Float64Array;
  #access = 0;
  /** How long the rows of the last round of the banks took. */
  readonly #took: Float64Array;

  constructor({ dram, dma }: Pick<MachineConfig, "dram" | "dma">, clocks: Clocks) {
    const { channels, banks, latency } = dram;
    this.#channels = channels;
    this.#banks = banks;
    this.#page = dram.pageBytes;
    this.#interleave = dram.interleaveBytes;
    this.#burst = dma.burstBytes;
    this.#tick = clocks.memory;
    this.#rate = fractionOf(dram.bytesPerCycle);
    this.#whenEmpty = Math.max(0, latency.rowEmpty - latency.rowHit) * clocks.memory;
    this.#whenConflict = Math.max(0, latency.rowConflict - latency.rowHit) * clocks.memory;
    this.open = new Float64Array(channels * banks).fill(NONE);
    this.channel = new Int32Array(channels);
    this.opening = new Float64Array(channels);
    this.occupied = new Float64Array(channels);
    this.#bytes = new Float64Array(channels);
    this.#extra = new Float64Array(channels);
    this.#time = new Float64Array(channels);
    this.#place = new Int32Array(channels).fill(NONE);
    this.#end = new Float64Array(channels * banks);
    this.#endOf = new Float64Array(channels * banks);
    this.#took = new Float64Array(banks);
  }

  /** Runs from an address on are read or written, in order. */
  access(address: number, { count, bytes, stride }: Runs): void {
    this.touched = 0;
    this.activations = 0;
    this.#access++;
    const turn = this.#channels === 1 ? 1 : this.#interleave * this.#channels;
    if (stride === bytes) this.#runs(address, count * bytes, 1, 0);
    else if (isMultiple(stride, turn) && stride >= 0)
      this.#runs(address, bytes, count, stride / this.#channels);
    else for (let r = 0; r < count; r++) this.#runs(address + r * stride, bytes, 1, 0);
    for (let i = 0; i < this.touched; i++) {
      const c = this.channel[i]!;
      const data = cyclesFor(this.#bytes[c]!, this.#rate) * this.#tick;
      this.occupied[i] = data + Math.ceil(this.#extra[c]! / this.#rate.num);
      this.#place[c] = NONE;
    }
  }

  /** Ticks that a channel needs for data of open rows. */
  dataTicks(bytes: number): number {
    return cyclesFor(this.#rounded(bytes), this.#rate) * this.#tick;
  }

  /** Runs of which each channel gets the same part, `step` bytes further from one to the next. */
  #runs(address: number, bytes: number, count: number, step: number): void {
    const interleave = this.#interleave;
    const channels = this.#channels;
    if (channels === 1) {
      this.#parts(0, address, address + bytes, count, step);
      return;
    }
    const first = Math.floor(address / interleave);
    const last = Math.floor((address + bytes - 1) / interleave);
    const turn = Math.floor(first / channels);
    const c = first - turn * channels;
    const begin = turn * interleave + address - first * interleave;
    if (first === last) {
      this.#parts(c, begin, begin + bytes, count, step);
      return;
    }
    const lastTurn = Math.floor(last / channels);
    const lastChannel = last - lastTurn * channels;
    const end = lastTurn * interleave + address + bytes - last * interleave;
    const used = Math.min(channels, last - first + 1);
    for (let i = 0; i < used; i++) {
      const at = c + i < channels ? c + i : c + i - channels;
      const low = at === c ? begin : (at > c ? turn : turn + 1) * interleave;
      const high = at === lastChannel ? end : (at < lastChannel ? lastTurn + 1 : lastTurn) * interleave;
      this.#parts(at, low, high, count, step);
    }
  }

  /** Stretches of a channel as long as the first one, from `low` to `high` of its own addresses, `step` bytes from one to the next. */
  #parts(c: number, low: number, high: number, count: number, step: number): void {
    const page = this.#page;
    const bytes = this.#rounded(high - low);
    this.#enter(c, count * bytes);
    if (count === 1) this.#part(c, low, high);
    else if (step === 0) for (let r = 0; r < count; r++) this.#part(c, low, high);
    else if (isMultiple(step, page)) this.#apart(c, low, high, count, step / page);
    else if (isMultiple(page, step) && high <= (Math.floor(low / step) + 1) * step)
      this.#inside(c, low, count, step, bytes);
    else for (let r = 0; r < count; r++) this.#part(c, low + r * step, high + r * step);
  }

  /** Stretches that lie at the same place of each `step`-th row, or begin there. */
  #apart(c: number, low: number, high: number, count: number, step: number): void {
    const page = this.#page;
    const row = Math.floor(low / page);
    const rows = Math.floor((high - 1) / page) - row + 1;
    if (rows === 1) {
      this.#rows(c, row, step, count, 1, this.#rounded(high - low), 0, 0);
      return;
    }
    const first = this.#rounded((row + 1) * page - low);
    const last = this.#rounded(high - (row + rows - 1) * page);
    // Those of a stretch are in banks of their own until all banks have had their turn.
    if (rows <= gcd(step % this.#banks, this.#banks))
      this.#rows(c, row, step, count, rows, first, this.#rounded(page), last);
    else for (let r = 0; r < count; r++) this.#part(c, low + r * step * page, high + r * step * page);
  }

  /** Stretches of so many bytes, of which each row has the same number. None lies in two rows. */
  #inside(c: number, low: number, count: number, step: number, bytes: number): void {
    const page = this.#page;
    const row = Math.floor(low / page);
    const first = Math.min(count, Math.ceil(((row + 1) * page - low) / step));
    const rows = Math.ceil((count - first) / (page / step));
    const last = count - first - (rows - 1) * (page / step);
    if (rows === 0) this.#rows(c, row, 1, 1, 1, first * bytes, 0, 0);
    else this.#rows(c, row, 1, 1, 1 + rows, first * bytes, (page / step) * bytes, last * bytes);
  }

  /** Contiguous bytes of a channel. */
  #part(c: number, low: number, high: number): void {
    const page = this.#page;
    const row = Math.floor(low / page);
    const lastRow = Math.floor((high - 1) / page);
    if (row === lastRow) {
      this.#rows(c, row, 1, 1, 1, this.#rounded(high - low), 0, 0);
      return;
    }
    const first = this.#rounded((row + 1) * page - low);
    const last = this.#rounded(high - lastRow * page);
    const between = lastRow - row - 1;
    if (between <= this.#banks) {
      this.#rows(c, row, 1, 1, 2 + between, first, this.#rounded(page), last);
      return;
    }
    this.#rows(c, row, 1, 1, 1, first, 0, 0);
    this.#rows(c, row + 1, 1, between, 1, this.#rounded(page), 0, 0);
    this.#rows(c, lastRow, 1, 1, 1, last, 0, 0);
  }

  #rounded(bytes: number): number {
    return Math.ceil(bytes / this.#burst) * this.#burst;
  }

  /** Bytes of the access on a channel. */
  #enter(c: number, bytes: number): void {
    if (this.#place[c] === NONE) {
      this.#place[c] = this.touched;
      this.channel[this.touched++] = c;
      this.opening[this.#place[c]!] = NONE;
      this.#bytes[c] = 0;
      this.#extra[c] = 0;
      this.#time[c] = 0;
    }
    this.#bytes[c]! += bytes;
  }

  /**
   * So many times `each` rows that follow one another, `step` rows from one time to the next: bytes of the first of each time, of
   * those between, and of the last, in whole bursts. Where the count is more than one, those of a time and of all times until
   * the banks come again are in different banks.
   *
   * A round of the banks leaves every bank with a row that the next round does not want, and with data that ended as long ago as
   * the rows behind it took. So when these took as long as in the round before, further rounds are as this one.
   */
  #rows(
    c: number,
    row: number,
    step: number,
    count: number,
    each: number,
    first: number,
    middle: number,
    last: number,
  ): void {
    const { open } = this;
    const banks = this.#banks;
    const base = c * banks;
    const end = this.#end;
    const endOf = this.#endOf;
    const took = this.#took;
    const access = this.#access;
    const { num, den } = this.#rate;
    const perByte = den * this.#tick;
    const place = this.#place[c]!;
    const round = count === 1 ? 2 : banks / gcd(step % banks, banks);
    let isFirst = this.opening[place] === NONE;
    let time = this.#time[c]!;
    let extra = this.#extra[c]!;
    let [timeBefore, extraBefore] = [time, extra];
    let same = true;
    for (let r = 0, turn = 0, i = 0; r < count; r++) {
      let number = row + r * step;
      let at = base + number - Math.floor(number / banks) * banks;
      for (let j = 0; j < each; j++, i++) {
        const begin = time;
        const was = open[at]!;
        if (was !== number) {
          open[at] = number;
          this.activations++;
          const cost = was === NONE ? this.#whenEmpty : this.#whenConflict;
          const opened = (endOf[at] === access ? end[at]! : 0) + cost * num;
          if (isFirst) this.opening[place] = cost;
          else if (opened > time) extra += opened - time;
          if (opened > time) time = opened;
        } else if (isFirst) this.opening[place] = 0;
        isFirst = false;
        time += (j === 0 ? first : j < each - 1 ? middle : last) * perByte;
        end[at] = time;
        endOf[at] = access;
        number++;
        if (++at === base + banks) at = base;
        if (count === 1) continue;
        if (i > 0 && took[i] !== time - begin) same = false;
        took[i] = time - begin;
      }
      if (++turn < round) continue;
      const times = same && r >= round ? Math.floor((count - 1 - r) / round) : 0;
      if (times > 0) {
        const shift = times * (time - timeBefore);
        for (let b = 0; b < round * each; b++) {
          const bank = base + ((row + Math.floor(b / each) * step + (b % each)) % banks);
          open[bank]! += times * round * step;
          end[bank]! += shift;
        }
        time += shift;
        extra += times * (extra - extraBefore);
        this.activations += times * round * each;
        r += times * round;
      }
      turn = i = 0;
      [timeBefore, extraBefore, same] = [time, extra, true];
    }
    this.#time[c] = time;
    this.#extra[c] = extra;
  }
}
