/**
 * Level open to level virtual: every number gets the smallest representation that is proven exact.
 *
 *     %n: i32, %i: num              %n: i32, %i: i32
 *     add.num %i, 1          ->     add.i32 %i, 1
 *     div.num %i, 2          ->     div.f64 (cast_scalar.f64 %i), 2
 */
import type { Diagnostic, Location } from "../../ir/diagnostic.ts";
import { diagnostic } from "../../ir/diagnostic.ts";
import { DTYPES, type DTypeName, hasIntegers } from "../../ir/dtype.ts";
import {
  type Apply,
  type Attrs,
  type Expr,
  type Kernel,
  type Local,
  type ScalarName,
  type Stmt,
  scalar,
  scalarOf,
  typeText,
} from "../../ir/kir.ts";
import { isMathName } from "../../ir/math.ts";
import { paddingOperand } from "../../ir/operands.ts";
import { OPS, type OpName } from "../../ir/ops.ts";
import { isPathOp, pathOperands } from "../../ir/path/operands.ts";
import { isNumber, type Ranges } from "./analyse.ts";
import { operandDemands, signedZeros } from "./demand.ts";
import { fitsF32, isIntType, type Num, nameOf, typeOf } from "./kinds.ts";
import { index, lane, safeInteger, splat, stored, type Typing } from "./operands.ts";
import { held, isExactInt, type Range, ZERO } from "./range.ts";

/** Counters of S.range and S.grid: their bounds must be integers. */
export interface RangeBounds {
  readonly local: Local;
  readonly from: Expr;
  readonly to: Expr;
  readonly site: number;
}

export interface Retyped {
  readonly kernel: Kernel;
  readonly diagnostics: Diagnostic[];
}

export function retype(
  k: Kernel,
  ranges: Ranges,
  bounds: readonly RangeBounds[],
  locationOf: (site: number) => Location | undefined,
): Retyped {
  const r = new Retype(k, ranges, bounds, locationOf);
  const body = r.list(k.body);
  const params = k.params.map((p) => ({ ...p, local: r.local(p.local) }));
  return { kernel: { ...k, level: "virtual", params, body, texts: r.texts }, diagnostics: r.diagnostics };
}

const COMPARE = new Set(["eq", "ne", "lt", "le", "gt", "ge"]);
/** f(f32, f32) rounded to f32 is the f32 operation, because f64 has more than twice its digits. */
const ROUNDED_ONCE = new Set(["add", "sub", "mul", "div", "sqrt"]);

class Retype implements Typing {
  readonly diagnostics: Diagnostic[] = [];
  readonly texts: string[];
  private readonly ranges: Ranges;
  private readonly signed: Set<Local>;
  private readonly locals = new Map<Local, Local>();
  private readonly bounds: Map<Local, RangeBounds>;
  private readonly locationOf: (site: number) => Location | undefined;
  private out: Stmt[] = [];
  at = 0;
  private ids: number;

  constructor(
    k: Kernel,
    ranges: Ranges,
    bounds: readonly RangeBounds[],
    locationOf: (site: number) => Location | undefined,
  ) {
    this.ranges = ranges;
    this.texts = [...k.texts];
    this.signed = signedZeros(k.body, ranges);
    this.bounds = new Map(bounds.map((b) => [b.local, b]));
    this.locationOf = locationOf;
    this.ids = 1_000_000;
  }

  // ------------------------------------------------------------------------------------------ statements

  emit(s: Stmt): void {
    this.out.push(s);
  }

  list(stmts: readonly Stmt[]): Stmt[] {
    const outer = this.out;
    const inner: Stmt[] = [];
    this.out = inner;
    for (const s of stmts) {
      if (!this.ranges.reached(s)) continue;
      this.at = s.at;
      this.stmt(s);
    }
    this.out = outer;
    return inner;
  }

