import { z } from "zod";
import { fail } from "../../ir/diagnostic.ts";
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import { DRAIN_DTYPES, FABRIC_DTYPES, STREAM_DTYPES } from "../../ir/path/operands.ts";
import { sumDtype } from "../../kernels/gemm/spec.ts";
import { type GemmSizes, type GemmSpec, type TunedPlan, tuneGemm } from "../../kernels/index.ts";
import { DEFAULT_PRESET } from "../../machine/presets/index.ts";
import { MACHINE_NAMES, machineNamed } from "../machines.ts";
import { print } from "../terminal.ts";
import { type Command, count, flag, JSON_OPTION, oneOf, parse, text } from "./command.ts";

const Options = z.object({
  a: oneOf(FABRIC_DTYPES).default("f32"),
  b: oneOf(STREAM_DTYPES).optional(),
  output: oneOf(DRAIN_DTYPES).optional(),
  transposeA: flag,
  transposeB: flag,
  machine: text.transform(machineNamed).default(DEFAULT_PRESET),
  tiles: count.optional(),
  plans: count.default(8),
  json: flag,
});

export const tune: Command = {
  usage: "tune <sizes>",
  summary: "Plans of a product of matrices, timed on a machine: MxNxK, a is M x K, b is K x N",
  options: [
    ["--a <dtype>", "Of a; default: f32"],
    ["--b <dtype>", "Of b; default: that of a. With i8 or u8 in a also i4 and u4"],
    ["--output <dtype>", "Of the result; default: f32 of floats, i32 of integers"],
    ["--transpose-a", "a is stored as K rows of M"],
    ["--transpose-b", "b is stored as N rows of K"],
    ["--machine <name>", `${MACHINE_NAMES}; default: ${DEFAULT_PRESET.name}`],
    ["--tiles <n>", "Tiles; default: all of the machine"],
    ["--plans <n>", "How many of the most promising plans to time; default: 8"],
    JSON_OPTION,
  ],
  examples: ["tune 1024x1024x1024 --tiles 1", "tune 512x4096x4096 --a i8 --b i4 --machine t64 --json"],
  run([given], options) {
    const o = parse(Options, options);
    const sizes = sizesOf(String(given));
    const { a, b = a } = o;
    const operands = { a, b, transposeA: o.transposeA, transposeB: o.transposeB };
    const out = o.output ?? sumDtype({ ...operands, out: a });
    // Which scale a result of 8 bits has does not change its time.
    const spec: GemmSpec = {
      ...operands,
      out,
      ...(DTYPES[out].bits === 8 ? { quantize: { scale: 1 } } : {}),
    };
    const { machine, tiles = machine.tile.count, plans } = o;
    if (tiles > machine.tile.count)
      fail("KPU8001", `--tiles ${tiles}: ${machine.name} has ${machine.tile.count}`, {
        help: "take fewer, or a machine with more",
      });
    const tuned = tuneGemm(spec, sizes, machine, { tiles, plans });
    if (o.json)
      print(
        JSON.stringify(
          tuned.map(({ report, ...t }) => ({ ...t, report })),
          undefined,
          2,
        ),
      );
    else for (const line of textOf(spec, sizes, machine.name, tiles, tuned)) print(line);
    return 0;
  },
};

function sizesOf(given: string): GemmSizes {
  const [, m, n, k] = /^(\d+)x(\d+)x(\d+)$/.exec(given) ?? [];
  const sizes = { m: Number(m), n: Number(n), k: Number(k) };
  if (!Object.values(sizes).every((x) => x >= 1 && x <= 2 ** 24))
    fail("KPU8001", `kpu tune ${given}: expected three sizes from 1 to 16777216, as 1024x768x512`, {
      help: "rows of the result, its columns, and the depth that they have in common: MxNxK",
    });
  return sizes;
}

function textOf(
  spec: GemmSpec,
  { m, n, k }: GemmSizes,
  machine: string,
  tiles: number,
  tuned: readonly TunedPlan[],
): string[] {
  const rows = tuned.map(({ plan: p, report, utilization, overRoofline, overBound }) => [
    `${p.blockRows} x ${p.blockCols}`,
    `${2 * p.halfRows} x ${p.cols}`,
    `${p.depth} / ${p.turns}`,
    String(p.tileCols),
    String(Math.ceil(report.totalCycles)),
    `${(100 * utilization).toFixed(1)} %`,
    overRoofline.toFixed(3),
    ((report.traffic.dram.read + report.traffic.dram.written) / 1e6).toFixed(2),
    overBound.toFixed(3),
  ]);
  const head = ["block", "micro", "depth / turns", "across", "cycles", "fabric", "roofline", "MB", "bound"];
  const widths = head.map((h, i) => Math.max(h.length, ...rows.map((r) => (r[i] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    cells.map((c, i) => c.padStart(widths[i] ?? 0)).join("  ");
  const dtypes: readonly DTypeName[] = [spec.a, spec.b, spec.out];
  return [
    `${m} x ${n} x ${k}, ${dtypes.join(" x ").replace(/ x (\w+)$/, " = $1")}, on ${tiles} of ${machine}; the best plan first`,
    "",
    line(head),
    ...rows.map(line),
    "",
    "across: tiles side by side. roofline: cycles by the least that any schedule of these commands needs. bound: bytes of",
    "DRAM by the least that any schedule moves with as much memory as l3 and l2 have together.",
  ];
}
