/** Mistakes on the command line: one sentence with a code, the exit code, nothing half written, no stack trace. */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PNG } from "pngjs";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
// Below the root, so that kernel files find the package.
mkdirSync(join(root, "out"), { recursive: true });
const folder = mkdtempSync(join(root, "out", "mistakes-"));
const inputs = ["--in", "x=x.json", "--in", "y=x.json", "--in", "a=2", "--in", "n=4"];

function kpu(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "dist/cli/main.js"), ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  return { code: status, out: stdout, err: stderr };
}

beforeAll(() => {
  spawnSync(process.execPath, ["scripts/build.mjs", "--if-stale"], { cwd: root });
  const saxpy = readFileSync(join(root, "tests/install/project/saxpy.ts"), "utf8");
  writeFileSync(join(folder, "saxpy.ts"), `console.log("loading");\n${saxpy}`);
  writeFileSync(join(folder, "none.ts"), "export const x = 3;\n");
  writeFileSync(join(folder, "syntax.ts"), "export const x = = 3;\n");
  writeFileSync(
    join(folder, "throws.ts"),
    "const nothing: any = null;\n\nexport const y = nothing.here.there;\n",
  );
  writeFileSync(join(folder, "x.json"), "[1, 2, 3, 4]");
  writeFileSync(join(folder, "bad.kasm"), ".manifest\n  { }\n.code\n");
  writeFileSync(join(folder, "words.json"), '[1, "a"]');
  writeFileSync(join(folder, "nan.json"), "[1, NaN]");
  writeFileSync(join(folder, "ragged.json"), "[[1, 2], [3]]");
  writeFileSync(join(folder, "short.npy"), "\x93NUMPY");
  const deep = new PNG({ width: 1, height: 1 });
  writeFileSync(join(folder, "deep.png"), PNG.sync.write(deep, { bitDepth: 16 } as never));
  expect(kpu("build", "saxpy.ts", "-o", "saxpy.kpubin").code).toBe(0);
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...more: string[]): string[] => ["run", "saxpy.kpubin", ...more];
const MISTAKES: readonly (readonly [args: readonly string[], code: number, ...says: string[]])[] = [
  [["frob"], 2, 'unknown command "frob"', "kpu --help"],
  [["check"], 2, "missing required args"],
  [["check", "saxpy.ts", "--wat"], 2, "--wat"],
  [["check", "nowhere.ts"], 2, "KPU8002", "nowhere.ts"],
  [["check", "nope/**/*.ts"], 2, "KPU8002"],
  [["check", "none.ts"], 2, "KPU8003"],
  [["sim", "syntax.ts"], 2, "KPU8002", "syntax.ts:1:18", "export const x = = 3;"],
  [["sim", "throws.ts"], 2, "KPU8002", "throws.ts:3:26", "nothing.here.there"],
  [["sim", "saxpy.kpubin"], 2, "KPU8001", "kpu run"],
  [["sim", "saxpy.ts", ...inputs, "--policy", "fair"], 2, "round-robin, random, adversarial or one-tile"],
  [["build", "saxpy.ts", "--target", "moon"], 2, "KPU6006", "edge"],
  [["build", "saxpy.ts", "-o", "saxpy.ts"], 2, "KPU8001", "the file of the kernel"],
  [["build", "saxpy.ts", "-o", "no/where/a.kpubin"], 2, "KPU8002", "there is no such folder"],
  [["build", "saxpy.ts", "--kernel", "other"], 2, 'no kernel "other"', "saxpy"],
  [["disasm", "."], 2, "KPU8002", "it is a folder"],
  [["disasm", "x.json"], 1, "KPU7003"],
  [["disasm", "saxpy.kpubin", "-o", "saxpy.kpubin"], 2, "KPU8001", "is the program file"],
  [["disasm", "saxpy.kpubin", "-o", "no/where/a.kasm"], 2, "KPU8002", "there is no such folder"],
  [["disasm", "saxpy.kpubin", "--kir", "--code"], 2, "KPU8001"],
  [["inspect", "x.json"], 1, "KPU7003"],
  [["build", "saxpy.ts", "--in", "x=zeros:4"], 2, 'no value for parameter "y"'],
  [["build", "saxpy.ts", ...inputs, "--mode", "fast"], 2, "cycle or power"],
  [run(...inputs, "--record", "saxpy.kpubin"), 2, "--record is for a mode that has time"],
  [["asm", "nowhere.kasm"], 2, "KPU8002", "no such file"],
  [["asm", "saxpy.kpubin"], 1, "KPU7007", "is not text"],
  [["asm", "x.json"], 1, "KPU7007", "x.json:1:1", "[1, 2, 3, 4]", "expected .manifest"],
  [["asm", "bad.kasm"], 1, "KPU7007", "bad.kasm:2:3", "target: Invalid input", "{ }"],
  [run(...inputs, "--tiles", "0"), 2, "--tiles: expected a whole number from 1, got 0"],
  [run(...inputs, "--mode", "fast"), 2, "--mode: expected functional, cycle or power, got fast"],
  [run(...inputs, "--mode", "cycle", "--metrics", "m.json", "--trace", "no/where.json"), 2, "no such folder"],
  [run(...inputs.slice(2)), 2, 'no value for parameter "x"'],
  [run(...inputs, "--in", "z=1"), 2, 'no parameter "z"'],
  [run(...inputs, "--out", "y=no/where/y.json"), 2, "there is no such folder"],
  [run(...inputs, "--out", "y=y.txt"), 1, "KPU7005", ".npy, .json or .png"],
  [run(...inputs.slice(2), "--in", "x=words.json"), 1, "KPU7005", 'got "a"'],
  [run(...inputs.slice(2), "--in", "x=nan.json"), 1, "KPU7005", "not valid JSON"],
  [run(...inputs.slice(2), "--in", "x=ragged.json"), 1, "KPU7005", "rows"],
  [run(...inputs.slice(2), "--in", "x=short.npy"), 1, "KPU7005", "short.npy"],
  [run(...inputs.slice(2), "--in", "x=zeros:99999999x99999999"), 1, "KPU6002", "does not fit into memory"],
  [["equiv", "saxpy.ts", "--runs", "0"], 2, "--runs: expected a whole number from 1, got 0"],
  [["equiv", "saxpy.ts", "--path", "9:zz"], 1, "KPU6006", "path"],
  [["equiv", "saxpy.ts", "--path", "0:99999999"], 1, "KPU6006", "path"],
  [["explain", "KPU9999"], 2, "there is no code KPU9999"],
  [["intrinsics", "nope"], 2, 'no intrinsic "nope"'],
];

for (const [args, code, ...says] of MISTAKES) {
  test(`kpu ${args.join(" ")}`, () => {
    const before = readdirSync(folder);
    const result = kpu(...args);
    const text = `${result.err}${result.out}`;
    for (const s of says) expect(text).toContain(s);
    expect(result.code).toBe(code);
    expect(text).not.toMatch(/^ +at /m);
    expect(text).not.toContain("internal error");
    expect(text).not.toContain(".partial");
    expect(readdirSync(folder)).toEqual(before);
  });
}

test("a PNG of 16 bits per channel is refused", () => {
  const invert =
    'import { kernel, ptr, u8 } from "kpu-dsl";\nexport const k = kernel([ptr(u8)], function k(x) { x.set(0, 1); });\n';
  writeFileSync(join(folder, "u8.ts"), invert);
  expect(kpu("run", "u8.ts", "--in", "x=deep.png")).toMatchObject({
    code: 1,
    err: expect.stringContaining("8 bits per channel, got 16") as string,
  });
});

test("one file that does not load does not hide what the others say", () => {
  const { code, out } = kpu("equiv", "saxpy.ts", "throws.ts", "--runs", "3");
  expect(code).toBe(1);
  expect(out).toContain("agree   saxpy.ts saxpy");
  expect(out).toContain("throws.ts:3:26");
});

test("with --json, stdout is JSON though a file prints while it loads", () => {
  const { out, err } = kpu("check", "saxpy.ts", "--json");
  expect(err).toBe("loading\n");
  expect(JSON.parse(out)).toMatchObject({ kernels: 1, findings: [] });
});

test("nothing is written where a run fails", () => {
  expect(kpu("run", "saxpy.kpubin", ...inputs.slice(0, -1), "n=9", "--out", "y=y.json").code).toBe(1);
  expect(existsSync(join(folder, "y.json"))).toBe(false);
});
