/** The presets against the public figures they claim, and against the compile targets. */
import { describe, expect, test } from "vitest";
import { TARGETS } from "../../ir/target.ts";
import { DRAM_ENERGY, type DramTechnology } from "../../machine/energy-table.ts";
import { PRESET_NAMES, PRESETS } from "../../machine/presets/index.ts";
import { machineSchema } from "../../machine/schema.ts";
import { targetOf } from "../../machine/target.ts";

const KB = 1024;
const MB = 1024 * KB;

test("every target has a machine", () => {
  expect(Object.keys(PRESETS)).toEqual(Object.keys(TARGETS));
});

describe.each(PRESET_NAMES)("%s", (name) => {
  const machine = PRESETS[name];
  test("fits the schema, and says which figures are assumptions", () => {
    expect(machineSchema().parse(machine)).toEqual(machine);
    expect(machine.source).toContain("Assumptions:");
  });
  test("compiles as the target of its name", () => {
    expect(targetOf(machine)).toEqual(TARGETS[name]);
  });
  test("streams out of L2 as fast as the array works", () => {
    const { fabric, streamers, l2 } = machine.tile;
    const widest = Math.max(
      (fabric.macs.f32 ?? 0) * 4,
      (fabric.macs.i8 ?? 0) * 1,
      (fabric.macs.f16 ?? 0) * 2,
    );
    expect(streamers.rows * streamers.bytesPerCycle).toBeGreaterThanOrEqual(fabric.rows * widest);
    expect(streamers.cols * streamers.bytesPerCycle).toBeGreaterThanOrEqual(fabric.cols * widest);
    expect(l2.banks * l2.bytesPerCycle).toBeGreaterThanOrEqual(
      (streamers.rows + streamers.cols) * streamers.bytesPerCycle,
    );
  });
  test("its memory is one with energy constants", () => {
    expect(machine.energy.bytes.dram.read).toBe(DRAM_ENERGY[machine.dram.technology as DramTechnology].pJ);
  });
});

/** Copied by hand from the documents: tiles, rows, cols, GHz, GB/s, bytes of L3, L2 and local, DMA engines. */
const PUBLISHED = {
  minimal: [1, 8, 8, 1, 50, 2 * 64 * KB, 4 * 32 * KB, 32 * KB, 1],
  edge: [2, 16, 16, 1, 100, 2 * MB, (16 * 64 * KB) / 2, 64 * KB, 2],
  "swkpu-v1": [1, 32, 32, 1, 25.6, 2 * MB, 256 * KB, 32 * KB, 2],
  embodied: [64, 24, 24, 1, 8 * 25, 64 * 256 * KB, (1024 * 64 * KB) / 64, 32 * KB, 8],
  t64: [32, 32, 32, 0.9, 64, 32 * 512 * KB, 256 * KB, 32 * KB, 32],
  t256: [128, 32, 32, 1.4, 272, 128 * 512 * KB, 512 * KB, 64 * KB, 128],
  // Its documents have none: what the preset assumes.
  "itpu-v0": [1, 8, 8, 1, 100, 128 * KB, 4 * MB, 64 * KB, 2],
  t768: [384, 16, 8, 1.375, 1638.4, 192 * MB, 512 * KB, 64 * KB, 384],
} as const;

test.each(PRESET_NAMES)("%s has the published figures", (name) => {
  const { tile, clocks, dram, l3, dma } = PRESETS[name];
  expect([
    tile.count,
    tile.fabric.rows,
    tile.fabric.cols,
    clocks.fabric / 1e9,
    Number(((dram.channels * dram.bytesPerCycle * clocks.memory) / 1e9).toFixed(6)),
    l3.tiles * l3.bytesPerTile,
    tile.l2.banks * tile.l2.bytesPerBank,
    tile.local.bytes,
    dma.engines,
  ]).toEqual(PUBLISHED[name]);
});

test("swkpu-v1 at full rate of fabric and memory stays in its budget of 5 W", () => {
  const { energy, tile, dram, clocks } = PRESETS["swkpu-v1"];
  const macs = tile.fabric.rows * tile.fabric.cols * (tile.fabric.macs.i8 ?? 0) * clocks.fabric;
  const bytes = dram.channels * dram.bytesPerCycle * clocks.memory;
  const watts =
    (macs * (energy.mac.i8 ?? 0) +
      bytes *
        (energy.bytes.dram.read + energy.bytes.l3.write + energy.bytes.l3.read + energy.bytes.l2.write) +
      energy.staticPerCycle * clocks.control) *
    1e-12;
  expect(watts).toBeGreaterThan(1);
  expect(watts).toBeLessThan(5);
});
