/**
 * What a kernel asks of the engines of the matrix path: checked arguments by the names of ir/path/operands.ts, and how each
 * execution takes them. Every command is asynchronous, its event stands last.
 */

import { commandOf } from "../ir/path/commands.ts";
import {
  type PathAttrs,
  type PathOp,
  type PathOperand,
  pathMismatch,
  pathOperands,
} from "../ir/path/operands.ts";
import { address, number, type Options, pointed, present } from "./arguments.ts";
import type { LowerContext, Simulation } from "./context.ts";
import { event } from "./engine.ts";
import { intrinsic, type OperandSpec } from "./intrinsic.ts";
import type { DTypeName, Scope } from "./ir.ts";
import { isExpr, shapeOf, textOf, type Value } from "./operand.ts";
import { DirectOps, LoweredOps, type Ops } from "./ops.ts";
import type { Ptr } from "./pointer.ts";
import type { Event } from "./values.ts";

export interface PathRequest<O extends PathOp> {
  readonly attrs: PathAttrs[O];
  /** Pointers and numbers by name. */
  readonly values: Readonly<Record<string, unknown>>;
}

export interface PathSpec<O extends PathOp> {
  readonly name: string;
  readonly op: O;
  /** All but the event. */
  readonly operands: readonly OperandSpec[];
  readonly doc: string;
  readonly example: string;
  /** Checks the numbers and options; pointers are checked by the table of operands. */
  readonly request: (ops: Ops, args: readonly unknown[]) => PathRequest<O>;
}

/** The record of a command. */
export function pathCommand<O extends PathOp, F extends (...args: never[]) => unknown>(spec: PathSpec<O>): F {
  const { name, op } = spec;
  const n = spec.operands.length;
  const checked = (ops: Ops, args: readonly unknown[]): PathRequest<O> & { readonly on: Value } => {
    for (const [i, o] of spec.operands.entries()) present(ops, args[i], o.name, i);
    const r = spec.request(ops, args.slice(0, n));
    checkPointers(ops, op, r, args);
    return { ...r, on: event(ops, args[n], n) };
  };
  return intrinsic<F>({
    name,
    family: "path",
    signature: { operands: [...spec.operands, { name: "event", kind: "event" }], result: "nothing" },
    effect: "write",
    cost: "engine",
    doc: spec.doc,
    example: spec.example,
    simulate: (sim: Simulation, ...args: unknown[]) => {
      const ops = new DirectOps(sim, name);
      const { attrs, values, on } = checked(ops, args);
      const at = (operand: string): Ptr => values[operand] as Ptr;
      const factors = new Set(pathOperands(op, attrs).flatMap((o) => (o.is === "factor" ? [o.name] : [])));
      const number = (operand: string): number =>
        Number(factors.has(operand) ? ops.f32(values[operand] as Value) : values[operand]);
      sim.command(
        commandOf(op, attrs, { number, dtype: (operand) => at(operand).dtype.name }),
        at,
        on as Event,
      );
    },
    lower: (b: LowerContext, ...args: unknown[]) => {
      const ops = new LoweredOps(b, name);
      const { attrs, values, on } = checked(ops, args);
      const operands = pathOperands(op, attrs).map((o) => lowered(ops, o, values[o.name]));
      b.op(op, [...operands, ops.expr(on)], { ...attrs });
    },
  });
}

function lowered(ops: LoweredOps, o: PathOperand, v: unknown): ReturnType<LoweredOps["expr"]> {
  switch (o.is) {
    case "pointer":
      return ops.expr(address(v));
    case "factor":
      return ops.f32(v as Value);
    case "flag":
      return ops.expr(v as Value);
    case "count":
    case "integer":
      return ops.number(v as Value);
  }
}

/** Pointers against the table: scope, dtype, and what they do not fit each other. */
function checkPointers<O extends PathOp>(
  ops: Ops,
  op: O,
  { attrs, values }: PathRequest<O>,
  args: readonly unknown[],
): void {
  const shapes = new Map<string, { dtype: DTypeName; scope: Scope }>();
  for (const o of pathOperands(op, attrs)) {
    if (o.is !== "pointer") continue;
    const v = values[o.name];
    const position = args.indexOf(v);
    const argument = position < 0 ? OPTIONS_AT[op] : position;
    const s = pointed(ops, v, o.name, argument, o.access !== "reads");
    if (!o.scopes.includes(s.scope)) {
      ops.refuse(
        "KPU4014",
        `${ops.name}: ${o.name} must be in ${o.scopes.join(" or ")}, but points into ${s.scope}`,
        {
          argument,
          help: WAYS,
        },
      );
    }
    if (!o.dtypes.includes(s.dtype)) {
      ops.refuse("KPU4007", `${ops.name}: ${o.name} must point to ${o.dtypes.join(", ")}, got ${s.dtype}`, {
        argument,
      });
    }
    shapes.set(o.name, s);
  }
  const wrong = pathMismatch(op, attrs, (name) => shapes.get(name) as { dtype: DTypeName; scope: Scope });
  if (wrong !== undefined) ops.refuse("KPU4007", `${ops.name} ${wrong}`, { argument: 0 });
}
/** The argument that holds the options of a command, pointers among them. */
const OPTIONS_AT: { readonly [K in PathOp]: number } = {
  block_move: 2,
  stream_rows: 2,
  stream_cols: 2,
  preload: 2,
  mma: 3,
  drain: 2,
};
const WAYS =
  "S.dmaCopy: global and l3; S.blockMove: l3 and l2; S.streamRows, S.streamCols: l2 to l1; S.mma: l1 to acc; S.preload: l2 to acc; S.drain: acc to l2";

// ---------------------------------------------------------------------------------------------- options

/** One of a list of names, known when the kernel is checked. */
export function choice<T extends string>(
  ops: Ops,
  o: Options,
  key: string,
  names: readonly T[],
  argument: number,
): T {
  const v = o[key] ?? names[0];
  if (isExpr(v)) return ops.refuse("KPU2007", `${ops.name}: option ${key} must be static`, { argument });
  const found = names.find((name) => name === v);
  if (found !== undefined) return found;
  return ops.refuse(
    "KPU3004",
    `${ops.name}: option ${key} must be one of ${names.join(", ")}, got ${typeof v === "string" ? `"${v}"` : textOf(v)}`,
    { argument },
  );
}

/** A boolean that may be known at run time only. */
export function condition(ops: Ops, o: Options, key: string, argument: number): Value {
  const v = o[key] ?? false;
  if (shapeOf(v).is === "bool") return v as Value;
  return ops.refuse("KPU3001", `${ops.name}: ${key} must be true or false, got ${textOf(v)}`, { argument });
}

/** A number that goes into arithmetic as f32. */
export function factor(ops: Ops, v: unknown, what: string, argument: number): Value {
  number(ops, v, what, argument);
  return v as Value;
}
