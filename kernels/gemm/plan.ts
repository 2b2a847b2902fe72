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
import { BUFFER_ALIGNMENT, type Target } from "../../ir/target.ts";
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

/** Whether the sums of a block stay in the accumulators. */
export function keepsSums(p: GemmPlan): boolean {
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
    taken[scope] += Math.ceil(bytes / BUFFER_ALIGNMENT) * BUFFER_ALIGNMENT;
  }
  return taken;
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

/**
 * A plan that keeps sums in the accumulators: blocks as large as these hold, and no larger than the product; chunks as deep as
 * l2 holds twice, so that runs out of DRAM are long.
 *
 *     planGemm({ a: "f32", b: "f32", out: "f32" }, { m: 1024, n: 1024, k: 1024 }, TARGETS.edge, 1)
 *     // blocks of 128 x 128, depth 222
 *
 * @throws KPU4003 a target whose memories hold not even the smallest plan
 */
export function planGemm(spec: GemmSpec, sizes: GemmSizes, target: Target, tiles: number): GemmPlan {
  const { capacity } = target;
  const half = Math.floor(capacity.acc / DTYPES[sumDtype(spec)].bytes / 2);
  const square = Math.max(1, Math.floor(Math.sqrt(half / 2)));
  let halfRows = Math.min(square, Math.max(1, Math.ceil(sizes.m / 2)));
  // An even number of columns: 4-bit rows begin at whole bytes.
  let cols = Math.max(2, 2 * Math.floor(Math.min(half / halfRows, 2 * square, sizes.n + 1) / 2));
  for (;;) {
    const blocks = { halfRows, cols, blockRows: 2 * halfRows, blockCols: cols };
    const tileCols = Math.max(1, Math.min(tiles, Math.ceil(sizes.n / cols)));
    const depthOf = (depth: number, turns: number): GemmPlan => ({ ...blocks, depth, turns, tileCols });
    const one = planBytes(spec, depthOf(2, 2), tiles);
    const none = planBytes(spec, depthOf(0, 2), tiles);
    const perDepth = (one.l2 - none.l2) / 2;
    const most = Math.floor((capacity.l2 - none.l2) / perDepth / 2) * 2;
    const depth = Math.max(2, Math.min(most, 2 * Math.ceil(sizes.k / 4)));
    const perTurn = one.l1;
    const turn = Math.max(1, Math.floor(capacity.l1 / perTurn));
    const turns = 2 * Math.max(1, Math.ceil(depth / turn / 2));
    const plan = depthOf(depth, turns);
    const bytes = planBytes(spec, plan, tiles);
    if (bytes.l2 <= capacity.l2 && bytes.l1 <= capacity.l1 && bytes.acc <= capacity.acc) return plan;
    if (halfRows === 1 && cols === 2) {
      checkPlan(spec, plan, target, tiles);
      return plan;
    }
    halfRows = Math.max(1, Math.floor(halfRows / 2));
    cols = Math.max(2, 2 * Math.floor(cols / 4));
  }
}
