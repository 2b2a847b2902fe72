/**
 * Straight-line programs over float64: how math.ts specifies exp, log, ... so that JavaScript and WebAssembly compute the same bits.
 * A program is data: a list of nodes in which operands come before their users; the last node is the result. No branches, no
 * tables, no fused multiply-add; every arithmetic node rounds once, as IEEE 754 says.
 *
 * node            meaning                                       JavaScript             WebAssembly (two lanes at once)
 * x               the operand; an exact value of f16, bf16 or f32
 * const           a float64                                                            v128.const
 * add sub mul div IEEE                                          a + b ...              f64x2.add ...
 * sqrt            correctly rounded                             Math.sqrt(a)           f64x2.sqrt
 * abs neg         the sign bit cleared, flipped                 Math.abs(a), -a        f64x2.abs, f64x2.neg
 * floor ceil trunc                                              Math.floor(a) ...      f64x2.floor ...
 * nearest         nearest integer, ties to even; keeps -0       rint(a)                f64x2.nearest
 * pmin            b < a ? b : a    (a when either is NaN)       b < a ? b : a          f64x2.pmin
 * pmax            a < b ? b : a    (a when either is NaN)       a < b ? b : a          f64x2.pmax
 * copysign        |a| with the sign bit of b                                           v128.bitselect(a, b, 0x7fff...)
 * lt le eq ne     comparisons, give a condition                 a < b, a <= b ...      f64x2.lt f64x2.le f64x2.eq f64x2.ne
 * and or not      of conditions                                 a && b, a || b, !a     v128.and, v128.or, v128.not
 * select          select(c, a, b): a where condition c          c ? a : b              v128.bitselect(a, b, c)
 * pow2            2^a, a an integer in -1022 .. 1023            table                  i64x2.shl(f64x2.add(a, 2^52 + 1023), 52)
 * exponent        e, with a = m * 2^e and 1 <= m < 2            bits                   f64x2.sub(v128.or(i64x2.shr_u(a, 52), bits of 2^52), 2^52 + 1023)
 * mantissa        m                                             a / 2^e                v128.or(v128.and(a, 0x000f_ffff_ffff_ffff), bits of 1)
 *
 * pow2 outside its range, and exponent and mantissa of what is not a positive normal number, give an unspecified value; a program
 * selects another value there. The same holds for the sign and payload of a NaN.
 */
import { rint } from "./rint.ts";

export type UnaryMathOp =
  | "sqrt"
  | "abs"
  | "neg"
  | "floor"
  | "ceil"
  | "trunc"
  | "nearest"
  | "not"
  | "pow2"
  | "exponent"
  | "mantissa";
export type BinaryMathOp =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "pmin"
  | "pmax"
  | "copysign"
  | "lt"
  | "le"
  | "eq"
  | "ne"
  | "and"
  | "or";

/** Operands are indices of earlier nodes. */
export type MathNode =
  | { readonly op: "x" }
  | { readonly op: "const"; readonly value: number }
  | { readonly op: UnaryMathOp; readonly a: number }
  | { readonly op: BinaryMathOp; readonly a: number; readonly b: number }
  | { readonly op: "select"; readonly c: number; readonly a: number; readonly b: number };

export interface MathProgram {
  readonly name: string;
  readonly doc: string;
  /** Node 0 is `x`; the last node is the result. */
  readonly nodes: readonly MathNode[];
}

/** A float64 in a program under construction: a node, or a number that becomes a constant. */
export type MathValue = { readonly number: number } | number;
/** A condition in a program under construction. */
export interface MathCondition {
  readonly condition: number;
}

/** Builds a program. Equal nodes are shared. Example: `(m) => m.div(1, m.sqrt(m.x))`. */
export class MathBuilder {
  readonly nodes: MathNode[] = [];
  private readonly known = new Map<string, number>();
  readonly x: MathValue = { number: this.node({ op: "x" }) };

  private node(n: MathNode): number {
    const key = Object.values(n)
      .map((v) => (Object.is(v, -0) ? "-0" : String(v)))
      .join(" ");
    const found = this.known.get(key);
    if (found !== undefined) return found;
    this.known.set(key, this.nodes.length);
    return this.nodes.push(n) - 1;
  }
  private index(v: MathValue): number {
    return typeof v === "number" ? this.node({ op: "const", value: v }) : v.number;
  }
  private unary(op: UnaryMathOp, a: MathValue): MathValue {
    return { number: this.node({ op, a: this.index(a) }) };
  }
  private binary(op: BinaryMathOp, a: MathValue, b: MathValue): MathValue {
    const left = this.index(a);
    return { number: this.node({ op, a: left, b: this.index(b) }) };
  }
  private relation(op: "lt" | "le" | "eq" | "ne", a: MathValue, b: MathValue): MathCondition {
    const left = this.index(a);
    return { condition: this.node({ op, a: left, b: this.index(b) }) };
  }

