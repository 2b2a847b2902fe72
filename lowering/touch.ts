/**
 * Whether a host function must be inlined even on static values: because it reaches an intrinsic, or assigns what it
 * captures. Everything else is simply run.
 */
import { type CapturedFunction, captureFunction, freeze } from "../capture/index.ts";
import { intrinsicOf } from "../dsl/intrinsic.ts";
import { recordOf } from "../dsl/kernel.ts";
import { isNative } from "./native.ts";
import { changes } from "./scan.ts";
import { freeNames } from "./statics.ts";
import type { FunctionNode, Walker } from "./walker.ts";

/** The reads that the function's result depends on are recorded as frozen. */
export function reachesKernel(w: Walker, fn: unknown): boolean {
  const seen = new Set<unknown>();
  const reads: [CapturedFunction, string, unknown][] = [];
  const visit = (f: unknown, depth: number): boolean => {
    if (seen.has(f) || typeof f !== "function" || depth > 12) return false;
    seen.add(f);
    if (intrinsicOf(f) !== undefined || recordOf(f) !== undefined) return true;
    if (isNative(f)) return false;
    let captured: CapturedFunction;
    try {
      captured = captureFunction(f);
    } catch {
      return false;
    }
    const assigned = changes(w.ts, captured.node).assigned;
    const declared = declaredNames(w, captured);
    for (const name of freeNames(w.ts, captured.node)) {
      if (declared.has(name)) continue;
      const found = captured.resolve(name);
      if (found === undefined) continue;
      if (assigned.has(name)) return true;
      const v = found.value;
      if (!(name in globalThis && (globalThis as Record<string, unknown>)[name] === v))
        reads.push([captured, name, v]);
      if (holdsIntrinsics(v) || visit(v, depth + 1)) return true;
    }
    return false;
  };
  if (visit(fn, 0)) return true;
  for (const [captured, name, value] of reads) {
    let known = w.frozen.get(captured);
    if (known === undefined) w.frozen.set(captured, (known = new Map()));
    if (!known.has(name)) known.set(name, freeze(captured, name, value));
  }
  return false;
}

const declaredOf = new WeakMap<object, Set<string>>();

/** Every name declared somewhere in the function; a name both declared and captured counts as declared. */
export function declaredNames(w: Walker, c: { readonly node: FunctionNode }): Set<string> {
  const known = declaredOf.get(c);
  if (known) return known;
  const t = w.ts;
  const names = new Set<string>();
  const visit = (n: import("typescript").Node): void => {
    if ((t.isVariableDeclaration(n) || t.isParameter(n) || t.isBindingElement(n)) && t.isIdentifier(n.name))
      names.add(n.name.text);
    if (t.isFunctionDeclaration(n) && n.name) names.add(n.name.text);
    t.forEachChild(n, visit);
  };
  visit(c.node);
  declaredOf.set(c, names);
  return names;
}

const namespaces = new WeakMap<object, boolean>();

/** True for S, and for a module that exports intrinsics. */
function holdsIntrinsics(v: unknown): boolean {
  if (typeof v !== "object" || v === null) return false;
  const known = namespaces.get(v);
  if (known !== undefined) return known;
  let found = false;
  try {
    found = Object.values(v).some(
      (x) => intrinsicOf(x) !== undefined || (typeof x === "object" && x !== null && "vload" in x),
    );
  } catch {
    found = false;
  }
  namespaces.set(v, found);
  return found;
}
