/** What the tracer knows of a value: a number that may move with loops, an address, an event, or nothing: it is data. */
import type { DTypeName } from "../../ir/dtype.ts";
import type { Level } from "../../machine/trace.ts";
import { type Affine, add, type Demand, type Moving, sameAffine, subtract } from "./affine.ts";

export interface Pointer {
  readonly is: "pointer";
  readonly level: Level;
  readonly dtype: DTypeName;
  /** Bytes from the start of the level. */
  readonly at: Affine;
}

/** A number that is the same in all rounds is a number; truth values are 0 and 1. */
export type Value =
  | number
  | Moving
  | Pointer
  | { readonly is: "null" }
  | { readonly is: "event"; readonly id: number }
  /** A number that is no such form, or not the same one in all rounds: whoever needs it makes the demand. */
  | Pending
  /** Lanes, and numbers that come out of memory. */
  | { readonly is: "data" };

export interface Pending {
  readonly is: "pending";
  readonly why: Demand;
}

export const DATA: Value = { is: "data" };
export const pending = (why: Demand): Value => ({ is: "pending", why });
export const isNumber = (v: Value): v is Affine => typeof v === "number" || v.is === "moving";

/** By how much b is ahead of a; undefined where they are not alike. A value that is pending is like no other. */
export function distance(a: Value, b: Value): Affine | undefined {
  if (isNumber(a)) return isNumber(b) ? subtract(b, a) : undefined;
  if (isNumber(b)) return undefined;
  if (a.is === "pointer" && b.is === "pointer" && a.level === b.level && a.dtype === b.dtype)
    return subtract(b.at, a.at);
  if (a.is === "event" && b.is === "event") return a.id === b.id ? 0 : undefined;
  return a.is === b.is && (a.is === "data" || a.is === "null") ? 0 : undefined;
}

export function sameValue(a: Value, b: Value): boolean {
  const by = distance(a, b);
  return by !== undefined && sameAffine(by, 0);
}

/** The value so much further on. */
export function movedBy(v: Value, by: Affine): Value {
  if (isNumber(v)) return add(v, by);
  if (v.is === "pointer") return { ...v, at: add(v.at, by) };
  return v;
}
