/** Methods of arrays that a kernel makes: their slots may hold runtime values, their length is static. */
import type ts from "typescript";
import { callBack } from "./callback.ts";
import { arrayOf, assignCell, slotCell } from "./staging.ts";
import { type ArrayValue, type Cell, describe, stat, UNDEFINED, type Value } from "./values.ts";
import type { Walker } from "./walker.ts";

/** The elements of something that can be spread or destructured. */
export function spreadItems(w: Walker, v: Value, node: ts.Node): Value[] {
  if (v.kind === "array") return v.slots.map((s) => s.value as Value);
  if (
    v.kind === "static" &&
    v.value !== null &&
    v.value !== undefined &&
    typeof (v.value as Iterable<unknown>)[Symbol.iterator] === "function"
  ) {
    return [...(v.value as Iterable<unknown>)].map(stat);
  }
  if (v.kind === "poison") return [];
  return w.refuse("KPU1015", `expected an array of static length, got ${describe(v)}`, node);
}

/** As {@link spreadItems}, one by one: what a loop's body writes into the array shows in later rounds. */
export function* iterated(w: Walker, v: Value, node: ts.Node): Generator<Value, void, undefined> {
  if (v.kind === "array") for (let i = 0; i < v.slots.length; i++) yield (v.slots[i] as Cell).value as Value;
  else yield* spreadItems(w, v, node);
}

/** `array.name(...args)`; undefined when the method is not one that kernels have. */
export function arrayMethod(
  w: Walker,
  array: ArrayValue,
  name: string,
  args: Value[],
  node: ts.Node,
): Value | undefined {
  const items = (): Value[] => array.slots.map((s) => s.value as Value);
  const each = (f: (item: Value, index: number) => void): void => {
    for (let i = 0; i < array.slots.length; i++) f((array.slots[i] as Cell).value as Value, i);
  };
  const callback = (item: Value, index: number): Value =>
    callBack(w, name, args[0] ?? UNDEFINED, [item, stat(index), array], node);
  const grow = (): void => {
    if (w.depth > array.depth) {
      w.refuse(
        "KPU2006",
        `expected an array of static length, but ${name} changes it under runtime control flow`,
        node,
        "make the array with its full length before the loop",
      );
    }
  };
  const index = (v: Value | undefined, otherwise: number): number => {
    if (v === undefined || (v.kind === "static" && v.value === undefined)) return otherwise;
    if (v.kind === "static" && typeof v.value === "number")
      return v.value < 0 ? Math.max(0, array.slots.length + v.value) : v.value;
    return w.refuse("KPU2006", `expected a static index, got ${describe(v)}`, node);
  };
  switch (name) {
    case "push":
      grow();
      for (const a of args) array.slots.push(slotCell(w, `${array.slots.length}`, a, array.origin));
      return stat(array.slots.length);
    case "pop":
      grow();
      return array.slots.pop()?.value ?? UNDEFINED;
    case "fill":
      for (const s of array.slots.slice(index(args[1], 0), index(args[2], array.slots.length)))
        assignCell(w, s, args[0] ?? UNDEFINED, node);
      return array;
    case "at": {
      const v = args[0];
      if (v?.kind !== "static")
        return w.refuse("KPU2006", "expected a static index", node, "unroll the loop with S.unroll(n)");
      const i = Number(v.value);
      return array.slots[i < 0 ? array.slots.length + i : i]?.value ?? UNDEFINED;
    }
    case "map": {
      const out: Value[] = [];
      each((item, i) => out.push(callback(item, i)));
      return arrayOf(w, out, node);
    }
    case "forEach":
      each((item, i) => void callback(item, i));
      return UNDEFINED;
    case "reduce": {
      let sum = args[1];
      each((item, i) => {
        sum =
          sum === undefined ? item : callBack(w, name, args[0] as Value, [sum, item, stat(i), array], node);
      });
      return sum ?? w.refuse("KPU2011", "reduce of an empty array needs an initial value", node);
    }
    case "slice":
      return arrayOf(w, items().slice(index(args[0], 0), index(args[1], array.slots.length)), node);
    case "concat":
      return arrayOf(
        w,
        [
          ...items(),
          ...args.flatMap((a) =>
            a.kind === "array" || (a.kind === "static" && Array.isArray(a.value))
              ? spreadItems(w, a, node)
              : [a],
          ),
        ],
        node,
      );
    case "reverse": {
      const values = items().reverse();
      for (const [i, s] of array.slots.entries()) assignCell(w, s, values[i] as Value, node);
      return array;
    }
    case "flat":
      return arrayOf(
        w,
        items().flatMap((v) => (v.kind === "array" ? v.slots.map((s) => s.value as Value) : [v])),
        node,
      );
    case "entries":
      // The pairs hold the slots themselves, because iteration sees what is written meanwhile.
      return arrayOf(
        w,
        array.slots.map((s, i) => ({
          ...arrayOf(w, [stat(i)], node),
          slots: [slotCell(w, "0", stat(i), ""), s],
        })),
        node,
      );
    case "keys":
      return stat(items().map((_v, i) => i));
    case "values":
      return array;
    default:
      return undefined;
  }
}
