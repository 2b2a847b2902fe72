/**
 * The syntax tree of generated kernels: text with holes. A node knows its type and its operands, which is what
 * generation needs to be valid and shrinking to stay so; what it computes is nobody's business here.
 */
import type { DTypeName } from "../ir/dtype.ts";

/**
 * The type of an expression. An `int` is provably an integer, and one of low .. high; where it is `loose`, the checker
 * cannot prove these bounds (the counter of a while loop), so it serves as an index but not as a lane of a dtype.
 */
export type Ty =
  | { readonly is: "num" }
  | { readonly is: "int"; readonly low: number; readonly high: number; readonly loose: boolean }
  | { readonly is: "bool" }
  | { readonly is: "vec"; readonly dtype: DTypeName; readonly lanes: number }
  | { readonly is: "mask"; readonly lanes: number }
  | { readonly is: "ptr"; readonly dtype: DTypeName }
  | { readonly is: "void" };

export const NUM: Ty = { is: "num" };
export const BOOL: Ty = { is: "bool" };
export const VOID: Ty = { is: "void" };
export const int = (low: number, high: number, loose = false): Ty & { is: "int" } => ({
  is: "int",
  low,
  high,
  loose,
});
export const vec = (dtype: DTypeName, lanes: number): Ty => ({ is: "vec", dtype, lanes });
export const mask = (lanes: number): Ty => ({ is: "mask", lanes });
export const I32 = int(-(2 ** 31), 2 ** 31 - 1);

/** Whether a value of type `have` may stand where `want` is asked for. */
export function suits(have: Ty, want: Ty): boolean {
  switch (want.is) {
    case "num":
      return have.is === "num" || have.is === "int";
    case "int":
      return (
        have.is === "int" && have.low >= want.low && have.high <= want.high && (want.loose || !have.loose)
      );
    case "vec":
      return have.is === "vec" && have.dtype === want.dtype && have.lanes === want.lanes;
    case "mask":
      return have.is === "mask" && have.lanes === want.lanes;
    case "ptr":
      return have.is === "ptr" && have.dtype === want.dtype;
    default:
      return have.is === want.is;
  }
}

/** Text with holes: `parts[0] args[0] parts[1] ...`. */
export interface Template {
  readonly parts: readonly string[];
  readonly args: readonly Expr[];
}

export interface Expr extends Template {
  readonly type: Ty;
  /** The variable that it reads, for a plain reference. */
  readonly name?: string;
  /** What it exercises, for the coverage report. */
  readonly tags: readonly string[];
}

/**
 * A statement: `head;` without bodies, else `head0 { body0 } head1 { body1 } ... tail`.
 * `declares` are names for the statements after it, `binds[i]` names for body i.
 */
export interface Stmt {
  readonly kind: string;
  readonly heads: readonly Template[];
  readonly bodies: readonly (readonly Stmt[])[];
  readonly tail?: Template;
  readonly declares?: readonly string[];
  readonly binds?: readonly (readonly Binding[])[];
  readonly tags: readonly string[];
  /** Names a place at which mutations plant bugs. */
  readonly mark?: string;
}

/** A name that a loop head gives its body, and a value of it, for when the loop is taken away. */
export interface Binding {
  readonly name: string;
  readonly first: string;
}

/** A parameter of the kernel with the value that it is called with. */
export interface Param {
  readonly name: string;
  readonly dtype: DTypeName;
  readonly pointer: boolean;
  readonly constant: boolean;
  /** Exact values of the dtype; one for a scalar. */
  readonly values: readonly number[];
}

export interface HelperParam {
  readonly name: string;
  readonly type: Ty;
  /** Text of a default value. */
  readonly fallback?: string;
}

export interface Helper {
  readonly name: string;
  readonly params: readonly HelperParam[];
  readonly result: Ty;
  readonly body: readonly Stmt[];
  /** Declared with `S.func`. */
  readonly func: boolean;
}

/** A name of the module that the kernel captures. */
export interface Captured {
  readonly name: string;
  readonly text: string;
  readonly tags: readonly string[];
}

export interface Program {
  readonly seed: number;
  readonly captured: readonly Captured[];
  readonly helpers: readonly Helper[];
  readonly params: readonly Param[];
  readonly body: readonly Stmt[];
  readonly tiles: number;
  readonly registerBits: number;
  /** True when some vector takes the lane count of a register: then only this width gives these results. */
  readonly pinned: boolean;
}

/** `` expr(NUM)`(${a} + ${b})` ``: an expression of text and operands; strings and numbers become text. */
export function expr(
  type: Ty,
  ...tags: readonly string[]
): (parts: TemplateStringsArray, ...holes: readonly (Expr | string | number)[]) => Expr {
  return (parts, ...holes) => ({ ...template(parts, ...holes), type, tags });
}

export function template(parts: readonly string[], ...holes: readonly (Expr | string | number)[]): Template {
  const texts = [parts[0] as string];
  const args: Expr[] = [];
  holes.forEach((hole, i) => {
    const after = parts[i + 1] as string;
    if (typeof hole === "object") {
      args.push(hole);
      texts.push(after);
    } else texts[texts.length - 1] += String(hole) + after;
  });
  return { parts: texts, args };
}

export const leaf = (type: Ty, text: string, ...tags: string[]): Expr => ({
  parts: [text],
  args: [],
  type,
  tags,
});
export const ref = (type: Ty, name: string): Expr => ({ parts: [name], args: [], type, name, tags: [] });

/** A call: `name(args, { options })`. */
export function call(
  type: Ty,
  name: string,
  args: readonly Expr[],
  options: readonly (readonly [key: string, value: Expr])[] = [],
  ...tags: readonly string[]
): Expr {
  const parts: string[] = [];
  let open = `${name}(`;
  args.forEach((_, i) => {
    parts.push(i === 0 ? open : ", ");
    open = "";
  });
  options.forEach(([key], i) => {
    const before = args.length === 0 && i === 0 ? `${open}{ ` : i === 0 ? ", { " : ", ";
    parts.push(`${before}${key}: `);
  });
  parts.push(parts.length === 0 ? `${open})` : options.length > 0 ? " })" : ")");
  return { type, parts, args: [...args, ...options.map(([, v]) => v)], tags };
}

export function simple(kind: string, head: Template, o: Partial<Stmt> = {}): Stmt {
  return { kind, heads: [head], bodies: [], tags: [], ...o };
}

/** A number as JavaScript source; negative ones in parentheses where an operator may stand before. */
export function numberText(x: number): string {
  if (Number.isNaN(x)) return "NaN";
  if (Object.is(x, -0)) return "-0";
  return String(x);
}
export function literal(type: Ty, x: number): Expr {
  const text = numberText(x);
  return leaf(type, text.startsWith("-") ? `(${text})` : text);
}
