/**
 * Integers that move with loops: `base + sum of step * round`, where a round counts 0 .. count - 1 of a loop that is walked
 * once for all its rounds. A question that has not one answer for all rounds is answered by a {@link Demand}: how that
 * loop has to be walked for the question to have one.
 */
import { gcd } from "../../machine/gcd.ts";

/**
 * The rounds of one loop that is walked at once; of a loop whose end is not known yet they are Infinity. They become fewer
 * while it is walked: what was found for all of them holds for the first ones, too ({@link settled}).
 */
export interface Rounds {
  count: number;
  /** Loops walked at once around it. */
  readonly depth: number;
}

/** A number that moves with loops. */
export interface Moving {
  readonly is: "moving";
  readonly base: number;
  /** Outermost first, each once; there is at least one. */
  readonly terms: readonly Term[];
}
/** So much further on in each round of a loop; not 0. */
export interface Term {
  readonly rounds: Rounds;
  readonly step: number;
}
export type Affine = number | Moving;

/** How a loop must be walked for a question to have one answer. */
export type Demand =
  /** The rounds before `at` (1 .. count - 1) apart from the others. */
  | { readonly demand: "split"; readonly rounds: Rounds; readonly at: number }
  /** So many rounds in one body: they take turns. */
  | { readonly demand: "turns"; readonly rounds: Rounds; readonly turns: number }
  /** Every round alone. */
  | { readonly demand: "single"; readonly rounds: Rounds };

export type Unsettled = Exclude<Demand, { readonly demand: "split" }>;

/** The answer for the first rounds of the loops around, which end where it changes. */
export function settled<T extends Affine | boolean | undefined>(ask: () => T | Demand): T | Unsettled {
  for (;;) {
    const answer = ask();
    if (answer === undefined || !isDemand(answer)) return answer as T;
    if (answer.demand !== "split") return answer;
    answer.rounds.count = answer.at;
  }
}

/** Rounds that take turns in longer periods are walked alone. */
const MOST_TURNS = 8;

export const isDemand = (x: object | number | boolean): x is Demand => typeof x === "object" && "demand" in x;

/** Its value in the first round of all loops. */
export const baseOf = (a: Affine): number => (typeof a === "number" ? a : a.base);
const termsOf = (a: Affine): readonly Term[] => (typeof a === "number" ? [] : a.terms);

/** Whether it is the same number in all rounds. */
export function isConstant(a: Affine): boolean {
  return typeof a === "number" || a.terms.every(({ rounds }) => rounds.count <= 1);
}

function affine(base: number, terms: readonly Term[]): Affine {
  return terms.length === 0 ? base : { is: "moving", base, terms };
}

/** `from + step * round` */
export function ofRounds(rounds: Rounds, from: number, step: number): Affine {
  return step === 0 ? from : { is: "moving", base: from, terms: [{ rounds, step }] };
}

export function add(a: Affine, b: Affine): Affine {
  if (typeof a === "number") {
    if (typeof b === "number") return a + b;
    return a === 0 ? b : { is: "moving", base: a + b.base, terms: b.terms };
  }
  if (typeof b === "number") return b === 0 ? a : { is: "moving", base: a.base + b, terms: a.terms };
  return affine(a.base + b.base, sumOf(loopsOf(a), loopsOf(b)));
}

/** Of loops that are walked at once no two have the same depth. */
function sumOf(a: readonly Term[], b: readonly Term[]): readonly Term[] {
  const terms: Term[] = [];
  let [i, k] = [0, 0];
  while (i < a.length || k < b.length) {
    const [x, y] = [a[i], b[k]];
    if (x !== undefined && y !== undefined && x.rounds === y.rounds) {
      const step = x.step + y.step;
      if (step !== 0) terms.push({ rounds: x.rounds, step });
      i++;
      k++;
    } else if (y === undefined || (x !== undefined && x.rounds.depth <= y.rounds.depth)) {
      terms.push(x as Term);
      i++;
    } else {
      terms.push(y);
      k++;
    }
  }
  return terms;
}

export function scale(a: Affine, factor: number): Affine {
  if (typeof a === "number") return factor === 0 ? 0 : a * factor;
  if (factor === 0) return 0;
  if (factor === 1) return a;
  const terms = a.terms.map(({ rounds, step }) => ({ rounds, step: step * factor }));
  return { is: "moving", base: a.base * factor, terms };
}

