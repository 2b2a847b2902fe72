/**
 * Drops what nothing uses, and writes a value that is used once where it is used.
 *
 *     let %t: i32 = add.i32 %i, 1
 *     let %p: ptr<f32, global> = ptr_add %x, %t     ->     store (ptr_add %x, (add.i32 %i, 1)), %v
 *     store %p, %v
 */

import { foldKernel } from "../ir/fold.ts";
import type { Expr, Kernel, Local, Stmt } from "../ir/kir.ts";
import { exprsOf, mapBodies, mapExpr, mapExprsOf, someIn } from "../ir/walk.ts";
import { ifStmt, isPure } from "./emit.ts";

interface State {
  /** Something went in this round, so that another one may find more. */
  dropped: boolean;
  /** Id of the next local made here. */
  nextId: number;
}

export function tidy(k: Kernel): Kernel {
  let body = foldKernel(k).body;
  const state: State = { dropped: false, nextId: 2_000_000 };
  for (let round = 0; round < 20; round++) {
    const uses = new Map<Local, number>();
    const assigned = new Set<Local>();
    count(body, uses, assigned);
    state.dropped = false;
    body = clean(merge(body, uses, state), uses, state);
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

/**
 * Two neighbours, of which the second is the only use of the first: a copy takes the value itself, and a value that
 * lowering named on its own is written where it is used.
 */
function merge(stmts: readonly Stmt[], uses: ReadonlyMap<Local, number>, state: State): Stmt[] {
  const out: Stmt[] = [];
  for (const given of stmts) {
    const s = mapBodies(given, (body) => merge(body, uses, state));
    const last = out[out.length - 1];
    if (last?.kind !== "let" || last.local.mutable || uses.get(last.local) !== 1) {
      out.push(s);
      continue;
    }
    if ((s.kind === "let" || s.kind === "assign") && s.value.kind === "ref" && s.value.local === last.local) {
      out[out.length - 1] = { ...s, value: last.value, at: last.at };
      state.dropped = true;
    } else if (last.local.name === "t" && s.kind !== "loop" && isPure(last.value) && reads(s, last.local)) {
      const { local, value } = last;
      out[out.length - 1] = mapExprsOf(s, (e) =>
        mapExpr(e, (x) => (x.kind === "ref" && x.local === local ? value : x)),
      );
      state.dropped = true;
    } else out.push(s);
  }
  return out;
}

function reads(s: Stmt, local: Local): boolean {
  return exprsOf(s).some((e) => someIn(e, (x) => x.kind === "ref" && x.local === local));
}

function clean(stmts: readonly Stmt[], uses: ReadonlyMap<Local, number>, state: State): Stmt[] {
  const out: Stmt[] = [];
  for (const s of stmts) {
    switch (s.kind) {
      case "let":
      case "assign":
        if (uses.has(s.local)) out.push(s);
        else if (isPure(s.value)) state.dropped = true;
        // Nothing reads the variable any more, but its value still reads memory.
        else out.push({ ...s, kind: "let", local: { ...s.local, mutable: false, id: state.nextId++ } });
        break;
      case "if": {
        const then = clean(s.then, uses, state);
        const other = clean(s.else, uses, state);
        if (then.length === 0 && other.length === 0 && isPure(s.cond)) state.dropped = true;
        else out.push(ifStmt(s.cond, then, other, s.at));
        break;
      }
      case "for":
      case "block":
        out.push({ ...s, body: clean(s.body, uses, state) });
        break;
      case "loop":
        out.push({
          ...s,
          test: clean(s.test, uses, state),
          body: clean(s.body, uses, state),
          update: clean(s.update, uses, state),
        });
        break;
      default:
        out.push(s);
    }
  }
  return out;
}
