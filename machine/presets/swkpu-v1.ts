import { TARGETS } from "../../ir/target.ts";
import { GB, GiB, machineOf } from "./preset.ts";

/** The machine of the deployment document: one large array in a budget of 5 W. */
export const swkpuV1 = machineOf({
  target: TARGETS["swkpu-v1"],
  source:
    "Embodied AI Architect (branes-ai), KPU simulator specification and KPU configuration swkpu-v1: 4 GB and 25.6 GB/s in 4 channels of LPDDR4, 256 KB and 2 MB of SRAM in 8 banks each, 256-bit links, 4 TOPS int8 and 2 TFLOPS f16, 28 nm, 5 W, 0.5 W idle. The documents disagree on the array; 32 x 32 at 1 GHz gives their 4 TOPS. Assumptions: f32 at half the rate of f16, engines, and what machine/presets/assumptions.ts lists",
  clock: 1e9,
  dram: { technology: "LPDDR4", channels: 4, bytesPerSecond: 6.4 * GB, capacityBytes: 4 * GiB },
  dmaEngines: 2,
  l3: { tiles: 1, banksPerTile: 8 },
  linkBytesPerCycle: 32,
  l2BanksPerTile: 8,
  blockMoversPerTile: 2,
  streamersPerTile: 8,
  // 1024 elements at 1 GHz: 4 TOPS are 2 MACs for each.
  fabric: { rows: 32, cols: 32, macs: { i8: 2, u8: 2, f16: 1, bf16: 1, f32: 0.5 } },
  node: 28,
  idleWatts: 0.5,
});
