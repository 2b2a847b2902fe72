import { basename, resolve } from "node:path";
import { z } from "zod";
import { fail } from "../../ir/diagnostic.ts";
import { type KpuProgram, loadProgram } from "../../runtime/index.ts";
import { readBytes, writeWhole } from "../datafile.ts";
import { print } from "../terminal.ts";
import { type Command, flag, parse, text } from "./command.ts";

const Options = z.object({ kir: flag, code: flag, output: text.optional() });

export const disasm: Command = {
  usage: "disasm <file>",
  summary: "Print a program file (.kpubin) as KPU assembly (.kasm)",
  options: [
    ["-o, --output <file>", "Write it to a file, of which kpu asm makes the same program file"],
    ["--code", "Only the code that runs, without the lines that it comes from"],
    ["--kir", "Only the KIR that the code was compiled from"],
  ],
  examples: ["disasm saxpy.kpubin", "disasm saxpy.kpubin -o saxpy.kasm", "disasm saxpy.kpubin --kir"],
  run([given], options) {
    const o = parse(Options, options);
    if (o.kir && o.code) fail("KPU8001", "--kir and --code are two texts", { help: "leave one of them out" });
    const file = String(given);
    const shown = textOf(loadProgram(readBytes(file)), o);
    if (o.output === undefined) {
      print(shown.replace(/\n$/, ""));
      return 0;
    }
    if (resolve(o.output) === resolve(file))
      fail("KPU8001", `--output ${o.output} is the program file`, { help: "write it to another file" });
    writeWhole(o.output, shown);
    print(`${basename(o.output)}: ${shown.length} characters`);
    return 0;
  },
};

function textOf(program: KpuProgram, { kir, code }: z.infer<typeof Options>): string {
  return kir ? program.kir : code ? program.asm : program.assembly;
}
