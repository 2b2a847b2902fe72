/**
 * Energy constants in picojoules by process node, each with what it rests on, and the energy section of a machine made
 * of them. Absolute figures that follow are +-30 % at best; published KPU documents differ by 20x among themselves, so
 * all of this is configuration.
 */
import type { MachineConfig } from "./schema.ts";

/** Nanometres. */
export type ProcessNode = 45 | 28 | 16 | 7;
export const NODES: { readonly [N in ProcessNode]: string } = {
  45: "Horowitz, ISSCC 2014",
  28: "interpolated between 45 and 7 nm (derived)",
  16: "interpolated between 45 and 7 nm (derived)",
  7: "after Jouppi et al., ISCA 2021",
};

/** Where a constant comes from: `published` as it stands there, `derived` from published ones, or an `assumption`. */
export type Basis = "published" | "derived" | "assumption";

export interface Constant {
  readonly pJ: { readonly [N in ProcessNode]: number };
  readonly unit: "pJ per MAC" | "pJ per lane" | "pJ per byte" | "pJ per byte and hop";
  /** Of the 45 and 7 nm columns; 28 and 16 nm are derived always. */
  readonly basis: Basis;
  readonly note: string;
}

const row = (
  unit: Constant["unit"],
  at45: number,
  at28: number,
  at16: number,
  at7: number,
  basis: Basis,
  note: string,
): Constant => ({ unit, pJ: { 45: at45, 28: at28, 16: at16, 7: at7 }, basis, note });

export const ENERGY = {
  macInt8: row("pJ per MAC", 0.3, 0.2, 0.15, 0.1, "derived", "int8 multiply and int32 add"),
  macBf16: row("pJ per MAC", 1.7, 1.2, 0.85, 0.59, "derived", "bf16 multiply and f32 add"),
  macF16: row("pJ per MAC", 2.0, 1.4, 1.0, 0.72, "derived", "f16 multiply and f32 add"),
  macF32: row("pJ per MAC", 4.6, 3.3, 2.4, 1.69, "derived", "f32 multiply and f32 add"),
  laneInt32: row("pJ per lane", 0.1, 0.07, 0.05, 0.03, "published", "int32 add"),
  laneF32: row("pJ per lane", 0.9, 0.7, 0.5, 0.38, "published", "f32 add"),
  register: row("pJ per byte", 0.07, 0.05, 0.04, 0.03, "assumption", "a few bytes beside the multiplier"),
  hop: row("pJ per byte", 0.15, 0.1, 0.075, 0.05, "assumption", "wire and latch to the neighbour"),
  sram8K: row("pJ per byte", 1.25, 1.1, 1.0, 0.94, "published", "8 KB, an eighth of a 64-bit read"),
  sram64K: row("pJ per byte", 3, 1.8, 1.3, 1.1, "derived", "32 to 64 KB"),
  sram1M: row("pJ per byte", 10, 5, 2.7, 1.6, "derived", "256 KB to 1 MB"),
  sram4M: row("pJ per byte", 28, 12, 5, 2.0, "derived", "4 MB"),
  noc: row("pJ per byte and hop", 0.6, 0.35, 0.2, 0.12, "assumption", "router and a link of about 1 mm"),
} as const satisfies Record<string, Constant>;

/** SRAM: a write costs this much of a read (assumption). */
export const WRITE_PER_READ = 1.2;
/** A transcendental function costs as much as this many f32 MACs (assumption: a polynomial of degree 4). */
export const MACS_PER_TRANSCENDENTAL = 4;

/** DRAM with its interface, pJ per byte of a read or a write. */
export const DRAM_ENERGY = {
  LPDDR4: { pJ: 64, basis: "published" },
  LPDDR5: { pJ: 40, basis: "assumption" },
  DDR4: { pJ: 162, basis: "published" },
  HBM2: { pJ: 31, basis: "published" },
  HBM3: { pJ: 28, basis: "assumption" },
} as const satisfies Record<string, { readonly pJ: number; readonly basis: Basis }>;
export type DramTechnology = keyof typeof DRAM_ENERGY;

/** Opening a row of 1 KB of HBM2; other rows in proportion to their size (assumption). */
export const ACTIVATION_PJ_PER_KB = 909;

/**
 * What a chip draws while nothing happens, in milliwatts per MB of SRAM and per 1000 processing elements. Assumption:
 * the idle power of embodied-schemas' KPU-T64 at 16 nm (0.46 W, 18 MB, 65,536 elements) and KPU-T256 at 7 nm (0.83 W,
 * 72 MB, 262,144 elements), half of it SRAM, half elements; an older node doubles it.
 */
export const STATIC_POWER: {
  readonly [N in ProcessNode]: { readonly perMB: number; readonly perKiloPe: number };
} = {
  45: { perMB: 51.2, perKiloPe: 14 },
  28: { perMB: 25.6, perKiloPe: 7 },
  16: { perMB: 12.8, perKiloPe: 3.5 },
  7: { perMB: 5.8, perKiloPe: 1.6 },
};

