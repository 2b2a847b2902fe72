import { createHash } from "node:crypto";
import { z } from "zod";
import { manifestOf, readProgram, sectionsOf } from "../../codegen/index.ts";
import { readBytes } from "../datafile.ts";
import { type Inspected, inspectLines } from "../inspect-text.ts";
import { print } from "../terminal.ts";
import { type Command, flag, JSON_OPTION, parse } from "./command.ts";

const Options = z.object({ json: flag });

export const inspect: Command = {
  usage: "inspect <file>",
  summary: "Say what a program file holds: sections, parameters, tensors, ops and their tiling, memory, cost",
  options: [JSON_OPTION],
  examples: ["inspect saxpy.kpubin", "inspect saxpy.kpubin --json"],
  run([given], options) {
    const file = String(given);
    const inspected = inspectedFile(file, readBytes(file));
    if (parse(Options, options).json) print(JSON.stringify(inspected, null, 2));
    else for (const line of inspectLines(inspected)) print(line);
    return 0;
  },
};

/** @throws KPU7003, KPU7004 a file that is no program file of this version */
export function inspectedFile(file: string, content: Uint8Array): Inspected {
  return {
    file,
    bytes: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
    sections: sectionsOf(content),
    manifest: manifestOf(readProgram(content)),
  };
}
