/**
 * Walks and rewrites over KIR, for passes. Trees are immutable: a rewrite gives the same object back where nothing
 * changed, so that a pass can tell by identity whether it did something.
 */
import type { Apply, Expr, Kernel, Local, Stmt } from "./kir.ts";

// ---------------------------------------------------------------------------------------------- children

/** The expressions of a statement itself, in evaluation order; those of nested statements not included. */
export function exprsOf(s: Stmt): readonly Expr[] {
  switch (s.kind) {
    case "let":
    case "assign":
    case "effect":
      return [s.value];
    case "if":
    case "loop":
      return [s.cond];
    case "for":
      return [s.from, s.to];
    default:
      return [];
  }
}

/** The statement lists nested in a statement, in the order of the text form. */
export function bodiesOf(s: Stmt): readonly (readonly Stmt[])[] {
  switch (s.kind) {
    case "if":
      return [s.then, s.else];
    case "for":
    case "block":
      return [s.body];
    case "loop":
      return [s.test, s.body, s.update];
    default:
      return [];
  }
}

// ---------------------------------------------------------------------------------------------- visits

/** Calls `visit` for every statement, a statement before what is nested in it. */
export function forEachStmt(stmts: readonly Stmt[], visit: (s: Stmt) => void): void {
  for (const s of stmts) {
    visit(s);
    for (const body of bodiesOf(s)) forEachStmt(body, visit);
  }
}

/** Calls `visit` for an expression and all it consists of, an op before its operands. */
export function forEachIn(e: Expr, visit: (e: Expr) => void): void {
  visit(e);
  if (e.kind === "apply") for (const a of e.args) forEachIn(a, visit);
}

/** Calls `visit` for every expression of every statement. */
export function forEachExpr(stmts: readonly Stmt[], visit: (e: Expr) => void): void {
  forEachStmt(stmts, (s) => {
    for (const e of exprsOf(s)) forEachIn(e, visit);
  });
}

/** True when `test` holds for some part of the expression. */
export function someIn(e: Expr, test: (e: Expr) => boolean): boolean {
  return test(e) || (e.kind === "apply" && e.args.some((a) => someIn(a, test)));
}

/** True when `test` holds for some statement, nested ones included. */
export function someStmt(stmts: readonly Stmt[], test: (s: Stmt) => boolean): boolean {
  return stmts.some((s) => test(s) || bodiesOf(s).some((body) => someStmt(body, test)));
}

// ---------------------------------------------------------------------------------------------- rewrites

/** Rewrites an expression bottom up: `rewrite` sees an op whose operands were rewritten before. */
export function mapExpr(e: Expr, rewrite: (e: Expr) => Expr): Expr {
  if (e.kind !== "apply") return rewrite(e);
  return rewrite(
    withArgs(
      e,
      mapSame(e.args, (a) => mapExpr(a, rewrite)),
    ),
  );
}

/** The op with other operands; the same object when they are the same. */
function withArgs(e: Apply, args: readonly Expr[]): Apply {
  return args === e.args ? e : { ...e, args };
}

/** Rewrites every expression of every statement bottom up. The value of an effect must stay an op. */
export function mapExprs(stmts: readonly Stmt[], rewrite: (e: Expr) => Expr): readonly Stmt[] {
  return mapSame(stmts, (s) =>
    mapExprsOf(
      mapBodies(s, (body) => mapExprs(body, rewrite)),
      (e) => mapExpr(e, rewrite),
    ),
  );
}

/** Replaces the expressions of one statement itself, whole. */
export function mapExprsOf(s: Stmt, replace: (e: Expr) => Expr): Stmt {
  switch (s.kind) {
    case "let":
    case "assign": {
      const value = replace(s.value);
      return value === s.value ? s : { ...s, value };
    }
    case "effect": {
      const value = replace(s.value);
      if (value === s.value) return s;
      if (value.kind !== "apply")
        throw new TypeError(`the effect ${s.value.op} was rewritten to a ${value.kind}`);
      return { ...s, value };
    }
    case "if":
    case "loop": {
      const cond = replace(s.cond);
      return cond === s.cond ? s : { ...s, cond };
    }
    case "for": {
      const from = replace(s.from);
      const to = replace(s.to);
      return from === s.from && to === s.to ? s : { ...s, from, to };
    }
    default:
      return s;
  }
}

/** Replaces the statement lists nested in a statement. */
export function mapBodies(s: Stmt, replace: (body: readonly Stmt[]) => readonly Stmt[]): Stmt {
  switch (s.kind) {
    case "if": {
      const yes = replace(s.then);
      const no = replace(s.else);
      // biome-ignore lint/suspicious/noThenProperty: `then` is the field of KIR's if
      return yes === s.then && no === s.else ? s : { ...s, then: yes, else: no };
    }
    case "for":
    case "block": {
      const body = replace(s.body);
      return body === s.body ? s : { ...s, body };
    }
    case "loop": {
      const test = replace(s.test);
      const body = replace(s.body);
      const update = replace(s.update);
      return test === s.test && body === s.body && update === s.update ? s : { ...s, test, body, update };
    }
    default:
      return s;
  }
}

function mapSame<T>(list: readonly T[], f: (x: T) => T): readonly T[] {
  let out: T[] | undefined;
  list.forEach((x, i) => {
    const y = f(x);
    if (out === undefined && y !== x) out = list.slice(0, i);
    out?.push(y);
  });
  return out ?? list;
}

// ---------------------------------------------------------------------------------------------- locals

/** Every local in the order of its definition: parameters, then lets and loop counters. */
export function localsOf(k: Pick<Kernel, "params" | "body">): Local[] {
  const found = new Set<Local>(k.params.map((p) => p.local));
  forEachStmt(k.body, (s) => {
    if (s.kind === "let" || s.kind === "for") found.add(s.local);
  });
  return [...found];
}

/** The locals that some statement assigns; their `let` does not count. */
export function assignedIn(stmts: readonly Stmt[]): Set<Local> {
  const found = new Set<Local>();
  forEachStmt(stmts, (s) => {
    if (s.kind === "assign") found.add(s.local);
  });
  return found;
}
