/**
 * Random well-formed KIR, for property tests. Every generated kernel verifies, and runs to its end without an error on
 * arguments of `argumentsFor`: integers stay in the range of their type (each integer expression carries its range),
 * indices are within the buffers, loops are counted.
 *
 * All choices come from one list of numbers, so that a failing kernel shrinks to a small one.
 */
import fc from "fast-check";
import { convertRule } from "../../ir/convert.ts";
import { dotGroup } from "../../ir/dot.ts";
import {
  DTYPES,
  type DTypeName,
  FLOATS,
  INTS,
  type IntDType,
  isFloat,
  isInt,
  NUMERIC,
  oppositeSign,
} from "../../ir/dtype.ts";
import { hostArray } from "../../ir/elements.ts";
import {
  type Attrs,
  type Expr,
  type Kernel,
  type Level,
  type Local,
  mask,
  type Param,
  ptrType,
  type ScalarName,
  type Stmt,
  sameType,
  scalar,
  scalarOf,
  type Type,
  vec,
} from "../../ir/kir.ts";
import { MATH } from "../../ir/math.ts";
import { OPS, type OpName } from "../../ir/ops.ts";

const UNARY_MATH = Object.values(MATH).flatMap((p) => (p.operands === 1 ? [p.name as OpName] : []));
/** Dtypes of random kernels. Storage dtypes have programs of their own: tests/codegen/vectors.test.ts, tests/kernels/storage.test.ts. */
const DRAWN = [...NUMERIC, "bool"] as const;

export interface KernelChoices {
  readonly level?: Level;
  readonly registerBits?: number;
  /** Barriers, prints and events as well. Default: true. */
  readonly effects?: boolean;
  /** Scalar math functions and math functions of vectors. Default: true. */
  readonly math?: boolean;
}

/** A random kernel. Example: `fc.property(arbitraryKernel({ level: "virtual" }), (k) => ...)`. */
export function arbitraryKernel(o: KernelChoices = {}): fc.Arbitrary<Kernel> {
  const list = fc.array(fc.nat({ max: 0xffffff }), { minLength: 60, maxLength: 1500, size: "max" });
  return list.map((choices) => new Generator(choices, o).kernel());
}

/** Host arguments for a generated kernel, the same for the same seed. */
export function argumentsFor(k: Kernel, seed: number): unknown[] {
  let state = seed >>> 0;
  const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return k.params.map((p) => {
    const value = (): number => EDGES[Math.floor(next() * 2 * EDGES.length)] ?? (next() - 0.5) * 300;
    if (p.pointer) return hostArray(p.dtype, Array.from({ length: ELEMENTS }, value));
    if (p.dtype === "bool") return next() < 0.5;
    return convertRule(p.dtype)(value()) + (isInt(p.dtype) ? 0 : 0);
  });
}

/** Elements of every buffer a generated kernel sees. */
export const ELEMENTS = 64;
const EDGES = [
  0,
  -0,
  1,
  -1,
  0.5,
  -2.5,
  127,
  128,
  255,
  256,
  32767,
  65535,
  65536,
  2147483647,
  -2147483648,
  1e-7,
  1e10,
  65504,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];

interface Ranged {
  readonly e: Expr;
  /** Bounds of an integer scalar; not used for other types. */
  readonly lo: number;
  readonly hi: number;
}
const I32 = { lo: -(2 ** 31), hi: 2 ** 31 - 1 };
/** i64 values are kept small enough for one product. */
const I64 = { lo: -(2 ** 50), hi: 2 ** 50 };
const ANY = { lo: 0, hi: 0 };

class Generator {
  private readonly choices: readonly number[];
  private readonly o: KernelChoices;
  private readonly level: Level;
  private position = 0;
  private ids = 0;
  private readonly params = new Set<string>();
  private labels = 0;
  private offset = 0;
  private readonly visible: { local: Local; lo: number; hi: number }[] = [];
  private readonly texts: string[] = [];
  private readonly tables: Kernel["tables"][number][] = [];
  private readonly jumps: { label: string; loop: boolean }[] = [];
  /** Inside a loop or a condition nothing is allocated and no barrier stands. */
  private nested = 0;

  constructor(choices: readonly number[], o: KernelChoices) {
    this.choices = choices;
    this.o = o;
    this.level = o.level ?? "virtual";
  }

  // -------------------------------------------------------------------------------------------- choices

  private get spent(): boolean {
    return this.position >= this.choices.length;
  }
  /** 0 .. n - 1; 0 when the choices are spent. */
  private below(n: number): number {
    return (this.choices[this.position++] ?? 0) % n;
  }
  private pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
  private chance(percent: number): boolean {
    return this.below(100) >= 100 - percent;
  }

  // -------------------------------------------------------------------------------------------- the kernel

  kernel(): Kernel {
    const params: Param[] = [];
    const count = 2 + this.below(4);
    for (let i = 0; i < count; i++) params.push(this.param(i));
    const body = this.stmts(1 + this.below(12), 3);
    const location = {
      file: "a.ts",
      line: 1,
      column: 2,
      endLine: 1,
      endColumn: 9,
      inlinedAt: { file: 'b "c".ts', line: 3, column: 4 },
    };
    return {
      name: this.pick(["k", "kernel", "for", "naïve", "two words", "$"]),
      level: this.level,
      params,
      body,
      locations: [undefined, location, { file: "a.ts", line: 5, column: 6 }],
      tables: this.tables,
      texts: this.texts,
      ...(this.level === "machine" ? { registerBits: this.registerBits } : {}),
    };
  }
  private get registerBits(): number {
    return this.o.registerBits ?? 256;
  }

