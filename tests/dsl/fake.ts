/** A memory, a lowering context and an evaluator, as small as can be: what the tests of the records stand on. */
import { enter, type LowerContext, type PrintValue, type Simulation } from "../../dsl/context.ts";
import { type DType, dtypeOf } from "../../dsl/dtypes.ts";
import { type MemoryObject, NdBuffer, Ptr } from "../../dsl/pointer.ts";
import { Event, Mask, Vec } from "../../dsl/values.ts";
import { laneFn, reduce, reduceIndex, scalarFn } from "../../ir/alu.ts";
import { castRule, convertRule, roundTo, storeRule } from "../../ir/convert.ts";
import { fail } from "../../ir/diagnostic.ts";
import { type DTypeName, isFloat, type Scope } from "../../ir/dtype.ts";
import type { Attrs, Expr, Local, Type } from "../../ir/kir.ts";
import { mask, ptrType, scalar, vec } from "../../ir/kir.ts";
import { type AluOp, OPS, type OpName } from "../../ir/ops.ts";
import type { Command } from "../../ir/path/command.ts";
import { TARGETS, type Target } from "../../ir/target.ts";
import type { Gather, Transfer } from "../../ir/transfer.ts";

/** One buffer; the test reads and writes `cells`, by element. Reinterpretation is not modelled. */
export class Memory implements MemoryObject {
  readonly region: object = this;
  readonly base = 0;
  readonly name: string;
  readonly scope: Scope;
  readonly byteLength: number;
  readonly cells: (number | undefined)[];
  constructor(name: string, dtype: DType, values: readonly (number | undefined)[], scope: Scope = "global") {
    this.name = name;
    this.scope = scope;
    this.cells = [...values];
    this.byteLength = values.length * dtype.bytes;
  }
}

export function buffer<D extends DType>(
  dtype: D,
  values: readonly (number | undefined)[],
  constant = false,
): Ptr<D> & { cells: (number | undefined)[] } {
  const memory = new Memory("x", dtype, values);
  return Object.assign(new Ptr(dtype, memory, 0, constant), { cells: memory.cells });
}

/** Does what Simulation says, with bounds and initialisation checks. */
export class FakeSimulation implements Simulation {
  readonly target: Target = TARGETS.edge;
  readonly log: unknown[] = [];
  tileId(): number {
    return 1;
  }
  tileCount(): number {
    return 2;
  }
  barrier(_events: readonly Event[]): unknown {
    return "barrier";
  }
  alloc<D extends DType>(dtype: D, shape: readonly number[], scope: Scope): NdBuffer<D> {
    const n = shape.reduce((a, b) => a * b, 1);
    return new NdBuffer(dtype, new Memory("a", dtype, new Array(n).fill(undefined), scope), 0, false, shape);
  }
  allocConst<D extends DType>(dtype: D, values: readonly number[]): NdBuffer<D> {
    return new NdBuffer(dtype, new Memory("c", dtype, values, "local"), 0, true, [values.length]);
  }
  get(p: Ptr): number {
    return this.read(p, 0);
  }
  set(p: Ptr, value: number): void {
    this.write(p, 0, storeRule(p.dtype.name)(value));
  }
  load(p: Ptr, lanes: number): number[] {
    return Array.from({ length: lanes }, (_, i) => this.read(p, i));
  }
  loadMasked(p: Ptr, stride: number, m: readonly number[], r: readonly number[] | undefined): number[] {
    return m.map((active, i) => (active ? this.read(p, i * stride) : (r?.[i] ?? 0)));
  }
  store(p: Ptr, data: readonly number[]): void {
    for (const [i, v] of data.entries()) this.write(p, i, v);
  }
  storeMasked(p: Ptr, stride: number, data: readonly number[], m: readonly number[]): void {
    for (const [i, v] of data.entries()) if (m[i]) this.write(p, i * stride, v);
  }
  gather(
    p: Ptr,
    indices: readonly number[],
    m: readonly number[] | undefined,
    r: readonly number[] | undefined,
  ): number[] {
    return indices.map((k, i) => (m === undefined || m[i] ? this.read(p, k) : (r?.[i] ?? 0)));
  }
  scatter(
    p: Ptr,
    indices: readonly number[],
    data: readonly number[],
    m: readonly number[] | undefined,
  ): void {
    for (const [i, k] of indices.entries()) if (m === undefined || m[i]) this.write(p, k, data[i] as number);
  }
  dmaCopy(
    dst: Ptr,
    src: Ptr,
    width: number,
    srcStride: number,
    dstStride: number,
    times: number,
    event: Event | undefined,
  ): void {
    this.log.push(["dmaCopy", width, srcStride, dstStride, times, event?.id]);
    for (let t = 0; t < times; t++)
      for (let i = 0; i < width; i++) this.write(dst, t * dstStride + i, this.read(src, t * srcStride + i));
  }
  dmaBox(dst: Ptr, src: Ptr, t: Transfer, event: Event | undefined): void {
    this.log.push(["dmaBox", t, event?.id]);
    const walk = (d: number, s: number, dim: number): void => {
      if (dim === t.counts.length) this.write(dst, d, this.read(src, s));
      for (let i = 0; i < (t.counts[dim] ?? 0); i++)
        walk(d + i * (t.dstStrides[dim] as number), s + i * (t.srcStrides[dim] as number), dim + 1);
    };
    if (t.padding === undefined) walk(0, 0, 0);
  }
  dmaGather(dst: Ptr, src: Ptr, index: Ptr, count: number, g: Gather, event: Event | undefined): void {
    this.log.push(["dmaGather", count, g, event?.id]);
    for (let r = 0; r < count; r++) {
      const row = this.read(index, r) * g.srcStride;
      for (let i = 0; i < g.width; i++) this.write(dst, r * g.dstStride + i, this.read(src, row + i));
    }
  }
  touch(p: Ptr, count: number): void {
    for (let i = 0; i < count; i++) this.place(p, i);
  }
  perf(kind: string, id: number): void {
    this.log.push([kind, id]);
  }
  dmaMemset(dst: Ptr, value: number, count: number, event: Event | undefined): void {
    this.log.push(["dmaMemset", value, count, event?.id]);
    for (let i = 0; i < count; i++) this.write(dst, i, storeRule(dst.dtype.name)(value));
  }
  command(c: Command, _at: (operand: string) => Ptr, event: Event): void {
    this.log.push(["command", c.touches.map((t) => t.operand), event.id]);
  }
  allocEvents(count: number): Event[] {
    return Array.from({ length: count }, (_, i) => new Event(i));
  }
  waitEvents(events: readonly Event[]): unknown {
    return ["wait", ...events.map((e) => e.id)];
  }
  freeEvents(events: readonly Event[]): void {
    this.log.push(["free", ...events.map((e) => e.id)]);
  }
  print(format: string, values: readonly PrintValue[]): void {
    this.log.push(["print", format, ...values]);
  }
  assert(condition: boolean, message: string): void {
    if (!condition) fail("KPU6007", message);
  }
  private place(p: Ptr, i: number): [Memory, number] {
    const memory = p.memory as Memory;
    const at = p.byteOffset / p.dtype.bytes + i;
    if (at < 0 || at >= memory.cells.length) fail("KPU4001", `element ${at} of ${memory.cells.length}`);
    return [memory, at];
  }
  private read(p: Ptr, i: number): number {
    const [memory, at] = this.place(p, i);
    return memory.cells[at] ?? fail("KPU4002", `element ${at}`);
  }
  private write(p: Ptr, i: number, value: number): void {
    const [memory, at] = this.place(p, i);
    memory.cells[at] = value;
  }
}

