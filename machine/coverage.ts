/**
 * Which mode of a run a field of the configuration changes, for every field. A mode that does not model a field says so
 * (`notModelled`); the tests of the model show that each modelled field changes a result.
 *
 * - `functional` gives values. Of a machine it knows what the language knows: its compile target.
 * - `cycle` gives also cycles, stalls and traffic.
 * - `power` gives also energy.
 */
import type { MachineConfig } from "./schema.ts";

export const MODES = ["functional", "cycle", "power"] as const;
export type Mode = (typeof MODES)[number];

/** `program`: the compile target. `time` and `energy`: what their names say. `label`: printed in reports. */
export type FieldUse = "label" | "program" | "time" | "energy";

const MODES_OF: { readonly [U in FieldUse]: readonly Mode[] } = {
  label: [],
  program: ["functional", "cycle", "power"],
  time: ["cycle", "power"],
  energy: ["power"],
};

/** Paths of the numbers and texts of T; a table by dtype is one field. */
type Leaf<T> = {
  [K in keyof T & string]: T[K] extends object
    ? Record<string, never> extends T[K]
      ? K
      : `${K}.${Leaf<T[K]>}`
    : K;
}[keyof T & string];
/** As `tile.fabric.rows`. */
export type FieldPath = Leaf<MachineConfig>;

/** The compiler refuses a table that lacks a field. */
export const COVERAGE: { readonly [F in FieldPath]: FieldUse } = {
  schema: "label",
  name: "program",
  version: "label",
  source: "label",
  "clocks.control": "time",
  "clocks.fabric": "time",
  "clocks.memory": "time",
  "dram.technology": "label",
  "dram.channels": "time",
  "dram.bytesPerCycle": "time",
  "dram.latency.rowHit": "time",
  "dram.latency.rowEmpty": "time",
  "dram.latency.rowConflict": "time",
  "dram.pageBytes": "time",
  "dram.banks": "time",
  "dram.interleaveBytes": "time",
  "dram.capacityBytes": "time",
  "dma.engines": "time",
  "dma.bytesPerCycle": "time",
  "dma.startup": "time",
  "dma.window": "time",
  "dma.burstBytes": "time",
  "l3.tiles": "program",
  "l3.bytesPerTile": "program",
  "l3.banks": "time",
  "l3.bytesPerCycle": "time",
  "noc.topology": "time",
  "noc.linkBytesPerCycle": "time",
  "noc.hopCycles": "time",
  "tile.count": "program",
  "tile.l2.banks": "program",
  "tile.l2.bytesPerBank": "program",
  "tile.l2.bytesPerCycle": "time",
  "tile.local.bytes": "program",
  "tile.private.bytes": "program",
  "tile.blockMovers.count": "time",
  "tile.blockMovers.bytesPerCycle": "time",
  "tile.blockMovers.startup": "time",
  "tile.streamers.rows": "time",
  "tile.streamers.cols": "time",
  "tile.streamers.drain": "time",
  "tile.streamers.bytesPerCycle": "time",
  "tile.streamers.startup": "time",
  "tile.fabric.rows": "program",
  "tile.fabric.cols": "program",
  "tile.fabric.macs": "time",
  "tile.fabric.fillCycles": "time",
  "tile.vector.bits": "program",
  "tile.vector.issue.scalar": "time",
  "tile.vector.issue.vector": "time",
  "tile.vector.issue.memory": "time",
  "tile.vector.costs.scalar.latency": "time",
  "tile.vector.costs.scalar.interval": "time",
  "tile.vector.costs.branch.latency": "time",
  "tile.vector.costs.branch.interval": "time",
  "tile.vector.costs.valu.latency": "time",
  "tile.vector.costs.valu.interval": "time",
  "tile.vector.costs.vmul.latency": "time",
  "tile.vector.costs.vmul.interval": "time",
  "tile.vector.costs.vdiv.latency": "time",
  "tile.vector.costs.vdiv.interval": "time",
  "tile.vector.costs.vmath.latency": "time",
  "tile.vector.costs.vmath.interval": "time",
  "tile.vector.costs.vperm.latency": "time",
  "tile.vector.costs.vperm.interval": "time",
  "tile.vector.costs.vreduce.latency": "time",
  "tile.vector.costs.vreduce.interval": "time",
  "tile.vector.costs.load.latency": "time",
  "tile.vector.costs.load.interval": "time",
  "tile.vector.costs.store.latency": "time",
  "tile.vector.costs.store.interval": "time",
  "tile.units.mieu.count": "time",
  "tile.units.mieu.startup": "time",
  "tile.units.mieu.bytesPerCycle": "time",
  "tile.units.mieu.perCycle": "time",
  "tile.units.ecu.count": "time",
  "tile.units.ecu.startup": "time",
  "tile.units.ecu.bytesPerCycle": "time",
  "tile.units.ecu.perCycle": "time",
  "tile.units.spc.count": "time",
  "tile.units.spc.startup": "time",
  "tile.units.spc.bytesPerCycle": "time",
  "tile.units.spc.perCycle": "time",
  "tile.sfu.lanes": "time",
  "tile.sfu.latency": "time",
  "tile.events": "program",
  "tile.commands.issue": "time",
  "tile.commands.queue": "time",
  "energy.source": "label",
  "energy.node": "label",
  "energy.mac": "energy",
  "energy.vector.int": "energy",
  "energy.vector.float": "energy",
  "energy.vector.math": "energy",
  "energy.scalar": "energy",
  "energy.bytes.register": "energy",
  "energy.bytes.hop": "energy",
  "energy.bytes.l1.read": "energy",
  "energy.bytes.l1.write": "energy",
  "energy.bytes.local.read": "energy",
  "energy.bytes.local.write": "energy",
  "energy.bytes.l2.read": "energy",
  "energy.bytes.l2.write": "energy",
  "energy.bytes.l3.read": "energy",
  "energy.bytes.l3.write": "energy",
  "energy.bytes.dram.read": "energy",
  "energy.bytes.dram.write": "energy",
  "energy.bytes.noc": "energy",
  "energy.activation": "energy",
  "energy.staticPerCycle": "energy",
};

