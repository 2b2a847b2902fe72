import { basename, resolve } from "node:path";
import { z } from "zod";
import { build as buildKernel, PASSES } from "../../executions.ts";
import { fail } from "../../ir/diagnostic.ts";
import { writeWhole } from "../datafile.ts";
import { loadKernel } from "../load.ts";
import { print } from "../terminal.ts";
import { type Command, KERNEL_OPTION, oneOf, parse, TARGET_OPTION, target, text } from "./command.ts";

const Options = z.object({
  kernel: text.optional(),
  target,
  output: text.optional(),
  checks: z.boolean().default(true),
  dumpAfter: oneOf([...PASSES, "all"]).optional(),
});

export const build: Command = {
  usage: "build <file>",
  summary: "Compile a kernel to a program file (.kpubin)",
  options: [
    ["-o, --output <file>", "Program file; default: the kernel's name with .kpubin"],
    KERNEL_OPTION,
    TARGET_OPTION,
    ["--no-checks", "Leave out bounds checks"],
    ["--dump-after <pass>", `Print the KIR after a pass instead: ${PASSES.join(", ")} or all`],
  ],
  examples: [
    "build saxpy.ts -o saxpy.kpubin",
    "build blas.ts --kernel Blas.saxpy --target t64",
    "build saxpy.ts --dump-after virtual",
  ],
  async run([file], options) {
    const o = parse(Options, options);
    const found = await loadKernel(String(file), o.kernel);
    const wanted = o.dumpAfter;
    const program = buildKernel(found.kernel, {
      checks: o.checks,
      ...(o.target ? { target: o.target } : {}),
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
    writeWhole(output, program.bytes);
    print(`${basename(output)}: ${program.name}, ${program.bytes.length} bytes`);
    return 0;
  },
};
