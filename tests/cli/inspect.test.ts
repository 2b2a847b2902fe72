/** `kpu inspect` of the programs in tests/cli/inspect, each with what is said of it beside it (UPDATE_GOLDEN=1). */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { inspectedFile } from "../../cli/commands/inspect.ts";
import { inspectLines } from "../../cli/inspect-text.ts";
import { assemble } from "../../runtime/index.ts";
import { Page } from "../docs/blocks.ts";

const folder = new URL("inspect/", import.meta.url);
const texts = readdirSync(folder).filter((f) => f.endsWith(".kasm"));

function report(text: string): string {
  const { bytes } = assemble(readFileSync(new URL(text, folder), "utf8"), text);
  return `${inspectLines(inspectedFile(text.replace(".kasm", ".kpubin"), bytes)).join("\n")}\n`;
}

test.each(texts)("%s", (text) => {
  const golden = new URL(text.replace(".kasm", ".txt"), folder);
  if (process.env["UPDATE_GOLDEN"]) writeFileSync(golden, report(text));
  expect(report(text)).toBe(readFileSync(golden, "utf8"));
});

test("docs/program-format.md shows one of them", () => {
  const page = new Page("program-format.md");
  const [command] = page.of("sh");
  if (command === undefined) throw new TypeError("the page has no command");
  expect(command.text).toBe("npx kpu inspect scale.kpubin\n");
  if (process.env["UPDATE_GOLDEN"]) page.update(command, report("scale.kasm"));
  else expect(command.output).toBe(report("scale.kasm"));
});
