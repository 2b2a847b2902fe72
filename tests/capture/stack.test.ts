/** The author's place in a stack trace, whoever maps stack traces or not. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { authorFrame } from "../../capture/index.ts";

const folder = mkdtempSync(join(tmpdir(), "kpu-dsl-stack-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

test("a frame in a file that names its map is mapped, also where Node has a prepareStackTrace of its own", () => {
  // Line 2, column 3 comes from line 5, column 7 of k.ts.
  const map = { version: 3, sources: ["k.ts"], names: [], mappings: ";EAIM" };
  writeFileSync(at("k.js"), "// made by tsc\n  x.set(0, 1);\n//# sourceMappingURL=k.js.map");
  writeFileSync(at("k.js.map"), JSON.stringify(map));
  writeFileSync(at("k.ts"), "\n\n\n\n      x.set(0, 1);\n");
  const stack = `Error\n    at k (${at("k.js")}:2:3)\n    at node:internal/main:1:1`;
  const before = Error.prepareStackTrace;
  try {
    Error.prepareStackTrace = (error, frames) => `${String(error)}\n${frames.join("\n")}`;
    expect(authorFrame(stack)).toEqual({ file: at("k.ts"), line: 5, column: 7 });
  } finally {
    if (before === undefined) delete (Error as { prepareStackTrace?: unknown }).prepareStackTrace;
    else Error.prepareStackTrace = before;
  }
});

test("a column that does not exist is the start of its line", () => {
  writeFileSync(at("short.ts"), "  class K {}\n");
  expect(authorFrame(`Error\n    at k (${at("short.ts")}:1:962)`)).toEqual({
    file: at("short.ts"),
    line: 1,
    column: 3,
  });
});
