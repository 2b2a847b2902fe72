/**
 * Where a kernel suspends. A barrier is a numbered place (1, 2, ... in the order of the text); a tile that reaches one saves
 * its locals and returns the number. Called again with it, it restores them and finds its way back through the
 * structured control flow: every statement knows the numbers inside it.
 */
import type { LocationIndex, Stmt } from "../../ir/kir.ts";
import { bodiesOf } from "../../ir/walk.ts";

/** First and last barrier number inside a statement. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

export interface Barriers {
  readonly spans: ReadonlyMap<Stmt, Span>;
  /** Location of barrier n at index n - 1. */
  readonly at: readonly LocationIndex[];
}

export function findBarriers(body: readonly Stmt[]): Barriers {
  const spans = new Map<Stmt, Span>();
  const at: LocationIndex[] = [];
  const visit = (s: Stmt): void => {
    const first = at.length + 1;
    if (s.kind === "effect" && s.value.op === "barrier") at.push(s.at);
    for (const b of bodiesOf(s)) for (const inner of b) visit(inner);
    if (at.length >= first) spans.set(s, { first, last: at.length });
  };
  for (const s of body) visit(s);
  return { spans, at };
}

/** The span of a list of statements; undefined when none of them suspends. */
export function spanOf(b: Barriers, list: readonly Stmt[]): Span | undefined {
  let span: Span | undefined;
  for (const s of list) {
    const own = b.spans.get(s);
    if (own === undefined) continue;
    span = span === undefined ? own : { first: span.first, last: own.last };
  }
  return span;
}
