/**
 * Range analysis by abstract interpretation over the structured program. One pass walks the whole kernel with the
 * loop heads it knows; passes repeat until the heads stand still (widening), then twice more to come back from where
 * widening overshot, then once to record what every expression can be. Nested loops cost passes, not powers.
 */

import type { Apply, Expr, Kernel, Local, Stmt } from "../../ir/kir.ts";
import { isMathName } from "../../ir/math.ts";
import { MAX_TILES } from "../../ir/target.ts";
import { assignedIn } from "../../ir/walk.ts";
import { clamp, movesOf, reach } from "./counters.ts";
import { copy, type Env, joinEnv, sameEnv, widenEnv, withinEnv } from "./env.ts";
import { ANY, ANY_F32, BIT, constRange, dtypeRange, join, type Range, range } from "./range.ts";
import { refine } from "./refine.ts";
import { isScalar, relevantLocals } from "./relevant.ts";
import { transfer } from "./transfer.ts";

type Mode = "up" | "down" | "record";
type Loop = Extract<Stmt, { kind: "for" | "loop" }>;

const MOST_PASSES = 60;
const FAR_AFTER = 24;

export interface Ranges {
  /** What a number expression can be, joined over all its occurrences; undefined in code that is never reached. */
  of(e: Expr): Range | undefined;
  /** What a local is given, joined over its definitions. */
  local(l: Local): Range | undefined;
  /** False for statements that never run: they are dropped, nothing is known about their numbers. */
  reached(s: Stmt): boolean;
  /** False for a loop whose condition is never computed. */
  tested(s: Stmt): boolean;
}

export function analyse(k: Kernel): Ranges {
  const a = new Analysis(relevantLocals(k.body));
  for (const p of k.params) if (!p.pointer) a.base.set(p.local, dtypeRange(p.dtype));
  let stable = false;
  for (let attempt = 0; attempt < 2 && !stable; attempt++) {
    a.begin();
    for (let pass = 0; pass < MOST_PASSES; pass++) {
      a.changed = false;
      a.far = pass >= FAR_AFTER;
      a.run(k.body);
      if (!a.changed) break;
    }
    a.mode = "down";
    for (let pass = 0; pass < (attempt === 0 && a.loops ? 2 : 0); pass++) a.run(k.body);
    a.mode = "record";
    a.exprs.clear();
    a.given.clear();
    a.reached.clear();
    a.tested.clear();
    a.broken = false;
    a.run(k.body);
    stable = !a.broken;
  }
  if (!stable) throw new TypeError("the range analysis does not settle");
  return {
    of: (e) => a.exprs.get(e),
    local: (l) => a.given.get(l),
    reached: (s) => a.reached.has(s),
    tested: (s) => a.tested.has(s),
  };
}

class Analysis {
  private readonly relevant: ReadonlySet<Local>;
  constructor(relevant: ReadonlySet<Local>) {
    this.relevant = relevant;
  }
  mode: Mode = "up";
  changed = false;
  far = false;
  broken = false;
  loops = false;
  /** Set while an expression is evaluated for no particular state: nothing is recorded. */
  private quiet = false;
  /** Ranges of immutable locals. */
  readonly base = new Map<Local, Range>();
  /** Definitions of immutable booleans: conditions may be named. */
  readonly conditions = new Map<Local, Expr>();
  /** Immutable locals that were given a variable which has not been assigned since. */
  readonly copies = new Map<Local, Local>();
  readonly exprs = new Map<Expr, Range>();
  readonly given = new Map<Local, Range>();
  readonly reached = new Set<Stmt>();
  readonly tested = new Set<Stmt>();
  private readonly latest = new Map<Expr, Range>();
  private readonly heads = new Map<Stmt, Env>();
  private readonly backs = new Map<Stmt, Env>();
  private readonly jumps = new Map<string, Env>();

  /** Starts to climb, from the heads that are known. */
  begin(): void {
    this.mode = "up";
    this.exits.clear();
  }

  run(body: readonly Stmt[]): void {
    this.jumps.clear();
    let env: Env = new Map();
    for (const s of body) {
      if (env === undefined) return;
      env =
        this.mode === "up" && (s.kind === "for" || s.kind === "loop")
          ? this.settled(s, env)
          : this.stmt(s, env);
    }
  }

  private readonly exits = new Map<Stmt, Env>();

