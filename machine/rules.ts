/** What the fields of a machine owe each other: rules that a schema of single fields cannot say. */
import type { DTypeName } from "../ir/dtype.ts";
import { type FieldPath, fieldOf } from "./coverage.ts";
import { PRESETS } from "./presets/index.ts";
import type { MachineConfig } from "./schema.ts";
import { UNITS, type UnitName } from "./trace.ts";

export interface Rule {
  readonly field: FieldPath;
  /** What the field is to be, as a part of a sentence. */
  readonly rule: string;
  /** What to write instead, when the rule is broken. */
  readonly broken: (m: MachineConfig) => string | undefined;
}

const KB = 1024;
const MOST_BYTES = 4 * KB ** 3;

function numberOf(m: MachineConfig, field: FieldPath): number {
  const value = fieldOf(m, field);
  if (typeof value !== "number") throw new TypeError(`${field} is no number`);
  return value;
}

function hertz(field: FieldPath): Rule {
  return {
    field,
    rule: "hertz, at least 1e6",
    broken: (m) => {
      const value = numberOf(m, field);
      return value >= 1e6 ? undefined : `for ${value} MHz write ${value * 1e6}`;
    },
  };
}

function powerOfTwo(field: FieldPath): Rule {
  return {
    field,
    rule: "a power of two",
    broken: (m) => {
      const exponent = Math.log2(numberOf(m, field));
      if (Number.isInteger(exponent)) return undefined;
      return `write ${2 ** Math.floor(exponent)} or ${2 ** Math.ceil(exponent)}`;
    },
  };
}

function multiple(field: FieldPath, of: string, unit: (m: MachineConfig) => number): Rule {
  return {
    field,
    rule: `a multiple of ${of}`,
    broken: (m) => {
      const [value, step] = [numberOf(m, field), unit(m)];
      if (value % step === 0) return undefined;
      const below = value - (value % step);
      return `${of} is ${step}: write ${below === 0 ? step : `${below} or ${below + step}`}`;
    },
  };
}

function divisor(field: FieldPath, of: FieldPath): Rule {
  return {
    field,
    rule: `a divisor of ${of}`,
    broken: (m) => {
      const [value, whole] = [numberOf(m, field), numberOf(m, of)];
      if (whole % value === 0) return undefined;
      const fitting = Array.from({ length: Math.min(whole, 4096) }, (_, i) => i + 1).filter(
        (d) => whole % d === 0,
      );
      return `${of} is ${whole}: write ${fitting.join(", ").replace(/, ([^,]*)$/, " or $1")}`;
    },
  };
}

function atLeast(field: FieldPath, other: FieldPath): Rule {
  return {
    field,
    rule: `at least ${other}`,
    broken: (m) => {
      const least = numberOf(m, other);
      return numberOf(m, field) >= least ? undefined : `${other} is ${least}: write ${least} or more`;
    },
  };
}

function atMost(field: FieldPath, what: string, bytes: (m: MachineConfig) => number): Rule {
  return {
    field,
    rule: `such that ${what} is at most 4 GB`,
    broken: (m) => (bytes(m) <= MOST_BYTES ? undefined : `${what} is ${bytes(m)} bytes`),
  };
}

function someWork(unit: UnitName): Rule {
  return {
    field: `tile.units.${unit}.count`,
    rule: `0 where tile.units.${unit}.perCycle is empty`,
    broken: ({ tile }) =>
      tile.units[unit].count > 0 && Object.keys(tile.units[unit].perCycle).length === 0
        ? `give tile.units.${unit}.perCycle what they do, as {"compare": 1} for one comparison per cycle`
        : undefined,
  };
}

const dtypes = (table: Partial<Record<DTypeName, number>>): readonly string[] => Object.keys(table);
const registerBytes = (m: MachineConfig): number => m.tile.vector.bits / 8;
const REGISTER = "tile.vector.bits / 8";

