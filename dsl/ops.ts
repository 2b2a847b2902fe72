/**
 * Where the ops of an intrinsic go: executed at once in direct execution, emitted as KIR in lowering. Intrinsics that
 * are written over this interface have one text for both executions.
 */
import { laneLoop, reduce, reduceIndex, scalarFn, tailMask } from "../ir/alu.ts";
import { castRule, convertRule, roundTo } from "../ir/convert.ts";
import { dotLanes } from "../ir/dot.ts";
import { newLanes } from "../ir/lanes.ts";
import { MATH, type MathName } from "../ir/math.ts";
import { OPS } from "../ir/ops.ts";
import { reinterpret } from "../ir/packing.ts";
import type { LowerContext, Simulation } from "./context.ts";
import { dtypeOf } from "./dtypes.ts";
import { authorName } from "./intrinsic.ts";
import {
  type AluOp,
  type Attrs,
  type DiagnosticCode,
  type DTypeName,
  type Expr,
  fail,
  hasFloats,
  type OpName,
  type Target,
} from "./ir.ts";
import type { Value } from "./operand.ts";
import { Ptr } from "./pointer.ts";
import { Mask, Vec } from "./values.ts";

export type Refuse = (
  code: DiagnosticCode,
  message: string,
  o?: { help?: string; argument?: number },
) => never;

export interface Ops {
  /** The intrinsic served, as an author writes it; opens every message. */
  readonly name: string;
  readonly target: Target;
  readonly refuse: Refuse;
  op(name: OpName, args: readonly Value[], attrs?: Attrs): Value;
  /** A value that is used more than once: lowering gives it a name, so that it is computed once. */
  once(v: Value): Value;
  /** A JavaScript number: typed scalars of memory and reductions are brought to one representation. */
  number(v: Value): Value;
  /** As {@link number}, rounded to f32 and held as such. */
  f32(v: Value): Value;
}

/** Emits KIR. */
export class LoweredOps implements Ops {
  readonly name: string;
  readonly refuse: Refuse;
  private readonly b: LowerContext;
  constructor(b: LowerContext, name: string) {
    this.b = b;
    this.name = authorName(name);
    this.refuse = (code, message, o) => b.refuse(code, message, o);
  }
  get target(): Target {
    return this.b.target;
  }
  op(name: OpName, args: readonly Value[], attrs: Attrs = {}): Expr {
    return this.b.op(
      name,
      args.map((a) => this.expr(a)),
      attrs,
    );
  }
  once(v: Value): Expr {
    return this.b.bind(this.expr(v));
  }
  number(v: Value): Expr {
    const e = this.expr(v);
    if (e.type.kind === "scalar" && e.type.name === "num") return e;
    return this.b.op("cast_scalar", [e], { to: "num" });
  }
  f32(v: Value): Expr {
    const e = this.b.op("convert", [this.expr(v)], { dtype: "f32" });
    if (e.type.kind === "scalar" && e.type.name === "f32") return e;
    return this.b.op("cast_scalar", [e], { to: "f32" });
  }
  expr(v: Value): Expr {
    if (typeof v === "number" || typeof v === "boolean") return this.b.expr(v);
    if (v instanceof Vec) return this.b.op("vconst", [], { dtype: v.dtype.name, values: v.data });
    if (v instanceof Mask) return this.b.op("vconst", [], { dtype: "bool", values: v.data });
    if ("kind" in v && "type" in v) return v;
    throw new TypeError(`${this.name}: not a value of lowering`);
  }
}

const NONE: readonly number[] = [];
const COMPARES: ReadonlySet<OpName> = new Set<OpName>(["eq", "ne", "lt", "le", "gt", "ge"]);

/** Executes at once, by the same tables as the KIR interpreter. */
export class DirectOps implements Ops {
  readonly name: string;
  readonly refuse: Refuse = failHere;
  private readonly sim: Simulation;
  constructor(sim: Simulation, name: string) {
    this.sim = sim;
    this.name = authorName(name);
  }
  get target(): Target {
    return this.sim.target;
  }
  once(v: Value): Value {
    return v;
  }
  number(v: Value): Value {
    return Number(v);
  }
  f32(v: Value): Value {
    return Math.fround(Number(v));
  }
  op(name: OpName, args: readonly Value[], attrs: Attrs = {}): Value {
    const run = DIRECT[name];
    if (run !== undefined) return run(args, attrs, this.sim);
    if (OPS[name].alu) return this.alu(name as AluOp, args, attrs);
    throw new TypeError(`${this.name}: op ${name} has no direct form`);
  }
  private alu(name: AluOp, args: readonly Value[], attrs: Attrs): Value {
    const x = args[0];
    if (x instanceof Vec) {
      const data = laneLoop(name, x.dtype.name, attrs)(x.data, lanes(args[1]), lanes(args[2]));
      if (COMPARES.has(name)) return new Mask(data);
      const out = attrs["out"] as DTypeName | undefined;
      return new Vec(out === undefined ? x.dtype : dtypeOf(out), data);
    }
    if (x instanceof Mask)
      return new Mask(laneLoop(name, "bool", attrs)(x.data, lanes(args[1]), lanes(args[2])));
    throw new TypeError(`${this.name}: op ${name} needs lanes here`);
  }
}

