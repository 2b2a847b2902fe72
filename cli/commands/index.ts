import { asm } from "./asm.ts";
import { build } from "./build.ts";
import { check } from "./check.ts";
import type { Command } from "./command.ts";
import { config } from "./config.ts";
import { disasm } from "./disasm.ts";
import { equiv } from "./equiv.ts";
import { explain } from "./explain.ts";
import { fuzz } from "./fuzz.ts";
import { inspect } from "./inspect.ts";
import { intrinsics } from "./intrinsics.ts";
import { itpu } from "./itpu.ts";
import { run } from "./run.ts";
import { sim } from "./sim.ts";
import { tune } from "./tune.ts";

/** In the order of `kpu --help`. */
export const COMMANDS: readonly Command[] = [
  check,
  sim,
  build,
  run,
  equiv,
  fuzz,
  tune,
  config,
  itpu,
  inspect,
  asm,
  disasm,
  intrinsics,
  explain,
];
