/**
 * drain: accumulators on their way out through the special function unit. Per element, in this order, each step in f32
 * with one rounding, steps that are not asked for left out:
 *
 *   1. an i32 bias is added to an i32 accumulator, as integers: wraps. An i32 destination takes that and nothing more
 *   2. i32 accumulators become f32
 *   3. times scale, one number or one of each column (or row)
 *   4. plus a float bias, one of each column (or row)
 *   5. plus the residual; one of integers is (q - zero point) * scale first
 *   6. the activation
 *   7. the destination: one rounding to f16 or bf16, or QuantizeLinear to i8 or u8
 */
import { laneFn } from "../alu.ts";
import { roundTo } from "../convert.ts";
import { DTYPES } from "../dtype.ts";
import { readElement, readElements, writeElement } from "../elements.ts";
import { countProblem, type Problem } from "../transfer.ts";
import { activationSteps } from "./activations.ts";
import type { Command, CommandOperands, Touch } from "./command.ts";
import { grid, gridProblem, viewOf } from "./grid.ts";
import type { PathAttrs } from "./operands.ts";
import { dequantiser, quantiser, zeroPointProblem } from "./quantise.ts";

type Attrs = PathAttrs["drain"];
type At = Parameters<Command["run"]>[0];
/** A step on the value of element (i, j). */
type Step = (v: number, i: number, j: number) => number;

export function drainCommand(attrs: Attrs, o: CommandOperands): Command {
  const [rows, cols, stride] = [o.number("rows"), o.number("cols"), o.number("stride")];
  const along = attrs.axis === "column" ? cols : rows;
  const vector = grid(1, rows === 0 || cols === 0 ? 0 : along, 0);
  const touches: Touch[] = [
    { operand: "dst", access: "writes", region: grid(rows, cols, stride) },
    { operand: "acc", access: "reads", region: grid(rows, cols, cols) },
  ];
  if (attrs.bias) touches.push({ operand: "bias", access: "reads", region: vector });
  if (attrs.scale === "vector") touches.push({ operand: "scale", access: "reads", region: vector });
  if (attrs.residual !== undefined)
    touches.push({
      operand: "residual",
      access: "reads",
      region: grid(rows, cols, o.number("residualStride")),
    });
  return {
    problem: problem(attrs, o, rows, cols, stride),
    touches,
    run: (at) => {
      if (rows === 0 || cols === 0) return;
      const steps = stepsOf(attrs, o, at, along);
      const [acc, dst] = [at("acc"), at("dst")];
      const d = o.dtype("dst");
      const into = viewOf(dst);
      const sums = readElements(o.dtype("acc"), viewOf(acc), acc.at, rows * cols);
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < cols; j++) {
          const v = steps.reduce((x, step) => step(x, i, j), sums[i * cols + j] as number);
          writeElement(d, into, dst.at + (i * stride + j) * DTYPES[d].bytes, v);
        }
      }
    },
  };
}

function problem(
  attrs: Attrs,
  o: CommandOperands,
  rows: number,
  cols: number,
  stride: number,
): Problem | undefined {
  const wrong = countProblem({ rows, cols, stride }) ?? gridProblem("stride", stride, rows, cols);
  if (wrong !== undefined) return wrong;
  if (attrs.residual !== undefined) {
    const residualStride = o.number("residualStride");
    const bad = countProblem({ residualStride });
    if (bad !== undefined) return bad;
  }
  if (attrs.residual === "quantized") {
    const bad = zeroPointProblem(o.dtype("residual"), "residualZeroPoint", o.number("residualZeroPoint"));
    if (bad !== undefined) return bad;
  }
  return attrs.quantized
    ? zeroPointProblem(o.dtype("dst"), "zeroPoint", o.number("outZeroPoint"))
    : undefined;
}

/** The steps in their order. */
function stepsOf(attrs: Attrs, o: CommandOperands, at: At, along: number): readonly Step[] {
  const { fround } = Math;
  const integers = o.dtype("acc") === "i32";
  const list = (name: string): number[] => readElements(o.dtype(name), viewOf(at(name)), at(name).at, along);
  const own = (values: readonly number[]): ((i: number, j: number) => number) =>
    attrs.axis === "column" ? (_, j) => values[j] as number : (i) => values[i] as number;
  const bias = attrs.bias ? { of: own(list("bias")), integer: o.dtype("bias") === "i32" } : undefined;
  const steps: Step[] = [];
  if (bias?.integer) steps.push((v, i, j) => (v + bias.of(i, j)) | 0);
  if (o.dtype("dst") === "i32") return steps;
  if (integers) steps.push(fround);
  if (attrs.scale !== undefined) {
    const number = attrs.scale === "number" ? o.number("scale") : 0;
    const scale = attrs.scale === "vector" ? own(list("scale")) : () => number;
    steps.push((v, i, j) => fround(v * scale(i, j)));
  }
  if (bias !== undefined && !bias.integer) steps.push((v, i, j) => fround(v + bias.of(i, j)));
  if (attrs.residual !== undefined) {
    const place = at("residual");
    const view = viewOf(place);
    const dtype = o.dtype("residual");
    const step = o.number("residualStride");
    const widen =
      attrs.residual === "plain"
        ? (x: number) => x
        : dequantiser({ scale: o.number("residualScale"), zeroPoint: o.number("residualZeroPoint") });
    steps.push((v, i, j) =>
      fround(v + widen(readElement(dtype, view, place.at + (i * step + j) * DTYPES[dtype].bytes))),
    );
  }
  for (const { op, y } of activationSteps(attrs.activation)) {
    const f = laneFn(op, "f32");
    steps.push((v) => f(v, y ?? 0, 0));
  }
  const d = o.dtype("dst");
  if (attrs.quantized)
    steps.push(quantiser(d, { scale: o.number("outScale"), zeroPoint: o.number("outZeroPoint") }));
  else if (d === "f16" || d === "bf16") steps.push(roundTo(d));
  return steps;
}
