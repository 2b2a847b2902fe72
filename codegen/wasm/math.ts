/** The float64 programs of ir/math.ts on two doubles at once: the same operations, the same bits. */

import type { MathNode, MathProgram } from "../../ir/math/program.ts";
import { MATH, type MathName } from "../../ir/math.ts";
import type { Code, ModuleBuilder } from "./encoder.ts";
import { demote, joinPairs, promote } from "./floats.ts";
import type { SimdOp } from "./opcodes.ts";

/** Programs up to this many nodes are written where they are used: the engine then keeps their constants in registers. */
const INLINE_NODES = 60;

/** Index of the helper of a math function on pairs of doubles. */
export function pairHelper(m: ModuleBuilder, name: MathName): number {
  const program = MATH[name];
  return m.helper(`math ${name}`, vectors(program.operands), ["v128"], (c) => {
    if (program.domain !== undefined) {
      const { low, high } = program.domain;
      c.get(0).vf64(low).v("f64x2.pmax").vf64(high).v("f64x2.pmin").set(0);
    }
    writeProgram(
      c,
      program,
      vectors(program.operands).map((_, i) => i),
    );
  });
}

/** Four f32 lanes per operand, in locals -> the function of each, rounded to f32 as two pairs of doubles. */
export function mathQuad(
  c: Code,
  name: MathName,
  args: readonly number[],
  rounding: "nearest" | "odd",
): void {
  const program = MATH[name];
  if (program.nodes.length <= INLINE_NODES) {
    writeQuad(c, program, args, rounding);
    return;
  }
  const helper = c.module.helper(`math ${name} ${rounding}`, vectors(args.length), ["v128"], (to) =>
    writeQuad(
      to,
      program,
      vectors(args.length).map((_, i) => i),
      rounding,
    ),
  );
  for (const a of args) c.get(a);
  c.call(helper);
}

function vectors(n: number): "v128"[] {
  return new Array<"v128">(n).fill("v128");
}

function writeQuad(
  c: Code,
  program: MathProgram,
  args: readonly number[],
  rounding: "nearest" | "odd",
): void {
  const inDomain = args.map((a, i) => {
    if (i > 0 || program.domain === undefined) return a;
    const { low, high } = program.domain;
    c.get(a).vf32(low).v("f32x4.pmax").vf32(high).v("f32x4.pmin");
    return c.save("v128");
  });
  for (const half of ["low", "high"] as const) {
    const wide = inDomain.map((a) => {
      promote(c, a, half);
      return c.save("v128");
    });
    writeProgram(c, program, wide);
    demote(c, rounding);
  }
  joinPairs(c);
}

function operandsOf(n: MathNode): number[] {
  if (n.op === "x" || n.op === "y" || n.op === "const") return [];
  if (n.op === "select") return [n.c, n.a, n.b];
  return "b" in n ? [n.a, n.b] : [n.a];
}

/** `args` are the locals of x and y. A value used twice stands in a temporary until its last use. */
function writeProgram(c: Code, program: MathProgram, args: readonly number[]): void {
  const { nodes } = program;
  const uses = new Array<number>(nodes.length).fill(0);
  for (const n of nodes) for (const i of operandsOf(n)) uses[i]!++;
  const locals = new Map<number, number>();
  const left = uses.slice();
  const free: number[] = [];
  const push = (i: number): void => {
    const n = nodes[i]!;
    const local = locals.get(i);
    if (n.op === "x" || n.op === "y") c.get(args[n.op === "x" ? 0 : 1]!);
    else if (local === undefined) writeNode(c, n, push);
    else {
      c.get(local);
      if (--left[i]! === 0) free.push(local);
    }
  };
  nodes.forEach((n, i) => {
    if (n.op === "x" || n.op === "y" || n.op === "const" || uses[i]! < 2) return;
    writeNode(c, n, push);
    const local = free.pop() ?? c.temp("v128");
    c.set(local);
    locals.set(i, local);
  });
  push(nodes.length - 1);
}

/** All bits but the sign, and the significand, of two doubles. */
const WITHOUT_SIGN = words(0xffffffff, 0x7fffffff);
const SIGNIFICAND = words(0xffffffff, 0x000fffff);

function words(low: number, high: number): Uint8Array {
  const b = new Uint8Array(16);
  const view = new DataView(b.buffer);
  for (const at of [0, 8]) {
    view.setUint32(at, low, true);
    view.setUint32(at + 4, high, true);
  }
  return b;
}

function writeNode(c: Code, n: Exclude<MathNode, { op: "x" | "y" }>, push: (i: number) => void): void {
  switch (n.op) {
    case "const":
      c.vf64(n.value);
      return;
    case "select":
      push(n.a);
      push(n.b);
      push(n.c);
      c.v("v128.bitselect");
      return;
    case "copysign":
      push(n.a);
      push(n.b);
      c.v128(WITHOUT_SIGN).v("v128.bitselect");
      return;
    case "and":
    case "or":
      push(n.a);
      push(n.b);
      c.v(`v128.${n.op}`);
      return;
    case "not":
      push(n.a);
      c.v("v128.not");
      return;
    case "pow2":
      // The integer stands in the low bits of the significand, with the bias; the shift moves it into the exponent.
      push(n.a);
      c.i32(52).v("i64x2.shl");
      return;
    case "exponent":
      push(n.a);
      c.i32(52)
        .v("i64x2.shr_u")
        .vf64(2 ** 52)
        .v("v128.or")
        .vf64(2 ** 52 + 1023)
        .v("f64x2.sub");
      return;
    case "mantissa":
      push(n.a);
      c.v128(SIGNIFICAND).v("v128.and").vf64(1).v("v128.or");
      return;
    default:
      push(n.a);
      if ("b" in n) push(n.b);
      c.v(`f64x2.${n.op}` as SimdOp);
  }
}
