/**
 * Module hooks (they run in Node's loader thread) that load an author's .ts files as ES modules, whatever the nearest
 * package.json says, with decorators and source maps. A loader of our own, because a kernel file must get the very
 * instance of this package that the command uses: loaders that turn ES modules into CommonJS make a second one.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire, type LoadHook, type ResolveHook } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { MessagePort } from "node:worker_threads";
import type * as TypeScript from "typescript";

const isTypeScript = (url: string): boolean =>
  url.startsWith("file:") && /\.[cm]?tsx?$/.test(new URL(url).pathname) && !url.includes("/node_modules/");

let loaded: MessagePort | undefined;
/** The port to which the path of every project file goes that is loaded. */
export function initialize(data: { readonly loaded: MessagePort }): void {
  loaded = data.loaded;
  loaded.unref();
}

/** Tries, for a relative import: as written; `.js` as `.ts`; with `.ts` added; as a folder's index.ts. */
export const resolve: ResolveHook = (specifier, context, next) => {
  if (/^\.{0,2}\//.test(specifier) && context.parentURL !== undefined && isTypeScript(context.parentURL)) {
    const url = new URL(specifier, context.parentURL);
    const path = fileURLToPath(url);
    const candidates = [path, path.replace(/\.([cm]?)js$/, ".$1ts"), `${path}.ts`, `${path}/index.ts`];
    const found = candidates.find((p) => existsSync(p) && statSync(p).isFile());
    if (found !== undefined && isTypeScript(pathToFileURL(found).href)) {
      return { url: pathToFileURL(found).href, format: "module", shortCircuit: true };
    }
  }
  return next(specifier, context);
};

let ts: typeof TypeScript | undefined;

export const load: LoadHook = (url, context, next) => {
  if (url.startsWith("file:") && !url.includes("/node_modules/")) loaded?.postMessage(fileURLToPath(url));
  if (!isTypeScript(url)) return next(url, context);
  ts ??= createRequire(import.meta.url)("typescript") as typeof TypeScript;
  const fileName = fileURLToPath(url);
  const { outputText, diagnostics } = ts.transpileModule(readFileSync(fileName, "utf8"), {
    fileName,
    reportDiagnostics: true,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: false,
      isolatedModules: true,
      inlineSourceMap: true,
    },
  });
  const wrong = diagnostics?.find((d) => d.category === ts?.DiagnosticCategory.Error);
  if (wrong !== undefined) {
    const at = wrong.file?.getLineAndCharacterOfPosition(wrong.start ?? 0);
    const where = at ? `${fileName}:${at.line + 1}:${at.character + 1}` : fileName;
    throw new SyntaxError(`${where}: ${ts.flattenDiagnosticMessageText(wrong.messageText, "\n")}`);
  }
  return { format: "module", source: outputText, shortCircuit: true };
};