  /** A loop of the outermost level that stood still is not walked again while nothing before it changes. */
  private settled(s: Loop, env: NonNullable<Env>): Env {
    if (!this.changed && this.exits.has(s)) {
      this.forgetCopies(this.assignedIn(s));
      return copy(this.exits.get(s));
    }
    const before = this.changed;
    this.changed = false;
    const exit = this.stmt(s, env);
    if (this.changed) this.exits.delete(s);
    else this.exits.set(s, copy(exit));
    this.changed ||= before;
    return exit;
  }

  private list(stmts: readonly Stmt[], env: Env): Env {
    let now = env;
    for (const s of stmts) {
      if (now === undefined) return undefined;
      now = this.stmt(s, now);
    }
    return now;
  }

  private stmt(s: Stmt, env: NonNullable<Env>): Env {
    if (this.mode === "record") this.reached.add(s);
    switch (s.kind) {
      case "let":
      case "assign":
        if (
          this.mode === "record" ||
          (isScalar(s.local) && (s.local.mutable || this.relevant.has(s.local)))
        ) {
          this.define(s.local, s.value, env);
        }
        return env;
      case "effect":
        if (this.mode !== "record" && s.value.op !== "assert") return env;
        this.eval(s.value, env);
        // After an assertion its condition holds.
        return s.value.op === "assert" ? refine(this, s.value.args[0] as Expr, true, env) : env;
      case "if": {
        this.eval(s.cond, env);
        const then = this.list(s.then, refine(this, s.cond, true, env));
        const other = this.list(s.else, refine(this, s.cond, false, env));
        return joinEnv(then, other);
      }
      case "for":
        return this.counted(s, env);
      case "loop":
        return this.general(s, env);
      case "block": {
        const saved = this.takeJump(s.label);
        const end = this.list(s.body, env);
        const out = joinEnv(end, this.jumps.get(s.label));
        this.giveJump(s.label, saved);
        return out;
      }
      case "break":
        this.jump(s.label, env);
        return undefined;
      case "continue":
        this.jump(`${s.label} again`, env);
        return undefined;
      case "return":
        return undefined;
    }
  }

  private jump(label: string, env: Env): void {
    this.jumps.set(label, joinEnv(this.jumps.get(label), copy(env)));
  }
  private takeJump(label: string): Env {
    const saved = this.jumps.get(label);
    this.jumps.delete(label);
    return saved;
  }
  private giveJump(label: string, saved: Env): void {
    if (saved === undefined) this.jumps.delete(label);
    else this.jumps.set(label, saved);
  }

  private define(local: Local, value: Expr, env: NonNullable<Env>): void {
    const r = this.eval(value, env);
    if (r === undefined) {
      if (!local.mutable && value.type.kind === "scalar" && value.type.name === "bool")
        this.conditions.set(local, value);
      return;
    }
    if (local.mutable) {
      env.set(local, r);
      this.forgetCopies([local]);
    } else {
      this.base.set(local, r);
      if (value.kind === "ref" && value.local.mutable) this.copies.set(local, value.local);
    }
    this.give(local, r);
  }
  /** From here on these variables may differ from their copies. */
  private forgetCopies(variables: Iterable<Local>): void {
    if (this.copies.size === 0) return;
    const changed = new Set(variables);
    for (const [local, of] of this.copies) if (changed.has(of)) this.copies.delete(local);
  }
  private give(local: Local, r: Range): void {
    if (this.mode !== "record") return;
    const known = this.given.get(local);
    this.given.set(local, known === undefined ? r : join(known, r));
  }

  private readonly assigned = new Map<Loop, ReadonlySet<Local>>();
  private assignedIn(s: Loop): ReadonlySet<Local> {
    let known = this.assigned.get(s);
    if (known === undefined) this.assigned.set(s, (known = assignedIn([s])));
    return known;
  }

  /** The state with locals that the loop leaves alone as they come in: nothing that a round says of them lasts. */
  private kept(s: Loop, entry: Env, incoming: Env): Env {
    if (entry === undefined || incoming === undefined) return incoming;
    const assigned = this.assignedIn(s);
    for (const [local, r] of entry) if (!assigned.has(local)) incoming.set(local, r);
    return incoming;
  }

  /** The state at a loop's head for this pass. */
  private head(s: Loop, entry: Env, bounds?: ReadonlyMap<Local, Range>): Env {
    this.loops = true;
    this.forgetCopies(this.assignedIn(s));
    const incoming = this.kept(s, entry, joinEnv(copy(entry), this.backs.get(s)));
    const known = this.heads.get(s);
    let next: Env;
    if (this.mode === "up") next = known === undefined ? incoming : widenEnv(known, incoming, this.far);
    else if (this.mode === "down") next = incoming;
    else {
      if (!withinEnv(incoming, known)) this.broken = true;
      next = known;
    }
    if (bounds !== undefined && this.mode !== "record") next = within(next, bounds);
    if (!sameEnv(known, next)) {
      this.changed = true;
      this.heads.set(s, next);
    }
    return copy(next);
  }

