/**
 * Storage of lane data. V8 keeps an array by the kind of its elements and code that meets several kinds is slower, so
 * every array of lanes starts as one literal of float64 numbers and stays packed float64, whatever is written to it.
 */
const SEED: number[] = [0.5];
while (SEED.length < 64) SEED.push(0.5);

/** An array of `n` unspecified numbers, to be overwritten. */
export function newLanes(n: number): number[] {
  switch (n) {
    case 4:
      return [0.5, 0.5, 0.5, 0.5];
    case 8:
      return [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5];
    case 16:
      return [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5];
  }
  while (SEED.length < n) SEED.push(0.5);
  return SEED.slice(0, n);
}
