/**
 * Calls of intrinsics: value intrinsics of static scalars are computed now; everything else goes through the record's
 * own `lower`, with static arguments as JavaScript values and runtime ones as KIR expressions.
 */
import type ts from "typescript";
import { enter, type LowerContext, type LoweredView, type Operand } from "../dsl/context.ts";
import type { IntrinsicRecord } from "../dsl/intrinsic.ts";
import { Event, Mask, Vec } from "../dsl/values.ts";
import type { DiagnosticCode } from "../ir/codes.ts";
import { KpuError } from "../ir/diagnostic.ts";
import { bytesOf, type DTypeName, type Scope as MemoryScope } from "../ir/dtype.ts";
import type { Attrs, Expr } from "../ir/kir.ts";
import type { OpName } from "../ir/ops.ts";
import { nextBuffer, type Target } from "../ir/target.ts";
import { markBlocking } from "./blocking.ts";
import { textIndex } from "./emit.ts";
import { exprOf } from "./operators.ts";
import { arrayOf } from "./staging.ts";
import { toStatic } from "./statics.ts";
import { type Cell, describe, runtime, stat, UNDEFINED, type Value } from "./values.ts";
import { Silenced, type Walker } from "./walker.ts";

/** Loops of `for ... of`; their records refuse any other place. */
export const LOOPS = new Set(["range", "grid"]);

export function callIntrinsic(
  w: Walker,
  record: IntrinsicRecord,
  args: readonly Value[],
  node: ts.Node,
  receiver = 0,
): Value {
  if (record.value && args.every((a) => a.kind === "static")) {
    const known = evaluate(
      w,
      record,
      args.map((a) => (a as { value: unknown }).value),
      node,
    );
    if (known !== undefined) return known;
  }
  if (record.effect === "block") markBlocking(w, node);
  const context = new CallContext(w, node, receiver);
  const given = args.map((a, i) => argument(w, a, context.argumentNode(i)));
  const saved = w.emit.site;
  w.emit.site = w.site(node);
  try {
    const lower = record.lower as unknown as (b: LowerContext, ...a: unknown[]) => unknown;
    return resultOf(w, lower(context, ...given), node);
  } catch (error) {
    throw located(w, error, node);
  } finally {
    w.emit.site = saved;
  }
}

/** A value intrinsic on static arguments. Vectors are left to `lower`, which writes them more readably. */
function evaluate(
  w: Walker,
  record: IntrinsicRecord,
  args: readonly unknown[],
  node: ts.Node,
): Value | undefined {
  if (record.family === "spmd" || LOOPS.has(record.name)) return undefined;
  const before = enter({ kind: "idle", target: w.target });
  try {
    const simulate = record.simulate as unknown as (sim: unknown, ...a: unknown[]) => unknown;
    const result = simulate({ target: w.target }, ...args);
    return result instanceof Vec || result instanceof Mask ? undefined : stat(result);
  } catch (error) {
    // Where the simulation would be needed, `lower` says what is wrong.
    if (error instanceof KpuError) throw located(w, error, node);
    return undefined;
  } finally {
    enter(before);
  }
}

/** Gives a diagnostic without position the position of the call. */
export function located(w: Walker, error: unknown, node: ts.Node): unknown {
  if (!(error instanceof KpuError) || error.diagnostics.every((d) => d.location !== undefined)) return error;
  const location = w.emitLocation(node);
  return new KpuError(error.diagnostics.map((d) => (d.location ? d : { ...d, location })));
}

function argument(w: Walker, v: Value, node: ts.Node): unknown {
  switch (v.kind) {
    case "static":
      return v.value;
    case "runtime":
      return v.expr;
    case "view":
      return v.view;
    case "array":
      return v.slots.map((s) => cellArgument(w, s, node));
    case "object":
      return Object.fromEntries([...v.fields].map(([key, f]) => [key, cellArgument(w, f, node)]));
    case "closure": {
      const f = toStatic(w, v);
      if (f === undefined)
        w.refuse(
          "KPU1009",
          "expected a value, got a function over runtime values",
          node,
          "call the function here, or pass its result",
        );
      return f.value;
    }
    case "poison":
      throw new Silenced();
  }
}

function cellArgument(w: Walker, c: Cell, node: ts.Node): unknown {
  return argument(w, c.value ?? UNDEFINED, node);
}

