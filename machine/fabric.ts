/**
 * Cycles of a matrix product acc[m][n] += a[m][k] * b[k][n] on the R x C systolic array of a compute tile.
 *
 * The product is cut into folds, each of which occupies the array at once:
 *
 *   dataflow   rows hold   columns hold   streamed   stays in the processing elements (PEs)
 *   os         m           n              k          acc
 *   ws         k           n              m          b
 *   is         k           m              n          a
 *
 * One step of a fold is a multiply-accumulate in each PE. The operands enter skewed, so that the PE in row i and column j makes step
 * t in cycle t + i + j. A fold of r rows, c columns and S steps, alone on the array, takes
 *
 *   os   fill r + c - 2, stream S, drain r                 which is K + 2R + C - 2 for a full fold
 *   ws   load R, fill r + c - 2, stream S                  M + 2R + C - 2
 *   is   load R, fill r + c - 2, stream S                  N + 2R + C - 2
 *
 * The load of a part of the rows takes R cycles, since the values pass through all rows: partial sums leave at the far edge, so
 * the rows in use are those that end there. The drain of os takes only the rows in use: results leave where b comes in.
 *
 * **Overlap.** Folds follow each other as closely as these registers allow, each time exact (tests step such an array PE by PE):
 *
 *   all    An edge takes one operand per cycle: the steps of two folds never overlap in a PE.
 *   os     A PE has its accumulator, one finished result, and a place in the drain chain of its column. The chain takes the results
 *          of a column when the last row has finished, and shifts them out, one per cycle. So a chain is free for the next fold
 *          after r cycles, and a PE may finish its next result only after the chain has taken the one before.
 *   ws, is A PE has the value that it works with, and one that is shifted in meanwhile. It takes the new one with the first step of
 *          the new fold; only then may the load of the fold after that pass it.
 *
 * The load and fill of the first fold and the drain of the last cannot be hidden. Folds of `os` go row block by row block, those of
 * `ws` and `is` finish all of k for one column block first. Results of different folds over k are added where they leave.
 *
 * **More or less than one multiply-accumulate per PE and cycle.** At p > 1 a PE multiplies p consecutive k at once and adds them
 * up, so that k counts in groups of p in all dataflows. At p = 1/q a PE works q cycles on a step and then hands its operands on; load and
 * drain move one PE per cycle as before.
 *
 * Model `alone` hides nothing. Model `scalesim` charges what SCALE-Sim v2 (Samajdar et al., ISPASS 2020) does: nothing hidden,
 * every fold at the full size of the array, and no drain in os, `K + R + C - 2`: the rows of its demand matrices, one per cycle. Its
 * report gives the number of the last row, counted from 0: one less per layer, plus stalls of memory.
 */
import { fail } from "../ir/diagnostic.ts";
import type { DTypeName } from "../ir/dtype.ts";
import type { MachineConfig } from "./schema.ts";
import type { Mma } from "./trace.ts";

export const FABRIC_MODELS = ["overlapped", "alone", "scalesim"] as const;
export type FabricModel = (typeof FABRIC_MODELS)[number];
export type Fabric = MachineConfig["tile"]["fabric"];
export type Dataflow = Mma["dataflow"];
export type Product = Pick<Mma, "m" | "n" | "k" | "dtype" | "dataflow">;

/** In the order in which ties between dataflows are decided. */
export const DATAFLOWS: readonly Dataflow[] = ["os", "ws", "is"];

/** Cycles by what the array waits for; they add up to all cycles. What is hidden behind another phase is not in here. */
export interface Phases {
  /** From the edge of an idle array to its first PE: `fillCycles` of the machine. */
  readonly lead: number;
  /** The stationary operand moves in. */
  readonly load: number;
  /** Skew: PEs still without a first step, or already without another. */
  readonly fill: number;
  /** An operand enters at each edge in use. */
  readonly stream: number;
  /** Results shift out. */
  readonly drain: number;
}

export interface FabricCycles {
  /** Fabric cycles from the first operand at the edge until the last result has left. */
  readonly cycles: number;
  /** Cycles until the first result has left. */
  readonly first: number;
  readonly phases: Phases;
  readonly folds: number;
  readonly macs: number;
  /** Cycles of single PEs with a step in them; at most rows * cols * cycles. */
  readonly busy: number;
}

/** A part of the product that occupies the array at once. */
interface Fold {
  readonly rows: number;
  readonly cols: number;
  readonly steps: number;
}

/** A product laid on the array. Blocks are counted from 0; the last one may be smaller. */
interface Layout {
  readonly stationary: boolean;
  readonly rowBlocks: number;
  readonly colBlocks: number;
  fold(row: number, col: number): Fold;
}

interface Rate {
  /** Consecutive k that a PE takes in one step. */
  readonly group: number;
  /** Cycles of a step. */
  readonly interval: number;
}