  private stmt(s: Stmt): void {
    switch (s.kind) {
      case "let":
      case "assign": {
        const local = this.local(s.local);
        this.out.push({
          kind: s.kind,
          local,
          value: this.toType(s.value, local, this.signed.has(s.local)),
          at: s.at,
        });
        return;
      }
      case "effect":
        this.out.push({ kind: "effect", value: this.expr(s.value, true) as Apply, at: s.at });
        return;
      case "if": {
        const cond = this.expr(s.cond, false);
        // biome-ignore lint/suspicious/noThenProperty: `then` is the field of KIR's if
        this.out.push({ kind: "if", cond, then: this.list(s.then), else: this.list(s.else), at: s.at });
        return;
      }
      case "for":
        this.counted(s);
        return;
      case "loop": {
        const test = this.list(s.test);
        // `do { ...; break; } while (c)`: a test that is never reached is gone, and what it computed with it.
        if (!this.ranges.tested(s)) {
          const cond: Expr = { kind: "const", type: scalar("bool"), value: false, at: s.at };
          this.out.push({ ...s, test, cond, body: this.list(s.body), update: this.list(s.update) });
          return;
        }
        // The condition may need guards of its own; they belong to the test.
        const outer = this.out;
        this.out = test;
        const cond = this.expr(s.cond, false);
        this.out = outer;
        this.out.push({ ...s, test, cond, body: this.list(s.body), update: this.list(s.update) });
        return;
      }
      case "block":
        this.out.push({ ...s, body: this.list(s.body) });
        return;
      default:
        this.out.push(s);
    }
  }

  private counted(s: Extract<Stmt, { kind: "for" }>): void {
    const given = this.bounds.get(s.local);
    if (given !== undefined) {
      safeInteger(this, s.from, s.at);
      safeInteger(this, s.to, s.at);
      this.at = s.at;
    }
    const local = this.local(s.local);
    const name = nameOf(local);
    if (name === "i32" || name === "i64") {
      const from = this.toType(s.from, local, this.signed.has(s.local));
      const limit = this.rangeOf(s.to);
      const type = held(limit, false);
      // The counter and its bound are compared in one type; the bound of a counter that fits may lie beyond it.
      const to = this.number(s.to, false);
      if (type === "i32" || type === "i64") {
        if (type === "i64" && name === "i32") {
          this.narrowBound(s, local, from, to, limit);
          return;
        }
        this.out.push({ ...s, local, from, to: this.cast(to, name), body: this.list(s.body) });
        return;
      }
      this.out.push(...this.asLoop(s, local, from, to));
      return;
    }
    this.out.push(
      ...this.asLoop(
        s,
        local,
        this.toType(s.from, local, this.signed.has(s.local)),
        this.number(s.to, false),
      ),
    );
  }

  /** for %i: i32 with a bound of i64: what lies beyond i32 on the far side of the counter cannot matter. */
  private narrowBound(
    s: Extract<Stmt, { kind: "for" }>,
    local: Local,
    from: Expr,
    to: Expr,
    limit: Range,
  ): void {
    const far = s.step > 0 ? limit.hi : limit.lo;
    if (far > 2 ** 31 - 1 || far < -(2 ** 31)) {
      const wide: Local = { id: s.local.id, name: s.local.name, type: scalar("i64"), mutable: false };
      this.locals.set(s.local, wide);
      this.out.push({
        ...s,
        local: wide,
        from: this.cast(from, "i64"),
        to: this.cast(to, "i64"),
        body: this.list(s.body),
      });
      return;
    }
    const edge: Expr = {
      kind: "const",
      type: scalar("i64"),
      value: s.step > 0 ? -(2 ** 31) : 2 ** 31 - 1,
      at: s.at,
    };
    const clamped = this.make(s.step > 0 ? "max" : "min", [this.cast(to, "i64"), edge]);
    this.out.push({ ...s, local, from, to: this.cast(clamped, "i32"), body: this.list(s.body) });
  }

  /** A counter that is no integer counts in a general loop. */
  private asLoop(s: Extract<Stmt, { kind: "for" }>, local: Local, from: Expr, to: Expr): Stmt[] {
    const counter: Local = { ...local, mutable: true };
    this.locals.set(s.local, counter);
    const ref: Expr = { kind: "ref", type: counter.type, local: counter, at: s.at };
    const name = nameOf(counter) as Num;
    const type: Num = typeOf(to) === name ? name : "f64";
    const limit = this.fresh("limit", this.cast(to, type));
    const cond = this.make(s.step > 0 ? "lt" : "gt", [this.cast(ref, type), limit.ref]);
    const one = this.make("add", [
      this.cast(ref, "f64"),
      { kind: "const", type: scalar("f64"), value: s.step, at: s.at },
    ]);
    const next =
      name === "i32" || name === "i64"
        ? this.make("add", [ref, { kind: "const", type: counter.type, value: s.step, at: s.at }])
        : one;
    const body = this.list(s.body);
    return [
      { kind: "let", local: counter, value: from, at: s.at },
      { kind: "let", local: limit.local, value: limit.value, at: s.at },
      {
        kind: "loop",
        label: s.label,
        testFirst: true,
        test: [],
        cond,
        body,
        update: [{ kind: "assign", local: counter, value: this.cast(next, name), at: s.at }],
        at: s.at,
      },
    ];
  }

