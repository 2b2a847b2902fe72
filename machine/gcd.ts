/** The greatest common divisor of whole numbers that are at least 0; that of a number and 0 is the number. */
export function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
