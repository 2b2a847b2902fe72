/**
 * The smallest kernel that still shows a finding: delta debugging on the tree. Statements go (halves of a list first), loops
 * and branches become their bodies, expressions become an operand or a constant, captured values and parameters that
 * nothing names go, values become plain. A candidate that is no valid kernel shows another finding, and is dropped.
 */
import { evaluate } from "./evaluate.ts";
import {
  type AnyKernel,
  type Finding,
  findingText,
  type RunOptions,
  runProgram,
  signature,
} from "./executions.ts";
import { arrayText, importsOf, printProgram, text } from "./print.ts";
import {
  type Expr,
  literal,
  type Program,
  type Stmt,
  simple,
  suits,
  type Template,
  type Ty,
  template,
} from "./tree.ts";

export interface Shrunk {
  readonly program: Program;
  readonly finding: Finding;
  /** Candidates tried. */
  readonly tried: number;
}

/** Candidates tried at most: a few seconds. */
const MOST_TRIED = 1500;

/** Shrinks a program while `show` gives a finding with the same signature. */
export function shrinkBy(
  p: Program,
  finding: Finding,
  show: (p: Program) => Finding | undefined,
  most = MOST_TRIED,
): Shrunk {
  const wanted = signature(finding);
  let best = p;
  let found = finding;
  let tried = 0;
  const accept = (candidate: Program): boolean => {
    if (tried >= most || !ends(candidate)) return false;
    tried++;
    const f = show(candidate);
    if (f === undefined || signature(f) !== wanted) return false;
    best = candidate;
    found = f;
    return true;
  };
  for (let before = ""; before !== print(best) && tried < most; ) {
    before = print(best);
    for (const pass of PASSES) pass(() => best, accept);
  }
  return { program: best, finding: found, tried };
}

