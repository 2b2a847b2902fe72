/** Runs a fixture in a child process of each environment an author may use, and gives what it prints as JSON. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FIXTURES = join(ROOT, "tests/capture/fixtures");
const TSX = join(ROOT, "node_modules/tsx/dist/cli.mjs");

function runJson(command: string, args: readonly string[]): unknown {
  const out = execFileSync(command, args, {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
  });
  return JSON.parse(out.trim().split("\n").at(-1) ?? "");
}

export function underTsx(fixture: string): unknown {
  return runJson(process.execPath, [TSX, join(FIXTURES, fixture)]);
}

/** A Node that strips types by itself: this one, or the one KPU_NODE24 names. */
export const strippingNode: string | undefined =
  process.env["KPU_NODE24"] ??
  (Number(process.versions.node.split(".")[0]) >= 24 ? process.execPath : undefined);

export function underTypeStripping(fixture: string): unknown {
  if (strippingNode === undefined) throw new Error("no Node with type stripping");
  return runJson(strippingNode, [join(FIXTURES, fixture)]);
}

/** Compiles what the fixture needs to JavaScript files with map files beside them, and runs it on plain Node. */
export function underPlainNode(fixture: string): unknown {
  const out = join(ROOT, `node_modules/.cache/kpu-dsl-capture-${process.pid}`);
  try {
    mkdirSync(out, { recursive: true });
    writeFileSync(join(out, "package.json"), '{"type":"module"}');
    const seen = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      compile(file, join(out, relative(ROOT, file).replace(/ts$/, "js")));
      for (const [, to] of readFileSync(file, "utf8").matchAll(/from "(\.[^"]+\.ts)"/g)) {
        visit(join(dirname(file), to ?? ""));
      }
    };
    visit(join(FIXTURES, fixture));
    return runJson(process.execPath, [join(out, "tests/capture/fixtures", fixture.replace(/ts$/, "js"))]);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function compile(from: string, to: string): void {
  const { outputText, sourceMapText } = ts.transpileModule(readFileSync(from, "utf8"), {
    fileName: from,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      sourceMap: true,
      rewriteRelativeImportExtensions: true,
    },
  });
  const map = { ...JSON.parse(sourceMapText ?? "{}"), sources: [relative(dirname(to), from)] };
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, outputText);
  writeFileSync(`${to}.map`, JSON.stringify(map));
}
