/**
 * Ground truth for 16-bit floats that shares nothing with the project's own conversion: all values of a format in a
 * sorted table, and rounding as a search for the two neighbours.
 */
class Format {
  readonly #decode: (bits: number) => number;
  /** Non-negative finite values by bit pattern, ascending, and the first power of two beyond them. */
  readonly #values: number[] = [];
  readonly infinity: number;
  constructor(decode: (bits: number) => number, infinity: number) {
    this.#decode = decode;
    this.infinity = infinity;
    for (let bits = 0; bits < infinity; bits++) this.#values.push(decode(bits));
    const largest = this.#values.at(-1) as number;
    this.#values.push(largest + (largest - (this.#values.at(-2) as number)));
  }
  value(bits: number): number {
    return this.#decode(bits);
  }
  /** Nearest, ties to the even bit pattern; beyond the last midpoint infinite. */
  bits(x: number): number {
    if (Number.isNaN(x)) return this.infinity | 1 | (this.infinity >> 1);
    const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
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

export const F16 = new Format((bits) => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}, 0x7c00);

const word = new DataView(new ArrayBuffer(4));
export const BF16 = new Format((bits) => {
  word.setUint32(0, (bits << 16) >>> 0);
  return word.getFloat32(0);
}, 0x7f80);
