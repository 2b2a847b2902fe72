/** `kpu config`, and machine files as targets of the other commands. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KpuError } from "kpu-dsl";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { config } from "../../cli/commands/config.ts";
import { targetNamed } from "../../cli/machines.ts";
import { TARGETS } from "../../ir/target.ts";
import { parseMachine } from "../../machine/check.ts";
import { PRESET_NAMES, PRESETS } from "../../machine/presets/index.ts";
import { Page } from "../docs/blocks.ts";

const folder = mkdtempSync(join(tmpdir(), "kpu-config-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number;
  readonly out: string;
}
/** The command in this process: a process for each would take seconds. */
async function run(names: readonly string[], options: Readonly<Record<string, unknown>> = {}): Promise<Ran> {
  let out = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  try {
    const [action, ...rest] = names;
    return { code: await config.run([action, rest], options), out };
  } finally {
    write.mockRestore();
  }
}
async function refused(
  names: readonly string[],
  options?: Readonly<Record<string, unknown>>,
): Promise<string> {
  const before = readdirSync(folder);
  const error: unknown = await run(names, options).then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof KpuError)) throw error;
  expect(readdirSync(folder)).toEqual(before);
  return error.diagnostics.map((d) => `${d.code} ${d.message} | ${d.help}`).join("\n");
}
/** A machine file in which a text is replaced. */
function file(name: string, from: string, to: string): string {
  const text = JSON.stringify({ ...PRESETS.edge, name: "mine" }, null, 2);
  expect(text).toContain(from);
  writeFileSync(at(name), text.replace(from, to));
  return at(name);
}

test("list has every preset", async () => {
  const { code, out } = await run(["list"]);
  expect(code).toBe(0);
  expect(
    out
      .split("\n")
      .slice(1, -1)
      .map((line) => line.split(" ")[0]),
  ).toEqual(PRESET_NAMES);
  expect(out).toMatch(
    /^t256 +128 {2}32x32 {2}1\.4 GHz +16 x LPDDR5, 272 GB\/s +128 x 512 KB {2}512 KB +64 KB$/m,
  );
  const json: unknown = JSON.parse((await run(["list"], { json: true })).out);
  expect(json).toHaveLength(PRESET_NAMES.length);
  expect(json).toContainEqual(
    expect.objectContaining({
      name: "minimal",
      tiles: 1,
      source: expect.stringContaining("kpu-sim") as string,
    }),
  );
});

test("show prints fields with units, and JSON that is a machine file", async () => {
  const { out } = await run(["show", "minimal"]);
  expect(out).toMatch(/^tile\.fabric\.macs\.i8 +1 +MACs per fabric cycle +cycle$/m);
  expect(out).toMatch(/^tile\.count +1 +compute tiles +functional$/m);
  expect(out).toMatch(/^energy\.scalar .* power$/m);
  expect(out).toMatch(/^version .* label$/m);
  expect(out).toMatch(/^dram\.interleaveBytes has no effect: dram\.channels is 1$/m);
  for (const name of PRESET_NAMES)
    expect(parseMachine((await run(["show", name], { json: true })).out, name)).toEqual(PRESETS[name]);
  expect((await run(["show", file("shown.json", '"window": 4', '"window": 9')])).out).toMatch(
    /^dma\.window +9 /m,
  );
});

