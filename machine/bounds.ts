/** What no schedule can beat: times of a machine's rates, and traffic of a product through a small memory. */
import type { DTypeName } from "../ir/dtype.ts";
import { peakMacs } from "./fabric.ts";
import type { MachineConfig } from "./schema.ts";
import { type Level, UNIT_WORK, UNITS, type UnitName, type UnitWork } from "./trace.ts";

export interface Work {
  readonly macsByDtype: { readonly [D in DTypeName]?: number };
  /** Items of units. */
  readonly unitWork: { readonly [U in UnitName]?: { readonly [W in UnitWork]?: number } };
  readonly traffic: {
    readonly [L in Exclude<Level, "l1" | "local">]: { readonly read: number; readonly written: number };
  };
}

/** What a part of the machine needs at its best, everything else being free: in seconds, or in cycles of a report. */
export interface Roofline {
  readonly compute: number;
  readonly dram: number;
  readonly l3: number;
  readonly l2: number;
}

/**
 * The roofline (Williams, Waterman, Patterson, CACM 52(4), 2009), with a roof for each level whose rate the configuration
 * gives: multiply-accumulates by what all fabrics together do, items by what all units of a kind together do, bytes by what all
 * channels or banks together move. What the
 * cores themselves compute has no roof here.
 */
export function roofline(
  { macsByDtype, unitWork, traffic }: Work,
  { clocks, dram, l3, tile }: MachineConfig,
): Roofline {
  const bytes = (level: keyof Work["traffic"]): number => traffic[level].read + traffic[level].written;
  let fabricCycles = 0;
  for (const [dtype, macs] of Object.entries(macsByDtype) as [DTypeName, number][])
    fabricCycles += macs / (tile.count * peakMacs(tile.fabric, dtype));
  const unitCycles = UNITS.flatMap((unit) => {
    const { count, perCycle } = tile.units[unit];
    return UNIT_WORK.map((kind) => {
      const items = unitWork[unit]?.[kind] ?? 0;
      return items === 0 ? 0 : items / (tile.count * count * (perCycle[kind] ?? 0));
    });
  });
  return {
    compute: Math.max(fabricCycles / clocks.fabric, Math.max(...unitCycles) / clocks.control),
    dram: bytes("dram") / (dram.channels * dram.bytesPerCycle) / clocks.memory,
    l3: bytes("l3") / (l3.tiles * l3.banks * l3.bytesPerCycle) / clocks.control,
    l2: bytes("l2") / (tile.count * tile.l2.banks * tile.l2.bytesPerCycle) / clocks.control,
  };
}

/**
 * Words that a product c[m][n] = a[m][k] b[k][n] moves at least between memory and a fast memory of `words`:
 * each operand once, and 2mnk/sqrt(S) + mn of any schedule (Smith, Lowery, Langou, van de Geijn, arXiv:1702.02017;
 * Kwasniewski et al., SC 2019).
 *
 *     productWords({ m: 1024, n: 1024, k: 1024 }, 65536)   // 9437184 = 2 * 1024^3 / 256 + 1024^2
 */
export function productWords({ m, n, k }: Sizes, words: number): number {
  return Math.max(m * k + k * n + m * n, (2 * m * n * k) / Math.sqrt(words) + m * n);
}

export interface Sizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/**
 * The same in bytes when elements have different widths: operands and results in memory, accumulators on chip, which fill the
 * fast memory. A square block of c with sqrt(S / accumulator) elements a side is the best that fits; with bytes and
 * accumulators of 4 this is 4mnk/sqrt(S) + mn.
 */
export function productBytes(
  { m, n, k }: Sizes,
  fastBytes: number,
  {
    operand,
    accumulator,
    result,
  }: { readonly operand: number; readonly accumulator: number; readonly result: number },
): number {
  const once = (m * k + k * n) * operand;
  const side = Math.sqrt(fastBytes / accumulator);
  return Math.max(once, (2 * m * n * k * operand) / side) + m * n * result;
}
