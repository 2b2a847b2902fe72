/**
 * The rules of well-formed KIR beyond the grammar. Every pass may rely on them, and every pass must keep them.
 */
import { attrProblem, isConstant, isElement, isLaneCount } from "./attrs.ts";
import { type Diagnostic, diagnostic } from "./diagnostic.ts";
import { DTYPES } from "./dtype.ts";
import {
  type Apply,
  type Expr,
  type Kernel,
  type Local,
  type Param,
  type Stmt,
  sameType,
  scalarOf,
  type Type,
  typeText,
} from "./kir.ts";
import { OPS } from "./ops.ts";
import { printHead } from "./print.ts";
import { REGISTER_BITS } from "./target.ts";

/** Every rule that the kernel breaks, as KPU7002; an empty list means that it is well formed. */
export function verifyKernel(k: Kernel): Diagnostic[] {
  return new Verifier(k).kernel();
}

/** What a jump may name: the loops and blocks around a statement, innermost last. */
interface Target {
  readonly label: string;
  readonly loop: boolean;
}

class Verifier {
  private readonly k: Kernel;
  private readonly found: Diagnostic[] = [];
  private readonly defined = new Set<Local>();
  private readonly ids = new Set<number>();
  private readonly visible = new Set<Local>();
  private readonly counters = new Set<Local>();
  private readonly targets: Target[] = [];
  private stmt: Stmt | undefined;

  constructor(k: Kernel) {
    this.k = k;
  }

  kernel(): Diagnostic[] {
    const { k } = this;
    this.module();
    for (const p of k.params) this.param(p);
    const names = new Set<string>();
    const twice = k.params.find(({ local }) => names.size === names.add(local.name).size)?.local.name;
    if (twice !== undefined) this.report(`two parameters are named "${twice}"`);
    this.stmts(k.body);
    return this.found;
  }

  private report(message: string, at = this.stmt?.at ?? 0): void {
    const { k, stmt } = this;
    const where = stmt === undefined ? "" : ` in \`${clip(printHead(k, stmt))}\``;
    this.found.push(diagnostic("KPU7002", `@${k.name}: ${message}${where}`, { location: k.locations[at] }));
  }

  // -------------------------------------------------------------------------------------------- module

  private module(): void {
    const { k } = this;
    const bits = k.registerBits;
    if (k.level === "machine") {
      if (bits === undefined || !REGISTER_BITS.includes(bits))
        this.report(`level machine needs a register width of ${REGISTER_BITS.join(", ")} bits, got ${bits}`);
    } else if (bits !== undefined) {
      this.report(`a register width belongs to level machine, not ${k.level}`);
    }
    k.tables.forEach((t, i) => {
      const bad = t.values.find((x) => !isElement(t.dtype, x));
      if (bad !== undefined) this.report(`table @${i} holds ${bad}, which is not a value of ${t.dtype}`);
    });
  }

  private param(p: Param): void {
    const { type } = p.local;
    const good = p.pointer
      ? type.kind === "ptr" && type.dtype === p.dtype
      : type.kind === "scalar" && type.name === scalarOf(p.dtype);
    if (!good) this.report(`parameter %${p.local.name} of dtype ${p.dtype} has the type ${typeText(type)}`);
    if (type.kind === "ptr" && type.scope !== "global")
      this.report(`parameter %${p.local.name} points to ${type.scope}, not to global`);
    if (p.noalias && !p.pointer)
      this.report(`parameter %${p.local.name} is noalias, but no pointer: scalars share no memory`);
    if (p.local.mutable) this.report(`parameter %${p.local.name} must not be mutable`);
    this.define(p.local);
  }

  // -------------------------------------------------------------------------------------------- statements

  /** Checks a list; what it defines is visible to the end of it. */
  private stmts(list: readonly Stmt[], then?: () => void): void {
    const outer = this.stmt;
    const here: Local[] = [];
    for (const s of list) {
      this.stmt = s;
      this.one(s);
      if (s.kind === "let") here.push(s.local);
    }
    this.stmt = outer;
    then?.();
    for (const local of here) this.visible.delete(local);
  }

