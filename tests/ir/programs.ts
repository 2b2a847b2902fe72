/** Hand-written KIR and a runner, for the tests of this folder. */

import { paramSpecs } from "../../codegen/params.ts";
import type { DTypeName } from "../../ir/dtype.ts";
import { hostArray } from "../../ir/elements.ts";
import { bindArguments } from "../../ir/hostargs.ts";
import { type InterpretOptions, interpretKernel } from "../../ir/interpret.ts";
import type { Kernel } from "../../ir/kir.ts";
import { parseKernel } from "../../ir/parse.ts";
import { TARGETS } from "../../ir/target.ts";
import { verifyKernel } from "../../ir/verify.ts";

export function run(k: Kernel, args: readonly unknown[], o: Partial<InterpretOptions> = {}): string[] {
  const printed: string[] = [];
  const options = { tiles: 1, target: TARGETS.edge, print: (line: string) => void printed.push(line), ...o };
  interpretKernel(k, bindArguments(k.name, paramSpecs(k), args), options);
  return printed;
}

/** Parses `kernel @name(...) {...}` at level virtual and refuses what is not well formed. */
export function kir(text: string, level = "virtual"): Kernel {
  const k = parseKernel(`kir 1, level: ${level}\n${text}`);
  const wrong = verifyKernel(k);
  if (wrong.length > 0) throw new Error(wrong.map((d) => d.message).join("\n"));
  return k;
}

export function array(dtype: DTypeName, ...values: number[]): ArrayBufferView & { readonly length: number } {
  return hostArray(dtype, values);
}
