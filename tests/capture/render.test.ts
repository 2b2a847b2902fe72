import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { authorFrame, render, renderAll } from "../../capture/index.ts";
import { diagnostic } from "../../ir/diagnostic.ts";

const base = mkdtempSync(join(tmpdir(), "kpu-render-"));
afterAll(() => rmSync(base, { recursive: true }));
const file = join(base, "blas.ts");
writeFileSync(
  file,
  ["const a = 1;", "\tlet bad = a + b;", "call(", "  x,", ");", ...Array(100).fill(""), "helper(y);"].join(
    "\n",
  ),
);

function lineOf(text: string): number {
  return (
    readFileSync(import.meta.filename, "utf8")
      .split("\n")
      .findIndex((row) => row.includes(text)) + 1
  );
}

test("a place with excerpt, a note with a place, a fact and help", () => {
  const d = diagnostic("KPU2001", "expected a name in scope, but found b", {
    location: { file, line: 2, column: 16, endLine: 2, endColumn: 17 },
    notes: [
      { message: "called here", location: { file, line: 106, column: 1, endLine: 106, endColumn: 10 } },
      { message: "a is 1" },
    ],
    help: "declare b\nor import it",
  });
  expect(render(d, { base })).toMatchInlineSnapshot(`
    "error[KPU2001]: expected a name in scope, but found b
       --> blas.ts:2:16
        |
      2 | 	let bad = a + b;
        | 	              ^
    note: called here
       --> blas.ts:106:1
        |
    106 | helper(y);
        | ^^^^^^^^^
        |
        = note: a is 1
        = help: declare b
                or import it"
  `);
});

test("a place over several lines marks the first; the inlining chain is shown", () => {
  const inlinedAt = { file, line: 106, column: 1, endLine: 106, endColumn: 7 };
  const d = diagnostic("KPU3001", "wrong", {
    location: { file, line: 3, column: 1, endLine: 5, endColumn: 2, inlinedAt },
  });
  expect(render(d, { base })).toMatchInlineSnapshot(`
    "error[KPU3001]: wrong
       --> blas.ts:3:1
        |
      3 | call(
        | ^^^^^
    note: in the function called here
       --> blas.ts:106:1
        |
    106 | helper(y);
        | ^^^^^^"
  `);
});

test("without a file, without a place, several at once, in colour", () => {
  const missing = diagnostic("KPU4001", "out", {
    location: { file: "/nowhere/k.ts", line: 7, column: 3 },
    help: "h",
  });
  expect(render(missing, { base })).toBe("error[KPU4001]: out\n --> /nowhere/k.ts:7:3\n  |\n  = help: h");
  const bare = diagnostic("KPU6001", "no place");
  expect(render(bare)).toBe("error[KPU6001]: no place");
  expect(renderAll([bare, bare])).toBe("error[KPU6001]: no place\n\nerror[KPU6001]: no place");
  expect(render(bare, { color: true })).toContain("\u001b[");
});

test("the author's frame is the first outside the package", () => {
  const at = authorFrame();
  expect(at?.file).toBe(import.meta.filename);
  expect(at?.line).toBe(lineOf("const at = authorFrame();"));
  const root = new URL("../../", import.meta.url).pathname;
  const stack = `Error: x
    at fail (${root}ir/diagnostic.ts:80:9)
    at Object.get (file://${root}dsl/pointer.ts:5:1)
    at Module._compile (node:internal/modules/cjs/loader:1:1)
    at run (${root}node_modules/vitest/dist/index.js:3:3)
    at async Blas.saxpy (file://${root}examples/nowhere.ts:12:34)`;
  expect(authorFrame(stack)).toEqual({ file: `${root}examples/nowhere.ts`, line: 12, column: 34 });
  expect(authorFrame("Error: x\n    at node:internal/main:1:1")).toBeUndefined();
});
