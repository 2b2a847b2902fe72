/**
 * mma: acc[i][j] += the sum over p, ascending, of a[i][p] * b[p][j]. The accumulators are m rows of n without gaps.
 *
 *   f32   each product rounded to f32, then each sum; operands of f16 and bf16 are exact in f32. Starts from acc, or from 0
 *   i32   exact, and wraps
 *
 * The fabric is one queue: products into the same accumulators follow one another without a wait in between.
 */
import { readElements, writeElements } from "../elements.ts";
import { countProblem } from "../transfer.ts";
import type { Command, CommandOperands } from "./command.ts";
import { grid, viewOf } from "./grid.ts";

export function mmaCommand(o: CommandOperands): Command {
  const [m, n, k] = [o.number("m"), o.number("n"), o.number("k")];
  const clear = o.number("clear") !== 0;
  return {
    problem: countProblem({ m, n, k }),
    touches: [
      { operand: "acc", access: clear ? "writes" : "updates", region: grid(m, n, n) },
      // A block that nothing is multiplied with is not read.
      { operand: "a", access: "reads", region: n === 0 ? grid(0, 0, 0) : grid(m, k, k) },
      { operand: "b", access: "reads", region: m === 0 ? grid(0, 0, 0) : grid(n, k, k) },
    ],
    inOrder: true,
    takes:
      m === 0 || n === 0
        ? []
        : [
            { operand: "a", block: { edge: "rows", extent: m, depth: k } },
            { operand: "b", block: { edge: "cols", extent: n, depth: k } },
          ],
    run: (at) => {
      const [acc, a, b] = [at("acc"), at("a"), at("b")];
      const d = o.dtype("acc");
      const read = (name: string, place: typeof a, count: number): number[] =>
        readElements(o.dtype(name), viewOf(place), place.at, count);
      const sums = clear ? new Array<number>(m * n).fill(0) : read("acc", acc, m * n);
      if (m === 0 || n === 0) return;
      const multiply = d === "f32" ? multiplyFloats : multiplyIntegers;
      multiply(sums, read("a", a, m * k), read("b", b, n * k), m, n, k);
      writeElements(d, viewOf(acc), acc.at, sums);
    },
  };
}

type Multiply = (
  sums: number[],
  a: readonly number[],
  b: readonly number[],
  m: number,
  n: number,
  k: number,
) => void;

const multiplyFloats: Multiply = (sums, a, b, m, n, k) => {
  const { fround } = Math;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = sums[i * n + j] as number;
      for (let p = 0; p < k; p++)
        sum = fround(sum + fround((a[i * k + p] as number) * (b[j * k + p] as number)));
      sums[i * n + j] = sum;
    }
  }
};

const multiplyIntegers: Multiply = (sums, a, b, m, n, k) => {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = sums[i * n + j] as number;
      for (let p = 0; p < k; p++) sum = (sum + (a[i * k + p] as number) * (b[j * k + p] as number)) | 0;
      sums[i * n + j] = sum;
    }
  }
};
