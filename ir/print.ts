/**
 * KIR as text: readable, stable, diffable, and the exact inverse of `parse.ts`. A kernel whose locals are renumbered in
 * the order of their definition comes back structurally equal.
 */
import type { Location } from "./diagnostic.ts";
import { formatNumber } from "./format.ts";
import {
  type Apply,
  type AttrValue,
  type Expr,
  type Kernel,
  type Level,
  type Local,
  type Stmt,
  sameType,
  type Type,
  typeText,
} from "./kir.ts";
import { OPS, type OpName } from "./ops.ts";
import {
  bareType,
  bracketOperand,
  FORMS,
  type Form,
  KIR_VERSION,
  nameText,
  suffixOperand,
} from "./syntax.ts";
import { localsOf } from "./walk.ts";

export interface PrintOptions {
  /** Prints the location table and where each statement and expression comes from. Default: false. */
  readonly locations?: boolean;
}

/**
 * The text of a kernel.
 * @example printKernel(lowerKernel(saxpy.kernel).kernel)
 */
export function printKernel(k: Kernel, o: PrintOptions = {}): string {
  const printer = new Printer(k, o.locations === true);
  return printer.kernel();
}

/** One statement without what is nested in it, as reports quote it. */
export function printHead(k: Kernel, s: Stmt): string {
  return new Printer(k, false).head(s);
}

/** Attributes that stand in an op's bracket or list instead of in braces. */
const IN_FORM: { readonly [K in OpName]?: readonly string[] } = {
  vconst: ["dtype", "values"],
  splat: ["dtype", "lanes"],
  tail_mask: ["lanes"],
  load: ["lanes"],
};

class Printer {
  private readonly k: Kernel;
  private readonly level: Level;
  private readonly locations: boolean;
  private readonly names = new Map<Local, string>();
  private readonly used = new Map<string, number>();
  private readonly lines: string[] = [];
  private indent = "";

  constructor(k: Kernel, locations: boolean) {
    this.k = k;
    this.level = k.level;
    this.locations = locations;
    for (const local of localsOf(k)) this.name(local);
  }

  kernel(): string {
    const { k } = this;
    const register = k.registerBits === undefined ? "" : `, register: ${k.registerBits}`;
    this.line(`kir ${KIR_VERSION}, level: ${k.level}${register}`);
    k.tables.forEach((t, i) => {
      this.line(`table @${i}: ${t.dtype} = ${listText(t.values)}`);
    });
    k.texts.forEach((text, i) => {
      this.line(`text @${i} = ${JSON.stringify(text)}`);
    });
    if (this.locations) {
      k.locations.forEach((l, i) => {
        if (l !== undefined) this.line(`location @${i} = ${locationText(l)}`);
      });
    }
    const params = k.params.map(
      (p) =>
        `${this.name(p.local)}: ${p.noalias ? "noalias " : ""}${p.pointer ? typeText(p.local.type) : p.dtype}`,
    );
    this.line(`kernel @${nameText(k.name)}(${params.join(", ")}) {`);
    this.body(k.body, 0);
    this.line("}");
    return `${this.lines.join("\n")}\n`;
  }

  // -------------------------------------------------------------------------------------------- statements

  private line(text: string): void {
    this.lines.push(`${this.indent}${text}`);
  }

  /** Nested statements; `at` is the location that they inherit. */
  private body(stmts: readonly Stmt[], at: number): void {
    const outer = this.indent;
    this.indent = `${outer}  `;
    for (const s of stmts) this.stmt(s, at);
    this.indent = outer;
  }

  private stmt(s: Stmt, outer: number): void {
    const at = s.at === outer ? "" : this.place(s.at);
    switch (s.kind) {
      case "if":
        this.line(`${at}${this.head(s)} {`);
        this.arms(s);
        return;
      case "for":
      case "block":
        this.line(`${at}${this.head(s)} {`);
        this.body(s.body, s.at);
        this.line("}");
        return;
      case "loop":
        this.loop(s, at);
        return;
      default:
        this.line(`${at}${this.head(s)}`);
    }
  }

