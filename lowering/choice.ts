/** Choices: `?:`, `&&`, `||`, `??`, `if`. A static condition chooses now and hides the other arm. */
import type ts from "typescript";
import { type Expr, type Stmt, sameType, typeText } from "../ir/kir.ts";
import { ifStmt, isSpeculative } from "./emit.ts";
import { exprOf, toBoolean } from "./operators.ts";
import { mayAssign } from "./scan.ts";
import { arrayOf, hold, prepareRegion, region, shareParts } from "./staging.ts";
import { describe, runtime, stat, UNDEFINED, type Value } from "./values.ts";
import type { Jump, Walker } from "./walker.ts";

export function conditional(w: Walker, node: ts.ConditionalExpression): Value {
  const c = w.condition(node.condition);
  if (typeof c === "boolean") return w.expr(c ? node.whenTrue : node.whenFalse);
  prepareRegion(w, [node.whenTrue, node.whenFalse]);
  const before = w.definite;
  const a = arm(w, node.whenTrue);
  const afterA = w.definite;
  w.definite = new Set(before);
  const b = arm(w, node.whenFalse);
  w.definite = new Set([...afterA].filter((x) => w.definite.has(x)));
  return join(w, c, a, b, node);
}

const MOST_HOISTED = 8;

/** Moves the statements of an arm in front of the choice where they only name pure values: then a select will do. */
function hoist(w: Walker, list: Stmt[]): void {
  if (
    list.length > MOST_HOISTED ||
    !list.every((s) => s.kind === "let" && !s.local.mutable && isSpeculative(s.value))
  )
    return;
  w.emit.list.push(...list.splice(0));
}

interface Arm {
  readonly list: Stmt[];
  readonly value: Value;
}

function arm(w: Walker, node: ts.Expression): Arm {
  let value: Value = UNDEFINED;
  w.definite = new Set(w.definite);
  const list = region(w, () => {
    value = w.expr(node);
  });
  return { list, value };
}

/** The value of `c ? a : b`: a select where both arms are pure, else an `if` that assigns a local. */
function join(w: Walker, c: Expr, a: Arm, b: Arm, node: ts.Node): Value {
  hoist(w, a.list);
  hoist(w, b.list);
  const pure = a.list.length === 0 && b.list.length === 0;
  const condition = pure || c.kind === "const" ? c : w.emit.bind(c);
  const after: (() => void)[] = [];
  const value = joinValues(w, condition, a, b, pure, node, after);
  if (!pure) {
    w.emit.list.push(ifStmt(condition, a.list, b.list, w.emit.site));
  }
  return value;
}

function joinValues(
  w: Walker,
  c: Expr,
  a: Arm,
  b: Arm,
  pure: boolean,
  node: ts.Node,
  after: (() => void)[],
): Value {
  const x = a.value;
  const y = b.value;
  if (x.kind === "poison") return x;
  if (y.kind === "poison") return y;
  if (x === y && x.kind !== "runtime") return x;
  if (x.kind === "static" && y.kind === "static" && Object.is(x.value, y.value)) return x;
  const part = (p: Value, q: Value): Value =>
    joinValues(w, c, { list: a.list, value: p }, { list: b.list, value: q }, pure, node, after);
  if (x.kind === "array" && y.kind === "array" && x.slots.length === y.slots.length) {
    const made = arrayOf(
      w,
      x.slots.map((s, i) => part(s.value as Value, y.slots[i]?.value as Value)),
      node,
    );
    for (const from of [x, y]) shareParts(w, from, made, node);
    return made;
  }
  if (
    x.kind === "view" &&
    y.kind === "view" &&
    String(x.view.shape) === String(y.view.shape) &&
    x.view.shape.every((s) => typeof s === "number")
  ) {
    const ptr = part(runtime(x.view.ptr), runtime(y.view.ptr));
    if (ptr.kind === "runtime")
      return { kind: "view", view: { kind: "view", ptr: ptr.expr, shape: x.view.shape } };
  }
  const left = exprOf(w.emit, x);
  const right = exprOf(w.emit, y);
  const p = left && w.emit.asNum(left);
  const q = right && w.emit.asNum(right);
  if (p === undefined || q === undefined || !sameType(p.type, q.type)) {
    w.refuse(
      "KPU3007",
      `expected one kind of value on both paths, got ${describe(x)} and ${describe(y)}`,
      node,
      "give both arms the same kind, or use an if statement",
    );
  }
  if (pure) return runtime(w.emit.op("select", [c, p, q]));
  return runtime(w.emit.ref(joinLocal(w, a.list, p, b.list, q, node)));
}

function joinLocal(
  w: Walker,
  aList: Stmt[],
  p: Expr,
  bList: Stmt[],
  q: Expr,
  node: ts.Node,
): ReturnType<Walker["emit"]["variable"]> {
  const at = w.emit.site;
  const initial = bList.length === 0 ? q : aList.length === 0 ? p : zeroOf(w, p, node);
  const local = w.emit.variable("v", initial);
  if (initial !== p) aList.push({ kind: "assign", local, value: p, at });
  if (initial !== q) bList.push({ kind: "assign", local, value: q, at });
  return local;
}

function zeroOf(w: Walker, e: Expr, node: ts.Node): Expr {
  const t = e.type;
  if (t.kind === "scalar" && t.name !== "event")
    return t.name === "bool" ? w.emit.bool(false) : w.emit.num(0);
  if (t.kind === "vec") return w.emit.op("splat", [w.emit.num(0)], { dtype: t.dtype, lanes: t.lanes });
  if (t.kind === "mask")
    return w.emit.op("vconst", [], { dtype: "bool", values: new Array<number>(t.lanes).fill(0) });
  return w.refuse(
    "KPU3007",
    `expected at most one arm with memory access, because the value is ${typeText(t)}`,
    node,
    "compute the offset first, then move the pointer once",
  );
}

