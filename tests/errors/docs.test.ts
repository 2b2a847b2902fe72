/** docs/errors.md: every code with its stage, and a kernel of tests/bad with the report it gets. UPDATE_GOLDEN=1 writes it. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { CODES } from "kpu-dsl";
import { expect, test } from "vitest";
import { STAGES } from "../../cli/commands/explain.ts";

const FILE = new URL("../../docs/errors.md", import.meta.url);
const BAD = new URL("../bad/", import.meta.url);

/** The shortest golden report per code. */
function examples(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(BAD).filter((f) => f.endsWith(".txt"))) {
    const report = readFileSync(new URL(name, BAD), "utf8").trimEnd();
    const codes = [...report.matchAll(/^error\[(KPU\d+)\]/gm)];
    const code = codes[0]?.[1];
    if (codes.length !== 1 || code === undefined) continue;
    const before = found.get(code);
    if (before === undefined || report.length < before.length) found.set(code, report);
  }
  return found;
}

function errorsMarkdown(): string {
  const reports = examples();
  const out = [
    "# Diagnostics",
    "",
    "Every error that a user can cause has a code, the author's line, and what to write instead. `kpu explain KPU4006` says what a code means; a thrown `KpuError` has it as",
    "`error.code`, and `error.diagnostics` holds the whole as data. The list is generated from `ir/codes.ts`, the reports from the kernels of `tests/bad`.",
  ];
  let stage = "";
  for (const [code, title] of Object.entries(CODES)) {
    const digit = code.charAt(3);
    if (digit !== stage) {
      stage = digit;
      out.push("", `## ${digit}xxx: ${STAGES[digit]}`);
    }
    out.push("", `### ${code}: ${title}`);
    const report = reports.get(code);
    if (report !== undefined) out.push("", ...report.split("\n").map((row) => `    ${row}`.trimEnd()));
  }
  return `${out.join("\n")}\n`;
}

test("docs/errors.md is current", () => {
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(FILE, errorsMarkdown());
  else expect(readFileSync(FILE, "utf8")).toBe(errorsMarkdown());
});