/** Multiply-accumulates per cycle of the whole array, at best. @throws KPU9001 */
export function peakMacs(fabric: Fabric, dtype: DTypeName): number {
  const { group, interval } = rateOf(fabric, dtype);
  return (fabric.rows * fabric.cols * group) / interval;
}

/**
 * Cycles of one product on an array that is idle before.
 *
 *     fabricCycles({ m: 64, n: 16, k: 256, dtype: "i8", dataflow: "os" }, { rows: 16, cols: 16, macs: { i8: 1 }, fillCycles: 0 })
 *     // 4 folds: cycles 1070 = fill 30 + stream 4 * 256 + drain 16
 *
 * @throws KPU9001 when the fabric cannot multiply the dtype
 */
export function fabricCycles(
  product: Product,
  fabric: Fabric,
  model: FabricModel = "overlapped",
): FabricCycles {
  const rate = rateOf(fabric, product.dtype);
  const macs = product.m * product.n * product.k;
  if (macs === 0)
    return {
      cycles: 0,
      first: 0,
      phases: { lead: 0, load: 0, fill: 0, stream: 0, drain: 0 },
      folds: 0,
      macs,
      busy: 0,
    };
  const layout = layOut(product, fabric, rate);
  const folds = layout.rowBlocks * layout.colBlocks;
  const steps = layout.fold(0, 0).steps * rate.interval;
  const busy = product.m * product.n * Math.ceil(product.k / rate.group) * rate.interval;
  const each =
    model === "overlapped" ? overlapped(layout, fabric, rate) : oneByOne(layout, fabric, rate, model);
  // Folds that overlap find the way to the array full. SCALE-Sim knows no such way.
  const ways = { overlapped: 1, alone: folds, scalesim: 0 }[model];
  const lead = ways * fabric.fillCycles;
  const phases = { ...each, lead, stream: folds * steps };
  const cycles = phases.lead + phases.load + phases.fill + phases.stream + phases.drain;
  const first = Math.min(ways, 1) * fabric.fillCycles + firstResult(layout, fabric, rate, model);
  return { cycles, first, phases, folds, macs, busy };
}

/**
 * Cycles from the start of `previous` until `next` may start at the earliest, when its operands lie in L1 by then: less than all
 * cycles of `previous` where its end hides the beginning of `next`. Only products of one dataflow and dtype overlap.
 *
 * @throws KPU9001 when the fabric cannot multiply a dtype
 */
export function initiationInterval(
  previous: Product,
  next: Product,
  fabric: Fabric,
  model: FabricModel = "overlapped",
): number {
  const all = fabricCycles(previous, fabric, model);
  if (model !== "overlapped" || previous.dataflow !== next.dataflow || previous.dtype !== next.dtype)
    return all.cycles;
  if (all.macs === 0 || next.m * next.n * next.k === 0) return all.cycles;
  const rate = rateOf(fabric, previous.dtype);
  const layout = layOut(previous, fabric, rate);
  const row = layout.rowBlocks - 1;
  const col = layout.colBlocks - 1;
  const following = layOut(next, fabric, rate).fold(0, 0);
  return startOf(layout, rate, row, col) + gap(layout.stationary, layout.fold(row, col), following, rate);
}

/** The dataflow with the fewest cycles. @throws KPU9001 when the fabric cannot multiply the dtype */
export function bestDataflow(
  product: Omit<Product, "dataflow">,
  fabric: Fabric,
  model: FabricModel = "overlapped",
): Dataflow {
  const cycles = (dataflow: Dataflow) => fabricCycles({ ...product, dataflow }, fabric, model).cycles;
  return DATAFLOWS.reduce((best, dataflow) => (cycles(dataflow) < cycles(best) ? dataflow : best));
}

function rateOf(fabric: Fabric, dtype: DTypeName): Rate {
  const macs = fabric.macs[dtype];
  if (macs === undefined)
    return fail("KPU9001", `the fabric of this machine cannot multiply ${dtype}`, {
      help: `use one of ${Object.keys(fabric.macs).join(", ")}, or give tile.fabric.macs a rate for ${dtype}`,
    });
  // The schema has p or 1/p for a whole p.
  return macs >= 1 ? { group: Math.round(macs), interval: 1 } : { group: 1, interval: Math.round(1 / macs) };
}

function layOut(product: Product, fabric: Fabric, { group }: Rate): Layout {
  const [rows, cols, steps] = extents(product, group);
  return {
    stationary: product.dataflow !== "os",
    rowBlocks: Math.ceil(rows / fabric.rows),
    colBlocks: Math.ceil(cols / fabric.cols),
    fold: (row, col) => ({
      rows: Math.min(fabric.rows, rows - row * fabric.rows),
      cols: Math.min(fabric.cols, cols - col * fabric.cols),
      steps,
    }),
  };
}

