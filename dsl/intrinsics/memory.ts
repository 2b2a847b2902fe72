/** Allocation, vector loads and stores, gather and scatter. */
import { ALL_DTYPES } from "../../ir/dtype.ts";
import {
  address,
  dtype,
  inactive,
  integer,
  knownFull,
  type LaneShape,
  laneCount,
  lanesLike,
  maskOf,
  noMask,
  type Options,
  options,
  pointed,
  pointer,
  soleMask,
  vector,
} from "../arguments.ts";
import type { LowerContext, LoweredView, Simulation } from "../context.ts";
import type { bool } from "../dtypes.ts";
import { type AnyD, dtypeOf, type VecD } from "../dtypes.ts";
import { intrinsic, type OperandSpec } from "../intrinsic.ts";
import { type DTypeName, registerLanes, SCOPES, type Scope } from "../ir.ts";
import { isExpr, shapeOf, textOf, type Value } from "../operand.ts";
import { DirectOps, fullMask, isFull, LoweredOps, type Ops } from "../ops.ts";
import type { IndexD, Loaded, MaskArg } from "../options.ts";
import { NdBuffer, Ptr } from "../pointer.ts";
import { Mask, Vec } from "../values.ts";

const family = "memory";
const INDEX_DTYPES: readonly DTypeName[] = ["i16", "u16", "i32", "u32"];

const DTYPE: OperandSpec = { name: "dtype", kind: "dtype", dtype: ALL_DTYPES };
const POINTER: OperandSpec = { name: "p", kind: "ptr", dtype: ALL_DTYPES };
const INDEX: OperandSpec = { name: "index", kind: "vec", dtype: INDEX_DTYPES, doc: "element offsets from p" };
const MASK: OperandSpec = {
  name: "mask",
  kind: "mask",
  optional: true,
  doc: "inactive lanes touch no memory",
};
const INACTIVE: OperandSpec = {
  name: "r",
  kind: "vec|scalar",
  dtype: "p",
  optional: true,
  doc: "inactive lanes; 0 or false when absent",
};
const STRIDE: OperandSpec = {
  name: "stride",
  kind: "scalar",
  optional: true,
  doc: "elements from lane to lane, at least 1; 1 when absent",
};

// ---------------------------------------------------------------------------------------------- allocation

/** The extents of a shape: one, or a list. */
function extentList(ops: Ops, shape: unknown): readonly unknown[] {
  const list = Array.isArray(shape) ? (shape as unknown[]) : [shape];
  if (shape === undefined) ops.refuse("KPU3009", `${ops.name}: argument shape is missing`, { argument: 1 });
  if (list.length === 0) ops.refuse("KPU3010", `${ops.name}: shape is empty`, { argument: 1 });
  return list;
}

/** Static extents of a buffer. */
function staticShape(ops: Ops, v: unknown): number[] {
  return extentList(ops, v).map((n) => {
    if (isExpr(n)) {
      return ops.refuse("KPU2007", `${ops.name}: shape must be static`, {
        argument: 1,
        help: "allocate the largest size and use a part of it",
      });
    }
    if (typeof n === "number" && Number.isSafeInteger(n) && n >= 1) return n;
    return ops.refuse("KPU3010", `${ops.name}: extents must be positive integers, got ${textOf(n)}`, {
      argument: 1,
    });
  });
}

function scopeOf(ops: Ops, v: unknown): Scope {
  if (v === undefined) return "local";
  if (typeof v === "string" && (SCOPES as readonly string[]).includes(v)) return v as Scope;
  return ops.refuse("KPU3001", `${ops.name}: unknown scope ${typeof v === "string" ? `"${v}"` : textOf(v)}`, {
    argument: 2,
    help: `scopes are ${SCOPES.join(", ")}`,
  });
}

