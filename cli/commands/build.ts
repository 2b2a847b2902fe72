import { basename, resolve } from "node:path";
import { z } from "zod";
import { build as buildKernel } from "../../executions.ts";
import { fail } from "../../ir/diagnostic.ts";
import { writeWhole } from "../datafile.ts";
import { loadKernel } from "../load.ts";
import { print } from "../terminal.ts";
import { type Command, KERNEL_OPTION, parse, TARGET_OPTION, target, text } from "./command.ts";

const Options = z.object({
  kernel: text.optional(),
  target,
  output: text.optional(),
  checks: z.boolean().default(true),
});

export const build: Command = {
  usage: "build <file>",
  summary: "Compile a kernel to a program file (.kpubin)",
  options: [
    ["-o, --output <file>", "Program file; default: the kernel's name with .kpubin"],
    KERNEL_OPTION,
    TARGET_OPTION,
    ["--no-checks", "Leave out bounds checks"],
  ],
  examples: ["build saxpy.ts -o saxpy.kpubin", "build blas.ts --kernel Blas.saxpy --target t64"],
  async run([file], options) {
    const o = parse(Options, options);
    const found = await loadKernel(String(file), o.kernel);
    const program = buildKernel(found.kernel, {
      checks: o.checks,
      ...(o.target ? { target: o.target } : {}),
    });
    const output = o.output ?? `${program.name}.kpubin`;
    if (resolve(output) === resolve(String(file)))
      fail("KPU8001", `--output ${output} is the file of the kernel`, { help: "write it to another file" });
    writeWhole(output, program.bytes);
    print(`${basename(output)}: ${program.name}, ${program.bytes.length} bytes`);
    return 0;
  },
};
