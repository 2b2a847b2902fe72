/**
 * Time is counted in ticks: whole numbers, of which a cycle of each clock has a whole number too. So cycles of different
 * clocks add up without rounding, and the same run gives the same bits everywhere. Up to 2^53 ticks are exact.
 */
import { gcd } from "../gcd.ts";
import type { MachineConfig } from "../schema.ts";

export interface Clocks {
  /** Ticks in a cycle of each clock. */
  readonly control: number;
  readonly fabric: number;
  readonly memory: number;
  readonly ticksPerSecond: number;
}

/** A number as a quotient of whole numbers. */
export interface Fraction {
  readonly num: number;
  readonly den: number;
}

/** Most ticks in a cycle: 2^33 cycles of the slowest clock stay exact. */
const MAX_TICKS = 2 ** 20;

/**
 * The coarsest tick that all three clocks have in common. Clocks whose quotients are no small fractions are taken as the
 * nearest ones that are, first to one part in 10^9 and then more coarsely until a cycle has at most 2^20 ticks.
 *
 *     clocksOf({ control: 1e9, fabric: 900e6, memory: 1.6e9 })   // ticks 144, 160, 90; 144e9 per second
 */
export function clocksOf(clocks: MachineConfig["clocks"]): Clocks {
  for (let tolerance = 1e-9; ; tolerance *= 10) {
    // Cycles of another clock in one cycle of the control clock.
    const fabric = fractionOf(clocks.fabric / clocks.control, tolerance);
    const memory = fractionOf(clocks.memory / clocks.control, tolerance);
    const control = (fabric.num * memory.num) / gcd(fabric.num, memory.num);
    const ticks = [
      control,
      (control * fabric.den) / fabric.num,
      (control * memory.den) / memory.num,
    ] as const;
    const common = ticks.reduce(gcd);
    const [c, f, m] = ticks.map((x) => x / common) as [number, number, number];
    if (Math.max(c, f, m) <= MAX_TICKS || tolerance > 0.01)
      return { control: c, fabric: f, memory: m, ticksPerSecond: c * clocks.control };
  }
}

/** The fraction with the smallest denominator within a relative tolerance, by continued fractions. */
export function fractionOf(x: number, tolerance = 1e-12): Fraction {
  let [num, den, pastNum, pastDen] = [Math.floor(x), 1, 1, 0];
  for (let rest = x - num; Math.abs(num / den - x) > tolerance * x; ) {
    const inverse = 1 / rest;
    const whole = Math.floor(inverse);
    rest = inverse - whole;
    [num, den, pastNum, pastDen] = [whole * num + pastNum, whole * den + pastDen, num, den];
  }
  return { num, den };
}

/** Whole cycles that so many bytes, elements or ops take at a rate per cycle. Exact for products below 2^53. */
export function cyclesFor(amount: number, rate: Fraction): number {
  return Math.ceil((amount * rate.den) / rate.num);
}