function failHere(code: DiagnosticCode, message: string, o?: { help?: string; argument?: number }): never {
  return fail(code, message, { help: o?.help });
}

function lanes(v: Value | undefined): readonly number[] {
  return v instanceof Vec || v instanceof Mask ? v.data : NONE;
}
function vecOf(v: Value | undefined): Vec {
  if (v instanceof Vec) return v as Vec;
  throw new TypeError("not a vector");
}
function ptrOf(v: Value | undefined): Ptr {
  if (v instanceof Ptr) return v as Ptr;
  throw new TypeError("not a pointer");
}
function loaded(p: Ptr, data: number[]): Value {
  return p.dtype.name === "bool" ? new Mask(data) : new Vec(p.dtype, data);
}

function filled(n: number, value: number): number[] {
  const out = newLanes(n);
  for (let i = 0; i < n; i++) out[i] = value;
  return out;
}
/** A scalar in every lane; floats round once, an integer lane has no -0. */
export function splatLanes(d: DTypeName, n: number, value: number): number[] {
  return filled(n, hasFloats(d) ? roundTo(d)(value) : value + 0);
}
/** A rule applied to every lane. */
export function mapLanes(data: readonly number[], rule: (x: number) => number): number[] {
  const n = data.length;
  const out = newLanes(n);
  for (let i = 0; i < n; i++) out[i] = rule(data[i] as number);
  return out;
}

const FULL: Mask[] = [];
/** The mask with every lane active; shared, since masks are immutable. */
export function fullMask(n: number): Mask {
  return (FULL[n] ??= new Mask(filled(n, 1)));
}

const TAILS: Mask[][] = [];
/** The first n lanes; shared, since masks are immutable. */
export function tailMaskOf(n: number, laneCount: number): Mask {
  let row = TAILS[laneCount];
  if (row === undefined) {
    row = TAILS[laneCount] = Array.from(
      { length: laneCount + 1 },
      (_, k) => new Mask(tailMask(k, laneCount)),
    );
    row[laneCount] = fullMask(laneCount);
  }
  const known = row[n];
  if (known !== undefined) return known;
  if (n >= laneCount) return row[laneCount] as Mask;
  return new Mask(tailMask(n, laneCount));
}

export function isFull(m: Mask): boolean {
  const data = m.data;
  for (let i = 0; i < data.length; i++) if (data[i] === 0) return false;
  return true;
}

type Run = (args: readonly Value[], attrs: Attrs, sim: Simulation) => Value;

/** A fixed choice of lanes as one new array. */
function pick(m: readonly number[], x: readonly number[], y: readonly number[]): number[] {
  const out = newLanes(m.length);
  for (let i = 0; i < m.length; i++) out[i] = (m[i] !== 0 ? x[i] : y[i]) as number;
  return out;
}

const f64Of =
  (name: "min" | "max" | "abs"): Run =>
  (args, attrs, _sim) => {
    const x = args[0];
    if (typeof x === "number") return scalarFn(name, "f64")(...(args as number[]));
    const v = vecOf(x);
    return new Vec(v.dtype, laneLoop(name, v.dtype.name, attrs)(v.data, lanes(args[1]), NONE));
  };

const f32Of =
  (name: AluOp): Run =>
  (args, attrs, _sim) => {
    const [x, y] = args;
    if (typeof x === "number") return scalarFn(name, "f32")(x, y as number);
    const v = vecOf(x);
    return new Vec(
      v.dtype,
      laneLoop(name, v.dtype.name, attrs)(v.data, y === undefined ? NONE : lanes(y), NONE),
    );
  };

const reduction =
  (name: "radd" | "rmin" | "rmax"): Run =>
  ([v]) => {
    const x = vecOf(v);
    return reduce(name, x.dtype.name, x.data);
  };
const indexReduction =
  (name: "rmin_idx" | "rmax_idx"): Run =>
  ([v, m]) => {
    const x = vecOf(v);
    return reduceIndex(name, x.dtype.name, x.data, lanes(m));
  };