describe("new", () => {
  const written = (name: string) => parseMachine(readFileSync(at(name), "utf8"), name);

  test("writes a machine with the fields that are set, named like its file, and its source says so", async () => {
    const set = ["dram.channels=8", "tile.fabric.macs.i8=2", "noc.topology=torus", "version=2"];
    expect(await run(["new"], { from: "t64", output: at("eight.json"), set })).toEqual({
      code: 0,
      out: `${at("eight.json")}: eight, from t64\n`,
    });
    expect((await run(["validate", at("eight.json")])).code).toBe(0);
    const { out } = await run(["diff", "t64", at("eight.json")], { json: true });
    expect(JSON.parse(out)).toEqual([
      { path: "name", a: "t64", b: "eight", unit: "" },
      { path: "version", a: "1.0.0", b: "2", unit: "" },
      expect.objectContaining({
        path: "source",
        b: `t64, ${set.join(", ")}; of t64: ${PRESETS.t64.source}`,
      }),
      { path: "dram.channels", a: 4, b: 8, unit: "channels" },
      { path: "noc.topology", a: "mesh", b: "torus", unit: "" },
      { path: "tile.fabric.macs.i8", a: 1, b: 2, unit: "MACs per fabric cycle" },
    ]);
  });
  test("takes tables, starts from edge or a file, and the last of two settings holds", async () => {
    const set = ['tile.fabric.macs={"i8": 4}', 'energy.mac={"i8": 0.15}', "name=mine"];
    await run(["new"], { output: at("first.json"), set });
    await run(["new"], {
      from: at("first.json"),
      output: at("second.json"),
      set: ["dma.startup=1", "dma.startup=9"],
    });
    expect(written("first.json").name).toBe("mine");
    expect(written("second.json").name).toBe("second");
    expect(written("second.json").dma.startup).toBe(9);
    expect(written("second.json").tile).toEqual({
      ...PRESETS.edge.tile,
      fabric: { ...PRESETS.edge.tile.fabric, macs: { i8: 4 } },
    });
  });
  test("writes over a file only with --force", async () => {
    writeFileSync(at("there.json"), "mine");
    expect(await refused(["new"], { output: at("there.json") })).toMatch(
      /KPU8001 .*there.json exists already \| .*--force/,
    );
    expect(readFileSync(at("there.json"), "utf8")).toBe("mine");
    await run(["new"], { output: at("there.json"), force: true });
    expect(written("there.json").name).toBe("there");
  });
  test.each([
    [["drams.channels=4"], 'KPU9005 drams: there is no such field | did you mean "dram"?'],
    [["dram.channels=four"], 'KPU9005 dram.channels: expected a whole number from 1, got "four"'],
    [["dma.engines.x=1"], 'KPU9005 dma.engines: expected a whole number from 1, got {"x":1}'],
    [["dram.channels="], 'KPU9005 dram.channels: expected a whole number from 1, got ""'],
    [["__proto__.x=1"], "KPU9005 __proto__: there is no such field"],
    [["name=edge"], "KPU9005 name: expected a name that no preset has"],
    [["name=my machine"], "KPU9005 name: expected a name of letters"],
    [["tile.fabric.rows=15"], "KPU9005 tile.streamers.rows: expected a divisor of tile.fabric.rows"],
    [["dram.channels"], "KPU8001 --set dram.channels: expected field=value | write --set dram.channels=4"],
  ])("refuses --set %j", async (set, message) => {
    expect(await refused(["new"], { output: at("never.json"), set })).toContain(message);
  });
  test.each([
    [{ output: at("never.json"), from: "moon" }, 'KPU6006 unknown target "moon"'],
    [{ output: at("no/where.json") }, "KPU8002"],
    [{}, "KPU8001 kpu config new has no file to write | add -o mine.json"],
  ])("refuses %j", async (options, message) => {
    expect(await refused(["new"], options)).toContain(message);
  });
});

describe("validate", () => {
  test("looks at every file", async () => {
    const files = [
      file("good.json", "x", "x"),
      file("bad.json", '"rows": 16', '"rows": 0'),
      file("comma.json", "{", "{,"),
    ];
    const { code, out } = await run(["validate", ...files]);
    expect(code).toBe(1);
    expect(out).toContain(`${files[0]}: valid, mine`);
    expect(out).toContain("error[KPU9005]: tile.fabric.rows: expected a whole number from 1, got 0");
    expect(out).toContain("error[KPU9004]: expected a key in double quotes, found ,");
    const json = JSON.parse((await run(["validate", ...files], { json: true })).out) as { ok: boolean }[];
    expect(json.map((r) => r.ok)).toEqual([true, false, false]);
    expect(json[1]).toMatchObject({
      diagnostics: [{ code: "KPU9005", location: { line: 69 }, data: { path: "tile.fabric.rows" } }],
    });
  });
  test("says what has no effect, and what a mode does not model; neither is a mistake", async () => {
    const none = file("none.json", '"mesh"', '"none"');
    const { code, out } = await run(["validate", none]);
    expect(code).toBe(0);
    expect(out).toContain("noc.hopCycles has no effect: noc.topology is none");
    expect(out).not.toContain("mode");
    const cycle = await run(["validate", none], { mode: "cycle" });
    expect(cycle).toMatchObject({
      code: 0,
      out: expect.stringContaining("  mode cycle does not model energy\n"),
    });
    const functional = await run(["validate", none], { mode: "functional", json: true });
    expect(JSON.parse(functional.out)).toMatchObject([
      { ok: true, notModelled: expect.arrayContaining(["dram", "tile.streamers"]) as string[] },
    ]);
    expect((await run(["validate", none], { mode: "power" })).out).not.toContain("does not model");
    expect(await refused(["validate", none], { mode: "fast" })).toContain(
      "expected functional, cycle or power",
    );
  });
  test("prints of the mistake of docs/machine.md what stands there", async () => {
    const mistaken = at("mistaken.json");
    await run(["new"], { from: "t64", set: ["dram.channels=8"], output: mistaken });
    const text = readFileSync(mistaken, "utf8");
    expect(text).toContain('"channels"');
    writeFileSync(mistaken, text.replace('"channels"', '"chanels"'));
    const { code, out } = await run(["validate", mistaken]);
    expect(code).toBe(1);
    const page = new Page("machine.md");
    const [shown, ...others] = page.of("text mistake");
    if (shown === undefined) throw new Error("docs/machine.md shows no mistake");
    expect(others).toEqual([]);
    const said = out.replaceAll(mistaken, "mine.json");
    if (process.env["UPDATE_GOLDEN"]) page.replace(shown, said);
    else expect(said).toBe(shown.text);
  });
  test("a file that is not there is wrong use", async () => {
    expect(await refused(["validate", at("nowhere.json")])).toContain("KPU8002");
  });
});

