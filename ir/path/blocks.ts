/**
 * What lies in the stream buffers. A streamer writes a block in the order in which the fabric takes it, which is the
 * machine's own affair; so a block is taken whole, by the pointer that it was streamed to.
 */
import type { Problem } from "../transfer.ts";

export interface Block {
  /** The edge of the fabric that it feeds. */
  readonly edge: "rows" | "cols";
  /** Rows, or columns. */
  readonly extent: number;
  readonly depth: number;
}

/** The blocks of a run: by buffer, whatever stands for one, and by the element that they start at. */
export class Blocks {
  readonly #of = new Map<unknown, Map<number, Block>>();

  /** A block that is streamed to element `at`: others that it reaches into are gone. */
  put(buffer: unknown, at: number, block: Block): void {
    let held = this.#of.get(buffer);
    if (held === undefined) this.#of.set(buffer, (held = new Map()));
    const end = at + size(block);
    for (const [start, other] of held) if (start < end && start + size(other) > at) held.delete(start);
    if (size(block) > 0) held.set(at, block);
  }

  /** Why `wanted` cannot be taken from element `at`. */
  problem(buffer: unknown, at: number, wanted: Block): Problem | undefined {
    if (size(wanted) === 0) return undefined;
    const found = this.#of.get(buffer)?.get(at);
    if (found !== undefined && isSame(found, wanted)) return undefined;
    return {
      message: `takes ${text(wanted)}, but ${found === undefined ? "no block that was streamed starts there" : `${text(found)} were streamed there`}`,
      help: "S.mma takes blocks as they were streamed: the same rows, columns and depth",
      data: { extent: wanted.extent, depth: wanted.depth },
    };
  }
}

const isSame = (a: Block, b: Block): boolean =>
  a.edge === b.edge && a.extent === b.extent && a.depth === b.depth;
const size = (b: Block): number => b.extent * b.depth;
function text({ edge, extent, depth }: Block): string {
  return `${extent} ${edge === "rows" ? "rows" : "columns"} of depth ${depth}`;
}