  private param(i: number): Param {
    const dtype = this.pick(DRAWN);
    const pointer = i === 0 || this.chance(60);
    const type = pointer ? ptrType(dtype, "global", this.chance(20) && i > 0) : scalar(scalarOf(dtype));
    const range = isInt(dtype) ? { lo: DTYPES[dtype].min, hi: DTYPES[dtype].max } : ANY;
    // The arguments are arrays of their own.
    const noalias = pointer && this.chance(20) ? { noalias: true } : {};
    return { local: this.local(this.ownName(), type, false, range), dtype, pointer, ...noalias };
  }

  /** A name that no parameter has. */
  private ownName(): string {
    let name = this.name();
    while (this.params.has(name)) name += "'";
    this.params.add(name);
    return name;
  }

  private name(): string {
    return this.pick([
      "x",
      "y",
      "i",
      "n",
      "acc",
      "let",
      "if",
      "x.1",
      "größe",
      "a b",
      "%",
      "__proto__",
      "f32x8",
    ]);
  }
  private local(name: string, type: Type, mutable: boolean, range: { lo: number; hi: number }): Local {
    const local: Local = { id: this.ids++, name, type, mutable };
    this.visible.push({ local, ...range });
    return local;
  }
  private get at(): number {
    return this.below(5) === 4 ? 1 + this.below(2) : 0;
  }

  // -------------------------------------------------------------------------------------------- statements

  private stmts(count: number, depth: number): Stmt[] {
    const scope = this.visible.length;
    const list: Stmt[] = [];
    for (let i = 0; i < count && !this.spent; i++) list.push(...this.stmt(depth));
    this.visible.length = scope;
    return list;
  }

  private stmt(depth: number): Stmt[] {
    const { at } = this;
    const choice = this.below(depth > 0 ? 12 : 7);
    switch (choice) {
      case 0:
      case 1:
      case 2:
        return this.definition(at);
      case 3:
        return this.assignment(at);
      case 4:
      case 5:
        return this.write(at);
      case 6:
        return this.effect(at);
      case 7: {
        const cond = this.bool(2);
        const yes = this.inside(() => this.stmts(1 + this.below(3), depth - 1));
        const no = this.inside(() => this.stmts(this.below(3), depth - 1));
        // biome-ignore lint/suspicious/noThenProperty: `then` is the field of KIR's if
        return [{ kind: "if", cond, then: yes, else: no, at }];
      }
      case 8:
        return [this.forLoop(at, depth)];
      case 9:
        return this.loop(at, depth);
      case 10: {
        const label = this.label();
        const body = this.inside(() =>
          this.within({ label, loop: false }, () => this.stmts(1 + this.below(4), depth - 1)),
        );
        return [{ kind: "block", label, body, at }];
      }
      default:
        return this.jump(at);
    }
  }

  private inside<T>(make: () => T): T {
    this.nested++;
    const made = make();
    this.nested--;
    return made;
  }
  private within<T>(jump: { label: string; loop: boolean }, make: () => T): T {
    this.jumps.push(jump);
    const made = make();
    this.jumps.pop();
    return made;
  }
  private label(): string {
    return `${this.pick(["L", "outer", "for", "my label", "NaN"])}${this.labels++ || ""}`;
  }

  private definition(at: number): Stmt[] {
    if (this.chance(40)) return this.read(at);
    if (this.chance(10)) return this.reinterpreted(at);
    const type = this.valueType();
    const value = this.value(type, 3);
    const mutable = this.chance(30);
    const local = this.local(this.name(), value.e.type, mutable, mutable ? this.full(value.e.type) : value);
    return [{ kind: "let", local, value: value.e, at }];
  }
  /** The same memory as another integer dtype that is not wider. */
  private reinterpreted(at: number): Stmt[] {
    const p = this.pointer((t) => isInt(t.dtype));
    if (p?.type.kind !== "ptr") return [];
    const { bytes } = DTYPES[p.type.dtype];
    const value = this.op("ptr_cast", [p], {
      dtype: this.pick(INTS.filter((d) => DTYPES[d].bytes <= bytes)),
    });
    return [{ kind: "let", local: this.local(this.name(), value.type, false, ANY), value, at }];
  }
  private assignment(at: number): Stmt[] {
    const mutable = this.visible.filter((v) => v.local.mutable);
    if (mutable.length === 0) return this.definition(at);
    const { local } = this.pick(mutable);
    return [{ kind: "assign", local, value: this.value(local.type, 3).e, at }];
  }
  private full(t: Type): { lo: number; hi: number } {
    if (t.kind !== "scalar") return ANY;
    return t.name === "i32" ? I32 : t.name === "i64" ? I64 : ANY;
  }

  private jump(at: number): Stmt[] {
    if (this.jumps.length === 0 || this.nested === 0) return this.definition(at);
    const jump = this.pick(this.jumps);
    const taken: Stmt =
      jump.loop && this.chance(50)
        ? { kind: "continue", label: jump.label, at }
        : { kind: "break", label: jump.label, at };
    const stmt: Stmt = this.chance(10) ? { kind: "return", at } : taken;
    // biome-ignore lint/suspicious/noThenProperty: `then` is the field of KIR's if
    return [{ kind: "if", cond: this.bool(1), then: [stmt], else: [], at }];
  }

