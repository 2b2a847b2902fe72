/**
 * Which variables decide commands: those that conditions, bounds of loops and operands of engines are made of, and all
 * that these are made of in turn. Every other variable is data, whose value nobody asks for.
 *
 *     for %i = 0 to %n { let %x = load %p[%i]; dma_copy %q[%k], ...; %k = add %k, 4 }      decide: %n, %q, %k
 */
import type { Expr, Kernel, Local, Stmt } from "../../ir/kir.ts";
import { OPS } from "../../ir/ops.ts";
import { exprsOf, forEachIn, forEachStmt } from "../../ir/walk.ts";

/** Whether the statement asks an engine, an event or the other tiles for something, or marks a place. */
export function isCommand(s: Stmt): boolean {
  if (s.kind !== "let" && s.kind !== "assign" && s.kind !== "effect") return false;
  if (s.value.kind !== "apply") return false;
  const { op } = s.value;
  const { cost } = OPS[op];
  return cost === "engine" || cost === "sync" || op === "perf_begin" || op === "perf_end";
}

export function decidingLocals(k: Kernel): ReadonlySet<Local> {
  const values = new Map<Local, Expr[]>();
  const found = new Set<Local>();
  const todo: Local[] = [];
  const need = (e: Expr): void =>
    forEachIn(e, (x) => {
      if (x.kind !== "ref" || found.has(x.local)) return;
      if (x.type.kind === "vec" || x.type.kind === "mask") return;
      found.add(x.local);
      todo.push(x.local);
    });
  forEachStmt(k.body, (s) => {
    if (s.kind === "let" || s.kind === "assign") {
      const known = values.get(s.local);
      if (known === undefined) values.set(s.local, [s.value]);
      else known.push(s.value);
    }
    if (s.kind === "if" || s.kind === "loop" || s.kind === "for" || isCommand(s)) exprsOf(s).forEach(need);
  });
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) values.get(next)?.forEach(need);
  return found;
}
