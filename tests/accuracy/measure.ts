/** Runs a function on inputs, in the ALU table and compiled, and compares with the correctly rounded value. */
import { bf16, build, f16, f32, i32, kernel, ptr, S } from "kpu-dsl";
import { laneFn } from "../../ir/alu.ts";
import { fromBits, toBits } from "../../ir/convert.ts";
import type { FloatDType } from "../../ir/dtype.ts";
import type { AluOp } from "../../ir/ops.ts";
import { correct, ulps } from "./reference.ts";

/** The intrinsics measured, and the op of each. */
export const FUNCTIONS = {
  vexp: "exp",
  vexp2: "exp2",
  vlog: "log",
  vlog2: "log2",
  vsqrt: "sqrt",
  vrsqrt: "rsqrt",
  vrecip: "recip",
  vsin: "sin",
  vcos: "cos",
  vtan: "tan",
  vtanh: "tanh",
  vsigmoid: "sigmoid",
  verf: "erf",
  vgelu: "gelu",
  vsilu: "silu",
  vpow: "pow",
  vfloor: "floor",
  vceil: "ceil",
  vtrunc: "trunc",
  vround: "round_away",
  vrint: "rint",
} as const satisfies Readonly<Record<string, AluOp>>;
export type FunctionName = keyof typeof FUNCTIONS;
export const NAMES = Object.keys(FUNCTIONS) as FunctionName[];

const dtypes = { f16, bf16, f32 };
const LANES = 8;

/** The compiled program of a function on an array, as a function of values of the dtype. */
function compiled(
  name: FunctionName,
  d: FloatDType,
): (x: readonly number[], y: readonly number[]) => number[] {
  const dtype = dtypes[d];
  const apply = name === "vpow" ? S.vpow : undefined;
  const unary = name === "vpow" ? S.vexp : S[name];
  const k = kernel([ptr(dtype), ptr(dtype), ptr(dtype), i32], function measured(x, y, out, n) {
    for (let i = S.tileId() * LANES; i < n; i += S.tileCount() * LANES) {
      const mask = S.tailMask(n - i, LANES);
      const a = S.vload(x.at(i), { mask });
      S.vstore(apply ? apply(a, S.vload(y.at(i), { mask })) : unary(a), out.at(i), { mask });
    }
  });
  const program = build(k, { checks: false });
  return (x, y) => {
    const host = (values: readonly number[]): Uint16Array | Float32Array =>
      d === "f32" ? Float32Array.from(values) : Uint16Array.from(values, (v) => toBits(d, v));
    const out = host(x);
    program.run(host(x) as never, host(y.length > 0 ? y : x) as never, out as never, x.length);
    return d === "f32" ? Array.from(out) : Array.from(out, (bits) => fromBits(d, bits));
  };
}

export interface Accuracy {
  readonly name: FunctionName;
  readonly dtype: FloatDType;
  readonly inputs: number;
  /** Largest distance from the exact value, in units of the last place. */
  readonly error: number;
  readonly notNearest: number;
  /** Up to three inputs that are off by most: for the report of a failure. */
  readonly worst: readonly string[];
}

/** @throws Error when the two executions differ anywhere. */
export function measure(
  name: FunctionName,
  dtype: FloatDType,
  x: readonly number[],
  y: readonly number[] = [],
): Accuracy {
  const op = FUNCTIONS[name];
  const lane = laneFn(op, dtype);
  const results = compiled(name, dtype)(x, y);
  let error = 0;
  let notNearest = 0;
  const worst: string[] = [];
  x.forEach((a, i) => {
    const b = y[i] ?? 0;
    const got = lane(a, b, 0);
    const what = (): string => `${op}.${dtype}(${a}${y.length > 0 ? `, ${b}` : ""}) is ${got}`;
    if (!Object.is(got, results[i])) throw new Error(`${what()}, compiled ${results[i]}`);
    const want = correct(op, dtype, a, b);
    const off = ulps(op, dtype, a, b, got);
    if (!Object.is(got, want)) {
      notNearest++;
      if (off > error || worst.length < 3) worst.push(`${what()}, must be ${want}`);
    }
    error = Math.max(error, off);
  });
  return { name, dtype, inputs: x.length, error, notNearest, worst: worst.slice(-3) };
}
