// Builds dist/: removes what is there, compiles, makes the command executable, and puts it where `npx kpu` finds it.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, rmSync, symlinkSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });
const tsc = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" });
if (tsc.status !== 0) process.exit(tsc.status ?? 1);
chmodSync("dist/cli/main.js", 0o755);
// npm links the commands of dependencies only; without this, npx would pack and build this package at every call.
if (existsSync("node_modules/.bin") && process.platform !== "win32") {
  rmSync("node_modules/.bin/kpu", { force: true });
  symlinkSync("../../dist/cli/main.js", "node_modules/.bin/kpu");
}
