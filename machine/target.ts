/** The facts of a machine that the language needs, as a compile target. */
import { fabric, type Target } from "../ir/target.ts";
import type { MachineConfig } from "./schema.ts";

const TARGETS_OF = new WeakMap<MachineConfig, Target>();

/**
 * A machine as a target of `build`, `check` and `simulate`. The same machine gives the same target, by which compiled kernels
 * are remembered.
 * @example build(saxpy, { target: targetOf({ ...PRESETS.edge, name: "mine" }) })
 */
export function targetOf(machine: MachineConfig): Target {
  const known = TARGETS_OF.get(machine);
  if (known !== undefined) return known;
  const { name, l3, tile } = machine;
  const made: Target = {
    name,
    tiles: tile.count,
    registerBits: tile.vector.bits,
    capacity: {
      l3: l3.tiles * l3.bytesPerTile,
      l2: tile.l2.banks * tile.l2.bytesPerBank,
      ...fabric(tile.fabric.rows, tile.fabric.cols),
      local: tile.local.bytes,
      private: tile.private.bytes,
    },
    events: tile.events,
  };
  TARGETS_OF.set(machine, made);
  return made;
}
