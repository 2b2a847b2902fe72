/**
 * Builds KIR at level `open`: statement lists, locals, op applications, the tables of texts, constants and sites.
 */
import type { DTypeName } from "../ir/dtype.ts";
import {
  type Apply,
  type Attrs,
  type Const,
  type Expr,
  type Local,
  type LocationIndex,
  type Stmt,
  scalar,
  type Type,
  typeText,
} from "../ir/kir.ts";
import { OPS, type OpName } from "../ir/ops.ts";

/** A local under construction: its name and mutability may still change. */
export type Draft = { -readonly [K in keyof Local]: Local[K] };

/** The label of a block or loop, and whether something jumps to it. */
export interface Label {
  readonly name: string;
  used: number;
}

const NUMBERS = new Set(["num", "i32", "i64", "f32", "f64"]);
const NO_ATTRS: Attrs = {};

export class Emitter {
  /** The list that statements are appended to. */
  list: Stmt[] = [];
  /** Site of the node being lowered. */
  site: LocationIndex = 0;
  readonly tables: { dtype: DTypeName; values: readonly number[] }[] = [];
  readonly texts: string[] = [];
  /** Rounds unrolled so far. */
  rounds = 0;
  private locals = 0;
  private labels = 0;
  /** Locals that lowering made up and that the author's `const` may name. */
  private readonly unnamed = new Set<Local>();

  local(name: string, type: Type, mutable: boolean): Draft {
    return { id: this.locals++, name, type, mutable };
  }
  label(name: string): Label {
    return { name: `${name}${this.labels++ || ""}`, used: 0 };
  }
  ref(local: Local): Expr {
    return { kind: "ref", type: local.type, local, at: this.site };
  }
  num(value: number): Const {
    return { kind: "const", type: scalar("num"), value, at: this.site };
  }
  bool(value: boolean): Const {
    return { kind: "const", type: scalar("bool"), value, at: this.site };
  }

  /** An op; effects are emitted at once and their value comes back as a Ref. */
  op(name: OpName, args: readonly Expr[], attrs: Attrs = NO_ATTRS): Expr {
    const spec = OPS[name];
    let operands = args;
    let type = spec.rule(
      operands.map((a) => a.type),
      attrs,
    );
    if (typeof type === "string") {
      // Scalars of the dtype world (params, loads) meet JavaScript numbers here.
      operands = args.map((a) => this.asNum(a));
      type = spec.rule(
        operands.map((a) => a.type),
        attrs,
      );
    }
    if (typeof type === "string")
      throw new TypeError(`op ${name}(${args.map((a) => typeText(a.type)).join(", ")}): ${type}`);
    const value: Apply = { kind: "apply", type, op: name, args: operands, attrs, at: this.site };
    // A lane that may not exist is looked up where the author wrote it, not in an arm that is computed in vain.
    if (spec.effect === "pure" && (name !== "extract" || operands[1]?.kind === "const")) return value;
    if (type.kind === "void") {
      this.list.push({ kind: "effect", value, at: this.site });
      return value;
    }
    const local = this.local("t", type, false);
    this.unnamed.add(local);
    this.list.push({ kind: "let", local, value, at: this.site });
    return this.ref(local);
  }

  /** A number scalar of a dtype as a JavaScript number; everything else as it is. */
  asNum(e: Expr): Expr {
    if (e.type.kind !== "scalar" || e.type.name === "num" || !NUMBERS.has(e.type.name)) return e;
    return {
      kind: "apply",
      type: scalar("num"),
      op: "cast_scalar",
      args: [e],
      attrs: { to: "num" },
      at: e.at,
    };
  }

  let(name: string, value: Expr): Expr {
    const local = this.local(name, value.type, false);
    this.list.push({ kind: "let", local, value, at: this.site });
    return this.ref(local);
  }
  variable(name: string, value: Expr): Local {
    const local = this.local(name, value.type, true);
    this.list.push({ kind: "let", local, value, at: this.site });
    return local;
  }
  assign(local: Local, value: Expr): void {
    this.list.push({ kind: "assign", local, value, at: this.site });
  }

