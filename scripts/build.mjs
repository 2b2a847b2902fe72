// Builds dist/: removes what is there, compiles, and makes the command executable. With --if-stale only when a source is
// newer than the last build: npm runs `prepare` also where nothing changed, as before the first `npx kpu` in a clone.
// Of builds that are started at the same time (tests do) one builds and the others wait for it.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const STAMP = "dist/.built";
const LOCK = "node_modules/.kpu-build";
const LONGEST_BUILD_MS = 180_000;
const { include } = JSON.parse(readFileSync("tsconfig.build.json", "utf8"));

function newest(path) {
  const found = statSync(path);
  if (!found.isDirectory()) return found.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}
function isFresh() {
  const inputs = [...include, "tsconfig.json", "tsconfig.build.json", "package.json"];
  return existsSync(STAMP) && statSync(STAMP).mtimeMs > Math.max(...inputs.map(newest));
}

function takeLock() {
  for (;;) {
    try {
      mkdirSync(LOCK);
      return;
    } catch {
      // A build that was killed leaves its lock behind.
      if (Date.now() - statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs > LONGEST_BUILD_MS) rmSync(LOCK, { recursive: true, force: true });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
}

function build() {
  const started = new Date();
  rmSync("dist", { recursive: true, force: true });
  const tsc = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" });
  if (tsc.status !== 0) return tsc.status ?? 1;
  chmodSync("dist/cli/main.js", 0o755);
  writeFileSync(STAMP, started.toISOString());
  return 0;
}

mkdirSync("node_modules", { recursive: true });
takeLock();
try {
  process.exitCode = process.argv.includes("--if-stale") && isFresh() ? 0 : build();
} finally {
  rmSync(LOCK, { recursive: true, force: true });
}