  private forLoop(at: number, depth: number): Stmt {
    const label = this.label();
    const type = this.pick(this.indexTypes());
    const step = this.pick([1, 1, 2, 3, -1, -2]);
    const from = this.below(8);
    const to = step > 0 ? from + this.below(6) : from - this.below(6);
    const scope = this.visible.length;
    const range = { lo: Math.min(from, to), hi: Math.max(from, to) };
    const bounds = [this.constant(type, from), this.constant(type, to)] as const;
    const local = this.local(this.name(), type, false, range);
    const body = this.inside(() =>
      this.within({ label, loop: true }, () => this.stmts(1 + this.below(4), depth - 1)),
    );
    this.visible.length = scope;
    return { kind: "for", label, local, from: bounds[0], to: bounds[1], step, body, at };
  }

  /** A loop over a counter that nothing else assigns. */
  private loop(at: number, depth: number): Stmt[] {
    const label = this.label();
    const type = this.pick(this.indexTypes());
    const counter: Local = { id: this.ids++, name: "counter", type, mutable: true };
    const ref: Expr = { kind: "ref", type, local: counter, at };
    const rounds = this.below(4);
    const scope = this.visible.length;
    const test = this.chance(50) ? this.definition(at) : [];
    const cond = this.op("lt", [ref, this.constant(type, rounds)]);
    const testFirst = this.chance(60);
    if (!testFirst) this.visible.length = scope;
    const body = this.inside(() =>
      this.within({ label, loop: true }, () => this.stmts(1 + this.below(3), depth - 1)),
    );
    this.visible.length = scope;
    const increment: Stmt = {
      kind: "assign",
      local: counter,
      value: this.op("add", [ref, this.constant(type, 1)]),
      at,
    };
    return [
      { kind: "let", local: counter, value: this.constant(type, 0), at },
      { kind: "loop", label, testFirst, test, cond, body, update: [increment], at },
    ];
  }

  private effect(at: number): Stmt[] {
    if (this.o.effects === false) return this.write(at);
    switch (this.below(5)) {
      case 0: {
        const args = Array.from({ length: this.below(4) }, () => this.value(this.valueType(), 1).e);
        return [this.effectOf("print", args, at, { text: this.text() })];
      }
      case 1:
        return [
          this.effectOf("assert", [this.op("or", [this.bool(1), this.bool0(true)])], at, {
            text: this.text(),
          }),
        ];
      case 2:
        if (this.nested > 0) return this.write(at);
        return [this.effectOf("barrier", [], at)];
      case 3:
        return this.transfer(at);
      default:
        return this.nested > 0 ? this.transfer(at) : this.allocation(at);
    }
  }
  private effectOf(op: OpName, args: readonly Expr[], at: number, attrs: Attrs = {}): Stmt {
    const value = this.op(op, args, attrs);
    if (value.kind !== "apply") throw new TypeError("an effect is an op");
    return { kind: "effect", value, at };
  }
  private text(): number {
    return this.texts.push(this.pick(["i={}", "", 'say "{}"\n', "\u2028 ü \\"])) - 1;
  }

  private allocation(at: number): Stmt[] {
    if (this.chance(30)) {
      const dtype = this.pick(DRAWN);
      const table =
        this.tables.push({ dtype, values: Array.from({ length: ELEMENTS }, () => this.element(dtype)) }) - 1;
      const value = this.op("alloc_const", [], { dtype, table, ...this.place() });
      return [{ kind: "let", local: this.local("table", value.type, false, ANY), value, at }];
    }
    const attrs = {
      dtype: this.pick(DRAWN),
      scope: this.pick(["local", "l2", "private"]),
      count: ELEMENTS,
    };
    const value = this.op("alloc", [], {
      ...attrs,
      ...(this.chance(50) ? { name: this.name() } : {}),
      ...this.place(),
    });
    return [{ kind: "let", local: this.local(this.name(), value.type, false, ANY), value, at }];
  }
  /** Where a buffer stands at level machine. */
  private place(): Attrs {
    if (this.level !== "machine") return {};
    const { offset } = this;
    this.offset += ELEMENTS * 4;
    return { offset };
  }

  private transfer(at: number): Stmt[] {
    const dst = this.pointer((t) => !t.constant);
    if (dst?.type.kind !== "ptr") return this.definition(at);
    const { dtype, scope } = dst.type;
    const before: Stmt[] = [];
    const n = this.int(8, 1);
    let src = this.pointer((t) => t.dtype === dtype && t.scope !== scope);
    if (src === undefined && this.nested === 0) {
      const value = this.op("alloc", [], {
        dtype,
        scope: scope === "local" ? "l2" : "local",
        count: ELEMENTS,
        ...this.place(),
      });
      const local = this.local("src", value.type, false, ANY);
      before.push({ kind: "let", local, value, at });
      src = { kind: "ref", type: local.type, local, at };
    }
    const { op, args, attrs } =
      src !== undefined && this.chance(80)
        ? this.copy(dst, src, before)
        : { op: "dma_memset" as const, args: [dst, this.value(this.number(), 1).e, n], attrs: {} };
    if (this.chance(50)) return [...before, this.effectOf(op, args, at, attrs)];
    const event = this.op("event_alloc", []);
    const local: Local = { id: this.ids++, name: "e", type: event.type, mutable: false };
    const ref: Expr = { kind: "ref", type: local.type, local, at };
    return [
      ...before,
      { kind: "let", local, value: event, at },
      this.effectOf(`${op}_async`, [...args, ref], at, attrs),
      this.effectOf("event_wait", [ref], at),
      this.effectOf("event_free", [ref], at),
    ];
  }

