// Adds to package-lock.json the platform packages (of biome, rollup, ...) that the registry it was made with does not
// serve. `npm ci` demands an entry for every optional dependency, also for those of other platforms; such an entry has no
// integrity, because nothing was downloaded. Run after `npm install` where `npm ci` reports "Missing: ... from lock file".
import { readFileSync, writeFileSync } from "node:fs";

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const OS = ["android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32", "aix"];
const CPU = ["arm64", "arm", "x64", "ia32", "loong64", "ppc64", "riscv64", "s390x", "mips64el"];

for (const [, owner] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    const words = name.split("/").at(-1).split("-");
    const os = OS.find((o) => words.includes(o));
    const cpu = CPU.find((c) => words.includes(c));
    if (lock.packages[key] !== undefined || os === undefined || cpu === undefined) continue;
    const libc = words.some((w) => w.startsWith("musl")) ? ["musl"] : words.some((w) => w.startsWith("gnu")) && os === "linux" ? ["glibc"] : undefined;
    lock.packages[key] = { version, cpu: [cpu], ...(owner.dev ? { dev: true } : {}), ...(libc ? { libc } : {}), optional: true, os: [os] };
    console.log(`added ${name}@${version}`);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
