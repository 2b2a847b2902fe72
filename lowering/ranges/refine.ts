/** What a condition says about the locals it compares. */
import type { Expr, Local } from "../../ir/kir.ts";
import { clamp } from "./counters.ts";
import { copy, type Env, joinEnv } from "./env.ts";
import { hasZero, type Range } from "./range.ts";

export interface Known {
  readonly conditions: ReadonlyMap<Local, Expr>;
  /** Variables that an immutable local still has the value of. */
  readonly copies: ReadonlyMap<Local, Local>;
  again(e: Expr, env: NonNullable<Env>): Range | undefined;
}

const OPPOSITE: Readonly<Record<string, string>> = {
  lt: "ge",
  ge: "lt",
  gt: "le",
  le: "gt",
  eq: "ne",
  ne: "eq",
};

/** The state where the condition is `truth`; undefined when that cannot be. */
export function refine(k: Known, cond: Expr, truth: boolean, env: Env): Env {
  if (env === undefined) return undefined;
  if (cond.kind === "const") return Boolean(cond.value) === truth ? copy(env) : undefined;
  if (cond.kind === "ref") {
    const named = k.conditions.get(cond.local);
    return named !== undefined && !readsMutable(named) ? refine(k, named, truth, env) : copy(env);
  }
  const [a, b] = cond.args as readonly [Expr, Expr];
  switch (cond.op) {
    case "not":
      return refine(k, a, !truth, env);
    case "and":
    case "or": {
      const both = (cond.op === "and") === truth;
      if (both) return refine(k, b, truth, refine(k, a, truth, env));
      return joinEnv(refine(k, a, truth, env), refine(k, b, truth, refine(k, a, !truth, env)));
    }
    case "truthy":
      return truthy(k, a, truth, env);
    case "lt":
    case "le":
    case "gt":
    case "ge":
    case "eq":
    case "ne":
      return compare(k, cond.op, a, b, truth, env);
    default:
      return copy(env);
  }
}

function truthy(k: Known, e: Expr, truth: boolean, env: NonNullable<Env>): Env {
  const r = k.again(e, env);
  if (r === undefined) return copy(env);
  if (!truth) {
    if (!hasZero(r) && !r.nan) return undefined;
    const zero = hasZero(r);
    return put(k, e, { ...r, lo: zero ? 0 : r.lo, hi: zero ? 0 : r.hi, int: true }, env);
  }
  const lo = r.lo === 0 && r.int ? 1 : r.lo;
  const hi = r.hi === 0 && r.int ? -1 : r.hi;
  return put(k, e, { ...r, lo, hi, nan: false, nz: false }, env);
}

function compare(k: Known, op: string, x: Expr, y: Expr, truth: boolean, env: NonNullable<Env>): Env {
  const a = k.again(x, env);
  const b = k.again(y, env);
  if (a === undefined || b === undefined) return copy(env);
  let rule = op;
  if (!truth) {
    // With a NaN every order is false, which says nothing about the numbers.
    if (op !== "ne" && (a.nan || b.nan) && op !== "eq") return copy(env);
    rule = OPPOSITE[op] as string;
  }
  switch (rule) {
    case "lt":
      return both(k, x, below(a, b, true), y, above(b, a, true), env);
    case "le":
      return both(k, x, below(a, b, false), y, above(b, a, false), env);
    case "gt":
      return both(k, x, above(a, b, true), y, below(b, a, true), env);
    case "ge":
      return both(k, x, above(a, b, false), y, below(b, a, false), env);
    case "eq":
      return both(k, x, equal(a, b), y, equal(b, a), env);
    default:
      return both(k, x, differs(a, b), y, differs(b, a), env);
  }
}

function below(a: Range, b: Range, strict: boolean): Range {
  const top = a.int && Number.isFinite(b.hi) ? (strict ? Math.ceil(b.hi) - 1 : Math.floor(b.hi)) : b.hi;
  return bounded(a, a.lo, Math.min(a.hi, top));
}
function above(a: Range, b: Range, strict: boolean): Range {
  const bottom = a.int && Number.isFinite(b.lo) ? (strict ? Math.floor(b.lo) + 1 : Math.ceil(b.lo)) : b.lo;
  return bounded(a, Math.max(a.lo, bottom), a.hi);
}
function bounded(a: Range, lo: number, hi: number): Range {
  if (lo === a.lo && hi === a.hi && !a.nan) return a;
  // Written out: this is the hot path, and a spread is slow.
  return { lo, hi, int: a.int, nan: false, nz: a.nz && lo <= 0 && hi >= 0, f32: a.f32 };
}
function equal(a: Range, b: Range): Range {
  const lo = Math.max(a.lo, b.lo);
  const hi = Math.min(a.hi, b.hi);
  return { ...bounded(a, lo, hi), int: a.int || b.int };
}
function differs(a: Range, b: Range): Range {
  if (!a.int || b.lo !== b.hi || b.nan) return a;
  if (a.lo === b.lo) return { ...a, lo: a.lo + 1, nz: a.nz && a.lo + 1 <= 0 };
  if (a.hi === b.hi) return { ...a, hi: a.hi - 1, nz: a.nz && a.hi - 1 >= 0 };
  return a;
}

function both(k: Known, x: Expr, a: Range, y: Expr, b: Range, env: NonNullable<Env>): Env {
  if (isEmpty(a) || isEmpty(b)) return undefined;
  const out = new Map(env);
  note(k, x, a, out);
  note(k, y, b, out);
  return out;
}

const isEmpty = (r: Range): boolean => r.lo > r.hi && !r.nan;

/** Notes the range of the local behind an expression, and of the variable that it is a copy of. */
function put(k: Known, e: Expr, r: Range, env: NonNullable<Env>): Env {
  if (isEmpty(r)) return undefined;
  const out = new Map(env);
  note(k, e, r, out);
  return out;
}

function note(k: Known, e: Expr, r: Range, env: NonNullable<Env>): void {
  let inner = e;
  while (
    inner.kind === "apply" &&
    inner.op === "cast_scalar" &&
    inner.args[0]?.type.kind === "scalar" &&
    inner.args[0].type.name !== "bool"
  ) {
    inner = inner.args[0];
  }
  if (inner.kind !== "ref") return;
  env.set(inner.local, r);
  const variable = k.copies.get(inner.local);
  if (variable !== undefined) env.set(variable, clamp(env.get(variable) ?? r, r));
}

function readsMutable(e: Expr): boolean {
  return e.kind === "ref" ? e.local.mutable : e.kind === "apply" && e.args.some(readsMutable);
}
