/** Machines as text for people: rows of fields, one-line summaries, differences. */
import { type FieldPath, fieldOf } from "../machine/coverage.ts";
import { machineFields } from "../machine/fields.ts";
import type { MachineConfig } from "../machine/schema.ts";
import { targetOf } from "../machine/target.ts";

/** A field, or a dtype of a table, with its value as people write it. */
export interface MachineRow {
  /** As the field, with the dtype behind it where the field is a table: `tile.fabric.macs.i8`. */
  readonly path: string;
  readonly field: FieldPath;
  readonly value: string | number;
  /** Empty for texts. */
  readonly unit: string;
}

/** Every field of a machine in the order of the schema; tables by dtype have a row for each dtype. */
export function machineRows(machine: MachineConfig): readonly MachineRow[] {
  return machineFields().flatMap(({ path: field, unit }) => {
    const value = fieldOf(machine, field);
    const entries: readonly (readonly [string, unknown])[] =
      typeof value === "object" && value !== null
        ? Object.entries(value).map(([key, v]) => [`${field}.${key}`, v])
        : [[field, value]];
    return entries.map(([path, v]) => ({ path, field, value: typeof v === "number" ? v : String(v), unit }));
  });
}

export interface Difference {
  readonly path: string;
  /** `null` where the machine has no such dtype. */
  readonly a: MachineRow["value"] | null;
  readonly b: MachineRow["value"] | null;
  readonly unit: string;
}

/** The fields in which two machines differ, those of `a` first. */
export function differences(a: MachineConfig, b: MachineConfig): readonly Difference[] {
  const left = new Map(machineRows(a).map((r) => [r.path, r]));
  const right = new Map(machineRows(b).map((r) => [r.path, r]));
  return [...new Map([...left, ...right]).values()]
    .map(({ path, unit }) => ({
      path,
      a: left.get(path)?.value ?? null,
      b: right.get(path)?.value ?? null,
      unit,
    }))
    .filter((d) => d.a !== d.b);
}

/** The facts of a machine that fit on a line. */
export interface MachineSummary {
  readonly name: string;
  readonly tiles: number;
  readonly array: string;
  readonly clock: string;
  readonly dram: string;
  readonly l3: string;
  readonly l2PerTile: string;
  readonly localPerTile: string;
}

export function summaryOf(machine: MachineConfig): MachineSummary {
  const { clocks, dram, l3, tile } = machine;
  const gigabytes = (dram.channels * dram.bytesPerCycle * clocks.memory) / 1e9;
  const { capacity } = targetOf(machine);
  return {
    name: machine.name,
    tiles: tile.count,
    array: `${tile.fabric.rows}x${tile.fabric.cols}`,
    clock: `${Number((clocks.fabric / 1e9).toPrecision(4))} GHz`,
    dram: `${dram.channels} x ${dram.technology}, ${Number(gigabytes.toPrecision(5))} GB/s`,
    l3: `${l3.tiles} x ${bytesText(l3.bytesPerTile)}`,
    l2PerTile: bytesText(capacity.l2),
    localPerTile: bytesText(capacity.local),
  };
}

/** Always exact: 65536 is 64 KB, 65537 is 65537 bytes. */
function bytesText(bytes: number): string {
  for (const [exponent, unit] of [
    [30, "GB"],
    [20, "MB"],
    [10, "KB"],
  ] as const)
    if (bytes % 2 ** exponent === 0) return `${bytes / 2 ** exponent} ${unit}`;
  return `${bytes} bytes`;
}

/** Lines of columns two blanks apart, the head first; columns of numbers to the right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly [head: string, ...rows: string[]] {
  const width = head.map((_, i) => Math.max(...[head, ...rows].map((r) => (r[i] ?? "").length)));
  const right = head.map((_, i) => rows.length > 0 && rows.every((r) => /^-?[\d.e+-]*$/.test(r[i] ?? "")));
  const line = (r: readonly string[]): string =>
    r
      .map((cell, i) => (right[i] ? cell.padStart(width[i] ?? 0) : cell.padEnd(width[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(head), ...rows.map(line)];
}
