/** Functions on float lanes, and on numbers as f32 functions. */
import { type AluOp, type CostClass, FLOATS } from "../ir.ts";
import { lanewise } from "../lanewise.ts";
import type { FloatFunction, FloatFunction2 } from "../signatures.ts";

function float(name: string, op: AluOp, cost: CostClass, doc: string): FloatFunction {
  return lanewise<FloatFunction>({
    name,
    family: "math",
    op,
    operands: ["x"],
    dtypes: FLOATS,
    scalar: true,
    cost,
    doc: `${doc} On a number: the f32 function of its f32 value.`,
    example: `S.vstore(S.${name}(S.vload(x)), y);`,
  });
}
/** A function of ir/math.ts. */
function specified(name: string, op: AluOp, doc: string): FloatFunction {
  return float(
    name,
    op,
    "vmath",
    `${doc} One specified algorithm in double precision, one rounding: the same bits in both executions, within 1 ulp in f32, correctly rounded in f16 and bf16.`,
  );
}

export const vexp = specified(
  "vexp",
  "exp",
  "e to the x. Overflows to Infinity; subnormal results are kept.",
);
export const vexp2 = specified("vexp2", "exp2", "2 to the x, exact where x is an integer.");
export const vlog = specified(
  "vlog",
  "log",
  "Natural logarithm; of 0 and -0 -Infinity, of a negative number NaN.",
);
export const vlog2 = specified(
  "vlog2",
  "log2",
  "Logarithm to base 2, exact for powers of two; of 0 and -0 -Infinity, of a negative number NaN.",
);
export const vsin = specified(
  "vsin",
  "sin",
  "Sine of x in radians, for every x: the argument is reduced exactly. Of an infinity NaN, of -0 -0.",
);
export const vcos = specified(
  "vcos",
  "cos",
  "Cosine of x in radians, for every x: the argument is reduced exactly. Of an infinity NaN.",
);
export const vtan = specified(
  "vtan",
  "tan",
  "Tangent of x in radians, for every x: the argument is reduced exactly. Of an infinity NaN, of -0 -0.",
);
export const vtanh = specified("vtanh", "tanh", "Hyperbolic tangent; of -0 -0.");
export const vsigmoid = specified(
  "vsigmoid",
  "sigmoid",
  "1 / (1 + e^-x). Small results keep their relative accuracy, down to subnormals.",
);
export const vsilu = specified(
  "vsilu",
  "silu",
  "x / (1 + e^-x), also called swish; of -Infinity -0, of -0 -0.",
);
export const verf = specified("verf", "erf", "Error function; of -0 -0.");
export const vgelu = specified(
  "vgelu",
  "gelu",
  "x/2 (1 + erf(x / sqrt 2)): the exact form, not the one with tanh. Small results keep their relative accuracy; of -Infinity -0, of -0 -0.",
);
export const vsqrt = float(
  "vsqrt",
  "sqrt",
  "vdiv",
  "Square root, correctly rounded; NaN for negative numbers, of -0 -0.",
);
export const vrsqrt = float(
  "vrsqrt",
  "rsqrt",
  "vmath",
  "1 / sqrt(x): computed in double precision, one rounding; correctly rounded in f16 and bf16. Of 0 Infinity, of -0 -Infinity, of a negative number NaN.",
);
export const vrecip = float(
  "vrecip",
  "recip",
  "vdiv",
  "1 / x, correctly rounded; of 0 Infinity, of -0 -Infinity.",
);

export const vpow = lanewise<FloatFunction2>({
  name: "vpow",
  family: "math",
  op: "pow",
  operands: ["x", "y"],
  dtypes: FLOATS,
  scalar: true,
  cost: "vmath",
  doc: "x to the y. One specified algorithm in double precision, one rounding: the same bits in both executions, within 1 ulp in f32, correctly rounded in f16 and bf16, exact where the power is a value of the dtype. Special values as in C and IEEE 754, not as in JavaScript: x^0 and 1^y are 1 even for NaN, (-1)^Infinity is 1; a negative number to a power that is not an integer is NaN; 0 to a negative power is Infinity, -0 to a negative odd integer -Infinity. On two numbers: the f32 function of their f32 values.",
  example: "S.vstore(S.vpow(S.vload(x), 3), y);",
});

export const vfloor = float("vfloor", "floor", "valu", "Largest integer not above x.");
export const vceil = float("vceil", "ceil", "valu", "Smallest integer not below x.");
export const vtrunc = float(
  "vtrunc",
  "trunc",
  "valu",
  "The integer part of x: rounded towards zero, keeping the sign of zero.",
);
export const vround = float(
  "vround",
  "round_away",
  "valu",
  "Nearest integer, ties away from zero: 2.5 gives 3, -2.5 gives -3. Math.round rounds ties up, S.vrint to even.",
);
