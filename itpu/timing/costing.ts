/** What the plans of ops have in common: where they are timed, arrays in DRAM, passes over them. */
import type { MachineConfig } from "../../machine/schema.ts";
import type { Buf } from "../buf.ts";
import type { Execution } from "../execution.ts";
import type { Samples } from "../samples.ts";
import { residentBytes } from "./schedule.ts";
import type { Items, Rows, Step } from "./steps.ts";

/** Where an op is timed. Inputs have their values. */
export interface Costing {
  readonly machine: MachineConfig;
  readonly execution: Execution;
  readonly stored: (buf: Buf) => Stored;
  /** Of the output in DRAM. */
  readonly output: number;
}

/** An array of the graph in DRAM. */
export interface Stored {
  readonly address: number;
  readonly samples: Samples;
}

export const WORD = 4;
export const rowsOf = ({ address, samples }: Stored): Rows => ({ address, bytesPerRow: WORD * samples.dims });
export const log2 = (n: number): number => Math.ceil(Math.log2(Math.max(2, n)));

/** Several passes over rows: the first brings them in, and where they fit they stay for the others. */
export function passesOver(
  { machine }: Costing,
  arrays: readonly Stored[],
  passes: readonly Items[],
  keptBeside = 0,
): { readonly resident: number; readonly steps: readonly Step[] } {
  const rows = arrays[0]?.samples.n ?? 0;
  const load = arrays.map(rowsOf);
  const bytes = rows * load.reduce((sum, r) => sum + r.bytesPerRow, 0);
  const keep = bytes + keptBeside <= residentBytes(machine);
  return {
    resident: (keep ? bytes : 0) + keptBeside,
    steps: passes.map((work, i) =>
      keep && i > 0 ? { step: "work", work, read: bytes } : { step: "stream", rows, load, keep, work },
    ),
  };
}

export const storeScalar = ({ output }: Costing): Step => ({ step: "store", address: output, bytes: WORD });
