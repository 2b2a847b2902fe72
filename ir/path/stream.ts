/**
 * stream_rows, stream_cols: a matrix on its way from l2 to an edge of the fabric. Element (i, p) is row or column i at
 * depth p. Rows stand in l2 as rows of `depth` elements, columns as rows of `extent` elements; `transposed` exchanges the two.
 */
import { DTYPES } from "../dtype.ts";
import { readElement, writeElement } from "../elements.ts";
import { countProblem } from "../transfer.ts";
import type { Command, CommandOperands } from "./command.ts";
import { grid, gridProblem, viewOf } from "./grid.ts";
import type { PathAttrs } from "./operands.ts";

export function streamCommand(
  edge: "rows" | "cols",
  { transposed }: PathAttrs["stream_rows"],
  o: CommandOperands,
): Command {
  const [extent, depth, stride] = [o.number("extent"), o.number("depth"), o.number("stride")];
  const across = (edge === "rows") === (transposed === true);
  const [outer, inner] = across ? [depth, extent] : [extent, depth];
  const src = grid(outer, inner, stride);
  const dst = grid(extent, depth, depth);
  return {
    problem: countProblem({ extent, depth, stride }) ?? gridProblem("stride", stride, outer, inner),
    touches: [
      { operand: "dst", access: "writes", region: dst },
      { operand: "src", access: "reads", region: src },
    ],
    streams: { operand: "dst", block: { edge, extent, depth } },
    run: (at) => {
      const [to, from] = [at("dst"), at("src")];
      const [d, s] = [o.dtype("dst"), o.dtype("src")];
      const [into, out] = [viewOf(to), viewOf(from)];
      const [size, step] = [DTYPES[d].bytes, DTYPES[s].bytes];
      for (let i = 0; i < extent; i++) {
        for (let p = 0; p < depth; p++) {
          const element = across ? p * stride + i : i * stride + p;
          writeElement(
            d,
            into,
            to.at + (i * depth + p) * size,
            readElement(s, out, from.at + element * step),
          );
        }
      }
    },
  };
}