/** Values of a constant table, exact in the dtype: integers must fit, floats round once. */
function tableValues(ops: Ops, v: unknown, d: DTypeName): number[] {
  if (v === undefined) ops.refuse("KPU3009", `${ops.name}: argument values is missing`, { argument: 1 });
  const list =
    Array.isArray(v) || (ArrayBuffer.isView(v) && !(v instanceof DataView))
      ? Array.from(v as ArrayLike<unknown>)
      : undefined;
  if (list === undefined)
    return ops.refuse("KPU3001", `${ops.name}: values must be an array, got ${textOf(v)}`, { argument: 1 });
  if (list.length === 0) return ops.refuse("KPU3010", `${ops.name}: values is empty`, { argument: 1 });
  if (list.some((x) => isExpr(x)))
    return ops.refuse("KPU2007", `${ops.name}: values must be static`, { argument: 1 });
  return list.map((x, i) => {
    const ok = d === "bool" ? typeof x === "boolean" || x === 0 || x === 1 : typeof x === "number";
    if (!ok)
      return ops.refuse(
        "KPU3001",
        `${ops.name}: values[${i}] must be a ${d === "bool" ? "boolean" : "number"}, got ${textOf(x)}`,
        { argument: 1 },
      );
    const n = Number(x);
    const s = lanesLike(
      new DirectOps(NEVER, "allocConst"),
      n,
      { dtype: d === "bool" ? "u8" : d, lanes: 1 },
      `values[${i}]`,
      1,
    );
    return (s as Vec).data[0] as number;
  });
}
/** `splat` of a value needs no memory. */
const NEVER = {} as Simulation;

function refuseUnderLoop(b: LowerContext, name: string): void {
  if (!b.underRuntimeLoop) return;
  b.refuse("KPU4004", `S.${name} stands inside a loop or under a condition on runtime values`, {
    help: "allocate before the loop; S.unroll gives each round its own buffer",
  });
}

const count = (shape: readonly number[]): number => shape.reduce((a, n) => a * n, 1);

export const alloc = intrinsic<
  <D extends AnyD>(dtype: D, shape: number | readonly number[], scope?: Scope) => NdBuffer<D>
>({
  name: "alloc",
  family,
  signature: {
    operands: [
      DTYPE,
      { name: "shape", kind: "static", doc: "extents in elements; row-major" },
      {
        name: "scope",
        kind: "static",
        optional: true,
        doc: 'one of global, l3, l2, l1, acc, local, private; "local" when absent',
      },
    ],
    result: "buffer",
  },
  effect: "write",
  cost: "free",
  doc: "A buffer, not initialised; it lives until the kernel ends. One for all tiles in l3 and global, one per tile in the other scopes. l1 (stream buffers) and acc (accumulators) belong to the fabric: only S.streamRows, S.streamCols, S.preload, S.mma and S.drain reach what is there. The capacities of the target are enforced.",
  example: "const t = S.alloc(f32, [2, 8]); S.vstore(S.vload(x), t.at(1)); S.vstore(S.vload(t.at(1)), y);",
  simulate: (sim, d: unknown, shape: unknown, scope?: unknown) => {
    const ops = new DirectOps(sim, "alloc");
    const name = dtype(ops, d, "dtype", 0, ALL_DTYPES);
    return sim.alloc(dtypeOf(name), staticShape(ops, shape), scopeOf(ops, scope));
  },
  lower: (b, d: unknown, shape: unknown, scope?: unknown): LoweredView => {
    const ops = new LoweredOps(b, "alloc");
    const name = dtype(ops, d, "dtype", 0, ALL_DTYPES);
    const extents = staticShape(ops, shape);
    const where = scopeOf(ops, scope);
    refuseUnderLoop(b, "alloc");
    return {
      kind: "view",
      ptr: ops.op("alloc", [], { dtype: name, scope: where, count: count(extents) }),
      shape: extents,
    };
  },
});

export const allocConst = intrinsic<
  <D extends AnyD>(dtype: D, values: ArrayLike<number> | readonly boolean[]) => NdBuffer<D>
>({
  name: "allocConst",
  family,
  signature: {
    operands: [DTYPE, { name: "values", kind: "static", doc: "an array or TypedArray of the closure" }],
    result: "buffer",
  },
  effect: "write",
  cost: "free",
  doc: "A read-only table of static values. Integers must fit the dtype, floats round once.",
  example: "const t = S.allocConst(f32, [1, 2, 3, 4, 5, 6, 7, 8]); S.vstore(S.vload(t), y);",
  simulate: (sim, d: unknown, values: unknown) => {
    const ops = new DirectOps(sim, "allocConst");
    const name = dtype(ops, d, "dtype", 0, ALL_DTYPES);
    return sim.allocConst(dtypeOf(name), tableValues(ops, values, name));
  },
  lower: (b, d: unknown, values: unknown): LoweredView => {
    const ops = new LoweredOps(b, "allocConst");
    const name = dtype(ops, d, "dtype", 0, ALL_DTYPES);
    const table = tableValues(ops, values, name);
    refuseUnderLoop(b, "allocConst");
    return {
      kind: "view",
      ptr: ops.op("alloc_const", [], { dtype: name, table: b.table(name, table) }),
      shape: [table.length],
    };
  },
});