  fresh(name: string, value: Expr): { local: Local; ref: Expr; value: Expr } {
    const local: Local = { id: this.ids++, name, type: value.type, mutable: false };
    return { local, ref: { kind: "ref", type: local.type, local, at: this.at }, value };
  }

  // ------------------------------------------------------------------------------------------ locals

  local(l: Local): Local {
    const known = this.locals.get(l);
    if (known !== undefined) return known;
    let made = l;
    if (l.type.kind === "scalar" && l.type.name === "num") {
      made = { ...l, type: scalar(held(this.ranges.local(l) ?? ZERO, this.signed.has(l))) };
    }
    this.locals.set(l, made);
    return made;
  }

  /** A value in the type of the local that takes it. */
  private toType(e: Expr, local: Local, demand: boolean): Expr {
    if (!isNumber(e)) return this.expr(e, demand);
    const name = nameOf(local);
    return name === undefined ? this.expr(e, demand) : this.cast(this.number(e, demand), name as Num);
  }

  // ------------------------------------------------------------------------------------------ expressions

  rangeOf(e: Expr): Range {
    return this.ranges.of(e) ?? ZERO;
  }

  /** An expression of any type. */
  expr(e: Expr, demand: boolean): Expr {
    if (isNumber(e)) return this.number(e, demand);
    switch (e.kind) {
      case "const":
        return e.at === this.at ? e : { ...e, at: this.at };
      case "ref": {
        const local = this.local(e.local);
        return { kind: "ref", type: local.type, local, at: this.at };
      }
      case "apply":
        return this.other(e, demand);
    }
  }

  /** Ops whose result is no number: conditions, pointers, vectors, effects. */
  private other(e: Apply, demand: boolean): Expr {
    const [x, y, z] = e.args as readonly [Expr, Expr, Expr];
    if (COMPARE.has(e.op)) {
      if (!isNumber(x)) return this.make(e.op, this.all(e), e.attrs);
      const type = this.common([x, y]);
      return this.make(e.op, [
        this.cast(this.number(x, false), type),
        this.cast(this.number(y, false), type),
      ]);
    }
    switch (e.op) {
      case "ptr_add":
        return this.make("ptr_add", [this.expr(x, false), index(this, y, false)]);
      case "splat":
        return splat(this, e);
      case "set":
      case "dma_memset":
      case "dma_memset_async": {
        const wants = operandDemands(e, demand, this.ranges);
        const dtype = x.type.kind === "ptr" ? x.type.dtype : "f32";
        const args = e.args.map((a, i) => {
          if (i === 1) return stored(this, a, dtype, wants(1));
          return i === 2 ? index(this, a, true) : this.expr(a, false);
        });
        return this.make(e.op, args, e.attrs);
      }
      case "load_strided":
        return this.make(
          e.op,
          [this.expr(x, false), index(this, y, true), ...e.args.slice(2).map((a) => this.expr(a, false))],
          e.attrs,
        );
      case "store_strided":
        return this.make(
          e.op,
          [
            this.expr(x, false),
            this.expr(y, false),
            index(this, z, true),
            ...e.args.slice(3).map((a) => this.expr(a, false)),
          ],
          e.attrs,
        );
      case "dma_copy":
      case "dma_copy_async":
      case "dma_nd":
      case "dma_nd_async":
      case "dma_gather":
      case "dma_gather_async":
      case "prefetch":
      case "flush_cache": {
        const wants = operandDemands(e, demand, this.ranges);
        const value = e.attrs["padded"] === true ? paddingOperand(e.attrs) : -1;
        const dtype = x?.type.kind === "ptr" ? x.type.dtype : "f32";
        const args = e.args.map((a, i) => {
          if (i === value) return stored(this, a, dtype, wants(i));
          return isNumber(a) ? index(this, a, true) : this.expr(a, false);
        });
        return this.make(e.op, args, e.attrs);
      }
      case "extract": {
        return this.make("extract", [this.expr(x, false), lane(this, x, y)], e.attrs);
      }
      case "slide":
        return this.make("slide", [this.expr(x, false), this.expr(y, false), index(this, z, false)]);
      case "cast_scalar":
        return this.cast(this.expr(x, demand), e.attrs["to"] as Num);
      default: {
        if (!isPathOp(e.op)) return this.make(e.op, this.all(e, demand), e.attrs);
        const table = pathOperands(e.op, e.attrs);
        const args = e.args.map((a, i) => {
          const is = table[i]?.is;
          if (is === "count" || is === "integer") return index(this, a, true);
          return is === "factor" ? this.cast(this.number(a, true), "f32") : this.expr(a, false);
        });
        return this.make(e.op, args, e.attrs);
      }
    }
  }

