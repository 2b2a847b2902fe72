/**
 * The one place that loads the TypeScript package. It costs about 200 ms, so nothing loads it before the first check
 * or build, and a process that only runs program files never does.
 */
import { createRequire } from "node:module";
import type ts from "typescript";

export type TypeScript = typeof ts;

let loaded: TypeScript | undefined;

/** The TypeScript compiler API, loaded on first use. */
export function typescript(): TypeScript {
  loaded ??= createRequire(import.meta.url)("typescript") as TypeScript;
  return loaded;
}

/** True once {@link typescript} was called; a test proves with it that loading is lazy. */
export function typescriptLoaded(): boolean {
  return loaded !== undefined;
}
