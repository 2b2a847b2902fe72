import { relative, resolve } from "node:path";
import { z } from "zod";
import { build } from "../../executions.ts";
import { fail, type Location } from "../../ir/diagnostic.ts";
import { MODES, type Mode } from "../../machine/coverage.ts";
import { FABRIC_MODELS } from "../../machine/fabric.ts";
import { MAX_ROWS } from "../../machine/model/schedule.ts";
import { targetOf } from "../../machine/target.ts";
import { type KpuProgram, loadProgram } from "../../runtime/index.ts";
import { metricsOf } from "../../runtime/metrics.ts";
import { ownMachine, timeProgram } from "../../runtime/timing.ts";
import { type Bound, bindInputs, hostArguments, plannedOutputs, timedArguments } from "../arguments.ts";
import { type Output, readBytes, writeAll } from "../datafile.ts";
import { loadKernel } from "../load.ts";
import { MACHINE_NAMES, machineNamed, notModelledText, unusedText } from "../machines.ts";
import { reportLines } from "../report-text.ts";
import { print } from "../terminal.ts";
import { SCHEDULED, type TimedFiles, timedOutputs } from "../timed-outputs.ts";
import {
  type Command,
  count,
  flagOf,
  KERNEL_OPTION,
  oneOf,
  parse,
  TARGET_OPTION,
  text,
  texts,
} from "./command.ts";

const machine = text.transform(machineNamed).optional();
const Options = z.object({
  kernel: text.optional(),
  target: machine,
  tiles: count.optional(),
  in: texts,
  out: texts,
  mode: oneOf(MODES).optional(),
  machine,
  fabricModel: oneOf(FABRIC_MODELS).optional(),
  metrics: text.optional(),
  schedule: text.optional(),
  trace: text.optional(),
  memoryTrace: text.optional(),
  record: text.optional(),
  maxRows: count.optional(),
});
type Options = z.infer<typeof Options>;

export const INPUT_OPTIONS = [
  [
    "--in <name=value>",
    "Argument: .npy, .json, .png file, zeros:480x640, number, true, false, null (repeat)",
  ],
  [
    "--out <name=file>",
    "Write an array after the run: .npy, .json, .png, with a shape as file:480x640 (repeat)",
  ],
] as const;

/** Options that mean something only where there is time. */
const TIMED = [
  "machine",
  "fabricModel",
  ...SCHEDULED,
  "maxRows",
  "record",
] as const satisfies readonly (keyof Options)[];
const FILES = ["metrics", ...SCHEDULED] as const satisfies readonly (keyof Options)[];

export const run: Command = {
  usage: "run <file>",
  summary: "Run a program file, or compile a kernel and run it; with --mode, say what it costs",
  options: [
    ...INPUT_OPTIONS,
    KERNEL_OPTION,
    TARGET_OPTION,
    ["--tiles <n>", "Tiles; default: all of the target"],
    [
      "--mode <mode>",
      "functional (default): values; cycle: time; power: time and energy. Values are made only for --out there",
    ],
    ["--machine <name>", `To be timed on: ${MACHINE_NAMES}; default: that of the target`],
    ["--fabric-model <name>", `How folds overlap: ${FABRIC_MODELS.join(", ")}`],
    ["--metrics <file>", "Write the report as JSON"],
    ["--schedule <file>", "Write what happened when as JSON: cycle, component, op, tile, src, dst"],
    ["--trace <file>", "Write it for ui.perfetto.dev and chrome://tracing"],
    ["--memory-trace <file>", "Write the accesses of DRAM as JSON: cycle, kind, address, bytes"],
    ["--record <file>", "Write the program file with what the call cost as measured; see kpu inspect"],
    ["--max-rows <n>", `Rows that a schedule may have; default: ${MAX_ROWS}`],
  ],
  examples: [
    "run saxpy.kpubin --in x=x.npy --in y=y.npy --in a=2 --in n=1000 --out y=y.npy",
    "run image.ts --kernel grey --in rgb=photo.png --in out=zeros:512x512 --in pixels=262144 --out out=grey.png",
    "run saxpy.ts --mode power --machine t64 --in x=zeros:1000000 --in y=zeros:1000000 --in a=2 --in n=1000000",
    "run saxpy.kpubin --mode cycle --trace saxpy.trace.json --in x=x.npy --in y=y.npy --in a=2 --in n=1000",
  ],
  async run([file], options) {
    const o = parse(Options, options);
    const mode = checkedMode(o);
    const program = await programOf(String(file), o);
    const bound = bindInputs(program.params, o.in, program.weights);
    const outputs = plannedOutputs(bound, o.out);
    const written = [...outputs.map((x) => x.file), ...FILES.flatMap((name) => o[name] ?? [])];
    checkDistinct([String(file), ...written]);
    // A program file may take the record of its own runs.
    checkDistinct([...written, ...(o.record === undefined ? [] : [o.record])]);
    const timed =
      mode === "functional" && o.metrics === undefined ? undefined : timedCall(program, bound, o, mode);
    if (mode === "functional" || outputs.length > 0)
      program.runWith(
        { print, ...(o.tiles === undefined ? {} : { tiles: o.tiles }) },
        ...hostArguments(bound),
      );
    const files = [...outputs, ...(timed?.outputs ?? [])];
    writeAll(files);
    for (const line of timed?.lines ?? []) print(line);
    for (const { file: name } of files) print(`wrote ${name}`);
    if (o.mode === "functional") for (const line of notModelledText(mode)) print(line);
    return 0;
  },
};

