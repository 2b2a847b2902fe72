/**
 * The one source of pseudo-random numbers: mulberry32, whose whole state is its seed, so that a seed in a report is a run, on
 * every machine. Nothing that computes results uses it: schedules, generated inputs and generated kernels do.
 */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** 32 random bits, as an unsigned number. */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return (x ^ (x >>> 14)) >>> 0;
  }
  /** A number in [0, 1). */
  next(): number {
    return this.bits() / 2 ** 32;
  }
  /** An integer in 0 .. n - 1. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  /** An integer in low .. high, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }
  chance(probability: number): boolean {
    return this.next() < probability;
  }
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new TypeError("pick from an empty list");
    return list[this.below(list.length)] as T;
  }
  /** One of the values, each as likely as its weight. */
  weighted<T>(...choices: readonly (readonly [weight: number, value: T])[]): T {
    let at = this.next() * choices.reduce((sum, [w]) => sum + w, 0);
    for (const [w, value] of choices) if ((at -= w) < 0) return value;
    return (choices.at(-1) as readonly [number, T])[1];
  }
  /** The same values in another order. */
  shuffled<T>(list: readonly T[]): T[] {
    const out = [...list];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }
}

/** A seed of a text: FNV-1a over its code points. */
export function seedOfText(text: string): number {
  let hash = 2166136261;
  for (const c of text) hash = Math.imul(hash ^ (c.codePointAt(0) as number), 16777619);
  return hash >>> 0;
}