  private one(s: Stmt): void {
    this.place(s.at);
    switch (s.kind) {
      case "let":
      case "assign":
        this.value(s.value);
        if (!sameType(s.value.type, s.local.type))
          this.report(
            `a value of type ${typeText(s.value.type)} for a local of type ${typeText(s.local.type)}`,
          );
        if (s.kind === "let") this.define(s.local);
        else this.assign(s.local);
        return;
      case "effect":
        this.value(s.value);
        return;
      case "if":
        this.condition(s.cond);
        this.stmts(s.then);
        this.stmts(s.else);
        return;
      case "for":
        this.forLoop(s);
        return;
      case "loop":
        this.loop(s);
        return;
      case "block":
        this.within({ label: s.label, loop: false }, () => this.stmts(s.body));
        return;
      case "break":
      case "continue": {
        const target = this.targets.find((t) => t.label === s.label);
        if (target === undefined) this.report(`no loop or block around has the label "${s.label}"`);
        else if (s.kind === "continue" && !target.loop)
          this.report(`"${s.label}" is a block, which cannot be continued`);
        return;
      }
      case "return":
        return;
    }
  }

  private forLoop(s: Extract<Stmt, { kind: "for" }>): void {
    const { type, mutable } = s.local;
    if (type.kind !== "scalar" || !["num", "i32", "i64"].includes(type.name))
      this.report(`a loop counts in i32 or i64, not ${typeText(type)}`);
    if (mutable) this.report("the counter of a loop must not be mutable");
    for (const e of [s.from, s.to]) {
      this.pure(e);
      if (!sameType(e.type, type))
        this.report(`a bound of type ${typeText(e.type)} for a counter of type ${typeText(type)}`);
    }
    if (!Number.isSafeInteger(s.step) || s.step === 0)
      this.report(`the step must be an integer other than 0, got ${s.step}`);
    this.define(s.local);
    this.counters.add(s.local);
    this.within({ label: s.label, loop: true }, () => this.stmts(s.body));
    this.counters.delete(s.local);
    this.visible.delete(s.local);
  }

  /**
   * `test` comes before `cond`, and with testFirst before `body` and `update`, too: what it defines is visible there.
   * In a do-while the first round has not seen it. `body` may be left by `continue`, so what it defines stays in it.
   */
  private loop(s: Extract<Stmt, { kind: "loop" }>): void {
    const parts = (): void => {
      this.stmts(s.body);
      this.stmts(s.update);
    };
    this.within({ label: s.label, loop: true }, () => {
      if (!s.testFirst) parts();
      this.stmts(s.test, () => {
        this.condition(s.cond);
        if (s.testFirst) parts();
      });
    });
    // Jumps out of test or update would need a meaning of their own.
    for (const part of [s.test, s.update]) this.noJumpTo(part, s.label);
  }

  private noJumpTo(list: readonly Stmt[], label: string): void {
    for (const s of list) {
      if (s.kind === "continue" && s.label === label)
        this.report(`"${label}" is continued from its own test or update`);
      if (s.kind === "if") [s.then, s.else].forEach((b) => void this.noJumpTo(b, label));
      else if (s.kind === "for" || s.kind === "block") this.noJumpTo(s.body, label);
      else if (s.kind === "loop") [s.test, s.body, s.update].forEach((b) => void this.noJumpTo(b, label));
    }
  }

  private within(target: Target, check: () => void): void {
    if (this.targets.some((t) => t.label === target.label && t.label !== ""))
      this.report(`the label "${target.label}" hides the same label around it`);
    this.targets.push(target);
    check();
    this.targets.pop();
  }

  // -------------------------------------------------------------------------------------------- locals

  private define(local: Local): void {
    if (this.defined.has(local)) this.report(`%${local.name} is defined twice`);
    else if (this.ids.has(local.id)) this.report(`%${local.name} has the id ${local.id} of another local`);
    this.type(local.type, `%${local.name}`);
    if (local.type.kind === "void") this.report(`%${local.name} has no value`);
    this.defined.add(local);
    this.ids.add(local.id);
    this.visible.add(local);
  }

  private assign(local: Local): void {
    if (this.counters.has(local)) this.report(`%${local.name} counts a loop and must not be assigned in it`);
    else if (!this.visible.has(local)) this.report(`%${local.name} is assigned where it is not defined`);
    else if (!local.mutable) this.report(`%${local.name} is not mutable`);
  }

  // -------------------------------------------------------------------------------------------- expressions

