import { TARGETS } from "../../ir/target.ts";
import { GB, GiB, machineOf, ONE_MAC } from "./preset.ts";

/** The default: two tiles of 16 x 16. */
export const edge = machineOf({
  target: TARGETS.edge,
  source:
    "kpu-sim (stillwater-sc), configuration edge_ai: arrays, memories, engines, 100 GB/s, mesh links of 100 GB/s, 512 MACs per cycle. Its banks and engines are of the whole chip: half are of a tile. Assumptions: 1 GHz, 16 nm, and what machine/presets/assumptions.ts lists",
  clock: 1e9,
  dram: { technology: "LPDDR5", channels: 2, bytesPerSecond: 50 * GB, capacityBytes: 4 * GiB },
  dmaEngines: 2,
  l3: { tiles: 2, banksPerTile: 8 },
  linkBytesPerCycle: 100,
  l2BanksPerTile: 8,
  blockMoversPerTile: 2,
  streamersPerTile: 8,
  fabric: { rows: 16, cols: 16, macs: ONE_MAC },
  node: 16,
});