const KB = 1024;
const MB = 1024 * KB;
/** Size classes: between two of them the energy goes linearly with the logarithm of the size. */
const SRAM_CLASSES = [
  { bytes: 8 * KB, at: ENERGY.sram8K },
  { bytes: 32 * KB, at: ENERGY.sram64K },
  { bytes: 64 * KB, at: ENERGY.sram64K },
  { bytes: 256 * KB, at: ENERGY.sram1M },
  { bytes: MB, at: ENERGY.sram1M },
  { bytes: 4 * MB, at: ENERGY.sram4M },
] as const;

/**
 * A read of an SRAM of so many bytes, in pJ per byte. Outside of 8 KB to 4 MB it is that of the nearest class: a larger
 * memory is built of such blocks.
 * @example sramRead(16, 128 * 1024) // 2: halfway from 64 KB (1.3) to 256 KB (2.7)
 */
export function sramRead(node: ProcessNode, bytes: number): number {
  let low: (typeof SRAM_CLASSES)[number] = SRAM_CLASSES[0];
  for (const high of SRAM_CLASSES) {
    if (bytes <= high.bytes) {
      const share = high === low ? 0 : Math.log2(bytes / low.bytes) / Math.log2(high.bytes / low.bytes);
      return low.at.pJ[node] + share * (high.at.pJ[node] - low.at.pJ[node]);
    }
    low = high;
  }
  return low.at.pJ[node];
}

/** What the energy of a machine depends on besides its node and its memory. */
export interface EnergySizes {
  /** Bytes of the local memory of one compute tile, of its L2, and of one L3 tile. */
  readonly local: number;
  readonly l2: number;
  readonly l3: number;
  /** Bytes of a DRAM row. */
  readonly page: number;
  /** Hertz. */
  readonly control: number;
  /** What leaks: bytes of SRAM and processing elements of the whole chip; or its idle watts, where they are published. */
  readonly idle: { readonly sram: number; readonly elements: number } | { readonly watts: number };
}

/** Bytes that the scalar unit fetches per op, from 8 KB (assumption). */
const FETCH_BYTES = 4;

/**
 * The energy section of a machine. The stream buffers count as SRAM of 8 KB; L2 and L3 as one SRAM of a tile's size,
 * since an access drives the wires of all its banks.
 * @example energyOf(16, "LPDDR5", { local: 32768, l2: 262144, l3: 524288, page: 2048, control: 9e8, idle: { watts: 0.46 } })
 */
export function energyOf(
  node: ProcessNode,
  technology: DramTechnology,
  sizes: EnergySizes,
): MachineConfig["energy"] {
  const of = (c: Constant): number => round(c.pJ[node]);
  const sram = (bytes: number) => ({
    read: round(sramRead(node, bytes)),
    write: round(WRITE_PER_READ * sramRead(node, bytes)),
  });
  const dram = DRAM_ENERGY[technology];
  return {
    source: sourceOf(node, technology, "watts" in sizes.idle),
    node,
    mac: {
      i8: of(ENERGY.macInt8),
      u8: of(ENERGY.macInt8),
      f16: of(ENERGY.macF16),
      bf16: of(ENERGY.macBf16),
      f32: of(ENERGY.macF32),
    },
    vector: {
      int: of(ENERGY.laneInt32),
      float: of(ENERGY.laneF32),
      math: round(MACS_PER_TRANSCENDENTAL * ENERGY.macF32.pJ[node]),
    },
    scalar: round(ENERGY.laneInt32.pJ[node] + FETCH_BYTES * ENERGY.sram8K.pJ[node]),
    bytes: {
      register: of(ENERGY.register),
      hop: of(ENERGY.hop),
      l1: sram(8 * KB),
      local: sram(sizes.local),
      l2: sram(sizes.l2),
      l3: sram(sizes.l3),
      dram: { read: dram.pJ, write: dram.pJ },
      noc: of(ENERGY.noc),
    },
    activation: round((ACTIVATION_PJ_PER_KB * sizes.page) / KB),
    staticPerCycle: round((idleWatts(node, sizes.idle) / sizes.control) * 1e12),
  };
}

function idleWatts(node: ProcessNode, idle: EnergySizes["idle"]): number {
  if ("watts" in idle) return idle.watts;
  const { perMB, perKiloPe } = STATIC_POWER[node];
  return ((perMB * idle.sram) / MB + (perKiloPe * idle.elements) / 1000) / 1000;
}

function sourceOf(node: ProcessNode, technology: DramTechnology, published: boolean): string {
  return [
    `${node} nm: ${NODES[node]}`,
    "write = 1.2 x read, transcendental = 4 f32 MACs (assumptions)",
    `${technology} ${DRAM_ENERGY[technology].pJ} pJ per byte (${DRAM_ENERGY[technology].basis})`,
    published ? "static: published idle power" : "static: per MB of SRAM and per element (assumption)",
    "absolute figures +-30 % at best",
  ].join("; ");
}

/** Four significant digits: more would be noise in a file that people read. */
function round(x: number): number {
  return Number(x.toPrecision(4));
}
