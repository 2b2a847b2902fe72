/**
 * preload: accumulators get what l2 holds, as it is: partial sums of a product whose depth does not fit near the fabric at
 * once, so that f32 sums go on in the order of the depth. The drain the other way.
 */
import { DTYPES } from "../dtype.ts";
import { countProblem } from "../transfer.ts";
import type { Command, CommandOperands } from "./command.ts";
import { grid, gridProblem } from "./grid.ts";

export function preloadCommand(o: CommandOperands): Command {
  const [rows, cols, stride] = [o.number("rows"), o.number("cols"), o.number("stride")];
  return {
    problem: countProblem({ rows, cols, stride }) ?? gridProblem("stride", stride, rows, cols),
    touches: [
      { operand: "acc", access: "writes", region: grid(rows, cols, cols) },
      { operand: "src", access: "reads", region: grid(rows, cols, stride) },
    ],
    run: (at) => {
      if (rows === 0 || cols === 0) return;
      const [acc, src] = [at("acc"), at("src")];
      const { bytes } = DTYPES[o.dtype("acc")];
      for (let i = 0; i < rows; i++) {
        const from = src.at + i * stride * bytes;
        acc.bytes.set(src.bytes.subarray(from, from + cols * bytes), acc.at + i * cols * bytes);
      }
    },
  };
}
