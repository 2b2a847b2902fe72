/**
 * JavaScript's operators on values of a kernel. Static operands are computed by JavaScript itself; runtime scalars
 * become ops on `num` and `bool`; everything else is refused with what to write instead.
 */
import type ts from "typescript";
import { Mask, Vec } from "../dsl/values.ts";
import type { Expr } from "../ir/kir.ts";
import type { OpName } from "../ir/ops.ts";
import type { Emitter } from "./emit.ts";
import { describe, runtime, stat, type Value } from "./values.ts";
import type { Walker } from "./walker.ts";

/** A value as a KIR expression, or undefined where it has none. */
export function exprOf(emit: Emitter, v: Value): Expr | undefined {
  if (v.kind === "runtime") return v.expr;
  if (v.kind === "view") return v.view.ptr;
  if (v.kind !== "static") return undefined;
  const x = v.value;
  if (typeof x === "number") return emit.num(x);
  if (typeof x === "boolean") return emit.bool(x);
  if (x instanceof Vec) return vectorConst(emit, x.dtype.name, x.data);
  if (x instanceof Mask) return vectorConst(emit, "bool", x.data);
  return undefined;
}

function vectorConst(emit: Emitter, dtype: Vec["dtype"]["name"] | "bool", data: readonly number[]): Expr {
  const first = data[0] as number;
  if (dtype !== "bool" && data.every((x) => Object.is(x, first))) {
    return emit.op("splat", [emit.num(first)], { dtype, lanes: data.length });
  }
  return emit.op("vconst", [], { dtype, values: data });
}

/** JavaScript's ToNumber; refuses what is no scalar. */
export function toNumber(w: Walker, v: Value, node: ts.Node): Expr {
  if (v.kind === "static") {
    const x = v.value;
    if (
      typeof x !== "bigint" &&
      typeof x !== "symbol" &&
      (typeof x !== "object" || x === null) &&
      typeof x !== "function"
    ) {
      return w.emit.num(Number(x));
    }
  }
  if (v.kind === "runtime" && v.expr.type.kind === "scalar" && v.expr.type.name !== "event") {
    if (v.expr.type.name === "bool") return w.emit.op("cast_scalar", [v.expr], { to: "num" });
    return w.emit.asNum(v.expr);
  }
  return refuseOperand(w, v, node);
}

function refuseOperand(w: Walker, v: Value, node: ts.Node): never {
  const help =
    v.kind === "runtime" && v.expr.type.kind === "vec"
      ? "vectors have no operators: use S.vadd, S.vsub, S.vmul, S.vceq, ..."
      : v.kind === "runtime" && v.expr.type.kind === "mask"
        ? "masks have no operators: use S.vand, S.vor, S.vinv, S.vany or S.vall"
        : isPointer(v)
          ? "move a pointer with p.at(i), compare pointers with p.eq(q), count between them with p.diff(q)"
          : undefined;
  return w.refuse("KPU3006", `expected a number, got ${describe(v)}`, node, help);
}

function isPointer(v: Value): boolean {
  return v.kind === "view" || (v.kind === "runtime" && v.expr.type.kind === "ptr");
}

/** JavaScript truthiness. A mask or vector in a condition is refused: as an object it would always be true. */
export function toBoolean(w: Walker, v: Value, node: ts.Node): boolean | Expr {
  switch (v.kind) {
    case "static":
      if (v.value instanceof Mask || v.value instanceof Vec) break;
      return Boolean(v.value);
    case "array":
    case "object":
    case "closure":
      return true;
    case "runtime": {
      const t = v.expr.type;
      if (t.kind === "scalar" && t.name === "bool")
        return v.expr.kind === "const" ? Boolean(v.expr.value) : v.expr;
      if (t.kind === "scalar" && t.name !== "event") return w.emit.op("truthy", [w.emit.asNum(v.expr)]);
      break;
    }
    default:
      break;
  }
  const help = isPointer(v)
    ? "a pointer object is always true: ask p.isNull"
    : "ask S.vany(mask) or S.vall(mask); a vector or mask object is always true in JavaScript";
  return w.refuse("KPU3006", `expected a boolean or number as condition, got ${describe(v)}`, node, help);
}

const ARITHMETIC: Readonly<Record<string, OpName>> = {
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "div",
  "%": "mod",
};
const BITWISE: Readonly<Record<string, OpName>> = { "&": "and", "|": "or", "^": "xor" };
const ORDER: Readonly<Record<string, OpName>> = { "<": "lt", "<=": "le", ">": "gt", ">=": "ge" };

