/**
 * What the pages show is true: every `ts run` block runs and prints what stands behind it, every kernel that it exports
 * gives the same bits compiled, and the commands of `sh run` blocks succeed. UPDATE_GOLDEN=1 writes the outputs.
 */
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type AnyKernel, checkEquivalence, recordOf } from "kpu-dsl";
import { afterEach, describe, expect, it, vi } from "vitest";
import { folderOf, Page, seenFrom } from "./blocks.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
afterEach(() => void vi.restoreAllMocks());

for (const name of [
  "debugging.md",
  "coming-from.md",
  "domain-flow.md",
  "timing.md",
  "machine.md",
  "itpu.md",
  "library.md",
]) {
  const page = new Page(name);
  const folder = folderOf(page);
  describe(name, () => {
    for (const block of page.of("ts run")) {
      const file = block.info.split(" ")[2] ?? "";
      const url = new URL(file, folder);
      it(file, async () => {
        expect(file).toMatch(/^[a-z-]+\.ts$/);
        writeFileSync(url, block.text);
        const lines: string[] = [];
        vi.spyOn(console, "log").mockImplementation((...line: unknown[]) => void lines.push(line.join(" ")));
        const exported = (await import(url.href)) as Readonly<Record<string, unknown>>;
        vi.restoreAllMocks();
        const output = seenFrom(folder, lines.map((line) => `${line}\n`).join(""));
        if (process.env["UPDATE_GOLDEN"]) {
          if (output !== "" && output !== block.output) page.update(block, output);
        } else expect(output).toBe(block.output ?? "");
        for (const kernel of Object.values(exported)) {
          if (recordOf(kernel) === undefined) continue;
          const report = checkEquivalence(kernel as AnyKernel, { runs: 15 });
          expect(report.ok, String(report)).toBe(true);
        }
      });
    }
    for (const block of page.of("sh run")) {
      for (const line of block.text.trim().split("\n")) {
        const command = line.replace(/\s+#.*/, "");
        // Each starts a process, which takes seconds on a busy machine: `npm run test:docs`.
        it.skipIf(!process.env["DOCS_COMMANDS"])(command, () => {
          const [npx, kpu, ...args] = command.split(" ");
          expect([npx, kpu]).toEqual(["npx", "kpu"]);
          const cli = ["--conditions=kpu-source", "--import", "tsx", `${root}cli/main.ts`, ...args];
          execFileSync(process.execPath, cli, { cwd: fileURLToPath(folder), stdio: "pipe" });
        });
      }
    }
    for (const block of page.of("json launch")) {
      it("launch.json names programs that exist", () => {
        const launch = JSON.parse(block.text) as { configurations: { program: string; args?: string[] }[] };
        expect(launch.configurations.length).toBeGreaterThan(0);
        for (const { program } of launch.configurations) {
          const [variable, path] = /^\$\{(\w+)\}\/?(.*)$/.exec(program)?.slice(1) ?? [];
          if (variable === "file") continue;
          expect(variable).toBe("workspaceFolder");
          expect(existsSync(root + path), program).toBe(true);
        }
      });
    }
  });
}
