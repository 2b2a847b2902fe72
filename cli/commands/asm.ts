import { basename, resolve } from "node:path";
import { z } from "zod";
import { fail } from "../../ir/diagnostic.ts";
import { assemble } from "../../runtime/index.ts";
import { readBytes, writeWhole } from "../datafile.ts";
import { print } from "../terminal.ts";
import { type Command, parse, text } from "./command.ts";

const Options = z.object({ output: text.optional() });

export const asm: Command = {
  usage: "asm <file>",
  summary: "Make a program file (.kpubin) of KPU assembly (.kasm)",
  options: [["-o, --output <file>", "Program file; default: the name of the text with .kpubin"]],
  examples: ["asm saxpy.kasm -o saxpy.kpubin"],
  run([given], options) {
    const file = String(given);
    const output = parse(Options, options).output ?? `${basename(file).replace(/\.kasm$/, "")}.kpubin`;
    const program = assemble(readText(file), file);
    if (resolve(output) === resolve(file))
      fail("KPU8001", `--output ${output} is the file of the text`, { help: "write it to another file" });
    writeWhole(output, program.bytes);
    print(`${basename(output)}: ${program.name}, ${program.bytes.length} bytes`);
    return 0;
  },
};

function readText(file: string): string {
  const bytes = readBytes(file);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return fail("KPU7007", `${file} is not text`, { help: "kpu disasm makes text of a program file" });
  }
}
