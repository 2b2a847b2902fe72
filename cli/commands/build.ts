import { basename, resolve } from "node:path";
import { z } from "zod";
import { build as buildKernel, PASSES } from "../../executions.ts";
import { fail, KpuError } from "../../ir/diagnostic.ts";
import type { ProgramMetrics } from "../../ir/program.ts";
import { DEFAULT_PRESET } from "../../machine/presets/index.ts";
import { targetOf } from "../../machine/target.ts";
import { estimateProgram, type KpuProgram } from "../../runtime/index.ts";
import { knownArguments } from "../../runtime/metrics.ts";
import { bindInputs, timedArguments } from "../arguments.ts";
import { writeWhole } from "../datafile.ts";
import { loadKernel } from "../load.ts";
import { machineNamed } from "../machines.ts";
import { figure } from "../report-text.ts";
import { print } from "../terminal.ts";
import { type Command, KERNEL_OPTION, oneOf, parse, TARGET_OPTION, text, texts } from "./command.ts";

const Options = z.object({
  kernel: text.optional(),
  target: text.transform(machineNamed).optional(),
  output: text.optional(),
  checks: z.boolean().default(true),
  dumpAfter: oneOf([...PASSES, "all"]).optional(),
  in: texts,
  mode: oneOf(["cycle", "power"]).default("cycle"),
});
type Options = z.infer<typeof Options>;

export const build: Command = {
  usage: "build <file>",
  summary: "Compile a kernel to a program file (.kpubin)",
  options: [
    ["-o, --output <file>", "Program file; default: the kernel's name with .kpubin"],
    KERNEL_OPTION,
    TARGET_OPTION,
    [
      "--in <name=value>",
      "Estimate what a call costs and keep it in the file: zeros:480x640, number, true, false, null (repeat)",
    ],
    ["--mode <mode>", "Of estimates: cycle (default), or power, which has energy too"],
    ["--no-checks", "Leave out bounds checks"],
    ["--dump-after <pass>", `Print the KIR after a pass instead: ${PASSES.join(", ")} or all`],
  ],
  examples: [
    "build saxpy.ts -o saxpy.kpubin",
    "build blas.ts --kernel Blas.saxpy --target t64",
    "build saxpy.ts --dump-after virtual",
    "build saxpy.ts --in x=zeros:1000 --in y=zeros:1000 --in a=2 --in n=1000 --mode power",
  ],
  async run([file], options) {
    const o = parse(Options, options);
    const found = await loadKernel(String(file), o.kernel);
    const wanted = o.dumpAfter;
    const program = buildKernel(found.kernel, {
      checks: o.checks,
      ...(o.target ? { target: targetOf(o.target) } : {}),
      ...(wanted
        ? {
            dump: (pass, text) => (wanted === pass || wanted === "all") && print(`// after ${pass}\n${text}`),
          }
        : {}),
    });
    if (wanted) return 0;
    const output = o.output ?? `${program.name}.kpubin`;
    if (resolve(output) === resolve(String(file)))
      fail("KPU8001", `--output ${output} is the file of the kernel`, { help: "write it to another file" });
    const { estimates, why } = estimated(program, o);
    const { bytes } = estimates === undefined ? program : program.withMetrics({ estimates });
    writeWhole(output, bytes);
    print(`${basename(output)}: ${program.name}, ${bytes.length} bytes`);
    if (estimates !== undefined) print(`a call is estimated at ${figure(estimates.totalTimeUs)} us`);
    if (why !== undefined) print(`a call is not estimated: ${why}`);
    return 0;
  },
};

interface Estimated {
  readonly estimates?: ProgramMetrics;
  /** Why there are none, where nobody asked for them. */
  readonly why?: string;
}

/** Of a call with the arguments that are given, or with those that every call has. */
function estimated(program: KpuProgram, o: Options): Estimated {
  const options = { machine: o.target ?? DEFAULT_PRESET, mode: o.mode };
  if (o.in.length > 0) {
    const bound = bindInputs(program.params, o.in, program.weights);
    return { estimates: estimateProgram(program, timedArguments(bound), options) };
  }
  const args = knownArguments(program);
  if (args === undefined) return {};
  try {
    return { estimates: estimateProgram(program, args, options) };
  } catch (error) {
    if (!(error instanceof KpuError)) throw error;
    return { why: error.diagnostics[0]?.message ?? error.message };
  }
}