  /** Rows, a box of up to three dimensions, or rows at indices; within ELEMENTS on both sides. */
  private copy(
    dst: Expr,
    src: Expr,
    before: Stmt[],
  ): { op: "dma_copy" | "dma_nd" | "dma_gather"; args: readonly Expr[]; attrs: Attrs } {
    const t = this.pick(this.indexTypes());
    const number = (x: number): Expr => this.constant(t, x);
    const upTo = (n: number): Expr => this.int(n, 1);
    switch (this.below(4)) {
      case 0:
        return this.box(dst, src);
      case 1:
        if (this.nested > 0) return this.box(dst, src);
        return {
          op: "dma_gather",
          args: [dst, src, this.rows(before), upTo(8), upTo(8), number(this.below(9)), number(8)],
          attrs: {},
        };
      default:
        return { op: "dma_copy", args: [dst, src, upTo(8), this.int(8, 0), number(1), upTo(4)], attrs: {} };
    }
  }
  /** A table of row numbers below 6, defined in `before`. */
  private rows(before: Stmt[]): Expr {
    const dtype = this.pick(["i16", "u16", "i32", "u32"] as const);
    const start = this.below(6);
    const values = Array.from({ length: ELEMENTS }, (_, i) => (start + 5 * i) % 6);
    const table = this.tables.push({ dtype, values }) - 1;
    const value = this.op("alloc_const", [], { dtype, table, ...this.place() });
    const local = this.local("rows", value.type, false, ANY);
    before.push({ kind: "let", local, value, at: 0 });
    return { kind: "ref", type: local.type, local, at: 0 };
  }
  /** Strides of the destination are those of a box without gaps and one element more per row; those of the source are anything. */
  private box(dst: Expr, src: Expr): { op: "dma_nd"; args: readonly Expr[]; attrs: Attrs } {
    const t = this.pick(this.indexTypes());
    const numbers = (list: readonly number[]): Expr[] => list.map((x) => this.constant(t, x));
    const dims = 1 + this.below(3);
    const padded = dims < 3 && this.chance(50);
    const each = (most: number): number[] => Array.from({ length: dims }, () => this.below(most + 1));
    const counts = each(2);
    const before = padded ? each(1) : counts.map(() => 0);
    const after = padded ? each(1) : counts.map(() => 0);
    const strides: number[] = [];
    let span = 1 + this.below(2);
    for (let d = dims - 1; d >= 0; d--) {
      strides.unshift(span);
      span *= Math.max(1, (before[d] as number) + (counts[d] as number) + (after[d] as number));
    }
    const args = [dst, src, ...numbers(counts), ...numbers(each(8)), ...numbers(strides)];
    if (!padded) return { op: "dma_nd", args, attrs: { dims } };
    const value = this.value(this.number(), 1).e;
    return {
      op: "dma_nd",
      args: [...args, ...numbers(before), ...numbers(after), value],
      attrs: { dims, padded },
    };
  }

  /** A visible pointer itself. */
  private pointer(test: (t: Extract<Type, { kind: "ptr" }>) => boolean): Expr | undefined {
    const found = this.visible.filter((v) => v.local.type.kind === "ptr" && test(v.local.type));
    if (found.length === 0) return undefined;
    const { local } = this.pick(found);
    return { kind: "ref", type: local.type, local, at: 0 };
  }
  /** A pointer with at least `room` elements behind it. */
  private address(room: number, test: (t: Extract<Type, { kind: "ptr" }>) => boolean): Expr | undefined {
    const base = this.pointer(test);
    if (base === undefined || this.chance(30)) return base;
    return this.op("ptr_add", [base, this.int(Math.max(1, ELEMENTS - room), 2)]);
  }

