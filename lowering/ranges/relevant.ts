/**
 * The locals that ranges of variables and loops depend on. Most of a kernel only uses numbers, as addresses and
 * operands: those are evaluated once, in the last pass.
 */
import type { Expr, Local, Stmt } from "../../ir/kir.ts";

export function relevantLocals(body: readonly Stmt[]): Set<Local> {
  const definitions = new Map<Local, Expr>();
  const relevant = new Set<Local>();
  const pending: Expr[] = [];
  const list = (stmts: readonly Stmt[]): void => {
    for (const s of stmts) {
      switch (s.kind) {
        case "let":
          if (s.local.mutable) pending.push(s.value);
          else definitions.set(s.local, s.value);
          break;
        case "assign":
          if (isScalar(s.local)) pending.push(s.value);
          break;
        case "effect":
          if (s.value.op === "assert") pending.push(s.value);
          break;
        case "if":
          pending.push(s.cond);
          list(s.then);
          list(s.else);
          break;
        case "for":
          pending.push(s.from, s.to);
          list(s.body);
          break;
        case "loop":
          pending.push(s.cond);
          list(s.test);
          list(s.body);
          list(s.update);
          break;
        case "block":
          list(s.body);
          break;
        default:
          break;
      }
    }
  };
  list(body);
  for (let e = pending.pop(); e !== undefined; e = pending.pop()) {
    if (e.kind === "apply") pending.push(...e.args);
    else if (e.kind === "ref" && !relevant.has(e.local)) {
      relevant.add(e.local);
      const definition = definitions.get(e.local);
      if (definition !== undefined) pending.push(definition);
    }
  }
  return relevant;
}

export function isScalar(l: Local): boolean {
  return l.type.kind === "scalar";
}
