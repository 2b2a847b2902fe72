/** Energy constants: monotone in node and size, and the rules that the sections of machines are made by. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DRAM_ENERGY,
  type DramTechnology,
  ENERGY,
  energyOf,
  type ProcessNode,
  sramRead,
} from "../../machine/energy-table.ts";

const NODES: readonly ProcessNode[] = [45, 28, 16, 7];
const KB = 1024;
const sizes = { local: 64 * KB, l2: 512 * KB, l3: 1024 * KB, page: 2048, control: 1e9, idle: { watts: 0.5 } };
const node = fc.constantFrom(...NODES);
const bytes = fc.integer({ min: 1, max: 2 ** 28 });

test("a smaller process never costs more", () => {
  for (const { pJ } of Object.values(ENERGY))
    expect([pJ[45], pJ[28], pJ[16], pJ[7]]).toEqual([pJ[45], pJ[28], pJ[16], pJ[7]].sort((a, b) => b - a));
});

describe("SRAM", () => {
  test("the classes have their own values", () => {
    expect([8, 32, 48, 64, 256, 1024, 4096].map((k) => sramRead(45, k * KB))).toEqual([
      1.25, 3, 3, 3, 10, 10, 28,
    ]);
  });
  test("halfway between two classes is halfway in the logarithm", () => {
    expect(sramRead(16, 128 * KB)).toBeCloseTo((1.3 + 2.7) / 2, 12);
    expect(sramRead(7, 2048 * KB)).toBeCloseTo((1.6 + 2.0) / 2, 12);
  });
  test("a larger memory never costs less, within the range of the table", () => {
    fc.assert(
      fc.property(node, bytes, bytes, (n, a, b) => {
        const [small, large] = a < b ? [a, b] : [b, a];
        expect(sramRead(n, small)).toBeLessThanOrEqual(sramRead(n, large));
        expect(sramRead(n, small)).toBeGreaterThanOrEqual(ENERGY.sram8K.pJ[n]);
        expect(sramRead(n, large)).toBeLessThanOrEqual(ENERGY.sram4M.pJ[n]);
      }),
    );
  });
});

/** Constants have four digits: each of two is off by half a unit of the fourth at most. */
function expectRounded(a: number, b: number): void {
  expect(Math.abs(a - b)).toBeLessThanOrEqual(0.000501 * (a + b));
}

describe("the energy of a machine", () => {
  test("at 45 nm it is the published table", () => {
    const e = energyOf(45, "DDR4", sizes);
    expect(e.mac).toEqual({ i8: 0.3, u8: 0.3, f16: 2, bf16: 1.7, f32: 4.6 });
    expect(e.vector).toEqual({ int: 0.1, float: 0.9, math: 4 * 4.6 });
    expect(e.bytes.l2).toEqual({ read: 10, write: 12 });
    expect(e.bytes.dram).toEqual({ read: 162, write: 162 });
    expect(e.activation).toBe(2 * 909);
    expect(e.staticPerCycle).toBe(500);
  });
  test("names its node, its memory and what is assumed", () => {
    expect(energyOf(7, "HBM3", sizes).source).toMatch(
      /7 nm: after Jouppi et al.*assumptions.*HBM3 28 pJ per byte \(assumption\).*published idle power/,
    );
    expect(energyOf(28, "LPDDR4", sizes).source).toContain("28 nm: interpolated");
  });
  test("writes cost 1.2 reads; no constant is zero; static power is per control cycle", () => {
    const technology = fc.constantFrom(...(Object.keys(DRAM_ENERGY) as DramTechnology[]));
    fc.assert(
      fc.property(
        node,
        technology,
        bytes,
        bytes,
        fc.integer({ min: 1e6, max: 4e9 }),
        (n, t, l2, sram, control) => {
          const e = energyOf(n, t, { ...sizes, l2, control, idle: { sram, elements: 1024 } });
          for (const level of ["l1", "local", "l2", "l3"] as const)
            expectRounded(e.bytes[level].write, 1.2 * e.bytes[level].read);
          const twice = energyOf(n, t, { ...sizes, control: 2 * control, idle: { sram, elements: 1024 } });
          expectRounded(2 * twice.staticPerCycle, e.staticPerCycle);
          expect(Math.min(...Object.values(e.mac), ...Object.values(e.vector), e.scalar)).toBeGreaterThan(0);
        },
      ),
    );
  });
});
