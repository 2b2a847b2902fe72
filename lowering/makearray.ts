/** Arrays made by the Array constructor. */
import type ts from "typescript";
import { arrayOf } from "./staging.ts";
import { UNDEFINED, type Value } from "./values.ts";
import type { Walker } from "./walker.ts";

/** `Array(n)`, `new Array(a, b)`. */
export function makeArray(w: Walker, args: Value[], node: ts.Node): Value {
  const first = args[0];
  if (args.length !== 1) return arrayOf(w, args, node);
  if (first?.kind !== "static" || typeof first.value !== "number") {
    return first?.kind === "static"
      ? arrayOf(w, args, node)
      : w.refuse("KPU2007", "expected a static length of the array", node);
  }
  return arrayOf(w, new Array<Value>(first.value).fill(UNDEFINED), node);
}
