import { TARGETS } from "../../ir/target.ts";
import { GB, GiB, machineOf } from "./preset.ts";

/** The data centre machine: many small arrays on HBM3. */
export const t768 = machineOf({
  target: TARGETS.t768,
  source:
    "embodied-schemas (branes-ai), KPU-T768 at 7 nm: arrays of 16 x 8, MACs per tile and cycle, 192 MB of L3, HBM3 of 64 GB and 1638.4 GB/s on 4096 bits (64 channels of 64 bits), flits of 32 bytes, 1.375 GHz, 3.35 W idle. Assumptions: every tile as its 16 x 8 tiles, engines and banks per tile as in t64, and what machine/presets/assumptions.ts lists",
  clock: 1.375e9,
  dram: { technology: "HBM3", channels: 64, bytesPerSecond: 25.6 * GB, capacityBytes: 64 * GiB },
  dmaEngines: 384,
  l3: { tiles: 384, banksPerTile: 4 },
  linkBytesPerCycle: 32,
  l2BanksPerTile: 8,
  blockMoversPerTile: 3,
  streamersPerTile: 1,
  // 512 int8 operations per cycle of 128 elements; bf16 half and f32 a quarter of that.
  fabric: { rows: 16, cols: 8, macs: { i8: 2, u8: 2, f16: 1, bf16: 1, f32: 0.5 } },
  node: 7,
  idleWatts: 3.35,
});
