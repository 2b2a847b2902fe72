/**
 * Closure traps with whole kernels in both executions: shadowed names, imports, loop variables, enums, class members,
 * re-exported helpers, captures that change. This file runs in vitest's forks and in its threads; the same kernels
 * run under tsx and, compiled, in plain Node.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { beforeAll, expect, test } from "vitest";
import { EXPECTED, results } from "./kernels.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

function json(args: readonly string[]): unknown {
  const run = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  expect(run.stderr).toBe("");
  return JSON.parse(run.stdout);
}

beforeAll(() => {
  spawnSync(process.execPath, ["scripts/build.mjs", "--if-stale"], { cwd: root, stdio: "inherit" });
}, 180_000);

test("in this vitest pool", () => {
  expect(results()).toEqual(EXPECTED);
});

test("under tsx", () => {
  expect(json(["--conditions=kpu-source", "--import", "tsx", "tests/traps/print.ts"])).toEqual(EXPECTED);
});

test("compiled to JavaScript, in plain Node", () => {
  // Inside the package, so that "kpu-dsl" is this package as it was built.
  const folder = `${root}out/traps-${process.pid}`;
  mkdirSync(folder, { recursive: true });
  try {
    for (const file of readdirSync(`${root}tests/traps`)) {
      if (file.endsWith(".test.ts")) continue;
      const { outputText } = ts.transpileModule(readFileSync(`${root}tests/traps/${file}`, "utf8"), {
        compilerOptions: {
          target: ts.ScriptTarget.ES2022,
          module: ts.ModuleKind.ESNext,
          rewriteRelativeImportExtensions: true,
        },
      });
      writeFileSync(`${folder}/${file.replace(/ts$/, "js")}`, outputText);
    }
    expect(json([`${folder}/print.js`])).toEqual(EXPECTED);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
