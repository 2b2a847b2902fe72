/** KIR to something that runs: legalised, laid out, emitted. */
import { fail, withinStack } from "../ir/diagnostic.ts";
import type { Kernel } from "../ir/kir.ts";
import { printKernel } from "../ir/print.ts";
import {
  type CompleteDescription,
  completeDescription,
  descriptionProblem,
  type ParamUse,
  type ProgramDescription,
  type ProgramMetrics,
  plainDescription,
} from "../ir/program.ts";
import type { Target } from "../ir/target.ts";
import type { ProgramFile } from "./file/manifest.ts";
import { type Forwarding, findForwarding } from "./forwarding.ts";
import { type Layout, planLayout } from "./layout.ts";
import { legalise } from "./legalise.ts";
import { paramUses } from "./params.ts";
import { scopeBytes } from "./scopes.ts";
import { type Emitted, emitModule } from "./wasm/emit.ts";

export interface CompileOptions {
  readonly target: Target;
  /** Check every access, transfer and event; an error then comes with the author's line. */
  readonly checks: boolean;
  /** What the program file tells beside the code; when absent, what can be seen in the code. */
  readonly description?: ProgramDescription | undefined;
  readonly estimates?: ProgramMetrics | undefined;
  readonly measured?: ProgramMetrics | undefined;
}

/** What a program file holds, and what runs it here. */
export interface CompiledKernel extends ProgramFile {
  readonly name: string;
  readonly layout: Layout;
  readonly forwarding: Forwarding;
  readonly emitted: Emitted;
  readonly params: readonly ParamUse[];
}

/**
 * Compiles a verified kernel of level virtual.
 * @throws KPU6008 where the description does not fit the code
 */
export function compileKernel(k: Kernel, o: CompileOptions): CompiledKernel {
  return withinStack(k.name, () => emitKernel(legalise(k, o.target), printKernel(k), o));
}

/** The last half of compilation: a kernel of level machine, as it stands in a program file, to WebAssembly. */
export function emitKernel(machine: Kernel, source: string, o: CompileOptions): CompiledKernel {
  const params = paramUses(machine);
  const forwarding = findForwarding(machine, params);
  const layout = planLayout(machine, scopeBytes(machine), forwarding.noted.size > 0);
  const emitted = emitModule(machine, layout, forwarding, o.checks);
  const description = describe(machine.name, params, o.description);
  return { ...o, name: machine.name, source, machine, layout, forwarding, emitted, params, description };
}

/** @throws KPU6008 where the description does not fit the code */
function describe(
  name: string,
  params: readonly ParamUse[],
  given: ProgramDescription = plainDescription(name, params),
): CompleteDescription {
  const wrong = descriptionProblem(given, params);
  if (wrong !== undefined)
    fail("KPU6008", `the description of ${name} does not hold: ${wrong.message}`, {
      help: "correct the last argument of kernel()",
    });
  return completeDescription(given);
}