  /** The arms of an if; an else that holds nothing but an if becomes `else if`. */
  private arms(first: Extract<Stmt, { kind: "if" }>): void {
    let s = first;
    for (;;) {
      this.body(s.then, s.at);
      const [only, ...more] = s.else;
      if (only === undefined) break;
      if (only.kind !== "if" || more.length > 0) {
        this.line("} else {");
        this.body(s.else, s.at);
        break;
      }
      this.line(`} else ${only.at === s.at ? "" : this.place(only.at)}${this.head(only)} {`);
      s = only;
    }
    this.line("}");
  }

  private loop(s: Extract<Stmt, { kind: "loop" }>, at: string): void {
    const label = labelText(s.label);
    const cond = `while ${this.expr(s.cond, s.at)}`;
    const part = (word: string, stmts: readonly Stmt[], before: string, after: string): void => {
      this.line(`${before}${word}{`);
      this.body(stmts, s.at);
      this.line(`}${after}`);
    };
    if (s.testFirst) {
      // The closing brace of each part stands on a line of its own, so that a part can be left out.
      if (s.test.length > 0) part("loop test ", s.test, `${at}${label}`, "");
      this.line(`${s.test.length > 0 ? "" : `${at}${label}loop `}${cond} {`);
      this.body(s.body, s.at);
      this.line("}");
      if (s.update.length > 0) part("update ", s.update, "", "");
      return;
    }
    part("loop ", s.body, `${at}${label}`, "");
    if (s.update.length > 0) part("update ", s.update, "", "");
    if (s.test.length > 0) part("test ", s.test, "", "");
    this.line(cond);
  }

  /** The text of a statement up to its first brace. */
  head(s: Stmt): string {
    switch (s.kind) {
      case "let":
        return `${s.local.mutable ? "var" : "let"} ${this.name(s.local)}: ${typeText(s.local.type)} = ${this.expr(s.value, s.at, s.local.type)}`;
      case "assign":
        return `${this.name(s.local)} = ${this.expr(s.value, s.at, s.local.type)}`;
      case "effect":
        // A place before the op would be read as the statement's.
        return this.locations && s.value.at !== s.at ? this.operand(s.value, s.at) : this.expr(s.value, s.at);
      case "if":
        return `if ${this.expr(s.cond, s.at)}`;
      case "for": {
        const { type } = s.local;
        const range = `${this.expr(s.from, s.at, type)} to ${this.expr(s.to, s.at, type)} step ${formatNumber(s.step)}`;
        return `${labelText(s.label)}for ${this.name(s.local)}: ${typeText(type)} = ${range}`;
      }
      case "loop":
        return `${labelText(s.label)}loop while ${this.expr(s.cond, s.at)}`;
      case "block":
        return `${labelText(s.label)}block`;
      case "break":
      case "continue":
        return `${s.kind}${s.label === "" ? "" : ` ${nameText(s.label)}`}`;
      case "return":
        return "return";
    }
  }

  // -------------------------------------------------------------------------------------------- expressions

  /** An expression where a whole one may stand; `bare` is the type of a number without type. */
  private expr(e: Expr, outer: number, bare?: Type): string {
    const at = this.locations && e.at !== outer ? this.place(e.at) : "";
    const inner = this.locations ? e.at : outer;
    if (e.kind !== "apply") return `${at}${this.leaf(e, bare)}`;
    if (isIndexed(e))
      return `${at}${this.operand(e.args[0] as Expr, inner)}[${this.expr(e.args[1] as Expr, inner)}]`;
    return `${at}${this.apply(e, inner)}`;
  }

  /** An expression where parentheses are needed around an op. */
  private operand(e: Expr, outer: number, bare?: Type): string {
    const text = this.expr(e, outer, bare);
    const whole = (this.locations && e.at !== outer) || (e.kind === "apply" && !isIndexed(e) && !isBareOp(e));
    return whole ? `(${text})` : text;
  }

  private leaf(e: Exclude<Expr, Apply>, bare: Type | undefined): string {
    if (e.kind === "ref") return this.name(e.local);
    if (typeof e.value === "boolean") return String(e.value);
    const expected = bare ?? bareType("load", undefined, 0, this.level);
    return sameType(expected, e.type)
      ? formatNumber(e.value)
      : `${formatNumber(e.value)}:${typeText(e.type)}`;
  }