/** The mode, and that every option means something in it. */
function checkedMode({ mode = "functional", ...o }: Options): Mode {
  const idle = TIMED.find((name) => o[name] !== undefined);
  if (mode === "functional" && idle !== undefined)
    fail("KPU8001", `--${flagOf(idle)} is for a mode that has time`, {
      help: `add --mode cycle or --mode power${idle === "machine" ? ", or build for the machine: --target" : ""}`,
    });
  if (o.maxRows !== undefined && !isScheduled(o))
    fail("KPU8001", "--max-rows limits a schedule, and none is written", {
      help: `add ${SCHEDULED.map((name) => `--${flagOf(name)}`).join(", ")} or leave it out`,
    });
  return mode;
}

const isScheduled = (o: TimedFiles): boolean => SCHEDULED.some((name) => o[name] !== undefined);

interface TimedCall {
  readonly lines: readonly string[];
  readonly outputs: readonly Output[];
}

function timedCall(program: KpuProgram, bound: readonly Bound[], o: Options, mode: Mode): TimedCall {
  const on = o.machine ?? o.target ?? ownMachine(program);
  const tiles = o.tiles ?? program.compiled.target.tiles;
  const report = timeProgram(program, timedArguments(bound), {
    machine: on,
    tiles,
    mode,
    ...(o.fabricModel === undefined ? {} : { fabricModel: o.fabricModel }),
    ...(isScheduled(o) ? { schedule: { maxRows: o.maxRows ?? MAX_ROWS } } : {}),
  });
  const { locations } = program.compiled.machine;
  const head = {
    tiles,
    arguments: Object.fromEntries(bound.map(({ spec, value }) => [spec.name, argumentShown(value)])),
  };
  const placeOf = (at: number): string | number => placeText(locations[at]) ?? at;
  const outputs = timedOutputs(o, { head, placeOf }, report);
  if (report.mode === "functional") return { lines: [], outputs };
  if (o.record !== undefined) {
    const measured = metricsOf(program, timedArguments(bound), report, tiles);
    outputs.push({ file: o.record, content: program.withMetrics({ measured }).bytes });
  }
  const unused = unusedText(on, mode);
  const { ops } = program.description;
  const nameOf = (span: string | number): string => ops.find((op) => op.span === span)?.name ?? String(span);
  return {
    lines: [...reportLines(report, { tiles, nameOf }), ...(unused.length > 0 ? [""] : []), ...unused],
    outputs,
  };
}

function placeText(location: Location | undefined): string | undefined {
  return location && `${relative(process.cwd(), location.file)}:${location.line}:${location.column}`;
}

/** JSON has no NaN and no infinities: they are texts, as in data files. */
function argumentShown(value: Bound["value"]): unknown {
  if (typeof value === "object") return value === null ? null : { dtype: value.dtype, shape: value.shape };
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

async function programOf(file: string, o: Options): Promise<KpuProgram> {
  if (!/\.[cm]?[jt]s$/.test(file)) {
    const program = loadProgram(readBytes(file));
    if (o.target !== undefined)
      fail(
        "KPU8001",
        `--target ${o.target.name}: ${file} is built for ${program.compiled.target.name} already`,
        {
          help: "leave --target out, or run the kernel's source",
        },
      );
    return program;
  }
  const { kernel } = await loadKernel(file, o.kernel);
  const on = o.target ?? o.machine;
  return build(kernel, on ? { target: targetOf(on) } : {});
}

/** Two files of one name: the second one would take the place of the first. */
function checkDistinct(files: readonly string[]): void {
  const seen = new Set<string>();
  for (const file of files) {
    const path = resolve(file);
    if (seen.has(path))
      fail("KPU8001", `${file} is named twice`, { help: "write each output to a file of its own" });
    seen.add(path);
  }
}
