/** Halves and quarters of vectors: what the option `part` names. */
import type { Options } from "./arguments.ts";
import type { Ops } from "./ops.ts";

/** A half of a vector, or all of it. */
export type HalfPart = "all" | "low" | "high" | "even" | "odd";
/** Which lanes of the source are converted; see the table in docs/language.md. */
export type CastPart = HalfPart | "ll" | "lh" | "hl" | "hh";

/** First quarter, step and divisor of the lane count. */
const PARTS: { readonly [K in CastPart]: readonly [quarter: number, step: number, divisor: number] } = {
  all: [0, 1, 1],
  low: [0, 1, 2],
  high: [2, 1, 2],
  even: [0, 2, 2],
  odd: [1, 2, 2],
  ll: [0, 1, 4],
  lh: [1, 1, 4],
  hl: [2, 1, 4],
  hh: [3, 1, 4],
};
export const CAST_PARTS: readonly CastPart[] = Object.keys(PARTS) as CastPart[];
export const HALF_PARTS: readonly HalfPart[] = ["all", "low", "high", "even", "odd"];

/** The parts that exist of vectors with `lanes` lanes. */
export function partsOf<P extends CastPart>(parts: readonly P[], lanes: number): P[] {
  return parts.filter((p) => lanes % PARTS[p][2] === 0);
}

/** Lane numbers that a part takes from `lanes`. */
export function partLanes(ops: Ops, part: CastPart, lanes: number, argument: number): number[] {
  const [offset, step, divisor] = PARTS[part];
  if (lanes % divisor !== 0) {
    return ops.refuse(
      "KPU3010",
      `${ops.name}: part "${part}" needs a lane count divisible by ${divisor}, got ${lanes}`,
      { argument },
    );
  }
  const first = step === 2 ? offset : (offset * lanes) / 4;
  return Array.from({ length: lanes / divisor }, (_, i) => first + i * step);
}

/** Option `part`, "all" when absent. */
export function readPart<P extends CastPart>(
  ops: Ops,
  o: Options,
  known: readonly P[],
  argument: number,
): P | "all" {
  const part = o["part"] ?? "all";
  const found = known.find((p) => p === part);
  if (found !== undefined) return found;
  return ops.refuse("KPU3004", `${ops.name}: unknown part ${typeof part === "string" ? `"${part}"` : ""}`, {
    argument,
    help: `part is one of ${known.join(", ")}`,
  });
}