/** Runs `body` as if inside a kernel. */
export function inKernel<T>(body: (sim: FakeSimulation) => T): T {
  const sim = new FakeSimulation();
  const before = enter({ kind: "simulate", sim });
  try {
    return body(sim);
  } finally {
    enter(before);
  }
}

let ids = 0;
/** A runtime value of a type: what a kernel parameter is during lowering. */
export function param(type: Type, name = "p"): Expr & { kind: "ref" } {
  const local: Local = { id: ids++, name, type, mutable: false };
  return { kind: "ref", type, local, at: 0 };
}

export interface Emitted {
  readonly op: OpName;
  readonly args: readonly Expr[];
  readonly attrs: Attrs;
}

/** Emits nothing but checks every op against the op table. */
export class FakeLowering implements LowerContext {
  readonly target: Target = TARGETS.edge;
  readonly effects: Emitted[] = [];
  readonly tables: { dtype: DTypeName; values: readonly number[] }[] = [];
  readonly texts: string[] = [];
  underRuntimeLoop = false;
  op(name: OpName, args: readonly Expr[], attrs: Attrs = {}): Expr {
    const spec = OPS[name];
    if (spec.arity !== "any" && spec.arity !== args.length)
      throw new TypeError(`${name} takes ${spec.arity} operands, got ${args.length}`);
    const known = (spec.attrs ?? []).map((a) => a.replace("?", ""));
    for (const key of Object.keys(attrs))
      if (!known.includes(key)) throw new TypeError(`${name} has no attribute ${key}`);
    for (const a of spec.attrs ?? [])
      if (!a.endsWith("?") && !(a in attrs)) throw new TypeError(`${name} needs attribute ${a}`);
    const type = spec.rule(
      args.map((a) => a.type),
      attrs,
    );
    if (typeof type === "string") throw new TypeError(`${name}: ${type}`);
    if (spec.effect !== "pure" && spec.effect !== "trap") {
      this.effects.push({ op: name, args, attrs });
      return type.kind === "void" ? { kind: "apply", type, op: name, args, attrs, at: 0 } : param(type, name);
    }
    return { kind: "apply", type, op: name, args, attrs, at: 0 };
  }
  expr(value: Expr | number | boolean): Expr {
    if (typeof value === "number") return { kind: "const", type: scalar("num"), value, at: 0 };
    if (typeof value === "boolean") return { kind: "const", type: scalar("bool"), value, at: 0 };
    return value;
  }
  bind(value: Expr): Expr {
    return value;
  }
  refuse(
    code: Parameters<LowerContext["refuse"]>[0],
    message: string,
    o?: { help?: string; argument?: number },
  ): never {
    return fail(code, message, { help: o?.help, data: { argument: o?.argument } });
  }
  table(dtype: DTypeName, values: readonly number[]): number {
    return this.tables.push({ dtype, values }) - 1;
  }
  text(s: string): number {
    return this.texts.push(s) - 1;
  }
  static<T>(value: unknown, what: string, is: (v: unknown) => v is T): T {
    return is(value) ? value : fail("KPU2007", `${what} must be static`);
  }
}

