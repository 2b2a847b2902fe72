/**
 * What an argument of an intrinsic is, whichever execution asks: direct execution passes JavaScript values, lowering
 * passes KIR expressions and static JavaScript values. Both are described in the same words, so that every rule
 * about arguments is written once.
 */
import type { LoweredView } from "./context.ts";
import { DType } from "./dtypes.ts";
import type { DTypeName, Expr, Scope } from "./ir.ts";
import { Ptr } from "./pointer.ts";
import { Event, Mask, Vec } from "./values.ts";

/** What an op takes and gives: a JavaScript value in direct execution, a KIR expression or a static value in lowering. */
export type Value = Vec<DType> | Mask | Ptr<DType> | Event | number | boolean | Expr;

export type Shape =
  | { readonly is: "vec"; readonly dtype: DTypeName; readonly lanes: number }
  | { readonly is: "mask"; readonly lanes: number }
  /** `value` when it is known now: always in direct execution, for static values in lowering. */
  | { readonly is: "number"; readonly value: number | undefined }
  | { readonly is: "bool"; readonly value: boolean | undefined }
  | { readonly is: "ptr"; readonly dtype: DTypeName; readonly scope: Scope; readonly constant: boolean }
  | { readonly is: "event" }
  | { readonly is: "other"; readonly text: string };

export function isExpr(v: unknown): v is Expr {
  if (typeof v !== "object" || v === null || !("kind" in v) || !("type" in v)) return false;
  return v.kind === "const" || v.kind === "ref" || v.kind === "apply";
}

export function isView(v: unknown): v is LoweredView {
  return typeof v === "object" && v !== null && "kind" in v && v.kind === "view" && "ptr" in v;
}

export function shapeOf(v: unknown): Shape {
  if (typeof v === "number") return { is: "number", value: v };
  if (typeof v === "boolean") return { is: "bool", value: v };
  if (v instanceof Vec) return { is: "vec", dtype: v.dtype.name, lanes: v.lanes };
  if (v instanceof Mask) return { is: "mask", lanes: v.lanes };
  if (v instanceof Ptr) return { is: "ptr", dtype: v.dtype.name, scope: v.scope, constant: v.constant };
  if (v instanceof Event) return { is: "event" };
  if (isView(v)) return shapeOf(v.ptr);
  if (isExpr(v)) return shapeOfExpr(v);
  return { is: "other", text: otherText(v) };
}

function shapeOfExpr(e: Expr): Shape {
  const t = e.type;
  switch (t.kind) {
    case "vec":
      return { is: "vec", dtype: t.dtype, lanes: t.lanes };
    case "mask":
      return { is: "mask", lanes: t.lanes };
    case "ptr":
      return { is: "ptr", dtype: t.dtype, scope: t.scope, constant: t.constant };
    case "void":
      return { is: "other", text: "nothing" };
    case "scalar":
      if (t.name === "event") return { is: "event" };
      if (t.name === "bool") return { is: "bool", value: e.kind === "const" ? Boolean(e.value) : undefined };
      return { is: "number", value: e.kind === "const" ? Number(e.value) : undefined };
  }
}

function otherText(v: unknown): string {
  if (v === undefined) return "nothing";
  if (v === null) return "null";
  if (v instanceof DType) return `dtype ${v.name}`;
  if (typeof v === "string") return "a string";
  if (Array.isArray(v)) return "an array";
  if (typeof v === "function") return "a function";
  return typeof v === "object" ? "an object" : `a ${typeof v}`;
}

/** `f32x8`, `mask<8>`, `a number`, `ptr<f32>`: what came, in a message. */
export function shapeText(s: Shape): string {
  switch (s.is) {
    case "vec":
      return `${s.dtype}x${s.lanes}`;
    case "mask":
      return `mask<${s.lanes}>`;
    case "number":
      return s.value === undefined ? "a number" : `the number ${Object.is(s.value, -0) ? "-0" : s.value}`;
    case "bool":
      return s.value === undefined ? "a boolean" : String(s.value);
    case "ptr":
      return `ptr<${s.constant ? "const " : ""}${s.dtype}>`;
    case "event":
      return "an event";
    case "other":
      return s.text;
  }
}

/** As {@link shapeText} for any value. */
export function textOf(v: unknown): string {
  return shapeText(shapeOf(v));
}
