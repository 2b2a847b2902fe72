/** Calls: finds out what is called, and hands over to intrinsics, host functions or inlining. */
import type ts from "typescript";
import { captureFunction } from "../capture/index.ts";
import { type IntrinsicRecord, intrinsicOf } from "../dsl/intrinsic.ts";
import { recordOf } from "../dsl/kernel.ts";
import { KpuError } from "../ir/diagnostic.ts";
import { arrayMethod } from "./arrays.ts";
import { comptime } from "./comptime.ts";
import { hostCall, scalarCall } from "./host.ts";
import { callIntrinsic } from "./intrinsics.ts";
import { makeArray } from "./makearray.ts";
import { isNative } from "./native.ts";
import { elementKey, property } from "./properties.ts";
import { methodRecord } from "./records.ts";
import { runHost } from "./runhost.ts";
import { toStatic } from "./statics.ts";
import { reachesKernel } from "./touch.ts";
import { type ClosureValue, describe, Scope, stat, UNDEFINED, type Value } from "./values.ts";
import { Silenced, type Walker } from "./walker.ts";

export function call(w: Walker, node: ts.CallExpression): Value {
  const t = w.ts;
  let callee: ts.Expression = node.expression;
  while (t.isParenthesizedExpression(callee)) callee = callee.expression;
  if (t.isPropertyAccessExpression(callee) || t.isElementAccessExpression(callee)) {
    const object = w.expr(callee.expression);
    if (
      callee.questionDotToken &&
      object.kind === "static" &&
      (object.value === null || object.value === undefined)
    )
      return UNDEFINED;
    if (object.kind === "poison") throw new Silenced();
    const key = t.isPropertyAccessExpression(callee) ? callee.name.text : elementKey(w, object, callee);
    const name = t.isPropertyAccessExpression(callee) ? callee.name : callee.argumentExpression;
    return method(w, object, key, node, name);
  }
  const fn = w.expr(callee);
  if (node.questionDotToken && fn.kind === "static" && (fn.value === null || fn.value === undefined))
    return UNDEFINED;
  return w.invoke(fn, UNDEFINED, w.list(node.arguments), node);
}

function method(
  w: Walker,
  object: Value,
  key: string | number,
  node: ts.CallExpression,
  name: ts.Node,
): Value {
  if (object.kind === "runtime" || object.kind === "view") {
    const record = methodRecord(object, key);
    if (record !== undefined && key !== "isNull")
      return w.method(record, object, w.list(node.arguments), node);
    const read = property(w, object, key, name, name);
    return w.invoke(read, object, w.list(node.arguments), node);
  }
  if (object.kind === "array") {
    if (/^\d+$/.test(String(key)))
      return w.invoke(property(w, object, key, node, name), object, w.list(node.arguments), node);
    const args = w.list(node.arguments);
    const result = arrayMethod(w, object, String(key), args, node);
    if (result !== undefined) return result;
    const copy = toStatic(w, object);
    if (
      copy !== undefined &&
      typeof key === "string" &&
      typeof (copy.value as Record<string, unknown>)[key] === "function"
    ) {
      return w.invoke(stat((copy.value as Record<string, unknown>)[key]), stat(copy.value), args, node);
    }
    return w.refuse(
      "KPU2010",
      `expected a method that arrays have in a kernel, got .${key}`,
      name,
      "they have map, forEach, reduce, fill, push, slice, concat, reverse, at",
    );
  }
  const fn = property(w, object, key, node, name);
  return w.invoke(fn, object, w.list(node.arguments), node);
}

export function invoke(w: Walker, callee: Value, thisValue: Value, args: Value[], node: ts.Node): Value {
  if (callee.kind === "poison" || args.some((a) => a.kind === "poison")) throw new Silenced();
  if (callee.kind === "closure")
    return w.inline(w.ts.isArrowFunction(callee.node) ? callee : { ...callee, thisValue }, args, node);
  if (callee.kind !== "static" || typeof callee.value !== "function") {
    return w.refuse("KPU3001", `expected a function to call, got ${describe(callee)}`, node);
  }
  const fn = callee.value as (...a: unknown[]) => unknown;
  const record = intrinsicOf(fn);
  if (record?.name === "comptime") return comptime(w, args[0] ?? UNDEFINED, node);
  if (record?.name === "func" && args[0]?.kind === "closure") return args[0];
  if (record !== undefined) return callIntrinsic(w, record, args, node);
  if (recordOf(fn) !== undefined) {
    return w.refuse(
      "KPU2004",
      `expected a helper function, but ${calleeText(w, node)} is a kernel`,
      node,
      "kernels are called from the host; move the shared code into a plain function",
    );
  }
  // What esbuild and tsx wrap around functions to keep their names.
  if (fn.name === "__name" && args.length === 2) return args[0] as Value;
  const known = hostCall(w, fn, thisValue, args, node);
  if (known !== undefined) return known;
  const given = args.map((a) => toStatic(w, a));
  const receiver = toStatic(w, thisValue);
  const allStatic = receiver !== undefined && given.every((g) => g !== undefined);
  if (isNative(fn)) {
    if (allStatic)
      return runHost(
        w,
        fn,
        receiver.value,
        given.map((g) => g?.value),
        node,
      );
    const scalar = scalarCall(w, fn, args, node);
    if (scalar !== undefined) return scalar;
    if (fn.name.startsWith("bound ")) {
      return w.refuse(
        "KPU2009",
        `expected a function with source text, but ${calleeText(w, node)} was made by bind()`,
        node,
        "write a small arrow function around the call",
      );
    }
    const what = thisValue.kind === "static" && thisValue.value === Math ? `Math.${fn.name}` : fn.name;
    return w.refuse(
      "KPU2004",
      `expected a function of the kernel language, but ${what} is called with runtime values`,
      node,
      hostHelp(what),
    );
  }
  if (allStatic && !args.some((a) => a.kind === "closure") && !reachesKernel(w, fn)) {
    return runHost(
      w,
      fn,
      receiver.value,
      given.map((g) => g?.value),
      node,
    );
  }
  return w.inline(helper(w, fn, thisValue, node), args, node);
}

