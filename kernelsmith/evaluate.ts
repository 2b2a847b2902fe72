/**
 * Source text to running kernels: the text is evaluated in a script of its own, as a function over the package's names, so
 * that capture finds the closure of a generated kernel as it finds a user's.
 */
import vm from "node:vm";
import * as dtypes from "../dsl/dtypes.ts";
import { type Kernel, kernel, type ParamDecl, ptr } from "../dsl/kernel.ts";
import { S } from "../dsl/s.ts";
import { printProgram } from "./print.ts";
import type { Program } from "./tree.ts";

const PACKAGE = { kernel, ptr, S, ...dtypes };

/** Kernels in one script: learning about a script costs the inspector milliseconds, however many kernels stand in it. */
export function evaluate(programs: readonly Program[], name = "kernelsmith"): Kernel<readonly ParamDecl[]>[] {
  const names = Object.keys(PACKAGE);
  const parts = programs.map((p) => `(() => {\n${printProgram(p, { types: false })}\nreturn k;\n})()`);
  const text = `"use strict"; (({ ${names.join(", ")} }) => [\n${parts.join(",\n")}\n])`;
  const make = vm.runInThisContext(text, { filename: `${name}.js` }) as (
    p: typeof PACKAGE,
  ) => Kernel<readonly ParamDecl[]>[];
  return make(PACKAGE);
}