  private all(e: Apply, demand = true): Expr[] {
    const wants = operandDemands(e, demand, this.ranges);
    return e.args.map((a, i) => this.expr(a, wants(i)));
  }

  /** A number in the representation that suits it; `demand` says whether -0 must survive. */
  number(e: Expr, demand: boolean): Expr {
    switch (e.kind) {
      case "const":
        return this.constant(e.value as number, demand);
      case "ref": {
        const local = this.local(e.local);
        return { kind: "ref", type: local.type, local, at: this.at };
      }
      case "apply":
        return this.numeric(e, demand);
    }
  }

  constant(value: number, demand: boolean): Expr {
    const x = Object.is(value, -0) && !demand ? 0 : value;
    const r: Range = {
      lo: x,
      hi: x,
      int: Number.isInteger(x),
      nan: Number.isNaN(x),
      nz: Object.is(x, -0),
      f32: Object.is(Math.fround(x), x),
    };
    return { kind: "const", type: scalar(held(r, true)), value: x, at: this.at };
  }

  private numeric(e: Apply, demand: boolean): Expr {
    const r = this.rangeOf(e);
    const wants = operandDemands(e, demand, this.ranges);
    const [x, y, z] = e.args as readonly [Expr, Expr, Expr];
    const operand = (i: number): Expr => this.number(e.args[i] as Expr, wants(i));
    const inType = (type: Num, op: OpName = e.op): Expr =>
      this.make(
        op,
        e.args.map((_a, i) => this.cast(operand(i), type)),
        e.attrs,
      );
    /** Exact integers in, exact integer out: the integer op at the width of the widest. */
    const whole = (): Num | undefined => {
      const own = held(r, demand);
      if (own !== "i32" && own !== "i64") return undefined;
      const kinds = e.args.map((a) => this.rangeOf(a));
      if (!kinds.every(isExactInt)) return undefined;
      return own === "i32" && kinds.every((k) => held(k, false) === "i32") ? "i32" : "i64";
    };
    switch (e.op) {
      case "add":
      case "sub":
      case "mul":
      case "neg":
      case "mod":
        return inType(whole() ?? "f64");
      case "abs":
      case "min":
      case "max":
      case "sign":
        return inType(whole() ?? (e.args.every((_a, i) => fitsF32(operand(i))) ? "f32" : "f64"));
      case "div":
        return inType("f64");
      case "sqrt":
        return inType("f64");
      case "floor":
      case "ceil":
      case "trunc":
      case "round":
      case "rint":
      case "round_away": {
        const a = operand(0);
        if (isIntType(a) || (this.rangeOf(x).int && !this.rangeOf(x).nan)) return a;
        return this.make(e.op, [this.cast(a, typeOf(a) === "f32" ? "f32" : "f64")]);
      }
      case "to_int32": {
        const a = operand(0);
        return held(this.rangeOf(x), false) === "i32" ? this.cast(a, "i32") : this.make("to_int32", [a]);
      }
      case "to_uint32": {
        const a = operand(0);
        const inside = this.rangeOf(x);
        return isExactInt(inside) && inside.lo >= 0 && inside.hi < 2 ** 32
          ? this.cast(a, held(inside, false))
          : this.make("to_uint32", [a]);
      }
      case "js_shl":
      case "js_shr":
      case "imul":
      case "clz32":
      case "and":
      case "or":
      case "xor":
      case "not":
        return inType("i32");
      case "ceildiv":
      case "floordiv": {
        const kinds = [safeInteger(this, x, this.at), safeInteger(this, y, this.at)];
        const narrow = kinds.every((k) => typeOf(k) === "i32") && held(r, false) === "i32";
        const type: Num = narrow ? "i32" : "i64";
        return this.make(
          e.op,
          kinds.map((k) => this.cast(k, type)),
          e.attrs,
        );
      }
      case "convert":
        return this.convert(e, r, wants(0));
      case "cast_scalar": {
        const inner =
          x.type.kind === "scalar" && x.type.name === "bool"
            ? this.cast(this.expr(x, false), "i32")
            : this.number(x, demand);
        return inner;
      }
      case "select": {
        const a = this.number(y, wants(1));
        const b = this.number(z, wants(2));
        const type = this.unify(a, b, r, demand);
        return this.make("select", [this.expr(x, false), this.cast(a, type), this.cast(b, type)]);
      }
      case "extract":
        return this.make("extract", [this.expr(x, false), lane(this, x, y)], e.attrs);
      case "get":
        return this.make("get", [this.expr(x, false)], e.attrs);
      default:
        if (!isMathName(e.op)) return this.make(e.op, this.all(e), e.attrs);
        return this.make(
          e.op,
          e.args.map((a) => this.cast(this.number(a, true), "f32")),
          e.attrs,
        );
    }
  }

