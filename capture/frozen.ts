/**
 * Captured values are frozen when a kernel is checked. Before each direct call they are compared with what the
 * closure holds now, contents included, so that the two executions cannot drift apart (KPU2003).
 */

import { inspect } from "node:util";
import type ts from "typescript";
import { type Diagnostic, diagnostic } from "../ir/diagnostic.ts";
import { bindingsOf } from "./bindings.ts";
import type { CapturedFunction } from "./capture.ts";
import { resolveIn } from "./closure.ts";
import { inspectFunction } from "./inspector.ts";
import { typescript } from "./typescript.ts";

/** What a value held when it was frozen: a copy of a list of primitives, or entries with what they held in turn. */
export type Snapshot =
  | { readonly list: ArrayLike<unknown> }
  | {
      readonly entries: readonly (readonly [
        key: string | number,
        value: unknown,
        inner: Snapshot | undefined,
      ])[];
    };

/** One captured name that a check read, with its value then. */
export interface FrozenRead {
  readonly fn: CapturedFunction;
  /** A free name of the text, or "this". */
  readonly name: string;
  readonly value: unknown;
  readonly snapshot: Snapshot | undefined;
}

export interface ChangedRead {
  readonly read: FrozenRead;
  /** Path from the name to what changed: empty for the name itself. */
  readonly path: readonly (string | number)[];
  readonly before: unknown;
  readonly now: unknown;
}

/** Remembers a captured value and what it holds. `value` is what `fn.resolve(name)` gave. */
export function freeze(fn: CapturedFunction, name: string, value: unknown): FrozenRead {
  return { fn, name, value, snapshot: snapshotOf(value, 3, () => propertiesRead(fn, name)) };
}

/**
 * Arrays, plain objects and typed arrays are copied; of everything else (modules, classes, functions, instances) only
 * the properties that the text reads, because the others are none of the kernel's business.
 */
function snapshotOf(value: unknown, depth: number, read: () => readonly string[]): Snapshot | undefined {
  if (!isObject(value) || depth === 0) return undefined;
  if (isTypedArray(value)) return { list: value.slice() };
  if (Array.isArray(value) && !value.some(isObject)) return { list: value.slice() };
  const keys = contentsOf(value) ?? read();
  if (keys.length === 0) return undefined;
  const entry = (key: string | number) => {
    const inner = property(value, key);
    return [key, inner, snapshotOf(inner, depth - 1, () => [])] as const;
  };
  return { entries: keys.map(entry) };
}