export function shrink(p: Program, finding: Finding, o: RunOptions = {}): Shrunk {
  return shrinkBy(p, finding, (candidate) => {
    try {
      const [kernel] = evaluate([candidate]);
      return runProgram(candidate, kernel as AnyKernel, {
        ...o,
        thorough: true,
        ...("way" in finding ? { only: finding.way } : {}),
      });
    } catch (error) {
      // A jump that has lost its loop does not even parse.
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  });
}

/** Whether every `while` and `do` still counts up to its bound: a kernel that never ends would keep the shrinker for good. */
function ends(p: Program): boolean {
  for (const { stmts } of lists(p))
    for (const s of stmts) {
      if (s.kind !== "while" && s.kind !== "do") continue;
      const counter = /^(\w+)\+\+$/.exec(s.bodies[0]?.[0]?.heads[0]?.parts[0] ?? "")?.[1];
      const condition = text(s.tail ?? (s.heads[0] as Template));
      if (counter === undefined || !condition.includes(`${counter} < `)) return false;
    }
  return true;
}

const print = (p: Program): string => JSON.stringify([p.body, p.helpers, p.params, p.captured, p.tiles]);

type Pass = (best: () => Program, accept: (p: Program) => boolean) => void;

// ---------------------------------------------------------------------------------------------- statements

/** A list of statements somewhere in a program, and the program with another list there. */
interface List {
  readonly stmts: readonly Stmt[];
  readonly put: (stmts: readonly Stmt[]) => Program;
}

function* lists(p: Program): Generator<List, void, void> {
  yield { stmts: p.body, put: (body) => ({ ...p, body }) };
  yield* within(p.body, (body) => ({ ...p, body }));
  for (const [i, h] of p.helpers.entries()) {
    const put = (body: readonly Stmt[]): Program => ({ ...p, helpers: p.helpers.with(i, { ...h, body }) });
    yield { stmts: h.body, put };
    yield* within(h.body, put);
  }
}
function* within(stmts: readonly Stmt[], put: List["put"]): Generator<List, void, void> {
  for (const [i, s] of stmts.entries()) {
    for (const [j, body] of s.bodies.entries()) {
      const here = (b: readonly Stmt[]): Program => put(stmts.with(i, { ...s, bodies: s.bodies.with(j, b) }));
      yield { stmts: body, put: here };
      yield* within(body, here);
    }
  }
}

/** The n-th list of the program as it is now. */
function listAt(p: Program, n: number): List | undefined {
  let i = 0;
  for (const l of lists(p)) if (i++ === n) return l;
  return undefined;
}

const dropStatements: Pass = (best, accept) => {
  for (let n = 0; ; n++) {
    const list = listAt(best(), n);
    if (list === undefined) return;
    for (let size = Math.max(1, list.stmts.length >> 1); size >= 1; size >>= 1) {
      // From the end: what nothing uses any more goes first.
      for (let at = list.stmts.length - size; at >= -size + 1; at -= size) {
        const now = listAt(best(), n);
        if (now === undefined) return;
        const from = Math.max(0, at);
        const rest = [...now.stmts.slice(0, from), ...now.stmts.slice(from + size)];
        if (rest.length < now.stmts.length) accept(closed(now.put(rest)));
      }
    }
  }
};

const unwrapStatements: Pass = (best, accept) => {
  for (let n = 0; ; n++) {
    const list = listAt(best(), n);
    if (list === undefined) return;
    for (let at = list.stmts.length - 1; at >= 0; at--) {
      const now = listAt(best(), n);
      const s = now?.stmts[at];
      if (now === undefined || s === undefined || s.bodies.length === 0) continue;
      for (const [i, body] of s.bodies.entries()) {
        const counters = (s.binds?.[i] ?? []).map((b) =>
          simple("const", template([`const ${b.name} = ${b.first}`]), { declares: [b.name] }),
        );
        const opened = body
          .flatMap((b) => (b.kind === "case" ? b.bodies.flat() : [b]))
          .filter((b) => b.kind !== "jump");
        if (
          accept(
            closed(now.put([...now.stmts.slice(0, at), ...counters, ...opened, ...now.stmts.slice(at + 1)])),
          )
        )
          break;
        if (s.bodies.length > 1)
          accept(closed(now.put(now.stmts.with(at, { ...s, bodies: s.bodies.with(i, []) }))));
      }
    }
  }
};

// ---------------------------------------------------------------------------------------------- expressions

interface Place {
  readonly e: Expr;
  readonly put: (e: Expr) => Program;
}

function* places(p: Program): Generator<Place, void, void> {
  for (const l of lists(p))
    for (const [i, s] of l.stmts.entries()) {
      const change = (made: Stmt): Program => l.put(l.stmts.with(i, made));
      for (const [j, h] of s.heads.entries())
        yield* inTemplate(h, (t) => change({ ...s, heads: s.heads.with(j, t) }));
      const { tail } = s;
      if (tail !== undefined) yield* inTemplate(tail, (t) => change({ ...s, tail: t }));
    }
}
function* inTemplate(t: Template, put: (t: Template) => Program): Generator<Place, void, void> {
  for (const [i, e] of t.args.entries()) {
    const here = (x: Expr): Program => put({ ...t, args: t.args.with(i, x) });
    yield { e, put: here };
    yield* inTemplate(e, (x) => here({ ...e, ...x }));
  }
}
function placeAt(p: Program, n: number): Place | undefined {
  let i = 0;
  for (const q of places(p)) if (i++ === n) return q;
  return undefined;
}

const simplifyExpressions: Pass = (best, accept) => {
  for (let n = 0; ; n++) {
    const place = placeAt(best(), n);
    if (place === undefined) return;
    const { e, put } = place;
    for (const simpler of simplerThan(e)) if (accept(closed(put(simpler)))) break;
  }
};

/** Simpler expressions of a type that suits: constants, then operands however deep, then fewer options. */
function* simplerThan(e: Expr): Generator<Expr, void, void> {
  if (e.args.length === 0 && e.name === undefined && !/\d\d|\./.test(e.parts[0] ?? "")) return;
  const size = sizeOf(e);
  const plain = plainOf(e.type);
  if (plain !== undefined && sizeOf(plain) < size) yield plain;
  const inside: Expr[] = [];
  const collect = (x: Expr): void => {
    for (const a of x.args) {
      if (suits(a.type, e.type) && sizeOf(a) < size) inside.push(a);
      collect(a);
    }
  };
  collect(e);
  inside.sort((a, b) => sizeOf(a) - sizeOf(b));
  yield* inside;
  const bare = withoutOptions(e);
  if (bare !== undefined) yield bare;
}
const sizeOf = (e: Expr): number =>
  e.parts.reduce((n, p) => n + p.length, 0) + e.args.reduce((n, a) => n + sizeOf(a), 0);

function plainOf(t: Ty): Expr | undefined {
  switch (t.is) {
    case "num":
      return literal(t, 1);
    case "int":
      return literal(t, t.low <= 1 && t.high >= 1 ? 1 : t.low);
    case "bool":
      return { type: t, parts: ["true"], args: [], tags: [] };
    case "mask":
      return { type: t, parts: [`S.constMask("${t.lanes}T")`], args: [], tags: [] };
    case "vec":
      return { type: t, parts: [`S.vbcast(1, ${t.dtype}, ${t.lanes})`], args: [], tags: [] };
    default:
      return undefined;
  }
}

/** `f(x, { mask: m })` without its options. */
function withoutOptions(e: Expr): Expr | undefined {
  const at = e.parts.findIndex((p) => p.startsWith(", { "));
  if (at < 1) return undefined;
  return { ...e, parts: [...e.parts.slice(0, at), ")"], args: e.args.slice(0, at) };
}

// ---------------------------------------------------------------------------------------------- the rest

const simplifyProgram: Pass = (best, accept) => {
  for (const tiles of [1, 2, 3]) if (tiles < best().tiles) accept({ ...best(), tiles });
  for (let i = best().params.length - 1; i >= 0; i--) {
    const p = best();
    const param = p.params[i]!;
    const text = printProgram({ ...p, params: p.params.toSpliced(i, 1) }, { types: false });
    if (
      p.params.length > 1 &&
      !new RegExp(`\\b${param.name}\\b`).test(text) &&
      accept({ ...p, params: p.params.toSpliced(i, 1) })
    )
      continue;
    for (const fill of [0, 1]) {
      if (param.values.every((v) => Object.is(v, fill))) break;
      if (
        accept({
          ...best(),
          params: best().params.with(i, { ...param, values: param.values.map(() => fill) }),
        })
      )
        break;
    }
  }
};

/** A parameter's values one by one, when few enough are left to be looked at. */
const simplifyValues: Pass = (best, accept) => {
  for (let i = 0; i < best().params.length; i++) {
    const { length } = best().params[i]!.values;
    for (let size = length >> 1; size >= 1; size >>= 1) {
      for (let at = 0; at < length; at += size) {
        const p = best();
        const param = p.params[i]!;
        const values = param.values.map((v, k) => (k >= at && k < at + size ? 0 : v));
        if (values.some((v, k) => !Object.is(v, param.values[k])))
          accept({ ...p, params: p.params.with(i, { ...param, values }) });
      }
      if (size <= length / 16) break;
    }
  }
};

/** Without helpers and captured names that nothing mentions. */
function closed(p: Program): Program {
  const body = JSON.stringify(p.body);
  const helpers = p.helpers.filter(
    (h, i) =>
      body.includes(`${h.name}(`) ||
      p.helpers.slice(i + 1).some((g) => JSON.stringify(g.body).includes(`${h.name}(`)),
  );
  const all = body + JSON.stringify(helpers);
  return { ...p, helpers, captured: p.captured.filter((c) => new RegExp(`\\b${c.name}\\b`).test(all)) };
}

const PASSES: readonly Pass[] = [
  dropStatements,
  unwrapStatements,
  simplifyExpressions,
  simplifyProgram,
  simplifyValues,
];

// ---------------------------------------------------------------------------------------------- report

/** A test that shows the finding, ready to paste into tests/kernels. */
export function regressionTest(p: Program, f: Finding): string {
  const source = printProgram(p, { types: true })
    .replace(/^import[^\n]*\n\n/, "")
    .replace("export const k", "const k")
    .trimEnd();
  const args = p.params.map((q) =>
    q.pointer
      ? arrayText(q.dtype, q.values)
      : q.dtype === "bool"
        ? String(q.values[0] !== 0)
        : String(q.values[0]),
  );
  return [
    `// seed ${p.seed}; ${p.tiles} ${p.tiles === 1 ? "tile" : "tiles"}, registers of ${p.registerBits} bits`,
    `// ${findingText(f).split("\n")[0]}`,
    `// imports: ${importsOf(source).join(", ")}`,
    `test("kernelsmith ${p.seed}", () => {`,
    ...source.split("\n").map((l) => `  ${l}`),
    `  expectAgreement(k, [${args.join(", ")}], { tiles: ${p.tiles}, registerBits: ${p.registerBits} });`,
    "});",
  ].join("\n");
}
