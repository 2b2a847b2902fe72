// What a stranger does: packs the package, installs the tarball in an empty directory, and runs the saxpy kernel of the
// README direct and compiled: with tsx, in vitest (forks and threads), with type stripping on Node 24, and by `kpu`.
// Needs the npm registry; `npm run test:install`.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const project = fileURLToPath(new URL("project", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "kpu-dsl-install-"));

function run(command, args, cwd = directory) {
  const result = spawnSync(command, args, { cwd, encoding: "utf8", env: { ...process.env, FORCE_COLOR: "0", NODE_OPTIONS: "" } });
  return { ok: result.status === 0, output: `${result.stdout}${result.stderr}` };
}

let failures = 0;
function expectOutput(name, result, expected) {
  const ok = result.ok && expected.every((line) => result.output.includes(line));
  if (!ok) failures++;
  console.log(`${ok ? "ok  " : "FAIL"} ${name}`);
  if (!ok) console.log(result.output.replace(/^/gm, "       "));
}

try {
  const packed = run("npm", ["pack", "--pack-destination", directory], root);
  if (!packed.ok) throw new Error(`npm pack failed\n${packed.output}`);
  const tarball = readdirSync(directory).find((f) => f.endsWith(".tgz"));
  run("npm", ["init", "-y"]);
  const installed = run("npm", ["install", "--no-audit", "--no-fund", `./${tarball}`, "tsx", "vitest", "node@24", "typescript"]);
  if (!installed.ok) {
    if (!/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|network/.test(installed.output)) throw new Error(`npm install failed\n${installed.output}`);
    console.log("skipped: the npm registry is not reachable");
    process.exit(0);
  }
  cpSync(project, directory, { recursive: true });

  const same = ["direct   12 24 36 48 60", "compiled 12 24 36 48 60"];
  const bin = (name) => join(directory, "node_modules", ".bin", name);
  const node24 = join(directory, "node_modules", "node", "bin", "node");
  expectOutput("tsx", run(bin("tsx"), ["main.ts"]), same);
  expectOutput("tsx, decorators", run(bin("tsx"), ["blas.ts"]), same);
  expectOutput("vitest, forks", run(bin("vitest"), ["run", "--pool=forks"]), ["3 passed"]);
  expectOutput("vitest, threads", run(bin("vitest"), ["run", "--pool=threads"]), ["3 passed"]);
  // `npm init -y` makes a CommonJS package, in which Node itself wants modules to be named .mts.
  for (const name of ["main", "saxpy"]) {
    const source = readFileSync(join(directory, `${name}.ts`), "utf8");
    writeFileSync(join(directory, `${name}.mts`), source.replace("./saxpy.ts", "./saxpy.mts"));
  }
  expectOutput(`type stripping, Node ${run(node24, ["--version"]).output.trim()}`, run(node24, ["main.mts"]), same);
  expectOutput("tsx, .mts", run(bin("tsx"), ["main.mts"]), same);
  for (const [module, resolution] of [["node16", "node16"], ["nodenext", "nodenext"], ["esnext", "bundler"]]) {
    const options = ["--strict", "--target", "es2022", "--module", module, "--moduleResolution", resolution, "--skipLibCheck", "false"];
    expectOutput(`types, ${resolution}`, run(bin("tsc"), ["--noEmit", ...options, "types.mts"]), []);
  }
  expectOutput("kpu check", run(bin("kpu"), ["check", "saxpy.ts", "blas.ts"]), ["2 kernels in 2 files: no findings"]);
  expectOutput("kpu equiv", run(bin("kpu"), ["equiv", "saxpy.ts", "--runs", "50"]), ["1 kernel agrees"]);
  expectOutput("kpu build", run(bin("kpu"), ["build", "saxpy.ts", "-o", "saxpy.kpubin"]), ["saxpy.kpubin"]);
  writeFileSync(join(directory, "x.json"), "[1,2,3,4,5]");
  writeFileSync(join(directory, "y.json"), "[10,20,30,40,50]");
  const inputs = ["--in", "x=x.json", "--in", "y=y.json", "--in", "a=2", "--in", "n=5", "--out", "y=out.json"];
  expectOutput("kpu run of a program file", run(bin("kpu"), ["run", "saxpy.kpubin", ...inputs]), ["wrote out.json"]);
  rmSync(join(directory, "node_modules", "typescript"), { recursive: true, force: true });
  rmSync(join(directory, "saxpy.ts"));
  expectOutput("a program file without source and typescript", run(process.execPath, ["run-program.mjs"]), ["compiled 12 24 36 48 60"]);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exit(failures === 0 ? 0 : 1);
