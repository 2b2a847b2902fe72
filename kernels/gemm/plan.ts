/**
 * How a product is cut. From the outside in:
 *
 *     block    blockRows x blockCols of the result, that one tile computes; partial sums lie in l3 while the depth goes on
 *     chunk    `depth` of the operands of a block, which a DMA engine brings from DRAM to l2 while the one before is multiplied
 *     micro    2 * halfRows x cols of a block: its sums are in the accumulators. While one half is multiplied, the sums of the
 *              other go out and the next ones come in
 *     turn     one of `turns` parts of a chunk's depth, in which a half is streamed to l1 while the turn before is multiplied
 *
 * A block of one micro keeps its sums in the accumulators and takes nothing of l3. A larger block reads its operands less often:
 * the bytes of a product out of DRAM are (mnk / blockCols) + (mnk / blockRows) elements and the result.
 */

import { fail } from "../../ir/diagnostic.ts";
import { bytesOf, DTYPES, type DTypeName } from "../../ir/dtype.ts";
import { unpacked } from "../../ir/path/operands.ts";
import { nextBuffer, type Target } from "../../ir/target.ts";
import { type GemmSpec, sumDtype } from "./spec.ts";

export interface GemmPlan {
  readonly halfRows: number;
  readonly cols: number;
  /** A multiple of 2 * halfRows. */
  readonly blockRows: number;
  /** A multiple of cols. */
  readonly blockCols: number;
  /** Depth of a chunk; even. */
  readonly depth: number;
  readonly turns: number;
  /** Tiles side by side along the columns of the result; the others are below. */
  readonly tileCols: number;
}

/** What of a plan is fixed before its depth. */
type Shape = Omit<GemmPlan, "depth" | "turns">;

/** Whether the sums of a block stay in the accumulators. */
export function keepsSums(p: Shape): boolean {
  return p.blockRows === 2 * p.halfRows && p.blockCols === p.cols;
}

export interface PlanBuffer {
  readonly dtype: DTypeName;
  readonly scope: "l3" | "l2" | "l1" | "acc";
  readonly shape: readonly number[];
}

/** A buffer that a plan has no use for. */
const NOTHING = [1, 1];

/** Buffers of a plan: l3 for all `tiles` together, the others in each. */
export function buffersOf(spec: GemmSpec, p: GemmPlan, tiles: number) {
  const [sum, streamed] = [sumDtype(spec), unpacked(spec.b)];
  const half = p.halfRows * p.cols;
  const turn = Math.ceil(p.depth / p.turns);
  const keeps = keepsSums(p);
  const { residual = "f32" } = spec;
  return {
    nearA: { dtype: spec.a, scope: "l2", shape: [2, p.blockRows * p.depth] },
    nearB: { dtype: spec.b, scope: "l2", shape: [2, p.blockCols * p.depth] },
    nearOut: { dtype: keeps ? spec.out : sum, scope: "l2", shape: [1, half] },
    nearResidual: { dtype: residual, scope: "l2", shape: spec.residual === undefined ? NOTHING : [1, half] },
    nearIn: { dtype: sum, scope: "l2", shape: keeps ? NOTHING : [2, half] },
    edgeA: { dtype: spec.a, scope: "l1", shape: [2, p.halfRows * turn] },
    edgeB: { dtype: streamed, scope: "l1", shape: [2, p.cols * turn] },
    acc: { dtype: sum, scope: "acc", shape: [2, half] },
    far: { dtype: sum, scope: "l3", shape: keeps ? NOTHING : [tiles, p.blockRows * p.blockCols] },
  } as const satisfies Record<string, PlanBuffer>;
}

/** Bytes that a plan takes of each scope: l3 of all `tiles` together, the others of each. */
export function planBytes(
  spec: GemmSpec,
  p: GemmPlan,
  tiles: number,
): { readonly [K in PlanBuffer["scope"]]: number } {
  const taken = { l3: 0, l2: 0, l1: 0, acc: 0 };
  for (const { dtype, scope, shape } of Object.values<PlanBuffer>(buffersOf(spec, p, tiles))) {
    const bytes = bytesOf(
      dtype,
      shape.reduce((a, b) => a * b),
    );
    taken[scope] = nextBuffer(taken[scope]) + bytes;
  }
  return taken;
}

