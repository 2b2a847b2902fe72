/** The float64 programs of ir/math.ts as helper functions v128 -> v128 on two doubles: the same operations, the same bits. */
import { MATH } from "../../ir/math.ts";
import type { MathNode, MathProgram } from "../../ir/mathprogram.ts";
import type { Code, ModuleBuilder } from "./encoder.ts";
import type { SimdOp } from "./opcodes.ts";

/** Index of the helper of a math function. */
export function mathHelper(m: ModuleBuilder, name: string): number {
  const program = (MATH as Readonly<Record<string, MathProgram>>)[name];
  if (program === undefined) throw new TypeError(`no math program ${name}`);
  return m.helper(`math ${name}`, ["v128"], ["v128"], (c) => writeProgram(c, program));
}

function operandsOf(n: MathNode): number[] {
  if (n.op === "x" || n.op === "const") return [];
  if (n.op === "select") return [n.c, n.a, n.b];
  return "b" in n ? [n.a, n.b] : [n.a];
}

function writeProgram(c: Code, program: MathProgram): void {
  const { nodes } = program;
  const uses = new Array<number>(nodes.length).fill(0);
  for (const n of nodes) for (const i of operandsOf(n)) uses[i]!++;
  const locals = new Map<number, number>();
  const push = (i: number): void => {
    const local = locals.get(i);
    if (local !== undefined) c.get(local);
    else writeNode(c, nodes[i]!, push);
  };
  nodes.forEach((n, i) => {
    if (n.op === "x" || n.op === "const" || uses[i]! < 2) return;
    writeNode(c, n, push);
    const local = c.local("v128");
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

function writeNode(c: Code, n: MathNode, push: (i: number) => void): void {
  switch (n.op) {
    case "x":
      c.get(0);
      return;
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
      // The integer lands in the low bits of the significand, from where the shift moves it into the exponent.
      push(n.a);
      c.vf64(2 ** 52 + 1023)
        .v("f64x2.add")
        .i32(52)
        .v("i64x2.shl");
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
