/**
 * Intrinsics that are written over `Ops`: one text gives both executions. Each takes `mask` and `r` beside its own options.
 */
import { type Options, options, underMask } from "./arguments.ts";
import { type Family, intrinsic, type OperandSpec } from "./intrinsic.ts";
import type { CostClass, DTypeName } from "./ir.ts";
import { shapeOf, type Value } from "./operand.ts";
import { DirectOps, LoweredOps, type Ops } from "./ops.ts";

export interface ComposedSpec {
  readonly name: string;
  readonly family: Family;
  readonly operands: readonly OperandSpec[];
  /** Options beyond `mask` and `r`. */
  readonly options?: readonly OperandSpec[];
  /** Lanes of the result where the first vector has `n`; the same when absent. */
  readonly lanes?: (n: number) => number;
  /** Lane counts of the first vector; any when absent. */
  readonly multipleOf?: number;
  readonly result: string;
  readonly cost: CostClass;
  readonly doc: string;
  readonly example: string;
  /** The result with every lane active. */
  readonly apply: (ops: Ops, args: readonly unknown[], o: Options) => Value;
}

/** Declares it. `F` is its precise TypeScript type. */
export function composed<F extends (...args: never[]) => unknown>(spec: ComposedSpec): F {
  const arity = spec.operands.length;
  const own = spec.options ?? [];
  const known = ["mask", "r", ...own.map((o) => o.name)];
  const wide = spec.lanes === undefined ? {} : { lanes: spec.lanes };
  const run = (ops: Ops, args: readonly unknown[], given: unknown): Value => {
    const o = options(ops, given, known, arity);
    const result = spec.apply(ops, args, o);
    return underMask(ops, o, result, laneShapeOf(result), arity);
  };
  return intrinsic<F>({
    name: spec.name,
    family: spec.family,
    signature: {
      operands: spec.operands,
      options: [
        { name: "mask", kind: "mask", optional: true, doc: "active lanes of the result", ...wide },
        {
          name: "r",
          kind: "vec|scalar",
          dtype: "result",
          optional: true,
          doc: "inactive lanes; 0 or false when absent",
          ...wide,
        },
        ...own,
      ],
      ...(spec.multipleOf === undefined ? {} : { widths: { multipleOf: spec.multipleOf } }),
      result: spec.result,
    },
    effect: "pure",
    cost: spec.cost,
    doc: spec.doc,
    example: spec.example,
    simulate: (sim, ...args: unknown[]) =>
      run(new DirectOps(sim, spec.name), args.slice(0, arity), args[arity]),
    lower: (b, ...args: unknown[]) => run(new LoweredOps(b, spec.name), args.slice(0, arity), args[arity]),
  });
}

function laneShapeOf(v: Value): { dtype: DTypeName; lanes: number } {
  const s = shapeOf(v);
  if (s.is === "vec") return s;
  if (s.is === "mask") return { dtype: "bool", lanes: s.lanes };
  throw new TypeError("a composed intrinsic gives lanes");
}

/** Refuses a lane count that is no multiple of `step`. */
export function multiple(ops: Ops, lanes: number, step: number, argument: number): void {
  if (lanes % step === 0) return;
  ops.refuse("KPU3010", `${ops.name} needs a lane count that is a multiple of ${step}, got ${lanes}`, {
    argument,
    help: `load ${Math.ceil(lanes / step) * step} lanes with a mask: what is not loaded is 0`,
  });
}

/** 0 .. n - 1 through `f`. */
export function lanesBy(n: number, f: (i: number) => number): number[] {
  return Array.from({ length: n }, (_, i) => f(i));
}
