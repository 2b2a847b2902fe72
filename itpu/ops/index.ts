/** The ops of the unit, by name. */
import { entropy, kdePdf } from "./density.ts";
import { batchMi, mi } from "./information.ts";
import { dma, reduce } from "./move.ts";
import type { Op } from "./op.ts";
import { plasticityStep } from "./plasticity.ts";

export const OPS = { kdePdf, entropy, mi, batchMi, plasticityStep, reduce, dma } as const satisfies Record<
  string,
  Op
>;
export type OpName = keyof typeof OPS;
export const OP_NAMES = Object.keys(OPS) as readonly OpName[];
export const isOpName = (name: unknown): name is OpName => OP_NAMES.some((n) => n === name);
