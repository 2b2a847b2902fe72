/**
 * Constant folding: a pure op over constants becomes the constant that the ALU table says, bit for bit.
 *
 *     add.i32 2, 3                         ->  5
 *     mul.f64 NaN, 0                       ->  NaN
 *     add.f32x4 (splat 1), (splat 2)       ->  splat 3
 *     mul.i32 %x, 1                        ->  %x
 *     mul.i32 %x, 0                        ->  0
 *
 * Identities stand here only where they hold for every value: `x + 0` is not one for floats (-0 + 0 is 0), `x * 1` is.
 * A result that the type cannot hold (an i32 sum of 2^31) stays as it is.
 */
import { isConstant } from "./attrs.ts";
import { isInt } from "./dtype.ts";
import { evaluate, type LaneValue } from "./evaluate.ts";
import { type Apply, type Const, type Expr, type Kernel, sameType, scalar, type Type } from "./kir.ts";
import { OPS } from "./ops.ts";
import { mapExprs, someIn } from "./walk.ts";

/** Folds every expression of a kernel. */
export function foldKernel(k: Kernel): Kernel {
  const open = k.level === "open";
  const body = mapExprs(k.body, (e) => foldOp(e, open));
  return body === k.body ? k : { ...k, body };
}

/** Folds an op whose operands were folded before. */
function foldOp(e: Expr, open: boolean): Expr {
  if (e.kind !== "apply") return e;
  const { effect } = OPS[e.op];
  if (effect !== "pure" && effect !== "trap") return e;
  // A vector of equal lanes and a written-out vector are constants already.
  if (e.op === "vconst" || e.op === "splat") return e;
  const values = e.args.map(constantValue);
  if (e.args.length > 0 && values.every((v) => v !== undefined)) {
    const value = evaluate(
      e.op,
      e.args.map((a) => a.type),
      values,
      e.attrs,
    );
    const folded = value === undefined ? undefined : constantOf(e, value, open);
    if (folded !== undefined) return folded;
  }
  return simplified(e, values);
}

/** The value of an expression that is constant: a scalar, a written-out vector, or a scalar constant in every lane. */
function constantValue(e: Expr): LaneValue | undefined {
  if (e.kind === "const") return Number(e.value);
  if (e.kind !== "apply" || (e.op !== "vconst" && e.op !== "splat")) return undefined;
  const args = e.args.map(constantValue);
  if (args.some((v) => v === undefined)) return undefined;
  return evaluate(
    e.op,
    e.args.map((a) => a.type),
    args as LaneValue[],
    e.attrs,
  );
}

/** The constant expression of a value, of the type of `e`; undefined where the type cannot hold it. */
function constantOf(e: Apply, value: LaneValue, open: boolean): Expr | undefined {
  const { type, at } = e;
  if (typeof value === "number") return scalarConstant(type, value, at);
  if (type.kind !== "vec" && type.kind !== "mask") return undefined;
  const dtype = type.kind === "vec" ? type.dtype : "bool";
  const [first] = value;
  if (first !== undefined && value.every((x) => Object.is(x, first))) {
    const lane = type.kind === "mask" ? scalar("bool") : scalar(open ? "num" : "f64");
    const arg = scalarConstant(lane, first, at) as Const;
    return { kind: "apply", type, op: "splat", args: [arg], attrs: { dtype, lanes: type.lanes }, at };
  }
  return { kind: "apply", type, op: "vconst", args: [], attrs: { dtype, values: value }, at };
}

function scalarConstant(type: Type, value: number, at: number): Const | undefined {
  const held = type.kind === "scalar" && type.name === "bool" ? value !== 0 : value;
  return isConstant(type, held) ? { kind: "const", type, value: held, at } : undefined;
}

/** Ops that give one of their operands back, for every value of it. */
function simplified(e: Apply, values: readonly (LaneValue | undefined)[]): Expr {
  const [x, y, z] = e.args;
  const is = (i: number, n: number): boolean => {
    const v = values[i];
    if (v === undefined) return false;
    return typeof v === "number" ? Object.is(v, n) : v.every((lane) => Object.is(lane, n));
  };
  const plain = (e: Apply): boolean => Object.values(e.attrs).every((a) => a === undefined || a === false);
  const integer = isInteger(e.type);
  if (x === undefined) return e;
  switch (e.op) {
    case "add":
      // -0 is what floats add nothing with.
      if (!plain(e) || y === undefined) return e;
      if (is(1, integer ? 0 : -0)) return x;
      return is(0, integer ? 0 : -0) ? y : e;
    case "sub":
      return plain(e) && is(1, 0) ? x : e;
    case "mul":
      if (!plain(e) || y === undefined) return e;
      if (is(1, 1)) return x;
      if (is(0, 1)) return y;
      if (integer && is(1, 0)) return instead(e, y, x);
      return integer && is(0, 0) ? instead(e, x, y) : e;
    case "div":
      return is(1, 1) ? x : e;
    case "and":
      return truth(e, x, y, is, 1);
    case "or":
      return truth(e, x, y, is, 0);
    case "not":
      return x.kind === "apply" && x.op === "not" && isTruth(e.type) ? (x.args[0] as Expr) : e;
    case "select":
    case "sel":
      if (y === undefined || z === undefined) return e;
      if (is(0, 1)) return instead(e, y, z);
      return is(0, 0) ? instead(e, z, y) : e;
    case "ptr_add":
      return is(1, 0) ? x : e;
    case "cast_scalar": {
      // Casts are exact, so there and back is nothing; a float on the way would have had a -0.
      const back = x.kind === "apply" && x.op === "cast_scalar" ? x.args[0] : undefined;
      if (back !== undefined && integer && isInteger(x.type) && sameType(back.type, e.type)) return back;
      return sameType(x.type, e.type) ? x : e;
    }
    case "ptr_cast":
      return sameType(x.type, e.type) ? x : e;
    case "shuffle": {
      const lanes = e.attrs["lanes"] as readonly number[];
      return e.args.length === 1 && sameType(x.type, e.type) && lanes.every((lane, i) => lane === i) ? x : e;
    }
    default:
      return e;
  }
}

function isInteger(t: Type): boolean {
  return t.kind === "scalar" ? t.name === "i32" || t.name === "i64" : t.kind === "vec" && isInt(t.dtype);
}
function isTruth(t: Type): boolean {
  return t.kind === "mask" || (t.kind === "scalar" && t.name === "bool");
}

/** One operand in place of the op; not where the other, which is dropped, may stop the program. */
function instead(e: Apply, kept: Expr, dropped: Expr): Expr {
  return someIn(dropped, (part) => part.kind === "apply" && OPS[part.op].effect !== "pure") ? e : kept;
}

/** and, or on truth values: `neutral` gives the other operand, its opposite gives itself. */
function truth(
  e: Apply,
  x: Expr,
  y: Expr | undefined,
  is: (i: number, n: number) => boolean,
  neutral: 0 | 1,
): Expr {
  if (!isTruth(e.type) || y === undefined) return e;
  if (is(0, neutral)) return y;
  if (is(1, neutral)) return x;
  if (is(0, 1 - neutral)) return instead(e, x, y);
  return is(1, 1 - neutral) ? instead(e, y, x) : e;
}
