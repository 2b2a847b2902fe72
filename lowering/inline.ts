/**
 * Inlines a function: parameters become variables, early returns become breaks out of a block with a result local.
 *
 *     const m = clamp(x);            block ret {
 *     // if (x < 0) return 0;   ->     if lt %x, 0 { %m = 0; break ret }
 *     // return x;                     %m = %x
 *                                    }
 */
import type ts from "typescript";
import { checkSyntax } from "../capture/index.ts";
import { type Diagnostic, KpuError } from "../ir/diagnostic.ts";
import { declare } from "./assign.ts";
import { returnsEarly } from "./scan.ts";
import { arrayOf, makePending, newCell, prepareRegion, readCell, release, store } from "./staging.ts";
import { type Cell, type ClosureValue, Scope, UNDEFINED, type Value } from "./values.ts";
import { type Frame, type Jump, type ResultSlot, Silenced, type Walker } from "./walker.ts";

const DEEPEST = 100;
const MOST_CALLS = 20_000;

export function inline(w: Walker, fn: ClosureValue, args: Value[], node: ts.Node): Value {
  const t = w.ts;
  const body = fn.node.body;
  if (body === undefined) throw new TypeError("a function without a body");
  checkRecursion(w, fn, args, node);
  checkHelper(w, fn, node);
  const early = t.isBlock(body) && returnsEarly(t, body);
  if (early) prepareRegion(w, [fn.node], fn.scope);
  const label = w.emit.label("ret");
  const cell: Cell = {
    name: fn.name || "result",
    value: UNDEFINED,
    constant: false,
    depth: w.depth,
    local: undefined,
    pending: undefined,
    origin: "",
  };
  if (early) makePending(w, cell);
  const outer = w.frame;
  const result: ResultSlot = {
    label,
    cell,
    depth: w.depth + (early ? 1 : 0),
    direct: undefined,
    values: 0,
    voids: 0,
  };
  const frame: Frame = {
    captured: fn.captured,
    scope: new Scope(fn.scope),
    thisValue: fn.thisValue,
    callSite: w.site(node),
    path: `${outer.path}>${node.pos}`,
    result,
    targets: [],
    sites: new Map(),
    stack: [...outer.stack, { node: fn.node, signature: signature(args) }],
    parent: outer,
    callNode: node,
    calledBy: w.calledBy,
  };
  w.inlined.push({
    fn: fn.node,
    at: node,
    caller: outer.captured,
    calledBy: w.calledBy,
    site: frame.callSite,
  });
  if (t.isFunctionExpression(fn.node) && fn.node.name && !fn.scope.find(fn.node.name.text)) {
    frame.scope.cells.set(fn.node.name.text, newCell(w, fn.node.name.text, fn, true, undefined));
    frame.scope = new Scope(frame.scope);
  }
  w.calledBy = undefined;
  const site = w.emit.site;
  const definite = w.definite;
  const reported = w.diagnostics.length;
  let value: Value = UNDEFINED;
  let jump: Jump;
  w.frame = frame;
  if (early) w.depth++;
  try {
    const list = w.emit.collect(() => {
      bindParameters(w, fn, args);
      if (t.isBlock(body)) jump = w.statements(body.statements, true);
      else value = w.expr(body);
    });
    w.frame = outer;
    if (early) w.depth--;
    w.emit.site = site;
    // What was refused inside leaves no value to go on with.
    if (w.diagnostics.length > reported) throw new Silenced();
    const jumps = label.used > 0;
    w.emit.block(label, list);
    if (!t.isBlock(body)) return value;
    if (!jumps && result.values === 0) return result.direct ?? UNDEFINED;
    if (result.values === 0) return UNDEFINED;
    // Some paths return nothing: then the result may not be used.
    if (jump !== undefined && result.voids === 0) w.definite = new Set([...definite, cell, ...parts(cell)]);
    else w.definite = definite;
    // A call whose value is not used may leave it open.
    if (!w.definite.has(cell) && w.ts.isExpressionStatement(node.parent)) return UNDEFINED;
    return release(readCell(w, cell, node));
  } finally {
    if (w.frame === frame) {
      w.frame = outer;
      if (early) w.depth--;
      w.emit.site = site;
    }
  }
}

