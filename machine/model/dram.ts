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
    if (stride === bytes) this.#run(address, count * bytes);
    else if (count > 1 && this.#inOneChannel(address, bytes, stride))
      this.#column(address, count, bytes, stride);
    else for (let r = 0; r < count; r++) this.#run(address + r * stride, bytes);
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

  /** Whether all runs lie in one channel, and each in one row. */
  #inOneChannel(address: number, bytes: number, stride: number): boolean {
    const interleave = this.#interleave;
    return (
      stride % (interleave * this.#channels) === 0 &&
      this.#page % interleave === 0 &&
      (address % interleave) + bytes <= interleave
    );
  }

  /** The usual block of a matrix: a loop of its own, since most of what is asked of DRAM are such. Does what `#run` would do. */
  #column(address: number, count: number, bytes: number, stride: number): void {
    const interleave = this.#interleave;
    const page = this.#page;
    const first = Math.floor(address / interleave);
    const turn = Math.floor(first / this.#channels);
    const c = first - turn * this.#channels;
    const step = stride / this.#channels;
    const rounded = Math.ceil(bytes / this.#burst) * this.#burst;
    this.#enter(c, count * rounded);
    let at = turn * interleave + address - first * interleave;
    if (step % page === 0 && step > 0) {
      this.#rows(c, Math.floor(at / page), step / page, count, rounded);
      return;
    }
    for (let r = 0; r < count; ) {
      const row = Math.floor(at / page);
      const runs =
        step >= page
          ? 1
          : step === 0
            ? count
            : Math.min(count - r, Math.ceil(((row + 1) * page - at) / step));
      this.#row(c, row, runs * rounded);
      r += runs;
      at += runs * step;
    }
  }

  #run(address: number, bytes: number): void {
    const interleave = this.#interleave;
    const channels = this.#channels;
    const first = Math.floor(address / interleave);
    const last = Math.floor((address + bytes - 1) / interleave);
    if (channels === 1) {
      this.#part(0, address, address + bytes);
      return;
    }
    const turn = Math.floor(first / channels);
    const c = first - turn * channels;
    if (first === last) {
      const at = turn * interleave + address - first * interleave;
      this.#part(c, at, at + bytes);
      return;
    }
    const lastTurn = Math.floor(last / channels);
    const lastChannel = last - lastTurn * channels;
    const used = Math.min(channels, last - first + 1);
    for (let i = 0; i < used; i++) {
      const at = c + i < channels ? c + i : c + i - channels;
      const low =
        at === c ? turn * interleave + address - first * interleave : (at > c ? turn : turn + 1) * interleave;
      const high =
        at === lastChannel
          ? lastTurn * interleave + address + bytes - last * interleave
          : (at < lastChannel ? lastTurn + 1 : lastTurn) * interleave;
      this.#part(at, low, high);
    }
  }

  /** Contiguous bytes of a channel, by its own addresses. */
  #part(c: number, low: number, high: number): void {
    const page = this.#page;
    const burst = this.#burst;
    const rounded = (bytes: number): number => Math.ceil(bytes / burst) * burst;
    this.#enter(c, rounded(high - low));
    const row = Math.floor(low / page);
    const lastRow = Math.floor((high - 1) / page);
    if (row === lastRow) {
      this.#row(c, row, rounded(high - low));
      return;
    }
    this.#row(c, row, rounded((row + 1) * page - low));
    this.#rows(c, row + 1, 1, lastRow - row - 1, rounded(page));
    this.#row(c, lastRow, rounded(high - lastRow * page));
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
   * Rows of as many bytes each, `step` rows from one to the next. When the banks have come twice and a round of them has cost
   * what the round before did, all further ones do.
   */
  #rows(c: number, row: number, step: number, count: number, bytes: number): void {
    const banks = this.#banks;
    const round = banks / gcd(step % banks, banks);
    let same = 0;
    let roundBegin = 0;
    for (let r = 0; r < count; r++) {
      const before = this.#extra[c]!;
      if (r % round === 0) roundBegin = this.#time[c]!;
      this.#row(c, row + r * step, bytes);
      const cost = this.#extra[c]! - before;
      const i = r % round;
      same = r >= 2 * round && this.#round[i] === cost ? same + 1 : 0;
      this.#round[i] = cost;
      if (same < round || i !== round - 1) continue;
      const times = Math.floor((count - 1 - r) / round);
      if (times === 0) continue;
      const shift = times * (this.#time[c]! - roundBegin);
      for (let b = 0; b < round; b++) {
        const at = c * banks + ((row + b * step) % banks);
        this.open[at]! += times * round * step;
        this.#end[at]! += shift;
        this.#extra[c]! += times * this.#round[b]!;
      }
      this.#time[c]! += shift;
      this.activations += times * round;
      r += times * round;
    }
  }

  /** Bytes of one row, in whole bursts. */
  #row(c: number, row: number, bytes: number): void {
    const bank = row % this.#banks;
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
