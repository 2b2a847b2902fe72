/** What the tracer knows of a value: a number that may move with loops, an address, an event, or nothing: it is data. */
import type { DTypeName } from "../../ir/dtype.ts";
import type { Level } from "../../machine/trace.ts";
import { type Affine, add, constant, type Demand, sameAffine, subtract } from "./affine.ts";

export interface Pointer {
  readonly is: "pointer";
  readonly level: Level;
  readonly dtype: DTypeName;
  /** Bytes from the start of the level. */
  readonly at: Affine;
}

export type Value =
  | { readonly is: "number"; readonly value: Affine }
  | Pointer
  | { readonly is: "null" }
  | { readonly is: "event"; readonly id: number }
  /** A number that is no such form, or not the same one in all rounds: whoever needs it makes the demand. */
  | { readonly is: "pending"; readonly why: Demand }
  /** Lanes, and numbers that come out of memory. */
  | { readonly is: "data" };

export const DATA: Value = { is: "data" };
export const number = (x: number | boolean): Value => ({ is: "number", value: constant(Number(x)) });
export const moving = (value: Affine): Value => ({ is: "number", value });
export const pending = (why: Demand): Value => ({ is: "pending", why });

/** By how much b is ahead of a; undefined where they are not alike. A value that is pending is like no other. */
export function distance(a: Value, b: Value): Affine | undefined {
  if (a.is === "number" && b.is === "number") return subtract(b.value, a.value);
  if (a.is === "pointer" && b.is === "pointer" && a.level === b.level && a.dtype === b.dtype)
    return subtract(b.at, a.at);
  if (a.is === "event" && b.is === "event") return a.id === b.id ? constant(0) : undefined;
  return a.is === b.is && (a.is === "data" || a.is === "null") ? constant(0) : undefined;
}

export function sameValue(a: Value, b: Value): boolean {
  const by = distance(a, b);
  return by !== undefined && sameAffine(by, constant(0));
}

/** The value so much further on. */
export function movedBy(v: Value, by: Affine): Value {
  if (v.is === "number") return { ...v, value: add(v.value, by) };
  if (v.is === "pointer") return { ...v, at: add(v.at, by) };
  return v;
}
