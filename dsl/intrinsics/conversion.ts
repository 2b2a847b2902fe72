/** Conversion of vectors: `cast`, and `vbcast` from a number. */

import { castRule } from "../../ir/convert.ts";
import { ALL_DTYPES } from "../../ir/dtype.ts";
import {
  dtype,
  flag,
  integerOnly,
  laneCount,
  lanesLike,
  maskOf,
  type Options,
  options,
  underMask,
  vector,
} from "../arguments.ts";
import { type AnyD, type bool, DType, type VecD } from "../dtypes.ts";
import { intrinsic } from "../intrinsic.ts";
import {
  type Attrs,
  DTYPES,
  type DTypeName,
  hasFloats,
  hasIntegers,
  isFloat8,
  registerLanes,
  VECTORS,
} from "../ir.ts";
import { shapeOf, type Value } from "../operand.ts";
import { DirectOps, LoweredOps, mapLanes, type Ops } from "../ops.ts";
import type { LaneOptions, Loaded, MaskArg } from "../options.ts";
import { CAST_PARTS, type CastPart, partLanes, partsOf, readPart } from "../parts.ts";
import { type Mask, Vec } from "../values.ts";

const family = "conversion";

export interface CastOptions {
  readonly part?: CastPart | undefined;
  /**
   * Integer to narrower integer: clamp instead of keeping the low bits. Float to integer always clamps. To f8e4m3 and f8e5m2: clamp to
   * the largest finite value instead of NaN or an infinity.
   */
  readonly saturate?: boolean | undefined;
  /** Float to integer: keep the low bits of the i32 result instead of clamping. */
  readonly wrap?: boolean | undefined;
}

function castLanes(ops: Ops, x: unknown, to: unknown, given: unknown): Value {
  const o = options(ops, given, ["part", "saturate", "wrap"], 2);
  const target = dtype(ops, to, "dtype", 1, VECTORS);
  const part = readPart(ops, o, CAST_PARTS, 2);
  if (Array.isArray(x)) return merge(ops, x, target, part, o);
  const from = vector(ops, x, "x", 0, VECTORS);
  const picked =
    part === "all"
      ? (x as Value)
      : ops.op("shuffle", [x as Value], { lanes: partLanes(ops, part, from.lanes, 2) });
  return ops.op("cast", [picked], castAttrs(ops, o, from.dtype, target));
}

/** A list of vectors becomes one vector of a narrower dtype, in order. */
function merge(ops: Ops, list: readonly unknown[], target: DTypeName, part: CastPart, o: Options): Value {
  if (list.length === 0)
    return ops.refuse("KPU3001", `${ops.name}: the list of vectors is empty`, { argument: 0 });
  if (part !== "all")
    return ops.refuse("KPU3004", `${ops.name}: a list of vectors takes no part`, { argument: 2 });
  const shapes = list.map((v, i) => vector(ops, v, `x[${i}]`, 0, VECTORS));
  const from = (shapes[0] as { dtype: DTypeName }).dtype;
  for (const [i, s] of shapes.entries()) {
    if (s.dtype !== from)
      return ops.refuse("KPU3001", `${ops.name}: x[${i}] is ${s.dtype}, x[0] is ${from}`, { argument: 0 });
  }
  if (DTYPES[target].bits >= DTYPES[from].bits) {
    return ops.refuse(
      "KPU3001",
      `${ops.name}: a list of ${from} vectors merges into a narrower dtype, not ${target}`,
      {
        argument: 1,
        help: "cast each vector by itself",
      },
    );
  }
  const total = shapes.reduce((n, s) => n + s.lanes, 0);
  laneCount(ops, total, 0);
  const joined = ops.op("shuffle", list as Value[], { lanes: Array.from({ length: total }, (_, i) => i) });
  return ops.op("cast", [joined], castAttrs(ops, o, from, target));
}

function castAttrs(ops: Ops, o: Options, from: DTypeName, target: DTypeName): Attrs {
  if (!isFloat8(target) && !hasIntegers(target)) integerOnly(ops, o, "saturate", target, 2);
  const saturate = flag(ops, o, "saturate", 2);
  const wrap = flag(ops, o, "wrap", 2);
  if (saturate && wrap)
    ops.refuse("KPU3004", `${ops.name}: saturate and wrap exclude each other`, { argument: 2 });
  if (wrap && hasFloats(target)) {
    ops.refuse("KPU3011", `${ops.name}: wrap needs an integer dtype, not ${target}`, { argument: 2 });
  }
  return {
    dtype: target,
    // Float to integer saturates by itself, integer to integer wraps by itself: only what differs is said.
    ...(saturate && (hasIntegers(from) || isFloat8(target)) ? { saturate } : {}),
    ...(wrap && hasFloats(from) ? { wrap } : {}),
  };
}

export const cast = intrinsic<
  <D extends VecD, E extends VecD>(x: Vec<D> | readonly Vec<D>[], dtype: E, options?: CastOptions) => Vec<E>
