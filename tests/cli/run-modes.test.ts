/** `kpu run` in its modes: what it prints, the files that it writes, and what it refuses. UPDATE_GOLDEN=1 writes the texts. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, KpuError, timeKernel } from "kpu-dsl";
import { type Mode, notModelled } from "kpu-dsl/machine";
import { afterAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { run } from "../../cli/commands/run.ts";
import { chart } from "../../cli/report-text.ts";
import { dependent, product } from "./modes/product.ts";

const folder = mkdtempSync(join(tmpdir(), "kpu-modes-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BLOCKS = 8;
writeFileSync(at("product.kpubin"), build(product).bytes);
writeFileSync(at("dependent.kpubin"), build(dependent).bytes);
const shapes = [
  { shape: [BLOCKS * 32, 32] },
  { shape: [BLOCKS * 32, 64] },
  { shape: [64, 32] },
  BLOCKS,
] as const;
const IN = { in: ["c=zeros:256x32", "a=zeros:256x64", "b=zeros:64x32", `blocks=${BLOCKS}`] };

/** The command in this process: a process for each would take seconds. */
async function kpu(options: Readonly<Record<string, unknown>>, file = "product.kpubin"): Promise<string> {
  let out = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  try {
    expect(await run.run([at(file)], { ...IN, ...options })).toBe(0);
    return out;
  } finally {
    write.mockRestore();
  }
}
async function refused(options: Readonly<Record<string, unknown>>, file?: string): Promise<string> {
  const before = readdirSync(folder);
  const error: unknown = await kpu(options, file).then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof KpuError)) throw error;
  expect(readdirSync(folder)).toEqual(before);
  return error.diagnostics.map((d) => `${d.code} ${d.message} | ${d.help}`).join("\n");
}
const json = (name: string): unknown => JSON.parse(readFileSync(at(name), "utf8"));

describe("what it prints", () => {
  test.each([
    ["power", { mode: "power" }],
    ["cycle", { mode: "cycle", machine: "t64", tiles: 1, fabricModel: "scalesim" }],
  ])("mode %s", async (mode, options) => {
    const golden = fileURLToPath(new URL(`modes/${mode}.txt`, import.meta.url));
    const said = await kpu(options);
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(golden, said);
    expect(said).toBe(readFileSync(golden, "utf8"));
  });

  test("what a mode does not model; a run without a mode says nothing of machines", async () => {
    const idle = (mode: Mode) => `mode ${mode} does not model ${notModelled(mode).join(", ")}\n`;
    expect(await kpu({ mode: "functional" })).toBe(idle("functional"));
    expect(await kpu({ mode: "cycle" })).toContain(idle("cycle"));
    expect(await kpu({ mode: "power" })).not.toContain("does not model");
    expect(await kpu({})).toBe("");
  });

  test("power over time as a chart: columns in proportion, the axis from 0", () => {
    const samples = [1, 2, 4, 0].map((watts, i) => ({ cycle: 10 * i, end: 10 * (i + 1), watts }));
    expect(chart(samples)).toEqual([
      "4 |  #",
      "  |  #",
      "  |  #",
      "  | ##",
      "  |###",
      "  |###",
      "0 +----",
      "  0  40 cycles",
    ]);
    expect(chart([])).toEqual([]);
  });
});

const End = z.strictObject({
  level: z.enum(["dram", "l3", "l2", "local", "l1"]),
  address: z.int(),
  runs: z.strictObject({ count: z.int(), bytes: z.int(), stride: z.int() }),
});
const Schedule = z.array(
  z.strictObject({
    issued: z.number(),
    cycle: z.number(),
    end: z.number(),
    component: z.string(),
    op: z.string(),
    tile: z.int(),
    src: End.optional(),
    dst: End.optional(),
    at: z.string().regex(/product\.ts:\d+:\d+$/),
  }),
);
const Accesses = z.array(
  z.strictObject({
    cycle: z.number(),
    kind: z.enum(["read", "write"]),
    address: z.int(),
    bytes: z.int(),
  }),
);
const TraceEvents = z.strictObject({
  displayTimeUnit: z.literal("ns"),
  traceEvents: z.array(
    z.union([
      z.strictObject({
        name: z.enum(["process_name", "thread_name"]),
        ph: z.literal("M"),
        pid: z.int(),
        tid: z.int(),
        args: z.strictObject({ name: z.string() }),
      }),
      z.strictObject({
        name: z.string(),
        ph: z.literal("X"),
        ts: z.number(),
        dur: z.number(),
        pid: z.int(),
        tid: z.int(),
        args: z.looseObject({ issued: z.number(), at: z.string() }),
      }),
    ]),
  ),
});

