import { TARGETS } from "../../ir/target.ts";
import { GB, GiB, machineOf } from "./preset.ts";

/** Four times t64, on a checkerboard of 16 x 16. */
export const t256 = machineOf({
  target: TARGETS.t256,
  source:
    "embodied-schemas (branes-ai), KPU-T256: checkerboard of 16 x 16, arrays of 32 x 32, MACs per tile and cycle, 272 GB/s and 32 GB behind 16 controllers, flits of 16 bytes. graphs (branes-ai): 1.4 GHz at 16 nm. Assumptions: engines and banks per tile as in t64, and what machine/presets/assumptions.ts lists",
  clock: 1.4e9,
  dram: { technology: "LPDDR5", channels: 16, bytesPerSecond: 17 * GB, capacityBytes: 32 * GiB },
  dmaEngines: 128,
  l3: { tiles: 128, banksPerTile: 4 },
  linkBytesPerCycle: 16,
  l2BanksPerTile: 8,
  blockMoversPerTile: 3,
  streamersPerTile: 1,
  fabric: { rows: 32, cols: 32, macs: { i8: 1, u8: 1, f16: 0.5, bf16: 0.5, f32: 0.25 } },
  node: 16,
});
