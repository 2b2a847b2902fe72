import { TARGETS } from "../../ir/target.ts";
import { GB, GiB, machineOf } from "./preset.ts";

/** 32 compute tiles and 32 L3 tiles on a checkerboard of 8 x 8. */
export const t64 = machineOf({
  target: TARGETS.t64,
  source:
    "kpu-sim (stillwater-sc), machine t64: checkerboard of 32 compute and 32 L3 tiles, 32 DMA engines, 112 block movers (one per edge between two tiles: 3.5 for a tile, here 3), 32 streamers, 4 memory controllers, 4 banks per tile. embodied-schemas (branes-ai), KPU-T64 at 16 nm: arrays of 32 x 32, MACs per tile and cycle, 64 GB/s, 8 GB, flits of 16 bytes, 0.46 W idle. graphs (branes-ai): 900 MHz. The documents disagree on tile counts and memory sizes. Assumptions: what machine/presets/assumptions.ts lists",
  clock: 0.9e9,
  dram: { technology: "LPDDR5", channels: 4, bytesPerSecond: 16 * GB, capacityBytes: 8 * GiB },
  dmaEngines: 32,
  l3: { tiles: 32, banksPerTile: 4 },
  linkBytesPerCycle: 16,
  l2BanksPerTile: 4,
  blockMoversPerTile: 3,
  streamersPerTile: 1,
  // 2048 int8 operations per cycle of 1024 elements; bf16 half and f32 a quarter of that.
  fabric: { rows: 32, cols: 32, macs: { i8: 1, u8: 1, f16: 0.5, bf16: 0.5, f32: 0.25 } },
  node: 16,
  idleWatts: 0.46,
});
