/**
 * `for` loops. One that counts up to a bound which does not change becomes KIR's `for`.
 *
 *     for (let i = 0; i < n; i += 8) ...     ->     for %i: num = 0 to %n step 8 { ... }
 */
import type ts from "typescript";
import type { Expr, Local } from "../ir/kir.ts";
import { assignedIn, someIn } from "../ir/walk.ts";
import { declare } from "./assign.ts";
import { dropTailContinue, readsMutable } from "./emit.ts";
import { integral } from "./integral.ts";
import { generalLoop, isConst, loopBody, loopLabels } from "./loops.ts";
import { toNumber } from "./operators.ts";
import { changes } from "./scan.ts";
import { counters, hold, newCell, prepareRegion } from "./staging.ts";
import { runtime, Scope, UNDEFINED } from "./values.ts";
import type { Jump, Walker } from "./walker.ts";

export function forStatement(w: Walker, node: ts.ForStatement, names: readonly string[]): Jump {
  const t = w.ts;
  const outer = w.frame.scope;
  w.frame.scope = new Scope(outer);
  try {
    const init = node.initializer;
    if (init !== undefined && t.isVariableDeclarationList(init)) {
      const counter = counterOf(w, node, init);
      for (const d of init.declarations) {
        if (counter !== undefined && d === counter.declaration) continue;
        declare(w, d.name, d.initializer ? w.expr(d.initializer) : UNDEFINED, isConst(w, init));
      }
      if (counter !== undefined) {
        const done = countedLoop(w, node, counter, names);
        if (done) return undefined;
      }
    } else if (init !== undefined) w.effect(init);
    return generalLoop(w, node.condition, node.statement, node.incrementor, true, names);
  } finally {
    w.frame.scope = outer;
  }
}

interface Counter {
  readonly declaration: ts.VariableDeclaration & { readonly initializer: ts.Expression };
  readonly name: ts.Identifier;
  readonly bound: ts.Expression;
  readonly compare: "<" | "<=" | ">" | ">=";
  /** The step is `sign` times this expression, or `sign` itself. */
  readonly step: ts.Expression | undefined;
  readonly sign: 1 | -1;
}

const MIRROR = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" } as const;

/** Recognises `let i = a; i < b; i += c` where the body leaves i alone. */
function counterOf(w: Walker, node: ts.ForStatement, init: ts.VariableDeclarationList): Counter | undefined {
  const t = w.ts;
  const c = node.condition;
  const inc = node.incrementor;
  if (c === undefined || inc === undefined || !t.isBinaryExpression(c)) return undefined;
  let op = t.tokenToString(c.operatorToken.kind) as Counter["compare"] | undefined;
  if (op !== "<" && op !== "<=" && op !== ">" && op !== ">=") return undefined;
  const moved = incrementOf(w, inc);
  if (moved === undefined) return undefined;
  let bound: ts.Expression;
  if (t.isIdentifier(c.left) && c.left.text === moved.name) bound = c.right;
  else if (t.isIdentifier(c.right) && c.right.text === moved.name) {
    bound = c.left;
    op = MIRROR[op];
  } else return undefined;
  // The last declaration, so that the others are evaluated before the loop in order.
  const declaration = init.declarations[init.declarations.length - 1];
  const first = init.declarations.find((d) => t.isIdentifier(d.name) && d.name.text === moved.name);
  if (first === undefined || first.initializer === undefined) return undefined;
  if (first !== declaration && !(t.isNumericLiteral(first.initializer) || t.isIdentifier(first.initializer)))
    return undefined;
  const assigned = assignedNames(w, [node.statement, c]);
  if (assigned.has(moved.name)) return undefined;
  return {
    declaration: first as Counter["declaration"],
    name: first.name as ts.Identifier,
    bound,
    compare: op,
    step: moved.step,
    sign: moved.sign,
  };
}

function incrementOf(
  w: Walker,
  inc: ts.Expression,
): { name: string; step: ts.Expression | undefined; sign: 1 | -1 } | undefined {
  const t = w.ts;
  const K = t.SyntaxKind;
  if (t.isPostfixUnaryExpression(inc) || t.isPrefixUnaryExpression(inc)) {
    if (!t.isIdentifier(inc.operand)) return undefined;
    if (inc.operator === K.PlusPlusToken) return { name: inc.operand.text, step: undefined, sign: 1 };
    if (inc.operator === K.MinusMinusToken) return { name: inc.operand.text, step: undefined, sign: -1 };
    return undefined;
  }
  if (!t.isBinaryExpression(inc) || !t.isIdentifier(inc.left)) return undefined;
  const name = inc.left.text;
  const kind = inc.operatorToken.kind;
  if (kind === K.PlusEqualsToken) return { name, step: inc.right, sign: 1 };
  if (kind === K.MinusEqualsToken) return { name, step: inc.right, sign: -1 };
  if (kind !== K.EqualsToken || !t.isBinaryExpression(inc.right)) return undefined;
  const { left, right, operatorToken } = inc.right;
  if (!t.isIdentifier(left) || left.text !== name) return undefined;
  if (operatorToken.kind === K.PlusToken) return { name, step: right, sign: 1 };
  if (operatorToken.kind === K.MinusToken) return { name, step: right, sign: -1 };
  return undefined;
}

