/** Structural equality of kernels: everything but the ids of locals, numbers by Object.is. */
import type { Kernel } from "../../ir/kir.ts";
import { localsOf } from "../../ir/walk.ts";

/** Where two kernels differ, or undefined. Locals correspond by the order of their definition. */
export function difference(a: Kernel, b: Kernel): string | undefined {
  const pairs = new Map<unknown, unknown>();
  const other = localsOf(b);
  for (const [i, local] of localsOf(a).entries()) pairs.set(local, other[i]);
  return compare(a, b, "kernel", pairs);
}

function compare(a: unknown, b: unknown, path: string, pairs: Map<unknown, unknown>): string | undefined {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null)
    return `${path}: ${String(a)} and ${String(b)}`;
  if (pairs.has(a) && pairs.get(a) !== b) return `${path}: another local`;
  const keys = (o: object): string[] =>
    Object.keys(o).filter(
      (k) => (o as Record<string, unknown>)[k] !== undefined && !(pairs.has(a) && k === "id"),
    );
  const [inA, inB] = [keys(a), keys(b)];
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length)
    return `${path}: ${a.length} and ${b.length} entries`;
  for (const key of new Set([...inA, ...inB])) {
    const found = compare(
      (a as Record<string, unknown>)[key],
      (b as Record<string, unknown>)[key],
      `${path}.${key}`,
      pairs,
    );
    if (found !== undefined) return found;
  }
  return undefined;
}
