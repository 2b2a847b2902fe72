/** Values as plain JavaScript, where nothing in them is of run time. */
import type ts from "typescript";
import type { Cell, ClosureValue, Value } from "./values.ts";
import type { Walker } from "./walker.ts";

/** The JavaScript value, or undefined where a part is known at run time only. Arrays and objects are copied. */
export function toStatic(w: Walker, v: Value): { readonly value: unknown } | undefined {
  switch (v.kind) {
    case "static":
      return v;
    case "array": {
      const items = v.slots.map((s) => toStaticCell(w, s));
      return items.every((x) => x !== undefined) ? { value: items.map((x) => x.value) } : undefined;
    }
    case "object": {
      const out: Record<string, unknown> = {};
      for (const [key, f] of v.fields) {
        const x = toStaticCell(w, f);
        if (x === undefined) return undefined;
        out[key] = x.value;
      }
      return { value: out };
    }
    case "closure":
      return toFunction(w, v);
    default:
      return undefined;
  }
}

function toStaticCell(w: Walker, cell: Cell): { readonly value: unknown } | undefined {
  return cell.value === undefined || cell.pending !== undefined ? undefined : toStatic(w, cell.value);
}

const compiled = new Map<string, (...values: unknown[]) => unknown>();

/** A function of the kernel over static values only, as a real function: its text is run with the captured values. */
function toFunction(w: Walker, f: ClosureValue): { readonly value: unknown } | undefined {
  if (!hasText(w, f)) return undefined;
  const names: string[] = [];
  const values: unknown[] = [];
  for (const name of freeNames(w.ts, f.node)) {
    if (name === f.node.name?.getText(f.captured.sourceFile)) continue;
    const cell = f.scope.find(name);
    if (cell !== undefined) {
      if (!cell.constant) return undefined;
      const x = toStaticCell(w, cell);
      if (x === undefined) return undefined;
      names.push(name);
      values.push(x.value);
      continue;
    }
    const found = f.captured.resolve(name);
    if (found === undefined) continue;
    names.push(name);
    values.push(found.value);
  }
  return { value: functionOver(f, names, values) };
}

/** Methods have no text of their own that could stand alone. */
export function hasText(w: Walker, f: ClosureValue): boolean {
  const t = w.ts;
  return t.isArrowFunction(f.node) || t.isFunctionExpression(f.node) || t.isFunctionDeclaration(f.node);
}

/** The function's text as a real function over these values of its free names. */
export function functionOver(f: ClosureValue, names: readonly string[], values: readonly unknown[]): unknown {
  const text = f.captured.sourceFile.text.slice(f.node.getStart(f.captured.sourceFile), f.node.end);
  const key = `${names.join()}|${text}`;
  let make = compiled.get(key);
  if (make === undefined) {
    make = new Function(...names, `"use strict"; return (${text});`) as (...values: unknown[]) => unknown;
    compiled.set(key, make);
  }
  const thisValue = f.thisValue.kind === "static" ? f.thisValue.value : undefined;
  return make.apply(thisValue, [...values]);
}

const freeOf = new WeakMap<ts.Node, readonly string[]>();

/** Identifiers in expression position that a function may take from outside. */
export function freeNames(t: typeof import("typescript"), node: ts.Node): readonly string[] {
  const known = freeOf.get(node);
  if (known) return known;
  const used = new Set<string>();
  const visit = (n: ts.Node): void => {
    if (t.isIdentifier(n)) {
      const p = n.parent;
      const isName =
        (t.isPropertyAccessExpression(p) && p.name === n) ||
        (t.isPropertyAssignment(p) && p.name === n) ||
        (t.isMethodDeclaration(p) && p.name === n) ||
        (t.isBindingElement(p) && p.propertyName === n);
      if (!isName) used.add(n.text);
    } else t.forEachChild(n, visit);
  };
  t.forEachChild(node, visit);
  const names = [...used];
  freeOf.set(node, names);
  return names;
}
