/** Helper functions that kernels of tests import, to be inlined across modules. */
import type { i32, Ptr } from "kpu-dsl";

const LARGEST = 255;

export function clampToByte(x: number): number {
  if (x < 0) return 0;
  return x > LARGEST ? LARGEST : x;
}

export function total(values: Ptr<i32>, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values.get(i);
  return sum;
}
