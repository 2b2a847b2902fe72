/**
 * Ground truth for 8- and 16-bit floats that shares nothing with the project's own conversion: all values of a format in a
 * sorted table, and rounding as a search for the two neighbours.
 */
class Format {
  readonly #decode: (bits: number) => number;
  /** Non-negative finite values by bit pattern, ascending, and the first power of two beyond them. */
  readonly #values: number[] = [];
  /** Bits of what overflows: an infinity, in E4M3 the NaN. */
  readonly infinity: number;
  readonly #nan: number;
  readonly #sign: number;
  constructor(decode: (bits: number) => number, o: { infinity: number; nan: number; sign: number }) {
    this.#decode = decode;
    const { infinity } = o;
    this.infinity = infinity;
    this.#nan = o.nan;
    this.#sign = o.sign;
    for (let bits = 0; bits < infinity; bits++) this.#values.push(decode(bits));
    const largest = this.#values.at(-1) as number;
    this.#values.push(largest + (largest - (this.#values.at(-2) as number)));
  }
  value(bits: number): number {
    return this.#decode(bits);
  }
  /** Nearest, ties to the even bit pattern; beyond the last midpoint infinite. */
  bits(x: number): number {
    const bits = this.#nearest(x);
    return Number.isNaN(this.#decode(bits)) ? this.#nan : bits;
  }
  #nearest(x: number): number {
    if (Number.isNaN(x)) return this.#nan;
    const sign = x < 0 || Object.is(x, -0) ? this.#sign : 0;
    const a = Math.abs(x);
    let low = 0;
    let high = this.#values.length - 1;
    if (a >= (this.#values[high] as number)) return sign | this.infinity;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#values[middle] as number) <= a) low = middle;
      else high = middle;
    }
    const below = a - (this.#values[low] as number);
    const above = (this.#values[high] as number) - a;
    const up = below > above || (below === above && low % 2 === 1);
    return sign | (up ? high : low);
  }
  round(x: number): number {
    return this.#decode(this.bits(x));
  }
}

export const F16 = new Format(
  (bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  },
  { infinity: 0x7c00, nan: 0x7e00, sign: 0x8000 },
);

const word = new DataView(new ArrayBuffer(4));
export const BF16 = new Format(
  (bits) => {
    word.setUint32(0, (bits << 16) >>> 0);
    return word.getFloat32(0);
  },
  { infinity: 0x7f80, nan: 0x7fc0, sign: 0x8000 },
);

/** OCP OFP8 E4M3: bias 7; the pattern after 448 is NaN, and there is no infinity. */
export const E4M3 = new Format(
  (bits) => {
    const sign = bits & 0x80 ? -1 : 1;
    const exponent = (bits >> 3) & 15;
    const fraction = bits & 7;
    if (exponent === 15 && fraction === 7) return Number.NaN;
    return exponent === 0 ? sign * fraction * 2 ** -9 : sign * (1 + fraction / 8) * 2 ** (exponent - 7);
  },
  { infinity: 0x7f, nan: 0x7f, sign: 0x80 },
);

/** OCP OFP8 E5M2: bias 15, the upper byte of f16. */
export const E5M2 = new Format((bits) => F16.value(bits << 8), { infinity: 0x7c, nan: 0x7e, sign: 0x80 });