/** `a op b` for every binary operator that evaluates both operands. */
export function binary(
  w: Walker,
  op: string,
  a: Value,
  b: Value,
  left: ts.Node,
  right: ts.Node,
  node: ts.Node,
): Value {
  if (a.kind === "static" && b.kind === "static" && !isVector(a.value) && !isVector(b.value)) {
    return stat(binaryStatic(w, op, a.value, b.value, node));
  }
  if (op === "===" || op === "!==" || op === "==" || op === "!=")
    return equality(w, op, a, b, left, right, node);
  if (op === "+" && (isText(a) || isText(b))) {
    w.refuse("KPU1010", "expected numbers, but one side of + is a string", node, PRINT_HELP);
  }
  const e = w.emit;
  const x = toNumber(w, a, left);
  const y = toNumber(w, b, right);
  const arithmetic = ARITHMETIC[op];
  if (arithmetic) return runtime(e.op(arithmetic, [x, y]));
  const order = ORDER[op];
  if (order) return runtime(e.op(order, [x, y]));
  const bits = BITWISE[op];
  if (bits) {
    if (bits === "or" && y.kind === "const" && y.value === 0) return runtime(e.op("to_int32", [x]));
    return runtime(e.op(bits, [int32(e, x), int32(e, y)]));
  }
  switch (op) {
    case "<<":
      return runtime(e.op("js_shl", [int32(e, x), int32(e, y)]));
    case ">>":
      return runtime(e.op("js_shr", [int32(e, x), int32(e, y)]));
    case ">>>":
      return runtime(shiftRightUnsigned(w, x, y));
    case "**":
      return w.refuse(
        "KPU3006",
        "expected an operator of the scalar unit, got ** on runtime numbers",
        node,
        "use S.vpow(x, y), the f32 function, or write x * x for squares",
      );
    default:
      return w.refuse("KPU1011", `expected an operator that kernels have, got ${op}`, node);
  }
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: what the author writes
const PRINT_HELP = "print runtime values with S.print`x = ${x}`";

const isVector = (x: unknown): boolean => x instanceof Vec || x instanceof Mask;
const isText = (v: Value): boolean => v.kind === "static" && typeof v.value === "string";

function int32(e: Emitter, x: Expr): Expr {
  if (x.kind === "const" && typeof x.value === "number") return e.num(x.value | 0);
  return e.op("to_int32", [x]);
}

/** x >>> k without an op of its own: for k > 0 it is (x >> k) with the k sign bits cleared. */
function shiftRightUnsigned(w: Walker, x: Expr, y: Expr): Expr {
  const e = w.emit;
  if (y.kind === "const" && typeof y.value === "number") {
    const k = y.value & 31;
    if (k === 0) return e.op("to_uint32", [x]);
    return e.op("and", [e.op("js_shr", [int32(e, x), e.num(k)]), e.num(0x7fffffff >> (k - 1))]);
  }
  const value = e.bind(x);
  const k = e.bind(e.op("and", [int32(e, y), e.num(31)]));
  const cleared = e.op("js_shr", [e.num(0x7fffffff), e.op("to_int32", [e.op("sub", [k, e.num(1)])])]);
  const shifted = e.op("and", [e.op("js_shr", [int32(e, value), k]), cleared]);
  return e.op("select", [e.op("eq", [k, e.num(0)]), e.op("to_uint32", [value]), shifted]);
}

function equality(
  w: Walker,
  op: string,
  a: Value,
  b: Value,
  left: ts.Node,
  right: ts.Node,
  node: ts.Node,
): Value {
  const strict = op.length === 3;
  const negated = op[0] === "!";
  const answer = (equal: boolean): Value => stat(equal !== negated);
  const ka = kindOf(a);
  const kb = kindOf(b);
  if (ka === "object" || kb === "object") {
    if (
      (a.kind === "static" || isStructure(a)) &&
      (b.kind === "static" || isStructure(b)) &&
      a !== b &&
      !isVectorValue(a) &&
      !isVectorValue(b)
    ) {
      return answer(false);
    }
    if (isStructure(a) && a === b) return answer(true);
    const pointer = isPointer(a) || isPointer(b);
    const nullish = ka === "nullish" || kb === "nullish";
    w.refuse(
      "KPU3006",
      `expected numbers or booleans on both sides of ${op}, got ${describe(a)} and ${describe(b)}`,
      node,
      pointer
        ? nullish
          ? "ask p.isNull"
          : "compare pointers with p.eq(q)"
        : "compare vectors with S.vceq and ask S.vall(mask)",
    );
  }
  if (ka === "nullish" || kb === "nullish") return answer(ka === kb);
  if (ka === "string" || kb === "string") {
    if (strict) return answer(false);
    w.refuse("KPU1010", "expected numbers, but one side is a string", node);
  }
  if (ka === kb && ka === "boolean") {
    const e = w.emit.op(negated ? "ne" : "eq", [toBool(w, a, left), toBool(w, b, right)]);
    return runtime(e);
  }
  if (ka !== kb && strict) return answer(false);
  return runtime(w.emit.op(negated ? "ne" : "eq", [toNumber(w, a, left), toNumber(w, b, right)]));
}

const isStructure = (v: Value): boolean => v.kind === "array" || v.kind === "object" || v.kind === "closure";
const isVectorValue = (v: Value): boolean => v.kind === "static" && isVector(v.value);

function toBool(w: Walker, v: Value, node: ts.Node): Expr {
  const b = toBoolean(w, v, node);
  return typeof b === "boolean" ? w.emit.bool(b) : b;
}

function kindOf(v: Value): "number" | "boolean" | "string" | "nullish" | "object" {
  if (v.kind === "static") {
    const x = v.value;
    if (x === null || x === undefined) return "nullish";
    if (typeof x === "number") return "number";
    if (typeof x === "boolean") return "boolean";
    return typeof x === "string" ? "string" : "object";
  }
  if (v.kind === "runtime" && v.expr.type.kind === "scalar" && v.expr.type.name !== "event") {
    return v.expr.type.name === "bool" ? "boolean" : "number";
  }
  return "object";
}

/** `typeof` of a value, as JavaScript says it in direct execution. */
export function typeOf(v: Value): string {
  if (v.kind === "static") return typeof v.value;
  if (v.kind === "closure") return "function";
  const kind = kindOf(v);
  return kind === "number" || kind === "boolean" ? kind : "object";
}

function binaryStatic(w: Walker, op: string, a: unknown, b: unknown, node: ts.Node): unknown {
  const x = a as number;
  const y = b as number;
  if (typeof a === "symbol" || typeof b === "symbol") w.refuse("KPU2011", "a symbol has no operators", node);
  switch (op) {
    case "+":
      return x + y;
    case "-":
      return x - y;
    case "*":
      return x * y;
    case "/":
      return x / y;
    case "%":
      return x % y;
    case "**":
      return x ** y;
    case "&":
      return x & y;
    case "|":
      return x | y;
    case "^":
      return x ^ y;
    case "<<":
      return x << y;
    case ">>":
      return x >> y;
    case ">>>":
      return x >>> y;
    case "<":
      return x < y;
    case "<=":
      return x <= y;
    case ">":
      return x > y;
    case ">=":
      return x >= y;
    case "===":
      return a === b;
    case "!==":
      return a !== b;
    case "==":
      // biome-ignore lint/suspicious/noDoubleEquals: the author's own operator
      return a == b;
    case "!=":
      // biome-ignore lint/suspicious/noDoubleEquals: the author's own operator
      return a != b;
    case "in":
      return (a as string) in (b as object);
    case "instanceof":
      return a instanceof (b as new () => unknown);
    default:
      return w.refuse("KPU1011", `expected an operator that kernels have, got ${op}`, node);
  }
}

/** Unary `+ - ~ !` on values. */
export function unary(w: Walker, op: string, v: Value, node: ts.Node): Value {
  if (op === "!") {
    const b = toBoolean(w, v, node);
    return typeof b === "boolean" ? stat(!b) : runtime(w.emit.op("not", [b]));
  }
  if (v.kind === "static" && !isVector(v.value)) {
    const x = v.value as number;
    if (op === "-") return stat(-x);
    if (op === "+") return stat(+x);
    return stat(~x);
  }
  const x = toNumber(w, v, node);
  if (op === "+") return runtime(x);
  if (op === "-") return runtime(w.emit.op("neg", [x]));
  return runtime(w.emit.op("not", [int32(w.emit, x)]));
}