/** Bytes between DRAM and the tiles: of a and b as often as blocks read them, of the result and what is added to it once. */
export function planTraffic(spec: GemmSpec, { m, n, k }: GemmSizes, p: GemmPlan): number {
  const bytes = (d: DTypeName | undefined, count: number): number =>
    d === undefined ? 0 : (DTYPES[d].bits * count) / 8;
  return (
    bytes(spec.a, m * k) * Math.ceil(n / p.blockCols) +
    bytes(spec.b, k * n) * Math.ceil(m / p.blockRows) +
    bytes(spec.out, m * n) +
    bytes(spec.residual, m * n)
  );
}

/** Chunks of a depth, as the kernel cuts k: an even number, since buffers take turns. */
function chunksOf(k: number, depth: number): number {
  return 2 * Math.max(1, Math.ceil(k / (2 * depth)));
}

/** @throws KPU4003 more than a memory of the target has, KPU3004 numbers that do not fit each other */
export function checkPlan(spec: GemmSpec, p: GemmPlan, target: Target, tiles: number): void {
  const whole = (name: keyof GemmPlan, of: number): void => {
    if (!Number.isInteger(p[name]) || p[name] <= 0 || p[name] % of !== 0)
      fail("KPU3004", `gemm: ${name} of the plan must be a positive multiple of ${of}, got ${p[name]}`, {
        data: { ...p },
      });
  };
  for (const name of ["halfRows", "cols", "tileCols"] as const) whole(name, 1);
  whole("blockRows", 2 * p.halfRows);
  whole("blockCols", p.cols);
  whole("depth", 2);
  whole("turns", 1);
  const bytes = planBytes(spec, p, tiles);
  for (const [scope, wanted] of Object.entries(bytes) as [keyof typeof bytes, number][])
    if (wanted > target.capacity[scope])
      fail(
        "KPU4003",
        `gemm: the plan takes ${wanted} bytes of ${scope}, ${target.name} has ${target.capacity[scope]}`,
        { help: "let planGemm choose, or take smaller blocks", data: { ...p } },
      );
}

export interface GemmSizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** A plan, and what is known of it without a machine. */
interface Candidate {
  readonly plan: GemmPlan;
  /** Multiply-accumulates that take the time of the busiest tile, on a machine like `edge`. */
  readonly time: number;
  /** Bytes between DRAM and the tiles. */
  readonly traffic: number;
  /** Elements that the streamers move for a multiply-accumulate. */
  readonly streamed: number;
}

/** Plans slower than the fastest by more are not considered, whatever their traffic. */
const SLOWER = 1.02;
/** Multiply-accumulates in the time of a byte out of DRAM by one engine, and of a step in which only commands are given: of `edge`. */
const MACS_PER_BYTE = 4;
const MACS_PER_STEP = 40_000;

/**
 * Plans that fit, the most promising first: of those that take about the least time, in the order of their traffic. A block of
 * some micros needs a chunk deep enough that sums go out and come in behind the products, and l3 for its sums; the larger it
 * is, the less often operands are read. What a machine makes of them its model tells.
 *
 * @throws KPU4003 a target whose memories hold not even the smallest plan
 */