  private back(s: Loop, env: Env): void {
    const known = this.backs.get(s);
    if (this.mode === "record") {
      if (!withinEnv(env, this.heads.get(s))) this.broken = true;
      return;
    }
    const next = this.mode === "up" ? joinEnv(known, env) : env;
    if (!sameEnv(known, next)) this.changed = true;
    this.backs.set(s, copy(next));
  }

  /** How often a counted loop runs at most, as far as its counter is known. */
  private readonly rounds = new Map<Stmt, number>();

  /** Bounds of the integers that a counted loop only adds to. */
  private bounds(s: Extract<Stmt, { kind: "for" }>, env: NonNullable<Env>): Map<Local, Range> {
    const bounds = new Map<Local, Range>();
    const rounds = (inner: Stmt): number => this.rounds.get(inner) ?? Infinity;
    this.quiet = true;
    const moves = movesOf(s.body, (e) => this.compute(e, new Map()), rounds);
    this.quiet = false;
    for (const [local, move] of moves) {
      const start = env.get(local);
      const bound = start && reach(start, move, rounds(s));
      if (bound !== undefined) bounds.set(local, bound);
    }
    return bounds;
  }

  private counted(s: Extract<Stmt, { kind: "for" }>, env: NonNullable<Env>): Env {
    const from = this.eval(s.from, env) ?? ANY;
    const to = this.eval(s.to, env) ?? ANY;
    this.rounds.set(
      s,
      Math.max(0, Math.ceil((s.step > 0 ? to.hi - from.lo : from.hi - to.lo) / Math.abs(s.step))),
    );
    const bounds = this.bounds(s, env);
    const head = this.head(s, env, bounds);
    const i = counter(from, to, s.step);
    this.giveJump(s.label, undefined);
    this.giveJump(`${s.label} again`, undefined);
    if (i === undefined || head === undefined) {
      this.reached.delete(s);
      return env;
    }
    this.base.set(s.local, i);
    // The value that ends the loop is computed as well.
    this.give(s.local, s.step > 0 ? { ...i, hi: i.hi + s.step } : { ...i, lo: i.lo + s.step });
    const body = within(joinEnv(this.list(s.body, copy(head)), this.jumps.get(`${s.label} again`)), bounds);
    this.back(s, body);
    const left = within(this.takeJump(s.label), bounds);
    return joinEnv(joinEnv(copy(head), body), left);
  }

  private general(s: Extract<Stmt, { kind: "loop" }>, env: NonNullable<Env>): Env {
    const head = this.head(s, env);
    this.giveJump(s.label, undefined);
    this.giveJump(`${s.label} again`, undefined);
    if (head === undefined) return undefined;
    const test = (at: Env): [Env, Env] => {
      const after = this.list(s.test, at);
      if (after === undefined) return [undefined, undefined];
      if (this.mode === "record") this.tested.add(s);
      this.eval(s.cond, after);
      return [refine(this, s.cond, true, after), refine(this, s.cond, false, after)];
    };
    const round = (at: Env): Env => {
      const end = joinEnv(this.list(s.body, at), this.jumps.get(`${s.label} again`));
      return this.list(s.update, copy(end));
    };
    let exit: Env;
    if (s.testFirst) {
      const [inside, outside] = test(copy(head));
      exit = outside;
      this.back(s, round(inside));
    } else {
      const [inside, outside] = test(round(copy(head)));
      exit = outside;
      this.back(s, inside);
    }
    return joinEnv(exit, this.takeJump(s.label));
  }

  /** The range of a number expression; undefined for every other type. */
  eval(e: Expr, env: NonNullable<Env>): Range | undefined {
    const r = this.compute(e, env);
    if (this.quiet) return r;
    if (r !== undefined && e.kind === "apply") this.latest.set(e, r);
    if (r !== undefined && this.mode === "record") {
      const known = this.exprs.get(e);
      this.exprs.set(e, known === undefined ? r : join(known, r));
    }
    return r;
  }

  /**
   * The range of an operand of a condition that was just evaluated: fresh for locals, which refinement narrows step
   * by step, and as evaluated for the rest, so that nested conditions are not evaluated again and again.
   */
  again(e: Expr, env: NonNullable<Env>): Range | undefined {
    if (e.kind !== "apply") return this.compute(e, env);
    if (e.op === "cast_scalar") {
      const inner = e.args[0] as Expr;
      return isNumber(inner) ? this.again(inner, env) : BIT;
    }
    return this.latest.get(e) ?? this.eval(e, env);
  }

