/**
 * The math functions: one specified algorithm each, as a float64 program (math/program.ts says what the nodes mean). The value of an op
 * is `roundTo(dtype)(mathFn(name)(x, y))`. The programs are good to 2^-37 or better, which makes f32 results right to 0.501 ulp and f16
 * and bf16 results correctly rounded for every input: `npm run test:accuracy` tries them all and writes docs/accuracy.md.
 *
 * Operands are exact values of f16, bf16 or f32; nothing is promised for other float64 numbers. Overflow, and rounding to subnormals,
 * is left to the final rounding: no program flushes.
 */
import { exp, exp2, sigmoid, silu, tanh } from "./math/exponential.ts";
import { compileMath, type MathFunction } from "./math/javascript.ts";
import { log, log2 } from "./math/logarithm.ts";
import { erf, gelu } from "./math/normal.ts";
import { pow } from "./math/power.ts";
import { MathBuilder, type MathProgram, type MathValue } from "./math/program.ts";
import { cos, sin, tan } from "./math/trigonometry.ts";

export type { MathNode, MathProgram } from "./math/program.ts";

function define(name: string, doc: string, make: (m: MathBuilder) => MathValue): MathProgram {
  const m = new MathBuilder();
  return m.program(name, doc, make(m));
}

const PROGRAMS = {
  exp: define("exp", "e^x.", exp),
  exp2: define("exp2", "2^x; exact for integers.", exp2),
  log: define("log", "Natural logarithm. Of 0 -infinity, of a negative number NaN.", log),
  log2: define(
    "log2",
    "Logarithm to base 2; exact for powers of two. Of 0 -infinity, of a negative number NaN.",
    log2,
  ),
  sin: define("sin", "Sine of radians; NaN for infinities.", sin),
  cos: define("cos", "Cosine of radians; NaN for infinities.", cos),
  tan: define("tan", "Tangent of radians; NaN for infinities.", tan),
  tanh: define("tanh", "Hyperbolic tangent.", tanh),
  sigmoid: define("sigmoid", "1 / (1 + e^-x).", sigmoid),
  silu: define("silu", "x / (1 + e^-x). Of -infinity -0.", silu),
  erf: define("erf", "Error function.", erf),
  gelu: define("gelu", "x/2 (1 + erf(x / sqrt 2)). Of -infinity -0.", gelu),
  pow: define("pow", "x^y, special values as in C.", pow),
};
export type MathName = keyof typeof PROGRAMS;

/** The programs, for emitters. */
export const MATH: { readonly [K in MathName]: MathProgram } = PROGRAMS;

export function isMathName(op: string): op is MathName {
  return Object.hasOwn(MATH, op);
}

const compiled = new Map<MathName, MathFunction>();

/** The program as a JavaScript function, before the rounding to the dtype. Memoised. */
export function mathFn(name: MathName): MathFunction {
  let f = compiled.get(name);
  if (f === undefined) compiled.set(name, (f = compileMath(MATH[name])));
  return f;
}