function extents({ m, n, k, dataflow }: Product, group: number): readonly [number, number, number] {
  const groups = Math.ceil(k / group);
  switch (dataflow) {
    case "os":
      return [m, n, groups];
    case "ws":
      return [groups, n, m];
    case "is":
      return [groups, m, n];
  }
}

/** Load, fill and drain of a fold alone; `size` is all of the array for SCALE-Sim. */
function edges(stationary: boolean, size: Fold, fabric: Fabric, { interval }: Rate, drains: boolean) {
  return {
    load: stationary ? fabric.rows : 0,
    fill: (size.rows + size.cols - 2) * interval,
    drain: !stationary && drains ? size.rows : 0,
  };
}

function oneByOne(layout: Layout, fabric: Fabric, rate: Rate, model: FabricModel) {
  const sum = { load: 0, fill: 0, drain: 0 };
  for (const [row, rows] of blocks(layout.rowBlocks))
    for (const [col, cols] of blocks(layout.colBlocks)) {
      const fold = layout.fold(row, col);
      const size = model === "scalesim" ? { ...fold, rows: fabric.rows, cols: fabric.cols } : fold;
      const one = edges(layout.stationary, size, fabric, rate, model !== "scalesim");
      sum.load += rows * cols * one.load;
      sum.fill += rows * cols * one.fill;
      sum.drain += rows * cols * one.drain;
    }
  return sum;
}

/** Blocks that differ, each with how many there are: the first ones are all alike, the last may be smaller. */
function blocks(count: number): readonly (readonly [index: number, count: number])[] {
  return count === 1
    ? [[0, 1]]
    : [
        [count - 2, count - 1],
        [count - 1, 1],
      ];
}

function overlapped(layout: Layout, fabric: Fabric, rate: Rate) {
  let end = 0;
  for (const [row] of blocks(layout.rowBlocks))
    for (const [col] of blocks(layout.colBlocks)) {
      const fold = layout.fold(row, col);
      const { load, fill, drain } = edges(layout.stationary, fold, fabric, rate, true);
      end = Math.max(end, startOf(layout, rate, row, col) + load + fill + fold.steps * rate.interval + drain);
    }
  const { stationary, rowBlocks, colBlocks } = layout;
  const [first, last] = [layout.fold(0, 0), layout.fold(rowBlocks - 1, colBlocks - 1)];
  const stream = rowBlocks * colBlocks * first.steps * rate.interval;
  // From the first to the last fold, one steps' time each would do; the rest is for the registers to come free.
  const steady = stream - first.steps * rate.interval;
  const skew = stationary ? (first.rows - last.rows) * rate.interval : 0;
  const waits = startOf(layout, rate, rowBlocks - 1, colBlocks - 1) - steady - skew;
  const load = stationary ? fabric.rows + waits : 0;
  const drain = stationary ? 0 : last.rows + waits;
  return { load, fill: end - stream - load - drain, drain };
}

/** Cycles from the start of the product to that of a fold. */
function startOf(layout: Layout, rate: Rate, row: number, col: number): number {
  const between = (from: number, to: number) =>
    gap(layout.stationary, layout.fold(from, 0), layout.fold(to, 0), rate);
  const down = (to: number) => (to === 0 ? 0 : (to - 1) * between(0, 0) + between(to - 1, to));
  const bottom = layout.rowBlocks - 1;
  return layout.stationary
    ? col * (down(bottom) + between(bottom, 0)) + down(row)
    : row * (layout.colBlocks - 1) * between(0, 0) + down(row) + col * between(row, row);
}

/** Cycles from the start of a fold to that of the one after it: the registers of the head of this file, as inequalities. */
function gap(stationary: boolean, fold: Fold, next: Fold, { interval }: Rate): number {
  if (stationary)
    return Math.max(
      (fold.steps + fold.rows - next.rows) * interval,
      (fold.rows - 1) * interval + 1, // the last row in use has taken its value when the next load passes it
    );
  const drains = (fold.steps + fold.rows - 1) * interval;
  return Math.max(
    fold.steps * interval,
    drains + 1 - next.steps * interval, // the chain has taken the first row's result before the next one
    drains + fold.rows - (next.steps + next.rows - 1) * interval, // the chain has shifted them out
  );
}

function firstResult(layout: Layout, fabric: Fabric, rate: Rate, model: FabricModel): number {
  const { rows, steps } = layout.fold(0, 0);
  const passed = model === "scalesim" ? fabric.rows : rows;
  if (layout.stationary) return fabric.rows + passed * rate.interval;
  // In SCALE-Sim results appear while the array still works: the bottom row's first column after its own last step.
  return model === "scalesim" ? steps * rate.interval : (steps + rows - 1) * rate.interval + 1;
}
