/**
 * Loops. A counted `for` whose bound does not change becomes KIR's `for`; every other runtime loop becomes `loop`;
 * a `for ... of` over something static is unrolled.
 */
import type ts from "typescript";
import { intrinsicOf } from "../dsl/intrinsic.ts";
import { checkBound, rangeArguments } from "../dsl/intrinsics/control.ts";
import type { Expr, Local, Stmt } from "../ir/kir.ts";
import { assignedIn, someIn } from "../ir/walk.ts";
import { iterated } from "./arrays.ts";
import { declare, target } from "./assign.ts";
import { dropTailContinue, type Label, readsMutable } from "./emit.ts";
import { integral } from "./integral.ts";
import { LOOPS } from "./intrinsics.ts";
import { toNumber } from "./operators.ts";
import { changes } from "./scan.ts";
import { arrayOf, counters, hold, newCell, prepareRegion, region } from "./staging.ts";
import { describe, runtime, Scope, UNDEFINED, type Value } from "./values.ts";
import type { Jump, JumpTarget, Walker } from "./walker.ts";

const MOST_ROUNDS = 4096;

/** Lowers a loop body as a region and gives its statements. */
function loopBody(w: Walker, names: readonly string[], label: Label, again: Label, body: () => void): Stmt[] {
  const before = w.definite;
  const t: JumpTarget = {
    names: [...names],
    breakTo: label,
    continueTo: again,
    depth: w.depth + 1,
    unrolled: undefined,
  };
  w.frame.targets.push(t);
  w.definite = new Set(before);
  try {
    return region(w, body);
  } finally {
    w.frame.targets.pop();
    w.definite = before;
  }
}

/** A label for the loop itself and one that only counts its `continue`s; KIR writes both with one name. */
function loopLabels(w: Walker): [Label, Label] {
  const label = w.emit.label("loop");
  return [label, { name: label.name, used: 0 }];
}

export function whileStatement(
  w: Walker,
  node: ts.WhileStatement | ts.DoStatement,
  names: readonly string[],
): Jump {
  const testFirst = w.ts.isWhileStatement(node);
  return generalLoop(w, node.expression, node.statement, undefined, testFirst, names);
}

function generalLoop(
  w: Walker,
  condition: ts.Expression | undefined,
  statement: ts.Statement,
  incrementor: ts.Expression | undefined,
  testFirst: boolean,
  names: readonly string[],
): Jump {
  prepareRegion(w, [condition, statement, incrementor]);
  const at = w.emit.site;
  const [label, again] = loopLabels(w);
  let c: boolean | Expr = true;
  const test = condition
    ? region(w, () => {
        c = w.condition(condition);
      })
    : [];
  if ((c as boolean | Expr) === false && testFirst) {
    w.emit.list.push(...test);
    return undefined;
  }
  const body = loopBody(w, names, label, again, () => void w.statement(statement));
  dropTailContinue(body, label.name);
  const update = incrementor ? region(w, () => w.effect(incrementor)) : [];
  const cond: Expr = typeof c === "boolean" ? w.emit.bool(c) : c;
  w.emit.list.push({ kind: "loop", label: label.name, testFirst, test, cond, body, update, at });
  return (c as boolean | Expr) === true && label.used === 0 ? { label: undefined } : undefined;
}

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

