/** The inputs of each function and dtype: all of them for the command, a sample for the gate. */
import type { FloatDType } from "../../ir/dtype.ts";
import { BF16, F16 } from "../harness/floats.ts";
import { hard, patterns, strata } from "./inputs.ts";
import { type Accuracy, FUNCTIONS, type FunctionName, measure } from "./measure.ts";
import { pairsOf16, pairsOf32 } from "./powers.ts";

export interface Size {
  /** Every how many 16-bit patterns; 1 is all. */
  readonly step: number;
  /** Random f32 per sign and exponent. */
  readonly each: number;
  /** Random pairs for pow, and every how many patterns beside a fixed operand. */
  readonly pairs: number;
  readonly pairStep: number;
}
/** A million f32 for every function. */
export const ALL: Size = { step: 1, each: 2000, pairs: 1_000_000, pairStep: 1 };
export const SAMPLE: Size = { step: 17, each: 12, pairs: 3000, pairStep: 211 };

export function accuracy(name: FunctionName, d: FloatDType, size: Size): Accuracy {
  if (name === "vpow") {
    const round = d === "f16" ? (x: number) => F16.round(x) : (x: number) => BF16.round(x);
    const { x, y } = d === "f32" ? pairsOf32(size.pairs) : pairsOf16(d, size.pairStep, size.pairs, round);
    return measure(name, d, x, y);
  }
  if (d !== "f32") return measure(name, d, patterns(d, size.step));
  return measure(name, d, [...strata(size.each, 1), ...hard(FUNCTIONS[name])]);
}
