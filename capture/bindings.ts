/**
 * Which names of a script can change after they got their value. A name that is never assigned needs no second look,
 * so most kernels are called without asking the inspector again.
 */
import type ts from "typescript";
import { pathOfUrl } from "./authorfile.ts";
import { inspectScript, scriptText } from "./inspector.ts";
import { isOurFile } from "./ours.ts";
import { typescript } from "./typescript.ts";

export interface Bindings {
  /**
   * `fixed`: never assigned in the script, and declared in it or imported from this package.
   * `imported`: bound by an import only, so it means the same in every function of the script.
   * `free`: anything may happen to it.
   */
  of(name: string): "fixed" | "imported" | "free";
}

/** Scripts beyond this size are bundles; reading them costs more than asking the inspector at each call. */
const LARGE = 400_000;

const EVERYTHING_FREE: Bindings = { of: () => "free" };
const known = new Map<string, Bindings>();

/** The bindings of a script, read once. */
export function bindingsOf(scriptId: string): Bindings {
  let bindings = known.get(scriptId);
  if (bindings === undefined) {
    bindings = readBindings(scriptId);
    known.set(scriptId, bindings);
  }
  return bindings;
}

function readBindings(scriptId: string): Bindings {
  const text = scriptText(scriptId);
  const url = inspectScript(scriptId)?.url ?? "";
  // Direct eval may assign anything; so may a sloppy function through its arguments object.
  if (text === undefined || text.length > LARGE || /\beval\b|\barguments\s*\[/.test(text))
    return EVERYTHING_FREE;
  const ts = typescript();
  const file = ts.createSourceFile("script.js", text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS);
  const broken = (file as unknown as { parseDiagnostics: readonly ts.Diagnostic[] }).parseDiagnostics;
  if (broken.some((d) => d.category === ts.DiagnosticCategory.Error && d.code < 2000)) return EVERYTHING_FREE;
  const assigned = new Set<string>();
  const declared = new Set<string>();
  const imported = new Map<string, string>();
  collect(file, assigned, declared, imported);
  return {
    of(name) {
      if (assigned.has(name)) return "free";
      const from = imported.get(name);
      if (from === undefined) return declared.has(name) ? "fixed" : "free";
      if (declared.has(name)) return "free";
      return isOurs(from, url) ? "fixed" : "imported";
    },
  };
}

/** All exports of this package are constants. */
function isOurs(specifier: string, importer: string): boolean {
  if (/^kpu-dsl(\/|$)/.test(specifier)) return true;
  if (!/^\.{0,2}\/|^file:/.test(specifier) || importer === "") return false;
  try {
    return isOurFile(pathOfUrl(new URL(specifier, importer).href));
  } catch {
    return false;
  }
}

function collect(
  root: ts.Node,
  assigned: Set<string>,
  declared: Set<string>,
  imported: Map<string, string>,
): void {
  const ts = typescript();
  const target = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) assigned.add(node.text);
    else if (ts.isParenthesizedExpression(node) || ts.isSpreadElement(node) || ts.isSpreadAssignment(node))
      target(node.expression);
    else if (ts.isArrayLiteralExpression(node)) node.elements.forEach(target);
    else if (ts.isObjectLiteralExpression(node)) node.properties.forEach(target);
    else if (ts.isPropertyAssignment(node)) target(node.initializer);
    else if (ts.isShorthandPropertyAssignment(node)) assigned.add(node.name.text);
    else if (ts.isBinaryExpression(node)) target(node.left);
  };
  const declare = (name: ts.BindingName, into: Set<string>): void => {
    if (ts.isIdentifier(name)) into.add(name.text);
    else for (const e of name.elements) if (ts.isBindingElement(e)) declare(e.name, into);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isBinaryExpression(node)) {
      const { kind } = node.operatorToken;
      if (kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment) target(node.left);
    } else if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
      if (node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken)
        target(node.operand);
    } else if (ts.isForInStatement(node) || ts.isForOfStatement(node)) {
      if (!ts.isVariableDeclarationList(node.initializer)) target(node.initializer);
    } else if (ts.isVariableDeclarationList(node)) {
      // A var is one variable for its whole function, so each of its initialisers assigns.
      const isVar = (node.flags & ts.NodeFlags.BlockScoped) === 0;
      for (const d of node.declarations) declare(d.name, isVar ? assigned : declared);
    } else if (ts.isParameter(node)) declare(node.name, declared);
    else if (ts.isFunctionLike(node) || ts.isClassLike(node)) {
      if (node.name !== undefined && ts.isIdentifier(node.name)) declared.add(node.name.text);
    } else if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const from = node.moduleSpecifier.text;
      const clause = node.importClause;
      if (clause?.name !== undefined) imported.set(clause.name.text, from);
      const named = clause?.namedBindings;
      if (named !== undefined && ts.isNamespaceImport(named)) imported.set(named.name.text, from);
      else named?.elements.forEach((e) => void imported.set(e.name.text, from));
    }
    ts.forEachChild(node, visit);
  };
  visit(root);
}
