/** Seeded normal samples for statistics. */

export class Draws {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** Above 0, below 1: mulberry32. */
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  }
  /** Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }
  /** n pairs of normal variables with correlation rho. */
  pairs(n: number, rho: number): { readonly x: Float32Array; readonly y: Float32Array } {
    const [x, y] = [new Float32Array(n), new Float32Array(n)];
    for (let i = 0; i < n; i++) {
      const a = this.normal();
      x[i] = a;
      y[i] = rho * a + Math.sqrt(1 - rho * rho) * this.normal();
    }
    return { x, y };
  }
}
