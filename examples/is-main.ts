import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** True when the module of this URL is the program that was started: `if (isMain(import.meta.url)) ...`. */
export function isMain(url: string): boolean {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === fileURLToPath(url);
}
