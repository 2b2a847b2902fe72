/** The namespace `S`: every intrinsic that authors call by name, collected from its family's file. */
import * as arithmetic from "./intrinsics/arithmetic.ts";
import * as bitwise from "./intrinsics/bitwise.ts";
import * as cache from "./intrinsics/cache.ts";
import * as classify from "./intrinsics/classify.ts";
import * as compare from "./intrinsics/compare.ts";
import { assert, grid, print, range, unroll } from "./intrinsics/control.ts";
import { cast, vbcast } from "./intrinsics/conversion.ts";
import * as dot from "./intrinsics/dot.ts";
import * as events from "./intrinsics/events.ts";
import * as mask from "./intrinsics/mask.ts";
import * as math from "./intrinsics/math.ts";
import * as matrix from "./intrinsics/matrix.ts";
import * as memory from "./intrinsics/memory.ts";
import { vnsr, vnsrsr } from "./intrinsics/narrow.ts";
import * as packing from "./intrinsics/packing.ts";
import * as pairwise from "./intrinsics/pairwise.ts";
import * as permutation from "./intrinsics/permutation.ts";
import "./intrinsics/pointer.ts";
import * as path from "./intrinsics/path.ts";
import * as perf from "./intrinsics/perf.ts";
import * as product from "./intrinsics/product.ts";
import { dequantize, quantize } from "./intrinsics/quantize.ts";
import * as reinterpretations from "./intrinsics/reinterpret.ts";
import * as reshape from "./intrinsics/reshape.ts";
import {
  abs,
  ceildiv,
  clip,
  floordiv,
  max,
  min,
  toBf16,
  toBool,
  toF8e4m3,
  toF8e5m2,
  toF16,
  toF32,
  toI4,
  toI8,
  toI16,
  toI32,
  toU4,
  toU8,
  toU16,
  toU32,
} from "./intrinsics/scalar.ts";
import * as spmd from "./intrinsics/spmd.ts";
import { comptime, func, target } from "./intrinsics/static.ts";
import * as transfer from "./intrinsics/transfer.ts";
import type { Namespace } from "./namespace.ts";

const conversions = {
  i8: toI8,
  u8: toU8,
  i16: toI16,
  u16: toU16,
  i32: toI32,
  u32: toU32,
  f16: toF16,
  bf16: toBf16,
  f32: toF32,
  bool: toBool,
  i4: toI4,
  u4: toU4,
  f8e4m3: toF8e4m3,
  f8e5m2: toF8e5m2,
};

const all = {
  ...spmd,
  range,
  grid,
  unroll,
  ceildiv,
  floordiv,
  min,
  max,
  clip,
  abs,
  ...conversions,
  ...memory,
  ...transfer,
  ...reshape,
  ...path,
  ...events,
  ...cache,
  ...mask,
  ...arithmetic,
  ...pairwise,
  ...product,
  ...dot,
  ...matrix,
  ...bitwise,
  vnsr,
  vnsrsr,
  vconcat: permutation.vconcat,
  vsplit: permutation.vsplit,
  vzip: permutation.vzip,
  vunzip: permutation.vunzip,
  vrevs: permutation.vrevs,
  vshfl: permutation.vshfl,
  vsldl: permutation.vsldl,
  vreplic: permutation.vreplic,
  vtranspose: permutation.vtranspose,
  ...packing,
  ...reinterpretations,
  quantize,
  dequantize,
  ...compare,
  ...classify,
  ...math,
  cast,
  vbcast,
  print,
  assert,
  ...perf,
  comptime,
  func,
  target,
};

/**
 * Everything a kernel can ask of the machine. `kpu intrinsics` prints the reference. Its documented type is generated
 * (`npm run generate`); what is new since then is here without documentation.
 */
export const S: Namespace & Omit<typeof all, keyof Namespace> = Object.freeze(all);
