/**
 * Where static ends and runtime begins. A variable is static, or a name for an immutable KIR value, until it is
 * assigned under runtime control flow; on the way into such a region every variable that the region assigns becomes
 * a mutable KIR local.
 *
 *     let k = 0;                          let mut %k: num = 0
 *     for (...) k += 2;        ->         for ... { %k = add.num %k, 2 }
 */
import type ts from "typescript";
import { type Expr, type Stmt, sameType, type Type, typeText } from "../ir/kir.ts";
import { exprOf } from "./operators.ts";
import { changes } from "./scan.ts";
import {
  disown,
  heldElsewhere,
  hold1,
  isOwned,
  isShared,
  isStructure,
  markShared,
  noteWrite,
  own,
  partsOf,
  type Structure,
} from "./sharing.ts";
import { type ArrayValue, type Cell, describe, runtime, type Scope, stat, type Value } from "./values.ts";
import { Restart, Silenced, type Walker } from "./walker.ts";

/** A new cell at the current depth; a forced origin is materialised at once. */
export function newCell(
  w: Walker,
  name: string,
  value: Value | undefined,
  constant: boolean,
  node: ts.Node | undefined,
): Cell {
  const origin = node === undefined ? "" : originOf(w, node, name);
  const cell: Cell = { name, value, constant, depth: w.depth, local: undefined, pending: undefined, origin };
  hold1(value);
  if (origin !== "" && value !== undefined && w.forced.has(origin)) materialise(w, cell);
  return cell;
}

export function originOf(w: Walker, node: ts.Node, name: string): string {
  return `${w.frame.path}/${node.pos}:${name}`;
}

/** The value as something that keeps its meaning when variables are assigned later. */
export function hold(w: Walker, v: Value, name: string): Value {
  if (v.kind === "runtime") {
    w.emit.name(v.expr, name);
    const bound = w.emit.bind(v.expr, name);
    return bound === v.expr ? v : runtime(bound);
  }
  if (v.kind === "view") {
    w.emit.name(v.view.ptr, name);
    const ptr = w.emit.bind(v.view.ptr, name);
    const shape = v.view.shape.map((s) => (typeof s === "number" ? s : w.emit.bind(s)));
    return { kind: "view", view: { kind: "view", ptr, shape } };
  }
  // Assigning the variable that owns it would change it in place.
  return isOwned(v) ? snapshot(w, v) : v;
}

/** The parts as they are now, for a second name of a structure that changes in place. */
function snapshot(w: Walker, v: Structure): Structure {
  const copy = copied(w, v);
  hold1(copy);
  markShared(v, -1);
  markShared(copy, -1);
  return copy;
}

function copied(w: Walker, v: Structure): Structure {
  const part = (name: string, cell: Cell): Cell =>
    slotCell(
      w,
      name,
      isStructure(cell.value) ? copied(w, cell.value) : (cell.value ?? stat(undefined)),
      v.origin,
    );
  if (v.kind === "array") return { ...v, slots: v.slots.map((s, i) => part(`${i}`, s)), depth: w.depth };
  return { ...v, fields: new Map([...v.fields].map(([key, f]) => [key, part(key, f)])), depth: w.depth };
}

/** As {@link hold}, but only where the value reads a mutable local now. */
export function settle(w: Walker, v: Value): Value {
  if (v.kind === "runtime") {
    const e = w.emit.settle(v.expr);
    return e === v.expr ? v : runtime(e);
  }
  if (v.kind === "view") {
    const ptr = w.emit.settle(v.view.ptr);
    return ptr === v.view.ptr ? v : { kind: "view", view: { ...v.view, ptr } };
  }
  return v;
}

export function readCell(w: Walker, cell: Cell, node: ts.Node): Value {
  if (cell.value === undefined) {
    w.refuse("KPU2012", `expected a value, but ${cell.name} is used before its declaration`, node);
  }
  if (cell.value.kind === "poison") throw new Silenced();
  if ((cell.pending !== undefined || undefinedYet.has(cell)) && !w.definite.has(cell)) {
    w.refuse(
      "KPU2012",
      `expected a value, but ${cell.name} may have none here`,
      node,
      `give ${cell.name} a value where it is declared, or on every path`,
    );
  }
  return cell.value;
}

