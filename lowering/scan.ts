/**
 * What a piece of syntax may change: the names it assigns, the arrays and objects it writes into, the functions it
 * calls. Answers are kept per node.
 */
import type ts from "typescript";

type TS = typeof import("typescript");

export interface Changes {
  /** Variables assigned. */
  readonly assigned: ReadonlySet<string>;
  /** Variables whose elements or fields are written. */
  readonly written: ReadonlySet<string>;
  /** Identifiers that are called: local functions may assign outer variables. */
  readonly called: ReadonlySet<string>;
}

const changesOf = new WeakMap<ts.Node, Changes>();
const mayAssignOf = new WeakMap<ts.Node, boolean>();

/** Methods that change the array they are called on. */
const MUTATING = new Set(["push", "pop", "fill", "reverse", "shift", "unshift", "splice", "sort"]);

/** The changes under a node, without those to names that are declared inside it. */
export function changes(t: TS, root: ts.Node): Changes {
  const known = changesOf.get(root);
  if (known) return known;
  const assigned = new Set<string>();
  const written = new Set<string>();
  const called = new Set<string>();
  const target = (node: ts.Node): void => {
    if (t.isIdentifier(node)) assigned.add(node.text);
    else if (t.isParenthesizedExpression(node)) target(node.expression);
    else if (t.isPropertyAccessExpression(node) || t.isElementAccessExpression(node)) {
      const name = rootName(t, node);
      if (name !== undefined) written.add(name);
    } else if (t.isArrayLiteralExpression(node)) for (const e of node.elements) target(e);
    else if (t.isSpreadElement(node)) target(node.expression);
    else if (t.isBinaryExpression(node)) target(node.left);
    else if (t.isObjectLiteralExpression(node)) {
      for (const p of node.properties) {
        if (t.isShorthandPropertyAssignment(p)) assigned.add(p.name.text);
        else if (t.isPropertyAssignment(p)) target(p.initializer);
        else if (t.isSpreadAssignment(p)) target(p.expression);
      }
    }
  };
  const visit = (node: ts.Node): void => {
    if (node !== root && opensScope(t, node)) {
      const inner = changes(t, node);
      for (const n of inner.assigned) assigned.add(n);
      for (const n of inner.written) written.add(n);
      for (const n of inner.called) called.add(n);
      return;
    }
    if (t.isBinaryExpression(node) && isAssignment(t, node.operatorToken.kind)) target(node.left);
    else if (t.isPrefixUnaryExpression(node) || t.isPostfixUnaryExpression(node)) {
      if (node.operator === t.SyntaxKind.PlusPlusToken || node.operator === t.SyntaxKind.MinusMinusToken)
        target(node.operand);
    } else if (t.isForOfStatement(node) && !t.isVariableDeclarationList(node.initializer))
      target(node.initializer);
    else if (t.isCallExpression(node)) {
      const callee = node.expression;
      if (t.isIdentifier(callee)) called.add(callee.text);
      else if (t.isPropertyAccessExpression(callee)) {
        const name = rootName(t, callee);
        if (name !== undefined) (MUTATING.has(callee.name.text) ? written : called).add(name);
      }
      // A function passed to another one may be called there.
      for (const a of node.arguments) if (t.isIdentifier(a)) called.add(a.text);
    }
    t.forEachChild(node, visit);
  };
  visit(root);
  for (const name of declaredIn(t, root)) {
    assigned.delete(name);
    written.delete(name);
    called.delete(name);
  }
  const result = { assigned, written, called };
  changesOf.set(root, result);
  return result;
}

export function isAssignment(t: TS, kind: ts.SyntaxKind): boolean {
  return kind >= t.SyntaxKind.FirstAssignment && kind <= t.SyntaxKind.LastAssignment;
}

/** The variable at the root of `a.b[i].c`. */
function rootName(t: TS, node: ts.Node): string | undefined {
  let n: ts.Node = node;
  while (t.isPropertyAccessExpression(n) || t.isElementAccessExpression(n) || t.isParenthesizedExpression(n))
    n = n.expression;
  return t.isIdentifier(n) ? n.text : undefined;
}

function opensScope(t: TS, node: ts.Node): boolean {
  return (
    t.isBlock(node) ||
    t.isForStatement(node) ||
    t.isForOfStatement(node) ||
    t.isFunctionLike(node) ||
    t.isSwitchStatement(node)
  );
}

function declaredIn(t: TS, root: ts.Node): string[] {
  const names: string[] = [];
  const list = (l: ts.VariableDeclarationList): void => {
    for (const d of l.declarations) bindingNames(t, d.name, names);
  };
  if (t.isBlock(root)) {
    for (const s of root.statements) {
      if (t.isVariableStatement(s)) list(s.declarationList);
      else if (t.isFunctionDeclaration(s) && s.name) names.push(s.name.text);
    }
  } else if (t.isForStatement(root) || t.isForOfStatement(root)) {
    if (root.initializer && t.isVariableDeclarationList(root.initializer)) list(root.initializer);
  } else if (t.isSwitchStatement(root)) {
    for (const c of root.caseBlock.clauses) {
      for (const s of c.statements) if (t.isVariableStatement(s)) list(s.declarationList);
    }
  } else if (t.isFunctionLike(root)) {
    for (const p of root.parameters) bindingNames(t, p.name, names);
  }
  return names;
}

export function bindingNames(t: TS, name: ts.BindingName, out: string[]): void {
  if (t.isIdentifier(name)) out.push(name.text);
  else for (const e of name.elements) if (t.isBindingElement(e)) bindingNames(t, e.name, out);
}

const PURE_METHODS = new Set(["at", "get", "as", "eq", "diff"]);

/**
 * Whether evaluating the node may assign a variable of the kernel: by itself, or through a function. Functions from
 * outside can only write into arrays and objects that they are given.
 */
export function mayAssign(t: TS, node: ts.Node, isLocal: (name: string) => boolean): boolean {
  const known = mayAssignOf.get(node);
  if (known !== undefined) return known;
  let found = false;
  const visit = (n: ts.Node): void => {
    if (found || t.isFunctionLike(n)) return;
    if (t.isBinaryExpression(n) && isAssignment(t, n.operatorToken.kind)) found = true;
    else if (
      (t.isPrefixUnaryExpression(n) || t.isPostfixUnaryExpression(n)) &&
      (n.operator === t.SyntaxKind.PlusPlusToken || n.operator === t.SyntaxKind.MinusMinusToken)
    ) {
      found = true;
    } else if (t.isCallExpression(n)) {
      const root = rootName(t, n.expression);
      const method = t.isPropertyAccessExpression(n.expression) ? n.expression.name.text : undefined;
      const local = root === undefined || isLocal(root);
      if (local && !(method !== undefined && PURE_METHODS.has(method))) found = true;
      else if (!local && method === undefined && n.arguments.length > 0) found = true;
    }
    if (!found) t.forEachChild(n, visit);
  };
  visit(node);
  mayAssignOf.set(node, found);
  return found;
}

/** Whether a function body may return from somewhere else than its end. */
export function returnsEarly(t: TS, body: ts.Block): boolean {
  const last = body.statements[body.statements.length - 1];
  let found = false;
  const visit = (n: ts.Node): void => {
    if (found || t.isFunctionLike(n)) return;
    if (t.isReturnStatement(n) && n !== last) found = true;
    else t.forEachChild(n, visit);
  };
  t.forEachChild(body, visit);
  return found;
}