describe("what it writes", () => {
  test("metrics, schedule, trace and accesses of DRAM are those of the report", async () => {
    const said = await kpu({
      mode: "power",
      metrics: at("m.json"),
      schedule: at("s.json"),
      trace: at("t.json"),
      memoryTrace: at("a.json"),
    });
    for (const name of ["m", "s", "t", "a"]) expect(said).toContain(`wrote ${at(`${name}.json`)}`);
    const { schedule = [], ...report } = timeKernel(product, shapes, { mode: "power", schedule: true });
    expect(json("m.json")).toEqual({
      version: 1,
      tiles: 2,
      arguments: {
        c: { dtype: "f32", shape: [256, 32] },
        a: { dtype: "f32", shape: [256, 64] },
        b: { dtype: "f32", shape: [64, 32] },
        blocks: BLOCKS,
      },
      ...report,
    });
    const rows = Schedule.parse(json("s.json"));
    expect(rows.map(({ at: _, ...r }) => r)).toEqual(schedule.map(({ at: _, ...r }) => r));
    const accesses = Accesses.parse(json("a.json"));
    const bytes = (kind: string) => accesses.reduce((n, a) => n + (a.kind === kind ? a.bytes : 0), 0);
    expect({ read: bytes("read"), written: bytes("write") }).toEqual(report.traffic.dram);
    const events = TraceEvents.parse(json("t.json")).traceEvents.filter((e) => e.ph === "X");
    expect(events).toHaveLength(rows.length);
    expect(Math.max(...events.map((e) => e.ts + e.dur))).toBeCloseTo(report.totalTimeUs, 6);
  });

  test("metrics of mode functional: what the call asks for", async () => {
    await kpu({ metrics: at("f.json") });
    expect(json("f.json")).toMatchObject({
      mode: "functional",
      macs: BLOCKS * 32 * 32 * 64,
      notModelled: expect.arrayContaining(["dram", "energy"]) as unknown,
    });
  });

  test("values too, where an output is asked for: those of a run", async () => {
    const a = Array.from({ length: 256 }, (_, i) => Array.from({ length: 64 }, (_, j) => (i * j) % 7));
    writeFileSync(at("a-in.json"), JSON.stringify(a));
    const given = {
      in: [
        ...IN.in.filter((x) => !x.startsWith("a=") && !x.startsWith("b=")),
        `a=${at("a-in.json")}`,
        `b=${at("b-in.json")}`,
      ],
    };
    writeFileSync(at("b-in.json"), JSON.stringify(a.slice(0, 64).map((row) => row.slice(0, 32))));
    await kpu({ ...given, out: `c=${at("values.json")}` });
    await kpu({ ...given, out: `c=${at("timed.json")}`, mode: "cycle" });
    expect(json("timed.json")).toEqual(json("values.json"));
    expect(json("timed.json")).not.toEqual(Array.from({ length: 256 }, () => Array(32).fill(0)));
  });

  test("nothing where one file cannot be written", async () => {
    expect(await refused({ mode: "cycle", metrics: at("ok.json"), schedule: at("no/where.json") })).toContain(
      "KPU8002",
    );
  });
});

test("arrays are not made for time alone", async () => {
  const before = process.memoryUsage().arrayBuffers;
  const large = { in: ["c=zeros:1", "a=zeros:2000000x64", "b=zeros:64x32", "blocks=62500"] };
  expect(await kpu({ ...large, mode: "cycle" })).toContain(`${2_000_000 * 64 * 4 + 2 * 8192} `);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6);
});

describe("what it refuses", () => {
  const dependentIn = { in: ["y=zeros:4", "x=zeros:4"] };
  const REFUSED: readonly (readonly [
    what: string,
    says: string,
    options: Readonly<Record<string, unknown>>,
    file?: string,
  ])[] = [
    ["a mode that there is not", "functional, cycle or power, got fast", { mode: "fast" }],
    [
      "a trace without time",
      "KPU8001 --trace is for a mode that has time | add --mode cycle",
      { trace: "t.json" },
    ],
    ["accesses without time", "--memory-trace is for a mode", { memoryTrace: "a.json", mode: "functional" }],
    ["a machine without time", "or build for the machine: --target", { machine: "t64" }],
    ["a fabric without time", "--fabric-model is for a mode", { fabricModel: "alone" }],
    ["a fabric that there is not", "overlapped, alone or scalesim", { mode: "cycle", fabricModel: "tpu" }],
    ["a limit of nothing", "--max-rows limits a schedule", { mode: "cycle", maxRows: 10 }],
    ["a schedule that is too long", "KPU9013", { mode: "cycle", schedule: at("s9.json"), maxRows: 10 }],
    ["a machine that there is not", "KPU6006", { mode: "cycle", machine: "moon" }],
    [
      "a machine with fewer tiles",
      "KPU9012 product runs on 2 tiles, minimal has 1",
      { mode: "cycle", machine: "minimal" },
    ],
    ["two outputs in one file", "named twice", { mode: "cycle", metrics: at("x.json"), trace: at("x.json") }],
    [
      "an output in the place of the program",
      "named twice",
      { mode: "cycle", metrics: at("product.kpubin") },
    ],
    [
      "commands that depend on data",
      "KPU9020 dependent cannot be timed without its data",
      { ...dependentIn, mode: "cycle" },
      "dependent.kpubin",
    ],
    [
      "metrics of commands that depend on data",
      "KPU9020",
      { ...dependentIn, metrics: at("d.json") },
      "dependent.kpubin",
    ],
  ];
  for (const [what, says, options, file] of REFUSED)
    test(what, async () => {
      expect(await refused(options, file)).toContain(says);
    });
});