  /** Names a value that lowering had bound on its own. */
  name(e: Expr, name: string): void {
    const inner = e.kind === "apply" && e.op === "cast_scalar" ? (e.args[0] as Expr) : e;
    if (inner.kind === "ref" && this.unnamed.delete(inner.local)) (inner.local as Draft).name = name;
  }

  /** Computes a value once, unless it is a constant or an immutable local already. */
  bind(e: Expr, name = "t"): Expr {
    if (e.kind === "const" || (e.kind === "ref" && !e.local.mutable)) return e;
    if (e.kind === "apply" && e.op === "cast_scalar") {
      const inner = e.args[0] as Expr;
      if (inner.kind === "const" || (inner.kind === "ref" && !inner.local.mutable)) return e;
    }
    if (e.kind === "apply" && e.args.length === 0 && (e.op === "tile_id" || e.op === "tile_count")) return e;
    const bound = this.let(name, e);
    if (name === "t" && bound.kind === "ref") this.unnamed.add(bound.local);
    return bound;
  }
  /** Binds a value that reads a mutable local, so that a later assignment does not change it. */
  settle(e: Expr): Expr {
    return readsMutable(e) ? this.bind(e) : e;
  }

  /** Runs `body` with a fresh statement list and returns that list. */
  collect(body: () => void): Stmt[] {
    const outer = this.list;
    const inner: Stmt[] = [];
    this.list = inner;
    try {
      body();
    } finally {
      this.list = outer;
    }
    return inner;
  }

  /** A block if something jumps out of it, else its statements in place. */
  block(label: Label, body: Stmt[]): void {
    dropTailJump(body, label);
    if (label.used === 0) this.list.push(...body);
    else this.list.push({ kind: "block", label: label.name, body, at: this.site });
  }
}

/** Removes jumps to the end of a block from where control gets there anyway. */
function dropTailJump(body: Stmt[], label: Label): void {
  const last = body[body.length - 1];
  if (last === undefined) return;
  if (last.kind === "break" && last.label === label.name) {
    body.pop();
    label.used--;
    dropTailJump(body, label);
  } else if (last.kind === "if") {
    dropTailJump(last.then as Stmt[], label);
    dropTailJump(last.else as Stmt[], label);
  } else if (last.kind === "block") dropTailJump(last.body as Stmt[], label);
}

/** Removes `continue` of a loop from where its body ends anyway. */
export function dropTailContinue(body: Stmt[], label: string): void {
  const last = body[body.length - 1];
  if (last === undefined) return;
  if (last.kind === "continue" && last.label === label) {
    body.pop();
    dropTailContinue(body, label);
  } else if (last.kind === "if") {
    dropTailContinue(last.then as Stmt[], label);
    dropTailContinue(last.else as Stmt[], label);
  }
}

export function readsMutable(e: Expr): boolean {
  switch (e.kind) {
    case "const":
      return false;
    case "ref":
      return e.local.mutable;
    case "apply":
      return e.args.some(readsMutable);
  }
}

/** Whether computing the value does nothing else: then it may be dropped. */
export function isPure(e: Expr): boolean {
  return e.kind !== "apply" || (OPS[e.op].effect === "pure" && e.args.every(isPure));
}

/** The place of a text among a kernel's, which it joins if it is new. */
export function textIndex(texts: string[], text: string): number {
  const known = texts.indexOf(text);
  return known >= 0 ? known : texts.push(text) - 1;
}

/** Whether it may also be computed in vain: a lane index is checked when it is used. */
export function isSpeculative(e: Expr): boolean {
  if (e.kind !== "apply") return true;
  if (e.op === "extract" && e.args[1]?.kind !== "const") return false;
  return OPS[e.op].effect === "pure" && e.args.every(isSpeculative);
}

/** An `if` statement. */
export function ifStmt(cond: Expr, yes: readonly Stmt[], no: readonly Stmt[], at: LocationIndex): Stmt {
  // biome-ignore lint/suspicious/noThenProperty: `then` is the field of KIR's if
  return { kind: "if", cond, then: yes, else: no, at };
}
