/**
 * Bounds of what a counted loop adds up: `k += e` at most T times moves k by at most T times e. Interval iteration
 * alone would send such a counter to 2^53, where JavaScript's addition stands still, and hold it as f64.
 */
import type { Expr, Local, Stmt } from "../../ir/kir.ts";
import { type Range, range } from "./range.ts";

interface Move {
  readonly lo: number;
  readonly hi: number;
}
const FREE: Move = { lo: -Infinity, hi: Infinity };

/** Range of an expression, whatever the state it is evaluated in. */
export type RangeAnywhere = (e: Expr) => Range | undefined;
/** How often a nested counted loop runs at most. */
export type Rounds = (s: Extract<Stmt, { kind: "for" }>) => number;

/** By how much one run of the statements can move each mutable local that they assign. */
export function movesOf(stmts: readonly Stmt[], of: RangeAnywhere, rounds: Rounds): Map<Local, Move> {
  const moves = new Map<Local, Move>();
  const add = (local: Local, m: Move): void => {
    const known = moves.get(local) ?? { lo: 0, hi: 0 };
    moves.set(local, { lo: known.lo + Math.min(0, m.lo), hi: known.hi + Math.max(0, m.hi) });
  };
  const nested = (body: readonly Stmt[], times: number): void => {
    for (const [local, m] of movesOf(body, of, rounds))
      add(local, { lo: scaled(m.lo, times), hi: scaled(m.hi, times) });
  };
  for (const s of stmts) {
    switch (s.kind) {
      case "assign":
        add(s.local, stepOf(s.local, s.value, of) ?? FREE);
        break;
      case "if":
        nested(s.then, 1);
        nested(s.else, 1);
        break;
      case "block":
        nested(s.body, 1);
        break;
      case "for":
        nested(s.body, rounds(s));
        break;
      case "loop":
        nested([...s.test, ...s.body, ...s.update], Infinity);
        break;
      default:
        break;
    }
  }
  return moves;
}

const scaled = (m: number, times: number): number => (m === 0 || times === 0 ? 0 : m * times);

/** The step of `local = local + e` and `local = local - e`, where e is an integer. */
function stepOf(local: Local, value: Expr, of: RangeAnywhere): Move | undefined {
  if (value.kind !== "apply" || (value.op !== "add" && value.op !== "sub")) return undefined;
  const [a, b] = value.args as readonly [Expr, Expr];
  const isLocal = (e: Expr): boolean => e.kind === "ref" && e.local === local;
  const step = isLocal(a) ? b : value.op === "add" && isLocal(b) ? a : undefined;
  const r = step && of(step);
  if (r === undefined || !r.int || r.nan) return undefined;
  return value.op === "add" ? { lo: r.lo, hi: r.hi } : { lo: -r.hi, hi: -r.lo };
}

/** Where a local can be during T rounds, from where it starts. */
export function reach(start: Range, m: Move, times: number): Range | undefined {
  if (!start.int || start.nan) return undefined;
  const lo = start.lo + scaled(Math.min(0, m.lo), times);
  const hi = start.hi + scaled(Math.max(0, m.hi), times);
  if (!Number.isFinite(lo) && !Number.isFinite(hi)) return undefined;
  return range(lo, hi, true, { nz: start.nz });
}

/** The part of a range that lies within a bound that is known to hold. */
export function clamp(r: Range, bound: Range): Range {
  return range(Math.max(r.lo, bound.lo), Math.min(r.hi, bound.hi), r.int || bound.int, {
    nz: r.nz,
    nan: r.nan && bound.nan,
    f32: r.f32 || bound.f32,
  });
}
