/** Named spans of a tile's work, for reports. */
import type { LowerContext, Simulation } from "../context.ts";
import { intrinsic, type OperandSpec } from "../intrinsic.ts";
import { isExpr, textOf } from "../operand.ts";
import { DirectOps, LoweredOps, type Ops } from "../ops.ts";

const family = "control";

/** Span ids are below this: reports have a row for each. */
const IDS = 256;

const ID: readonly OperandSpec[] = [
  { name: "id", kind: "static", doc: `an integer from 0 to ${IDS - 1}`, values: [0, 1, IDS - 1] },
];

function spanId(ops: Ops, v: unknown): number {
  if (isExpr(v)) return ops.refuse("KPU2007", `${ops.name}: id must be static`, { argument: 0 });
  if (typeof v === "number" && Number.isInteger(v) && v >= 0 && v < IDS) return v + 0;
  return ops.refuse("KPU3001", `${ops.name}: id must be an integer from 0 to ${IDS - 1}, got ${textOf(v)}`, {
    argument: 0,
  });
}

export const perfBegin = intrinsic<(id: number) => void>({
  name: "perfBegin",
  family,
  signature: { operands: ID, result: "nothing" },
  effect: "write",
  cost: "host",
  doc: "Begins span `id` of this tile: the report of the run lists begins and ends per tile, in order. Spans nest; one that begins while it is open, ends out of order or never ends is an error (KPU5010).",
  example: "S.perfBegin(1); S.vstore(S.vload(x), y); S.perfEnd(1);",
  simulate: (sim: Simulation, id: unknown) => sim.perf("begin", spanId(new DirectOps(sim, "perfBegin"), id)),
  lower: (b: LowerContext, id: unknown) => {
    b.op("perf_begin", [], { id: spanId(new LoweredOps(b, "perfBegin"), id) });
  },
});

export const perfEnd = intrinsic<(id: number) => void>({
  name: "perfEnd",
  family,
  signature: { operands: ID, result: "nothing" },
  effect: "write",
  cost: "host",
  doc: "Ends span `id` of this tile, which must be the innermost open one (KPU5010).",
  example: "S.perfBegin(2); S.perfBegin(3); S.perfEnd(3); S.perfEnd(2);",
  simulate: (sim: Simulation, id: unknown) => sim.perf("end", spanId(new DirectOps(sim, "perfEnd"), id)),
  lower: (b: LowerContext, id: unknown) => {
    b.op("perf_end", [], { id: spanId(new LoweredOps(b, "perfEnd"), id) });
  },
});
