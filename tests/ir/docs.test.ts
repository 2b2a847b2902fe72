/** Keeps docs/ir.md true: its op table is generated from OPS, its example is KIR. */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { OPS, type OpSpec } from "../../ir/ops.ts";
import { parseKernel } from "../../ir/parse.ts";
import { printKernel } from "../../ir/print.ts";
import { verifyKernel } from "../../ir/verify.ts";

const FILE = new URL("../../docs/ir.md", import.meta.url);
const [BEGIN, END] = ["<!-- ops:begin -->", "<!-- ops:end -->"];

function opTable(): string {
  const rows = Object.entries(OPS as Record<string, OpSpec>).map(([name, op]) => {
    const attrs = (op.attrs ?? []).map((a) => `\`${a}\``).join(" ");
    const operands = op.arity === "any" ? "any" : op.arity;
    return `| \`${name}\` | ${operands} | ${attrs} | ${op.effect} | ${op.cost} | ${op.doc.replaceAll("|", "\\|")} |`;
  });
  return [
    "| op | operands | attributes | effect | cost | meaning |",
    "|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

test("the op table in docs/ir.md is that of ir/ops.ts", () => {
  const text = readFileSync(FILE, "utf8");
  const begin = text.indexOf(BEGIN) + BEGIN.length;
  const end = text.indexOf(END);
  const wanted = `${text.slice(0, begin)}\n${opTable()}\n${text.slice(end)}`;
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(FILE, wanted);
  else expect(text).toBe(wanted);
});

test("the example in docs/ir.md is well formed and printed as it stands", () => {
  const lines = readFileSync(FILE, "utf8").split("\n");
  const start = lines.findIndex((l) => l.startsWith("    kir 1"));
  const example = lines
    .slice(start, lines.indexOf("", start))
    .map((l) => `${l.slice(4)}\n`)
    .join("");
  const k = parseKernel(example, "docs/ir.md");
  expect(verifyKernel(k)).toEqual([]);
  expect(printKernel(k)).toBe(example);
});
