/** `switch`, with fall-through. */
import type ts from "typescript";
import type { Expr, Stmt } from "../ir/kir.ts";
import { ifStmt } from "./emit.ts";
import { binary, toBoolean } from "./operators.ts";
import { mayAssign } from "./scan.ts";
import { hold, prepareRegion, region } from "./staging.ts";
import type { Value } from "./values.ts";
import type { Jump, Walker } from "./walker.ts";

/**
 * `switch`. Static: the statements from the matching clause on. Runtime: clauses in order under a flag that the
 * first match sets, which is what fall-through means; clauses that all end in a jump become an if-chain. Case values
 * that do something (a load may be out of bounds) are evaluated one after the other until one matches.
 */
export function switchStatement(w: Walker, node: ts.SwitchStatement, names: readonly string[]): Jump {
  const clauses = node.caseBlock.clauses;
  const subject = hold(w, w.expr(node.expression), "s");
  const outer = w.frame.scope;
  w.declareBlock(clauses.flatMap((c) => [...c.statements]));
  const matches = matchesOf(w, node, subject);
  const key = `${w.frame.path}/${node.pos}:switch`;
  const label = w.emit.label("sw");
  const isStatic = matches.every((m) => typeof m !== "object");
  const asRegion = !isStatic || w.forced.has(key);
  if (asRegion) prepareRegion(w, [node.caseBlock]);
  const depth = w.depth + (asRegion ? 1 : 0);
  w.frame.targets.push({
    names: [...names],
    breakTo: label,
    continueTo: undefined,
    depth,
    unrolled: isStatic && !asRegion ? key : undefined,
  });
  try {
    if (isStatic) {
      let jump: Jump;
      const run = (): void => {
        jump = staticSwitch(w, clauses, matches as (boolean | undefined)[]);
      };
      const list = asRegion ? region(w, run, false) : w.emit.collect(run);
      const leaves = jump !== undefined && jump.label !== label && label.used === 0;
      w.emit.block(label, list);
      return leaves ? jump : undefined;
    }
    return runtimeSwitch(w, clauses, matches, label);
  } finally {
    w.frame.targets.pop();
    w.frame.scope = outer;
  }
}

type Match = boolean | Expr | undefined;

/** For every clause whether it matches, where no clause before it did; undefined for `default`. */
function matchesOf(w: Walker, node: ts.SwitchStatement, subject: Value): Match[] {
  const t = w.ts;
  const clauses = node.caseBlock.clauses;
  const key = `${w.frame.path}/${node.pos}:cases`;
  if (w.forced.has(key)) return lazyMatches(w, node, subject);
  let known = false;
  /** No clause so far can match, so the next case value is evaluated for sure. */
  let certain = true;
  return clauses.map((c): Match => {
    if (!t.isCaseClause(c)) return undefined;
    // JavaScript does not evaluate what stands behind the clause that matches.
    if (known) return false;
    let match: Match;
    const list = w.emit.collect(() => {
      match = matchOf(w, node, subject, c);
    });
    const assigns = mayAssign(t, c.expression, (name) => w.frame.scope.find(name) !== undefined);
    if (!certain && (assigns || list.length > 0)) w.restart(key);
    w.emit.list.push(...list);
    known = match === true;
    certain &&= match === false;
    return match;
  });
}

function matchOf(
  w: Walker,
  node: ts.SwitchStatement,
  subject: Value,
  c: ts.CaseClause,
): Exclude<Match, undefined> {
  const v = w.expr(c.expression);
  return toBoolean(w, binary(w, "===", subject, v, node.expression, c.expression, c), c);
}

/**
 * Case values are evaluated in order, each where those before it did not match:
 *
 *     switch (s) { case f(): A; case g(): B; }     ->     %t = f(); if s === %t { %case = 0 }
 *                                                         else { %u = g(); if s === %u { %case = 1 } }
 */
function lazyMatches(w: Walker, node: ts.SwitchStatement, subject: Value): Match[] {
  const t = w.ts;
  const e = w.emit;
  const clauses = node.caseBlock.clauses;
  const cases = clauses.filter((c) => t.isCaseClause(c));
  prepareRegion(
    w,
    cases.map((c) => c.expression),
  );
  const chosen = e.variable("case", e.num(-1));
  const definite = w.definite;
  const from = (at: number): void => {
    const c = cases[at];
    if (c === undefined) return;
    const match = matchOf(w, node, subject, c);
    const site = e.site;
    const taken = (): Stmt[] => e.collect(() => e.assign(chosen, e.num(clauses.indexOf(c))));
    if (match === true) e.list.push(...taken());
    else if (match === false) from(at + 1);
    else {
      w.definite = new Set(w.definite);
      const rest = region(w, () => from(at + 1));
      e.list.push(ifStmt(match, taken(), rest, site));
    }
  };
  from(0);
  w.definite = definite;
  return clauses.map((c, i) => (t.isCaseClause(c) ? e.op("eq", [e.ref(chosen), e.num(i)]) : undefined));
}

