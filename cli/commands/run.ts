import { z } from "zod";
import { build } from "../../executions.ts";
import { fail } from "../../ir/diagnostic.ts";
import { type KpuProgram, loadProgram } from "../../runtime/index.ts";
import { bindInputs, hostArguments, writeOutputs } from "../arguments.ts";
import { readBytes } from "../datafile.ts";
import { loadKernel } from "../load.ts";
import { print } from "../terminal.ts";
import { type Command, count, KERNEL_OPTION, parse, TARGET_OPTION, target, text, texts } from "./command.ts";

const Options = z.object({ kernel: text.optional(), target, tiles: count.optional(), in: texts, out: texts });

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

export const run: Command = {
  usage: "run <file>",
  summary: "Run a program file, or compile a kernel and run it",
  options: [
    ...INPUT_OPTIONS,
    KERNEL_OPTION,
    TARGET_OPTION,
    ["--tiles <n>", "Tiles; default: all of the target"],
  ],
  examples: [
    "run saxpy.kpubin --in x=x.npy --in y=y.npy --in a=2 --in n=1000 --out y=y.npy",
    "run image.ts --kernel grey --in rgb=photo.png --in out=zeros:512x512 --in pixels=262144 --out out=grey.png",
  ],
  async run([file], options) {
    const o = parse(Options, options);
    const program = await programOf(String(file), o);
    const bound = bindInputs(program.params, o.in);
    program.runWith({ print, ...(o.tiles === undefined ? {} : { tiles: o.tiles }) }, ...hostArguments(bound));
    for (const written of writeOutputs(bound, o.out)) print(`wrote ${written}`);
    return 0;
  },
};

async function programOf(file: string, o: z.infer<typeof Options>): Promise<KpuProgram> {
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
  return build(kernel, o.target ? { target: o.target } : {});
}
