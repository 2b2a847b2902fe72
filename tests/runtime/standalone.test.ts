/** A program file runs in a process that has neither the kernel's source nor the typescript package on its path. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { compileKernel } from "../../codegen/index.ts";
import { TARGETS } from "../../ir/target.ts";
import { KpuProgram } from "../../runtime/index.ts";
import { kernelOf } from "../codegen/threeway.ts";

const ROOT = resolve(import.meta.dirname, "../..");

it("loads and runs without typescript", { timeout: 120_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), "kpu-standalone-"));
  try {
    const out = join(dir, "dist");
    const config = join(ROOT, `tsconfig.standalone-${process.pid}.json`);
    try {
      writeFileSync(
        config,
        JSON.stringify({
          extends: "./tsconfig.build.json",
          compilerOptions: { outDir: out, declaration: false, sourceMap: false },
          include: [],
          files: ["runtime/index.ts"],
        }),
      );
      execFileSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", config], {
        stdio: "pipe",
      });
    } finally {
      rmSync(config, { force: true });
    }
    mkdirSync(join(dir, "node_modules"));
    cpSync(join(ROOT, "node_modules/zod"), join(dir, "node_modules/zod"), { recursive: true });
    const program = new KpuProgram(
      compileKernel(
        kernelOf(`kir 1, level: virtual
kernel @twice(%x: ptr<f32, global>, %n: i32) {
  let %m: mask<20> = tail_mask<20> %n
  let %v: f32x20 = load<f32x20> %x mask %m else (splat<f32x20> 0)
  store<f32x20> %x, (add.f32x20 %v, %v) mask %m
}
`),
        { target: TARGETS.edge, checks: true },
      ),
    );
    writeFileSync(join(dir, "twice.kpubin"), program.bytes);
    writeFileSync(join(dir, "package.json"), '{ "type": "module" }');
    writeFileSync(
      join(dir, "main.js"),
      `import { readFileSync } from "node:fs";
import { loadProgram } from "./dist/runtime/index.js";
const x = Float32Array.from([1, 2, 3]);
loadProgram(readFileSync("twice.kpubin")).runWith({ tiles: 1 }, x, 3);
let typescript = true;
try { await import("typescript"); } catch { typescript = false; }
console.log(JSON.stringify({ x: Array.from(x), typescript }));
`,
    );
    expect(existsSync(join(dir, "dist/lowering"))).toBe(false);
    expect(existsSync(join(dir, "dist/capture"))).toBe(false);
    const env = { ...process.env, NODE_PATH: "", NODE_OPTIONS: "" };
    const line = execFileSync(process.execPath, ["main.js"], { cwd: dir, encoding: "utf8", env });
    expect(JSON.parse(line)).toEqual({ x: [2, 4, 6], typescript: false });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