function parts(cell: Cell): Cell[] {
  const v = cell.value;
  if (v?.kind === "array") return v.slots.flatMap((s) => [s, ...parts(s)]);
  if (v?.kind === "object") return [...v.fields.values()].flatMap((f) => [f, ...parts(f)]);
  return [];
}

function bindParameters(w: Walker, fn: ClosureValue, args: readonly Value[]): void {
  fn.node.parameters.forEach((p, i) => {
    if (p.dotDotDotToken) {
      declare(w, p.name, arrayOf(w, args.slice(i), p), false);
      return;
    }
    const given = args[i] ?? UNDEFINED;
    const value =
      p.initializer !== undefined && given.kind === "static" && given.value === undefined
        ? w.expr(p.initializer)
        : given;
    declare(w, p.name, value, false);
  });
}

export function returnStatement(w: Walker, node: ts.ReturnStatement): Jump {
  const result = w.frame.result;
  if (result === undefined) {
    if (node.expression !== undefined) {
      const v = w.expr(node.expression);
      if (!(v.kind === "static" && v.value === undefined)) {
        w.refuse(
          "KPU1014",
          "expected a kernel without a result, but it returns a value",
          node,
          "write results through a pointer parameter",
        );
      }
    }
    w.emit.list.push({ kind: "return", at: w.site(node) });
    return { label: undefined };
  }
  const value = node.expression === undefined ? undefined : w.expr(node.expression);
  const given = value !== undefined && !(value.kind === "static" && value.value === undefined);
  if (w.depth === result.depth && result.label.used === 0) {
    result.direct = value ?? UNDEFINED;
    return { label: result.label };
  }
  if (given) {
    result.values++;
    // The function's own name of an array or object ends here.
    const mine = (value.kind === "array" || value.kind === "object") && value.origin.startsWith(w.frame.path);
    store(w, result.cell, value, node, mine ? 1 : 0);
  } else result.voids++;
  result.label.used++;
  w.emit.list.push({ kind: "break", label: result.label.name, at: w.site(node) });
  return { label: result.label };
}

interface Call {
  readonly node: ts.Node;
  readonly signature: string;
}

/** Recursion must make progress in its static arguments. */
function checkRecursion(w: Walker, fn: ClosureValue, args: readonly Value[], node: ts.Node): void {
  const calls = (w.frame.stack as readonly Call[]).filter((c) => c.node === fn.node);
  const same = calls.some((c) => c.signature === signature(args));
  if (same || calls.length > DEEPEST || ++w.calls.count > MOST_CALLS) {
    w.refuse(
      "KPU2005",
      `expected recursion that ends on static arguments, but ${fn.name || "the function"} calls itself on runtime values`,
      node,
      "write a loop, or recurse on a static number that gets smaller",
    );
  }
}

function signature(args: readonly Value[]): string {
  return args
    .map((a) =>
      a.kind === "static" && typeof a.value !== "object"
        ? String(a.value as string)
        : a.kind === "array"
          ? `[${a.slots.length}]`
          : "?",
    )
    .join();
}

/** Syntax of helpers is checked like that of kernels. */
function checkHelper(w: Walker, fn: ClosureValue, node: ts.Node): void {
  if (fn.captured === w.frame.captured || w.helpers.has(fn.captured)) return;
  w.helpers.add(fn.captured);
  const found = checkSyntax(fn.captured);
  if (found.length === 0) return;
  const inlinedAt = w.emitLocation(node);
  throw new KpuError(
    found.map((d): Diagnostic => (d.location ? { ...d, location: { ...d.location, inlinedAt } } : d)),
  );
}