/** Cells that began without a value; reading them needs a certain assignment. */
const undefinedYet = new WeakSet<Cell>();

export function assignCell(w: Walker, cell: Cell, value: Value, node: ts.Node): void {
  if (isShared(cell)) {
    w.refuse(
      "KPU3007",
      `expected an array or object with one name to write into, but this one was assigned or chosen at run time and has another name`,
      node,
      SHARED_HELP,
    );
  }
  noteWrite(cell, w.depth);
  store(w, cell, value, node, 0);
}

const SHARED_HELP = "give every name a copy of its own: [...a] or {...a}";

/** As {@link assignCell}, also for parts of a structure that is assigned whole. `holders` of the value are about to go. */
export function store(w: Walker, cell: Cell, value: Value, node: ts.Node, holders: number): void {
  if (cell.constant) {
    w.refuse("KPU1011", `expected a variable, but ${cell.name} is a const`, node, "declare it with let");
  }
  if (cell.value === undefined) {
    w.refuse(
      "KPU2012",
      `expected a declared variable, but ${cell.name} is assigned before its declaration`,
      node,
    );
  }
  if (cell.value.kind === "poison") throw new Silenced();
  if (value.kind === "poison") throw new Silenced();
  const counter = counters.get(cell);
  if (counter !== undefined) throw new Restart(counter);
  if (cell.pending !== undefined) defineCell(w, cell, value, node, holders);
  else if (cell.local !== undefined)
    w.emit.assign(cell.local, fitting(w, cell, cell.local.type, value, node));
  else if (structured.has(cell)) assignParts(w, cell, value, node, holders);
  else if (cell.depth < w.depth) {
    if (w.forced.has(cell.origin)) {
      w.refuse(
        "KPU3007",
        `expected a number, boolean, vector, mask, pointer, array or object in ${cell.name}, which changes at run time, but it holds ${describe(cell.value)}`,
        node,
        "what is not of the machine must be static",
      );
    }
    throw new Restart(cell.origin);
  } else {
    cell.value = hold(w, value, cell.name);
    hold1(cell.value);
  }
  w.definite.add(cell);
}

/** The expression to store in a local of this type. */
function fitting(w: Walker, cell: Cell, type: Type, value: Value, node: ts.Node): Expr {
  if (cell.value?.kind === "view" && value.kind === "view") {
    const want = cell.value.view.shape;
    const got = value.view.shape;
    if (want.length !== got.length || want.some((s, i) => s !== got[i])) {
      w.refuse(
        "KPU3007",
        `expected a buffer of shape [${want.join(", ")}] as ${cell.name} is elsewhere, got [${got.join(", ")}]`,
        node,
      );
    }
  }
  const raw = exprOf(w.emit, value);
  const e = raw === undefined ? undefined : w.emit.asNum(raw);
  if (e !== undefined && sameType(e.type, type)) return e;
  const lanes = e !== undefined && "lanes" in e.type && "lanes" in type && e.type.lanes !== type.lanes;
  return w.refuse(
    lanes ? "KPU3002" : "KPU3007",
    `expected ${typeName(type)} as ${cell.name} holds elsewhere, got ${describe(value)}`,
    node,
    "a variable that changes at run time keeps one kind of value: use another variable",
  );
}

function typeName(t: Type): string {
  if (t.kind === "scalar")
    return t.name === "bool" ? "a boolean" : t.name === "event" ? "an event" : "a number";
  return typeText(t);
}

/** Cells that hold an array made slot by slot; assigning copies the slots. */
const structured = new WeakSet<Cell>();

function assignParts(w: Walker, cell: Cell, value: Value, node: ts.Node, holders: number): void {
  const mine = cell.value;
  if (mine === value) return;
  if (mine?.kind === "array" && value.kind === "array" && mine.slots.length === value.slots.length) {
    shareParts(w, value, mine, node, holders);
    for (const [i, slot] of mine.slots.entries())
      store(w, slot, (value.slots[i] as Cell).value as Value, node, 1);
    return;
  }
  if (
    mine?.kind === "object" &&
    value.kind === "object" &&
    [...mine.fields.keys()].join() === [...value.fields.keys()].join()
  ) {
    shareParts(w, value, mine, node, holders);
    for (const [key, field] of mine.fields) store(w, field, value.fields.get(key)?.value as Value, node, 1);
    return;
  }
  w.refuse(
    "KPU3007",
    `expected ${describe(mine as Value)} of the same shape as on the other paths, got ${describe(value)}`,
    node,
  );
}

