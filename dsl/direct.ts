/**
 * The fast paths of lanewise intrinsics in direct execution: equal vectors, a number beside a vector, a ready mask.
 * They call the ALU table's loop at once; every other form, and every refusal, is left to the generic form, which is
 * the same text for both executions. A loop is entered into the table only after the generic form accepted its dtype.
 */
import { laneLoop } from "../ir/alu.ts";
import { soleMask } from "./arguments.ts";
import type { Simulation } from "./context.ts";
import { fits } from "./fit.ts";
import type { AluOp } from "./ir.ts";
import { splatLanes } from "./ops.ts";
import { Mask, Vec } from "./values.ts";

type Lanes = readonly number[];
type Loop = (a: Lanes, b: Lanes, c: Lanes) => number[];
type Simulate = (sim: Simulation, ...args: unknown[]) => unknown;
type Generic = (sim: Simulation, args: readonly unknown[], o: unknown) => unknown;

const NONE: Lanes = [];

export interface DirectSpec {
  readonly op: AluOp;
  readonly operands: readonly string[];
  readonly result?: "lanes" | "mask";
}

/** The arities are spelled out: rest parameters would cost an array per call. */
export function directForm(spec: DirectSpec, generic: Generic): Simulate {
  const loops: (Loop | undefined)[] = [];
  const slow = (sim: Simulation, args: readonly unknown[], o: unknown): unknown => {
    const result = generic(sim, args, o);
    const x = args.find((a) => a instanceof Vec);
    if (x !== undefined && loops[x.dtype.index] === undefined)
      loops[x.dtype.index] = laneLoop(spec.op, x.dtype.name);
    return result;
  };
  if (spec.result === "mask") {
    return (sim, x, y, o) => {
      if (o === undefined && x instanceof Vec) {
        const loop = loops[x.dtype.index];
        const b = loop === undefined ? undefined : lanesBeside(x, y);
        if (loop !== undefined && b !== undefined) return new Mask(loop(x.data, b, NONE));
      }
      return slow(sim, [x, y], o);
    };
  }
  switch (spec.operands.length) {
    case 1:
      return (sim, x, o) => {
        if (x instanceof Vec) {
          const loop = loops[x.dtype.index];
          if (loop !== undefined) {
            if (o === undefined) return new Vec(x.dtype, loop(x.data, NONE, NONE));
            const mask = maskFor(x, o);
            if (mask !== undefined) return new Vec(x.dtype, cleared(loop(x.data, NONE, NONE), mask));
          }
        }
        return slow(sim, [x], o);
      };
    case 2:
      return (sim, x, y, o) => {
        if (x instanceof Vec) {
          const loop = loops[x.dtype.index];
          const b = loop === undefined ? undefined : lanesBeside(x, y);
          if (loop !== undefined && b !== undefined) {
            if (o === undefined) return new Vec(x.dtype, loop(x.data, b, NONE));
            const mask = maskFor(x, o);
            if (mask !== undefined) return new Vec(x.dtype, cleared(loop(x.data, b, NONE), mask));
          }
        }
        return slow(sim, [x, y], o);
      };
    default:
      return (sim, x, y, z, o) => {
        if (x instanceof Vec) {
          const loop = loops[x.dtype.index];
          const b = loop === undefined ? undefined : lanesBeside(x, y);
          const c = b === undefined ? undefined : lanesBeside(x, z);
          if (loop !== undefined && b !== undefined && c !== undefined) {
            if (o === undefined) return new Vec(x.dtype, loop(x.data, b, c));
            const mask = maskFor(x, o);
            if (mask !== undefined) return new Vec(x.dtype, cleared(loop(x.data, b, c), mask));
          }
        }
        return slow(sim, [x, y, z], o);
      };
  }
}

/** Lanes of an operand that needs no further check beside x. */
function lanesBeside(x: Vec, y: unknown): Lanes | undefined {
  if (y instanceof Vec) return x.dtype === y.dtype && x.lanes === y.lanes ? y.data : undefined;
  if (typeof y === "number" && fits(y, x.dtype.name)) return splatLanes(x.dtype.name, x.lanes, y);
  return undefined;
}

function maskFor(x: Vec, o: unknown): Mask | undefined {
  const mask = soleMask(o);
  return mask !== undefined && mask.lanes === x.lanes ? mask : undefined;
}

/** Inactive lanes of a fresh result become 0. */
function cleared(data: number[], mask: Mask): number[] {
  const active = mask.data;
  for (let i = 0; i < data.length; i++) if (active[i] === 0) data[i] = 0;
  return data;
}