function isTypedArray(value: object): value is Float32Array {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** The keys of a value whose whole contents count, or undefined for a value that is more than its contents. */
function contents(value: object): readonly (string | number)[] | undefined {
  if (Array.isArray(value)) return ["length", ...value.keys()];
  if (typeof value === "function") return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return undefined;
  const all = Object.getOwnPropertyDescriptors(value);
  const isModule = Symbol.toStringTag in value || Object.values(all).some((d) => d.get !== undefined);
  if (isConstant(value, 3)) return [];
  return isModule ? undefined : Object.keys(all);
}

/** A proxy may refuse to tell; then what the kernel reads of it is what counts. */
function contentsOf(value: object): readonly (string | number)[] | undefined {
  try {
    return contents(value);
  } catch {
    return undefined;
  }
}

/** Whether an object can never hold anything else: frozen, and so is what it holds. S is such a table. */
function isConstant(value: unknown, depth: number): boolean {
  if (!isObject(value) || typeof value === "function") return true;
  if (depth === 0 || !Object.isFrozen(value)) return false;
  return Object.values(Object.getOwnPropertyDescriptors(value)).every(
    (d) => d.get === undefined && isConstant(d.value, depth - 1),
  );
}

function property(value: object, key: string | number): unknown {
  try {
    return (value as Record<string | number, unknown>)[key];
  } catch {
    return undefined;
  }
}

const reads = new WeakMap<CapturedFunction, ReadonlyMap<string, readonly string[]>>();

/** The properties that a function's text reads of a name: `Limits.rows` reads rows. */
function propertiesRead(fn: CapturedFunction, name: string): readonly string[] {
  let all = reads.get(fn);
  if (all === undefined) {
    const ts = typescript();
    const found = new Map<string, Set<string>>();
    const visit = (node: ts.Node): void => {
      if (ts.isPropertyAccessExpression(node)) {
        const owner = node.expression;
        const head = ts.isIdentifier(owner)
          ? owner.text
          : owner.kind === ts.SyntaxKind.ThisKeyword
            ? "this"
            : undefined;
        if (head !== undefined) {
          if (!found.has(head)) found.set(head, new Set());
          found.get(head)?.add(node.name.text);
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(fn.node);
    all = new Map([...found].map(([head, names]) => [head, [...names]]));
    reads.set(fn, all);
  }
  return all.get(name) ?? [];
}

/** The first captured value that is not what it was, or undefined. */
export function findChanged(all: readonly FrozenRead[]): ChangedRead | undefined {
  const scopes = new Map<object, ReturnType<typeof inspectFunction>["scopes"]>();
  for (const read of all) {
    const mutability = mutabilityOf(read);
    if (mutability !== "fixed") {
      // An import means the same in every function of its script: one look serves them all.
      const key = mutability === "imported" ? bindingsOf(read.fn.script.scriptId) : read.fn;
      let now = scopes.get(key);
      if (now === undefined) {
        now = inspectFunction(read.fn.fn).scopes;
        scopes.set(key, now);
      }
      const found = resolveIn(now, read.name);
      if (!Object.is(found?.value, read.value))
        return { read, path: [], before: read.value, now: found?.value };
    }
    const changed = read.snapshot && firstDifference(read.value as object, read.snapshot, []);
    if (changed !== undefined) return { read, ...changed };
  }
  return undefined;
}

function mutabilityOf(read: FrozenRead): "fixed" | "imported" | "free" {
  if (read.name === "this" || read.value === read.fn.fn) return "fixed";
  // An undefined value may be a variable that is not initialised yet.
  if (read.value === undefined) return "free";
  return bindingsOf(read.fn.script.scriptId).of(read.name);
}

function firstDifference(
  value: object,
  snapshot: Snapshot,
  path: readonly (string | number)[],
): Omit<ChangedRead, "read"> | undefined {
  if ("list" in snapshot) {
    const { list } = snapshot;
    const now = value as unknown as ArrayLike<unknown>;
    if (now.length !== list.length)
      return { path: [...path, "length"], before: list.length, now: now.length };
    for (let i = 0; i < list.length; i++) {
      if (!Object.is(now[i], list[i])) return { path: [...path, i], before: list[i], now: now[i] };
    }
    return undefined;
  }
  for (const [key, before, inner] of snapshot.entries) {
    const now = property(value, key);
    if (!Object.is(now, before)) return { path: [...path, key], before, now };
    const deeper = inner && firstDifference(now as object, inner, [...path, key]);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

/** The refusal of a direct call that finds a captured value changed. */
export function changedDiagnostic(changed: ChangedRead): Diagnostic {
  const { read, path, before, now } = changed;
  const what = path.reduce<string>(
    (text, key) => text + (typeof key === "number" ? `[${key}]` : `.${key}`),
    read.name,
  );
  const show = (value: unknown): string =>
    inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY });
  return diagnostic(
    "KPU2003",
    `expected the captured value ${what} to stay ${show(before)}, as it was when the kernel was checked, but it is ${show(now)}`,
    {
      location: placeOf(read),
      help: "pass the value as a parameter, or declare a new kernel for each value: const make = (value) => kernel([...], ...)",
    },
  );
}

/** Where the text first names the captured value. */
function placeOf(read: FrozenRead): Diagnostic["location"] {
  const ts = typescript();
  const { node, sourceFile, textOffset } = read.fn;
  const isThis = read.name === "this";
  const find = (n: ts.Node): ts.Node | undefined => {
    if (isThis ? n.kind === ts.SyntaxKind.ThisKeyword : ts.isIdentifier(n) && n.text === read.name) return n;
    return ts.forEachChild(n, find);
  };
  const at = find(node) ?? node;
  return read.fn.locate(at.getStart(sourceFile) - textOffset, at.getEnd() - textOffset);
}
