/**
 * What a kernel may not contain whatever its values are: one table from kind of node to the refusal. Refusals that
 * depend on values (strings, closures, `new`, spread, ...) belong to lowering. `debugger` is allowed: it does
 * nothing in a compiled kernel and stops a debugger in a direct call.
 */
import type ts from "typescript";
import type { DiagnosticCode } from "../ir/codes.ts";
import { type Diagnostic, diagnostic } from "../ir/diagnostic.ts";
import type { CapturedFunction } from "./capture.ts";
import { typescript } from "./typescript.ts";

interface Refusal {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly help: string;
  /** What is underlined: the first word, or the whole node. */
  readonly mark: "word" | "node";
  /** The refusal speaks for everything inside. */
  readonly whole?: boolean;
}

const ASYNC: Refusal = {
  code: "KPU1001",
  message: "expected code that runs without promises, but found async or await",
  help: "use S.barrier() or events (S.waitEvents) where a tile has to wait",
  mark: "word",
};
const GENERATOR: Refusal = {
  code: "KPU1002",
  message: "expected a plain function, but found a generator or yield",
  help: "write a loop: for (const i of S.range(begin, end, step)) { ... }",
  mark: "word",
};
const EXCEPTION: Refusal = {
  code: "KPU1003",
  message: "expected code without exceptions, but found try or throw",
  help: "use S.assert(condition, message), or an if around the work",
  mark: "word",
};
const CLASS: Refusal = {
  code: "KPU1004",
  message: "expected functions and plain values, but found a class",
  help: "declare the class outside the kernel, or use plain variables",
  mark: "word",
  whole: true,
};
const DELETE: Refusal = {
  code: "KPU1005",
  message: "expected objects of fixed shape, but found delete",
  help: "build the object without the property",
  mark: "node",
};
const VAR: Refusal = {
  code: "KPU1006",
  message: "expected let or const, but found var",
  help: "write const, or let where the variable is assigned again",
  mark: "word",
};
const EVAL: Refusal = {
  code: "KPU1007",
  message: "expected names that the text shows, but found eval, with or new Function",
  help: "call a function that the kernel captures",
  mark: "node",
};
const BIGINT: Refusal = {
  code: "KPU1008",
  message: "expected a number, but found a bigint",
  help: "write a number: integers up to 2 ** 53 - 1 are exact",
  mark: "node",
};
const FOR_IN: Refusal = {
  code: "KPU1013",
  message: "expected a loop over numbers or a static array, but found for-in",
  help: "write for (const key of Object.keys(table)) with a captured table",
  mark: "word",
};

function missing(what: string, help: string, mark: "word" | "node" = "node"): Refusal {
  return { code: "KPU1011", message: `kernels do not have ${what}`, help, mark };
}
const ACCESSOR = missing("getters and setters", "write a plain property or a function", "word");
const ARGUMENTS = missing("the arguments object", "name the parameters");
const LABELLED_FUNCTION = missing("labelled functions", "remove the label");
const USING = missing("using declarations", "write const, and free what needs freeing", "word");
const PRIVATE_NAME = missing("private names", "pass the value as a parameter, or capture it in a const");
const META = missing("new.target and import.meta", "capture the value in a const outside the kernel");
const IMPORT = missing("import()", "import at the top of the file");
const SUPER = missing("super", "call the function by its own name");

/** Node kinds that are refused wherever they stand. */
const KINDS: { readonly [K in keyof typeof ts.SyntaxKind]?: Refusal } = {
  AwaitExpression: ASYNC,
  YieldExpression: GENERATOR,
  TryStatement: EXCEPTION,
  ThrowStatement: EXCEPTION,
  ClassDeclaration: CLASS,
  ClassExpression: CLASS,
  DeleteExpression: DELETE,
  WithStatement: { ...EVAL, mark: "word" },
  BigIntLiteral: BIGINT,
  ForInStatement: FOR_IN,
  GetAccessor: ACCESSOR,
  SetAccessor: ACCESSOR,
  PrivateIdentifier: PRIVATE_NAME,
  MetaProperty: META,
  SuperKeyword: SUPER,
  ImportKeyword: IMPORT,
  JsxElement: missing("JSX", "write plain expressions"),
  JsxSelfClosingElement: missing("JSX", "write plain expressions"),
};

