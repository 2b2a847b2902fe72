/**
 * Names that are captured before their declaration has run. The inspector shows such a variable as undefined, like one
 * that holds undefined; what tells them apart is that the function (or module) which declares it is still running, and
 * stands before the declaration.
 */
import type ts from "typescript";
import { pathOfUrl } from "./authorfile.ts";
import type { CapturedFunction } from "./capture.ts";
import { inspectScript, scriptText } from "./inspector.ts";
import type { Place } from "./positions.ts";
import { typescript } from "./typescript.ts";

/** Whether a free name of the function, whose value reads as undefined, has no value yet. */
export function inDeadZone(c: CapturedFunction, name: string): boolean {
  const { scriptId, url } = c.script;
  const text = scriptId === "" ? undefined : scriptText(scriptId);
  if (text === undefined || url === "") return false;
  const t = typescript();
  const file = t.createSourceFile("script.js", text, t.ScriptTarget.ESNext, true, t.ScriptKind.JS);
  const at = offsetOf(scriptId, file, c.scriptPlace(0));
  const from = at === undefined ? undefined : declarationOf(t, innermost(t, file, at), name);
  if (from === undefined) return false;
  const path = pathOfUrl(url);
  return callSites().some((site) => {
    const where = site.getScriptNameOrSourceURL() ?? site.getFileName();
    const [line, column] = [site.getLineNumber(), site.getColumnNumber()];
    if (where == null || line === null || column === null) return false;
    if (where !== url && pathOfUrl(where) !== path) return false;
    const offset = offsetOf(scriptId, file, { line: line - 1, column: column - 1 });
    if (offset === undefined || offset < from.block.getStart(file) || offset >= from.declaration.end)
      return false;
    return owner(t, innermost(t, file, offset)) === owner(t, from.block);
  });
}

/** The frames of the running code, as V8 counts them: without anybody's source map. */
function callSites(): readonly NodeJS.CallSite[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = Infinity;
    let sites: readonly NodeJS.CallSite[] = [];
    Error.prepareStackTrace = (_error, frames) => {
      sites = frames;
      return "";
    };
    // Reading the stack is what makes it.
    void new Error().stack;
    return sites;
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** An offset into the script's text of a place as V8 counts it. */
function offsetOf(scriptId: string, file: ts.SourceFile, place: Place): number | undefined {
  const { startLine = 0, startColumn = 0 } = inspectScript(scriptId) ?? {};
  const line = place.line - startLine;
  const start = file.getLineStarts()[line];
  if (start === undefined) return undefined;
  return start + place.column - (line === 0 ? startColumn : 0);
}

function innermost(t: typeof import("typescript"), root: ts.Node, at: number): ts.Node {
  const inner = t.forEachChild(root, (n) => (n.pos <= at && at < n.end ? n : undefined));
  return inner === undefined ? root : innermost(t, inner, at);
}

/** The function that a node runs in, or the script. */
function owner(t: typeof import("typescript"), node: ts.Node): ts.Node {
  let n = node;
  while (n.parent !== undefined && !t.isFunctionLike(n)) n = n.parent;
  return n;
}

interface Declared {
  readonly declaration: ts.Node;
  /** What encloses the declaration: its names exist in all of it. */
  readonly block: ts.Node;
}

/** The `let`, `const` or class that a name means at a place; undefined when it is a parameter, a function, an import, ... */
function declarationOf(t: typeof import("typescript"), place: ts.Node, name: string): Declared | undefined {
  for (let block: ts.Node | undefined = place; block !== undefined; block = block.parent) {
    const found = declaredIn(t, block, name);
    if (found === "other") return undefined;
    if (found !== undefined) return { declaration: found, block };
  }
  return undefined;
}

function declaredIn(
  t: typeof import("typescript"),
  block: ts.Node,
  name: string,
): ts.Node | "other" | undefined {
  const binds = (n: ts.BindingName): boolean =>
    t.isIdentifier(n) ? n.text === name : n.elements.some((e) => t.isBindingElement(e) && binds(e.name));
  if (t.isFunctionLike(block)) return block.parameters.some((p) => binds(p.name)) ? "other" : undefined;
  const statements = t.isCaseBlock(block)
    ? block.clauses.flatMap((c) => [...c.statements])
    : t.isBlock(block) || t.isSourceFile(block) || t.isModuleBlock(block)
      ? block.statements
      : [];
  for (const s of statements) {
    if (t.isVariableStatement(s)) {
      const d = s.declarationList.declarations.find((x) => binds(x.name));
      if (d !== undefined) return (s.declarationList.flags & t.NodeFlags.BlockScoped) !== 0 ? d : "other";
    } else if (t.isClassDeclaration(s) && s.name?.text === name) return s;
    else if (t.isFunctionDeclaration(s) && s.name?.text === name) return "other";
  }
  return undefined;
}