>({
  name: "cast",
  family,
  signature: {
    operands: [
      { name: "x", kind: "vec", dtype: VECTORS, doc: "a vector, or a list of vectors to merge" },
      { name: "dtype", kind: "dtype", dtype: VECTORS },
    ],
    options: [
      {
        name: "part",
        kind: "static",
        values: (_d, n) => partsOf(CAST_PARTS, n),
        optional: true,
        doc: '"all", halves "low" "high" "even" "odd", quarters "ll" "lh" "hl" "hh"',
      },
      {
        name: "saturate",
        kind: "static",
        values: [true],
        optional: true,
        doc: "integer to integer: clamp; to f8e4m3 and f8e5m2: clamp to the largest finite value",
      },
      {
        name: "wrap",
        kind: "static",
        values: [true],
        optional: true,
        doc: "float to integer: low bits of the i32 result",
      },
    ],
    result: "vec of dtype",
  },
  effect: "pure",
  cost: "valu",
  doc: "Converts lane by lane. Float to integer truncates and clamps, NaN gives 0 (`wrap`: the low bits of the i32 result). Integer to a narrower integer keeps the low bits (`saturate`: clamps). To a float: one rounding; beyond the largest finite value infinite, in f8e4m3 NaN (`saturate`, for the two 8-bit floats: clamps, infinities too). `part` takes half or a quarter of the lanes; a list of vectors merges into one vector of a narrower dtype.",
  example: "S.vstore(S.cast(S.cast(S.vload(x), i32), f32), y);",
  simulate: (sim, x: unknown, d: unknown, o?: unknown) => {
    if (o === undefined && x instanceof Vec && d instanceof DType && d.name !== "bool") {
      return new Vec(d, mapLanes(x.data, castRule(x.dtype.name, d.name)));
    }
    return castLanes(new DirectOps(sim, "cast"), x, d, o);
  },
  lower: (b, x: unknown, d: unknown, o?: unknown) => castLanes(new LoweredOps(b, "cast"), x, d, o),
});

export interface Broadcast {
  <D extends VecD>(
    x: number,
    dtype: D,
    options?: number | (LaneOptions<D> & { readonly lanes?: number | undefined }),
  ): Vec<D>;
  (
    x: boolean,
    dtype: bool,
    options?:
      | number
      | {
          readonly lanes?: number | undefined;
          readonly mask?: MaskArg | undefined;
          readonly r?: Mask | boolean | undefined;
        },
  ): Mask;
  <D extends AnyD>(x: number | boolean, dtype: D, options?: number): Loaded<D>;
}

/** Lanes are those of option `lanes`, else of the mask in whatever form, else one register. */
function broadcast(ops: Ops, x: unknown, to: unknown, third: unknown): Value {
  const target = dtype(ops, to, "dtype", 1, ALL_DTYPES);
  const o = options(ops, typeof third === "number" ? { lanes: third } : third, ["lanes", "mask", "r"], 2);
  const wanted = o["lanes"] === undefined ? undefined : laneCount(ops, o["lanes"], 2);
  const mask = o["mask"] === undefined ? undefined : maskOf(ops, o["mask"], wanted, 2);
  const given = shapeOf(mask);
  const lanes = wanted ?? (given.is === "mask" ? given.lanes : registerLanes(ops.target, target));
  const s = shapeOf(x);
  if (s.is === "vec" || s.is === "mask")
    ops.refuse("KPU3001", `${ops.name}: x must be a scalar`, { argument: 0 });
  const like = { dtype: target, lanes };
  return underMask(ops, o, lanesLike(ops, x, like, "x", 0), like, 2);
}

export const vbcast = intrinsic<Broadcast>({
  name: "vbcast",
  family,
  signature: {
    operands: [
      { name: "x", kind: "scalar", values: [1, 0, 3, 7] },
      { name: "dtype", kind: "dtype", dtype: ALL_DTYPES },
    ],
    options: [
      {
        name: "lanes",
        kind: "static",
        values: [1, 3, 8, 35],
        optional: true,
        doc: "lane count; one register when absent. A plain number as third argument means the same",
      },
      { name: "mask", kind: "mask", optional: true, doc: "active lanes" },
      {
        name: "r",
        kind: "vec|scalar",
        dtype: "dtype",
        optional: true,
        doc: "inactive lanes; 0 or false when absent",
      },
    ],
    result: "vec of dtype",
  },
  effect: "pure",
  cost: "valu",
  doc: "A number in every lane; for bool a mask. The number must fit an integer dtype; floats round once.",
  example: "S.vstore(S.vbcast(1, f32), y);",
  simulate: (sim, x: unknown, d: unknown, o?: unknown) => broadcast(new DirectOps(sim, "vbcast"), x, d, o),
  lower: (b, x: unknown, d: unknown, o?: unknown) => broadcast(new LoweredOps(b, "vbcast"), x, d, o),
});
