import { z } from "zod";
import { loadProgram } from "../../runtime/index.ts";
import { readBytes } from "../datafile.ts";
import { print } from "../terminal.ts";
import { type Command, flag, parse } from "./command.ts";

const Options = z.object({ kir: flag });

export const disasm: Command = {
  usage: "disasm <file>",
  summary: "Print a program file as KPU assembly",
  options: [["--kir", "Print the KIR it was compiled from"]],
  examples: ["disasm saxpy.kpubin", "disasm saxpy.kpubin --kir"],
  run([file], options) {
    const program = loadProgram(readBytes(String(file)));
    print((parse(Options, options).kir ? program.kir : program.asm).trimEnd());
    return 0;
  },
};
