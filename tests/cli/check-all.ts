/** Checks every kernel of a folder under whatever loads this file; prints file, code and position as JSON. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type AnyKernel, check, recordOf } from "kpu-dsl";

const folder = process.argv[2] as string;
const found: Record<string, string> = {};
for (const file of readdirSync(folder).filter((f) => f.endsWith(".ts"))) {
  const module = (await import(pathToFileURL(join(folder, file)).href)) as Record<string, unknown>;
  const kernel = Object.values(module).find((v) => recordOf(v) !== undefined);
  if (kernel === undefined) continue;
  const [first] = check(kernel as AnyKernel);
  found[file] =
    first === undefined ? "accepted" : `${first.code} ${first.location?.line}:${first.location?.column}`;
}
console.log(JSON.stringify(found));
