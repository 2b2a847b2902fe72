/**
 * Memory of finished shadows, kept for the next: fresh memory costs a page fault per thousand cells, which is more than
 * all checks on them. Who takes it must be content with stamps of the past.
 */

/** Cells kept between runs: 64 MB. */
const KEPT = 2 ** 24;

let kept: Int32Array[] = [];
let held = 0;

/** At least `n` cells, holding zeros or stamps of the past. */
export function takeCells(n: number): Int32Array {
  let best = -1;
  for (let i = 0; i < kept.length; i++) {
    const length = (kept[i] as Int32Array).length;
    if (length >= n && length <= 2 * n + 1024 && (best < 0 || length < (kept[best] as Int32Array).length))
      best = i;
  }
  if (best < 0) return new Int32Array(n);
  const found = kept.splice(best, 1)[0] as Int32Array;
  held -= found.length;
  return found;
}

export function giveBackCells(cells: Int32Array): void {
  if (held + cells.length > KEPT) return;
  kept.push(cells);
  held += cells.length;
}

/** Forgets all kept cells: stamps start again. */
export function drainCells(): void {
  kept = [];
  held = 0;
}
