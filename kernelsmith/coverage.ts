/** What kernels exercised: counted by the tags of their nodes. */
import { INTRINSICS } from "../dsl/index.ts";
import { ALL_DTYPES } from "../ir/dtype.ts";
import { BY_HAND, type Catalogue } from "./catalogue.ts";
import type { Expr, Program, Stmt, Template } from "./tree.ts";

export type Counts = Map<string, number>;

/** Adds the tags of a program, and its statements under `statement <kind>`. Gives the number of statements. */
export function countProgram(p: Program, counts: Counts): number {
  let statements = 0;
  const add = (key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
  const inExpr = (e: Expr): void => {
    for (const t of e.tags) add(t);
    inTemplate(e);
  };
  const inTemplate = (t: Template): void => t.args.forEach(inExpr);
  const inStmt = (s: Stmt): void => {
    statements++;
    add(`statement ${s.kind}`);
    for (const t of s.tags) add(t);
    s.heads.forEach(inTemplate);
    if (s.tail !== undefined) inTemplate(s.tail);
    for (const body of s.bodies) body.forEach(inStmt);
  };
  p.body.forEach(inStmt);
  for (const h of p.helpers) {
    add(`helper of ${h.result.is}`);
    if (h.func) add("func");
    h.body.forEach(inStmt);
  }
  for (const c of p.captured) c.tags.forEach(add);
  for (const q of p.params) add(`${q.pointer ? "pointer" : "scalar"} parameter ${q.dtype}`);
  add(`${p.tiles} tiles`);
  add(`register ${p.registerBits}`);
  return statements;
}

/** Lines of a program as it is printed, without imports. */
export function linesOf(p: Program): number {
  const lines = (list: readonly Stmt[]): number =>
    list.reduce((n, s) => n + 1 + s.bodies.length + s.bodies.reduce((k, b) => k + lines(b), 0), 0);
  return p.captured.length + p.helpers.reduce((n, h) => n + 2 + lines(h.body), 0) + 2 + lines(p.body);
}

/** Intrinsics that no kernel of the generator calls, and why. */
export const NOT_DRAWN: ReadonlyMap<string, string> = new Map([
  ["Ptr.eq", "pointers compare only by what the plan of the kernel says already"],
  ["Ptr.diff", "as Ptr.eq"],
  ["Ptr.isNull", "every pointer of a generated kernel has memory behind it"],
]);

export interface Missing {
  readonly what: string;
  readonly reason: string | undefined;
}

const METHOD_TAGS: Readonly<Record<string, string>> = { "Ptr.get": "get", "Ptr.set": "set", "Ptr.as": "as" };

/** What a run never exercised; only what has a reason may be among it. */
export function missing(counts: Counts, catalogue: Catalogue): Missing[] {
  const found: Missing[] = [];
  const need = (tag: string, what: string): void => {
    if (!counts.has(tag)) found.push({ what, reason: NOT_DRAWN.get(what) });
  };
  for (const record of INTRINSICS) {
    const tag = METHOD_TAGS[record.name] ?? record.name;
    if (catalogue.unusable.includes(record.name) && !BY_HAND.has(record.name))
      found.push({
        what: record.name,
        reason: NOT_DRAWN.get(record.name) ?? "its signature has no form that the catalogue can call",
      });
    else need(tag, record.name);
  }
  for (const d of ALL_DTYPES) need(`pointer parameter ${d}`, `dtype ${d}`);
  return found;
}
