/**
 * Loads and stores of direct execution. The order of an access is: null, const, bounds, transfers in flight, shadow,
 * data. The usual access (one dtype, aligned, no transfer in flight) passes each with one comparison and allocates
 * nothing but its result.
 */
import type { DType } from "../dsl/dtypes.ts";
import type { Ptr } from "../dsl/pointer.ts";
import type { Checks } from "./allocator.ts";
import type { Faults } from "./faults.ts";
import { flightInTheWay } from "./flights.ts";
import { readUnaligned, writeUnaligned } from "./lanes.ts";
import { type Buffer, CHECK_HALVES, CHECK_NOTHING, CHECK_SLOWLY, type Region } from "./memory.ts";
import type { Clock, Conflict } from "./shadow.ts";
import { ValueChecks } from "./values.ts";
import type { Watcher } from "./watch.ts";

/** So many reads without a write by anybody look like waiting for something that cannot happen. */
const SPIN_READS = 2 ** 24;
/** They are, when the next so many reads stay within so few places. */
const SPIN_SAMPLE = 2 ** 16;
const SPIN_PLACES = 64;

export interface AccessOptions extends Pick<Checks, "lossy" | "nonfinite"> {
  readonly vectorAlignment: number;
}

export class Access {
  readonly #clock: Clock;
  readonly #faults: Faults;
  readonly #watch: Watcher | undefined;
  #readsSinceWrite = 0;
  readonly #places = new Set<number>();

  /** Alignment of vectors that the target requires, in bytes; 1 when none. */
  readonly #alignment: number;
  readonly #values: ValueChecks;
  readonly #checksValues: boolean;

  constructor(clock: Clock, faults: Faults, watch: Watcher | undefined, o: AccessOptions) {
    this.#clock = clock;
    this.#faults = faults;
    this.#watch = watch;
    this.#alignment = o.vectorAlignment;
    this.#values = new ValueChecks(faults, o);
    this.#checksValues = o.lossy || o.nonfinite;
  }

  // ------------------------------------------------------------------------------------------ checks

  /** The buffer behind a pointer that is read. */
  source(p: Ptr): Buffer {
    return (p.memory as Buffer | undefined) ?? this.#faults.nullPointer("reads");
  }
  /** The buffer behind a pointer that is written. */
  destination(p: Ptr): Buffer {
    const b = (p.memory as Buffer | undefined) ?? this.#faults.nullPointer("writes");
    return p.constant ? this.#faults.constant(b) : b;
  }

