import { basename, extname } from "node:path";
import { z } from "zod";
import { fail } from "../../ir/diagnostic.ts";
import { BUF_DTYPES } from "../../itpu/buf.ts";
import { type Buf, type Given, type Graph, readGraph } from "../../itpu/index.ts";
import { MODES } from "../../machine/coverage.ts";
import { timeTrace } from "../../machine/model/run.ts";
import { PRESETS } from "../../machine/presets/index.ts";
import { readBytes, readData, writeAll, writeData } from "../datafile.ts";
import { table } from "../machine-text.ts";
import { MACHINE_NAMES, machineNamed } from "../machines.ts";
import { reportLines } from "../report-text.ts";
import { print } from "../terminal.ts";
import { SCHEDULED, timedOutputs } from "../timed-outputs.ts";
import { type Command, count, flag, flagOf, JSON_OPTION, oneOf, parse, text, texts } from "./command.ts";

const Options = z.object({
  input: texts,
  out: texts,
  json: flag,
  execution: oneOf(["compiled", "direct"]).default("compiled"),
  threads: count.optional(),
  mode: oneOf(MODES).default("functional"),
  machine: text.transform(machineNamed).optional(),
  metrics: text.optional(),
  schedule: text.optional(),
  trace: text.optional(),
  memoryTrace: text.optional(),
});

export const itpu: Command = {
  usage: "itpu <action> <file>",
  summary: "The information-theory unit: run a graph of a JSON file",
  options: [
    ["--input <file>", "Values of a buffer: x.npy for x, or name=file (repeat)"],
    ["--out <name=file>", "Write a buffer after the run: .npy, .json (repeat)"],
    ["--execution <name>", "compiled (default) or direct"],
    ["--threads <n>", "Threads that work on a batch of pairs, default as many as the machine runs at once"],
    ["--mode <mode>", "functional (default): values; cycle, power: also what the ops cost on a machine"],
    ["--machine <name>", `To be timed on: ${MACHINE_NAMES}; default: itpu-v0`],
    ["--metrics <file>", "Write the report as JSON"],
    ["--schedule <file>", "Write what happened when as JSON: cycle, component, op, tile, src, dst"],
    ["--trace <file>", "Write it for ui.perfetto.dev and chrome://tracing"],
    ["--memory-trace <file>", "Write the accesses of DRAM as JSON: cycle, kind, address, bytes"],
    JSON_OPTION,
  ],
  examples: [
    "itpu run graph.json --input x.npy",
    "itpu run graph.json --input x=a.npy --out mi=mi.npy",
    "itpu run graph.json --input x.npy --mode cycle --metrics metrics.json --trace trace.json",
  ],
  run([action, file], options) {
    if (action !== "run")
      return fail("KPU8001", `kpu itpu has no action "${action}"`, { help: "write kpu itpu run graph.json" });
    const o = parse(Options, options);
    checkTimed(o);
    const graph = readGraph(
      new TextDecoder().decode(readBytes(String(file))),
      new Map(o.input.map(inputOf)),
      String(file),
    );
    const planned = o.out.map((out) => {
      const [, name, to] = /^([^=]+)=(.+)$/.exec(out) ?? [];
      if (name === undefined || to === undefined)
        return fail("KPU8001", `--out ${out}: expected name=file with a buffer's name`);
      return { buf: graph.get(name), to };
    });
    graph.run({ execution: o.execution, ...(o.threads === undefined ? {} : { threads: o.threads }) });
    const timed = o.mode === "functional" ? undefined : timedRun(graph, o);
    for (const { buf, to } of planned) writeData(to, { dtype: buf.dtype, shape: buf.shape, data: buf.data });
    writeAll(timed?.outputs ?? []);
    const results = graph.descriptors.flatMap((d) => d.outputs.map((name) => graph.get(name)));
    if (o.json)
      print(
        JSON.stringify(
          Object.fromEntries([
            ...results.map((b) => [b.name, { dtype: b.dtype, shape: b.shape, data: [...b.data] }] as const),
            ...(timed === undefined ? [] : [["time", timed.json] as const]),
          ]),
        ),
      );
    else for (const line of [...results.map(lineOf), ...(timed?.lines ?? [])]) print(line);
    const written = [...planned.map((p) => p.to), ...(timed?.outputs ?? []).map((f) => f.file)];
    for (const file of written) if (!o.json) print(`wrote ${file}`);
    return 0;
  },
};

type Options = z.infer<typeof Options>;
const TIMED = ["machine", "metrics", ...SCHEDULED] as const satisfies readonly (keyof Options)[];

/** Options that mean something only where there is time. */
function checkTimed(o: Options): void {
  const idle = TIMED.find((name) => o[name] !== undefined);
  if (o.mode === "functional" && idle !== undefined)
    fail("KPU8001", `--${flagOf(idle)} is for a mode that has time`, {
      help: "add --mode cycle or --mode power",
    });
}

function timedRun(graph: Graph, o: Options) {
  const { execution, machine = PRESETS["itpu-v0"] } = o;
  const schedule = SCHEDULED.some((name) => o[name] !== undefined);
  const { trace, report: power, ...time } = graph.time({ execution, machine, schedule });
  const report = o.mode === "power" ? power : timeTrace(trace, machine, { schedule });
  const placeOf = (at: number): string => time.ops[at]?.output ?? "";
  const rows = time.ops.map(({ op, output, cycles, microseconds, energyUj, bottleneck: b }) => [
    op,
    output,
    String(cycles),
    microseconds.toFixed(2),
    energyUj.toFixed(2),
    [b.part, ...(b.work === undefined ? [] : [b.work])].join(", "),
    (100 * b.utilization).toFixed(0),
  ]);
  return {
    outputs: timedOutputs(o, { head: { graphOps: time.ops }, placeOf }, report),
    json: time,
    lines: [
      "",
      ...table(["op", "output", "cycles", "us", "uJ", "bottleneck", "%"], rows),
      "",
      ...reportLines(report, { tiles: 1, nameOf: String }),
    ],
  };
}

function inputOf(input: string): readonly [string, Given] {
  const [, given, path] = /^([^=]+)=(.+)$/.exec(input) ?? [];
  const file = path ?? input;
  const name = given ?? basename(file, extname(file));
  const { dtype, shape, data } = readData(file, "f32");
  const known = BUF_DTYPES.find((d) => d === dtype);
  if (known === undefined) return fail("KPU8001", `--input ${input}: a graph has no buffers of ${dtype}`);
  return [name, { dtype: known, shape, data }];
}

const MOST_SHOWN = 8;
function lineOf(buf: Buf): string {
  const shown = [...buf.data.subarray(0, MOST_SHOWN)].map((v) => String(Number(v.toPrecision(8))));
  const rest = buf.data.length > MOST_SHOWN ? ", ..." : "";
  return `${buf.name}${buf.shape.length === 0 ? "" : ` [${buf.shape.join(", ")}]`} = ${shown.join(", ")}${rest}`;
}