export function gemmPlans(
  spec: GemmSpec,
  sizes: GemmSizes,
  target: Target,
  tiles: number,
): readonly [GemmPlan, ...GemmPlan[]] {
  const square = Math.sqrt(target.capacity.l3 / tiles / DTYPES[sumDtype(spec)].bytes);
  const found = gridsOf(tiles).flatMap(([tileRows, tileCols]) =>
    microsOf(spec, sizes, target).flatMap(([halfRows, cols]) =>
      heightsOf(Math.ceil(sizes.m / tileRows), 2 * halfRows, square).flatMap((blockRows) => {
        const shape = { halfRows, cols, blockRows, tileCols };
        const blockCols = widest(spec, sizes, target, tiles, shape);
        return depthsOf(spec, sizes, target, tiles, { ...shape, blockCols }).map((plan) =>
          judged(spec, sizes, plan, tileRows),
        );
      }),
    ),
  );
  const least = Math.min(...found.map((c) => c.time));
  const [first, ...rest] = found
    .filter((c) => c.time <= least * SLOWER)
    .sort((a, b) => a.traffic - b.traffic || a.time - b.time || a.streamed - b.streamed)
    .map((c) => c.plan);
  if (first !== undefined) return [first, ...rest];
  const smallest = { halfRows: 1, cols: 2, blockRows: 2, blockCols: 2, depth: 2, turns: 1, tileCols: 1 };
  checkPlan(spec, smallest, target, tiles);
  return [smallest];
}

/**
 * The most promising plan.
 *
 *     planGemm({ a: "f32", b: "f32", out: "f32" }, { m: 1024, n: 1024, k: 1024 }, TARGETS.edge, 1)
 *     // blocks of 1024 x 512 whose sums lie in l3, chunks 34 deep
 *
 * @throws KPU4003 a target whose memories hold not even the smallest plan
 */
export function planGemm(spec: GemmSpec, sizes: GemmSizes, target: Target, tiles: number): GemmPlan {
  return gemmPlans(spec, sizes, target, tiles)[0];
}

/** Rows and columns of tiles, no more than there are. */
function gridsOf(tiles: number): [rows: number, cols: number][] {
  const grids = new Map<number, number>();
  for (let cols = 1; cols <= tiles; cols++) grids.set(Math.floor(tiles / cols), cols);
  return [...grids];
}

/** Halves of accumulators: all of them and fewer, about square and oblong; as the product is where that is narrow. */
function microsOf(spec: GemmSpec, { m, n }: GemmSizes, { capacity }: Target): [rows: number, cols: number][] {
  const most = Math.floor(capacity.acc / DTYPES[sumDtype(spec)].bytes / 2);
  const found = new Map<string, [number, number]>();
  for (const half of [most, most / 2, most / 4]) {
    const side = 2 ** Math.floor(Math.log2(Math.sqrt(half)));
    for (const wide of [side, 2 * side, Math.max(side, half / Math.ceil(m / 2))]) {
      // An even number of columns: 4-bit rows begin at whole bytes.
      const cols = 2 * Math.max(1, Math.floor(Math.min(wide, n + 1) / 2));
      const rows = Math.min(Math.floor(half / cols), Math.ceil(m / 2));
      if (rows > 0) found.set(`${rows} ${cols}`, [rows, cols]);
    }
  }
  return [...found.values()];
}

/**
 * Heights of blocks that cut `rows` evenly, in whole micros: about as high as the square block that l3 holds the sums of, to a
 * third and thrice; and one micro.
 */
function heightsOf(rows: number, micro: number, square: number): number[] {
  const micros = Math.ceil(rows / micro);
  const found = new Set([micro]);
  for (let cuts = Math.ceil(rows / (3 * square)); rows / cuts > square / 3; cuts++)
    found.add(micro * Math.ceil(micros / cuts));
  return [...found];
}

/**
 * Chunks at least as deep, when sums go to l3 and back: while a half is multiplied through its chunk, that of another goes
 * through the drain, and one through the column streams. On `edge` more than 97 % of the fabric is busy at depth 32 with halves
 * of 8192, and at 44 with halves of 4096.
 */
const deepEnough = (halfRows: number, cols: number): number =>
  Math.max(32, Math.ceil(180_000 / (halfRows * cols)));