/** `&&`, `||`, `??`. As a condition only truth counts, so the sides may be of different kinds. */
export function logical(w: Walker, node: ts.BinaryExpression, asCondition = false): Value {
  const op = w.ts.tokenToString(node.operatorToken.kind) as string;
  if (asCondition && op !== "??") return logicalCondition(w, node, op === "&&");
  const first = w.expr(node.left);
  if (op === "??") {
    const nullish = first.kind === "static" && (first.value === null || first.value === undefined);
    return nullish ? w.expr(node.right) : first;
  }
  const known = toBoolean(w, first, node.left);
  if (typeof known === "boolean") return known === (op === "&&") ? w.expr(node.right) : first;
  // Read twice, by the test and as the value.
  const left = hold(w, first, "t");
  prepareRegion(w, [node.right]);
  const c = toBoolean(w, left, node.left) as Expr;
  const before = w.definite;
  const right = arm(w, node.right);
  w.definite = before;
  const stay: Arm = { list: [], value: left };
  hoist(w, right.list);
  if (right.list.length === 0 && isBool(left) && isBool(right.value)) {
    const r = exprOf(w.emit, right.value) as Expr;
    return runtime(w.emit.op(op === "&&" ? "and" : "or", [c, r]));
  }
  return op === "&&" ? join(w, c, right, stay, node) : join(w, c, stay, right, node);
}

function isBool(v: Value): boolean {
  return (
    (v.kind === "static" && typeof v.value === "boolean") ||
    (v.kind === "runtime" && v.expr.type.kind === "scalar" && v.expr.type.name === "bool")
  );
}

function logicalCondition(w: Walker, node: ts.BinaryExpression, and: boolean): Value {
  const first = w.condition(node.left);
  if (typeof first === "boolean") {
    if (first !== and) return stat(first);
    const r = w.condition(node.right);
    return typeof r === "boolean" ? stat(r) : runtime(r);
  }
  const c = mayAssign(w.ts, node.right, (name) => w.frame.scope.find(name) !== undefined)
    ? w.emit.settle(first)
    : first;
  prepareRegion(w, [node.right]);
  let right: boolean | Expr = false;
  const before = w.definite;
  w.definite = new Set(before);
  const list = region(w, () => {
    right = w.condition(node.right);
  });
  w.definite = before;
  const r: Expr = typeof right === "boolean" ? w.emit.bool(right) : right;
  hoist(w, list);
  if (list.length === 0) return runtime(w.emit.op(and ? "and" : "or", [c, r]));
  const local = w.emit.variable("c", c);
  const ref = w.emit.ref(local);
  list.push({ kind: "assign", local, value: r, at: w.emit.site });
  w.emit.list.push(ifStmt(ref, and ? list : [], and ? [] : list, w.emit.site));
  return runtime(ref);
}

/** An expression whose value is not used: `c && f()`, `c ? f() : g()` become ifs. */
export function effectOf(w: Walker, node: ts.Expression): void {
  const t = w.ts;
  let n = node;
  while (t.isParenthesizedExpression(n)) n = n.expression;
  if (t.isConditionalExpression(n)) {
    const { whenTrue, whenFalse } = n;
    branch(
      w,
      n.condition,
      () => void w.effect(whenTrue),
      () => void w.effect(whenFalse),
      [whenTrue, whenFalse],
    );
  } else if (t.isBinaryExpression(n) && n.operatorToken.kind === t.SyntaxKind.AmpersandAmpersandToken) {
    const right = n.right;
    branch(w, n.left, () => void w.effect(right), undefined, [right]);
  } else if (t.isBinaryExpression(n) && n.operatorToken.kind === t.SyntaxKind.BarBarToken) {
    const right = n.right;
    branch(w, n.left, undefined, () => void w.effect(right), [right]);
  } else if (t.isBinaryExpression(n) && n.operatorToken.kind === t.SyntaxKind.CommaToken) {
    w.effect(n.left);
    w.effect(n.right);
  } else w.expr(n);
}

type Branch = (() => unknown) | undefined;

/** `if` on a condition; returns how it leaves. */
export function branch(
  w: Walker,
  condition: ts.Expression,
  yes: Branch,
  no: Branch,
  nodes: readonly (ts.Node | undefined)[],
): Jump {
  const c = w.condition(condition);
  if (typeof c === "boolean") return ((c ? yes : no)?.() ?? undefined) as Jump;
  prepareRegion(w, nodes);
  const at = w.emit.site;
  const before = w.definite;
  const run = (body: Branch): { list: Stmt[]; jump: Jump; definite: typeof before } => {
    w.definite = new Set(before);
    let jump: Jump;
    const list = body ? region(w, () => void (jump = (body() ?? undefined) as Jump)) : [];
    return { list, jump, definite: w.definite };
  };
  const then = run(yes);
  const other = run(no);
  if (then.jump) w.definite = other.definite;
  else if (other.jump) w.definite = then.definite;
  else w.definite = new Set([...then.definite].filter((x) => other.definite.has(x)));
  w.emit.list.push(ifStmt(c, then.list, other.list, at));
  if (then.jump && other.jump) return then.jump.label === other.jump.label ? then.jump : { label: undefined };
  return undefined;
}

export function ifStatement(w: Walker, node: ts.IfStatement): Jump {
  const no = node.elseStatement;
  return branch(
    w,
    node.expression,
    () => w.statement(node.thenStatement),
    no ? () => w.statement(no) : undefined,
    [node.thenStatement, no],
  );
}