test("schema is a JSON Schema in which every field has a description, and allows no other", async () => {
  const schema: unknown = JSON.parse((await run(["schema"])).out);
  const fields = (node: unknown): number => {
    if (typeof node !== "object" || node === null || !("properties" in node)) {
      expect(node).toMatchObject({ description: expect.stringMatching(/\S/) as string });
      return 1;
    }
    expect(node).toMatchObject({ type: "object", additionalProperties: false });
    return Object.values(node.properties as object).reduce((sum: number, inner) => sum + fields(inner), 0);
  };
  expect(fields(schema)).toBeGreaterThan(90);
  expect(JSON.stringify(schema)).toContain("Rate of one channel [bytes per memory cycle]");
});

test("diff names every field that differs", async () => {
  const changed = file("diff.json", '"f32": 1\n', '"i16": 1\n');
  const text = readFileSync(changed, "utf8").replace('"f32": 2.4', '"i16": 0.3');
  writeFileSync(changed, text);
  const { code, out } = await run(["diff", "edge", changed], { json: true });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual([
    { path: "name", a: "edge", b: "mine", unit: "" },
    { path: "tile.fabric.macs.f32", a: 1, b: null, unit: "MACs per fabric cycle" },
    { path: "energy.mac.f32", a: 2.4, b: null, unit: "pJ per MAC" },
    { path: "tile.fabric.macs.i16", a: null, b: 1, unit: "MACs per fabric cycle" },
    { path: "energy.mac.i16", a: null, b: 0.3, unit: "pJ per MAC" },
  ]);
  expect((await run(["diff", "edge", "edge"])).out).toBe("no difference\n");
});

test.each([
  [
    ["frob"],
    {},
    'KPU8001 kpu config has no action "frob" | use one of list, show, new, validate, schema, diff',
  ],
  [["list", "edge"], {}, "KPU8001 kpu config list takes 0 names, got 1"],
  [["diff", "edge"], {}, "KPU8001 kpu config diff takes 2 names, got 1"],
  [["list"], { from: "edge" }, "KPU8001 kpu config list has no option --from"],
  [["show", "moon"], {}, "itpu-v0, or a machine file (.json)"],
])("wrong use: %j %j", async (names, options, message) => {
  expect(await refused(names, options)).toContain(message);
});

test("a target is a preset or a machine file", () => {
  for (const name of PRESET_NAMES) expect(targetNamed(name)).toEqual(TARGETS[name]);
  const wide = targetNamed(file("wide.json", '"bits": 256', '"bits": 512'));
  expect(wide).toEqual({ ...TARGETS.edge, name: "mine", registerBits: 512 });
});

describe("the built command", () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const kpu = (...args: string[]) => {
    const r = spawnSync(process.execPath, [join(root, "dist/cli/main.js"), ...args], {
      cwd: root,
      encoding: "utf8",
    });
    return { code: r.status, out: r.stdout, err: r.stderr };
  };
  beforeAll(() => {
    const built = spawnSync(process.execPath, ["scripts/build.mjs", "--if-stale"], {
      cwd: root,
      encoding: "utf8",
    });
    expect(built).toMatchObject({ status: 0, stdout: "" });
  }, 180_000);

  test("builds and runs for a machine file", () => {
    const machine = file("target.json", '"count": 2', '"count": 5');
    const program = at("saxpy.kpubin");
    expect(kpu("build", "examples/saxpy.ts", "--target", machine, "-o", program)).toMatchObject({ code: 0 });
    for (const command of ["check", "equiv"])
      expect(kpu(command, "examples/saxpy.ts", "--target", machine)).toMatchObject({ code: 0, err: "" });
    const inputs = ["--in", "x=zeros:8", "--in", "y=zeros:8", "--in", "a=1", "--in", "n=8"];
    expect(kpu("run", program, ...inputs)).toMatchObject({ code: 0, err: "" });
    const again = kpu("run", program, "--target", "t64", ...inputs);
    expect(again).toMatchObject({ code: 2, out: "" });
    expect(again.err).toContain("is built for mine already");
    expect(kpu("sim", "examples/saxpy.ts", "--target", machine, ...inputs)).toMatchObject({
      code: 0,
      err: "",
    });
  });
  test("a machine file with a mistake is shown, with exit code 1 and nothing written", () => {
    const machine = file("broken.json", '"l2": {', '"l2": { "bank": 8,');
    const { code, err } = kpu("build", "examples/saxpy.ts", "--target", machine, "-o", at("never.kpubin"));
    expect(err).toContain("error[KPU9005]: tile.l2.bank: there is no such field");
    expect(err).toContain('did you mean "banks"?');
    expect(err).not.toMatch(/\n\s+at /);
    expect(code).toBe(1);
    expect(existsSync(at("never.kpubin"))).toBe(false);
  });
  test("wrong use of config ends with 2, a machine that is not valid with 1", () => {
    expect(kpu("config", "show", "moon")).toMatchObject({ code: 2, out: "" });
    expect(kpu("config", "validate", "package.json")).toMatchObject({ code: 1, err: "" });
    expect(kpu("config", "list").out).toContain("embodied");
  });
});
