import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { documentIntrinsics, type IntrinsicDocument } from "../../dsl/document.ts";
import { INTRINSICS } from "../../dsl/intrinsic.ts";
import { cellsOf } from "../../equivalence/matrix/matrix.ts";
import { fail } from "../../ir/diagnostic.ts";
import { referencePages } from "../reference.ts";
import { colours, print } from "../terminal.ts";
import { type Command, flag, JSON_OPTION, parse, text } from "./command.ts";

const Options = z.object({ json: flag, md: flag, out: text.optional() });

/** What the JSON says of an intrinsic beyond its documentation. */
interface Listed extends IntrinsicDocument {
  readonly executions: readonly ("direct" | "compiled")[];
  /** Kernels generated from the record (`npm run test:matrix`): its example, and one for each dtype and width. */
  readonly tests: { readonly examples: number; readonly kernels: number };
  /** What a complete record has and this one lacks. */
  readonly missing: readonly string[];
}

function listed(d: IntrinsicDocument): Listed {
  const record = INTRINSICS.find((r) => r.name === d.name);
  const cells = record === undefined ? [] : cellsOf(record);
  const executions = (["direct", "compiled"] as const).filter(
    (e) => typeof (e === "direct" ? record?.simulate : record?.lower) === "function",
  );
  const tests = {
    examples: cells.filter((c) => c.kind === "example").length,
    kernels: cells.filter((c) => c.kind !== "example").length,
  };
  const lacks = {
    "direct execution": !executions.includes("direct"),
    "compiled execution": !executions.includes("compiled"),
    documentation: d.doc.trim() === "",
    example: d.example.trim() === "",
    tests: tests.examples + tests.kernels === 0,
  };
  const missing = Object.entries(lacks).flatMap(([what, lacking]) => (lacking ? [what] : []));
  return { ...d, executions, tests, missing };
}

function writePages(folder: string | undefined): void {
  const pages = referencePages();
  if (folder === undefined) {
    print([...pages.values()].join("\n").trimEnd());
    return;
  }
  mkdirSync(folder, { recursive: true });
  for (const [name, page] of pages) writeFileSync(join(folder, name), page);
}

export const intrinsics: Command = {
  usage: "intrinsics [name]",
  summary: "Print the reference of the intrinsics, from their records",
  options: [
    JSON_OPTION,
    ["--md", "Print Markdown, a page for each family"],
    ["--out <folder>", "With --md: write the pages there"],
  ],
  examples: ["intrinsics", "intrinsics vadd", "intrinsics --json", "intrinsics --md --out docs/intrinsics"],
  run([name], options) {
    const o = parse(Options, options);
    if (o.out !== undefined && !o.md) fail("KPU8001", "--out needs --md");
    if (o.json) {
      print(JSON.stringify(documentIntrinsics().map(listed), null, 2));
      return 0;
    }
    if (o.md) {
      writePages(o.out);
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
