/** Machines on the command line: names of presets, and machine files. */
import { fail } from "../ir/diagnostic.ts";
import type { Target } from "../ir/target.ts";
import { parseMachine } from "../machine/check.ts";
import { type Mode, notModelled } from "../machine/coverage.ts";
import { PRESET_NAMES, PRESETS } from "../machine/presets/index.ts";
import { withoutEffect } from "../machine/rules.ts";
import type { MachineConfig } from "../machine/schema.ts";
import { targetOf } from "../machine/target.ts";
import { readBytes } from "./datafile.ts";

export const MACHINE_NAMES = `${PRESET_NAMES.join(", ")}, or a machine file (.json)`;

/** No preset has a dot or a folder in its name. */
export function isMachineFile(name: string): boolean {
  return /[./\\]/.test(name);
}

/**
 * A preset by its name, or a machine file.
 * @throws KPU6006 no such preset, KPU8002 no such file, KPU9004 and KPU9005 of the file
 */
export function machineNamed(name: string): MachineConfig {
  const preset = PRESET_NAMES.find((p) => p === name);
  if (preset !== undefined) return PRESETS[preset];
  if (isMachineFile(name)) return machineFile(name);
  return fail("KPU6006", `unknown target "${name}"`, { help: `use one of ${MACHINE_NAMES}` });
}

export function targetNamed(name: string): Target {
  return targetOf(machineNamed(name));
}

export function machineFile(file: string): MachineConfig {
  return parseMachine(new TextDecoder().decode(readBytes(file)), file);
}

/**
 * What a machine declares and a run in this mode does not use: a line for the mode, and one for each field that the
 * machine declares in vain in every mode. Printed wherever a machine meets a mode, so that no field is silently idle.
 * @example unusedText(PRESETS.minimal, "cycle")
 * // ["mode cycle does not model energy", "dram.interleaveBytes has no effect: dram.channels is 1"]
 */
export function unusedText(machine: MachineConfig, mode?: Mode): readonly string[] {
  return [
    ...(mode === undefined ? [] : notModelledText(mode)),
    ...withoutEffect(machine).map(({ field, because }) => `${field} has no effect: ${because}`),
  ];
}

/** A line with what a mode uses of no machine; none where it uses all. */
export function notModelledText(mode: Mode): readonly string[] {
  const idle = notModelled(mode);
  return idle.length === 0 ? [] : [`mode ${mode} does not model ${idle.join(", ")}`];
}
