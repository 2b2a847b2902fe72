/**
 * Expressions as functions of what is known of variables. Each is made once per kernel; most that happens then is arithmetic
 * on plain numbers.
 */
import { DTYPES, type DTypeName, type Scope } from "../../ir/dtype.ts";
import { type ScalarRule, scalarRule } from "../../ir/evaluate.ts";
import type { Apply, Expr, Local } from "../../ir/kir.ts";
import { OPS } from "../../ir/ops.ts";
import {
  add,
  alone,
  baseOf,
  floorDivide,
  isConstant,
  isDemand,
  isZero,
  scale,
  settled,
  subtract,
} from "./affine.ts";
import { type MovingRule, movingRule } from "./numbers.ts";
import { DATA, isNumber, pending, type Value } from "./value.ts";
import { LEVEL_OF } from "./work.ts";

/** Where scopes begin in their level, in bytes. */
export type Starts = { readonly [K in Scope | "tables"]: number };

/** What an expression is asked in. */
export interface Frame {
  /** By the number of the variable. */
  values: Value[];
  readonly tile: number;
  readonly tiles: number;
  readonly starts: Starts;
}

export type Evaluate = (f: Frame) => Value;

const data: Evaluate = () => DATA;

/** An expression as a function. Variables that have no number are data. */
export function evaluateOf(e: Expr, numberOf: ReadonlyMap<Local, number>): Evaluate {
  switch (e.kind) {
    case "const": {
      const value = Number(e.value);
      return () => value;
    }
    case "ref": {
      const at = numberOf.get(e.local);
      return at === undefined ? data : (f) => f.values[at] as Value;
    }
    case "apply": {
      if (e.type.kind === "vec" || e.type.kind === "mask" || OPS[e.op].effect === "read") return data;
      return applyOf(
        e,
        e.args.map((a) => evaluateOf(a, numberOf)),
      );
    }
  }
}

function applyOf(e: Apply, args: readonly Evaluate[]): Evaluate {
  const [p, q, r] = args as readonly [Evaluate, Evaluate, Evaluate];
  switch (e.op) {
    case "tile_id":
      return (f) => f.tile;
    case "tile_count":
      return (f) => f.tiles;
    case "alloc":
    case "alloc_const": {
      const scope = e.op === "alloc" ? (e.attrs["scope"] as Scope) : "local";
      const from = e.op === "alloc" ? scope : "tables";
      const offset = (e.attrs["offset"] as number | undefined) ?? 0;
      const [level, dtype] = [LEVEL_OF[scope], e.attrs["dtype"] as DTypeName];
      return (f) => ({ is: "pointer", level, dtype, at: f.starts[from] + offset });
    }
    case "ptr_add":
      return (f) => advanced(p(f), q(f));
    case "ptr_cast": {
      const dtype = e.attrs["dtype"] as DTypeName;
      return (f) => {
        const v = p(f);
        return !isNumber(v) && v.is === "pointer" ? { ...v, dtype } : v;
      };
    }
    case "ptr_null":
      return (f) => {
        const v = p(f);
        return !isNumber(v) && (v.is === "pointer" || v.is === "null") ? Number(v.is === "null") : DATA;
      };
    case "ptr_eq":
    case "ptr_diff": {
      const { op } = e;
      return (f) => compared(op, p(f), q(f));
    }
    case "select":
      return (f) => chosen(p(f), q(f), r(f));
    default:
      return scalarOf(e, args);
  }
}

function advanced(p: Value, by: Value): Value {
  if (isNumber(p)) return DATA;
  if (p.is !== "pointer") return p.is === "null" ? p : DATA;
  if (!isNumber(by)) return by.is === "pending" ? by : DATA;
  const at = add(p.at, scale(by, DTYPES[p.dtype].bits / 8));
  return { is: "pointer", level: p.level, dtype: p.dtype, at };
}

function compared(op: "ptr_eq" | "ptr_diff", p: Value, q: Value): Value {
  if (isNumber(p) || isNumber(q) || p.is !== "pointer" || q.is !== "pointer") return DATA;
  const by = subtract(p.at, q.at);
  if (op === "ptr_diff") {
    const elements = settled(() => floorDivide(by, DTYPES[p.dtype].bytes));
    return isDemand(elements) ? pending(elements) : elements;
  }
  const isEqual = p.level === q.level && settled(() => isZero(by));
  return typeof isEqual === "boolean" ? Number(isEqual) : pending(isEqual);
}

function chosen(cond: Value, yes: Value, no: Value): Value {
  if (typeof cond === "number") return cond === 0 ? no : yes;
  if (cond.is === "pending") return cond;
  if (cond.is !== "moving") return DATA;
  const isNot = settled(() => isZero(cond));
  return isDemand(isNot) ? pending(isNot) : isNot ? no : yes;
}

/** An op of numbers; data where it has any other operand. */
function scalarOf(e: Apply, args: readonly Evaluate[]): Evaluate {
  if (e.type.kind !== "scalar" || e.type.name === "event" || args.length === 0) return data;
  const rule = scalarRule(
    e.op,
    e.args.map((a) => a.type),
    e.attrs,
  );
  if (rule === undefined) return data;
  const moves = movingRule(e);
  const [p, q, r] = args as readonly [Evaluate, Evaluate, Evaluate];
  const second = e.args[1];
  if (args.length === 1)
    return (f) => {
      const a = p(f);
      return typeof a === "number" ? (rule(a, 0, 0) ?? DATA) : ofOne(a, rule, moves);
    };
  if (args.length === 3) return (f) => ofThree([p(f), q(f), r(f)], rule);
  if (second?.kind === "const") {
    const b = Number(second.value);
    return (f) => {
      const a = p(f);
      return typeof a === "number" ? (rule(a, b, 0) ?? DATA) : ofTwo(a, b, rule, moves);
    };
  }
  return (f) => {
    const a = p(f);
    const b = q(f);
    return typeof a === "number" && typeof b === "number"
      ? (rule(a, b, 0) ?? DATA)
      : ofTwo(a, b, rule, moves);
  };
}

function ofOne(a: Value, rule: ScalarRule, moves: MovingRule): Value {
  if (!isNumber(a)) return a.is === "pending" ? a : DATA;
  return isConstant(a) ? (rule(baseOf(a), 0, 0) ?? DATA) : moves(a, 0);
}
function ofTwo(a: Value, b: Value, rule: ScalarRule, moves: MovingRule): Value {
  if (!isNumber(a)) return a.is === "pending" && (isNumber(b) || b.is === "pending") ? a : DATA;
  if (!isNumber(b)) return b.is === "pending" ? b : DATA;
  return isConstant(a) && isConstant(b) ? (rule(baseOf(a), baseOf(b), 0) ?? DATA) : moves(a, b);
}
/** No such op stays affine. */
function ofThree(args: readonly Value[], rule: ScalarRule): Value {
  const numbers = args.filter(isNumber);
  const waits = args.find((v) => !isNumber(v) && v.is === "pending");
  if (numbers.length < args.length)
    return waits !== undefined && args.every((v) => isNumber(v) || v.is === "pending") ? waits : DATA;
  const moving = numbers.find((n) => !isConstant(n));
  if (moving !== undefined) return pending(alone(moving));
  const [a, b, c] = numbers.map(baseOf) as [number, number, number];
  return rule(a, b, c) ?? DATA;
}
