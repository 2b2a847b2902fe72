/**
 * How operands lie in the stream buffers of a program: as the micro-kernels of mma.ts read them.
 *
 *     panel 0   unit (0, 0) .. (width - 1, 0), unit (0, 1) .. (width - 1, 1), ...     then panel 1, ...
 *
 * Unit (i, p) has 4 bytes: of floats the f32 at row (or column) i and depth p, of bytes the two 16-bit integers at depth 2p
 * and 2p + 1. An odd last depth of bytes follows as one 16-bit integer each. The last panel is as narrow as what is left, so
 * that a block takes as many elements as it has.
 */
import { type DTypeName, isFloat } from "../../../ir/dtype.ts";

/** The rows and columns of the micro-kernels' tile of accumulators. */
export const TILE = { rows: 4, cols: 8 } as const;
export const UNIT = 4;

/** What a unit holds. */
export type Units = "floats" | "pairs";
export function unitsOf(d: DTypeName): Units {
  return isFloat(d) ? "floats" : "pairs";
}
/** Bytes of one element in a stream buffer. */
export const ELEMENT: { readonly [K in Units]: 2 | 4 } = { floats: 4, pairs: 2 };
