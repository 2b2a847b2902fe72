/**
 * Straight-line programs over float64: how exp, log, ... are specified, so that JavaScript and WebAssembly compute the same bits.
 * A program is data: a list of nodes in which operands come before their users; the last node is the result. No branches, no
 * tables, no fused multiply-add; every arithmetic node rounds once, as IEEE 754 says.
 *
 * node            meaning                                       JavaScript             WebAssembly (two lanes at once)
 * x y             the operands; exact values of f16, bf16 or f32. x is first brought into the program's `domain`, if it has one
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
 * pow2            2^n, a = INTEGER + n, -1022 <= n <= 1023      table                  i64x2.shl(a, 52)
 * exponent        e, with a = m * 2^e and 1 <= m < 2            bits                   f64x2.sub(v128.or(i64x2.shr_u(a, 52), bits of 2^52), 2^52 + 1023)
 * mantissa        m                                             a / 2^e                v128.or(v128.and(a, 0x000f_ffff_ffff_ffff), bits of 1)
 *
 * pow2 outside its range, and exponent and mantissa of what is not a positive normal number, give an unspecified value; a program
 * selects another value there, or multiplies it by a NaN. The same holds for the sign and payload of a NaN.
 */

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
  | { readonly op: "y" }
  | { readonly op: "const"; readonly value: number }
  | { readonly op: UnaryMathOp; readonly a: number }
  | { readonly op: BinaryMathOp; readonly a: number; readonly b: number }
  | { readonly op: "select"; readonly c: number; readonly a: number; readonly b: number };

export interface Domain {
  readonly low: number;
  readonly high: number;
}

export interface MathProgram {
  readonly name: string;
  readonly doc: string;
  /** 1 (x) or 2 (x and y). */
  readonly operands: number;
  /** x below or above counts as the bound, an f32; a NaN stays one. */
  readonly domain?: Domain;
  /** The last node is the result. */
  readonly nodes: readonly MathNode[];
}

/** A float64 in a program under construction: a node, or a number that becomes a constant. */
export type MathValue = { readonly number: number } | number;
/** A condition in a program under construction. */
export interface MathCondition {
  readonly condition: number;
}

/**
 * 1.5 * 2^52 + 1023: a float64 near it has a unit of 1, so adding it rounds to an integer n, which then stands in the low bits of the
 * significand, with the bias of the exponents of float64: 2^n is a shift away.
 */
export const INTEGER = 6755399441055744 + 1023;

/** Builds a program. Equal nodes are shared. Example: `(m) => m.div(1, m.sqrt(m.x))`. */
export class MathBuilder {
  readonly nodes: MathNode[] = [];
  private readonly known = new Map<string, number>();
  readonly x: MathValue = { number: this.node({ op: "x" }) };
  #domain: Domain | undefined;

  /** x within [low, high], for the whole program. Cheaper than {@link clamp}: emitters bound four f32 at once. */
  bounded(low: number, high: number): MathValue {
    this.#domain = { low, high };
    return this.x;
  }
  /** The second operand. */
  get y(): MathValue {
    return { number: this.node({ op: "y" }) };
  }

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
  /** The nearest integer n to a, and 2^n; -1022 <= n <= 1023. */
  splitInteger(a: MathValue): { n: MathValue; scale: MathValue } {
    const shifted = this.add(a, INTEGER);
    return { n: this.sub(shifted, INTEGER), scale: this.unary("pow2", shifted) };
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

  /** min(a, high); a NaN in a stays NaN. */
  atMost(a: MathValue, high: number): MathValue {
    return this.binary("pmin", a, high);
  }
  /** max(a, low); a NaN in a stays NaN. */
  atLeast(a: MathValue, low: number): MathValue {
    return this.binary("pmax", a, low);
  }
  /** a within [low, high]; a NaN stays NaN. */
  clamp(a: MathValue, low: number, high: number): MathValue {
    return this.atMost(this.atLeast(a, low), high);
  }
  /**
   * a rounded to 26 bits, so that its product with a number of 27 bits is exact, and so is a minus it: Veltkamp's splitting (T. J.
   * Dekker, A floating-point technique for extending the available precision, 1971).
   */
  head(a: MathValue): MathValue {
    const c = this.mul(a, 2 ** 27 + 1);
    return this.sub(c, this.sub(c, a));
  }
  integral(a: MathValue): MathCondition {
    return this.eq(this.floor(a), a);
  }
  /**
   * c[0] + c[1] x + c[2] x^2 + ...: even and odd powers apart, each by Horner's rule in x^2, so that two chains of half the length
   * run at once.
   */
  polynomial(x: MathValue, c: readonly number[]): MathValue {
    const square = this.mul(x, x);
    const chain = (from: number): MathValue =>
      this.horner(
        square,
        c.filter((_, k) => k % 2 === from),
      );
    return this.add(this.mul(chain(1), x), chain(0));
  }

  /** c[0] + c[1] x + c[2] x^2 + ... by Horner's rule: the fewest operations and registers, where throughput counts. */
  horner(x: MathValue, c: readonly number[]): MathValue {
    return (
      c.reduceRight<MathValue | undefined>(
        (sum, k) => (sum === undefined ? k : this.add(this.mul(sum, x), k)),
        undefined,
      ) ?? 0
    );
  }

  /** The program whose result is `value`. */
  program(name: string, doc: string, value: MathValue): MathProgram {
    const last = this.index(value);
    if (last !== this.nodes.length - 1) throw new TypeError(`the result of ${name} must be the last node`);
    const operands = this.nodes.some((n) => n.op === "y") ? 2 : 1;
    return { name, doc, operands, ...(this.#domain && { domain: this.#domain }), nodes: this.nodes };
  }
}
