/** Host functions that mean something on runtime values: Math, Number, Boolean, Array, Object, console. */
import type ts from "typescript";
import type { Expr } from "../ir/kir.ts";
import type { OpName } from "../ir/ops.ts";
import { spreadItems } from "./arrays.ts";
import { callBack } from "./callback.ts";
import { makeArray } from "./makearray.ts";
import { toBoolean, toNumber } from "./operators.ts";
import { arrayOf } from "./staging.ts";
import { describe, runtime, stat, UNDEFINED, type Value } from "./values.ts";
import type { Walker } from "./walker.ts";

/** The global forms, which convert their argument. */
const { isNaN: ANY_NAN, isFinite: ANY_FINITE } = globalThis as unknown as Record<
  "isNaN" | "isFinite",
  HostFunction
>;

type HostFunction = (...a: unknown[]) => unknown;

/** Functions over structures of the kernel; undefined for everything else. */
export function hostCall(
  w: Walker,
  fn: HostFunction,
  thisValue: Value,
  args: Value[],
  node: ts.Node,
): Value | undefined {
  if (thisValue.kind === "static" && thisValue.value === console) return UNDEFINED;
  const first = args[0] ?? UNDEFINED;
  switch (fn) {
    case Array as unknown as HostFunction:
      return makeArray(w, args, node);
    case Array.of as HostFunction:
      return arrayOf(w, args, node);
    case Array.isArray as HostFunction:
      return stat(first.kind === "array" || (first.kind === "static" && Array.isArray(first.value)));
    case Array.from as unknown as HostFunction:
      return arrayFrom(w, first, args[1], node);
    case Object.freeze as HostFunction:
      return first.kind === "static" ? undefined : first;
    case Object.keys as HostFunction:
      return first.kind === "object" ? stat([...first.fields.keys()]) : undefined;
    case Object.values as HostFunction:
      return first.kind === "object"
        ? arrayOf(
            w,
            [...first.fields.values()].map((f) => f.value as Value),
            node,
          )
        : undefined;
    case Object.entries as HostFunction:
      return first.kind === "object"
        ? arrayOf(
            w,
            [...first.fields].map(([k, f]) => arrayOf(w, [stat(k), f.value as Value], node)),
            node,
          )
        : undefined;
    default:
      break;
  }
  if (
    thisValue.kind === "static" &&
    Array.isArray(thisValue.value) &&
    args.some((a) => a.kind === "closure")
  ) {
    return staticArrayMethod(w, thisValue.value, fn, args, node);
  }
  return undefined;
}

/** `captured.map(f)` where f is a function of the kernel: its calls may touch runtime values. */
function staticArrayMethod(
  w: Walker,
  list: readonly unknown[],
  fn: HostFunction,
  args: Value[],
  node: ts.Node,
): Value | undefined {
  const f = args[0] as Value;
  const calls = (): Value[] =>
    list.map((x, i) => callBack(w, fn.name, f, [stat(x), stat(i), stat(list)], node));
  if (fn === (Array.prototype.map as HostFunction)) return arrayOf(w, calls(), node);
  if (fn === (Array.prototype.forEach as HostFunction)) {
    calls();
    return UNDEFINED;
  }
  if (fn === (Array.prototype.reduce as HostFunction)) {
    let sum = args[1];
    list.forEach((x, i) => {
      sum = sum === undefined ? stat(x) : callBack(w, fn.name, f, [sum, stat(x), stat(i), stat(list)], node);
    });
    return sum ?? w.refuse("KPU2011", "reduce of an empty array needs an initial value", node);
  }
  return undefined;
}

function arrayFrom(w: Walker, source: Value, mapper: Value | undefined, node: ts.Node): Value {
  let items: Value[];
  const length = source.kind === "object" ? source.fields.get("length")?.value : undefined;
  if (length !== undefined) {
    if (length.kind !== "static")
      return w.refuse("KPU2007", `expected a static length, got ${describe(length)}`, node);
    items = new Array<Value>(Number(length.value)).fill(UNDEFINED);
  } else if (source.kind === "static" && typeof source.value === "object") {
    items = Array.from(source.value as ArrayLike<unknown>).map(stat);
  } else items = spreadItems(w, source, node);
  if (mapper !== undefined)
    items = items.map((x, i) => callBack(w, "Array.from", mapper, [x, stat(i)], node));
  return arrayOf(w, items, node);
}

const UNARY = new Map<unknown, OpName>([
  [Math.abs, "abs"],
  [Math.floor, "floor"],
  [Math.ceil, "ceil"],
  [Math.trunc, "trunc"],
  [Math.round, "round"],
  [Math.sqrt, "sqrt"],
  [Math.sign, "sign"],
]);

/** Native functions on runtime scalars; undefined for those that kernels do not have. */
export function scalarCall(w: Walker, fn: HostFunction, args: Value[], node: ts.Node): Value | undefined {
  const e = w.emit;
  const first = args[0] ?? UNDEFINED;
  const number = (v: Value): Expr => toNumber(w, v, node);
  const unary = UNARY.get(fn);
  if (unary !== undefined) return runtime(e.op(unary, [number(first)]));
  switch (fn) {
    case Math.fround as HostFunction:
      return runtime(e.asNum(e.op("convert", [number(first)], { dtype: "f32" })));
    case Math.min as HostFunction:
    case Math.max as HostFunction: {
      const op = fn === (Math.min as HostFunction) ? "min" : "max";
      return runtime(args.map(number).reduce((x, y) => e.op(op, [x, y])));
    }
    case Math.imul as HostFunction:
      return runtime(e.op("imul", [int32(w, number(first)), int32(w, number(args[1] ?? UNDEFINED))]));
    case Math.clz32 as HostFunction:
      return runtime(e.op("clz32", [int32(w, number(first))]));
    case Number as unknown as HostFunction:
      return runtime(number(first));
    case Boolean as unknown as HostFunction: {
      const b = toBoolean(w, first, node);
      return typeof b === "boolean" ? stat(b) : runtime(b);
    }
    case ANY_NAN:
    case Number.isNaN as HostFunction: {
      if (fn === (Number.isNaN as HostFunction) && !isNumber(first)) return stat(false);
      const x = e.bind(number(first));
      return runtime(e.op("ne", [x, x]));
    }
    case ANY_FINITE:
    case Number.isFinite as HostFunction: {
      if (fn === (Number.isFinite as HostFunction) && !isNumber(first)) return stat(false);
      return runtime(finite(w, e.bind(number(first))));
    }
    case Number.isInteger as HostFunction:
    case Number.isSafeInteger as HostFunction: {
      if (!isNumber(first)) return stat(false);
      const x = e.bind(number(first));
      const whole = e.op("and", [finite(w, x), e.op("eq", [e.op("trunc", [x]), x])]);
      if (fn === (Number.isInteger as HostFunction)) return runtime(whole);
      return runtime(e.op("and", [whole, e.op("le", [e.op("abs", [x]), e.num(Number.MAX_SAFE_INTEGER)])]));
    }
    default:
      return undefined;
  }
}

const isNumber = (v: Value): boolean =>
  v.kind === "runtime" && v.expr.type.kind === "scalar" && v.expr.type.name === "num";

function finite(w: Walker, x: Expr): Expr {
  return w.emit.op("eq", [w.emit.op("sub", [x, x]), w.emit.num(0)]);
}
function int32(w: Walker, x: Expr): Expr {
  return w.emit.op("to_int32", [x]);
}