  private read(at: number): Stmt[] {
    const lanes = this.lanes("i32");
    const p = this.address(3 * lanes, () => true);
    if (p?.type.kind !== "ptr") return this.definition(at);
    const { dtype } = p.type;
    const t = laneType(dtype, lanes);
    const m = (): Expr => this.value(mask(lanes), 1).e;
    const r = (): Expr => this.value(t, 1).e;
    let value: Expr;
    switch (this.below(5)) {
      case 0:
        value = this.op("get", [p]);
        break;
      case 1:
        value = this.op("load", [p], { lanes });
        break;
      case 2:
        value = this.op("load_masked", [p, m(), r()]);
        break;
      case 3:
        value = this.op("load_strided", [
          p,
          this.constant(this.indexTypes()[0] as Type, 1 + this.below(3)),
          m(),
          r(),
        ]);
        break;
      default:
        value = this.op("gather", [p, this.indices(lanes), m(), r()]);
    }
    const range =
      value.type.kind === "scalar" && isInt(dtype) ? { lo: DTYPES[dtype].min, hi: DTYPES[dtype].max } : ANY;
    return [{ kind: "let", local: this.local(this.name(), value.type, false, range), value, at }];
  }
  private write(at: number): Stmt[] {
    const lanes = this.lanes("i32");
    const p = this.address(3 * lanes, (t) => !t.constant);
    if (p?.type.kind !== "ptr") return this.definition(at);
    const { dtype } = p.type;
    const t = laneType(dtype, lanes);
    const v = (): Expr => this.value(t, 3).e;
    const m = (): Expr => this.value(mask(lanes), 1).e;
    switch (this.below(5)) {
      case 0:
        return [
          this.effectOf("set", [p, this.value(this.chance(20) ? scalar("bool") : this.number(), 3).e], at),
        ];
      case 1:
        return [this.effectOf("store", [p, v()], at)];
      case 2:
        return [this.effectOf("store_masked", [p, v(), m()], at)];
      case 3:
        return [
          this.effectOf(
            "store_strided",
            [p, v(), this.constant(this.indexTypes()[0] as Type, 1 + this.below(3)), m()],
            at,
          ),
        ];
      default:
        return [this.effectOf("scatter", [p, this.indices(lanes), v(), m()], at)];
    }
  }
  /** Lane indices that stay near the pointer. */
  private indices(lanes: number): Expr {
    const dtype = this.pick(["i16", "u16", "i32", "u32"] as const);
    if (this.level === "machine" && lanes * DTYPES[dtype].bits > this.registerBits)
      throw new TypeError("lanes");
    const start = this.below(3 * lanes);
    const step = this.below(2 * lanes);
    const values = Array.from({ length: lanes }, (_, i) => (start + i * step) % (3 * lanes));
    return this.op("vconst", [], { dtype, values });
  }

  // -------------------------------------------------------------------------------------------- types

  private number(): Type {
    return scalar(this.pick<ScalarName>(this.level === "open" ? ["num"] : ["i32", "f64", "f32", "i64"]));
  }
  private indexTypes(): readonly Type[] {
    return this.level === "open" ? [scalar("num")] : [scalar("i32"), scalar("i64")];
  }
  private valueType(): Type {
    switch (this.below(6)) {
      case 0:
        return scalar("bool");
      case 1:
      case 2:
        return this.number();
      case 3:
        return mask(this.lanes("i32"));
      default: {
        const dtype = this.pick(NUMERIC);
        return vec(dtype, this.lanes("i32"));
      }
    }
  }
  /** The most lanes of a vector, whatever its dtype: a cast may make any of it. */
  private get mostLanes(): number {
    return this.level === "machine" ? this.registerBits / 32 : 26;
  }
  /** A number of lanes that every vector of a kernel can have. */
  private lanes(widest: DTypeName): number {
    if (this.level === "machine")
      return Math.max(1, (this.registerBits / DTYPES[widest].bits) >> this.below(3));
    return this.pick([8, 4, 3, 1, 13]);
  }

  // -------------------------------------------------------------------------------------------- expressions

  private op(op: OpName, args: readonly Expr[], attrs: Attrs = {}): Expr {
    const type = OPS[op].rule(
      args.map((a) => a.type),
      attrs,
    );
    if (typeof type === "string") throw new TypeError(`generated ${op}: ${type}`);
    return { kind: "apply", type, op, args, attrs, at: this.at };
  }
  private constant(type: Type, value: number): Expr {
    return { kind: "const", type, value, at: 0 };
  }
  private bool0(value: boolean): Expr {
    return { kind: "const", type: scalar("bool"), value, at: 0 };
  }
  private element(dtype: DTypeName): number {
    const x = this.pick(EDGES) + this.below(3);
    return convertRule(dtype)(this.chance(30) ? -x : x);
  }

  /** A value of this type. Integers are within their type's range, and the range is known. */
  private value(t: Type, depth: number): Ranged {
    const refs = this.visible.filter((v) => sameType(v.local.type, t));
    const leaf = depth <= 0 || this.spent;
    if (refs.length > 0 && this.chance(leaf ? 70 : 30)) {
      const { local, lo, hi } = this.pick(refs);
      return { e: { kind: "ref", type: t, local, at: this.at }, lo, hi };
    }
    switch (t.kind) {
      case "scalar":
        if (t.name === "bool") return { e: leaf ? this.bool0(this.chance(50)) : this.bool(depth), ...ANY };
        if (t.name === "i32" || t.name === "i64")
          return leaf ? this.integer(t, t.name) : this.arithmetic(t, t.name, depth - 1);
        return { e: leaf ? this.float(t) : this.floating(t, depth - 1), ...ANY };
      case "mask":
        return { e: leaf ? this.vconst("bool", t.lanes) : this.masks(t.lanes, depth - 1), ...ANY };
      case "vec":
        return { e: leaf ? this.vconst(t.dtype, t.lanes) : this.vector(t.dtype, t.lanes, depth - 1), ...ANY };
      default:
        throw new TypeError(`no value of type ${t.kind}`);
    }
  }