export type RuntimeValue = number | boolean | { readonly lanes: readonly number[] };

/** What a KIR expression gives, lane by lane through `laneFn`: independent of `dsl/ops.ts`. */
export function evaluate(e: Expr, env: ReadonlyMap<Local, RuntimeValue>): RuntimeValue {
  if (e.kind === "const") return e.value;
  if (e.kind === "ref") {
    const v = env.get(e.local);
    if (v === undefined) throw new TypeError(`no value for ${e.local.name}`);
    return v;
  }
  const args = e.args.map((a) => evaluate(a, env));
  const lanesOf = (i: number): readonly number[] => (args[i] as { lanes: readonly number[] }).lanes;
  const num = (i: number): number => Number(args[i]);
  const t0 = e.args[0]?.type;
  const d: DTypeName | undefined = t0?.kind === "vec" ? t0.dtype : t0?.kind === "mask" ? "bool" : undefined;
  const { attrs } = e;
  switch (e.op) {
    case "vconst":
      return { lanes: attrs["values"] as number[] };
    case "splat": {
      const to = attrs["dtype"] as DTypeName;
      const v = to === "bool" ? num(0) : isFloat(to) ? roundTo(to)(num(0)) : num(0) + 0;
      return { lanes: new Array<number>(attrs["lanes"] as number).fill(v) };
    }
    case "sel":
      return { lanes: lanesOf(0).map((m, i) => (m ? lanesOf(1)[i] : lanesOf(2)[i]) as number) };
    case "cast": {
      const o = { saturate: attrs["saturate"] === true, wrap: attrs["wrap"] === true };
      return { lanes: lanesOf(0).map(castRule(d as DTypeName, attrs["dtype"] as DTypeName, o)) };
    }
    case "shuffle": {
      const all = args.flatMap((_a, i) => lanesOf(i));
      return { lanes: (attrs["lanes"] as number[]).map((l) => (l < 0 ? 0 : (all[l] as number))) };
    }
    case "radd":
    case "rmin":
    case "rmax":
      return reduce(e.op, d as DTypeName, lanesOf(0));
    case "rmin_idx":
    case "rmax_idx":
      return reduceIndex(e.op, d as DTypeName, lanesOf(0), lanesOf(1));
    case "any":
      return lanesOf(0).includes(1);
    case "all":
      return !lanesOf(0).includes(0);
    case "tail_mask":
      return { lanes: Array.from({ length: attrs["lanes"] as number }, (_, i) => (i < num(0) ? 1 : 0)) };
    case "dot": {
      const to = t0?.kind === "vec" ? t0.dtype : "f32";
      const group = lanesOf(1).length / lanesOf(0).length;
      const sum = (acc: number, i: number): number =>
        Array.from({ length: group }, (_, k) => i * group + k).reduce(
          (s, k) => s + (lanesOf(1)[k] as number) * (lanesOf(2)[k] as number),
          acc,
        );
      return { lanes: lanesOf(0).map((acc, i) => convertRule(to)(sum(acc, i))) };
    }
    case "extract":
      return d === "bool" ? lanesOf(0)[num(1)] === 1 : (lanesOf(0)[num(1)] as number);
    case "cast_scalar":
      return attrs["to"] === "bool" ? num(0) !== 0 : num(0);
    case "convert": {
      const to = attrs["dtype"] as DTypeName;
      const v = convertRule(to, attrs["wrap"] === true)(num(0));
      return to === "bool" ? v !== 0 : v;
    }
    case "truthy":
      return Boolean(args[0]);
    default: {
      if (d !== undefined) {
        const f = laneFn(e.op as AluOp, d, attrs);
        return {
          lanes: lanesOf(0).map((x, i) =>
            f(
              x,
              args.length > 1 ? (lanesOf(1)[i] as number) : 0,
              args.length > 2 ? (lanesOf(2)[i] as number) : 0,
            ),
          ),
        };
      }
      const s = t0?.kind === "scalar" && t0.name !== "num" ? t0.name : "f64";
      const type =
        e.op === "ceildiv" || e.op === "floordiv" ? "i64" : (s as "i32" | "i64" | "f32" | "f64" | "bool");
      return scalarFn(e.op, type, attrs)(...args.map(Number));
    }
  }
}

/** What direct execution gave, in the evaluator's form. */
export function plain(v: unknown): RuntimeValue {
  if (v instanceof Vec || v instanceof Mask) return { lanes: v.data };
  return v as number | boolean;
}

export { dtypeOf, mask, ptrType, vec };
