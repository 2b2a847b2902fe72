import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** ARCHITECTURE.md's table, read from the document itself: folder to what it may import. */
function declaredDirections(): Map<string, readonly string[]> {
  const rows = new Map<string, readonly string[]>();
  for (const line of readFileSync(join(root, "ARCHITECTURE.md"), "utf8").split("\n")) {
    const row = /^\| `([^`]+?)\/?` \|[^|]*\| ([^|]*) \|$/.exec(line);
    if (row === null) continue;
    const name = row[1] as string;
    const may = (row[2] as string).trim();
    if (may === "nothing of ours") rows.set(name, []);
    else if (may === "all above") rows.set(name, [...rows.keys()]);
    else
      rows.set(
        name,
        [...may.matchAll(/`([^`]+?)\/?`/g)].map((m) => m[1] as string),
      );
  }
  return rows;
}

const directions = declaredDirections();

function sourcesUnder(folder: string): string[] {
  if (folder.endsWith(".ts")) return [join(root, folder)];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name));
}

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    if (specifier.text.startsWith("."))
      found.push({ from: file, to: resolve(dirname(file), specifier.text), typeOnly });
    else if (/^kpu-dsl(\/|$)/.test(specifier.text))
      found.push({ from: file, to: join(root, "index.ts"), typeOnly });
    else found.push({ from: file, to: specifier.text, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const clause = node.importClause;
      const named = clause?.namedBindings;
      const allTypes =
        clause?.name === undefined &&
        named !== undefined &&
        ts.isNamedImports(named) &&
        named.elements.length > 0 &&
        named.elements.every((e) => e.isTypeOnly);
      add(node.moduleSpecifier, clause?.phaseModifier === ts.SyntaxKind.TypeKeyword || allTypes);
    } else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const files = [...directions.keys()].flatMap(sourcesUnder);
const imports = files.flatMap(importsOf);
const shown = (file: string): string => relative(root, file);
const folderOf = (file: string): string => {
  const path = shown(file);
  return path.includes("/") ? (path.split("/")[0] as string) : path;
};

test("ARCHITECTURE.md lists the shipped folders", () => {
  const { include } = JSON.parse(readFileSync(join(root, "tsconfig.build.json"), "utf8")) as {
    include: string[];
  };
  expect([...directions.keys()].sort()).toEqual(include.sort());
});

test("folders import only what their row allows", () => {
  const wrong = imports
    .filter((i) => i.to.startsWith(root))
    .filter(
      (i) =>
        folderOf(i.from) !== folderOf(i.to) && !directions.get(folderOf(i.from))?.includes(folderOf(i.to)),
    )
    .map((i) => `${shown(i.from)} imports ${shown(i.to)}`);
  expect(wrong).toEqual([]);
});

/** Types alone may refer to each other: they are gone when modules load. */
test("no import cycle", () => {
  const graph = new Map<string, string[]>();
  for (const i of imports)
    if (i.to.startsWith(root) && !i.typeOnly) graph.set(i.from, [...(graph.get(i.from) ?? []), i.to]);
  const cycles: string[] = [];
  const state = new Map<string, "open" | "done">();
  const walk = (file: string, path: readonly string[]): void => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      cycles.push([...path.slice(path.indexOf(file)), file].map(shown).join(" -> "));
      return;
    }
    state.set(file, "open");
    for (const next of graph.get(file) ?? []) walk(next, [...path, file]);
    state.set(file, "done");
  };
  for (const file of files) walk(file, []);
  expect(cycles).toEqual([]);
});

/** What loads with a file: itself and what it reaches by imports that are not of types alone. */
function reached(entry: string): ReadonlySet<string> {
  const loaded = new Set([join(root, entry)]);
  // A set gives what is added while it is walked.
  for (const file of loaded)
    for (const i of imports) if (i.from === file && !i.typeOnly && i.to.startsWith(root)) loaded.add(i.to);
  return loaded;
}

test.each([
  ["index.ts", 100],
  ["machine/presets/index.ts", 8],
  ["machine/target.ts", 0],
  ["machine/coverage.ts", 0],
])("typescript, fast-check and zod are not loaded by an import of %s", (entry, atLeast) => {
  const loaded = reached(entry);
  const eager = imports
    .filter((i) => !i.typeOnly && ["typescript", "fast-check", "zod"].includes(i.to) && loaded.has(i.from))
    .map((i) => `${shown(i.from)} imports ${i.to}`);
  expect(loaded.size).toBeGreaterThan(atLeast);
  expect(eager).toEqual([]);
});