function checkExtents(ops: Ops, shape: unknown): readonly unknown[] {
  const list = extentList(ops, shape);
  for (const n of list) integer(ops, n, "an extent", 1, 0);
  return list;
}

export const view = intrinsic<<D extends AnyD>(p: Ptr<D>, shape: number | readonly number[]) => NdBuffer<D>>({
  name: "view",
  family,
  signature: {
    operands: [
      POINTER,
      { name: "shape", kind: "any", doc: "extents in elements, row-major; they may be runtime numbers" },
    ],
    result: "buffer",
  },
  effect: "pure",
  cost: "free",
  doc: "The memory behind a pointer with a shape, so that `.at(i, j)` finds an element. Nothing is copied or checked; accesses are.",
  example: "const rows = S.view(x, [2, 4]); S.vstore(S.vload(rows.at(1), { lanes: 4 }), y);",
  simulate: (sim, p: unknown, shape: unknown) => {
    const ops = new DirectOps(sim, "view");
    pointed(ops, p, "p", 0);
    const extents = checkExtents(ops, shape) as readonly number[];
    const q = p as Ptr;
    return new NdBuffer(q.dtype, q.memory, q.byteOffset, q.constant, extents);
  },
  lower: (b, p: unknown, shape: unknown): LoweredView => {
    const ops = new LoweredOps(b, "view");
    pointed(ops, p, "p", 0);
    const extents = checkExtents(ops, shape).map((n) => (typeof n === "number" ? n : ops.number(n as Value)));
    return { kind: "view", ptr: ops.expr(address(p)), shape: extents };
  },
});

// ---------------------------------------------------------------------------------------------- vector access

export interface LoadOptions<D extends AnyD> {
  readonly mask?: MaskArg | undefined;
  readonly r?: (D extends bool ? Mask | boolean : Vec<D> | number) | undefined;
  /** Lane count; that of the mask, or one register, when absent. */
  readonly lanes?: number | undefined;
  /** Elements from lane to lane, at least 1. */
  readonly stride?: number | undefined;
}
const LOAD_OPTIONS = ["mask", "r", "lanes", "stride"];

function loadLanes(ops: Ops, p: unknown, given: unknown): Value {
  const d = pointer(ops, p, "p", 0);
  const o = options(ops, given, LOAD_OPTIONS, 1);
  const wanted = o["lanes"] === undefined ? undefined : laneCount(ops, o["lanes"], 1);
  const mask = o["mask"] === undefined ? undefined : maskOf(ops, o["mask"], wanted, 1);
  const lanes = wanted ?? lanesOf(mask) ?? registerLanes(ops.target, d);
  const like: LaneShape = { dtype: d, lanes };
  const stride = strideOf(ops, o);
  const at = address(p);
  if (mask === undefined) noMask(ops, o, 1);
  const all = mask === undefined || knownFull(mask);
  const r = mask === undefined ? undefined : inactive(ops, o, like, 1);
  if (stride === undefined) {
    if (all) return ops.op("load", [at], { lanes });
    return ops.op("load_masked", [at, mask as Value, r as Value]);
  }
  const zero = r ?? lanesLike(ops, d === "bool" ? false : 0, like, "r", 1);
  return ops.op("load_strided", [at, stride, mask ?? fullMask(lanes), zero]);
}

function lanesOf(mask: Value | undefined): number | undefined {
  const s = shapeOf(mask);
  return s.is === "mask" ? s.lanes : undefined;
}

/** The stride when it is not known to be 1. */
function strideOf(ops: Ops, o: Options): Value | undefined {
  const v = o["stride"];
  if (v === undefined || v === 1) return undefined;
  integer(ops, v, "stride", 1, 1);
  return ops.number(v as Value);
}

