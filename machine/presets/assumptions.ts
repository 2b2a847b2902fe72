/**
 * What no public document of a KPU gives, decided once for all presets. A machine that is known better replaces these
 * figures in a file of its own.
 */
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import type { DramTechnology } from "../energy-table.ts";
import type { MachineConfig } from "../schema.ts";

type Dram = MachineConfig["dram"];
type Fabric = MachineConfig["tile"]["fabric"];
type Streamers = MachineConfig["tile"]["streamers"];

/**
 * Memory clock in hertz, latencies in its cycles, and rows. LPDDR5: latencies of kpu-sim's calibration of LPDDR5-6400
 * (mean 36 cycles, factors 0.611, 1 and 1.389), rows and banks of its t64 machine. LPDDR4: read latency, tRCD and tRP of
 * LPDDR4-3200 (JESD209-4). HBM3: tRCD and tRP of 15 ns, as much for the access itself.
 */
export const DRAM: {
  readonly [T in Extract<DramTechnology, "LPDDR4" | "LPDDR5" | "HBM3">]: Pick<
    Dram,
    "latency" | "pageBytes" | "banks"
  > & { readonly clock: number };
} = {
  LPDDR4: { clock: 1.6e9, latency: { rowHit: 28, rowEmpty: 57, rowConflict: 86 }, pageBytes: 2048, banks: 8 },
  LPDDR5: {
    clock: 0.8e9,
    latency: { rowHit: 22, rowEmpty: 36, rowConflict: 50 },
    pageBytes: 2048,
    banks: 16,
  },
  HBM3: { clock: 0.8e9, latency: { rowHit: 12, rowEmpty: 24, rowConflict: 36 }, pageBytes: 1024, banks: 16 },
};
export const INTERLEAVE_BYTES = 256;

/** The bursts of kpu-sim's t64 machine: 64 bytes, which are also the rate of its DMA engines. */
export const DMA = { bytesPerCycle: 64, startup: 20, window: 4, burstBytes: 64 };
export const BLOCK_MOVER = { bytesPerCycle: 64, startup: 8 };
export const STREAM_STARTUP = 4;
/** Bytes per cycle of a bank: a vector register at a time. */
export const BANK_BYTES = 32;
/** A command is a store to the engine's queue; that holds as many as two turns of a double-buffered loop give it. */
export const COMMANDS = { issue: 1, queue: 8 };
export const HOP_CYCLES = 2;
export const FILL_CYCLES = 1;

/** A tile without units for information theory. */
const NO_UNIT = { count: 0, startup: 0, bytesPerCycle: 32, perCycle: {} };
export const NO_UNITS: MachineConfig["tile"]["units"] = { mieu: NO_UNIT, ecu: NO_UNIT, spc: NO_UNIT };

/** One lane for each column that drains. */
export function sfuOf(fabric: Pick<Fabric, "cols">): MachineConfig["tile"]["sfu"] {
  return { lanes: fabric.cols, latency: 8 };
}

/**
 * Documents count the streamers of a tile together. A quarter feeds rows, a quarter columns, and half drains: results of
 * 8-bit operands are four times as wide. A single streamer is one stream of each kind. A stream is as fast as the array
 * needs with whichever dtype takes most, so that a product out of L2 is never bound by its streams.
 */
export function streamersOf(
  count: number,
  { rows, cols, macs }: Pick<Fabric, "rows" | "cols" | "macs">,
): Streamers {
  const feeding = Math.max(1, count / 4);
  const bytes = Object.entries(macs).map(([d, rate]) => DTYPES[d as DTypeName].bytes * rate);
  return {
    rows: feeding,
    cols: feeding,
    drain: 2 * feeding <= count ? 2 * feeding : 1,
    bytesPerCycle: (Math.max(rows, cols) / feeding) * Math.max(...bytes),
    startup: STREAM_STARTUP,
  };
}

/** An in-order core with one scalar, one vector and one memory unit; a load waits for the local memory. */
export const VECTOR: Pick<MachineConfig["tile"]["vector"], "issue" | "costs"> = {
  issue: { scalar: 1, vector: 1, memory: 1 },
  costs: {
    scalar: { latency: 1, interval: 1 },
    branch: { latency: 1, interval: 1 },
    valu: { latency: 1, interval: 1 },
    vmul: { latency: 3, interval: 1 },
    vdiv: { latency: 12, interval: 8 },
    vmath: { latency: 20, interval: 8 },
    vperm: { latency: 2, interval: 1 },
    vreduce: { latency: 6, interval: 2 },
    load: { latency: 4, interval: 1 },
    store: { latency: 1, interval: 1 },
  },
};
