// Builds dist/: removes what is there, compiles, and makes the command executable. With --if-stale only when a source is
// newer than the last build: npm runs `prepare` also where nothing changed, as before the first `npx kpu` in a clone.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const STAMP = "dist/.built";
const { include } = JSON.parse(readFileSync("tsconfig.build.json", "utf8"));

function newest(path) {
  const found = statSync(path);
  if (!found.isDirectory()) return found.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

const inputs = [...include, "tsconfig.json", "tsconfig.build.json", "package.json"];
const fresh = existsSync(STAMP) && statSync(STAMP).mtimeMs > Math.max(...inputs.map(newest));
if (!(fresh && process.argv.includes("--if-stale"))) {
  rmSync("dist", { recursive: true, force: true });
  const tsc = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" });
  if (tsc.status !== 0) process.exit(tsc.status ?? 1);
  chmodSync("dist/cli/main.js", 0o755);
  writeFileSync(STAMP, "");
}
