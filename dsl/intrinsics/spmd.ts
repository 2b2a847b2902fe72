/** One kernel instance per compute tile: which one, of how many, and where they meet. */
import { options } from "../arguments.ts";
import type { LowerContext, Simulation } from "../context.ts";
import { eventList } from "../engine.ts";
import { intrinsic } from "../intrinsic.ts";
import type { Value } from "../operand.ts";
import { DirectOps, LoweredOps, type Ops } from "../ops.ts";
import type { Event } from "../values.ts";

const family = "spmd";

export const tileId = intrinsic<() => number>({
  name: "tileId",
  family,
  signature: { operands: [], result: "number" },
  // Not pure: it must never be evaluated before the kernel runs.
  effect: "read",
  cost: "free",
  doc: "Number of this tile, 0 to tileCount() - 1.",
  example: "if (S.tileId() === 0) y.set(0, 1);",
  simulate: (sim) => sim.tileId(),
  lower: (b) => b.op("tile_id", []),
});

export const tileCount = intrinsic<() => number>({
  name: "tileCount",
  family,
  signature: { operands: [], result: "number" },
  effect: "read",
  cost: "free",
  doc: "Number of tiles that run the kernel.",
  example: "if (S.tileId() === S.tileCount() - 1) y.set(0, 1);",
  simulate: (sim) => sim.tileCount(),
  lower: (b) => b.op("tile_count", []),
});

export interface BarrierOptions {
  /** Events that this tile waits for before it comes to the barrier. */
  readonly events?: Event | readonly Event[] | undefined;
}

function eventsOf(ops: Ops, o: unknown): readonly Value[] {
  const { events } = options(ops, o, ["events"], 0);
  return events === undefined ? [] : eventList(ops, [events]);
}

export const barrier = intrinsic<(options?: BarrierOptions) => void>({
  name: "barrier",
  family,
  signature: {
    operands: [],
    options: [
      {
        name: "events",
        kind: "event",
        optional: true,
        doc: "an event or an array of events of this tile, waited for first as S.waitEvents does",
      },
    ],
    result: "nothing",
  },
  effect: "block",
  cost: "sync",
  doc: "Waits until every tile has come here; what one tile wrote before is visible to all after. It does not wait for asynchronous transfers, except for those on `events`: then what they moved is visible to all after.",
  example:
    "S.barrier(); const [e] = S.allocEvents(1); S.asyncDmaCopy(y, x, 8, e); S.barrier({ events: e }); S.freeEvents(e);",
  simulate: (sim: Simulation, o?: unknown) =>
    sim.barrier(o === undefined ? NONE : (eventsOf(new DirectOps(sim, "barrier"), o) as readonly Event[])),
  lower: (b: LowerContext, o?: unknown) => {
    const ops = new LoweredOps(b, "barrier");
    for (const e of eventsOf(ops, o)) b.op("event_wait", [ops.expr(e)]);
    b.op("barrier", []);
  },
});
const NONE: readonly Event[] = [];
