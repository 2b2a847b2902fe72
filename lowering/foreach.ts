/** `for ... of`: S.range and S.grid stay loops, everything static is unrolled. */
import type ts from "typescript";
import { intrinsicOf } from "../dsl/intrinsic.ts";
import { checkBound, MOST_ROUNDS, rangeArguments } from "../dsl/intrinsics/control.ts";
import type { Expr } from "../ir/kir.ts";
import { iterated } from "./arrays.ts";
import { declare, target } from "./assign.ts";
import { dropTailContinue } from "./emit.ts";
import { LOOPS } from "./intrinsics.ts";
import { isConst, loopBody, loopLabels } from "./loops.ts";
import { toNumber } from "./operators.ts";
import { arrayOf, prepareRegion, region } from "./staging.ts";
import { describe, runtime, Scope, type Value } from "./values.ts";
import type { Jump, Walker } from "./walker.ts";

/** Rounds of all unrolled loops of a kernel, nested ones multiplied: bounds the size of its code. */
const MOST_ROUNDS_IN_ALL = 16_384;

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
  const body = (i: Value): void => {
    bindItem(w, node, i);
    w.statement(node.statement);
  };
  if (step.kind === "const" && typeof step.value === "number") {
    emitFor(w, node, names, call, number(r.from), number(r.to), step.value, [node.statement], body);
  } else {
    steppedLoop(w, node, call, names, { from: number(r.from), to: number(r.to), step }, body);
  }
  return undefined;
}

/**
 * A step of run time: KIR counts the rounds, and a step of 0 stops the program as a zero divisor does.
 *
 *     for (const i of S.range(a, b, s))   ->   %rounds = ceildiv (b - a), s
 *                                             for %round = 0 to %rounds step 1 { %i = a + %round * s }
 */
function steppedLoop(
  w: Walker,
  node: ts.ForOfStatement,
  call: ts.CallExpression,
  names: readonly string[],
  r: { readonly from: Expr; readonly to: Expr; readonly step: Expr },
  body: (i: Value) => void,
): void {
  const e = w.emit;
  const { from, to, step } = r;
  const site = e.site;
  e.site = w.site(call);
  const rounds = e.bind(e.op("ceildiv", [e.op("sub", [to, from]), step]), "rounds");
  e.site = site;
  const low = e.bind(e.op("min", [from, to]));
  const high = e.bind(e.op("max", [from, to]));
  const counted = (round: Value): void => {
    if (round.kind !== "runtime") return;
    const moved = e.op("add", [from, e.op("mul", [round.expr, step])]);
    // The first value is `from` itself, be it -0. The bounds tell the range analysis what the product does not.
    const value = e.op("select", [e.op("eq", [round.expr, e.num(0)]), from, moved]);
    body(runtime(e.bind(e.op("max", [e.op("min", [value, high]), low]), loopName(w, node))));
  };
  emitFor(w, node, names, call, e.num(0), rounds, 1, [node.statement], counted, "round");
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
      const tooMany = (most: number, where: string): never =>
        w.refuse(
          "KPU2008",
          `expected at most ${most} rounds to unroll${where}`,
          node.expression,
          "use S.range for a loop of run time",
        );
      if (count++ === MOST_ROUNDS) tooMany(MOST_ROUNDS, "");
      if (w.emit.rounds++ >= MOST_ROUNDS_IN_ALL) tooMany(MOST_ROUNDS_IN_ALL, " in all loops of the kernel");
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
