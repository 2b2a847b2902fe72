/**
 * What an expression of a kernel is while it is lowered: a static JavaScript value, a runtime KIR expression, or a
 * structure (array, object, view, function) whose parts are such values. Structures exist at compile time only.
 */
import type { CapturedFunction } from "../capture/index.ts";
import type { LoweredView } from "../dsl/context.ts";
import { Mask, Vec } from "../dsl/values.ts";
import { type Expr, type Local, typeText } from "../ir/kir.ts";
import type { FunctionNode } from "./walker.ts";

export interface StaticValue {
  readonly kind: "static";
  readonly value: unknown;
}
export interface RuntimeValue {
  readonly kind: "runtime";
  readonly expr: Expr;
}
/** An array made inside the kernel: its length is static, its slots may hold runtime values. */
export interface ArrayValue {
  readonly kind: "array";
  readonly slots: Cell[];
  /** Where it was made: key of a restart that materialises its slots. */
  readonly origin: string;
  readonly depth: number;
}
export interface ObjectValue {
  readonly kind: "object";
  readonly fields: Map<string, Cell>;
  readonly origin: string;
  readonly depth: number;
}
export interface ViewValue {
  readonly kind: "view";
  readonly view: LoweredView;
}
/** A function declared inside a kernel or helper, with the variables it sees. */
export interface ClosureValue {
  readonly kind: "closure";
  readonly node: FunctionNode;
  readonly captured: CapturedFunction;
  readonly scope: Scope;
  readonly thisValue: Value;
  readonly name: string;
}
/** Stands for a value whose definition was refused; its uses stay silent. */
export interface PoisonValue {
  readonly kind: "poison";
}
export type Value =
  | StaticValue
  | RuntimeValue
  | ArrayValue
  | ObjectValue
  | ViewValue
  | ClosureValue
  | PoisonValue;

/** A place that holds a value: a variable, an array slot, an object field. */
export interface Cell {
  readonly name: string;
  /** Undefined while the declaration was not reached (temporal dead zone). */
  value: Value | undefined;
  readonly constant: boolean;
  /** How many runtime regions enclose the place where the cell was made. */
  depth: number;
  /** The KIR variable behind it, once it is assigned under runtime control flow. */
  local: Local | undefined;
  /** A variable without a value yet that is about to be assigned under runtime control flow. */
  pending: Pending | undefined;
  /** Key of a restart that materialises this cell. */
  readonly origin: string;
}

/** Where the `let` of a pending variable goes once its type is known. */
export interface Pending {
  place(local: Local): void;
}

/** The variables of one block of one function. */
export class Scope {
  readonly parent: Scope | undefined;
  readonly cells = new Map<string, Cell>();
  constructor(parent: Scope | undefined) {
    this.parent = parent;
  }
  find(name: string): Cell | undefined {
    for (let s: Scope | undefined = this; s !== undefined; s = s.parent) {
      const cell = s.cells.get(name);
      if (cell !== undefined) return cell;
    }
    return undefined;
  }
}

export const UNDEFINED: StaticValue = { kind: "static", value: undefined };
export const POISON: PoisonValue = { kind: "poison" };

export function stat(value: unknown): StaticValue {
  return { kind: "static", value };
}
export function runtime(expr: Expr): RuntimeValue {
  return { kind: "runtime", expr };
}

/** The value in words, for messages. */
export function describe(v: Value): string {
  switch (v.kind) {
    case "static":
      return describeStatic(v.value);
    case "runtime":
      return describeExpr(v.expr);
    case "array":
      return "an array";
    case "object":
      return "an object";
    case "view":
      return "a buffer";
    case "closure":
      return "a function";
    case "poison":
      return "a refused value";
  }
}

function describeExpr(e: Expr): string {
  const t = e.type;
  switch (t.kind) {
    case "scalar":
      return t.name === "bool" ? "a runtime boolean" : t.name === "event" ? "an event" : "a runtime number";
    case "vec":
      return `a vector ${typeText(t)}`;
    case "mask":
      return `a ${typeText(t)}`;
    case "ptr":
      return `a pointer ${typeText(t)}`;
    case "void":
      return "nothing";
  }
}

function describeStatic(v: unknown): string {
  if (v === null || v === undefined) return String(v);
  if (typeof v === "string") return JSON.stringify(v);
  if (typeof v === "number") return Object.is(v, -0) ? "-0" : String(v);
  if (typeof v === "function") return `the function ${v.name || "(anonymous)"}`;
  if (Array.isArray(v)) return "an array";
  if (v instanceof Vec) return `a vector ${v.dtype.name}x${v.lanes}`;
  if (v instanceof Mask) return `a mask<${v.lanes}>`;
  if (typeof v === "object") return `an object`;
  return String(v);
}
