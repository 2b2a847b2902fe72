import { z } from "zod";
import { CODES, type DiagnosticCode } from "../../ir/codes.ts";
import { fail } from "../../ir/diagnostic.ts";
import { print } from "../terminal.ts";
import { type Command, flag, JSON_OPTION, parse } from "./command.ts";

/** What the thousands digit of a code says. */
export const STAGES: Readonly<Record<string, string>> = {
  "1": "syntax that a kernel may not contain; found before the first run",
  "2": "names, closure and staging; found before the first run",
  "3": "types and ranges; found before the first run",
  "4": "memory; found while a kernel runs directly, and before where it is static",
  "5": "synchronisation of tiles; found while a kernel runs directly",
  "6": "the host side: arguments, calls and options",
  "7": "IR, program and data files",
  "8": "the command line",
  "9": "the machine model: configuration, cycles and energy",
};

export const explain: Command = {
  usage: "explain [code]",
  summary: "Explain a diagnostic code, or list them all",
  options: [JSON_OPTION],
  examples: ["explain KPU4006", "explain"],
  run([code], options) {
    const codes = Object.keys(CODES) as DiagnosticCode[];
    const asked =
      code === undefined
        ? codes
        : codes.filter((c) => c === String(code).toUpperCase() || c === `KPU${code}`);
    if (asked.length === 0)
      fail("KPU8001", `there is no code ${String(code)}`, { help: "kpu explain lists them all" });
    const rows = asked.map((c) => ({ code: c, title: CODES[c], stage: STAGES[c.charAt(3)] ?? "" }));
    if (parse(z.object({ json: flag }), options).json) print(JSON.stringify(rows, null, 2));
    else if (code === undefined) for (const r of rows) print(`${r.code}  ${r.title}`);
    else for (const r of rows) print(`${r.code}: ${r.title}\n\n  Stage: ${r.stage}.`);
    return 0;
  },
};
