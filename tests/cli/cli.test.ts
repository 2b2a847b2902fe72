/** The `kpu` command from outside: exit codes, what stands where, files. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PNG } from "pngjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readNpy, writeNpy } from "../../cli/npy.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "kpu-cli-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const at = (name: string): string => join(scratch, name);

/** The built command, as a user runs it. */
function kpu(...args: string[]): { code: number | null; out: string; err: string } {
  const result = spawnSync(process.execPath, ["dist/cli/main.js", ...args], { cwd: root, encoding: "utf8" });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

beforeAll(() => {
  expect(
    spawnSync(process.execPath, ["scripts/build.mjs", "--if-stale"], { cwd: root, encoding: "utf8" }),
  ).toMatchObject({ status: 0, stdout: "" });
}, 180_000);

test("help names every command, and each command has examples", () => {
  const { code, out } = kpu("--help");
  expect(code).toBe(0);
  for (const name of ["check", "sim", "build", "run", "equiv", "asm", "disasm", "intrinsics", "explain"])
    expect(out).toContain(name);
  expect(kpu("run", "--help").out).toContain("$ kpu run saxpy.kpubin");
});

test.each([
  [["frobnicate"], 'unknown command "frobnicate"'],
  [["check"], "missing required args"],
  [["check", "examples/saxpy.ts", "--colour"], "Unknown option"],
  [["check", "no-such-file.ts"], "no-such-file.ts"],
  [["explain", "KPU0000"], "there is no code"],
  [["equiv", "examples/saxpy.ts", "--runs", "many"], "--runs"],
  [["build", "examples/blas.ts"], "--kernel"],
  [["check", "examples/saxpy.ts", "--target", "moon"], "moon"],
  [["run", "examples/saxpy.ts", "--in", "zz=3"], "zz"],
])("wrong use is one message, no stack, exit code 2: %s", (args, message) => {
  const { code, out, err } = kpu(...args);
  expect(err).toContain(message);
  expect(`${out}${err}`).not.toMatch(/\n\s+at /);
  expect(code).toBe(2);
});

test("check: nothing found", () => {
  const { code, out } = kpu("check", "examples/saxpy.ts", "examples/blas.ts");
  expect(out).toContain("4 kernels in 2 files: no findings");
  expect(code).toBe(0);
});

test("check: findings with the author's position, as text and as JSON", () => {
  const file = join(root, "tests/cli/refused.ts");
  const text = kpu("check", file);
  expect(text.code).toBe(1);
  expect(text.out).toContain("tests/cli/refused.ts:6:3");
  expect(text.out).toContain("KPU1006");
  const json = JSON.parse(kpu("check", file, "--json").out) as {
    findings: { code: string; kernel: string; location: { line: number } }[];
  };
  expect(json.findings).toMatchObject([
    { code: "KPU1006", kernel: "refused", location: { line: 6, column: 3 } },
  ]);
});

test("build, disasm, run with .npy; sim gives the same file", () => {
  const x = Float32Array.from({ length: 100 }, (_, i) => i / 3);
  writeFileSync(at("x.npy"), writeNpy({ type: "f4", shape: [100], data: x }));
  writeFileSync(at("y.npy"), writeNpy({ type: "f4", shape: [100], data: x.map((v) => v * 2) }));
  const built = kpu("build", "examples/saxpy.ts", "-o", at("saxpy.kpubin"));
  expect(built.code).toBe(0);
  expect(kpu("disasm", at("saxpy.kpubin")).out).toContain("saxpy");
  expect(kpu("disasm", at("saxpy.kpubin"), "--kir").out).toContain("kernel @saxpy(");
  expect(kpu("disasm", at("saxpy.kpubin"), "-o", at("saxpy.kasm")).code).toBe(0);
  expect(kpu("disasm", at("saxpy.kpubin")).out).toBe(readFileSync(at("saxpy.kasm"), "utf8"));
  expect(kpu("asm", at("saxpy.kasm"), "-o", at("again.kpubin")).code).toBe(0);
  expect(readFileSync(at("again.kpubin")).equals(readFileSync(at("saxpy.kpubin")))).toBe(true);
  const inputs = ["--in", `x=${at("x.npy")}`, "--in", `y=${at("y.npy")}`, "--in", "a=0.5", "--in", "n=100"];
  const ran = kpu("run", at("saxpy.kpubin"), ...inputs, "--out", `y=${at("compiled.npy")}`);
  expect(ran).toMatchObject({ code: 0, err: "" });
  expect(kpu("sim", "examples/saxpy.ts", ...inputs, "--out", `y=${at("direct.npy")}`).code).toBe(0);
  const compiled = readNpy(readFileSync(at("compiled.npy")));
  expect(compiled.shape).toEqual([100]);
  expect([...compiled.data]).toEqual([...x].map((v) => Math.fround(v * 0.5 + Math.fround(v * 2))));
  expect(readNpy(readFileSync(at("direct.npy")))).toEqual(compiled);
});

test("run --mode: a kernel and its program file cost the same", () => {
  const inputs = ["--in", "x=zeros:4096", "--in", "y=zeros:4096", "--in", "a=2", "--in", "n=4096"];
  const timed = (file: string, ...more: string[]) => kpu("run", file, ...inputs, "--mode", "power", ...more);
  expect(kpu("build", "examples/saxpy.ts", "--target", "t64", "-o", at("timed.kpubin")).code).toBe(0);
  const source = timed("examples/saxpy.ts", "--machine", "t64");
  expect(source).toMatchObject({ code: 0, err: "" });
  expect(source.out).toContain("saxpy on t64, 32 tiles, mode power");
  expect(timed(at("timed.kpubin"))).toEqual(source);
});

test("costs are kept in the file: build --in, run --record; inspect tells them", () => {
  const inputs = ["--in", "x=zeros:1000", "--in", "y=zeros:1000", "--in", "a=2", "--in", "n=1000"];
  const built = kpu("build", "examples/saxpy.ts", "-o", at("timed.kpubin"), ...inputs);
  expect(built).toMatchObject({ code: 0, err: "" });
  expect(built.out).toContain("a call is estimated at");
  const ran = kpu("run", at("timed.kpubin"), ...inputs, "--mode", "power", "--record", at("timed.kpubin"));
  expect(ran).toMatchObject({ code: 0, err: "" });
  const { manifest, sections } = JSON.parse(kpu("inspect", at("timed.kpubin"), "--json").out) as {
    manifest: { estimates: { totalCycles: number }; measured: { totalCycles: number; source: string } };
    sections: { name: string }[];
  };
  expect(sections.map((s) => s.name)).toEqual(["manifest", "code", "source"]);
  expect(manifest.measured.totalCycles).toBe(manifest.estimates.totalCycles);
  expect(manifest.measured.source).toBe("machine model, mode power");
  expect(kpu("inspect", at("timed.kpubin")).out).toContain(
    "cost                           estimated  measured",
  );
});

test("weights that a program holds need not be given", () => {
  writeFileSync(at("ones.json"), JSON.stringify(new Array(16).fill(1)));
  expect(kpu("asm", "tests/cli/inspect/scale.kasm", "-o", at("scale.kpubin")).code).toBe(0);
  const inputs = ["--in", `x=${at("ones.json")}`, "--in", "rows=2", "--out", `x=${at("scaled.json")}`];
  expect(kpu("run", at("scale.kpubin"), ...inputs)).toMatchObject({ code: 0, err: "" });
  const row = [1, 2, 4, 8, 0.5, 0.25, 0, -1];
  expect(JSON.parse(readFileSync(at("scaled.json"), "utf8"))).toEqual([...row, ...row]);
});

test("build --dump-after prints the kernel as a pass leaves it", () => {
  const after = (pass: string): string => kpu("build", "examples/saxpy.ts", "--dump-after", pass).out;
  expect(after("open")).toContain("level: open");
  expect(after("open")).toContain(": num");
  expect(after("machine")).toContain("level: machine");
  expect(after("all").match(/^\/\/ after \w+$/gm)).toEqual(
    ["open", "virtual", "tidy", "machine"].map((p) => `// after ${p}`),
  );
  expect(kpu("build", "examples/saxpy.ts", "--dump-after", "nothing").code).toBe(2);
});

test("a damaged program file", () => {
  kpu("build", "examples/saxpy.ts", "-o", at("damaged.kpubin"));
  const bytes = readFileSync(at("damaged.kpubin"));
  writeFileSync(at("damaged.kpubin"), bytes.subarray(0, bytes.length - 7));
  const { code, err } = kpu("disasm", at("damaged.kpubin"));
  expect(err).toContain("KPU7003");
  expect(code).toBe(1);
});

test("PNG in, PNG out", () => {
  const ran = kpu(
    "run",
    "examples/image/kernels.ts",
    "--kernel",
    "grey",
    "--in",
    "rgb=examples/image/photo.png",
    "--in",
    "out=zeros:512x512",
    "--in",
    "pixels=262144",
    "--out",
    `out=${at("grey.png")}`,
  );
  expect(ran).toMatchObject({ code: 0, err: "" });
  const photo = PNG.sync.read(readFileSync(join(root, "examples/image/photo.png")));
  const grey = PNG.sync.read(readFileSync(at("grey.png")));
  expect([grey.width, grey.height]).toEqual([512, 512]);
  const p = 4 * 100_000;
  const luma = Math.floor(
    (77 * (photo.data[p] as number) +
      150 * (photo.data[p + 1] as number) +
      29 * (photo.data[p + 2] as number) +
      128) /
      256,
  );
  expect([...grey.data.subarray(p, p + 4)]).toEqual([luma, luma, luma, 255]);
});

test("a wrong dtype, and no output where the run fails", () => {
  writeFileSync(at("ints.npy"), writeNpy({ type: "i4", shape: [3], data: new Int32Array(3) }));
  const wrong = kpu(
    "sim",
    "examples/saxpy.ts",
    "--in",
    `x=${at("ints.npy")}`,
    "--in",
    "y=zeros:3",
    "--in",
    "a=1",
    "--in",
    "n=3",
    "--out",
    `y=${at("never.npy")}`,
  );
  expect(wrong.code).toBe(1);
  expect(wrong.err).toContain("expected f32");
  writeFileSync(at("short.json"), "[1, 2]");
  const beyond = kpu(
    "run",
    "examples/saxpy.ts",
    "--in",
    `x=${at("short.json")}`,
    "--in",
    "y=zeros:3",
    "--in",
    "a=1",
    "--in",
    "n=3",
    "--out",
    `y=${at("never.npy")}`,
  );
  expect(beyond.code).toBe(1);
  expect(beyond.err).toContain("KPU4001");
  expect(existsSync(at("never.npy"))).toBe(false);
  expect(readdirSync(scratch).filter((f) => f.endsWith(".partial"))).toEqual([]);
});

test("equiv", () => {
  const { code, out } = kpu("equiv", "examples/saxpy.ts", "examples/blas.ts", "--runs", "20");
  expect(out).toContain("4 kernels agree");
  expect(code).toBe(0);
  const json = JSON.parse(
    kpu("equiv", "examples/saxpy.ts", "--runs", "5", "--seed", "3", "--json").out,
  ) as object[];
  expect(json).toMatchObject([{ name: "saxpy", ok: true, runs: 5, seed: 3 }]);
});

test("intrinsics and explain", () => {
  expect(kpu("intrinsics").out).toContain("vadd");
  const json = JSON.parse(kpu("intrinsics", "--json").out) as {
    readonly name: string;
    readonly executions: readonly string[];
    readonly tests: { readonly kernels: number };
    readonly missing: readonly string[];
  }[];
  expect(json.filter((i) => i.missing.length > 0)).toEqual([]);
  const vfma = json.find((i) => i.name === "vfma");
  expect(vfma?.executions).toEqual(["direct", "compiled"]);
  expect(vfma?.tests.kernels).toBe(18);
  expect(kpu("intrinsics", "--md").out).toContain("## ");
  expect(kpu("explain", "KPU4006").out).toContain("race between tiles");
});