  add(a: MathValue, b: MathValue): MathValue {
    return this.binary("add", a, b);
  }
  sub(a: MathValue, b: MathValue): MathValue {
    return this.binary("sub", a, b);
  }
  mul(a: MathValue, b: MathValue): MathValue {
    return this.binary("mul", a, b);
  }
  div(a: MathValue, b: MathValue): MathValue {
    return this.binary("div", a, b);
  }
  sqrt(a: MathValue): MathValue {
    return this.unary("sqrt", a);
  }
  abs(a: MathValue): MathValue {
    return this.unary("abs", a);
  }
  neg(a: MathValue): MathValue {
    return this.unary("neg", a);
  }
  floor(a: MathValue): MathValue {
    return this.unary("floor", a);
  }
  ceil(a: MathValue): MathValue {
    return this.unary("ceil", a);
  }
  trunc(a: MathValue): MathValue {
    return this.unary("trunc", a);
  }
  nearest(a: MathValue): MathValue {
    return this.unary("nearest", a);
  }
  pow2(a: MathValue): MathValue {
    return this.unary("pow2", a);
  }
  exponent(a: MathValue): MathValue {
    return this.unary("exponent", a);
  }
  mantissa(a: MathValue): MathValue {
    return this.unary("mantissa", a);
  }
  copysign(a: MathValue, b: MathValue): MathValue {
    return this.binary("copysign", a, b);
  }
  lt(a: MathValue, b: MathValue): MathCondition {
    return this.relation("lt", a, b);
  }
  le(a: MathValue, b: MathValue): MathCondition {
    return this.relation("le", a, b);
  }
  eq(a: MathValue, b: MathValue): MathCondition {
    return this.relation("eq", a, b);
  }
  ne(a: MathValue, b: MathValue): MathCondition {
    return this.relation("ne", a, b);
  }
  and(a: MathCondition, b: MathCondition): MathCondition {
    return { condition: this.node({ op: "and", a: a.condition, b: b.condition }) };
  }
  or(a: MathCondition, b: MathCondition): MathCondition {
    return { condition: this.node({ op: "or", a: a.condition, b: b.condition }) };
  }
  not(a: MathCondition): MathCondition {
    return { condition: this.node({ op: "not", a: a.condition }) };
  }
  select(c: MathCondition, a: MathValue, b: MathValue): MathValue {
    const yes = this.index(a);
    return { number: this.node({ op: "select", c: c.condition, a: yes, b: this.index(b) }) };
  }

  /** a within [low, high]; a NaN stays NaN. */
  clamp(a: MathValue, low: number, high: number): MathValue {
    return this.binary("pmin", this.binary("pmax", a, low), high);
  }
  /**
   * c[0] + c[1] x + c[2] x^2 + ...: even and odd powers apart, each by Horner's rule in x^2, so that two chains of half the length
   * run at once.
   */
  polynomial(x: MathValue, c: readonly number[]): MathValue {
    const square = this.mul(x, x);
    const chain = (from: number): MathValue => {
      const own = c.filter((_, k) => k % 2 === from);
      return (
        own.reduceRight<MathValue | undefined>(
          (sum, k) => (sum === undefined ? k : this.add(this.mul(sum, square), k)),
          undefined,
        ) ?? 0
      );
    };
    return this.add(this.mul(chain(1), x), chain(0));
  }

  /** The program whose result is `value`. */
  program(name: string, doc: string, value: MathValue): MathProgram {
    const last = this.index(value);
    if (last !== this.nodes.length - 1) throw new TypeError(`the result of ${name} must be the last node`);
    return { name, doc, nodes: this.nodes };
  }
}

// ---------------------------------------------------------------------------------------------- in JavaScript

/** 2^n at n + 1023. */
const POW2 = Float64Array.from({ length: 2047 }, (_, i) => 2 ** (i - 1023));
const word = new Float64Array(1);
const halves = new Uint32Array(word.buffer);

function exponent(a: number): number {
  word[0] = a;
  return ((halves[1] as number) >>> 20) - 1023;
}
function copysign(a: number, b: number): number {
  word[0] = b;
  return (halves[1] as number) >>> 31 === 1 ? -Math.abs(a) : Math.abs(a);
}

/** Compiles a program to a JavaScript function of float64. */
export function compileMath(p: MathProgram): (x: number) => number {
  const v = (index: number): string => {
    const n = p.nodes[index];
    if (n?.op === "x") return "x";
    if (n?.op === "const") return Object.is(n.value, -0) ? "-0" : `(${n.value})`;
    return `v${index}`;
  };
  const lines = p.nodes.map((n, i) =>
    n.op === "x" || n.op === "const" ? "" : `const v${i} = ${nodeText(n, v)};\n`,
  );
  const functions = { POW2, exponent, copysign, rint };
  const text = `"use strict"; const { abs, sqrt, floor, ceil, trunc } = Math; return (x) => {\n${lines.join("")}return ${v(p.nodes.length - 1)};\n}`;
  return new Function(...Object.keys(functions), text)(...Object.values(functions)) as (x: number) => number;
}

const INFIX: Readonly<Record<string, string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  lt: "<",
  le: "<=",
  eq: "===",
  ne: "!==",
  and: "&&",
  or: "||",
};

function nodeText(n: Exclude<MathNode, { op: "x" | "const" }>, v: (index: number) => string): string {
  const a = v(n.a);
  switch (n.op) {
    case "select":
      return `${v(n.c)} ? ${a} : ${v(n.b)}`;
    case "neg":
      return `-${a}`;
    case "not":
      return `!${a}`;
    case "nearest":
      return `rint(${a})`;
    case "pow2":
      return `POW2[(${a} + 1023) | 0]`;
    case "mantissa":
      return `${a} / POW2[(exponent(${a}) + 1023) | 0]`;
    case "pmin":
      return `${v(n.b)} < ${a} ? ${v(n.b)} : ${a}`;
    case "pmax":
      return `${a} < ${v(n.b)} ? ${v(n.b)} : ${a}`;
    case "copysign":
      return `copysign(${a}, ${v(n.b)})`;
    case "sqrt":
    case "abs":
    case "floor":
    case "ceil":
    case "trunc":
    case "exponent":
      return `${n.op}(${a})`;
    default:
      return `${a} ${INFIX[n.op]} ${v(n.b)}`;
  }
}