export const subtract = (a: Affine, b: Affine): Affine => add(a, scale(b, -1));

export function multiply(a: Affine, b: Affine): Affine | Demand {
  if (isConstant(b)) return scale(a, baseOf(b));
  if (isConstant(a)) return scale(b, baseOf(a));
  return alone(a);
}

export function sameAffine(a: Affine, b: Affine): boolean {
  if (typeof a === "number" && typeof b === "number") return a === b;
  const by = subtract(a, b);
  return baseOf(by) === 0 && isConstant(by);
}

/** The smallest and the largest value over all rounds; `without` one loop's part. */
export function bounds(a: Affine, without?: Rounds): { readonly low: number; readonly high: number } {
  let low = baseOf(a);
  let high = low;
  for (const { rounds, step } of termsOf(a)) {
    if (rounds === without) continue;
    const far = step * (rounds.count - 1);
    if (far < 0) low += far;
    else high += far;
  }
  return { low, high };
}

/** Loops that it moves with, outermost first. */
const loopsOf = (a: Affine): readonly Term[] => termsOf(a).filter(({ rounds }) => rounds.count > 1);

/** What asks for a single number of a value that moves: its outermost loop goes round by round. */
export function alone(a: Affine): Demand {
  const [first] = loopsOf(a);
  if (first === undefined) throw new TypeError("the number is the same in all rounds");
  return { demand: "single", rounds: first.rounds };
}

/** Whether a < 0. A loop in whose rounds that changes is split where it does. */
export function isNegative(a: Affine): boolean | Demand {
  if (typeof a === "number") return a < 0;
  const { low, high } = bounds(a);
  if (high < 0) return true;
  if (low >= 0) return false;
  let found: Demand | undefined;
  for (const { rounds, step } of loopsOf(a)) {
    const rest = bounds(a, rounds);
    // The other loops decide nothing in the rounds before `first`, and nothing from `last` on.
    const [first, last] =
      step > 0
        ? [Math.ceil(-rest.high / step), Math.ceil(-rest.low / step)]
        : [Math.floor(rest.low / -step) + 1, Math.floor(rest.high / -step) + 1];
    for (const at of [first, last]) {
      if (at < 1 || at >= rounds.count) continue;
      const split: Demand = { demand: "split", rounds, at };
      if (first === last) return split;
      found ??= split;
    }
  }
  return found ?? alone(a);
}

/** Whether a is 0. */
export function isZero(a: Affine): boolean | Demand {
  if (typeof a === "number") return a === 0;
  const { low, high } = bounds(a);
  if (low > 0 || high < 0) return false;
  if (low === high) return true;
  const [{ rounds, step }, second] = loopsOf(a) as [Term, ...Term[]];
  if (second === undefined) {
    const at = -a.base / step;
    return Number.isInteger(at) ? { demand: "split", rounds, at: Math.max(at, 1) } : false;
  }
  const below = isNegative(a);
  return isDemand(below) ? below : isNegative(scale(a, -1));
}

/** floor(a / divisor) for a positive divisor. */
export function floorDivide(a: Affine, divisor: number): Affine | Demand {
  if (typeof a === "number" || isConstant(a)) return Math.floor(baseOf(a) / divisor);
  const odd = loopsOf(a).filter(({ step }) => step % divisor !== 0);
  const [first, second] = odd;
  if (first === undefined)
    return affine(
      Math.floor(a.base / divisor),
      loopsOf(a).map(({ rounds, step }) => ({ rounds, step: step / divisor })),
    );
  const { low, high } = bounds(a);
  const quotient = Math.floor(low / divisor);
  if (quotient === Math.floor(high / divisor)) return quotient;
  const { rounds, step } = first;
  const turns = divisor / gcd(Math.abs(step), divisor);
  if (turns <= MOST_TURNS) return { demand: "turns", rounds, turns };
  if (second !== undefined || loopsOf(a).length > 1) return { demand: "single", rounds };
  // The first round with another quotient.
  const remainder = a.base - divisor * Math.floor(a.base / divisor);
  const at = step > 0 ? Math.ceil((divisor - remainder) / step) : Math.floor(remainder / -step) + 1;
  return { demand: "split", rounds, at };
}

/** a - divisor * floor(a / divisor) for a positive divisor. */
export function modulo(a: Affine, divisor: number): Affine | Demand {
  const quotient = floorDivide(a, divisor);
  return isDemand(quotient) ? quotient : subtract(a, scale(quotient, divisor));
}
