/**
 * Integers that move with loops: `base + sum of step * round`, where a round counts 0 .. count - 1 of a loop that is walked
 * once for all its rounds. A question that has not one answer for all rounds is answered by a {@link Demand}: how that
 * loop has to be walked for the question to have one.
 */

/**
 * The rounds of one loop that is walked at once; of a loop whose end is not known yet they are Infinity. They become fewer
 * while it is walked: what was found for all of them holds for the first ones, too ({@link settled}).
 */
export interface Rounds {
  count: number;
  /** Loops walked at once around it. */
  readonly depth: number;
}

export interface Affine {
  readonly base: number;
  /** Steps per round, none of them 0. */
  readonly terms: ReadonlyMap<Rounds, number>;
}

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

const NO_TERMS: ReadonlyMap<Rounds, number> = new Map();
export const constant = (base: number): Affine => ({ base, terms: NO_TERMS });
/** Whether it is `base` in all rounds. */
export function isConstant(a: Affine): boolean {
  for (const rounds of a.terms.keys()) if (rounds.count > 1) return false;
  return true;
}
export const isDemand = (x: object | boolean): x is Demand => typeof x === "object" && "demand" in x;

/** `from + step * round` */
export function ofRounds(rounds: Rounds, from: number, step: number): Affine {
  return step === 0 ? constant(from) : { base: from, terms: new Map([[rounds, step]]) };
}

export function add(a: Affine, b: Affine): Affine {
  if (isConstant(b)) return { base: a.base + b.base, terms: a.terms };
  if (isConstant(a)) return { base: a.base + b.base, terms: b.terms };
  const terms = new Map(a.terms);
  for (const [rounds, step] of b.terms) {
    const sum = (terms.get(rounds) ?? 0) + step;
    if (sum === 0) terms.delete(rounds);
    else terms.set(rounds, sum);
  }
  return { base: a.base + b.base, terms };
}

export function scale(a: Affine, factor: number): Affine {
  if (factor === 0) return constant(0);
  if (factor === 1) return a;
  return {
    base: a.base * factor,
    terms: new Map([...a.terms].map(([rounds, step]) => [rounds, step * factor])),
  };
}

export const subtract = (a: Affine, b: Affine): Affine => add(a, scale(b, -1));

export function multiply(a: Affine, b: Affine): Affine | Demand {
  if (isConstant(b)) return scale(a, b.base);
  if (isConstant(a)) return scale(b, a.base);
  return alone(a);
}

export function sameAffine(a: Affine, b: Affine): boolean {
  const by = subtract(a, b);
  return by.base === 0 && isConstant(by);
}

/** The smallest and the largest value over all rounds; `without` one loop's part. */
export function bounds(a: Affine, without?: Rounds): { readonly low: number; readonly high: number } {
  let low = a.base;
  let high = a.base;
  for (const [rounds, step] of a.terms) {
    if (rounds === without) continue;
    const far = step * (rounds.count - 1);
    if (far < 0) low += far;
    else high += far;
  }
  return { low, high };
}

/** Loops that it moves with, outermost first. */
function loopsOf(a: Affine): (readonly [Rounds, number])[] {
  return [...a.terms].filter(([r]) => r.count > 1).sort(([x], [y]) => x.depth - y.depth);
}

/** What asks for a single number of a value that moves: its outermost loop goes round by round. */
export function alone(a: Affine): Demand {
  const [first] = loopsOf(a);
  if (first === undefined) throw new TypeError("the number is the same in all rounds");
  return { demand: "single", rounds: first[0] };
}

/** Whether a < 0. A loop in whose rounds that changes is split where it does. */
export function isNegative(a: Affine): boolean | Demand {
  const { low, high } = bounds(a);
  if (high < 0) return true;
  if (low >= 0) return false;
  let found: Demand | undefined;
  for (const [rounds, step] of loopsOf(a)) {
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
  const { low, high } = bounds(a);
  if (low > 0 || high < 0) return false;
  if (low === high) return true;
  const [[rounds, step], second] = loopsOf(a) as [
    readonly [Rounds, number],
    ...(readonly [Rounds, number])[],
  ];
  if (second === undefined) {
    const at = -a.base / step;
    return Number.isInteger(at) ? { demand: "split", rounds, at: Math.max(at, 1) } : false;
  }
  const below = isNegative(a);
  return isDemand(below) ? below : isNegative(scale(a, -1));
}

/** floor(a / divisor) for a positive divisor. */
export function floorDivide(a: Affine, divisor: number): Affine | Demand {
  if (isConstant(a)) return constant(Math.floor(a.base / divisor));
  const odd = loopsOf(a).filter(([, step]) => step % divisor !== 0);
  const [first, second] = odd;
  if (first === undefined)
    return {
      base: Math.floor(a.base / divisor),
      terms: new Map([...a.terms].map(([rounds, step]) => [rounds, step / divisor])),
    };
  const { low, high } = bounds(a);
  const quotient = Math.floor(low / divisor);
  if (quotient === Math.floor(high / divisor)) return constant(quotient);
  const [rounds, step] = first;
  const turns = divisor / greatestCommonDivisor(Math.abs(step), divisor);
  if (turns <= MOST_TURNS) return { demand: "turns", rounds, turns };
  if (second !== undefined || a.terms.size > 1) return { demand: "single", rounds };
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

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