function calleeText(w: Walker, node: ts.Node): string {
  return w.ts.isCallExpression(node) ? w.text(node.expression) : "it";
}

function hostHelp(what: string): string | undefined {
  const math: Record<string, string> = Object.fromEntries(
    ["exp", "log", "log2", "sin", "cos", "tan", "tanh"].map((f) => [f, `S.v${f}`]),
  );
  const name = /^Math\.(\w+)$/.exec(what)?.[1];
  if (name === undefined)
    return "compute it before the kernel and capture the result, or write a helper function in JavaScript";
  if (name in math) return `use ${math[name]}(x)`;
  if (name === "pow") return "use S.vpow(x, y), or write x * x for squares";
  if (name === "random") return "pass random numbers in as an argument";
  return "compute it before the kernel, or use the functions of S, which take numbers too: S.vexp, S.vlog, S.vpow, S.vsin, ...";
}

/** A helper from outside: its own text, its own closure. */
export function helper(
  w: Walker,
  fn: (...a: unknown[]) => unknown,
  thisValue: Value,
  node: ts.Node,
): ClosureValue {
  try {
    const captured = captureFunction(fn);
    return {
      kind: "closure",
      node: captured.node,
      captured,
      scope: new Scope(undefined),
      thisValue,
      name: fn.name,
    };
  } catch (error) {
    if (error instanceof KpuError)
      return w.refuse("KPU2004", error.diagnostics[0]?.message ?? error.message, node);
    throw error;
  }
}

export function newExpression(w: Walker, node: ts.NewExpression): Value {
  const callee = w.expr(node.expression);
  const args = w.list(node.arguments ?? []);
  if (callee.kind !== "static" || typeof callee.value !== "function") {
    return w.refuse("KPU1012", `expected a class to construct, got ${describe(callee)}`, node);
  }
  if (callee.value === Array) return makeArray(w, args, node);
  const given = args.map((a) => toStatic(w, a));
  if (given.some((g) => g === undefined)) {
    const memory = /^(Ui|I)nt\d+Array$|^Float\d+Array$/.test(callee.value.name);
    return w.refuse(
      "KPU1012",
      `expected static arguments of new ${callee.value.name}`,
      node,
      memory
        ? "memory of a kernel is made by S.alloc(dtype, shape)"
        : "kernels make arrays and plain objects only",
    );
  }
  const construct = callee.value as new (...a: unknown[]) => unknown;
  return runHost(
    w,
    (...a) => Reflect.construct(construct, a),
    undefined,
    given.map((g) => g?.value),
    node,
  );
}

export function taggedTemplate(w: Walker, node: ts.TaggedTemplateExpression): Value {
  const t = w.ts;
  const template = node.template;
  const cooked: string[] = t.isTemplateExpression(template)
    ? [template.head.text, ...template.templateSpans.map((s) => s.literal.text)]
    : [template.text];
  const strings = Object.assign(cooked, { raw: Object.freeze([...cooked]) });
  const values = t.isTemplateExpression(template) ? template.templateSpans.map((s) => s.expression) : [];
  let thisValue: Value = UNDEFINED;
  let tag: Value;
  if (t.isPropertyAccessExpression(node.tag)) {
    thisValue = w.expr(node.tag.expression);
    tag = property(w, thisValue, node.tag.name.text, node.tag, node.tag.name);
  } else tag = w.expr(node.tag);
  return w.invoke(tag, thisValue, [stat(Object.freeze(strings)), ...w.list(values)], node);
}

export function callMethod(
  w: Walker,
  record: IntrinsicRecord,
  receiver: Value,
  args: readonly Value[],
  node: ts.Node,
): Value {
  return callIntrinsic(w, record, [receiver, ...args], node, 1);
}
