/** Files and globs on the command line to the kernels that they export. */
import { existsSync, statSync } from "node:fs";
import { register } from "node:module";
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { globSync } from "tinyglobby";
import { authorFrame } from "../capture/index.ts";
import { recordOf } from "../dsl/kernel.ts";
import type { AnyKernel } from "../executions.ts";
import { type Diagnostic, diagnostic, fail, KpuError } from "../ir/diagnostic.ts";
import { hookData } from "./loaded.ts";

export interface FoundKernel {
  readonly file: string;
  /** The export, or `Class.method`. */
  readonly name: string;
  readonly kernel: AnyKernel;
}

export interface LoadedFile {
  readonly file: string;
  readonly kernels: readonly FoundKernel[];
  /** What kept the file from loading. */
  readonly failed: readonly Diagnostic[];
}

/** The .ts and .js files that patterns, folders and names stand for, sorted; none at all is an error. */
export function expandFiles(patterns: readonly string[]): string[] {
  const files = new Set<string>();
  for (const pattern of patterns) {
    const path = resolve(pattern);
    if (existsSync(path) && statSync(path).isFile()) {
      files.add(path);
      continue;
    }
    const globs = existsSync(path) ? `${pattern.replace(/\/$/, "")}/**/*.{ts,mts,js,mjs}` : pattern;
    const found = globSync(globs, {
      absolute: true,
      ignore: ["**/node_modules/**", "**/*.d.ts", "**/*.test.ts"],
    });
    if (found.length === 0) fail("KPU8002", `${pattern}: no such file, and no file matches`);
    for (const f of found) files.add(f);
  }
  return [...files].sort();
}

let hooked = false;
/** Imports one file and collects its kernels. */
export async function loadFile(file: string): Promise<LoadedFile> {
  if (!hooked) {
    const self = import.meta.url;
    register(self.endsWith(".ts") ? "./typescript-hooks.ts" : "./typescript-hooks.js", self, hookData());
    process.setSourceMapsEnabled(true);
    hooked = true;
  }
  const shown = relative(process.cwd(), file);
  // What a file says while it loads is no result of the command.
  const { log } = console;
  console.log = console.error;
  try {
    const module: unknown = await import(pathToFileURL(file).href);
    return { file: shown, kernels: kernelsOf(module as Record<string, unknown>, shown), failed: [] };
  } catch (error) {
    if (error instanceof KpuError) return { file: shown, kernels: [], failed: error.diagnostics };
    return { file: shown, kernels: [], failed: [cannotLoad(error, shown)] };
  } finally {
    console.log = log;
  }
}

/** With the place of a syntax error, which stands in its message, or of the line that threw. */
function cannotLoad(error: unknown, shown: string): Diagnostic {
  const text = error instanceof Error ? error.message : String(error);
  const at = /^(.*?):(\d+):(\d+): (.*)$/s.exec(text);
  if (at !== null) {
    const location = { file: at[1] as string, line: Number(at[2]), column: Number(at[3]) };
    return diagnostic("KPU8002", `${shown} cannot be loaded: ${at[4]}`, { location });
  }
  const location = error instanceof Error ? authorFrame(error.stack ?? "") : undefined;
  return diagnostic("KPU8002", `${shown} cannot be loaded: ${text}`, { location });
}

function kernelsOf(module: Record<string, unknown>, file: string): FoundKernel[] {
  const found = new Map<unknown, FoundKernel>();
  const add = (name: string, value: unknown): void => {
    if (recordOf(value) !== undefined && !found.has(value))
      found.set(value, { file, name, kernel: value as AnyKernel });
  };
  for (const [name, value] of Object.entries(module)) {
    add(name, value);
    if (typeof value === "function" && recordOf(value) === undefined) {
      for (const key of Object.getOwnPropertyNames(value)) {
        const member = Object.getOwnPropertyDescriptor(value, key);
        if (typeof member?.value === "function") add(`${name}.${key}`, member.value);
      }
    }
  }
  return [...found.values()];
}

/** One kernel of one file: the named one, or the only one. */
export async function loadKernel(file: string, name: string | undefined): Promise<FoundKernel> {
  const path = expandFiles([file])[0] as string;
  if (!/\.[cm]?[jt]s$/.test(path))
    fail("KPU8001", `${file} is no .ts or .js file`, {
      help: "kpu run and kpu disasm take program files, kpu asm takes their text",
    });
  const { kernels, failed } = await loadFile(path);
  if (failed.length > 0) throw new KpuError(failed);
  const names = kernels.map((k) => k.name).join(", ");
  if (kernels.length === 0)
    fail("KPU8003", `${file} exports no kernel`, {
      help: "export const name = kernel([...], function name(...) { ... })",
    });
  if (name === undefined && kernels.length > 1)
    fail("KPU8001", `${file} has several kernels`, { help: `add --kernel with one of ${names}` });
  const found =
    name === undefined
      ? kernels[0]
      : kernels.find((k) => k.name === name || recordOf(k.kernel)?.name === name);
  return found ?? fail("KPU8001", `${file} has no kernel "${name}"`, { help: `it has ${names}` });
}
