import { TARGETS } from "../../ir/target.ts";
import { GB, GiB, machineOf, ONE_MAC } from "./preset.ts";

/** The smallest machine: one tile, one of each engine. */
export const minimal = machineOf({
  target: TARGETS.minimal,
  source:
    "kpu-sim (stillwater-sc), configuration minimal: array, memories, engines, 50 GB/s, mesh link of 64 GB/s, 64 MACs per cycle. Assumptions: 1 GHz, 16 nm, and what machine/presets/assumptions.ts lists",
  clock: 1e9,
  dram: { technology: "LPDDR5", channels: 1, bytesPerSecond: 50 * GB, capacityBytes: GiB },
  dmaEngines: 1,
  l3: { tiles: 2, banksPerTile: 4 },
  linkBytesPerCycle: 64,
  l2BanksPerTile: 4,
  blockMoversPerTile: 1,
  streamersPerTile: 4,
  fabric: { rows: 8, cols: 8, macs: ONE_MAC },
  node: 16,
});
