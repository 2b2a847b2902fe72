/** A machine from what documents say of it, the facts of its compile target, and the assumptions. */
import type { Target } from "../../ir/target.ts";
import { energyOf, type ProcessNode } from "../energy-table.ts";
import type { MachineConfig } from "../schema.ts";
import * as assumed from "./assumptions.ts";

/** Counts are of the whole chip where they do not say "PerTile". */
export interface Published {
  readonly target: Target & { readonly registerBits: MachineConfig["tile"]["vector"]["bits"] };
  readonly source: string;
  /** Hertz of cores, engines and fabrics. */
  readonly clock: number;
  readonly dram: {
    readonly technology: keyof typeof assumed.DRAM;
    readonly channels: number;
    /** Of one channel. */
    readonly bytesPerSecond: number;
    readonly capacityBytes: number;
  };
  readonly dmaEngines: number;
  readonly l3: { readonly tiles: number; readonly banksPerTile: number };
  readonly linkBytesPerCycle: number;
  readonly l2BanksPerTile: number;
  readonly blockMoversPerTile: number;
  readonly streamersPerTile: number;
  readonly fabric: Pick<MachineConfig["tile"]["fabric"], "rows" | "cols" | "macs">;
  readonly units?: MachineConfig["tile"]["units"];
  readonly node: ProcessNode;
  /** Where a document gives it. */
  readonly idleWatts?: number;
}

export function machineOf(p: Published): MachineConfig {
  const { target, fabric } = p;
  const { capacity, tiles } = target;
  const { clock: memory, ...rows } = assumed.DRAM[p.dram.technology];
  const sram = capacity.l3 + tiles * (capacity.l2 + capacity.local);
  return {
    schema: 1,
    name: target.name,
    version: "1.0.0",
    source: p.source,
    clocks: { control: p.clock, fabric: p.clock, memory },
    dram: {
      technology: p.dram.technology,
      channels: p.dram.channels,
      bytesPerCycle: p.dram.bytesPerSecond / memory,
      ...rows,
      interleaveBytes: assumed.INTERLEAVE_BYTES,
      capacityBytes: p.dram.capacityBytes,
    },
    dma: { engines: p.dmaEngines, ...assumed.DMA },
    l3: {
      tiles: p.l3.tiles,
      bytesPerTile: capacity.l3 / p.l3.tiles,
      banks: p.l3.banksPerTile,
      bytesPerCycle: assumed.BANK_BYTES,
    },
    noc: { topology: "mesh", linkBytesPerCycle: p.linkBytesPerCycle, hopCycles: assumed.HOP_CYCLES },
    tile: {
      count: tiles,
      l2: {
        banks: p.l2BanksPerTile,
        bytesPerBank: capacity.l2 / p.l2BanksPerTile,
        bytesPerCycle: assumed.BANK_BYTES,
      },
      local: { bytes: capacity.local },
      private: { bytes: capacity.private },
      blockMovers: { count: p.blockMoversPerTile, ...assumed.BLOCK_MOVER },
      streamers: assumed.streamersOf(p.streamersPerTile, fabric),
      fabric: { ...fabric, fillCycles: assumed.FILL_CYCLES },
      vector: { bits: target.registerBits, ...assumed.VECTOR },
      units: p.units ?? assumed.NO_UNITS,
      sfu: assumed.sfuOf(fabric),
      events: target.events,
      commands: assumed.COMMANDS,
    },
    energy: energyOf(p.node, p.dram.technology, {
      local: capacity.local,
      l2: capacity.l2,
      l3: capacity.l3 / p.l3.tiles,
      page: rows.pageBytes,
      control: p.clock,
      idle:
        p.idleWatts === undefined
          ? { sram, elements: tiles * fabric.rows * fabric.cols }
          : { watts: p.idleWatts },
    }),
  };
}

export const GB = 1e9;
export const GiB = 2 ** 30;
/** One MAC per element and cycle whatever the dtype, as kpu-sim counts. */
export const ONE_MAC = { i8: 1, u8: 1, f16: 1, bf16: 1, f32: 1 };
