import { z } from "zod";
import { documentIntrinsics, intrinsicsJson, intrinsicsMarkdown } from "../../dsl/document.ts";
import { fail } from "../../ir/diagnostic.ts";
import { colours, print } from "../terminal.ts";
import { type Command, flag, JSON_OPTION, parse } from "./command.ts";

const Options = z.object({ json: flag, md: flag });

export const intrinsics: Command = {
  usage: "intrinsics [name]",
  summary: "Print the reference of the intrinsics, from their records",
  options: [JSON_OPTION, ["--md", "Print Markdown"]],
  examples: ["intrinsics", "intrinsics vadd", "intrinsics --json"],
  run([name], options) {
    const o = parse(Options, options);
    if (o.json || o.md) {
      print((o.json ? intrinsicsJson() : intrinsicsMarkdown()).trimEnd());
      return 0;
    }
    const all = documentIntrinsics();
    const asked = name === undefined ? all : all.filter((d) => d.name === String(name).replace(/^S\./, ""));
    if (asked.length === 0)
      fail("KPU8001", `there is no intrinsic "${name}"`, { help: "kpu intrinsics lists them all" });
    const width = Math.max(...asked.map((d) => d.call.length)) + 2;
    for (const d of asked) {
      print(
        name === undefined
          ? `${d.call.padEnd(width)}${d.doc.split(/(?<=\.) /)[0]}`
          : `${colours.bold(d.call)}\n\n${d.doc}`,
      );
    }
    return 0;
  },
};
