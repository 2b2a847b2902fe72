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
import type { MachineConfig } from "../schema.ts";
import type { Runs } from "../trace.ts";
import { type Clocks, cyclesFor, fractionOf, gcd } from "./clock.ts";

/** No row is open. */
const NONE = -1;

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
  /** What the rows of the last round of the banks cost. */
  readonly #round: Float64Array;

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
    this.#round = new Float64Array(banks);
  }

  /** Runs from an address on are read or written, in order. */
  access(address: number, { count, bytes, stride }: Runs): void {
    this.touched = 0;
    this.activations = 0;
    this.#access++;
    const turn = this.#channels === 1 ? 1 : this.#interleave * this.#channels;
    if (stride === bytes) this.#runs(address, count * bytes, 1, 0);
    else if (stride % turn === 0 && stride >= 0) this.#runs(address, bytes, count, stride / this.#channels);
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
    return cyclesFor(Math.ceil(bytes / this.#burst) * this.#burst, this.#rate) * this.#tick;
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
    if (step > 0 && step % page === 0 && this.#sameRows(c, low, high, count, step / page)) return;
    for (let r = 0; r < count; ) {
      const at = low + r * step;
      const row = Math.floor(at / page);
      // How far the last stretch may begin that lies in this row alone.
      const left = (row + 1) * page - (high - low) - at;
      if (left < 0) {
        this.#part(c, at, high + r * step);
        r++;
        continue;
      }
      const runs = step === 0 ? count - r : Math.min(count - r, 1 + Math.floor(left / step));
      this.#row(c, row, runs * bytes);
      r += runs;
    }
  }

  /** The stretches when each has the same part of its rows. False if they come to a bank again before the others have had a turn. */
  #sameRows(c: number, low: number, high: number, count: number, step: number): boolean {
    const page = this.#page;
    const row = Math.floor(low / page);
    const rows = Math.floor((high - 1) / page) - row + 1;
    if (rows > gcd(step % this.#banks, this.#banks)) return false;
    if (rows === 1) this.#rows(c, row, step, count, 1, this.#rounded(high - low), 0);
    else {
      const first = this.#rounded((row + 1) * page - low);
      this.#rows(c, row, step, count, rows, first, this.#rounded(high - (row + rows - 1) * page));
    }
    return true;
  }

  /** Contiguous bytes of a channel. */
  #part(c: number, low: number, high: number): void {
    const page = this.#page;
    const row = Math.floor(low / page);
    const lastRow = Math.floor((high - 1) / page);
    if (row === lastRow) {
      this.#row(c, row, this.#rounded(high - low));
      return;
    }
    this.#row(c, row, this.#rounded((row + 1) * page - low));
    this.#rows(c, row + 1, 1, lastRow - row - 1, 1, this.#rounded(page), 0);
    this.#row(c, lastRow, this.#rounded(high - lastRow * page));
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
   * So many times `each` rows that follow one another, `step` rows from one time to the next: `first` bytes of the first, whole
   * pages, and `last` bytes of the last. No two of a time and of those until the banks come again may be in one bank. When the
   * banks have come twice and a round of them has cost what the round before did, all further ones do.
   */
  #rows(
    c: number,
    row: number,
    step: number,
    count: number,
    each: number,
    first: number,
    last: number,
  ): void {
    const banks = this.#banks;
    const page = this.#rounded(this.#page);
    const round = banks / gcd(step % banks, banks);
    let same = 0;
    let roundBegin = 0;
    for (let r = 0, turn = 0; r < count; r++, turn++) {
      if (turn === round) turn = 0;
      if (turn === 0) roundBegin = this.#time[c]!;
      for (let j = 0; j < each; j++) {
        const before = this.#extra[c]!;
        this.#row(c, row + r * step + j, j === 0 ? first : j < each - 1 ? page : last);
        const cost = this.#extra[c]! - before;
        const i = turn * each + j;
        same = r >= 2 * round && this.#round[i] === cost ? same + 1 : 0;
        this.#round[i] = cost;
      }
      if (same < round * each || turn !== round - 1) continue;
      const times = Math.floor((count - 1 - r) / round);
      if (times === 0) continue;
      const shift = times * (this.#time[c]! - roundBegin);
      for (let b = 0; b < round * each; b++) {
        const at = c * banks + ((row + Math.floor(b / each) * step + (b % each)) % banks);
        this.open[at]! += times * round * step;
        this.#end[at]! += shift;
        this.#extra[c]! += times * this.#round[b]!;
      }
      this.#time[c]! += shift;
      this.activations += times * round * each;
      r += times * round;
    }
  }

  /** Bytes of one row, in whole bursts. */
  #row(c: number, row: number, bytes: number): void {
    // Quicker than the remainder of numbers that V8 takes for fractions.
    const bank = row - Math.floor(row / this.#banks) * this.#banks;
    const at = c * this.#banks + bank;
    const was = this.open[at]!;
    const place = this.#place[c]!;
    const isFirst = this.opening[place] === NONE;
    if (isFirst) this.opening[place] = 0;
    if (was !== row) {
      const cost = was === NONE ? this.#whenEmpty : this.#whenConflict;
      this.open[at] = row;
      this.activations++;
      const opened = (this.#endOf[at] === this.#access ? this.#end[at]! : 0) + cost * this.#rate.num;
      const late = opened - this.#time[c]!;
      if (isFirst) this.opening[place] = cost;
      else if (late > 0) this.#extra[c]! += late;
      if (late > 0) this.#time[c] = opened;
    }
    this.#time[c]! += bytes * this.#rate.den * this.#tick;
    this.#end[at] = this.#time[c]!;
    this.#endOf[at] = this.#access;
  }
}