export const RULES: readonly Rule[] = [
  {
    field: "name",
    rule: "a name that no preset has, unless all is as in the preset",
    broken: (m) => {
      const preset = Object.values(PRESETS).find((p) => p.name === m.name);
      return preset === undefined || same(preset, m)
        ? undefined
        : "reports would name the wrong machine: choose another name";
    },
  },
  hertz("clocks.control"),
  hertz("clocks.fabric"),
  hertz("clocks.memory"),
  atLeast("dram.latency.rowEmpty", "dram.latency.rowHit"),
  atLeast("dram.latency.rowConflict", "dram.latency.rowEmpty"),
  powerOfTwo("dma.burstBytes"),
  powerOfTwo("dram.interleaveBytes"),
  multiple("dram.interleaveBytes", "dma.burstBytes", (m) => m.dma.burstBytes),
  powerOfTwo("dram.pageBytes"),
  multiple("dram.pageBytes", "dram.interleaveBytes", (m) => m.dram.interleaveBytes),
  multiple(
    "dram.capacityBytes",
    "dram.channels x dram.banks x dram.pageBytes",
    ({ dram }) => dram.channels * dram.banks * dram.pageBytes,
  ),
  multiple("l3.bytesPerTile", "l3.banks", (m) => m.l3.banks),
  atMost("l3.bytesPerTile", "l3.tiles x l3.bytesPerTile", (m) => m.l3.tiles * m.l3.bytesPerTile),
  multiple("tile.l2.bytesPerBank", REGISTER, registerBytes),
  atMost(
    "tile.l2.bytesPerBank",
    "tile.l2.banks x tile.l2.bytesPerBank",
    ({ tile }) => tile.l2.banks * tile.l2.bytesPerBank,
  ),
  multiple("tile.local.bytes", REGISTER, registerBytes),
  multiple("tile.private.bytes", REGISTER, registerBytes),
  divisor("tile.streamers.rows", "tile.fabric.rows"),
  divisor("tile.streamers.cols", "tile.fabric.cols"),
  divisor("tile.streamers.drain", "tile.fabric.cols"),
  {
    field: "tile.fabric.macs",
    rule: "a table of at least one dtype, of which bool is none",
    broken: ({ tile }) =>
      tile.fabric.macs.bool !== undefined
        ? "leave bool out"
        : dtypes(tile.fabric.macs).length === 0
          ? 'write {"f32": 1} for one multiply-accumulate of f32 per cycle'
          : undefined,
  },
  ...UNITS.map(someWork),
  {
    field: "energy.mac",
    rule: "a table of the dtypes of tile.fabric.macs",
    broken: ({ tile, energy }) => {
      const [runs, costs] = [dtypes(tile.fabric.macs), dtypes(energy.mac)];
      const missing = runs.filter((d) => !costs.includes(d));
      const idle = costs.filter((d) => !runs.includes(d));
      if (missing.length > 0)
        return `the fabric runs ${missing.join(", ")}: add what a multiply-accumulate costs`;
      return idle.length === 0 ? undefined : `the fabric does not run ${idle.join(", ")}: leave it out`;
    },
  },
];

/** Equal as data, whatever the order of keys. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return left.length === right.size && left.every(([key, value]) => same(value, right.get(key)));
}

/** A field that has no effect in this machine, whatever its value. */
export interface WithoutEffect {
  readonly field: FieldPath;
  readonly because: string;
}

/** What a machine declares in vain: allowed, since the schema has no field that may be absent, but said. */
export function withoutEffect({ dram, noc, tile }: MachineConfig): readonly WithoutEffect[] {
  const when = (holds: boolean, because: string, ...fields: readonly FieldPath[]) =>
    holds ? fields.map((field) => ({ field, because })) : [];
  return [
    ...when(
      noc.topology === "none",
      "noc.topology is none",
      "noc.linkBytesPerCycle",
      "noc.hopCycles",
      "energy.bytes.noc",
    ),
    ...UNITS.flatMap((unit) =>
      when(
        tile.units[unit].count === 0 && Object.keys(tile.units[unit].perCycle).length > 0,
        `tile.units.${unit}.count is 0`,
        `tile.units.${unit}.startup`,
        `tile.units.${unit}.bytesPerCycle`,
        `tile.units.${unit}.perCycle`,
      ),
    ),
    ...when(dram.channels === 1, "dram.channels is 1", "dram.interleaveBytes"),
  ];
}
