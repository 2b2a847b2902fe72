/** Float64 as two f32 whose sum it is, to 48 bits: how kernels take and give numbers (`kernels/float64.ts`). */

/** @example splitPair(0.1) // [0.10000000149011612, -1.4901161138336505e-9] */
export function splitPair(x: number): readonly [high: number, low: number] {
  const high = Math.fround(x);
  return [high, Math.fround(x - high)];
}

export function joinPair(pair: Float32Array, at = 0): number {
  return (pair[at] as number) + (pair[at + 1] as number);
}