/** Called where the parts of `from` are copied into `to` and JavaScript would share them. */
export function shareParts(w: Walker, from: Structure, to: Structure, node: ts.Node, holders = 0): void {
  const others = heldElsewhere(from, holders);
  if (others.length === 0) return;
  const hazards = [...others, to].map((v) => markShared(v, w.depth));
  if (hazards.some((h) => h !== undefined)) {
    w.refuse(
      "KPU3007",
      "expected a new array or object, because this one has another name and is written into at run time",
      node,
      SHARED_HELP,
    );
  }
}

/** Counters of loops that KIR counts itself, with the key of the restart that makes a general loop. */
export const counters = new WeakMap<Cell, string>();

/** The first assignment of a pending variable: now its type is known. */
function defineCell(w: Walker, cell: Cell, value: Value, node: ts.Node, holders: number): void {
  const pending = cell.pending as NonNullable<Cell["pending"]>;
  if (value.kind === "array" || value.kind === "object") {
    cell.pending = undefined;
    structured.add(cell);
    const origin = `${w.frame.path}/${node.pos}:${cell.name}`;
    const part = (name: string, given: Value): Cell => {
      const slot: Cell = {
        ...cell,
        name: `${cell.name}_${name}`,
        value: stat(undefined),
        constant: false,
        local: undefined,
        pending,
      };
      undefinedYet.add(slot);
      store(w, slot, given, node, 1);
      return slot;
    };
    let mine: Structure;
    if (value.kind === "array") {
      const slots = value.slots.map((s, i) => part(String(i), s.value as Value));
      mine = { kind: "array", slots, origin, depth: cell.depth };
    } else {
      const fields = new Map([...value.fields].map(([key, f]) => [key, part(key, f.value as Value)]));
      mine = { kind: "object", fields, origin, depth: cell.depth };
    }
    cell.value = mine;
    own(mine);
    hold1(mine);
    shareParts(w, value, mine, node, holders);
    return;
  }
  const raw = exprOf(w.emit, value);
  const e = raw === undefined ? undefined : w.emit.asNum(raw);
  if (e === undefined || e.type.kind === "ptr" || (e.type.kind === "scalar" && e.type.name === "event")) {
    w.refuse(
      "KPU2012",
      `expected ${cell.name} to have a value before it is assigned under runtime control flow, because it becomes ${describe(value)}`,
      node,
      `give ${cell.name} a value where it is declared`,
    );
  }
  const local = w.emit.local(cell.name, e.type, true);
  pending.place(local);
  cell.pending = undefined;
  cell.local = local;
  const ref = w.emit.ref(local);
  cell.value = value.kind === "view" ? { kind: "view", view: { ...value.view, ptr: ref } } : runtime(ref);
  w.emit.assign(local, e);
}

/** Gives a cell a mutable KIR local from here on. */
function materialise(w: Walker, cell: Cell): void {
  const v = cell.value;
  if (v === undefined || cell.local !== undefined || cell.pending !== undefined || cell.constant) return;
  if (v.kind === "poison" || v.kind === "closure" || structured.has(cell)) return;
  const counter = counters.get(cell);
  if (counter !== undefined) throw new Restart(counter);
  if (cell.depth < w.depth) {
    if (w.forced.has(cell.origin)) return;
    throw new Restart(cell.origin);
  }
  if (isStructure(v)) {
    structure(w, cell, v);
    return;
  }
  if (v.kind === "static" && v.value === undefined) {
    makePending(w, cell);
    return;
  }
  const raw = exprOf(w.emit, v);
  // A string, dtype or other static object stays static; assigning it in the region is refused there.
  if (raw === undefined) return;
  const e = w.emit.asNum(raw);
  cell.local = w.emit.variable(cell.name, e);
  const ref = w.emit.ref(cell.local);
  cell.value = v.kind === "view" ? { kind: "view", view: { ...v.view, ptr: ref } } : runtime(ref);
}

