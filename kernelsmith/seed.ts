/** A seed of its own for the n-th kernel of a run. */
export function seedOf(run: number, n: number): number {
  return (Math.imul(run ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(n + 1, 0x27d4eb2f)) >>> 0;
}
