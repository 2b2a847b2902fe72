/**
 * Lanes that move by other lanes' values, and lanes read as another dtype: what the ops compress, expand, table, slide
 * and bitcast mean.
 */
import { fromBitsRule, toBitsRule } from "./convert.ts";
import { DTYPES, type DTypeName } from "./dtype.ts";

/** Active lanes of x to the front, in order; the rest is 0. */
export function compress(x: readonly number[], mask: readonly number[]): number[] {
  const packed = x.filter((_, i) => mask[i]);
  return x.map((_, i) => packed[i] ?? 0);
}

/** The first lanes of x to the active lanes, in order; 0 in the others. */
export function expand(x: readonly number[], mask: readonly number[]): number[] {
  let next = 0;
  return x.map((_, i) => (mask[i] ? (x[next++] as number) : 0));
}

/** Lane of the table that each index names; 0 where it names none. */
export function lookUp(indices: readonly number[], table: readonly number[]): number[] {
  return indices.map((i) => table[i] ?? 0);
}

/** As many lanes as x has, from lane `from` of x and y laid end to end. */
export function slide(x: readonly number[], y: readonly number[], from: number): number[] {
  return [...x, ...y].slice(from, from + x.length);
}

/** The same bits, least significant first, as lanes of `to`. A NaN has the bits of its dtype's one NaN. */
export function reinterpret(from: DTypeName, to: DTypeName, x: readonly number[]): number[] {
  const bitsOf = toBitsRule(from);
  const laneOf = fromBitsRule(to);
  const [own, other] = [DTYPES[from].bits, DTYPES[to].bits];
  if (own >= other) {
    const count = own / other;
    return x.flatMap((v) =>
      Array.from({ length: count }, (_, k) => laneOf(Math.floor(bitsOf(v) / 2 ** (k * other)) % 2 ** other)),
    );
  }
  const count = other / own;
  return Array.from({ length: x.length / count }, (_, i) => {
    let bits = 0;
    for (let k = count - 1; k >= 0; k--) bits = bits * 2 ** own + bitsOf(x[i * count + k] as number);
    return laneOf(bits);
  });
}
