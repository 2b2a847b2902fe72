/** Nearest integer, ties to even; keeps -0. From 2^52 on every float64 is an integer, so the addition rounds to one. */
export function rint(x: number): number {
  const a = Math.abs(x);
  if (!(a < 2 ** 52)) return x;
  const r = a + 2 ** 52 - 2 ** 52;
  return x < 0 || (r === 0 && 1 / x < 0) ? -r : r;
}
