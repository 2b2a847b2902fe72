/** Runs a fixture in a child process of each environment an author may use, and gives what it prints as JSON. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
  const folders = ["ir", "dsl", "dsl/intrinsics", "capture", "tests/capture/fixtures"];
  try {
    mkdirSync(out, { recursive: true });
    writeFileSync(join(out, "package.json"), '{"type":"module"}');
    for (const folder of folders) {
      if (!existsSync(join(ROOT, folder))) continue;
      for (const file of readdirSync(join(ROOT, folder)).filter((f) => f.endsWith(".ts"))) {
        compile(join(ROOT, folder, file), join(out, folder, file.replace(/ts$/, "js")));
      }
    }
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