/** The ops that are not lane by lane through the ALU table. */
const DIRECT: { readonly [K in OpName]?: Run } = {
  min: f64Of("min"),
  max: f64Of("max"),
  abs: f64Of("abs"),
  floor: f32Of("floor"),
  ceil: f32Of("ceil"),
  trunc: f32Of("trunc"),
  rint: f32Of("rint"),
  round_away: f32Of("round_away"),
  sqrt: f32Of("sqrt"),
  rsqrt: f32Of("rsqrt"),
  recip: f32Of("recip"),
  ...Object.fromEntries((Object.keys(MATH) as MathName[]).map((name) => [name, f32Of(name)])),
  ceildiv: ([x, y]) => scalarFn("ceildiv", "i64")(x as number, y as number),
  floordiv: ([x, y]) => scalarFn("floordiv", "i64")(x as number, y as number),
  convert: ([x], attrs) => {
    const d = attrs["dtype"] as DTypeName;
    const n = convertRule(d, attrs["wrap"] === true)(Number(x));
    return d === "bool" ? n !== 0 : n;
  },
  splat: ([x], attrs) => {
    const d = attrs["dtype"] as DTypeName;
    const n = attrs["lanes"] as number;
    if (d === "bool") return x ? fullMask(n) : new Mask(filled(n, 0));
    return new Vec(dtypeOf(d), splatLanes(d, n, x as number));
  },
  sel: ([m, x, y]) => {
    const data = pick(lanes(m), lanes(x), lanes(y));
    return x instanceof Mask ? new Mask(data) : new Vec(vecOf(x).dtype, data);
  },
  cast: ([x], attrs) => {
    const v = vecOf(x);
    const to = attrs["dtype"] as DTypeName;
    const rule = castRule(v.dtype.name, to, {
      saturate: attrs["saturate"] === true,
      wrap: attrs["wrap"] === true,
    });
    return new Vec(dtypeOf(to), mapLanes(v.data, rule));
  },
  bitcast: ([x], attrs) => {
    const v = vecOf(x);
    const to = attrs["dtype"] as DTypeName;
    return new Vec(dtypeOf(to), reinterpret(v.dtype.name, to, v.data));
  },
  shuffle: (args, attrs) => {
    const all: number[] = [];
    for (const a of args) for (const x of lanes(a)) all.push(x);
    const data = mapLanes(attrs["lanes"] as readonly number[], (l) => (l < 0 ? 0 : (all[l] as number)));
    return args[0] instanceof Mask ? new Mask(data) : new Vec(vecOf(args[0]).dtype, data);
  },
  dot: ([acc, x, y]) => {
    const a = vecOf(acc);
    return new Vec(a.dtype, dotLanes(a.dtype.name, a.data, lanes(x), lanes(y)));
  },
  extract: ([x, i], _attrs, _sim) => {
    const value = lanes(x)[i as number] as number;
    return x instanceof Mask ? value !== 0 : value;
  },
  radd: reduction("radd"),
  rmin: reduction("rmin"),
  rmax: reduction("rmax"),
  rmin_idx: indexReduction("rmin_idx"),
  rmax_idx: indexReduction("rmax_idx"),
  any: ([m]) => lanes(m).some((b) => b !== 0),
  all: ([m]) => lanes(m).every((b) => b !== 0),
  tail_mask: ([n], attrs) => tailMaskOf(n as number, attrs["lanes"] as number),

  load: ([p], attrs, sim) => {
    const q = ptrOf(p);
    return loaded(q, sim.load(q, attrs["lanes"] as number));
  },
  load_masked: ([p, m, r], _attrs, sim) => {
    const q = ptrOf(p);
    return loaded(q, sim.loadMasked(q, 1, lanes(m), lanes(r)));
  },
  load_strided: ([p, s, m, r], _attrs, sim) => {
    const q = ptrOf(p);
    return loaded(q, sim.loadMasked(q, s as number, lanes(m), lanes(r)));
  },
  store: ([p, v], _attrs, sim) => done(sim.store(ptrOf(p), lanes(v))),
  store_masked: ([p, v, m], _attrs, sim) => done(sim.storeMasked(ptrOf(p), 1, lanes(v), lanes(m))),
  store_strided: ([p, v, s, m], _attrs, sim) =>
    done(sim.storeMasked(ptrOf(p), s as number, lanes(v), lanes(m))),
  gather: ([p, i, m, r], _attrs, sim) => {
    const q = ptrOf(p);
    return loaded(q, sim.gather(q, lanes(i), lanes(m), lanes(r)));
  },
  scatter: ([p, i, v, m], _attrs, sim) => done(sim.scatter(ptrOf(p), lanes(i), lanes(v), lanes(m))),
};

/** Ops without a result: nothing uses what they give. */
function done(_nothing: unknown): Value {
  return 0;
}
