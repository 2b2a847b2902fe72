/**
 * What an op asks of the machine, step by step; `schedule.ts` makes commands of it. Every step is divided over the units that
 * work on the op, and begins when the one before it has ended. How many units that are, `units.ts` finds: no plan counts on it.
 */
import type { UnitName, UnitWork } from "../../machine/trace.ts";

/** Items by kind of work. */
export type Items = Partial<Record<UnitWork, number>>;

/** An array in DRAM, row by row. */
export interface Rows {
  readonly address: number;
  readonly bytesPerRow: number;
}

/** Work on what is in L2 already, with bytes of it that are read and written. */
export interface WorkStep {
  readonly step: "work";
  readonly work: Items;
  readonly read?: number;
  readonly write?: number;
  /** Items for each unit but the first, which put together what every unit has by itself. */
  readonly joining?: Items;
}

export type Step =
  /** Rows come from DRAM block by block while the unit works on the block before, and results go back; `keep`: they stay. */
  | {
      readonly step: "stream";
      readonly rows: number;
      readonly load: readonly Rows[];
      readonly keep: boolean;
      readonly work: Items;
      /** Bytes of L2 that the unit reads and writes beside each row that is loaded and stored. */
      readonly read?: number;
      readonly write?: number;
      readonly store?: Rows;
    }
  | WorkStep
  | { readonly step: "store"; readonly address: number; readonly bytes: number }
  /** From one place of DRAM to another. */
  | { readonly step: "copy"; readonly from: number; readonly to: number; readonly bytes: number }
  /** So many times, each by one unit alone, which has nothing to join. Those left at the end, fewer than units, are divided. */
  | { readonly step: "each"; readonly times: number; readonly steps: readonly WorkStep[] };

/** The steps of an op, the kind of unit that works on them, and bytes of L2 that it keeps. */
export interface Plan {
  readonly unit: UnitName;
  readonly resident: number;
  /** Bytes that every unit keeps beside, for itself. */
  readonly residentOfUnit?: number;
  readonly steps: readonly Step[];
}

/** Items of several parts together. */
export function together(...parts: readonly Items[]): Items {
  const sum: Items = {};
  for (const part of parts)
    for (const [kind, n] of Object.entries(part) as [UnitWork, number][]) sum[kind] = (sum[kind] ?? 0) + n;
  return sum;
}

/** So many times the items. */
export function times(n: number, items: Items): Items {
  return Object.fromEntries(Object.entries(items).map(([kind, count]) => [kind, n * count]));
}

/** So many times the step as one; parts of items count as whole ones. */
export function scaled({ work, read = 0, write = 0, joining = {} }: WorkStep, count: number): WorkStep {
  const whole = (n: number): number => Math.ceil(n * count);
  const items = (of: Items): Items =>
    Object.fromEntries(Object.entries(of).map(([kind, n]) => [kind, whole(n)]));
  return { step: "work", work: items(work), read: whole(read), write: whole(write), joining: items(joining) };
}