/** Masks at the call site of a hot loop are mostly full; that case reads like a plain load. */
function loadFast(sim: Simulation, p: unknown, o: unknown): unknown {
  if (p instanceof Ptr) {
    const d = p.dtype as AnyD;
    if (o === undefined) {
      const data = sim.load(p as Ptr, registerLanes(sim.target, d.name));
      return d.name === "bool" ? new Mask(data) : new Vec(d, data);
    }
    const mask = soleMask(o);
    if (mask !== undefined) {
      const data = isFull(mask)
        ? sim.load(p as Ptr, mask.lanes)
        : sim.loadMasked(p as Ptr, 1, mask.data, undefined);
      return d.name === "bool" ? new Mask(data) : new Vec(d, data);
    }
  }
  return loadLanes(new DirectOps(sim, "vload"), p, o);
}

/** Numbers give a vector and bool a mask; the first form also serves kernels that are generic over their dtype. */
export interface Load {
  <D extends VecD>(p: Ptr<D>, options?: LoadOptions<D>): Vec<D>;
  <D extends AnyD>(p: Ptr<D>, options?: LoadOptions<D>): Loaded<D>;
}

export const vload = intrinsic<Load>({
  name: "vload",
  family,
  signature: {
    operands: [POINTER],
    options: [
      MASK,
      INACTIVE,
      {
        name: "lanes",
        kind: "static",
        optional: true,
        doc: "lane count; that of the mask, or one register, when absent",
      },
      STRIDE,
    ],
    result: "vec of p, for ptr<bool> a mask",
  },
  effect: "read",
  cost: "load",
  doc: "Loads consecutive (or strided) elements as lanes. Out of bounds, and elements never written, are errors; inactive lanes touch no memory.",
  example: "S.vstore(S.vload(x, { mask: S.tailMask(5, 8) }), y);",
  simulate: (sim, p: unknown, o?: unknown) => loadFast(sim, p, o),
  lower: (b, p: unknown, o?: unknown) => loadLanes(new LoweredOps(b, "vload"), p, o),
});

export interface StoreOptions {
  readonly mask?: MaskArg | undefined;
  /** Elements from lane to lane, at least 1. */
  readonly stride?: number | undefined;
}

/** The value of a store: its dtype must be the pointer's. */
function storable(ops: Ops, v: unknown, d: DTypeName): LaneShape {
  const s = shapeOf(v);
  if (v === undefined) ops.refuse("KPU3009", `${ops.name}: argument value is missing`, { argument: 0 });
  if (s.is === "mask" && d === "bool") return { dtype: "bool", lanes: s.lanes };
  if (s.is === "vec" && s.dtype === d) return s;
  const want = d === "bool" ? "a mask" : `a vector of ${d}`;
  return ops.refuse("KPU3001", `${ops.name}: the pointer takes ${want}, got ${textOf(v)}`, {
    argument: 0,
    help:
      s.is === "ptr"
        ? "the value comes first: S.vstore(value, pointer)"
        : s.is === "vec"
          ? `convert it: S.cast(value, ${d})`
          : "p.set(i, v) stores a scalar",
  });
}

function storeLanes(ops: Ops, v: unknown, p: unknown, given: unknown): Value {
  const d = pointer(ops, p, "p", 1, true);
  const like = storable(ops, v, d);
  const o = options(ops, given, ["mask", "stride"], 2);
  const mask = o["mask"] === undefined ? undefined : maskOf(ops, o["mask"], like.lanes, 2);
  const stride = strideOf(ops, o);
  const at = address(p);
  if (stride !== undefined)
    return ops.op("store_strided", [at, v as Value, stride, mask ?? fullMask(like.lanes)]);
  if (mask === undefined || knownFull(mask)) return ops.op("store", [at, v as Value]);
  return ops.op("store_masked", [at, v as Value, mask]);
}

export interface Store {
  <D extends VecD>(value: Vec<NoInfer<D>>, p: Ptr<D>, options?: StoreOptions): void;
  <D extends AnyD>(value: Loaded<NoInfer<D>>, p: Ptr<D>, options?: StoreOptions): void;
}