export const FIELD_PATHS = Object.keys(COVERAGE) as readonly FieldPath[];

/** @example models("functional", "dram.channels") // false */
export function models(mode: Mode, field: FieldPath): boolean {
  return MODES_OF[COVERAGE[field]].includes(mode);
}

/**
 * The first mode that models a field, and so the ones behind it do too; `label` of a field that is printed alone.
 * @example useOf("dram.channels") // "cycle"
 */
export function useOf(field: FieldPath): Mode | "label" {
  return MODES_OF[COVERAGE[field]][0] ?? "label";
}

/** Every report says it, and it is the same for all machines. */
const NOT_MODELLED = new Map<Mode, readonly string[]>();

/**
 * What a mode does not model, labels aside, in the order of the schema; a section of which it models nothing is one name.
 * @example notModelled("cycle") // ["energy"]
 */
export function notModelled(mode: Mode): readonly string[] {
  const known = NOT_MODELLED.get(mode);
  if (known !== undefined) return known;
  const fields = fieldsNotModelled(mode);
  NOT_MODELLED.set(mode, fields);
  return fields;
}

function fieldsNotModelled(mode: Mode): readonly string[] {
  const open = (prefix: string) => FIELD_PATHS.filter((f) => f.startsWith(prefix) && COVERAGE[f] !== "label");
  const widest = (field: FieldPath): string => {
    const parts = field.split(".");
    const whole = parts.map((_, i) => parts.slice(0, i + 1).join("."));
    return (
      whole.find((p) => open(`${p}.`).length > 0 && !open(`${p}.`).some((f) => models(mode, f))) ?? field
    );
  };
  return [
    ...new Set(
      open("")
        .filter((f) => !models(mode, f))
        .map(widest),
    ),
  ];
}

/** The value of a field. */
export function fieldOf(config: MachineConfig, field: FieldPath): unknown {
  return field.split(".").reduce<unknown>((part, key) => (isObject(part) ? part[key] : undefined), config);
}

/**
 * The machine with another value of a field. The value is not checked: `checkMachine` tells whether it is a machine.
 * @example withField(edge, "dram.channels", 4)
 */
export function withField(config: MachineConfig, field: FieldPath, value: unknown): unknown {
  const replace = (part: unknown, [key = "", ...rest]: readonly string[]): unknown => {
    if (!isObject(part)) throw new TypeError(`${field} is no field of a machine`);
    return { ...part, [key]: rest.length === 0 ? value : replace(part[key], rest) };
  };
  return replace(config, field.split("."));
}

function isObject(x: unknown): x is Readonly<Record<string, unknown>> {
  return typeof x === "object" && x !== null;
}