  private integer(t: Type, name: "i32" | "i64"): Ranged {
    const { lo, hi } = name === "i32" ? I32 : I64;
    const value = this.pick([0, 1, -1, 7, 255, hi, lo]) + 0;
    return { e: this.constant(t, value), lo: value, hi: value };
  }
  private float(t: Type): Expr {
    const x = this.pick(EDGES);
    return this.constant(t, t.kind === "scalar" && t.name === "f32" ? Math.fround(x) : x);
  }
  /** Lanes from one choice, so that wide vectors do not use up the choices. */
  private vconst(dtype: DTypeName, lanes: number): Expr {
    const start = this.below(EDGES.length);
    const step = this.below(7);
    const convert = convertRule(dtype);
    const values = Array.from({ length: lanes }, (_, i) =>
      convert((EDGES[(start + i * step) % EDGES.length] as number) + (i % 3)),
    );
    return this.op("vconst", [], { dtype, values });
  }

  /** An index in 0 .. n - 1, of an index type. */
  private int(n: number, depth: number): Expr {
    const t = this.pick(this.indexTypes());
    const bits = 2 ** Math.floor(Math.log2(n)) - 1;
    if (this.level === "open") {
      const x = this.value(scalar("num"), depth).e;
      return this.op("and", [x, this.constant(t, bits)]);
    }
    const x = this.op("and", [this.value(scalar("i32"), depth).e, this.constant(scalar("i32"), bits)]);
    return sameType(t, x.type) ? x : this.op("cast_scalar", [x], { to: "i64" });
  }

  private bool(depth: number): Expr {
    const b = (): Expr => this.value(scalar("bool"), depth - 1).e;
    switch (depth <= 0 ? 0 : this.below(7)) {
      case 0:
      case 1: {
        const t = this.number();
        const compare = this.pick(["eq", "ne", "lt", "le", "gt", "ge"] as const);
        return this.op(compare, [this.value(t, depth - 1).e, this.value(t, depth - 1).e]);
      }
      case 2:
        return this.op(this.pick(["and", "or", "xor", "eq", "ne"] as const), [b(), b()]);
      case 3:
        return this.op("not", [b()]);
      case 4:
        return this.op("truthy", [this.value(this.number(), depth - 1).e]);
      case 5: {
        const p = this.address(ELEMENTS / 2, () => true);
        const q = this.address(ELEMENTS / 2, () => true);
        if (p === undefined || q === undefined) return this.bool0(true);
        return this.chance(30) ? this.op("ptr_null", [p]) : this.op("ptr_eq", [p, q]);
      }
      default: {
        const m = this.value(mask(this.lanes("i32")), depth - 1).e;
        return this.chance(50)
          ? this.op(this.pick(["any", "all"] as const), [m])
          : this.op("extract", [m, this.constant(this.pick(this.indexTypes()), 0)]);
      }
    }
  }

  /** An integer op whose exact result the type can hold; otherwise its first operand. */
  private arithmetic(t: Type, name: "i32" | "i64", depth: number): Ranged {
    const limit = name === "i32" ? I32 : I64;
    const value = (): Ranged => this.value(t, depth);
    const made = (op: OpName, args: readonly Ranged[], lo: number, hi: number, attrs: Attrs = {}): Ranged => {
      if (!(lo >= limit.lo && hi <= limit.hi)) return args[0] as Ranged;
      return {
        e: this.op(
          op,
          args.map((a) => a.e),
          attrs,
        ),
        lo,
        hi,
      };
    };
    const x = value();
    switch (this.below(18)) {
      case 0: {
        const y = value();
        return made("add", [x, y], x.lo + y.lo, x.hi + y.hi);
      }
      case 1: {
        const y = value();
        return made("sub", [x, y], x.lo - y.hi, x.hi - y.lo);
      }
      case 2: {
        const y = value();
        const corners = [x.lo * y.lo, x.lo * y.hi, x.hi * y.lo, x.hi * y.hi];
        return made("mul", [x, y], Math.min(...corners) + 0, Math.max(...corners) + 0);
      }
      case 3:
        return made("neg", [x], 0 - x.hi, 0 - x.lo);
      case 4:
        return made("abs", [x], 0, Math.max(Math.abs(x.lo), Math.abs(x.hi)));
      case 5: {
        const y = value();
        const op = this.pick(["min", "max"] as const);
        return made(op, [x, y], Math[op](x.lo, y.lo), Math[op](x.hi, y.hi));
      }
      case 6: {
        const y = this.value(t, 0);
        const op = this.pick(["ceildiv", "floordiv"] as const);
        const bound = Math.max(Math.abs(x.lo), Math.abs(x.hi));
        if (y.lo <= 0 && y.hi >= 0) return x;
        return made(op, [x, y], -bound - 1, bound + 1);
      }
      case 7: {
        const n = 1 + this.below(9);
        return x.lo < 0 ? x : made("mod", [x, { e: this.constant(t, n), lo: n, hi: n }], 0, n - 1);
      }
      case 8:
        return made("sign", [x], -1, 1);
      case 9:
        return made("select", [{ e: this.bool(depth), ...ANY }, x, value()], limit.lo, limit.hi);
      case 10:
        return name === "i64"
          ? made("cast_scalar", [this.value(scalar("i32"), depth)], I32.lo, I32.hi, { to: "i64" })
          : made("to_int32", [{ e: this.value(this.number(), depth).e, ...ANY }], I32.lo, I32.hi);
      case 11: {
        const dtypes = name === "i64" ? (["u32"] as const) : (["i8", "u8", "i16", "u16", "i32"] as const);
        const dtype = this.pick<IntDType>(dtypes);
        const { min, max } = DTYPES[dtype];
        return made("convert", [{ e: this.value(this.number(), depth).e, ...ANY }], min, max, {
          dtype,
          ...(this.chance(50) ? { wrap: true } : {}),
        });
      }
      case 12: {
        const dtype = this.pick(name === "i64" ? (["u32"] as const) : (["i8", "u16", "i32"] as const));
        const v = this.value(vec(dtype, this.lanes("i32")), depth).e;
        const { min, max } = DTYPES[dtype];
        if (this.chance(30))
          return made(
            "extract",
            [
              { e: v, ...ANY },
              { e: this.constant(this.pick(this.indexTypes()), 0), ...ANY },
            ],
            min,
            max,
          );
        return made(this.pick(["radd", "rmin", "rmax"] as const), [{ e: v, ...ANY }], min, max);
      }
      case 13: {
        if (name === "i64")
          return made("to_uint32", [{ e: this.value(this.number(), depth).e, ...ANY }], 0, 2 ** 32 - 1);
        const lanes = this.lanes("i32");
        const v = this.value(vec(this.pick(NUMERIC), lanes), depth);
        return made(
          this.pick(["rmin_idx", "rmax_idx"] as const),
          [v, this.value(mask(lanes), depth)],
          -1,
          lanes - 1,
        );
      }
      case 14:
        if (name === "i64") {
          const p = this.pointer(() => true);
          if (p === undefined) return x;
          return made(
            "ptr_diff",
            [
              { e: this.op("ptr_add", [p, this.int(32, 1)]), ...ANY },
              { e: p, ...ANY },
            ],
            0,
            31,
          );
        }
        return made(
          this.pick(["imul", "js_shl", "js_shr", "and", "or", "xor"] as const),
          [x, value()],
          I32.lo,
          I32.hi,
        );
      case 15:
        if (name === "i64") return x;
        return this.chance(50) ? made("not", [x], I32.lo, I32.hi) : made("clz32", [x], 0, 32);
      case 16:
        if (name === "i64") return x;
        return this.o.effects === false || this.chance(50)
          ? made("tile_count", [], 1, 1024)
          : made("tile_id", [], 0, 1023);
      default:
        return name === "i32"
          ? made("cast_scalar", [{ e: this.bool(depth), ...ANY }], 0, 1, { to: "i32" })
          : x;
    }
  }