  private apply(e: Apply, at: number): string {
    const form = FORMS[e.op];
    if (form !== undefined) return this.formed(e, form, at);
    const index = suffixOperand(e.op);
    const suffix = index === undefined ? undefined : e.args[index]?.type;
    const attrs = this.attrs(e);
    const args = e.args.map((a, i) => this.operand(a, at, bareType(e.op, suffix, i, this.level)));
    return `${e.op}${suffix ? `.${typeText(suffix)}` : ""}${attrs}${args.length > 0 ? " " : ""}${args.join(", ")}`;
  }

  /** `load<f32x8> %x[%i] mask %m else %r` */
  private formed(e: Apply, form: Form, at: number): string {
    const shown = form.bracket === "operand" ? e.args[bracketOperand(e.op)]?.type : e.type;
    const bracket = form.bracket === "lanes" ? e.attrs["lanes"] : shown && typeText(shown);
    const args = e.args.map((a, i) => this.operand(a, at, bareType(e.op, undefined, i, this.level)));
    const plain = args.slice(0, form.plain).join(", ");
    const keyed = form.keywords.map((word, i) => ` ${word} ${args[form.plain + i]}`).join("");
    const values = e.op === "vconst" ? listText((e.attrs["values"] ?? []) as readonly number[]) : "";
    return `${form.name}<${bracket}>${this.attrs(e)} ${values}${plain}${keyed}`;
  }

  private attrs(e: Apply): string {
    const order = (OPS[e.op].attrs ?? []).map((a) => a.replace("?", ""));
    const implied = IN_FORM[e.op] ?? [];
    const shown = order.filter((key) => !implied.includes(key) && e.attrs[key] !== undefined);
    const extra = Object.keys(e.attrs).filter((key) => !order.includes(key));
    const texts = [...shown, ...extra].map((key) => {
      const value = e.attrs[key] as AttrValue;
      return value === true ? key : `${key}: ${attrText(value)}`;
    });
    return texts.length === 0 ? "" : `{${texts.join(", ")}}`;
  }

  // -------------------------------------------------------------------------------------------- names, places

  private name(local: Local): string {
    const known = this.names.get(local);
    if (known !== undefined) return known;
    const count = this.used.get(local.name) ?? 0;
    this.used.set(local.name, count + 1);
    const text = `%${nameText(local.name)}${count === 0 ? "" : `.${count}`}`;
    this.names.set(local, text);
    return text;
  }

  private place(at: number): string {
    return this.locations ? `#${at} ` : "";
  }
}

function isIndexed(e: Expr): boolean {
  return e.kind === "apply" && e.op === "ptr_add" && e.args.length === 2;
}
/** An op that is one word: `tile_id`. */
function isBareOp(e: Apply): boolean {
  return e.args.length === 0 && OPS[e.op].arity === 0 && (OPS[e.op].attrs ?? []).length === 0;
}
function labelText(label: string): string {
  return label === "" ? "" : `${nameText(label)}: `;
}
function listText(values: readonly number[]): string {
  return `[${values.map(formatNumber).join(", ")}]`;
}
function attrText(value: AttrValue): string {
  switch (typeof value) {
    case "number":
      return formatNumber(value);
    case "boolean":
      return String(value);
    case "string":
      return ATTR_WORDS.has(value) ? JSON.stringify(value) : nameText(value);
    default:
      return listText(value);
  }
}
/** Words that mean something else as an attribute. */
const ATTR_WORDS: ReadonlySet<string> = new Set(["true", "false", "NaN", "Infinity"]);

/** `"kernel.ts" 3:5 to 3:9 from "main.ts" 10:2`: innermost first. */
function locationText(l: Location): string {
  const column = l.endColumn === undefined ? "" : `:${l.endColumn}`;
  const to = l.endLine === undefined && column === "" ? "" : ` to ${l.endLine ?? ""}${column}`;
  const from = l.inlinedAt === undefined ? "" : ` from ${locationText(l.inlinedAt)}`;
  return `${JSON.stringify(l.file)} ${l.line}:${l.column}${to}${from}`;
}
