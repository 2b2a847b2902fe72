/**
 * Which bytes one end of a transfer touches, exactly: the one text for direct execution (bounds, shadow, transfers in
 * flight), the reference interpreter and the checks of compiled programs. Addresses are those of the memory at hand.
 */

/** A set of bytes as ascending runs. */
export interface Region {
  readonly start: number;
  /** The byte after the last. */
  readonly end: number;
  /** How many runs {@link forEachRun} gives. */
  readonly runs: number;
  forEachRun(visit: (start: number, end: number) => void): void;
  /** True when some byte of [start, end) belongs to it. */
  meets(start: number, end: number): boolean;
  /** The first run that is not within [lo, hi), in the order of {@link forEachRun}. */
  firstOutside(lo: number, hi: number): { readonly start: number; readonly end: number } | undefined;
}

/** True when two regions of one memory have a byte in common. */
export function regionsOverlap(a: Region, b: Region): boolean {
  if (a.end <= b.start || b.end <= a.start) return false;
  const [few, many] = a.runs <= b.runs ? [a, b] : [b, a];
  let found = false;
  few.forEachRun((start, end) => {
    found ||= many.meets(start, end);
  });
  return found;
}

/**
 * Runs of `bytes` bytes whose starts are a lattice: `counts` and `strides` (bytes), widest stride first. What the same
 * bytes can be said with fewer dimensions is: dimensions of count 1 or stride 0 go, and those that continue a run join it.
 *
 *     4 rows of 3 floats, 20 bytes apart    bytes 12, counts [4], strides [20]
 *     a 4 x 3 matrix without gaps           bytes 48, counts [],  strides []
 */
export class Box implements Region {
  readonly start: number;
  readonly bytes: number;
  readonly counts: readonly number[];
  readonly strides: readonly number[];
  readonly end: number;

  private constructor(start: number, bytes: number, counts: readonly number[], strides: readonly number[]) {
    this.start = start;
    this.bytes = bytes;
    this.counts = counts;
    this.strides = strides;
    this.end = start + this.#extent(0);
  }

  /** The elements at `start` + sum of index * stride (bytes, at least 0), indices below `counts` (at least 1). */
  static of(start: number, elementBytes: number, counts: readonly number[], strides: readonly number[]): Box {
    const dims = counts
      .map((count, i) => ({ count, stride: strides[i] as number }))
      .filter((d) => d.count > 1 && d.stride > 0)
      .sort((a, b) => b.stride - a.stride);
    let bytes = elementBytes;
    for (let d = dims[dims.length - 1]; d !== undefined && d.stride <= bytes; d = dims[dims.length - 1]) {
      bytes += (d.count - 1) * d.stride;
      dims.pop();
    }
    return new Box(
      start,
      bytes,
      dims.map((d) => d.count),
      dims.map((d) => d.stride),
    );
  }

  /** Bytes from the first to the last of the dimensions from `dim` on. */
  #extent(dim: number): number {
    let bytes = this.bytes;
    for (let d = dim; d < this.counts.length; d++)
      bytes += ((this.counts[d] as number) - 1) * (this.strides[d] as number);
    return bytes;
  }

  get runs(): number {
    return this.counts.reduce((n, c) => n * c, 1);
  }

  forEachRun(visit: (start: number, end: number) => void): void {
    const { bytes, counts, strides } = this;
    const walk = (at: number, dim: number): void => {
      if (dim === counts.length) visit(at, at + bytes);
      const stride = strides[dim] as number;
      for (let i = 0; i < (counts[dim] ?? 0); i++) walk(at + i * stride, dim + 1);
    };
    walk(this.start, 0);
  }

  meets(start: number, end: number): boolean {
    return start < this.end && end > this.start && this.#meets(start, end, this.start, 0);
  }
  #meets(start: number, end: number, at: number, dim: number): boolean {
    if (dim === this.counts.length) return start < at + this.bytes && end > at;
    const stride = this.strides[dim] as number;
    const extent = this.#extent(dim + 1);
    const first = Math.max(0, Math.floor((start - extent - at) / stride) + 1);
    const last = Math.min((this.counts[dim] as number) - 1, Math.ceil((end - at) / stride) - 1);
    for (let i = first; i <= last; i++) if (this.#meets(start, end, at + i * stride, dim + 1)) return true;
    return false;
  }

  firstOutside(lo: number, hi: number): { start: number; end: number } | undefined {
    if (this.start >= lo && this.end <= hi) return undefined;
    let at = this.start;
    if (at >= lo) {
      // In every dimension the first step after which something lies beyond the end.
      for (let dim = 0; dim < this.counts.length; dim++) {
        const stride = this.strides[dim] as number;
        at += Math.max(0, Math.floor((hi - at - this.#extent(dim + 1)) / stride) + 1) * stride;
      }
    }
    return { start: at, end: at + this.bytes };
  }
}

/** Rows of `bytes` bytes at given addresses, as an index picks them; `order` is that of the index. */
export class Rows implements Region {
  readonly start: number;
  readonly end: number;
  readonly #bytes: number;
  readonly #order: readonly number[];
  readonly #sorted: readonly number[];

  /** At least one address. */
  constructor(bytes: number, addresses: readonly number[]) {
    this.#bytes = bytes;
    this.#order = addresses;
    this.#sorted = [...new Set(addresses)].sort((a, b) => a - b);
    this.start = this.#sorted[0] as number;
    this.end = (this.#sorted[this.#sorted.length - 1] as number) + bytes;
  }

  get runs(): number {
    return this.#sorted.length;
  }
  forEachRun(visit: (start: number, end: number) => void): void {
    for (const at of this.#sorted) visit(at, at + this.#bytes);
  }
  meets(start: number, end: number): boolean {
    // The first row that ends after `start`.
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] as number) + this.#bytes > start) high = middle;
      else low = middle + 1;
    }
    const at = this.#sorted[low];
    return at !== undefined && at < end;
  }
  firstOutside(lo: number, hi: number): { start: number; end: number } | undefined {
    const at = this.#order.find((a) => a < lo || a + this.#bytes > hi);
    return at === undefined ? undefined : { start: at, end: at + this.#bytes };
  }
}
