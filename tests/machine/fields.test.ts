/** Each field that mode `cycle` or `power` models changes what a run of that mode reports. */
import { describe, expect, test } from "vitest";
import { COVERAGE, FIELD_PATHS, type FieldPath, fieldOf, models, withField } from "../../machine/coverage.ts";
import { timeTrace } from "../../machine/model/run.ts";
import { type MachineConfig, machineSchema } from "../../machine/schema.ts";
import {
  CORE_CLASSES,
  type Command,
  type End,
  type Item,
  type Level,
  type Mover,
  type Trace,
  UNITS,
  type UnitName,
} from "../../machine/trace.ts";
import { verifyTrace } from "../../machine/trace-verify.ts";
import { smallMachine } from "./machines.ts";

/** Two tiles, a network, channels and L3 tiles to choose from, and nothing so fast that another part never counts. */
const machine: MachineConfig = {
  ...smallMachine,
  dram: { ...smallMachine.dram, channels: 2, latency: { rowHit: 10, rowEmpty: 60, rowConflict: 200 } },
  dma: { ...smallMachine.dma, engines: 2, bytesPerCycle: 32 },
  l3: { ...smallMachine.l3, tiles: 2, banks: 2, bytesPerCycle: 4 },
  noc: { ...smallMachine.noc, topology: "mesh", linkBytesPerCycle: 4 },
  tile: {
    ...smallMachine.tile,
    count: 2,
    l2: { ...smallMachine.tile.l2, bytesPerCycle: 4 },
    blockMovers: { ...smallMachine.tile.blockMovers, count: 2, bytesPerCycle: 4 },
    streamers: { ...smallMachine.tile.streamers, bytesPerCycle: 1 },
    commands: { issue: 2, queue: 2 },
  },
};

function end(level: Level, base: number, bytes: number, count = 1): End {
  return { level, at: { base }, runs: { count, bytes, stride: count === 1 ? 0 : 512 } };
}
function move(
  mover: Mover,
  src: End,
  dst: End,
  more: Partial<Command & { readonly kind: "move" }> = {},
): Command {
  return { kind: "move", mover, src, dst, transform: "identity", at: 0, ...more };
}
const traceOf = (...tiles: readonly Item[][]): Trace => ({ version: 1, kernel: "t", tiles });
const dma = (address: number, bytes = 256, count = 1) =>
  move("dma", end("dram", address, bytes, count), end("l3", 30000, bytes * count));
const bm = (address: number, bytes = 256) => move("bm", end("l3", address, bytes), end("l2", 0, bytes));
const rows = move("rows", end("l2", 0, 256), end("l1", 0, 256));
const cols = move("cols", end("l2", 0, 256), end("l1", 0, 256));
const drain = move("drain", end("l1", 0, 256), end("l2", 0, 256), {
  sfu: { elements: 1024, ops: ["scale"] },
});
const mma: Command = { kind: "mma", dtype: "f32", m: 9, n: 9, k: 30, dataflow: "ws", at: 0 };
const core = (name: (typeof CORE_CLASSES)[number], count: number): Command => ({
  kind: "core",
  ops: { [name]: count },
  lanes: { int: 8, float: 8, math: 8 },
  read: { local: 64 },
  write: { local: 64 },
  at: 0,
});

const unit = (name: UnitName, items: number, bytes: number): Command => ({
  kind: "unit",
  unit: name,
  work: Object.fromEntries(Object.keys(machine.tile.units[name].perCycle).map((kind) => [kind, items])),
  read: { l2: bytes },
  write: {},
  at: 0,
});

/** Programs that each keep one part of the machine busy; a field has to change at least one of them. */
const TRACES: readonly Trace[] = [
  traceOf([dma(0), dma(1024), dma(32768), dma(65536), dma(0, 40, 8)], [dma(256), dma(33000)]),
  traceOf([dma(0), dma(4096), dma(8192), dma(12288), dma(0), dma(128), dma((1 << 20) - 256)]),
  traceOf([move("dma", end("dram", 0, 1024), end("local", 0, 1024)), dma(64, 256)]),
  traceOf([bm(0), bm(256), bm(40000), bm(512), bm(0)], [bm(40000), bm(512), bm(32700, 128)]),
  traceOf([rows]),
  traceOf([cols]),
  traceOf([drain]),
  traceOf([move("drain", end("l1", 0, 1024), end("l2", 0, 1024))]),
  traceOf([{ kind: "fill", dst: end("dram", 0, 64), at: 0 }]),
  traceOf([mma]),
  ...UNITS.flatMap((name) => [
    traceOf([unit(name, 90, 0), unit(name, 90, 0)]),
    traceOf([unit(name, 1, 999)]),
  ]),
  ...CORE_CLASSES.flatMap((name) => [1, 6].map((count) => traceOf([core(name, count)]))),
];

/** Machines with another value of a field. */
function others(field: FieldPath): MachineConfig[] {
  const value = fieldOf(machine, field);
  const values = ((): unknown[] => {
    if (field === "noc.topology") return ["none", "torus"];
    if (field === "tile.vector.bits") return [512];
    if (field === "name") return ["other"];
    if (typeof value === "number") return [value / 2, value * 2, value * 4, value + 1];
    if (typeof value === "object" && value !== null)
      return [Object.fromEntries(Object.entries(value).map(([k, v]) => [k, 2 * (v as number)]))];
    return [];
  })();
  return values.flatMap((v) => {
    const parsed = machineSchema().safeParse(withField(machine, field, v));
    return parsed.success ? [parsed.data] : [];
  });
}

/** Time, or that the machine cannot run it. */
function time(trace: Trace, config: MachineConfig): string {
  if (verifyTrace(trace, config).length > 0) return "does not fit";
  return String(timeTrace(trace, config).totalTimeUs);
}
function energy(trace: Trace, config: MachineConfig): string {
  return String(timeTrace(trace, config, { mode: "power" }).totalEnergyUj);
}

describe.each([
  ["time", "cycle", time],
  ["energy", "power", energy],
] as const)("%s", (use, mode, outcome) => {
  const before = TRACES.map((trace) => outcome(trace, machine));
  test.each(FIELD_PATHS.filter((f) => COVERAGE[f] === use))("%s", (field) => {
    expect(models(mode, field)).toBe(true);
    const changes = others(field).some((other) =>
      TRACES.some((trace, i) => outcome(trace, other) !== before[i]),
    );
    expect(changes).toBe(true);
  });
});

test("no field of energy changes the time", () => {
  for (const field of FIELD_PATHS.filter((f) => COVERAGE[f] === "energy"))
    for (const other of others(field))
      for (const trace of TRACES.slice(0, 2)) expect(time(trace, other)).toBe(time(trace, machine));
});
