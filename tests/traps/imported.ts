// biome-ignore-all lint: traps that transpilers rewrite.
export const LIMIT = 7;
export const twice = (v: number): number => v * LIMIT;
export let counter = 40;
export default function named(v: number): number {
  return v + counter;
}