/** The most columns, cut evenly, of blocks of so many rows; those of a micro where there are no more. */
function widest(
  spec: GemmSpec,
  { n, k }: GemmSizes,
  { capacity }: Target,
  tiles: number,
  shape: Omit<Shape, "blockCols">,
): number {
  const { halfRows, cols, blockRows, tileCols } = shape;
  const depth = 2 * Math.ceil(Math.min(deepEnough(halfRows, cols), 2 * Math.ceil(k / 4)) / 2);
  const micros = Math.ceil(n / tileCols / cols);
  // At most as many micros side by side as l3 has room for sums of, and l2 for columns of.
  const bytes = (d: DTypeName, count: number): number => (DTYPES[d].bits * count) / 8;
  const most = Math.min(
    capacity.l3 / (tiles * bytes(sumDtype(spec), blockRows * cols)),
    (capacity.l2 - bytes(spec.a, 2 * blockRows * depth)) / bytes(spec.b, 2 * cols * depth),
  );
  for (let across = Math.ceil(micros / Math.max(1, Math.floor(most))); ; across++) {
    const blockCols = cols * Math.ceil(micros / across);
    const { l3, l2 } = planBytes(spec, { ...shape, blockCols, depth, turns: 1 }, tiles);
    if (blockCols === cols || (l3 <= capacity.l3 && l2 <= capacity.l2)) return blockCols;
  }
}

/** With the deepest chunk that l2 holds and with shallower ones, and turns as deep as l1 allows. */
function depthsOf(
  spec: GemmSpec,
  { k }: GemmSizes,
  { capacity }: Target,
  tiles: number,
  shape: Shape,
): GemmPlan[] {
  const bytes = (depth: number, turns: number) => planBytes(spec, { ...shape, depth, turns }, tiles);
  const none = bytes(0, 1);
  const each = bytes(64, 1).l2 - none.l2;
  const most = Math.min(
    2 * Math.floor((32 * (capacity.l2 - none.l2)) / each),
    2 * Math.max(1, Math.ceil(k / 4)),
  );
  const plans: GemmPlan[] = [];
  const least = keepsSums(shape) ? 2 : Math.min(most, deepEnough(shape.halfRows, shape.cols));
  for (let deepest = most; deepest >= Math.max(2, least); deepest = 2 * Math.floor(deepest / 4)) {
    const depth = evenly(k, deepest, least);
    const turns = Math.max(1, Math.ceil((depth * bytes(64, 1).l1) / 64 / capacity.l1));
    const all = bytes(depth, turns);
    if (Object.entries(all).every(([scope, n]) => n <= capacity[scope as keyof typeof all]))
      plans.push({ ...shape, depth, turns });
  }
  return plans;
}

/** Depth of chunks that cut k with the least over, of those not much shallower than the deepest. */
function evenly(k: number, deepest: number, least: number): number {
  const over = (depth: number): number => {
    const chunks = chunksOf(k, depth);
    return chunks * Math.max(least, Math.ceil(k / chunks));
  };
  let best = deepest;
  for (let depth = deepest; depth >= Math.max(2, 0.8 * deepest, least); depth -= 2)
    if (over(depth) < over(best)) best = depth;
  return best;
}

function judged(spec: GemmSpec, { m, n, k }: GemmSizes, plan: GemmPlan, tileRows: number): Candidate {
  const { halfRows, cols, blockRows, blockCols, tileCols, depth, turns } = plan;
  const [down, across] = [Math.ceil(m / blockRows), Math.ceil(n / blockCols)];
  const bytes = (d: DTypeName, count: number): number => (DTYPES[d].bits * count) / 8;
  const most =
    Math.min(m, blockRows * Math.ceil(down / tileRows)) *
    Math.min(n, blockCols * Math.ceil(across / tileCols));
  const step = halfRows * cols * Math.ceil(depth / turns);
  const shallow = keepsSums(plan) ? 1 : Math.max(1, deepEnough(halfRows, cols) / depth);
  // What nothing hides: the first chunk comes in and the last half goes out.
  const alone =
    bytes(spec.a, blockRows * depth) + bytes(spec.b, blockCols * depth) + bytes(spec.out, halfRows * cols);
  return {
    plan,
    time: most * k * Math.max(shallow, MACS_PER_STEP / step) + alone * MACS_PER_BYTE,
    streamed: 1 / halfRows + 1 / cols,
    traffic: planTraffic(spec, { m, n, k }, plan),
  };
}
