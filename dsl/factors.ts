/**
 * Vector operands that need not be of one dtype: factors of one width and either sign, and what stands beside an accumulator.
 */
import { oppositeSign } from "../ir/dtype.ts";
import { vector } from "./arguments.ts";
import type { DTypeTable } from "./intrinsic.ts";
import { DTYPES, type DTypeName, INTS } from "./ir.ts";
import type { Value } from "./operand.ts";
import type { Ops } from "./ops.ts";

export const BYTES: readonly DTypeName[] = ["i8", "u8"];
export const WORDS: readonly DTypeName[] = ["i16", "u16"];
export const HALVES: readonly DTypeName[] = ["f16", "bf16"];
/** Factors of 8 and 16 bits: what y may be beside x. */
export const BESIDE: DTypeTable = {
  i8: BYTES,
  u8: BYTES,
  i16: WORDS,
  u16: WORDS,
  f16: HALVES,
  bf16: HALVES,
};

/** Integers of the width of each dtype. */
export const EITHER_SIGN: DTypeTable = Object.fromEntries(
  INTS.map((d) => [d, [d, oppositeSign(d)]] as const),
);

/** What a sum or product of two integers of these dtypes is: signed when one of them is. */
export function signOf(x: DTypeName, y: DTypeName): "i" | "u" {
  return DTYPES[x].signed || DTYPES[y].signed ? "i" : "u";
}

/** Refuses a vector with other lanes than `lanes`, or of a dtype that is not allowed beside `beside`. */
export function vectorBeside(
  ops: Ops,
  v: unknown,
  what: string,
  argument: number,
  lanes: number,
  allowed: readonly DTypeName[],
  beside: string,
): DTypeName {
  const s = vector(ops, v, what, argument);
  if (!allowed.includes(s.dtype)) {
    ops.refuse("KPU3001", `${ops.name}: ${what} is ${s.dtype}x${s.lanes}, beside ${beside}`, {
      argument,
      help: `${what} must be ${allowed.join(" or ")}; S.cast converts`,
    });
  }
  if (s.lanes !== lanes) {
    ops.refuse("KPU3002", `${ops.name}: ${what} has ${s.lanes} lanes, expected ${lanes} beside ${beside}`, {
      argument,
    });
  }
  return s.dtype;
}

export interface Factors {
  readonly x: Value;
  readonly y: Value;
  readonly xd: DTypeName;
  readonly yd: DTypeName;
  readonly lanes: number;
}

/** x and y: integer vectors of one width and lane count, each of either sign. */
export function factors(ops: Ops, [x, y]: readonly unknown[]): Factors {
  const { dtype: xd, lanes } = vector(ops, x, "x", 0, INTS);
  const allowed = EITHER_SIGN[xd] ?? [];
  const yd = vectorBeside(ops, y, "y", 1, lanes, allowed, `${xd}x${lanes}`);
  return { x: x as Value, y: y as Value, xd, yd, lanes };
}

export const FACTORS = [
  { name: "x", kind: "vec", dtype: INTS },
  { name: "y", kind: "vec", dtype: EITHER_SIGN, doc: "of x's width, of either sign" },
] as const;
