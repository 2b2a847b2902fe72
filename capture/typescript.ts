/**
 * The one place that loads the TypeScript package. It costs about 200 ms, so nothing loads it before the first check
 * or build, and a process that only runs program files never does.
 */
import { createRequire } from "node:module";
import type ts from "typescript";
import { fail } from "../ir/diagnostic.ts";

export type TypeScript = typeof ts;

let loaded: TypeScript | undefined;

/** The TypeScript compiler API, loaded on first use. */
export function typescript(): TypeScript {
  try {
    loaded ??= createRequire(import.meta.url)("typescript") as TypeScript;
  } catch (error) {
    fail(
      "KPU2013",
      `the typescript package reads kernels, and cannot be loaded: ${(error as Error).message.split("\n")[0]}`,
      {
        help: "npm install kpu-dsl installs it; only program files (.kpubin) run without it",
      },
    );
  }
  return loaded;
}

/** True once {@link typescript} was called; a test proves with it that loading is lazy. */
export function typescriptLoaded(): boolean {
  return loaded !== undefined;
}
