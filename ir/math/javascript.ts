/** Math programs as JavaScript functions. */
import { rint } from "../rint.ts";
import { INTEGER, type MathNode, type MathProgram } from "./program.ts";

const BELOW_TABLE = INTEGER - 1023;
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

/** A program as a function of float64; y is ignored by programs of one operand. */
export type MathFunction = (x: number, y: number) => number;

/** Compiles a program to a JavaScript function. */
export function compileMath(p: MathProgram): MathFunction {
  const v = (index: number): string => {
    const n = p.nodes[index];
    if (n?.op === "x" || n?.op === "y") return n.op;
    if (n?.op === "const") return Object.is(n.value, -0) ? "-0" : `(${n.value})`;
    return `v${index}`;
  };
  const lines = p.nodes.map((n, i) =>
    n.op === "x" || n.op === "y" || n.op === "const" ? "" : `const v${i} = ${nodeText(n, v)};\n`,
  );
  if (p.domain !== undefined) {
    const { low, high } = p.domain;
    lines.unshift(`x = x < ${low} ? ${low} : ${high} < x ? ${high} : x;\n`);
  }
  const functions = { BELOW_TABLE, POW2, exponent, copysign, rint };
  const text = `"use strict"; const { abs, sqrt, floor, ceil, trunc } = Math; return (x, y) => {\n${lines.join("")}return ${v(p.nodes.length - 1)};\n}`;
  return new Function(...Object.keys(functions), text)(...Object.values(functions)) as MathFunction;
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

function nodeText(n: Exclude<MathNode, { op: "x" | "y" | "const" }>, v: (index: number) => string): string {
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
      return `POW2[(${a} - BELOW_TABLE) | 0]`;
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