  /** num, f32, f64: every op is defined for every value. */
  private floating(t: Type, depth: number): Expr {
    const name = t.kind === "scalar" ? t.name : "f64";
    const value = (): Expr => this.value(t, depth).e;
    switch (this.below(10)) {
      case 0:
        return this.op(this.pick(["add", "sub", "mul", "div"] as const), [value(), value()]);
      case 1:
        return this.op(this.pick(["mod", "min", "max"] as const), [value(), value()]);
      case 2:
        return this.op(
          this.pick(["neg", "abs", "floor", "ceil", "trunc", "round_away", "sqrt", "round", "sign"] as const),
          [value()],
        );
      case 3:
        if (name === "f64" || this.o.math === false) return this.op("neg", [value()]);
        return this.math([...UNARY_MATH, "rsqrt", "recip", "pow"], value);
      case 4:
        return this.op("select", [this.bool(depth), value(), value()]);
      case 5: {
        if (name === "num") return this.op("convert", [value()], { dtype: this.pick(NUMERIC) });
        if (name === "f32")
          return this.op("convert", [this.value(this.number(), depth).e], { dtype: this.pick(FLOATS) });
        return this.op(
          "cast_scalar",
          [this.value(scalar(this.pick(["i32", "i64", "f32", "bool"] as const)), depth).e],
          { to: "f64" },
        );
      }
      case 6: {
        if (name === "num") return this.op("cast_scalar", [this.bool(depth)], { to: "num" });
        if (name === "f64") return value();
        const v = this.value(vec(this.pick(FLOATS), this.lanes("i32")), depth).e;
        return this.op(this.pick(["radd", "rmin", "rmax"] as const), [v]);
      }
      case 7:
        if (name !== "num") return this.op("rint", [value()]);
        return this.op(this.pick(["and", "or", "xor", "js_shl", "js_shr", "imul"] as const), [
          value(),
          value(),
        ]);
      case 8:
        return name === "num"
          ? this.op(this.pick(["to_int32", "to_uint32", "clz32", "not"] as const), [value()])
          : value();
      default:
        return value();
    }
  }

  /** A function of floats; `pow` has two operands. */
  private math(names: readonly OpName[], value: () => Expr): Expr {
    const op = this.pick(names);
    return this.op(op, op === "pow" ? [value(), value()] : [value()]);
  }

  private masks(lanes: number, depth: number): Expr {
    const m = (): Expr => this.value(mask(lanes), depth).e;
    switch (this.below(7)) {
      case 0:
      case 1: {
        const t = vec(this.pick(NUMERIC), lanes);
        return this.op(this.pick(["eq", "ne", "lt", "le", "gt", "ge"] as const), [
          this.value(t, depth).e,
          this.value(t, depth).e,
        ]);
      }
      case 2:
        return this.op(this.pick(["and", "or", "xor"] as const), [m(), m()]);
      case 3:
        return this.op("not", [m()]);
      case 4:
        return this.op("tail_mask", [this.value(this.number(), depth).e], { lanes });
      case 5:
        return this.op("splat", [this.bool(depth)], { dtype: "bool", lanes });
      default:
        return this.chance(50) ? this.op("sel", [m(), m(), m()]) : this.shuffled(m(), m(), lanes);
    }
  }

