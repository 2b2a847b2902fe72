import { TARGETS } from "../../ir/target.ts";
import { GB, GiB, machineOf, ONE_MAC } from "./preset.ts";

/** Many tiles on a modest memory. */
export const embodied = machineOf({
  target: TARGETS.embodied,
  source:
    "kpu-sim (stillwater-sc), configuration embodied_ai: arrays, memories, engines, 8 x 25 GB/s, mesh links of 200 GB/s, 36864 MACs per cycle. Its 1024 L2 banks, 64 block movers and 256 streamers are of the whole chip. Assumptions: 1 GHz, 16 nm, and what machine/presets/assumptions.ts lists",
  clock: 1e9,
  dram: { technology: "LPDDR5", channels: 8, bytesPerSecond: 25 * GB, capacityBytes: 16 * GiB },
  dmaEngines: 8,
  l3: { tiles: 64, banksPerTile: 16 },
  linkBytesPerCycle: 200,
  l2BanksPerTile: 16,
  blockMoversPerTile: 1,
  streamersPerTile: 4,
  fabric: { rows: 24, cols: 24, macs: ONE_MAC },
  node: 16,
});