  private unify(a: Expr, b: Expr, r: Range, demand: boolean): Num {
    if (isIntType(a) && isIntType(b)) return typeOf(a) === "i32" && typeOf(b) === "i32" ? "i32" : "i64";
    const own = held(r, demand);
    if (own === "i32" || own === "i64") return own;
    return fitsF32(a) && fitsF32(b) ? "f32" : "f64";
  }

  private convert(e: Apply, r: Range, demand: boolean): Expr {
    const x = e.args[0] as Expr;
    const d = e.attrs["dtype"] as DTypeName;
    if (!isNumber(x)) return this.cast(this.expr(x, false), scalarOf(d) as Num);
    const inside = this.rangeOf(x);
    if (hasIntegers(d)) {
      const a = this.number(x, false);
      const info = DTYPES[d];
      if (isExactInt(inside) && inside.lo >= info.min && inside.hi <= info.max)
        return this.cast(a, held(r, false));
      return this.make("convert", [a], e.attrs);
    }
    if (d === "f32" && x.kind === "apply" && ROUNDED_ONCE.has(x.op) && x.type.kind === "scalar") {
      const wants = operandDemands(x, demand, this.ranges);
      const args = x.args.map((a, i) => this.number(a, wants(i)));
      if (args.every((a, i) => fitsF32(a) && this.rangeOf(x.args[i] as Expr).f32))
        return this.make(
          x.op,
          args.map((a) => this.cast(a, "f32")),
        );
    }
    const a = this.number(x, demand);
    if (d === "f32" && inside.f32) return this.cast(a, "f32");
    // One rounding from f64, in which every integer here is exact.
    return this.make("convert", [typeOf(a) === "f32" ? a : this.cast(a, "f64")], e.attrs);
  }

  // ------------------------------------------------------------------------------------------ operands

  /** The type in which numbers are compared. */
  private common(args: readonly Expr[]): Num {
    const typed = args.map((a) => this.number(a, false));
    if (typed.every(isIntType) || args.every((a) => isExactInt(this.rangeOf(a)))) {
      return typed.every((t) => typeOf(t) === "i32") ? "i32" : "i64";
    }
    return typed.every(fitsF32) ? "f32" : "f64";
  }

  // ------------------------------------------------------------------------------------------ building

  make(op: OpName, args: readonly Expr[], attrs: Attrs = {}): Expr {
    const type = OPS[op].rule(
      args.map((a) => a.type),
      attrs,
    );
    if (typeof type === "string")
      throw new TypeError(`op ${op}(${args.map((a) => typeText(a.type)).join(", ")}): ${type}`);
    return { kind: "apply", type, op, args, attrs, at: this.at };
  }

  cast(e: Expr, to: ScalarName): Expr {
    if (e.type.kind !== "scalar" || e.type.name === to) return e;
    if (e.kind === "const" && typeof e.value === "number") {
      const value = (to === "i32" || to === "i64") && Object.is(e.value, -0) ? 0 : e.value;
      return { ...e, type: scalar(to), value };
    }
    if (to === "bool") return this.make("truthy", [e]);
    // Widening and narrowing back is nothing.
    if (
      e.kind === "apply" &&
      e.op === "cast_scalar" &&
      nameOf(e.args[0] as Expr) === to &&
      (to === "i32" || to === "f32")
    )
      return e.args[0] as Expr;
    return this.make("cast_scalar", [e], { to });
  }

  refuse(code: "KPU3003" | "KPU3005", message: string, e: Expr, help: string): void {
    const location = this.locationOf(e.at || this.at);
    this.diagnostics.push(diagnostic(code, message, { location, help }));
  }
}