export const vstore = intrinsic<Store>({
  name: "vstore",
  family,
  signature: {
    operands: [{ name: "value", kind: "vec", dtype: "p", doc: "a vector; a mask for ptr<bool>" }, POINTER],
    options: [MASK, STRIDE],
    result: "nothing",
  },
  effect: "write",
  cost: "store",
  doc: "Stores lanes to consecutive (or strided) elements. Out of bounds is an error; inactive lanes touch no memory.",
  example: "S.vstore(S.vload(x), y, { mask: S.tailMask(5, 8) });",
  simulate: (sim, v: unknown, p: unknown, o?: unknown) => {
    if (v instanceof Vec && p instanceof Ptr && v.dtype === p.dtype && !p.constant) {
      if (o === undefined) {
        sim.store(p as Ptr, v.data);
        return;
      }
      const mask = soleMask(o);
      if (mask !== undefined && mask.lanes === v.lanes) {
        if (isFull(mask)) sim.store(p as Ptr, v.data);
        else sim.storeMasked(p as Ptr, 1, v.data, mask.data);
        return;
      }
    }
    storeLanes(new DirectOps(sim, "vstore"), v, p, o);
  },
  lower: (b, v: unknown, p: unknown, o?: unknown) => void storeLanes(new LoweredOps(b, "vstore"), v, p, o),
});

function gatherLanes(ops: Ops, p: unknown, index: unknown, given: unknown): Value {
  const d = pointer(ops, p, "p", 0);
  const { lanes } = vector(ops, index, "index", 1, INDEX_DTYPES);
  const o = options(ops, given, ["mask", "r"], 2);
  const mask = o["mask"] === undefined ? fullMask(lanes) : maskOf(ops, o["mask"], lanes, 2);
  if (o["mask"] === undefined) noMask(ops, o, 2);
  return ops.op("gather", [address(p), index as Value, mask, inactive(ops, o, { dtype: d, lanes }, 2)]);
}

/** As {@link Load}, at the elements that index names. */
export interface Gather {
  <D extends VecD>(p: Ptr<D>, index: Vec<IndexD>, options?: Pick<LoadOptions<D>, "mask" | "r">): Vec<D>;
  <D extends AnyD>(p: Ptr<D>, index: Vec<IndexD>, options?: Pick<LoadOptions<D>, "mask" | "r">): Loaded<D>;
}

export const vloadGather = intrinsic<Gather>({
  name: "vloadGather",
  family,
  signature: {
    operands: [POINTER, INDEX],
    options: [MASK, INACTIVE],
    result: "vec of p with the lanes of index",
  },
  effect: "read",
  cost: "load",
  doc: "Lane i is the element at p[index[i]]. Index lanes have 16 or 32 bits, are offsets without wrap-around, and out of bounds is an error.",
  example: "S.vstore(S.vloadGather(x, S.vload(i)), y);",
  simulate: (sim, p: unknown, index: unknown, o?: unknown) =>
    gatherLanes(new DirectOps(sim, "vloadGather"), p, index, o),
  lower: (b, p: unknown, index: unknown, o?: unknown) =>
    gatherLanes(new LoweredOps(b, "vloadGather"), p, index, o),
});

function scatterLanes(ops: Ops, v: unknown, p: unknown, index: unknown, given: unknown): Value {
  const d = pointer(ops, p, "p", 1, true);
  const like = storable(ops, v, d);
  const indices = vector(ops, index, "index", 2, INDEX_DTYPES);
  if (indices.lanes !== like.lanes) {
    ops.refuse("KPU3002", `${ops.name}: index has ${indices.lanes} lanes, value has ${like.lanes}`, {
      argument: 2,
    });
  }
  const o = options(ops, given, ["mask"], 3);
  const mask = o["mask"] === undefined ? fullMask(like.lanes) : maskOf(ops, o["mask"], like.lanes, 3);
  return ops.op("scatter", [address(p), index as Value, v as Value, mask]);
}

export const vstoreScatter = intrinsic<
  <D extends AnyD>(
    value: Loaded<NoInfer<D>>,
    p: Ptr<D>,
    index: Vec<IndexD>,
    options?: { readonly mask?: MaskArg | undefined },
  ) => void
>({
  name: "vstoreScatter",
  family,
  signature: {
    operands: [{ name: "value", kind: "vec", dtype: "p" }, POINTER, INDEX],
    options: [MASK],
    result: "nothing",
  },
  effect: "write",
  cost: "store",
  doc: "Stores lane i to p[index[i]]. With equal indices the highest lane wins. Out of bounds is an error.",
  example: "S.vstoreScatter(S.vload(x), y, S.vload(i));",
  simulate: (sim, v: unknown, p: unknown, index: unknown, o?: unknown) =>
    void scatterLanes(new DirectOps(sim, "vstoreScatter"), v, p, index, o),
  lower: (b, v: unknown, p: unknown, index: unknown, o?: unknown) =>
    void scatterLanes(new LoweredOps(b, "vstoreScatter"), v, p, index, o),
});
