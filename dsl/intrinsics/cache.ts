/** Hints about caches: they change when things happen, never what is computed. */
import { ALL_DTYPES } from "../../ir/dtype.ts";
import { address, pointer } from "../arguments.ts";
import type { LowerContext, Simulation } from "../context.ts";
import type { AnyD } from "../dtypes.ts";
import { count } from "../engine.ts";
import { intrinsic, type OperandSpec } from "../intrinsic.ts";
import type { Expr } from "../ir.ts";
import type { Value } from "../operand.ts";
import { DirectOps, LoweredOps, type Ops } from "../ops.ts";
import type { Ptr } from "../pointer.ts";

const family = "transfer";

const RANGE: readonly OperandSpec[] = [
  { name: "p", kind: "ptr", dtype: ALL_DTYPES },
  { name: "count", kind: "scalar", doc: "elements; 0 names none" },
];

function check(ops: Ops, p: unknown, n: unknown): void {
  pointer(ops, p, "p", 0);
  count(ops, n, "count", 1);
}
function lowered(ops: LoweredOps, p: unknown, n: unknown): Expr[] {
  return [ops.expr(address(p)), ops.number(n as Value)];
}

export const prefetch = intrinsic<<D extends AnyD>(p: Ptr<D>, count: number) => void>({
  name: "prefetch",
  family,
  signature: { operands: RANGE, result: "nothing" },
  effect: "write",
  cost: "engine",
  doc: "Says that `count` elements from p on will be read soon. It changes time, not values: nothing is read, so memory that was never written or that a transfer has in flight is no error. The elements must be within the buffer (KPU4001).",
  example: "S.prefetch(x, 16);",
  simulate: (sim: Simulation, p: unknown, n: unknown) => {
    check(new DirectOps(sim, "prefetch"), p, n);
    sim.touch(p as Ptr, n as number);
  },
  lower: (b: LowerContext, p: unknown, n: unknown) => {
    const ops = new LoweredOps(b, "prefetch");
    check(ops, p, n);
    b.op("prefetch", lowered(ops, p, n));
  },
});

export const flushCache = intrinsic<{ (): void; <D extends AnyD>(p: Ptr<D>, count: number): void }>({
  name: "flushCache",
  family,
  signature: { operands: RANGE.map((o) => ({ ...o, optional: true })), result: "nothing" },
  effect: "write",
  cost: "engine",
  doc: "Writes back what caches hold of `count` elements from p on, or of all memory without arguments. It changes time, not values: writes are visible as barriers and waits say, with or without it. The elements must be within the buffer (KPU4001).",
  example: "S.flushCache(y, 16); S.flushCache();",
  simulate: (sim: Simulation, p?: unknown, n?: unknown) => {
    if (p === undefined) return;
    check(new DirectOps(sim, "flushCache"), p, n);
    sim.touch(p as Ptr, n as number);
  },
  lower: (b: LowerContext, p?: unknown, n?: unknown) => {
    const ops = new LoweredOps(b, "flushCache");
    if (p === undefined) {
      b.op("flush_cache", []);
      return;
    }
    check(ops, p, n);
    b.op("flush_cache", lowered(ops, p, n));
  },
});
