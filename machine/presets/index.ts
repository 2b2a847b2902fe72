/** The machines that come with the package, by the names of `ir/target.ts`. */
import { TARGETS, type TargetName } from "../../ir/target.ts";
import type { MachineConfig } from "../schema.ts";
import { edge } from "./edge.ts";
import { embodied } from "./embodied.ts";
import { itpuV0 } from "./itpu-v0.ts";
import { minimal } from "./minimal.ts";
import { swkpuV1 } from "./swkpu-v1.ts";
import { t64 } from "./t64.ts";
import { t256 } from "./t256.ts";
import { t768 } from "./t768.ts";

export const PRESETS: { readonly [N in TargetName]: MachineConfig } = {
  minimal,
  edge,
  "swkpu-v1": swkpuV1,
  embodied,
  t64,
  t256,
  t768,
  "itpu-v0": itpuV0,
};
export const PRESET_NAMES = Object.keys(TARGETS) as readonly TargetName[];
export const DEFAULT_PRESET: MachineConfig = edge;