/** Global functions that may not be called or constructed by their plain name. */
const CALLEES: Readonly<Record<string, Refusal>> = { eval: EVAL, Function: EVAL, BigInt: BIGINT };

let byKind: ReadonlyMap<ts.SyntaxKind, Refusal> | undefined;
function kinds(): ReadonlyMap<ts.SyntaxKind, Refusal> {
  const { SyntaxKind } = typescript();
  byKind ??= new Map(
    (Object.entries(KINDS) as [keyof typeof SyntaxKind, Refusal][]).map(([name, r]) => [SyntaxKind[name], r]),
  );
  return byKind;
}

const checked = new WeakMap<CapturedFunction, readonly Diagnostic[]>();

/** Every syntactic refusal in a function, in order of the text. Empty for a kernel that may go on to lowering. */
export function checkSyntax(c: CapturedFunction): readonly Diagnostic[] {
  let found = checked.get(c);
  if (found === undefined) {
    found = check(c);
    checked.set(c, found);
  }
  return found;
}

function check(c: CapturedFunction): Diagnostic[] {
  const found: Diagnostic[] = [];
  const table = kinds();
  const visit = (node: ts.Node): void => {
    const refusal = table.get(node.kind) ?? refusalOf(node, c);
    if (refusal !== undefined) found.push(report(refusal, node, c));
    if (refusal?.whole !== true) typescript().forEachChild(node, visit);
  };
  visit(c.node);
  return found;
}

/** The refusals that need more than the kind of a node. */
function refusalOf(node: ts.Node, c: CapturedFunction): Refusal | undefined {
  const ts = typescript();
  if (ts.isFunctionLike(node)) {
    if (
      ts.canHaveModifiers(node) &&
      ts.getModifiers(node)?.some((m) => m.kind === ts.SyntaxKind.AsyncKeyword)
    )
      return ASYNC;
    return "asteriskToken" in node && node.asteriskToken !== undefined ? GENERATOR : undefined;
  }
  if (ts.isForOfStatement(node)) return node.awaitModifier === undefined ? undefined : ASYNC;
  if (ts.isVariableDeclarationList(node)) {
    const kind = node.flags & ts.NodeFlags.BlockScoped;
    if (kind === ts.NodeFlags.None) return VAR;
    return kind === ts.NodeFlags.Let || kind === ts.NodeFlags.Const ? undefined : USING;
  }
  if (ts.isLabeledStatement(node))
    return ts.isFunctionDeclaration(node.statement) ? LABELLED_FUNCTION : undefined;
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
    const callee = node.expression;
    return ts.isIdentifier(callee) && isGlobal(callee.text, c) ? CALLEES[callee.text] : undefined;
  }
  if (ts.isIdentifier(node) && node.text === "arguments") return isReference(node) ? ARGUMENTS : undefined;
  return undefined;
}

/** True where a name means the global of that name, as far as the closure tells. */
function isGlobal(name: string, c: CapturedFunction): boolean {
  if (!Object.hasOwn(CALLEES, name)) return false;
  return c.resolve(name)?.value === (globalThis as unknown as Record<string, unknown>)[name];
}

function isReference(node: ts.Identifier): boolean {
  const ts = typescript();
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  return !(ts.isPropertyAssignment(parent) && parent.name === node);
}

function report(r: Refusal, node: ts.Node, c: CapturedFunction): Diagnostic {
  const start = node.getStart(c.sourceFile) - c.textOffset;
  let end = node.getEnd() - c.textOffset;
  if (r.mark === "word") {
    const word = /^[\w$]+/.exec(c.text.slice(start, end));
    end = start + (word?.[0].length ?? 1);
  }
  return diagnostic(r.code, r.message, { location: c.locate(start, end), help: r.help });
}