function staticSwitch(
  w: Walker,
  clauses: readonly ts.CaseOrDefaultClause[],
  matches: readonly (boolean | undefined)[],
): Jump {
  let start = matches.indexOf(true);
  if (start < 0) start = clauses.findIndex((c) => w.ts.isDefaultClause(c));
  if (start < 0) return undefined;
  for (const c of clauses.slice(start)) {
    const jump = w.statements(c.statements);
    if (jump) return jump;
  }
  return undefined;
}

function runtimeSwitch(
  w: Walker,
  clauses: readonly ts.CaseOrDefaultClause[],
  matches: readonly (boolean | Expr | undefined)[],
  label: ReturnType<Walker["emit"]["label"]>,
): Jump {
  const e = w.emit;
  const at = e.site;
  const before = w.definite;
  const exprs = matches.map((m) => (m === undefined ? undefined : typeof m === "boolean" ? e.bool(m) : m));
  const bodies = clauses.map((c) => {
    let jump: Jump;
    w.definite = new Set(before);
    const list = region(w, () => void (jump = w.statements(c.statements)));
    return { list, jump, definite: w.definite };
  });
  const last = clauses.length - 1;
  const falls = bodies.some(
    (b, i) => i < last && clauses[i]?.statements.length !== 0 && b.jump === undefined,
  );
  const hasDefault = matches.some((m) => m === undefined);
  const ends = bodies.filter((b) => b.jump === undefined || b.jump.label === label);
  w.definite =
    hasDefault && !falls && ends.length > 0
      ? new Set([...(ends[0]?.definite ?? [])].filter((x) => ends.every((b) => b.definite.has(x))))
      : before;
  const leaves =
    hasDefault &&
    bodies[last]?.jump !== undefined &&
    bodies.every((b) => b.jump === undefined || b.jump.label !== label) &&
    label.used === 0;
  const list = e.collect(() => {
    if (falls)
      flagged(
        w,
        bodies.map((b) => b.list),
        exprs,
        at,
      );
    else
      chain(
        w,
        clauses,
        bodies.map((b) => b.list),
        exprs,
        at,
      );
  });
  e.block(label, list);
  return leaves ? { label: undefined } : undefined;
}

function chain(
  w: Walker,
  clauses: readonly ts.CaseOrDefaultClause[],
  bodies: readonly Stmt[][],
  matches: readonly (Expr | undefined)[],
  at: number,
): void {
  const arms: { cond: Expr | undefined; body: Stmt[] }[] = [];
  let cond: Expr | undefined;
  let isDefault = false;
  bodies.forEach((body, i) => {
    const m = matches[i];
    if (m === undefined) isDefault = true;
    else cond = cond === undefined ? m : w.emit.op("or", [cond, m]);
    if (clauses[i]?.statements.length === 0 && i < bodies.length - 1) return;
    arms.push({ cond: isDefault ? undefined : cond, body });
    cond = undefined;
    isDefault = false;
  });
  let rest: Stmt[] = arms.find((a) => a.cond === undefined)?.body ?? [];
  for (const a of arms.filter((x) => x.cond !== undefined).reverse())
    rest = [ifStmt(a.cond as Expr, a.body, rest, at)];
  w.emit.list.push(...rest);
}

function flagged(
  w: Walker,
  bodies: readonly Stmt[][],
  matches: readonly (Expr | undefined)[],
  at: number,
): void {
  const e = w.emit;
  const cases = matches.filter((m) => m !== undefined);
  const any = cases.length > 0 ? cases.reduce((x, y) => e.op("or", [x, y])) : e.bool(false);
  const on = e.variable("on", e.bool(false));
  bodies.forEach((body, i) => {
    const match = matches[i] ?? e.op("not", [any]);
    e.assign(on, e.op("or", [e.ref(on), match]));
    if (body.length > 0) e.list.push(ifStmt(e.ref(on), body, [], at));
  });
}
