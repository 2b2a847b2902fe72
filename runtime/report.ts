/** What a run of a compiled program says about itself. */
import type { PerfMark } from "../ir/spans.ts";

export interface RunReport {
  readonly kernel: string;
  readonly target: string;
  readonly tiles: number;
  /** What S.perfBegin and S.perfEnd marked, per tile, in order. */
  readonly marks: readonly (readonly PerfMark[])[];
}
