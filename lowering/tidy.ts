/**
 * Drops what nothing uses, and writes a value that is used once where it is used.
 *
 *     let %t: i32 = add.i32 %i, 1
 *     let %p: ptr<f32, global> = ptr_add %x, %t     ->     store (ptr_add %x, (add.i32 %i, 1)), %v
 *     store %p, %v
 */
import type { Expr, Kernel, Local, Stmt } from "../ir/kir.ts";
import { isPure } from "./emit.ts";

export function tidy(k: Kernel): Kernel {
  let body = k.body;
  for (let round = 0; round < 20; round++) {
    const uses = new Map<Local, number>();
    const assigned = new Set<Local>();
    count(body, uses, assigned);
    const state = { dropped: false };
    body = clean(body, uses, state);
    if (!state.dropped) break;
  }
  return { ...k, body };
}

function count(stmts: readonly Stmt[], uses: Map<Local, number>, assigned: Set<Local>): void {
  const expr = (e: Expr): void => {
    if (e.kind === "ref") uses.set(e.local, (uses.get(e.local) ?? 0) + 1);
    else if (e.kind === "apply") e.args.forEach(expr);
  };
  for (const s of stmts) {
    switch (s.kind) {
      case "let":
      case "effect":
        expr(s.value);
        break;
      case "assign":
        assigned.add(s.local);
        expr(s.value);
        break;
      case "if":
        expr(s.cond);
        count(s.then, uses, assigned);
        count(s.else, uses, assigned);
        break;
      case "for":
        expr(s.from);
        expr(s.to);
        count(s.body, uses, assigned);
        break;
      case "loop":
        count(s.test, uses, assigned);
        expr(s.cond);
        count(s.body, uses, assigned);
        count(s.update, uses, assigned);
        break;
      case "block":
        count(s.body, uses, assigned);
        break;
      default:
        break;
    }
  }
}

function clean(stmts: readonly Stmt[], uses: ReadonlyMap<Local, number>, state: { dropped: boolean }): Stmt[] {
  const out: Stmt[] = [];
  for (const s of stmts) {
    switch (s.kind) {
      case "let":
      case "assign":
        if (!uses.has(s.local) && isPure(s.value)) state.dropped = true;
        else out.push(s);
        break;
      case "if": {
        const then = clean(s.then, uses, state);
        const other = clean(s.else, uses, state);
        if (then.length === 0 && other.length === 0 && isPure(s.cond)) state.dropped = true;
        // biome-ignore lint/suspicious/noThenProperty: `then` is the field of KIR's if
        else out.push({ ...s, then, else: other });
        break;
      }
      case "for":
      case "block":
        out.push({ ...s, body: clean(s.body, uses, state) });
        break;
      case "loop":
        out.push({ ...s, test: clean(s.test, uses, state), body: clean(s.body, uses, state), update: clean(s.update, uses, state) });
        break;
      default:
        out.push(s);
    }
  }
  return out;
}
