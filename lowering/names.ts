/** Names: variables of the kernel first, then the closure of the function as it runs. */
import type ts from "typescript";
import { freeze, inDeadZone } from "../capture/index.ts";
import { readCell } from "./staging.ts";
import { runtime, stat, type Value } from "./values.ts";
import type { Walker } from "./walker.ts";

export function nameValue(w: Walker, node: ts.Identifier): Value {
  const name = node.text;
  const cell = w.frame.scope.find(name);
  if (cell !== undefined) return here(w, readCell(w, cell, node));
  return captured(w, name, node);
}

/** The value as read at this place: diagnostics about it point here, not at its definition. */
function here(w: Walker, v: Value): Value {
  if (v.kind !== "runtime") return v;
  const at = w.emit.site;
  const e = v.expr;
  if (e.at === at) return v;
  if (e.kind === "apply") {
    const inner = e.args[0];
    if (e.op !== "cast_scalar" || inner === undefined) return v;
    return runtime({ ...e, args: [{ ...inner, at }], at });
  }
  return runtime({ ...e, at });
}

/** A name of the closure; what is read is recorded, because it is frozen from now on. */
export function captured(w: Walker, name: string, node: ts.Node): Value {
  const fn = w.frame.captured;
  const found = fn.resolve(name);
  if (found === undefined) {
    w.refuse(
      "KPU2001",
      `expected a name that the kernel can see, got ${name}`,
      node,
      "declare it, import it, or pass it as a parameter",
    );
  }
  if (found.value === undefined && name !== "undefined" && inDeadZone(fn, name)) {
    w.refuse(
      "KPU2012",
      `expected a value, but the declaration of ${name} has not run yet`,
      node,
      `call, check or build the kernel after the line that declares ${name}`,
    );
  }
  if (!(name in globalThis && (globalThis as Record<string, unknown>)[name] === found.value)) {
    let reads = w.frozen.get(fn);
    if (reads === undefined) w.frozen.set(fn, (reads = new Map()));
    if (!reads.has(name)) reads.set(name, freeze(fn, name, found.value));
  }
  return stat(found.value);
}