  private compute(e: Expr, env: NonNullable<Env>): Range | undefined {
    switch (e.kind) {
      case "const":
        return typeof e.value === "number" && isNumber(e) ? constRange(e.value) : undefined;
      case "ref":
        if (!isNumber(e)) return undefined;
        return env.get(e.local) ?? this.base.get(e.local) ?? ANY;
      case "apply":
        return this.apply(e, env);
    }
  }

  private apply(e: Apply, env: NonNullable<Env>): Range | undefined {
    const [x, y, z] = e.args;
    if (e.op === "select") {
      this.eval(x as Expr, env);
      const a = this.eval(y as Expr, refine(this, x as Expr, true, env) ?? env);
      const b = this.eval(z as Expr, refine(this, x as Expr, false, env) ?? env);
      return a !== undefined && b !== undefined ? join(a, b) : undefined;
    }
    // The right side of a condition is used only where the left side allows it; it is computed always.
    let a: Range | undefined;
    let b: Range | undefined;
    e.args.forEach((arg, i) => {
      const r = this.eval(arg, env);
      if (i === 0) a = r;
      else if (i === 1) b = r;
    });
    if (!isNumber(e)) return undefined;
    switch (e.op) {
      case "cast_scalar":
        return a ?? BIT;
      case "tile_id":
        return range(0, MAX_TILES - 1, true);
      case "tile_count":
        return range(1, MAX_TILES, true);
      case "get":
      case "extract":
      case "radd":
      case "rmin":
      case "rmax":
        return loaded(e);
      case "rmin_idx":
      case "rmax_idx":
        return range(-1, lanes(x as Expr) - 1, true);
      case "ptr_diff":
        return range(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, true);
      case "sin":
      case "cos":
        return range(-1, 1, false, { nan: true, nz: true, f32: true });
      case "tanh":
      case "erf":
        return range(-1, 1, false, { nan: a?.nan ?? true, nz: true, f32: true });
      case "sigmoid":
        return range(0, 1, false, { nan: a?.nan ?? true, nz: false, f32: true });
      case "rsqrt":
      case "recip":
        return ANY_F32;
      default: {
        if (isMathName(e.op)) return ANY_F32;
        const r = transfer(e.op, a ?? ANY, b ?? ANY, e.attrs, sameValue(x, y));
        // Ops that were emitted on f32 already round to f32.
        return e.type.kind === "scalar" && e.type.name === "f32" && !r.f32 ? ANY_F32 : r;
      }
    }
  }
}

/** The state with what is known about sums; in place. */
function within(env: Env, bounds: ReadonlyMap<Local, Range>): Env {
  if (env !== undefined) {
    for (const [local, bound] of bounds) {
      const r = env.get(local);
      if (r !== undefined) env.set(local, clamp(r, bound));
    }
  }
  return env;
}

function sameValue(x: Expr | undefined, y: Expr | undefined): boolean {
  const a = strip(x);
  const b = strip(y);
  return a !== undefined && b !== undefined && a.kind === "ref" && b.kind === "ref" && a.local === b.local;
}
function strip(e: Expr | undefined): Expr | undefined {
  return e?.kind === "apply" && e.op === "cast_scalar" ? strip(e.args[0]) : e;
}

function loaded(e: Apply): Range {
  const t = e.args[0]?.type;
  if (t?.kind === "ptr" || t?.kind === "vec") return t.dtype === "bool" ? BIT : dtypeRange(t.dtype);
  return ANY;
}
function lanes(e: Expr): number {
  return e.type.kind === "vec" ? e.type.lanes : 1;
}

export function isNumber(e: Expr): boolean {
  return e.type.kind === "scalar" && e.type.name !== "bool" && e.type.name !== "event";
}

/** What the counter is in the body; undefined where the body never runs. */
function counter(from: Range, to: Range, step: number): Range | undefined {
  if (step > 0) {
    const hi = from.int && Number.isFinite(to.hi) ? Math.ceil(to.hi) - 1 : to.hi;
    return from.lo <= hi ? range(from.lo, Math.max(hi, from.lo), from.int, { nz: from.nz }) : undefined;
  }
  const lo = from.int && Number.isFinite(to.lo) ? Math.floor(to.lo) + 1 : to.lo;
  return lo <= from.hi ? range(Math.min(lo, from.hi), from.hi, from.int, { nz: from.nz }) : undefined;
}