/** Gives a variable that is assigned whole at run time a structure of its own, made of variables. */
function structure(w: Walker, cell: Cell, v: Structure): void {
  const mine = copied(w, v);
  for (const part of partsOf(mine)) materialise(w, part);
  structured.add(cell);
  own(mine);
  hold1(mine);
  cell.value = mine;
  shareParts(w, v, mine, w.frame.captured.node, 1);
}

/** A structure that outlives the variable that owned it. */
export function release(v: Value): Value {
  if (isStructure(v)) {
    disown(v);
    for (const part of partsOf(v)) if (part.value) release(part.value);
  }
  return v;
}

/** The cell's `let` is put here once its first assignment says of what type it is. */
export function makePending(w: Walker, cell: Cell): void {
  const list = w.emit.list;
  const mark: Stmt = {
    kind: "effect",
    value: { kind: "apply", type: { kind: "void" }, op: "print", args: [], attrs: {}, at: 0 },
    at: 0,
  };
  list.push(mark);
  const at = w.emit.site;
  w.placeholders.push(mark);
  undefinedYet.add(cell);
  cell.pending = {
    place(local) {
      const index = list.indexOf(mark);
      const value = zero(w, local.type);
      list.splice(index, 0, { kind: "let", local, value, at });
    },
  };
}

/** What a variable holds before its first assignment; never read. */
function zero(w: Walker, type: Type): Expr {
  switch (type.kind) {
    case "scalar":
      return type.name === "bool" ? w.emit.bool(false) : w.emit.num(0);
    case "vec":
      return w.emit.op("splat", [w.emit.num(0)], { dtype: type.dtype, lanes: type.lanes });
    case "mask":
      return w.emit.op("vconst", [], { dtype: "bool", values: new Array<number>(type.lanes).fill(0) });
    default:
      throw new TypeError(`no zero of type ${typeText(type)}`);
  }
}

function materialiseParts(w: Walker, v: Value): void {
  if (v.kind === "array") {
    for (const slot of v.slots) {
      if (slot.value?.kind === "array" || slot.value?.kind === "object") materialiseParts(w, slot.value);
      else materialise(w, slot);
    }
  } else if (v.kind === "object") {
    for (const field of v.fields.values()) {
      if (field.value?.kind === "array" || field.value?.kind === "object") materialiseParts(w, field.value);
      else materialise(w, field);
    }
  }
}

/** Materialises what the nodes, which are about to run conditionally or repeatedly, may change. */
export function prepareRegion(
  w: Walker,
  nodes: readonly (ts.Node | undefined)[],
  scope: Scope = w.frame.scope,
): void {
  const seen = new Set<ts.Node>();
  const visit = (node: ts.Node, from: Scope): void => {
    if (seen.has(node)) return;
    seen.add(node);
    const found = changes(w.ts, node);
    for (const name of found.assigned) {
      const cell = from.find(name);
      if (cell) materialise(w, cell);
    }
    for (const name of found.written) {
      const value = from.find(name)?.value;
      if (value) materialiseParts(w, value);
    }
    for (const name of found.called) {
      const value = from.find(name)?.value;
      if (value?.kind === "closure" && value.node.body) visit(value.node, value.scope);
    }
  };
  for (const node of nodes) if (node) visit(node, scope);
}

/** Runs `body` one region deeper, into a statement list of its own. */
export function region(w: Walker, body: () => void, repeated = true): Stmt[] {
  w.depth++;
  if (repeated) w.conditional++;
  const scope = w.frame.scope;
  try {
    return w.emit.collect(body);
  } finally {
    w.depth--;
    if (repeated) w.conditional--;
    w.frame.scope = scope;
  }
}

/** A new array value of these elements. */
export function arrayOf(w: Walker, items: readonly Value[], node: ts.Node): ArrayValue {
  const origin = originOf(w, node, "[]");
  const slots = items.map((v, i) => slotCell(w, `${i}`, v, origin));
  return { kind: "array", slots, origin, depth: w.depth };
}

/** A slot or field; structures inside stay structures. */
export function slotCell(w: Walker, name: string, v: Value, origin: string): Cell {
  const cell: Cell = {
    name: `e${name}`,
    value: hold(w, v, `e${name}`),
    constant: false,
    depth: w.depth,
    local: undefined,
    pending: undefined,
    origin,
  };
  hold1(cell.value);
  if (w.forced.has(origin)) materialise(w, cell);
  return cell;
}
