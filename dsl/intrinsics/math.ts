/** Functions on float lanes, and on numbers as f32 functions. */
import { type AluOp, type CostClass, FLOATS } from "../ir.ts";
import { lanewise } from "../lanewise.ts";
import type { FloatFunction } from "../signatures.ts";

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
const ONE_ALGORITHM =
  "One specified algorithm in double precision, one rounding: the same bits in both executions.";

export const vexp = float("vexp", "exp", "vmath", `e to the x. ${ONE_ALGORITHM}`);
export const vlog = float(
  "vlog",
  "log",
  "vmath",
  `Natural logarithm; of 0 -Infinity, of a negative number NaN. ${ONE_ALGORITHM}`,
);
export const vtanh = float("vtanh", "tanh", "vmath", `Hyperbolic tangent. ${ONE_ALGORITHM}`);
export const verf = float("verf", "erf", "vmath", `Error function. ${ONE_ALGORITHM}`);
export const vsqrt = float(
  "vsqrt",
  "sqrt",
  "vdiv",
  "Square root, correctly rounded; NaN for negative numbers.",
);
export const vrsqrt = float(
  "vrsqrt",
  "rsqrt",
  "vmath",
  "1 / sqrt(x): computed in double precision, one rounding.",
);
export const vrecip = float("vrecip", "recip", "vdiv", "1 / x, correctly rounded.");
export const vfloor = float("vfloor", "floor", "valu", "Largest integer not above x.");
export const vceil = float("vceil", "ceil", "valu", "Smallest integer not below x.");
