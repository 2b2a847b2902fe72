/** Reading properties: static objects by JavaScript itself, structures by slot, runtime values by a short list. */
import type ts from "typescript";
import { enter } from "../dsl/context.ts";
import { dtypeOf } from "../dsl/dtypes.ts";
import { KpuError } from "../ir/diagnostic.ts";
import type { Expr } from "../ir/kir.ts";
import { methodRecord } from "./records.ts";
import { readCell } from "./staging.ts";
import { describe, stat, UNDEFINED, type Value } from "./values.ts";
import type { Walker } from "./walker.ts";

/** The key of `object[key]`, which must be static. */
export function elementKey(w: Walker, object: Value, node: ts.ElementAccessExpression): string | number {
  const key = w.expr(node.argumentExpression);
  if (key.kind === "static" && (typeof key.value === "number" || typeof key.value === "string"))
    return key.value;
  if (key.kind === "poison") return 0;
  const pointer = object.kind === "view" || (object.kind === "runtime" && object.expr.type.kind === "ptr");
  return w.refuse(
    "KPU2006",
    `expected a static index, got ${describe(key)}`,
    node.argumentExpression,
    pointer
      ? "read memory with p.get(i) or S.vload(p.at(i)), write it with p.set(i, x)"
      : "unroll the loop with S.unroll(n), or keep the data in memory: S.alloc, S.allocConst",
  );
}

export function property(w: Walker, object: Value, key: string | number, node: ts.Node, at: ts.Node): Value {
  switch (object.kind) {
    case "static":
      if (object.value === undefined || object.value === null) {
        w.refuse("KPU2011", `expected an object, got ${String(object.value)} where .${key} is read`, node);
      }
      try {
        return stat(readStatic(w, object.value, key));
      } catch (error) {
        if (error instanceof KpuError) throw error;
        return w.refuse("KPU2011", `reading .${key} threw: ${(error as Error).message}`, node);
      }
    case "runtime":
      return runtimeProperty(w, object.expr, object, key, at);
    case "view":
      return runtimeProperty(w, object.view.ptr, object, key, at);
    case "array": {
      if (key === "length") return stat(object.slots.length);
      const slot = typeof key === "number" || /^\d+$/.test(key) ? object.slots[Number(key)] : undefined;
      if (slot !== undefined) return readCell(w, slot, node);
      if (typeof key === "number") return UNDEFINED;
      return w.refuse("KPU2010", `expected an index or length of an array, got .${key}`, at);
    }
    case "object": {
      const field = object.fields.get(String(key));
      return field === undefined ? UNDEFINED : readCell(w, field, node);
    }
    case "closure":
      if (key === "name") return stat(object.name);
      if (key === "length") return stat(object.node.parameters.length);
      return w.refuse("KPU2010", `expected a call of the function, got .${key}`, at);
    case "poison":
      return object;
  }
}

/** Reads as JavaScript does; a property of S.target asks for the target of this lowering. */
function readStatic(w: Walker, object: unknown, key: string | number): unknown {
  const before = enter({ kind: "idle", target: w.target });
  try {
    return (object as Record<string, unknown>)[key];
  } finally {
    enter(before);
  }
}

/** The few properties that vectors, masks, pointers and buffers have in a kernel. */
function runtimeProperty(w: Walker, e: Expr, value: Value, key: string | number, at: ts.Node): Value {
  const t = e.type;
  if (t.kind === "vec" && key === "lanes") return stat(t.lanes);
  if (t.kind === "vec" && key === "dtype" && t.dtype !== "bool") return stat(dtypeOf(t.dtype));
  if (t.kind === "mask" && key === "lanes") return stat(t.lanes);
  if (t.kind === "ptr") {
    if (key === "dtype") return stat(dtypeOf(t.dtype));
    if (key === "scope") return stat(t.scope);
    if (key === "constant") return stat(t.constant);
    if (key === "shape" && value.kind === "view") {
      const shape = value.view.shape;
      if (shape.every((s) => typeof s === "number")) return stat(Object.freeze([...shape]));
    }
    const record = methodRecord(value, key);
    if (record !== undefined && key === "isNull") return w.method(record, value, [], at);
    if (record !== undefined) w.refuse("KPU2010", `expected a call of .${key}`, at, `write p.${key}(...)`);
  }
  const kind = describe(value);
  const has =
    t.kind === "ptr"
      ? "dtype, scope, isNull, at, get, set, as, eq, diff"
      : t.kind === "vec"
        ? "lanes and dtype; read one lane or all with S functions or a store"
        : t.kind === "mask"
          ? "lanes"
          : "no properties";
  return w.refuse("KPU2010", `expected a property of ${kind}, got .${key}`, at, `it has ${has}`);
}

/** The static name of a property in a literal or pattern. */
export function propertyName(w: Walker, name: ts.PropertyName): string {
  const t = w.ts;
  if (t.isIdentifier(name) || t.isStringLiteral(name) || t.isNumericLiteral(name)) return name.text;
  if (t.isComputedPropertyName(name)) {
    const v = w.expr(name.expression);
    if (v.kind === "static") return String(v.value);
    w.refuse("KPU2006", `expected a static property name, got ${describe(v)}`, name);
  }
  return w.refuse("KPU1011", "expected a plain property name", name);
}
