/**
 * Operands that are more than numbers: offsets and counts, which must be integers, lanes, values on their way into
 * memory and into vectors. What cannot be proven is refused, or guarded in the program where direct execution checks too.
 */
import { DTYPES, type DTypeName, hasFloats } from "../../ir/dtype.ts";
import {
  type Apply,
  type Attrs,
  type Expr,
  type Local,
  type ScalarName,
  type Stmt,
  scalar,
  scalarOf,
} from "../../ir/kir.ts";
import type { OpName } from "../../ir/ops.ts";
import { textIndex } from "../emit.ts";
import { isNumber } from "./analyse.ts";
import { fitsF32, isIntType } from "./kinds.ts";
import { held, isExactInt, type Range, SAFE } from "./range.ts";

/** What choosing representations offers to this file. */
export interface Typing {
  readonly at: number;
  readonly texts: string[];
  rangeOf(e: Expr): Range;
  expr(e: Expr, demand: boolean): Expr;
  number(e: Expr, demand: boolean): Expr;
  constant(value: number, demand: boolean): Expr;
  cast(e: Expr, to: ScalarName): Expr;
  make(op: OpName, args: readonly Expr[], attrs?: Attrs): Expr;
  fresh(name: string, value: Expr): { local: Local; ref: Expr; value: Expr };
  emit(s: Stmt): void;
  refuse(code: "KPU3003" | "KPU3005", message: string, e: Expr, help: string): void;
}

const within = (r: Range, bound: number): boolean => r.lo >= -bound && r.hi <= bound;

/** A value on its way into memory: integers go to float memory through f64. */
export function stored(t: Typing, e: Expr, dtype: DTypeName, demand: boolean): Expr {
  if (!isNumber(e)) return t.expr(e, demand);
  const v = t.number(e, demand);
  if (!hasFloats(dtype) || !isIntType(v)) return v;
  return t.cast(v, fitsF32(v) ? "f32" : "f64");
}

export function splat(t: Typing, e: Apply): Expr {
  const x = e.args[0] as Expr;
  const d = e.attrs["dtype"] as DTypeName;
  if (!isNumber(x)) return t.make("splat", [t.expr(x, false)], e.attrs);
  if (hasFloats(d)) return t.make("splat", [stored(t, x, d, true)], e.attrs);
  const r = t.rangeOf(x);
  const info = DTYPES[d];
  if (!isExactInt(r) || r.lo < info.min || r.hi > info.max) {
    t.refuse(
      "KPU3003",
      `expected a number that fits ${d} (${info.min} to ${info.max}), got ${shown(r)}`,
      x,
      `convert it: S.${d}(x) clamps, S.${d}(x, { wrap: true }) keeps the low bits`,
    );
  }
  return t.make("splat", [t.cast(t.number(x, false), scalarOf(d) === "i64" ? "i64" : "i32")], e.attrs);
}

/**
 * An element offset or count. It must be an integer; beyond the safe range it can only be out of bounds, which the
 * access itself finds for pointers, and a guard for everything else.
 */
export function index(t: Typing, e: Expr, guarded: boolean): Expr {
  if (guarded) return safeInteger(t, e, t.at);
  const r = t.rangeOf(e);
  if (!whole(t, e, r)) return t.constant(0, false);
  if (isExactInt(r)) return exact(t, e, r);
  return wideOffset(t, e) ?? t.cast(t.number(e, false), "i64");
}

/**
 * An offset like i * n + j may exceed 2^53, where JavaScript rounds and i64 does not. Where one wide term is moved by
 * less than 2^40, both results are then beyond any memory, so that i64 may compute it: either they are equal, or
 * the access is out of bounds in both executions.
 */
function wideOffset(t: Typing, e: Expr): Expr | undefined {
  if (e.kind !== "apply") return undefined;
  const [x, y] = e.args as readonly [Expr, Expr];
  const safe = (a: Expr): boolean => isExactInt(t.rangeOf(a));
  const near = (a: Expr): boolean => safe(a) && within(t.rangeOf(a), 2 ** 40);
  const narrow = (a: Expr): Expr => t.cast(t.number(a, false), "i64");
  if (e.op === "mul")
    return safe(x) && safe(y) && within(t.rangeOf(e), 2 ** 62)
      ? t.make("mul", [narrow(x), narrow(y)])
      : undefined;
  if (e.op !== "add" && e.op !== "sub") return undefined;
  const a = near(x) ? narrow(x) : near(y) ? wideOffset(t, x) : undefined;
  const b = near(y) ? narrow(y) : near(x) ? wideOffset(t, y) : undefined;
  return a !== undefined && b !== undefined ? t.make(e.op, [a, b]) : undefined;
}

/** A proven integer as one, also where it is held as f64 because of its -0 or its other values. */
function exact(t: Typing, e: Expr, r: Range): Expr {
  const v = t.number(e, false);
  return isIntType(v) ? v : t.cast(v, held(r, false));
}

function whole(t: Typing, e: Expr, r: Range): boolean {
  if (r.int && !r.nan && r.lo > -(2 ** 63) && r.hi < 2 ** 63) return true;
  const help = r.int
    ? "bound it first: S.i32(x), or S.assert(x <= limit)"
    : "make it an integer: S.i32(x) for numbers of any range, Math.floor(x) for bounded ones";
  t.refuse("KPU3005", `expected an integer index, got ${shown(r)}`, e, help);
  return false;
}

/** An integer that direct execution would refuse beyond 2^53: the program checks it where it is not proven. */
export function safeInteger(t: Typing, e: Expr, at: number): Expr {
  const r = t.rangeOf(e);
  if (!whole(t, e, r)) return t.constant(0, false);
  if (isExactInt(r)) return exact(t, e, r);
  const value = t.fresh("n", t.cast(t.number(e, false), "f64"));
  t.emit({ kind: "let", local: value.local, value: value.value, at });
  const size = t.make("abs", [value.ref]);
  const cond = t.make("le", [size, { kind: "const", type: scalar("f64"), value: SAFE, at }]);
  const text = textIndex(t.texts, "expected a safe integer");
  t.emit({ kind: "effect", value: t.make("assert", [cond], { text }) as Apply, at });
  return t.cast(value.ref, "i64");
}

export function lane(t: Typing, v: Expr, i: Expr): Expr {
  const lanes = v.type.kind === "vec" || v.type.kind === "mask" ? v.type.lanes : 1;
  const r = t.rangeOf(i);
  const at = index(t, i, false);
  if (isExactInt(r) && r.lo >= 0 && r.hi < lanes) return at;
  const value = t.fresh("lane", at);
  t.emit({ kind: "let", local: value.local, value: value.value, at: t.at });
  t.emit({ kind: "effect", value: t.make("lane_check", [value.ref], { lanes }) as Apply, at: t.at });
  return value.ref;
}

function shown(r: Range): string {
  const what = r.int ? "an integer" : "a number that may be fractional";
  const nan = r.nan ? ", possibly NaN" : "";
  const bounds =
    Number.isFinite(r.lo) && Number.isFinite(r.hi) ? ` from ${r.lo} to ${r.hi}` : " without bounds";
  return `${what}${bounds}${nan}`;
}
