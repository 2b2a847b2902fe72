/**
 * Channels and open rows. Addresses take turns on the channels, `interleaveBytes` at a time; what a channel gets is cut into
 * rows of `pageBytes`, which take turns on its banks. A bank keeps the row open that it was last asked for.
 *
 * An access to the open row is a hit; to another row it costs rowConflict - rowHit memory cycles more, and rowEmpty - rowHit
 * when no row was open yet. The channel opens a transfer's next row while the data of its row before flow, unless both are in one
 * bank: only what is longer than those data costs time.
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

  // Of each channel during an access.
  readonly #bytes: Float64Array;
  readonly #extra: Float64Array;
  readonly #lastBank: Int32Array;
  readonly #lastBytes: Float64Array;
  readonly #place: Int32Array;

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
    this.#lastBank = new Int32Array(channels);
    this.#lastBytes = new Float64Array(channels);
    this.#place = new Int32Array(channels).fill(NONE);
  }

  /** Runs from an address on are read or written, in order. */
  access(address: number, { count, bytes, stride }: Runs): void {
    this.touched = 0;
    this.activations = 0;
    if (stride === bytes) this.#run(address, count * bytes);
    else if (count > 1 && this.#inOneChannel(address, bytes, stride))
      this.#column(address, count, bytes, stride);
    else for (let r = 0; r < count; r++) this.#run(address + r * stride, bytes);
    for (let i = 0; i < this.touched; i++) {
      const c = this.channel[i]!;
      const data = cyclesFor(this.#bytes[c]!, this.#rate) * this.#tick;
      this.occupied[i] = data + this.#extra[c]!;
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
    const banks = this.#banks;
    const { open } = this;
    const first = Math.floor(address / interleave);
    const turn = Math.floor(first / this.#channels);
    const c = first - turn * this.#channels;
    const step = stride / this.#channels;
    const at = turn * interleave + address - first * interleave;
    this.#part(c, at, at + bytes);
    // What is left when the opening of a row hides behind the run before it.
    const flow = this.#flow(bytes);
    const lateEmpty = Math.max(0, this.#whenEmpty - flow);
    const lateConflict = Math.max(0, this.#whenConflict - flow);
    const rowStep = Math.floor(step / page);
    const within = step - rowStep * page;
    const bankStep = rowStep - Math.floor(rowStep / banks) * banks;
    const base = c * banks;
    let row = Math.floor(at / page);
    let inRow = at - row * page;
    let bank = row % banks;
    let extra = 0;
    let opened = 0;
    // Runs after which the banks come again. When they have come once, every row is another one than was open.
    const again = within === 0 && rowStep !== 0 ? banks / gcd(bankStep, banks) : count;
    for (let r = 1; r < count; r++) {
      if (r === again + 1) {
        const skipped = Math.floor((count - r) / again - 1) * again;
        if (skipped > 0) {
          row += skipped * rowStep;
          extra += skipped * (bankStep === 0 ? this.#whenConflict : lateConflict);
          opened += skipped;
          r += skipped;
        }
      }
      if (rowStep === 0) {
        // The runs that stay in the open row.
        const stay = within === 0 ? count : Math.ceil((page - inRow) / within) - 1;
        r += stay;
        if (r >= count) break;
        inRow += stay * within;
      }
      const before = bank;
      row += rowStep;
      bank += bankStep;
      inRow += within;
      if (inRow >= page) {
        inRow -= page;
        row++;
        bank++;
      }
      if (bank >= banks) bank -= banks;
      const was = open[base + bank]!;
      if (was === row) continue;
      open[base + bank] = row;
      opened++;
      if (was === NONE) extra += bank === before ? this.#whenEmpty : lateEmpty;
      else extra += bank === before ? this.#whenConflict : lateConflict;
    }
    this.activations += opened;
    this.#extra[c]! += extra;
    this.#bytes[c]! += (count - 1) * Math.ceil(bytes / this.#burst) * this.#burst;
    this.#lastBank[c] = bank;
    this.#lastBytes[c] = bytes;
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
    if (this.#place[c] === NONE) {
      this.#place[c] = this.touched;
      this.channel[this.touched++] = c;
      this.#bytes[c] = 0;
      this.#extra[c] = 0;
      this.#lastBank[c] = NONE;
    }
    const burst = this.#burst;
    this.#bytes[c]! += Math.ceil((high - low) / burst) * burst;
    const lastRow = Math.floor((high - 1) / page);
    let row = Math.floor(low / page);
    if (row === lastRow) {
      this.#row(c, row, high - low);
      return;
    }
    this.#row(c, row, (row + 1) * page - low);
    row++;
    const banks = this.#banks;
    // When each bank has been used once, every further row is a conflict behind a whole row of data.
    if (lastRow - row > 2 * banks + 2) {
      for (const until = row + banks; row < until; row++) this.#row(c, row, page);
      const skipped = lastRow - banks - 1 - row;
      const hidden = banks === 1 ? 0 : this.#flow(page);
      this.#extra[c]! += skipped * Math.max(0, this.#whenConflict - hidden);
      this.activations += skipped;
      row += skipped;
      this.#lastBank[c] = (row - 1) % banks;
    }
    for (; row < lastRow; row++) this.#row(c, row, page);
    this.#row(c, row, high - row * page);
  }

  #row(c: number, row: number, bytes: number): void {
    const bank = row % this.#banks;
    const at = c * this.#banks + bank;
    const open = this.open[at]!;
    let cost = 0;
    if (open !== row) {
      cost = open === NONE ? this.#whenEmpty : this.#whenConflict;
      this.open[at] = row;
      this.activations++;
    }
    const before = this.#lastBank[c]!;
    if (before === NONE) this.opening[this.#place[c]!] = cost;
    else if (cost > 0) {
      const hidden = bank === before ? 0 : this.#flow(this.#lastBytes[c]!);
      if (cost > hidden) this.#extra[c]! += cost - hidden;
    }
    this.#lastBank[c] = bank;
    this.#lastBytes[c] = bytes;
  }

  /** Ticks in which so many bytes flow, rounded down. */
  #flow(bytes: number): number {
    return Math.floor((bytes * this.#rate.den * this.#tick) / this.#rate.num);
  }
}
