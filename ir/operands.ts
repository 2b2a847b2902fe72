/** Where the operands of ops with lists stand. */
import type { Attrs } from "./kir.ts";

/** The lists of dma_nd after its two pointers, each of `dims` operands; the last two only when padded. */
export const ND_LISTS = ["counts", "srcStrides", "dstStrides", "before", "after"] as const;
export type NdList = (typeof ND_LISTS)[number];

/** A list of dma_nd from its operands. */
export function ndList<T>(attrs: Attrs, operands: readonly T[], list: NdList): readonly T[] {
  const dims = attrs["dims"] as number;
  const from = 2 + ND_LISTS.indexOf(list) * dims;
  return operands.slice(from, from + dims);
}

/** The operand of a padded dma_nd that is the fill value. */
export function paddingOperand(attrs: Attrs): number {
  return 2 + ND_LISTS.length * (attrs["dims"] as number);
}
