/** What the checker knows about a kernel that both executions need: the joint between lowering and pysim. */
import type { ParamSpec } from "../ir/hostargs.ts";
import type { CapturedFunction } from "./capture.ts";

/**
 * For every captured function in which a tile may suspend: the offsets (into its text) of the call expressions at
 * which it may. Those are calls of intrinsics with effect "block", and calls of helpers that contain such calls.
 */
export type BlockingSites = ReadonlyMap<CapturedFunction, ReadonlySet<number>>;

export interface CheckedKernel {
  readonly captured: CapturedFunction;
  readonly blocking: BlockingSites;
  readonly paramSpecs: readonly ParamSpec[];
}
