/** Events of asynchronous transfers. */
import { present } from "../arguments.ts";
import { eventList } from "../engine.ts";
import { intrinsic, type OperandSpec } from "../intrinsic.ts";
import type { Expr } from "../ir.ts";
import { isExpr, textOf } from "../operand.ts";
import { DirectOps, LoweredOps, type Ops } from "../ops.ts";
import type { Event } from "../values.ts";

const family = "transfer";

/** A tuple of N events for a literal N, so that `const [a, b] = S.allocEvents(2)` has exact types. */
export type Events<N extends number, T extends readonly Event[] = readonly []> = number extends N
  ? readonly Event[]
  : T["length"] extends N
    ? T
    : T["length"] extends 64
      ? readonly Event[]
      : Events<N, readonly [...T, Event]>;

function eventCount(ops: Ops, v: unknown): number {
  present(ops, v, "count", 0);
  if (isExpr(v)) return ops.refuse("KPU2007", `${ops.name}: count must be static`, { argument: 0 });
  const most = ops.target.events;
  if (typeof v === "number" && Number.isInteger(v) && v >= 1) {
    if (v <= most) return v;
    return ops.refuse(
      "KPU5007",
      `${ops.name}: ${v} events wanted, target ${ops.target.name} has ${most} per tile`,
      { argument: 0 },
    );
  }
  return ops.refuse("KPU3001", `${ops.name}: count must be a positive integer, got ${textOf(v)}`, {
    argument: 0,
  });
}

export const allocEvents = intrinsic<<const N extends number>(count: N) => Events<N>>({
  name: "allocEvents",
  family,
  signature: { operands: [{ name: "count", kind: "static", doc: "at least 1" }], result: "array of events" },
  effect: "write",
  cost: "sync",
  doc: "Takes `count` events of this tile; the target has a limit per tile.",
  example: "const [e] = S.allocEvents(1); S.asyncDmaMemset(y, 1, 8, e); S.waitEvents(e); S.freeEvents(e);",
  simulate: (sim, count: unknown) => sim.allocEvents(eventCount(new DirectOps(sim, "allocEvents"), count)),
  lower: (b, count: unknown): Expr[] => {
    const n = eventCount(new LoweredOps(b, "allocEvents"), count);
    if (b.underRuntimeLoop) {
      b.refuse("KPU4004", "S.allocEvents stands inside a loop or under a condition on runtime values", {
        help: "allocate before the loop",
      });
    }
    return Array.from({ length: n }, () => b.op("event_alloc", []));
  },
});

const EVENTS: readonly OperandSpec[] = [
  { name: "events", kind: "event", doc: "events, or arrays of events" },
];
type OverEvents = (...events: (Event | readonly Event[])[]) => void;

export const waitEvents = intrinsic<OverEvents>({
  name: "waitEvents",
  family,
  variadic: true,
  signature: { operands: EVENTS, result: "nothing" },
  effect: "block",
  cost: "sync",
  doc: "Waits until the transfers started on the events are complete. An event on which nothing was started is an error.",
  example: "const [e] = S.allocEvents(1); S.asyncDmaCopy(y, x, 8, e); S.waitEvents(e); S.freeEvents(e);",
  simulate: (sim, ...events: unknown[]) =>
    sim.waitEvents(eventList(new DirectOps(sim, "waitEvents"), events) as Event[]),
  lower: (b, ...events: unknown[]) => {
    const ops = new LoweredOps(b, "waitEvents");
    for (const e of eventList(ops, events)) b.op("event_wait", [ops.expr(e)]);
  },
});

export const freeEvents = intrinsic<OverEvents>({
  name: "freeEvents",
  family,
  variadic: true,
  signature: { operands: EVENTS, result: "nothing" },
  effect: "write",
  cost: "sync",
  doc: "Gives events back. A transfer still in flight on one is an error.",
  example: "const [e] = S.allocEvents(1); S.asyncDmaCopy(y, x, 8, e); S.waitEvents(e); S.freeEvents(e);",
  simulate: (sim, ...events: unknown[]) =>
    sim.freeEvents(eventList(new DirectOps(sim, "freeEvents"), events) as Event[]),
  lower: (b, ...events: unknown[]) => {
    const ops = new LoweredOps(b, "freeEvents");
    for (const e of eventList(ops, events)) b.op("event_free", [ops.expr(e)]);
  },
});