function isConst(w: Walker, list: ts.VariableDeclarationList): boolean {
  return (list.flags & w.ts.NodeFlags.Const) !== 0;
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

export function forOfStatement(w: Walker, node: ts.ForOfStatement, names: readonly string[]): Jump {
  const t = w.ts;
  let iterable: ts.Expression = node.expression;
  while (t.isParenthesizedExpression(iterable)) iterable = iterable.expression;
  if (t.isCallExpression(iterable) && mayBeLoop(w, iterable.expression)) {
    const callee = w.expr(iterable.expression);
    const name = callee.kind === "static" ? intrinsicOf(callee.value)?.name : undefined;
    if (name === "range") return rangeLoop(w, node, iterable, names);
    if (name === "grid") return gridLoop(w, node, iterable, names);
  }
  const v = w.expr(iterable);
  if (v.kind === "array" || (v.kind === "static" && isIterable(v.value)))
    return unrolledLoop(w, node, iterated(w, v, iterable), names);
  return w.refuse(
    "KPU1013",
    `expected S.range, S.grid, S.unroll or an array, got ${describe(v)}`,
    iterable,
    "write for (const i of S.range(0, n)) { ... }",
  );
}

/** Whether the callee can be S.range or S.grid: looked at before it is evaluated, which happens once. */
function mayBeLoop(w: Walker, callee: ts.Expression): boolean {
  const t = w.ts;
  if (t.isPropertyAccessExpression(callee)) return LOOPS.has(callee.name.text);
  return t.isIdentifier(callee);
}

function isIterable(v: unknown): boolean {
  return v !== null && v !== undefined && typeof (v as Iterable<unknown>)[Symbol.iterator] === "function";
}

/** Binds the loop variable of a `for ... of`. */
function bindItem(w: Walker, node: ts.ForOfStatement, v: Value): void {
  const init = node.initializer;
  if (w.ts.isVariableDeclarationList(init)) {
    const d = init.declarations[0];
    if (d) declare(w, d.name, v, isConst(w, init));
  } else target(w, init).write(v);
}

function bounds(w: Walker, call: ts.CallExpression, name: string): Expr[] {
  return w.list(call.arguments).map((v, i) => {
    const at = call.arguments[i] as ts.Node;
    if (v.kind === "static" && typeof v.value === "number") {
      const what =
        name === "grid"
          ? "extent"
          : call.arguments.length === 1
            ? "to"
            : (["from", "to", "step"] as const)[i];
      checkBound(name, what ?? "to", v.value, (code, message, o) => w.refuse(code, message, at, o?.help));
    } else if (!(v.kind === "runtime" && v.expr.type.kind === "scalar" && v.expr.type.name === "num")) {
      w.refuse("KPU3001", `S.${name}: bounds must be numbers, got ${describe(v)}`, at);
    }
    return w.emit.bind(toNumber(w, v, at));
  });
}

function rangeLoop(
  w: Walker,
  node: ts.ForOfStatement,
  call: ts.CallExpression,
  names: readonly string[],
): Jump {
  const given = bounds(w, call, "range");
  const r = rangeArguments<Expr>("range", given, (code, message, o) =>
    w.refuse(code, message, call, o?.help),
  );
  const number = (x: Expr | number): Expr => (typeof x === "number" ? w.emit.num(x) : x);
  const step = number(r.step);
  if (step.kind !== "const" || typeof step.value !== "number") {
    return w.refuse(
      "KPU2007",
      "expected the step of S.range to be static",
      call.arguments[2] as ts.Node,
      "write a while loop for a step of run time",
    );
  }
  emitFor(w, node, names, call, number(r.from), number(r.to), step.value, [node.statement], (i) => {
    bindItem(w, node, i);
    w.statement(node.statement);
  });
  return undefined;
}

function gridLoop(
  w: Walker,
  node: ts.ForOfStatement,
  call: ts.CallExpression,
  names: readonly string[],
): Jump {
  const [height, width] = bounds(w, call, "grid");
  if (height === undefined || width === undefined)
    return w.refuse("KPU3009", "S.grid takes (height, width)", call);
  const rowLabels = loopLabels(w);
  emitFor(
    w,
    node,
    [],
    call,
    w.emit.num(0),
    height,
    1,
    [node.statement],
    (y) => {
      // `break` leaves both loops, `continue` goes to the next pair.
      emitFor(
        w,
        node,
        names,
        call,
        w.emit.num(0),
        width,
        1,
        [],
        (x) => {
          bindItem(w, node, arrayOf(w, [y, x], call));
          w.statement(node.statement);
        },
        "x",
        undefined,
        rowLabels[0],
      );
    },
    "y",
    rowLabels,
  );
  return undefined;
}

function emitFor(
  w: Walker,
  node: ts.ForOfStatement,
  names: readonly string[],
  call: ts.Node,
  from: Expr,
  to: Expr,
  step: number,
  changing: readonly ts.Node[],
  body: (i: Value) => void,
  name = loopName(w, node),
  [label, again] = loopLabels(w),
  breakTo = label,
): void {
  const at = w.emit.site;
  const init = node.initializer;
  prepareRegion(w, w.ts.isVariableDeclarationList(init) ? changing : [...changing, node]);
  const local = w.emit.local(name, from.type, false);
  w.ranges.push({ local, from, to, site: w.site(call) });
  const list = loopBody(w, names, breakTo, again, () => {
    const outer = w.frame.scope;
    w.frame.scope = new Scope(outer);
    body(runtime(w.emit.ref(local)));
    w.frame.scope = outer;
  });
  dropTailContinue(list, label.name);
  w.emit.list.push({ kind: "for", label: label.name, local, from, to, step, body: list, at });
}

function loopName(w: Walker, node: ts.ForOfStatement): string {
  const init = node.initializer;
  const name = w.ts.isVariableDeclarationList(init) ? init.declarations[0]?.name : undefined;
  return name !== undefined && w.ts.isIdentifier(name) ? w.nameOf(name) : "i";
}

function unrolledLoop(
  w: Walker,
  node: ts.ForOfStatement,
  items: Iterable<Value>,
  names: readonly string[],
): Jump {
  const key = `${w.frame.path}/${node.pos}:unroll`;
  const asRegion = w.forced.has(key);
  if (asRegion) prepareRegion(w, [node.statement]);
  const outer = w.emit.label("unroll");
  let jump: Jump;
  const rounds = (): void => {
    let count = 0;
    for (const item of items) {
      if (count++ === MOST_ROUNDS) {
        w.refuse(
          "KPU2008",
          `expected at most ${MOST_ROUNDS} rounds to unroll`,
          node.expression,
          "use S.range for a loop of run time",
        );
      }
      const next = w.emit.label("next");
      w.frame.targets.push({
        names: [...names],
        breakTo: outer,
        continueTo: next,
        depth: w.depth,
        unrolled: asRegion ? "" : key,
      });
      const scope = w.frame.scope;
      w.frame.scope = new Scope(scope);
      let left: Jump;
      const list = w.emit.collect(() => {
        bindItem(w, node, item);
        left = w.statement(node.statement);
      });
      w.frame.scope = scope;
      w.frame.targets.pop();
      const goesOn = left === undefined || left.label === next || next.used > 0;
      w.emit.block(next, list);
      if (!goesOn) {
        jump = left;
        return;
      }
    }
  };
  const list = asRegion ? region(w, rounds, false) : w.emit.collect(rounds);
  const leaves = jump !== undefined && jump.label !== outer && outer.used === 0;
  w.emit.block(outer, list);
  return leaves ? jump : undefined;
}

export function jumpStatement(w: Walker, node: ts.BreakOrContinueStatement): Jump {
  const isBreak = w.ts.isBreakStatement(node);
  const name = node.label?.text;
  const targets = w.frame.targets;
  for (let i = targets.length - 1; i >= 0; i--) {
    const t = targets[i] as JumpTarget;
    if (name !== undefined ? !t.names.includes(name) : !isBreak && t.continueTo === undefined) continue;
    if (name === undefined && isBreak && t.block) continue;
    const label = isBreak ? t.breakTo : t.continueTo;
    if (label === undefined) break;
    for (const passed of targets.slice(i)) {
      // A jump on a runtime condition out of unrolled rounds makes what follows conditional.
      if (passed.unrolled && w.depth > passed.depth) w.restart(passed.unrolled);
    }
    label.used++;
    const kind = isBreak || t.unrolled !== undefined ? "break" : "continue";
    w.emit.list.push({ kind, label: label.name, at: w.site(node) });
    return { label };
  }
  return w.refuse("KPU1011", `expected a loop or switch around ${isBreak ? "break" : "continue"}`, node);
}
