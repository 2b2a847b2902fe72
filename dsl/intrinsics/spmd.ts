/** One kernel instance per compute tile: which one, of how many, and where they meet. */
import { intrinsic } from "../intrinsic.ts";

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

export const barrier = intrinsic<() => void>({
  name: "barrier",
  family,
  signature: { operands: [], result: "nothing" },
  effect: "block",
  cost: "sync",
  doc: "Waits until every tile has come here; what one tile wrote before is visible to all after. It does not wait for asynchronous transfers.",
  example: "S.barrier();",
  simulate: (sim) => sim.barrier(),
  lower: (b) => b.op("barrier", []),
});
