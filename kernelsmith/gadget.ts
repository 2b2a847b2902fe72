/**
 * Small pieces of kernels in which a bug can be planted: correct as they stand, and with one change certainly wrong. The
 * change is an edit of the tree at marked statements.
 */
import type { DiagnosticCode } from "../ir/codes.ts";
import type { DTypeName } from "../ir/dtype.ts";
import type { Maker } from "./maker.ts";
import { type Captured, type Param, type Stmt, simple, template } from "./tree.ts";

/** What a gadget is made of: names that nothing else uses, and what is drawn for it. */
export interface Bench {
  readonly m: Maker;
  readonly tiles: number;
  readonly dtype: DTypeName;
  /** Elements of one part, and lanes of one access: lanes divide the size. */
  readonly size: number;
  readonly lanes: number;
  /** A number of the dtype as source; a boolean for bool. */
  readonly value: string;
  readonly params: Param[];
  readonly captured: Captured[];
  name(what: string): string;
  /** A new pointer parameter, its values all 1. */
  param(dtype: DTypeName, size: number, constant?: boolean): string;
  /** Statements that have nothing to do with the gadget. */
  noise(): Stmt[];
}

export interface Gadget {
  /** Allocations: they stand outside of loops. */
  readonly setup: readonly Stmt[];
  readonly steps: readonly Stmt[];
  /** What comes after everything: freeing events. */
  readonly end: readonly Stmt[];
  /** The bug. */
  plant(g: Parts): Parts;
  /** False when the steps may not be repeated in a loop. */
  readonly once?: boolean;
}
export type Parts = Pick<Gadget, "setup" | "steps" | "end">;

export interface MutationKind {
  readonly name: string;
  /** Codes that name the bug. */
  readonly codes: readonly DiagnosticCode[];
  /** Tiles that it takes to show. */
  readonly tiles: 1 | 2;
  /** False where events or other work of the kernel around would report first. */
  readonly events?: boolean;
  make(b: Bench): Gadget;
}

// ---------------------------------------------------------------------------------------------- statements as text

export const line = (text: string, mark?: string): Stmt =>
  simple("gadget", template([text]), mark === undefined ? {} : { mark });
export const block = (head: string, body: readonly Stmt[], mark?: string): Stmt => ({
  kind: "gadget",
  heads: [template([head])],
  bodies: [body],
  tags: [],
  ...(mark === undefined ? {} : { mark }),
});

type Edit = (s: Stmt) => readonly Stmt[];
function edit(stmts: readonly Stmt[], mark: string, change: Edit): Stmt[] {
  return stmts.flatMap((s) => {
    if (s.mark === mark) return change(s);
    return [{ ...s, bodies: s.bodies.map((b) => edit(b, mark, change)) }];
  });
}
const everywhere = (g: Parts, mark: string, change: Edit): Parts => ({
  setup: edit(g.setup, mark, change),
  steps: edit(g.steps, mark, change),
  end: edit(g.end, mark, change),
});

export const drop =
  (mark: string) =>
  (g: Parts): Parts =>
    everywhere(g, mark, () => []);
export const replace =
  (mark: string, ...stmts: readonly Stmt[]) =>
  (g: Parts): Parts =>
    everywhere(g, mark, () => stmts);
/** Changes the text of one statement. */
export const rewrite =
  (mark: string, from: string, to: string) =>
  (g: Parts): Parts =>
    everywhere(g, mark, (s) => {
      const before = s.heads[0]?.parts[0] ?? "";
      if (!before.includes(from)) throw new TypeError(`"${before}" has no "${from}"`);
      return [{ ...s, heads: [template([before.replace(from, () => to)]), ...s.heads.slice(1)] }];
    });
export const after =
  (mark: string, ...stmts: readonly Stmt[]) =>
  (g: Parts): Parts =>
    everywhere(g, mark, (s) => [s, ...stmts]);
export const before =
  (mark: string, ...stmts: readonly Stmt[]) =>
  (g: Parts): Parts =>
    everywhere(g, mark, (s) => [...stmts, s]);
/** Only the body of a block is left. */
export const unwrap =
  (mark: string) =>
  (g: Parts): Parts =>
    everywhere(g, mark, (s) => s.bodies[0] ?? []);

// ---------------------------------------------------------------------------------------------- accesses as text

/** `buffer` of `count` elements, in a scope. */
export const alloc = (b: Bench, name: string, count: number, scope: string): Stmt =>
  line(`const ${name} = S.alloc(${b.dtype}, ${count}, "${scope}")`);

/** A vector of the bench's dtype as source. */
export const lanesOf = (b: Bench, n = b.lanes): string => `S.vbcast(${b.value}, ${b.dtype}, ${n})`;

/** Writes `count` elements from a pointer on, all of them, in some way. */
export function fill(b: Bench, p: string, count: number, mark?: string): Stmt {
  const { r } = b.m;
  const ways = count % b.lanes === 0 ? 3 : 2;
  const i = b.name("i");
  switch (r.below(ways)) {
    case 0:
      return line(`S.dmaMemset(${p}, ${b.value}, ${count})`, mark);
    case 1:
      return block(`for (let ${i} = 0; ${i} < ${count}; ${i}++)`, [line(`${p}.set(${i}, ${b.value})`)], mark);
    default:
      return block(
        `for (let ${i} = 0; ${i} < ${count}; ${i} += ${b.lanes})`,
        [line(`S.vstore(${lanesOf(b)}, ${p}.at(${i}))`)],
        mark,
      );
  }
}

/** Reads all of `count` elements from a pointer on, and lets the kernel see them. */
export function use(b: Bench, p: string, count: number, mark?: string): Stmt {
  const { r } = b.m;
  const v = b.name("v");
  const sink = b.param(b.dtype, Math.max(count, b.lanes) * b.tiles);
  const own = `${sink}.at(S.tileId() * ${Math.max(count, b.lanes)})`;
  const i = b.name("i");
  switch (r.below(count % b.lanes === 0 ? 3 : 2)) {
    case 0:
      return line(`S.dmaCopy(${own}, ${p}, ${count})`, mark);
    case 1:
      return block(
        `for (let ${i} = 0; ${i} < ${count}; ${i}++)`,
        [line(`${own}.set(${i}, ${p}.get(${i}))`)],
        mark,
      );
    default:
      return block(
        `for (let ${i} = 0; ${i} < ${count}; ${i} += ${b.lanes})`,
        [
          line(`const ${v} = S.vload(${p}.at(${i}), { lanes: ${b.lanes} })`),
          line(`S.vstore(${v}, ${own}.at(${i}))`),
        ],
        mark,
      );
  }
}
