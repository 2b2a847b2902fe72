/**
 * `S.comptime(fn)`: fn is called while the kernel is lowered, as the JavaScript that it is, with copies of what it
 * captures from the kernel. Whatever it captures must be static.
 *
 *     const taps = S.comptime(() => Array.from({ length: r }, gauss));   ->   taps is a static array
 */
import { isDeepStrictEqual } from "node:util";
import type ts from "typescript";
import { captured } from "./names.ts";
import { runHost } from "./runhost.ts";
import { changes } from "./scan.ts";
import { freeNames, functionOver, hasText, toStatic } from "./statics.ts";
import { declaredNames, reachesKernel } from "./touch.ts";
import { type ClosureValue, describe, type StaticValue, type Value } from "./values.ts";
import type { Walker } from "./walker.ts";

export function comptime(w: Walker, fn: Value, node: ts.Node): Value {
  const f = fn.kind === "closure" ? closed(w, fn, node) : fn.kind === "static" ? fn.value : undefined;
  if (typeof f !== "function") {
    return w.refuse(
      "KPU3001",
      `S.comptime: fn must be a function, got ${describe(fn)}`,
      node,
      "write S.comptime(() => ...)",
    );
  }
  // Records what it reads as frozen.
  if (fn.kind === "static") reachesKernel(w, f);
  const run = (): unknown =>
    (runHost(w, f as (...a: unknown[]) => unknown, undefined, [], node) as StaticValue).value;
  const value = run();
  if (typeof value !== "function" && !isDeepStrictEqual(value, run())) {
    w.refuse(
      "KPU2004",
      "expected a function that always gives the same, but two calls in S.comptime gave different values",
      node,
      "compute the value before the kernel and capture it",
    );
  }
  return { kind: "static", value };
}

/** A function of the kernel over the values that its variables have here. */
function closed(w: Walker, f: ClosureValue, node: ts.Node): unknown {
  if (!hasText(w, f)) {
    w.refuse(
      "KPU1009",
      "expected a function in S.comptime, got a method",
      node,
      "write S.comptime(() => ...)",
    );
  }
  const outer = w.frame;
  if (f.captured === outer.captured) return environment(w, f);
  // A function of another text: its names and places are those of its text.
  w.frame = { ...outer, captured: f.captured, sites: new Map(), callSite: w.site(node), parent: outer };
  try {
    return environment(w, f);
  } finally {
    w.frame = outer;
  }
}

function environment(w: Walker, f: ClosureValue): unknown {
  const inner = declaredNames(w, { node: f.node });
  const found = changes(w.ts, f.node);
  const names: string[] = [];
  const values: unknown[] = [];
  for (const name of freeNames(w.ts, f.node)) {
    const cell = f.scope.find(name);
    if (cell === undefined && f.captured.resolve(name) === undefined) continue;
    const at = firstUse(w, f, name);
    if ((found.assigned.has(name) || found.written.has(name)) && !inner.has(name)) {
      w.refuse(
        "KPU2002",
        `expected a function that only reads what it captures, but it changes ${name}`,
        at,
        "make a value of its own inside the function and return it",
      );
    }
    if (cell === undefined) {
      const v = captured(w, name, at);
      if (v.kind !== "static") continue;
      if (typeof v.value === "function") reachesKernel(w, v.value);
      values.push(v.value);
    } else {
      const v = cell.value !== undefined && cell.pending === undefined ? toStatic(w, cell.value) : undefined;
      if (v === undefined) {
        if (inner.has(name)) continue;
        w.refuse(
          "KPU2007",
          `expected static values in S.comptime, but ${name} is ${cell.value === undefined ? "not declared yet" : describe(cell.value)}`,
          at,
          "compute it outside of S.comptime; parameters, memory and results of intrinsics are of run time",
        );
      }
      values.push(v.value);
    }
    names.push(name);
  }
  return functionOver(f, names, values);
}

/** Where the function's text first names the variable. */
function firstUse(w: Walker, f: ClosureValue, name: string): ts.Node {
  const t = w.ts;
  const find = (n: ts.Node): ts.Node | undefined => {
    if (t.isIdentifier(n) && n.text === name) {
      const isProperty = t.isPropertyAccessExpression(n.parent) && n.parent.name === n;
      return isProperty ? undefined : n;
    }
    return t.forEachChild(n, find);
  };
  return t.forEachChild(f.node, find) ?? f.node;
}
