/** The commands of the matrix path as code. They are complete when issued, like transfers: events are checked, not waited for. */
import type { Apply } from "../../../ir/kir.ts";
import { namedOperands, type PathOp } from "../../../ir/path/operands.ts";
import type { Emitter } from "../context.ts";
import { emitBlockMove } from "./blockmove.ts";
import { emitDrain } from "./drain.ts";
import { emitMma } from "./mma.ts";
import { emitPreload } from "./preload.ts";
import { emitStream } from "./stream.ts";

export function emitCommand(E: Emitter, e: Apply, op: PathOp): void {
  const operand = namedOperands(op, e.attrs, e.args);
  switch (op) {
    case "block_move":
      emitBlockMove(E, e.attrs, operand);
      return;
    case "stream_rows":
      emitStream(E, "rows", e, operand);
      return;
    case "stream_cols":
      emitStream(E, "cols", e, operand);
      return;
    case "preload":
      emitPreload(E, operand);
      return;
    case "mma":
      emitMma(E, operand);
      return;
    case "drain":
      emitDrain(E, e, operand);
      return;
  }
}
