/**
 * The one place that loads zod, which checks JSON and values from outside. Loading it takes as long as loading the rest of the
 * package, so only who has something to check waits for it.
 */
import { createRequire } from "node:module";
import type { z as Zod } from "zod";

let loaded: typeof Zod | undefined;

/** The namespace of zod, loaded on first use. */
export function zod(): typeof Zod {
  loaded ??= (createRequire(import.meta.url)("zod") as { readonly z: typeof Zod }).z;
  return loaded;
}