  private vector(dtype: DTypeName, lanes: number, depth: number): Expr {
    const t = vec(dtype, lanes);
    const v = (): Expr => this.value(t, depth).e;
    const flag = (name: string): Attrs => (this.chance(30) ? { [name]: true } : {});
    switch (this.below(10)) {
      case 0:
      case 1: {
        const op = this.pick(["add", "sub", "mul"] as const);
        if (!isInt(dtype)) return this.op(op, [v(), v()]);
        const source = this.chance(20) ? vec(oppositeSign(dtype), lanes) : t;
        const out: Attrs = sameType(source, t) && this.chance(80) ? {} : { out: dtype };
        return this.op(op, [this.value(source, depth).e, this.value(source, depth).e], {
          ...flag("saturate"),
          ...out,
        });
      }
      case 2:
        return this.op(this.pick(["div", "mod", "min", "max", "minimum", "maximum"] as const), [v(), v()]);
      case 3:
        return this.chance(60)
          ? this.op(this.pick(["neg", "sign"] as const), [v()])
          : this.op("abs", [v()], isInt(dtype) ? flag("saturate") : {});
      case 4:
        if (isFloat(dtype)) return this.op("fma", [v(), v(), v()]);
        return this.op(this.pick(["and", "or", "xor", "rotl", "rotr", "mulhi"] as const), [v(), v()]);
      case 5:
        if (isFloat(dtype))
          return this.op(
            this.pick(["floor", "ceil", "trunc", "rint", "round_away", "sqrt", "recip"] as const),
            [v()],
          );
        return this.chance(50)
          ? this.op("shl", [v(), v()], flag("saturate"))
          : this.op("shr", [v(), v()], flag("round"));
      case 6:
        if (isFloat(dtype) && this.o.math !== false) return this.math([...UNARY_MATH, "rsqrt", "pow"], v);
        if (isFloat(dtype)) return v();
        return this.op(this.pick(["not", "clz", "cls", "ctz", "popcnt", "brev"] as const), [v()]);
      case 7:
        return this.op("sel", [this.value(mask(lanes), depth).e, v(), v()]);
      case 8: {
        const from = this.pick(NUMERIC);
        const attrs = isInt(dtype) ? (isInt(from) ? flag("saturate") : flag("wrap")) : {};
        return this.op("cast", [this.value(vec(from, lanes), depth).e], { dtype, ...attrs });
      }
      default: {
        if (this.chance(40)) return this.shuffled(v(), v(), lanes);
        if (this.chance(50)) return this.packed(dtype, lanes, depth);
        if (isFloat(dtype)) return this.op("splat", [this.value(this.number(), depth).e], { dtype, lanes });
        const value = this.constant(
          this.level === "open" ? scalar("num") : scalar("i64"),
          convertRule(dtype)(this.pick(EDGES)),
        );
        return this.op("splat", [value], { dtype, lanes });
      }
    }
  }
  /** Lanes moved by run-time values, or read as another dtype. */
  private packed(dtype: DTypeName, lanes: number, depth: number): Expr {
    const v = (d = dtype, n = lanes): Expr => this.value(vec(d, n), depth).e;
    const { bits } = DTYPES[dtype];
    switch (this.below(5)) {
      case 0:
        return this.op(this.pick(["compress", "expand"] as const), [v(), this.value(mask(lanes), depth).e]);
      case 1: {
        const index = this.pick(INTS.filter((d) => DTYPES[d].bits === bits));
        // Most indices of random lanes name nothing.
        const few = this.op("popcnt", [v(index)]);
        return this.op("table", [this.chance(70) ? few : v(index), v()]);
      }
      case 2: {
        const at = this.constant(scalar(this.level === "open" ? "num" : "i32"), this.below(lanes + 1));
        return this.op("slide", [v(), v(), at]);
      }
      case 3: {
        const group = this.pick([2, 4]);
        const n = group * lanes;
        const acc = vec(dtype, lanes);
        const narrow = NUMERIC.filter((d) => dotGroup(acc, vec(d, n), vec(d, n)) === group);
        if (narrow.length === 0 || n > this.mostLanes) return this.op("neg", [v()]);
        return this.op("dot", [v(), v(this.pick(narrow), n), v(this.pick(narrow), n)]);
      }
      default: {
        const of = (d: DTypeName): number => (lanes * bits) / DTYPES[d].bits;
        const from = this.pick(
          NUMERIC.filter((d) => Number.isInteger(of(d)) && of(d) <= Math.max(lanes, this.mostLanes)),
        );
        return this.op("bitcast", [v(from, of(from))], { dtype });
      }
    }
  }

  private shuffled(x: Expr, y: Expr, lanes: number): Expr {
    const args = this.chance(50) ? [x, y] : [x];
    const start = this.below(lanes);
    const step = this.below(5);
    const all = lanes * args.length + 1;
    return this.op("shuffle", args, {
      lanes: Array.from({ length: lanes }, (_, i) => ((start + i * step) % all) - 1),
    });
  }
}

function laneType(dtype: DTypeName, lanes: number): Type {
  return dtype === "bool" ? mask(lanes) : vec(dtype, lanes);
}