  private condition(e: Expr): void {
    this.pure(e);
    if (e.type.kind !== "scalar" || e.type.name !== "bool")
      this.report(`a condition must be bool, got ${typeText(e.type)}`);
  }

  /** The whole value of a let, assign or effect: any op. */
  private value(e: Expr): void {
    this.expr(e);
    if (e.kind === "apply") for (const a of e.args) this.pureInside(a);
  }
  private pure(e: Expr): void {
    this.expr(e);
    this.pureInside(e);
  }

  /** Statement order is memory order: an op with an effect is the whole value of a statement. */
  private pureInside(e: Expr): void {
    if (e.kind !== "apply") return;
    const { effect } = OPS[e.op];
    if (effect !== "pure" && effect !== "trap")
      this.report(`${e.op} must be the whole value of a let, an assignment or an effect`, e.at);
    for (const a of e.args) this.pureInside(a);
  }

  private expr(e: Expr): void {
    this.place(e.at);
    this.type(e.type, `a ${e.kind}`);
    switch (e.kind) {
      case "const":
        if (!isConstant(e.type, e.value))
          this.report(`${String(e.value)} is not a constant of type ${typeText(e.type)}`, e.at);
        return;
      case "ref":
        if (!this.visible.has(e.local)) this.report(`%${e.local.name} is used where it is not defined`, e.at);
        if (!sameType(e.type, e.local.type))
          this.report(`%${e.local.name} is a ${typeText(e.local.type)}, used as ${typeText(e.type)}`, e.at);
        return;
      case "apply":
        for (const a of e.args) this.expr(a);
        this.apply(e);
    }
  }

  private apply(e: Apply): void {
    const type = this.typeOf(e);
    if (typeof type === "string") {
      this.report(type, e.at);
      return;
    }
    if (!sameType(type, e.type))
      this.report(`${e.op} gives ${typeText(type)}, but says ${typeText(e.type)}`, e.at);
    const { text } = e.attrs;
    if (text !== undefined && this.k.texts[text as number] === undefined) {
      this.report(`there is no text @${String(text)}`, e.at);
    }
    if (e.op === "alloc_const") this.table(e);
    if (e.op === "alloc" || e.op === "alloc_const") this.offset(e);
  }

  /** The type by the op table, or what is wrong. */
  private typeOf(e: Apply): Type | string {
    const { arity, rule } = OPS[e.op];
    if (arity !== "any" && e.args.length !== arity)
      return `${e.op} takes ${arity} operands, got ${e.args.length}`;
    const problem = attrProblem(e.op, e.attrs);
    if (problem !== undefined) return `${e.op} ${problem}`;
    const type = rule(
      e.args.map((a) => a.type),
      e.attrs,
    );
    return typeof type === "string" ? `${e.op}: ${type}` : type;
  }

  private table(e: Apply): void {
    const { table, dtype } = e.attrs;
    const found = this.k.tables[table as number];
    if (found === undefined) this.report(`there is no table @${String(table)}`, e.at);
    else if (found.dtype !== dtype)
      this.report(`table @${String(table)} holds ${found.dtype}, not ${String(dtype)}`, e.at);
  }

  private offset(e: Apply): void {
    const has = e.attrs["offset"] !== undefined;
    if (has === (this.k.level === "machine")) return;
    this.report(`${e.op} ${has ? "has an offset" : "needs an offset"} at level ${this.k.level}`, e.at);
  }

  /** What the level allows. */
  private type(t: Type, what: string): void {
    const { level, registerBits = 0 } = this.k;
    if (t.kind === "scalar" && t.name === "num" && level !== "open")
      this.report(`${what} has the type num, which exists at level open only`);
    if (t.kind !== "vec" && t.kind !== "mask") return;
    if (!isLaneCount(t.lanes)) this.report(`${what} has ${t.lanes} lanes`);
    if (level !== "machine") return;
    const bits = t.lanes * (t.kind === "vec" ? DTYPES[t.dtype].laneBits : 8);
    if (bits > registerBits)
      this.report(`${what} of type ${typeText(t)} does not fit a register of ${registerBits} bits`);
  }

  private place(at: number): void {
    if (at !== 0 && !(Number.isSafeInteger(at) && at > 0 && at < this.k.locations.length)) {
      this.report(`there is no location ${at}`, 0);
    }
  }
}

function clip(text: string): string {
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
