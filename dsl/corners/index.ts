/**
 * The corners of every intrinsic by name. They are a part of its record, {@link intrinsic} puts them there; they stand here
 * because they are long and records are read.
 */
import type { Corner } from "../corner.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { BITWISE } from "./bitwise.ts";
import { COMPARE } from "./compare.ts";
import { CONVERSION } from "./conversion.ts";
import { MATH } from "./math.ts";
import { MEMORY } from "./memory.ts";
import { PATH } from "./path.ts";
import { PERMUTATION } from "./permutation.ts";
import { SCALAR } from "./scalar.ts";

export type Corners = { readonly [intrinsic: string]: readonly Corner[] };

export const CORNERS: Corners = {
  ...ARITHMETIC,
  ...BITWISE,
  ...COMPARE,
  ...CONVERSION,
  ...MATH,
  ...MEMORY,
  ...PATH,
  ...PERMUTATION,
  ...SCALAR,
};
