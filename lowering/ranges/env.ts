/** Ranges of the mutable locals at one point of the program, and what conditions say about locals there. */
import type { Local } from "../../ir/kir.ts";
import { join, type Range, sameRange, widen, within } from "./range.ts";

/** Undefined where control does not come. */
export type Env = Map<Local, Range> | undefined;

export function copy(e: Env): Env {
  return e === undefined ? undefined : new Map(e);
}

/** What holds on both ways. A local that only one side knows about is refined there only, or out of scope. */
export function joinEnv(a: Env, b: Env): Env {
  if (a === undefined) return b;
  if (b === undefined) return a;
  const out = new Map<Local, Range>();
  for (const [local, r] of a) {
    const s = b.get(local);
    if (s !== undefined) out.set(local, join(r, s));
  }
  return out;
}

export function widenEnv(old: Env, next: Env, far: boolean): Env {
  if (old === undefined) return next;
  if (next === undefined) return old;
  const out = new Map<Local, Range>();
  for (const [local, r] of old) {
    const s = next.get(local);
    if (s !== undefined) out.set(local, widen(r, s, far));
  }
  return out;
}

export function sameEnv(a: Env, b: Env): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.size !== b.size) return false;
  for (const [local, r] of a) {
    const s = b.get(local);
    if (s === undefined || !sameRange(r, s)) return false;
  }
  return true;
}

/** Whether everything a says is allowed by b. */
export function withinEnv(a: Env, b: Env): boolean {
  if (a === undefined) return true;
  if (b === undefined) return false;
  for (const [local, r] of b) {
    const s = a.get(local);
    if (s === undefined || !within(s, r)) return false;
  }
  return true;
}
