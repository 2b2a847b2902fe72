/**
 * How a product is cut. From the outside in:
 *
 *     block    blockRows x blockCols of the result, that one tile computes; partial sums lie in l3 while the depth goes on
 *     chunk    `depth` of the operands of a block, which a DMA engine brings from DRAM to l2 while the one before is multiplied
 *     micro    2 * halfRows x cols of a block: its sums are in the accumulators. While one half is multiplied, the sums of the
 *              other go out and the next ones come in
 *     turn     one of `turns` parts of a chunk's depth, that is streamed to l1 while the one before is multiplied
 *
 * A block of one micro keeps its sums in the accumulators and takes nothing of l3. A larger block reads its operands less often:
 * the bytes of a product out of DRAM are (mnk / blockCols) + (mnk / blockRows) elements and the result.
 */

import { fail } from "../../ir/diagnostic.ts";
import { DTYPES } from "../../ir/dtype.ts";
import type { Target } from "../../ir/target.ts";
import { type GemmSpec, streamedDtype, sumDtype } from "./spec.ts";

export interface GemmPlan {
  readonly halfRows: number;
  readonly cols: number;
  /** A multiple of 2 * halfRows. */
  readonly blockRows: number;
  /** A multiple of cols. */
  readonly blockCols: number;
  /** Depth of a chunk; even. */
  readonly depth: number;
  /** Even: buffers take turns. */
  readonly turns: number;
  /** Tiles side by side along the columns of the result; the others are below. */
  readonly tileCols: number;
}

/** Whether the sums of a block stay in the accumulators. */
export function keepsSums(p: GemmPlan): boolean {
  return p.blockRows === 2 * p.halfRows && p.blockCols === p.cols;
}

/** Bytes that a plan takes of each scope: l3 of all `tiles` together, the others of each. */
export function planBytes(
  spec: GemmSpec,
  p: GemmPlan,
  tiles: number,
): { readonly [K in "l3" | "l2" | "l1" | "acc"]: number } {
  const half = p.halfRows * p.cols;
  const turn = Math.ceil(p.depth / p.turns);
  const { a, b, out, residual } = spec;
  const operands = p.depth * (p.blockRows * DTYPES[a].bits + p.blockCols * DTYPES[b].bits);
  const sums = keepsSums(p) ? 0 : 4;
  return {
    l3: tiles * p.blockRows * p.blockCols * sums,
    l2:
      2 * Math.ceil(operands / 8) +
      2 * half * (DTYPES[out].bytes + 2 * sums) +
      (residual === undefined ? 0 : half * DTYPES[residual].bytes),
    l1: 2 * turn * (2 * p.halfRows * DTYPES[a].bytes + p.cols * DTYPES[streamedDtype(b)].bytes),
    acc: 2 * half * DTYPES[sumDtype(spec)].bytes,
  };
}

/** @throws KPU4003 more than a memory of the target has, KPU3002 numbers that do not fit each other */
export function checkPlan(spec: GemmSpec, p: GemmPlan, target: Target, tiles: number): void {
  const whole = (name: keyof GemmPlan, of: number): void => {
    if (!Number.isInteger(p[name]) || p[name] <= 0 || p[name] % of !== 0)
      fail("KPU3002", `gemm: ${name} of the plan must be a positive multiple of ${of}, got ${p[name]}`, {
        data: { ...p },
      });
  };
  for (const name of ["halfRows", "cols", "tileCols"] as const) whole(name, 1);
  whole("blockRows", 2 * p.halfRows);
  whole("blockCols", p.cols);
  whole("depth", 2);
  whole("turns", 2);
  const bytes = planBytes(spec, p, tiles);
  for (const [scope, wanted] of Object.entries(bytes) as [keyof typeof bytes, number][])
    if (wanted > target.capacity[scope])
      fail(
        "KPU4003",
        `gemm: the plan takes ${wanted} bytes of ${scope}, ${target.name} has ${target.capacity[scope]}`,
        { help: "let planGemm choose, or take smaller blocks", data: { ...p } },
      );
}
