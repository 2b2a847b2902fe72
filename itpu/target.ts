/** What the unit's kernels are compiled for: one tile, registers of 256 bits. */
import { fabric, type Target } from "../ir/target.ts";

export const ITPU_TARGET: Target = {
  name: "itpu-v0",
  tiles: 1,
  registerBits: 256,
  capacity: { l3: 1 << 20, l2: 1 << 18, ...fabric(1, 1), local: 1 << 16, private: 1 << 13 },
  events: 8,
};
