/** Random programs as the machine model gets them: compiled, with their command trace, and a machine on which they fit. */
import fc from "fast-check";
import { build } from "../../executions.ts";
import { KpuError } from "../../ir/diagnostic.ts";
import { DTYPES } from "../../ir/dtype.ts";
import { FABRIC_DTYPES } from "../../ir/path/operands.ts";
import type { Target } from "../../ir/target.ts";
import { gemmKernel } from "../../kernels/gemm/kernel.ts";
import { planGemm } from "../../kernels/gemm/plan.ts";
import type { GemmSpec } from "../../kernels/gemm/spec.ts";
import { argumentsOf, targetOf } from "../../kernelsmith/executions.ts";
import { evaluate, generate } from "../../kernelsmith/index.ts";
import type { MachineConfig } from "../../machine/schema.ts";
import { targetOf as machineTarget } from "../../machine/target.ts";
import type { Item, Trace } from "../../machine/trace.ts";
import { type KpuProgram, traceProgram } from "../../runtime/index.ts";

export interface Case {
  readonly what: string;
  readonly program: KpuProgram;
  readonly args: readonly unknown[];
  readonly tiles: number;
  readonly trace: Trace;
}

/** Commands of all tiles, loops counted out. */
export function commandsIn({ tiles }: Trace): number {
  const count = (items: readonly Item[]): number =>
    items.reduce((n, i) => n + (i.kind === "loop" ? i.count * count(i.body) : 1), 0);
  return tiles.reduce((n, items) => n + count(items), 0);
}

/**
 * Generated kernels, every other one with the matrix path; those whose commands depend on data have no trace and are left out, and
 * so are those with more than `most` commands.
 */
export function generatedCases(seeds: readonly number[], most: number): readonly Case[] {
  const programs = seeds.map((seed) => generate(seed, { products: seed % 2 === 0 }));
  return evaluate(programs).flatMap((kernel, i) => {
    const p = programs[i]!;
    const program = build(kernel, { target: targetOf(p.registerBits) });
    const args = argumentsOf(p.params);
    try {
      const trace = traceProgram(program, args, { tiles: p.tiles });
      return commandsIn(trace) > most
        ? []
        : [{ what: `generated, seed ${p.seed}`, program, args, tiles: p.tiles, trace }];
    } catch (error) {
      if (error instanceof KpuError && error.code === "KPU9020") return [];
      throw error;
    }
  });
}

/** The machine with what a program of a target needs: as many tiles and events, every dtype on the fabric, its memories. */
export function holding(machine: MachineConfig, target: Target, tiles: number): MachineConfig {
  const { tile, energy, l3, dram } = machine;
  const table = (known: Partial<Record<string, number>>, value: number) => ({
    ...Object.fromEntries(FABRIC_DTYPES.map((d) => [d, value])),
    ...known,
  });
  return {
    ...machine,
    dram: { ...dram, capacityBytes: 2 ** 28 },
    l3: { ...l3, bytesPerTile: Math.max(l3.bytesPerTile, target.capacity.l3 / l3.tiles) },
    tile: {
      ...tile,
      count: Math.max(tile.count, tiles),
      events: Math.max(tile.events, target.events),
      l2: { ...tile.l2, bytesPerBank: Math.max(tile.l2.bytesPerBank, target.capacity.l2 / tile.l2.banks) },
      local: { bytes: Math.max(tile.local.bytes, target.capacity.local + target.capacity.private) },
      fabric: { ...tile.fabric, macs: table(tile.fabric.macs, 1) },
    },
    energy: { ...energy, mac: table(energy.mac, 1) },
  };
}

export interface ProductCase extends Case {
  readonly sizes: { readonly m: number; readonly n: number; readonly k: number };
  /** Bytes of the operands together, and of the result. */
  readonly bytes: { readonly read: number; readonly written: number };
  readonly machine: MachineConfig;
}

const SPECS = [
  { a: "f32", b: "f32", out: "f32" },
  { a: "i8", b: "i8", out: "i8", quantize: { scale: 0.5, zeroPoint: 1 }, activation: "relu" },
  { a: "bf16", b: "bf16", out: "f32", transposeB: true },
  { a: "u8", b: "i8", out: "i32", transposeA: true },
] as const satisfies readonly GemmSpec[];

/** Products of the library in random sizes, on machines made of presets. */
export function arbitraryProduct(machine: fc.Arbitrary<MachineConfig>, most = 64): fc.Arbitrary<ProductCase> {
  const side = fc.integer({ min: 1, max: most });
  return fc
    .record({
      spec: fc.constantFrom(...SPECS),
      m: side,
      n: side,
      k: side,
      machine,
      tiles: fc.integer({ min: 1, max: 2 }),
    })
    .map(({ spec, machine: m0, tiles: wanted, ...sizes }) => productCase(spec, sizes, m0, wanted));
}

export function productCase(
  spec: GemmSpec,
  sizes: ProductCase["sizes"],
  machine: MachineConfig,
  wanted = 1,
): ProductCase {
  const tiles = Math.min(wanted, machine.tile.count);
  const target = machineTarget(machine);
  const { m, n, k } = sizes;
  const program = build(gemmKernel(spec, planGemm(spec, sizes, target, tiles), target, tiles), { target });
  const args = [{ shape: [m, n] }, { shape: [m, k] }, { shape: [k, n] }, null, null, null, m, n, k];
  return {
    what: `${m} x ${n} x ${k} of ${spec.a}`,
    program,
    args,
    tiles,
    trace: traceProgram(program, args, { tiles }),
    sizes,
    bytes: {
      read: m * k * DTYPES[spec.a].bytes + k * n * DTYPES[spec.b].bytes,
      written: m * n * DTYPES[spec.out].bytes,
    },
    machine,
  };
}