  /** Checks a read of addresses [start, end) within bounds, and notes it. `inOrder`: see flights.ts. */
  reads(b: Buffer, dtype: DType, start: number, end: number, inOrder = false): void {
    const region = b.region;
    if (start < b.base || end > b.base + b.byteLength)
      this.#faults.outOfBounds(b, dtype, start, end, "reads");
    if (++this.#readsSinceWrite > SPIN_READS) this.#spin(region.id, start);
    if (region.checks === CHECK_NOTHING) return;
    if (region.checks & CHECK_SLOWLY) this.#slowly(b, dtype, start, end, false, inOrder);
    const found =
      dtype.bytes < 1 || (region.checks & CHECK_HALVES) !== 0
        ? region.halves?.read(start - region.start, end - region.start, dtype.bytes, this.#clock)
        : region.shadow?.read(start - region.start, end - region.start, this.#clock);
    if (found !== undefined) this.#faults.conflict(b, dtype, start, end, found, false);
  }
  /** Checks a write of addresses [start, end) within bounds, and notes it. */
  writes(b: Buffer, dtype: DType, start: number, end: number, inOrder = false): void {
    const region = b.region;
    if (start < b.base || end > b.base + b.byteLength)
      this.#faults.outOfBounds(b, dtype, start, end, "writes");
    this.#readsSinceWrite = 0;
    if (region.checks === CHECK_NOTHING) return;
    if (region.checks & CHECK_SLOWLY) this.#slowly(b, dtype, start, end, true, inOrder);
    const found =
      dtype.bytes < 1 || (region.checks & CHECK_HALVES) !== 0
        ? this.#writesHalves(region, start - region.start, end - region.start)
        : region.shadow?.write(start - region.start, end - region.start, this.#clock);
    if (found !== undefined) this.#faults.conflict(b, dtype, start, end, found, true);
  }

  #writesHalves(region: Region, start: number, end: number): Conflict | undefined {
    const { halves } = region;
    const found = halves?.write(start, end, this.#clock);
    if (halves?.any) region.checks |= CHECK_HALVES;
    else region.checks &= ~CHECK_HALVES;
    return found;
  }

  /** Lanes of 4-bit elements start at a whole byte. */
  #wholeByte(b: Buffer, dtype: DType, start: number): void {
    if (dtype.bytes < 1 && !Number.isInteger(start)) this.#faults.halfByte(b, (start - b.base) * 2);
  }

  /** Refuses a vector of `bytes` bytes that does not stand where the target wants it. */
  #aligned(p: Ptr, b: Buffer, lanes: number, access: "reads" | "writes"): void {
    if (this.#alignment <= 1 || lanes === 0) return;
    const { bytes } = p.dtype;
    const wanted = Math.min(this.#alignment, 2 ** Math.ceil(Math.log2(lanes * bytes)));
    if (p.byteOffset % wanted === 0) return;
    const start = b.base + p.byteOffset;
    this.#faults.misaligned(b, p.dtype, start, start + lanes * bytes, access, wanted);
  }
  /** What the opt-in checks say of a number on its way into memory. */
  stores(dtype: DType, value: number): void {
    if (this.#checksValues) this.#values.stored(dtype, value);
  }

  #slowly(b: Buffer, dtype: DType, start: number, end: number, write: boolean, inOrder: boolean): void {
    const hit = flightInTheWay(b.region, start, end, write, inOrder);
    if (hit !== undefined) this.#faults.inFlight(b, dtype, start, end, hit.flight, hit.side, write);
    this.#watch?.see(b, dtype, start, end, write, this.#clock);
  }

  /** Tells a tile that waits for memory to change from one that reads a lot. */
  #spin(region: number, start: number): void {
    this.#places.add(region * 2 ** 36 + start);
    if (this.#places.size > SPIN_PLACES) {
      this.#places.clear();
      this.#readsSinceWrite = 0;
    } else if (this.#readsSinceWrite > SPIN_READS + SPIN_SAMPLE) {
      const reads = this.#readsSinceWrite;
      const n = this.#places.size;
      this.#faults.fail(
        "KPU5001",
        `tile ${this.#clock.tile} spins: ${reads} reads went to ${n === 1 ? "one place" : `${n} places`} and nothing writes ${n === 1 ? "it" : "them"}`,
        { help: "tiles meet at S.barrier() and transfers at S.waitEvents(); memory is not a signal" },
      );
    }
  }

  // ------------------------------------------------------------------------------------------ scalars

  get(p: Ptr): number {
    const b = this.source(p);
    const dtype = p.dtype;
    const start = b.base + p.byteOffset;
    this.reads(b, dtype, start, start + dtype.bytes);
    if ((start & (dtype.bytes - 1)) !== 0)
      return readUnaligned(b.region.bytes, start, dtype.name, 1)[0] as number;
    return b.as(dtype).get(elementAt(dtype, start));
  }

  set(p: Ptr, value: number): void {
    const b = this.destination(p);
    const dtype = p.dtype;
    const start = b.base + p.byteOffset;
    this.writes(b, dtype, start, start + dtype.bytes);
    if (this.#checksValues) this.#values.stored(dtype, value);
    this.#put(b, dtype, start, value);
  }

  #put(b: Buffer, dtype: DType, start: number, value: number): void {
    if ((start & (dtype.bytes - 1)) !== 0) writeUnaligned(b.region.bytes, start, dtype.name, value);
    else b.as(dtype).set(elementAt(dtype, start), value);
  }

  // ------------------------------------------------------------------------------------------ vectors

  load(p: Ptr, lanes: number): number[] {
    const b = this.source(p);
    const dtype = p.dtype;
    const start = b.base + p.byteOffset;
    if (this.#alignment > 1) this.#aligned(p, b, lanes, "reads");
    this.reads(b, dtype, start, start + lanes * dtype.bytes);
    this.#wholeByte(b, dtype, start);
    if ((start & (dtype.bytes - 1)) !== 0) return readUnaligned(b.region.bytes, start, dtype.name, lanes);
    return b.as(dtype).read(elementAt(dtype, start), lanes);
  }

  store(p: Ptr, data: readonly number[]): void {
    const b = this.destination(p);
    const dtype = p.dtype;
    const start = b.base + p.byteOffset;
    if (this.#alignment > 1) this.#aligned(p, b, data.length, "writes");
    this.#wholeByte(b, dtype, start);
    this.writes(b, dtype, start, start + data.length * dtype.bytes);
    if ((start & (dtype.bytes - 1)) !== 0)
      for (let i = 0; i < data.length; i++) this.#put(b, dtype, start + i * dtype.bytes, data[i] as number);
    else b.as(dtype).write(elementAt(dtype, start), data);
  }

  loadMasked(p: Ptr, stride: number, mask: readonly number[], r: readonly number[] | undefined): number[] {
    const prefix = stride === 1 ? activePrefix(mask) : -1;
    if (prefix === mask.length) return this.load(p, prefix);
    if (prefix === 0) return mask.map((_, i) => r?.[i] ?? 0);
    const b = this.source(p);
    const dtype = p.dtype;
    const start = b.base + p.byteOffset;
    const step = stride * dtype.bytes;
    if (stride === 1) this.#aligned(p, b, mask.includes(1) ? mask.length : 0, "reads");
    if (stride === 1) this.#wholeByte(b, dtype, start);
    if (prefix > 0) this.reads(b, dtype, start, start + prefix * dtype.bytes);
    else
      for (let i = 0; i < mask.length; i++)
        if (mask[i]) this.reads(b, dtype, start + i * step, start + i * step + dtype.bytes);
    if ((start & (dtype.bytes - 1)) === 0)
      return b.as(dtype).readMasked(elementAt(dtype, start), stride, mask, r);
    return mask.map((m, i) =>
      m ? (readUnaligned(b.region.bytes, start + i * step, dtype.name, 1)[0] as number) : (r?.[i] ?? 0),
    );
  }

  storeMasked(p: Ptr, stride: number, data: readonly number[], mask: readonly number[]): void {
    const prefix = stride === 1 ? activePrefix(mask) : -1;
    if (prefix === 0) return;
    if (prefix === mask.length) {
      this.store(p, data);
      return;
    }
    const b = this.destination(p);
    const dtype = p.dtype;
    const start = b.base + p.byteOffset;
    const step = stride * dtype.bytes;
    if (stride === 1) this.#aligned(p, b, mask.includes(1) ? mask.length : 0, "writes");
    if (stride === 1) this.#wholeByte(b, dtype, start);
    if (prefix > 0) this.writes(b, dtype, start, start + prefix * dtype.bytes);
    else
      for (let i = 0; i < mask.length; i++)
        if (mask[i]) this.writes(b, dtype, start + i * step, start + i * step + dtype.bytes);
    if ((start & (dtype.bytes - 1)) === 0)
      b.as(dtype).writeMasked(elementAt(dtype, start), stride, data, mask);
    else
      for (let i = 0; i < mask.length; i++)
        if (mask[i]) this.#put(b, dtype, start + i * step, data[i] as number);
  }

  gather(
    p: Ptr,
    indices: readonly number[],
    mask: readonly number[] | undefined,
    r: readonly number[] | undefined,
  ): number[] {
    const data = new Array<number>(indices.length);
    for (let i = 0; i < indices.length; i++) {
      if (mask !== undefined && !mask[i]) data[i] = r?.[i] ?? 0;
      else data[i] = this.#element(p, indices[i] as number);
    }
    return data;
  }
  #element(p: Ptr, index: number): number {
    const b = this.source(p);
    const dtype = p.dtype;
    const start = b.base + p.byteOffset + index * dtype.bytes;
    this.reads(b, dtype, start, start + dtype.bytes);
    if ((start & (dtype.bytes - 1)) !== 0)
      return readUnaligned(b.region.bytes, start, dtype.name, 1)[0] as number;
    return b.as(dtype).get(elementAt(dtype, start));
  }

  scatter(
    p: Ptr,
    indices: readonly number[],
    data: readonly number[],
    mask: readonly number[] | undefined,
  ): void {
    for (let i = 0; i < indices.length; i++) {
      if (mask !== undefined && !mask[i]) continue;
      const b = this.destination(p);
      const start = b.base + p.byteOffset + (indices[i] as number) * p.dtype.bytes;
      this.writes(b, p.dtype, start, start + p.dtype.bytes);
      // Lanes in order: with equal indices the highest lane wins.
      this.#put(b, p.dtype, start, data[i] as number);
    }
  }
}

/** Index of the element at an address that is a multiple of its size; negative for an inactive lane before the buffer. */
function elementAt(dtype: DType, start: number): number {
  return start / dtype.bytes;
}

/** How many leading lanes are active when no other is; -1 for any other mask. A tail mask is one run of memory. */
function activePrefix(mask: readonly number[]): number {
  let n = 0;
  while (n < mask.length && mask[n]) n++;
  for (let i = n + 1; i < mask.length; i++) if (mask[i]) return -1;
  return n;
}
