import { TARGETS } from "../../ir/target.ts";
import { GB, GiB, machineOf, ONE_MAC } from "./preset.ts";

/** Lanes of one unit: float and order of numbers are cheap, functions are an eighth as many. */
const LANES = 64;
const PORT_BYTES = 256;
const STARTUP = 8;

/**
 * The information-theory unit: the tile of `minimal` with a large L2, beside whose fabric stand units for mutual
 * information (MIEU), entropies (ECU) and plasticity (SPC).
 */
export const itpuV0 = machineOf({
  target: TARGETS["itpu-v0"],
  source:
    "Public description of the unit: MIEU, ECU and SPC behind DMA; its targets are 100 us for the mutual information of 1e5 samples (k = 8), 1000 pairs per ms, and 1 ms for plasticity of 1000 edges. It gives no counts and rates. Assumptions: 4, 2 and 1 units of 64 lanes, functions with an eighth of them, ports of 256 bytes, 4 MB of L2 in 32 banks, 100 GB/s, 1 GHz, 16 nm; array, engines and links of minimal, and what machine/presets/assumptions.ts lists",
  clock: 1e9,
  dram: { technology: "LPDDR5", channels: 2, bytesPerSecond: 50 * GB, capacityBytes: 4 * GiB },
  dmaEngines: 2,
  l3: { tiles: 2, banksPerTile: 4 },
  linkBytesPerCycle: 64,
  l2BanksPerTile: 32,
  blockMoversPerTile: 1,
  streamersPerTile: 4,
  fabric: { rows: 8, cols: 8, macs: ONE_MAC },
  units: {
    mieu: {
      count: 4,
      startup: STARTUP,
      bytesPerCycle: PORT_BYTES,
      perCycle: {
        difference: LANES,
        compare: LANES,
        // Counters in as many banks as lanes of functions: two samples of one bin have to wait for each other.
        bin: LANES / 8,
        digamma: LANES / 8,
        log: LANES / 8,
        mac: LANES,
      },
    },
    ecu: {
      count: 2,
      startup: STARTUP,
      bytesPerCycle: PORT_BYTES,
      perCycle: { compare: LANES, bin: LANES / 8, log: LANES / 8, exp: LANES / 8, mac: LANES, root: 1 },
    },
    spc: {
      count: 1,
      startup: STARTUP,
      bytesPerCycle: PORT_BYTES,
      perCycle: { compare: LANES, mac: LANES, root: LANES / 8 },
    },
  },
  node: 16,
});
