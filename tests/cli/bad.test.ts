/**
 * The catalogue of bad kernels through the other loaders: each gets its documented code at its exact author position
 * under tsx, and from `kpu check` in plain Node. (tests/lowering/bad.test.ts does the same under vitest.)
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "tests/bad");

/** `// expect: KPU4004 6:15` in the first line. */
const expected: Record<string, string> = {};
for (const file of readdirSync(folder).filter((f) => f.endsWith(".ts"))) {
  const line = /^\/\/ expect: (KPU\d+ \d+:\d+)/.exec(readFileSync(join(folder, file), "utf8"));
  if (line !== null) expected[file] = line[1] as string;
}

function node(args: readonly string[]): { status: number | null; stdout: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  expect(stderr).toBe("");
  return { status, stdout };
}

beforeAll(() => {
  node(["scripts/build.mjs", "--if-stale"]);
}, 180_000);

test("there are kernels to check", () => {
  expect(Object.keys(expected).length).toBeGreaterThan(50);
});

test("under tsx", () => {
  const { stdout } = node(["--conditions=kpu-source", "--import", "tsx", "tests/cli/check-all.ts", folder]);
  expect(JSON.parse(stdout)).toEqual(expected);
});

test("kpu check, in plain Node", () => {
  const { status, stdout } = node(["dist/cli/main.js", "check", "tests/bad", "--json"]);
  expect(status).toBe(1);
  const { findings } = JSON.parse(stdout) as {
    findings: { file: string; code: string; location: { file: string; line: number; column: number } }[];
  };
  const first: Record<string, string> = {};
  for (const f of findings) {
    const name = f.file.replace("tests/bad/", "");
    first[name] ??= `${f.code} ${f.location.line}:${f.location.column}`;
    expect(f.location.file).toMatch(/\.ts$/);
  }
  expect(first).toEqual(expected);
});