function resultOf(w: Walker, r: unknown, node: ts.Node): Value {
  if (isExpr(r)) return r.type.kind === "void" ? UNDEFINED : runtime(w.emit.asNum(r));
  if (isView(r)) return { kind: "view", view: r };
  if (Array.isArray(r) && r.some((x) => isExpr(x) || isView(x)))
    return arrayOf(
      w,
      r.map((x) => resultOf(w, x, node)),
      node,
    );
  if (r instanceof Vec || r instanceof Mask) {
    const e = exprOf(w.emit, stat(r));
    if (e !== undefined) return runtime(e);
  }
  if (r instanceof Event) throw new TypeError("an intrinsic's lower returned an event of the simulation");
  return stat(r);
}

function isExpr(r: unknown): r is Expr {
  return (
    typeof r === "object" &&
    r !== null &&
    "kind" in r &&
    "type" in r &&
    (r.kind === "ref" || r.kind === "apply" || r.kind === "const")
  );
}
function isView(r: unknown): r is LoweredView {
  return typeof r === "object" && r !== null && "kind" in r && r.kind === "view" && "ptr" in r;
}

class CallContext implements LowerContext {
  private readonly w: Walker;
  private readonly node: ts.Node;
  private readonly receiver: number;
  constructor(w: Walker, node: ts.Node, receiver: number) {
    this.w = w;
    this.node = node;
    this.receiver = receiver;
  }
  get target(): Target {
    return this.w.target;
  }
  get underRuntimeLoop(): boolean {
    return this.w.conditional > 0;
  }
  op(name: OpName, args: readonly Expr[], attrs: Attrs = {}): Expr {
    if (name === "alloc") {
      this.takeMemory(attrs["scope"] as MemoryScope, attrs["dtype"] as DTypeName, attrs["count"] as number);
    }
    return this.w.emit.op(name, args, attrs);
  }
  expr(value: Operand): Expr {
    const e = exprOf(this.w.emit, typeof value === "object" && isExpr(value) ? runtime(value) : stat(value));
    if (e === undefined) throw new TypeError("not an operand");
    return e;
  }
  bind(value: Expr, name?: string): Expr {
    return this.w.emit.bind(value, name);
  }
  refuse(code: DiagnosticCode, message: string, o: { help?: string; argument?: number } = {}): never {
    return this.w.refuse(code, message, this.argumentNode(o.argument), o.help);
  }
  table(dtype: DTypeName, values: readonly number[]): number {
    this.takeMemory("local", dtype, values.length);
    return this.w.emit.tables.push({ dtype, values }) - 1;
  }
  text(s: string): number {
    return textIndex(this.w.emit.texts, s);
  }
  static<T>(value: unknown, what: string, is: (v: unknown) => v is T, argument?: number): T {
    if (is(value)) return value;
    const got = isExpr(value) ? describe(runtime(value)) : describe(stat(value));
    return this.w.refuse("KPU2007", `expected ${what} to be static, got ${got}`, this.argumentNode(argument));
  }

  argumentNode(argument: number | undefined): ts.Node {
    const t = this.w.ts;
    if (argument === undefined) return this.node;
    const n = this.node;
    if (t.isTaggedTemplateExpression(n)) {
      const spans = t.isTemplateExpression(n.template) ? n.template.templateSpans : undefined;
      return spans?.[argument - 1]?.expression ?? n;
    }
    if (!t.isCallExpression(n)) return n;
    if (argument < this.receiver)
      return t.isPropertyAccessExpression(n.expression) ? n.expression.expression : n;
    return n.arguments[argument - this.receiver] ?? n;
  }

  private takeMemory(scope: MemoryScope, dtype: DTypeName, count: number): void {
    if (scope === "global") return;
    const bytes = bytesOf(dtype, count);
    const used = nextBuffer(this.w.memory.get(scope) ?? 0) + bytes;
    this.w.memory.set(scope, used);
    const capacity = this.w.target.capacity[scope];
    if (used > capacity) {
      this.refuse(
        "KPU4003",
        `expected at most ${capacity} bytes of ${scope} memory on target ${this.w.target.name}, got ${used}`,
        {
          help: "allocate less, reuse buffers, or move a buffer to a larger scope",
        },
      );
    }
  }
}
