/** The meaning of every command of the matrix path. */
import { moveCommand } from "./blockmove.ts";
import type { Command, CommandOperands } from "./command.ts";
import { drainCommand } from "./drain.ts";
import { mmaCommand } from "./mma.ts";
import type { PathAttrs, PathOp } from "./operands.ts";
import { preloadCommand } from "./preload.ts";
import { streamCommand } from "./stream.ts";

/** A command from its attributes and operands. Throws nothing: what is wrong with it is its `problem`. */
export function commandOf(op: PathOp, attrs: object, o: CommandOperands): Command {
  switch (op) {
    case "block_move":
      return moveCommand(attrs as PathAttrs["block_move"], o);
    case "stream_rows":
      return streamCommand("rows", attrs as PathAttrs["stream_rows"], o);
    case "stream_cols":
      return streamCommand("cols", attrs as PathAttrs["stream_cols"], o);
    case "preload":
      return preloadCommand(o);
    case "mma":
      return mmaCommand(o);
    case "drain":
      return drainCommand(attrs as PathAttrs["drain"], o);
  }
}
