/** Functions of a kernel that methods of JavaScript call: `xs.map(f)`. */
import type ts from "typescript";
import { UNDEFINED, type Value } from "./values.ts";
import type { Walker } from "./walker.ts";

/** Calls `callee` as the method `by` does: a tile cannot be suspended inside. */
export function callBack(w: Walker, by: string, callee: Value, args: Value[], node: ts.Node): Value {
  w.calledBy = by;
  try {
    return w.invoke(callee, UNDEFINED, args, node);
  } finally {
    w.calledBy = undefined;
  }
}
