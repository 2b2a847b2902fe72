/** A function's running text to its syntax tree. The text is JavaScript: types are gone by the time it runs. */
import type ts from "typescript";
import { fail } from "../ir/diagnostic.ts";
import { typescript } from "./typescript.ts";

/** What `toString` gives for every form in which a kernel or helper can be written. */
export type FunctionNode =
  | ts.FunctionExpression
  | ts.ArrowFunction
  | ts.MethodDeclaration
  | ts.AccessorDeclaration;

export interface ParsedFunction {
  readonly sourceFile: ts.SourceFile;
  readonly node: FunctionNode;
  /** `node.getStart() - textOffset` is an offset into the function's text. */
  readonly textOffset: number;
}

/** The text that really runs. Refuses what has none (KPU2009): native code, bound functions, classes. */
export function functionText(fn: unknown, name: string): string {
  if (typeof fn !== "function") throw new TypeError("functionText needs a function");
  const text = Function.prototype.toString.call(fn);
  if (/\{\s*\[native code\]\s*\}$/.test(text)) {
    const what = name.startsWith("bound ") ? "it was made by bind()" : "it is native code";
    fail(
      "KPU2009",
      `expected a function written in JavaScript or TypeScript, but ${name || "it"} has no source: ${what}`,
      {
        help: "pass the function itself; write a small arrow function around what you need",
      },
    );
  }
  if (/^class\b/.test(text)) {
    fail("KPU2009", `expected a function, but ${name || "it"} is a class`, {
      help: "use one of its static methods",
    });
  }
  return text;
}

/** Parses the text of a function, whether it is a function, an arrow or a method. */
export function parseFunction(text: string, name: string): ParsedFunction {
  const first = looksLikeMethod(text) ? ["({", "})"] : ["(", ")"];
  const second = looksLikeMethod(text) ? ["(", ")"] : ["({", "})"];
  const parsed = parseWithin(text, first[0]!, first[1]!) ?? parseWithin(text, second[0]!, second[1]!);
  if (parsed !== undefined) return parsed;
  return fail("KPU2009", `the text of ${name || "the function"} does not parse as JavaScript`, {
    help: "report this with the text of the function",
  });
}

/** A guess that only decides which wrapper is tried first. */
function looksLikeMethod(text: string): boolean {
  return !/^(async\s+)?(function\b|\(|[\w$]+\s*=>)/.test(text);
}

function parseWithin(text: string, open: string, close: string): ParsedFunction | undefined {
  const ts = typescript();
  const sourceFile = ts.createSourceFile(
    "kernel.js",
    open + text + close,
    { languageVersion: ts.ScriptTarget.ESNext, jsDocParsingMode: ts.JSDocParsingMode.ParseNone },
    true,
    // As JavaScript: in a .ts file `a < b > (c)` would be a call with type arguments.
    ts.ScriptKind.JS,
  );
  const broken = (sourceFile as unknown as { parseDiagnostics: readonly ts.Diagnostic[] }).parseDiagnostics;
  // A private method parses with a complaint about its name (18016) only.
  if (broken.some((d) => d.category === ts.DiagnosticCategory.Error && d.code !== 18016)) return undefined;
  const statement = sourceFile.statements[0];
  if (sourceFile.statements.length !== 1 || statement === undefined) return undefined;
  if (!ts.isExpressionStatement(statement) || !ts.isParenthesizedExpression(statement.expression))
    return undefined;
  let node: ts.Node | undefined = statement.expression.expression;
  if (ts.isObjectLiteralExpression(node) && open === "({") {
    node = node.properties.length === 1 ? node.properties[0] : undefined;
  }
  if (node === undefined) return undefined;
  if (
    ts.isFunctionExpression(node) ||
    ts.isArrowFunction(node) ||
    ts.isMethodDeclaration(node) ||
    ts.isAccessor(node)
  ) {
    return { sourceFile, node, textOffset: open.length };
  }
  return undefined;
}

/** The offset into the text that V8 reports as a function's position: the start of its parameter list. */
export function anchorOffset(parsed: ParsedFunction): number {
  const { node, sourceFile, textOffset } = parsed;
  const parameters = node.parameters;
  const at = hasParentheses(node, sourceFile)
    ? parameters.pos - 1
    : (parameters[0]?.getStart(sourceFile) ?? parameters.pos);
  return at - textOffset;
}

/** False for `x => ...` only. */
export function hasParentheses(node: ts.SignatureDeclaration, sourceFile: ts.SourceFile): boolean {
  if (!typescript().isArrowFunction(node)) return true;
  const { pos, end } = node.parameters;
  return pos === end || sourceFile.text.slice(end, node.equalsGreaterThanToken.pos).includes(")");
}
