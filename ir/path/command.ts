/**
 * A command of the matrix path in numbers: what is wrong with it, which elements it touches, what it does. Written once
 * per command, for direct execution, the reference interpreter and the checks of compiled programs.
 */
import type { DTypeName } from "../dtype.ts";
import type { Region } from "../region.ts";
import type { Place, Problem } from "../transfer.ts";
import type { Block } from "./blocks.ts";

/** The elements of one pointer operand. */
export interface Touch {
  readonly operand: string;
  /** `updates` reads and writes in place. */
  readonly access: "reads" | "writes" | "updates";
  /** The bytes from a pointer at address `start` on, of elements of so many bytes; undefined when there are none. */
  readonly region: (start: number, elementBytes: number) => Region | undefined;
}

export interface Command {
  /** Where there is one, the rest means nothing. */
  readonly problem?: Problem | undefined;
  readonly touches: readonly Touch[];
  /** Such commands of a tile are done in the order in which they were given, so that none is in the way of the next. */
  readonly inOrder?: boolean;
  /** What lies at a pointer into l1 afterwards. */
  readonly streams?: Streamed;
  /** What must lie at pointers into l1. */
  readonly takes?: readonly Streamed[];
  /** Does it, on checked memory. */
  readonly run: (at: (operand: string) => Place) => void;
}
export interface Streamed {
  readonly operand: string;
  readonly block: Block;
}

/** Operands as the meaning of a command wants them: numbers by name (a flag is 0 or 1), dtypes of pointers. */
export interface CommandOperands {
  readonly number: (name: string) => number;
  readonly dtype: (name: string) => DTypeName;
}