/** Names assigned in the nodes, through local functions that they call as well. */
function assignedNames(w: Walker, nodes: readonly ts.Node[]): Set<string> {
  const names = new Set<string>();
  const seen = new Set<ts.Node>();
  const visit = (n: ts.Node): void => {
    if (seen.has(n)) return;
    seen.add(n);
    const found = changes(w.ts, n);
    for (const name of found.assigned) names.add(name);
    for (const name of found.called) {
      const v = w.frame.scope.find(name)?.value;
      if (v?.kind === "closure") visit(v.node);
    }
  };
  for (const n of nodes) visit(n);
  return names;
}

/** True when the loop was written as KIR's `for`. */
function countedLoop(w: Walker, node: ts.ForStatement, c: Counter, names: readonly string[]): boolean {
  const at = w.emit.site;
  const start = hold(w, w.expr(c.declaration.initializer), c.name.text);
  const fallBack = (): boolean => {
    declare(w, c.name, start, false);
    return false;
  };
  const key = `${w.frame.path}/${node.pos}:for`;
  if (w.forced.has(key)) return fallBack();
  let step: number = c.sign;
  if (c.step !== undefined) {
    if (!isPlain(w, c.step)) return fallBack();
    const s = w.expr(c.step);
    if (s.kind !== "static" || typeof s.value !== "number") return fallBack();
    step = c.sign * s.value;
  }
  const up = c.compare[0] === "<";
  if (!Number.isSafeInteger(step) || step === 0 || step > 0 !== up) return fallBack();
  if (start.kind !== "static" && start.kind !== "runtime") return fallBack();
  prepareRegion(w, [node.statement]);
  let to: Expr | undefined;
  const seen = w.frame.scope;
  const computed = w.emit.collect(() => {
    const limit = w.expr(c.bound);
    if (limit.kind !== "static" && limit.kind !== "runtime") return;
    to = toNumber(w, limit, c.bound);
  });
  w.frame.scope = seen;
  if (to === undefined || computed.length > 0 || !invariant(w, to, node.statement)) return fallBack();
  const from = toNumber(w, start, c.declaration);
  const bound = boundOf(w, to, c.compare, from);
  if (bound === undefined) return fallBack();
  const [label, again] = loopLabels(w);
  const local = w.emit.local(w.nameOf(c.name), from.type, false);
  const body = loopBody(w, names, label, again, () => {
    const cell = newCell(w, w.nameOf(c.name), runtime(w.emit.ref(local)), false, c.name);
    counters.set(cell, key);
    w.frame.scope.cells.set(c.name.text, cell);
    w.statement(node.statement);
  });
  // What the names in the body did not tell, its statements do.
  const changed = assignedIn(body);
  if (someIn(to, (e) => e.kind === "ref" && changed.has(e.local))) w.restart(key);
  dropTailContinue(body, label.name);
  w.emit.list.push({ kind: "for", label: label.name, local, from, to: bound, step, body, at });
  return true;
}

/** Whether evaluating the step once before the loop is the same as in every round. */
function isPlain(w: Walker, step: ts.Expression): boolean {
  const t = w.ts;
  let plain = true;
  const visit = (n: ts.Node): void => {
    if (t.isCallExpression(n) && !t.isPropertyAccessExpression(n.expression)) plain = false;
    t.forEachChild(n, visit);
  };
  visit(step);
  return plain;
}

/** KIR compares with < and > only: `i <= b` is `i < floor(b) + 1` for an integral i. */
function boundOf(w: Walker, to: Expr, compare: Counter["compare"], from: Expr): Expr | undefined {
  if (compare === "<" || compare === ">") return to;
  if (!integral(from)) return undefined;
  const e = w.emit;
  if (to.kind === "const" && typeof to.value === "number") {
    return e.num(compare === "<=" ? Math.floor(to.value) + 1 : Math.ceil(to.value) - 1);
  }
  const whole = integral(to) ? to : e.op(compare === "<=" ? "floor" : "ceil", [to]);
  return e.op(compare === "<=" ? "add" : "sub", [whole, e.num(1)]);
}

/** Whether no local that the bound reads is assigned in the body. */
function invariant(w: Walker, e: Expr, body: ts.Node): boolean {
  if (!readsMutable(e)) return true;
  const changed = new Set<Local>();
  const names = assignedNames(w, [body]);
  for (const name of names) {
    const local = w.frame.scope.find(name)?.local;
    if (local) changed.add(local);
  }
  for (const name of changes(w.ts, body).written) {
    // Slots of arrays that the body writes: not worth looking closer.
    if (w.frame.scope.find(name) !== undefined) return false;
  }
  const reads = (x: Expr): boolean =>
    x.kind === "ref" ? changed.has(x.local) : x.kind === "apply" && x.args.some(reads);
  return !reads(e);
}
