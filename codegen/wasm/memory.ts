/** Reads and writes: scalars, vectors, masked, strided and indexed. Masked-off lanes touch no memory. */
import { DTYPES, type DTypeName, hasFloats, isFloat8, isPacked } from "../../ir/dtype.ts";
import type { Apply, Expr } from "../../ir/kir.ts";
import {
  bitsOf,
  dtypeOf,
  type Emitter,
  emitFail,
  inLocals,
  lanesOf,
  type Parts,
  partCount,
  pin,
  scalarName,
} from "./context.ts";
import type { Code, LocalIndex } from "./encoder.ts";
import { extractLane } from "./lanescalar.ts";
import type { AccessOp, SimdLaneAccessOp } from "./opcodes.ts";
import {
  checkWholeByte,
  emitPackedGet,
  emitPackedSet,
  type LanePlace,
  loadPacked,
  packedAddress,
  readPacked,
  setPackedPlace,
  storePacked,
  writePacked,
} from "./packed.ts";
import { loadPart, storePart } from "./partaccess.ts";
import {
  accessAddress,
  accessSite,
  type Bounded,
  bounded,
  checkBounds,
  checkSpan,
  elementUnits,
  isPackedPointer,
  pushIndex64,
  repeatedAddress,
} from "./pointer.ts";
import { fromBits, index32, isSmallFloat, type SmallFloat, storeBits } from "./scalar.ts";
import type { AccessSite } from "./sites.ts";

// ---------------------------------------------------------------------------------------------- scalars

/** An element in memory, and a lane: those of 4 bits are bytes as lanes only. */
export const SCALAR_LOAD: { readonly [K in DTypeName]: AccessOp } = {
  i8: "i32.load8_s",
  u8: "i32.load8_u",
  i16: "i32.load16_s",
  u16: "i32.load16_u",
  i32: "i32.load",
  u32: "i64.load32_u",
  f16: "i32.load16_u",
  bf16: "i32.load16_u",
  f32: "f32.load",
  bool: "i32.load8_u",
  i4: "i32.load8_s",
  u4: "i32.load8_u",
  f8e4m3: "i32.load8_u",
  f8e5m2: "i32.load8_u",
};

export function emitGet(E: Emitter, e: Apply): void {
  const p = e.args[0]!;
  const d = dtypeOf(p);
  const site = accessSite(E, e, p, "reads");
  if (isPacked(d)) {
    emitPackedGet(E, p, d, site);
    return;
  }
  const a = accessAddress(E, p, DTYPES[d].bytes, site);
  a.push();
  E.code.access(SCALAR_LOAD[d], a.offset);
  if (d === "bool") E.code.i32(0).op("i32.ne");
  else if (isSmallFloat(d)) fromBits(E.code, d);
}

/** An f32 element in every lane of a v128. */
export function emitGetSplat(E: Emitter, e: Apply): void {
  const p = e.args[0]!;
  const a = accessAddress(E, p, 4, accessSite(E, e, p, "reads"));
  a.push();
  E.code.vaccess("v128.load32_splat", a.offset);
}

export function emitSet(E: Emitter, e: Apply): void {
  const c = E.code;
  const [p, value] = e.args as [Expr, Expr];
  const d = dtypeOf(p);
  const site = accessSite(E, e, p, "writes");
  const bits = (): void => {
    E.scalar(value);
    canonicalBits(c, scalarName(value), d);
  };
  if (isPacked(d)) {
    emitPackedSet(E, p, bits, site);
    return;
  }
  const a = accessAddress(E, p, DTYPES[d].bytes, site);
  a.push();
  bits();
  c.access(storeOp(d), a.offset);
}
function storeOp(d: DTypeName): AccessOp {
  const { bytes } = DTYPES[d];
  return bytes === 1 ? "i32.store8" : bytes === 2 ? "i32.store16" : "i32.store";
}
/** {@link storeBits}, with the one NaN that a store leaves. */
export function canonicalBits(c: Code, from: Parameters<typeof storeBits>[1], d: DTypeName): void {
  storeBits(c, from, d);
  // The bits of the others come from a rounding that makes the one NaN.
  if ((d !== "f32" && d !== "f16") || from === "i32" || from === "i64" || from === "bool") return;
  const [nan, magnitude, infinity] =
    d === "f32" ? [0x7fc00000, 0x7fffffff, 0x7f800000] : [0x7e00, 0x7fff, 0x7c00];
  const bits = c.save("i32");
  c.i32(nan).get(bits).get(bits).i32(magnitude).op("i32.and").i32(infinity).op("i32.gt_s").op("select");
}

// ---------------------------------------------------------------------------------------------- whole vectors

/** Bytes of part `p` that hold lanes. */
function partBytes(lanes: number, bits: number, p: number): number {
  return Math.min(16, (lanes * bits) / 8 - 16 * p);
}

/** Memory bytes of a bool vector -> lane mask, and back. */
const fromBool = (c: Code): Code => c.v32(0).v("i8x16.ne");
const toBool = (c: Code): Code => c.v32(0x01010101).v("v128.and");

export function emitLoad(E: Emitter, e: Apply): Parts {
  const c = E.code;
  const p = e.args[0]!;
  const d = dtypeOf(p);
  const lanes = lanesOf(e);
  const bits = bitsOf(d);
  const site = accessSite(E, e, p, "reads");
  if (isPacked(d)) return loadPacked(c, packedAddress(E, p, lanes, site), d, lanes);
  const a = repeatedAddress(E, p, (lanes * bits) / 8, site);
  return {
    count: partCount(lanes, bits),
    push: (i) => {
      loadPart(c, a, 16 * i, partBytes(lanes, bits, i));
      if (d === "bool") fromBool(c);
    },
  };
}

/** Ops that may pass on any NaN of their operands; the others round to bf16 or 8 bits with the one NaN there is. */
const KEEPS_NAN = new Set(["neg", "abs", "sign", "sel", "select", "shuffle", "splat", "vconst"]);
function rounds(value: Expr, d: DTypeName): boolean {
  if (value.kind !== "apply" || KEEPS_NAN.has(value.op)) return false;
  return value.op !== "cast" || dtypeOf(value.args[0]!) !== d;
}

/** The value to store as parts, masks as bytes 0 and 1, every NaN the one of the dtype. */
function storable(E: Emitter, value: Expr, d: DTypeName): Parts {
  const c = E.code;
  if (d === "bool") {
    const m = E.mask(value, 8);
    return {
      count: m.count,
      push: (p) => {
        m.push(p);
        toBool(c);
      },
    };
  }
  const v = E.vector(value);
  if (!hasFloats(d)) return v;
  if ((d === "bf16" || isFloat8(d)) && rounds(value, d)) return v;
  return {
    count: v.count,
    push: (p) => {
      v.push(p);
      canonicalPart(c, d);
    },
  };
}
/** Every NaN of a part becomes the one of its dtype. */
export function canonicalPart(c: Code, d: "f32" | SmallFloat): void {
  const x = c.save("v128");
  if (isFloat8(d)) {
    const [nan, last] = d === "f8e4m3" ? [0x7f7f7f7f, 0x7e7e7e7e] : [0x7e7e7e7e, 0x7c7c7c7c];
    c.v32(nan).get(x).get(x).v32(0x7f7f7f7f).v("v128.and").v32(last).v("i8x16.gt_s").v("v128.bitselect");
    return;
  }
  if (d === "f32") {
    c.get(x).v32(0x7fc00000).get(x).get(x).v("f32x4.eq").v("v128.bitselect");
    return;
  }
  const infinity = d === "f16" ? 0x7c00 : 0x7f80;
  c.v16(d === "f16" ? 0x7e00 : 0x7fc0).get(x);
  c.get(x).v16(0x7fff).v("v128.and").v16(infinity).v("i16x8.gt_s").v("v128.bitselect");
}

export function emitStore(E: Emitter, e: Apply): void {
  const c = E.code;
  const [p, value] = e.args as [Expr, Expr];
  const d = dtypeOf(p);
  const lanes = lanesOf(value);
  const bits = bitsOf(d);
  const site = accessSite(E, e, p, "writes");
  if (isPacked(d)) {
    storePacked(c, packedAddress(E, p, lanes, site), E.vector(value), lanes);
    return;
  }
  const a = repeatedAddress(E, p, (lanes * bits) / 8, site);
  const v = storable(E, value, d);
  for (let i = 0; i < v.count; i++) storePart(c, a, 16 * i, partBytes(lanes, bits, i), () => v.push(i));
}

// ---------------------------------------------------------------------------------------------- masked

/** The mask of an access: whether it is full, and its parts; the parts may be pushed inside the not-full arm only. */
function accessMask(E: Emitter, m: Expr, bits: number): { full: () => void; parts: () => Parts } {
  if (m.kind === "ref") return { full: () => E.maskFull(m), parts: () => pin(E.code, E.mask(m, bits)) };
  const pinned = pin(E.code, E.mask(m, bits));
  return { full: () => pushAllActive(E.code, pinned, lanesOf(m), bits), parts: () => pinned };
}

const SHAPE: { readonly [bits: number]: "i8x16" | "i16x8" | "i32x4" } = {
  8: "i8x16",
  16: "i16x8",
  32: "i32x4",
};

/** Pushes the active lanes of part `p` as an i32 bit set. */
export function pushActive(c: Code, m: Parts, lanes: number, bits: number, p: number): void {
  m.push(p);
  c.v(`${SHAPE[bits]!}.bitmask`);
  const valid = Math.min(128 / bits, lanes - (p * 128) / bits);
  if (valid < 128 / bits) c.i32(2 ** valid - 1).op("i32.and");
}
export function pushAllActive(c: Code, m: Parts, lanes: number, bits: number): void {
  for (let p = 0; p < m.count; p++) {
    const valid = Math.min(128 / bits, lanes - (p * 128) / bits);
    if (valid === 128 / bits) {
      m.push(p);
      c.v(`${SHAPE[bits]!}.all_true`);
    } else {
      pushActive(c, m, lanes, bits, p);
      c.i32(2 ** valid - 1).op("i32.eq");
    }
    if (p > 0) c.op("i32.and");
  }
}
export function pushAnyActive(c: Code, m: Parts, lanes: number, bits: number): void {
  for (let p = 0; p < m.count; p++) {
    const valid = Math.min(128 / bits, lanes - (p * 128) / bits);
    if (valid === 128 / bits) {
      m.push(p);
      c.v("v128.any_true");
    } else {
      pushActive(c, m, lanes, bits, p);
      c.i32(0).op("i32.ne");
    }
    if (p > 0) c.op("i32.or");
  }
}

/** (address, active bits, r) -> part: each active lane from its place after the address. */
export function maskedLoadHelper(c: Code, bytes: number): number {
  return c.module.helper(`masked load ${bytes}`, ["i32", "i32", "v128"], ["v128"], (h) => {
    for (let l = 0; l < 16 / bytes; l++) {
      h.get(1)
        .i32(1 << l)
        .op("i32.and")
        .if();
      h.get(0)
        .get(2)
        .vlaneAccess(`v128.load${bytes * 8}_lane` as SimdLaneAccessOp, l, l * bytes)
        .set(2)
        .end();
    }
    h.get(2);
  });
}
export function maskedStoreHelper(c: Code, bytes: number): number {
  return c.module.helper(`masked store ${bytes}`, ["i32", "i32", "v128"], [], (h) => {
    for (let l = 0; l < 16 / bytes; l++) {
      h.get(1)
        .i32(1 << l)
        .op("i32.and")
        .if();
      h.get(0)
        .get(2)
        .vlaneAccess(`v128.store${bytes * 8}_lane` as SimdLaneAccessOp, l, l * bytes)
        .end();
    }
  });
}

/** Checks the lanes from the first to the last active one of a part. */
function checkActive(
  E: Emitter,
  p: Bounded,
  active: LocalIndex,
  part: number,
  bytes: number,
  site: AccessSite,
): void {
  const c = E.code;
  /** The address of the lane whose number is on the stack. */
  const lane = (): void => {
    c.i32(bytes).op("i32.mul").op("i64.extend_i32_u").op("i64.add");
    c.i64(16 * part).op("i64.add");
  };
  const start = (): void => {
    c.get(p.addr).get(active).op("i32.ctz");
    lane();
  };
  const end = (): void => {
    c.get(p.addr).i32(32).get(active).op("i32.clz").op("i32.sub");
    lane();
  };
  c.get(active).if();
  checkSpan(E, p, start, end, site);
  c.end();
}

export function emitLoadMasked(E: Emitter, e: Apply): Parts {
  const c = E.code;
  const [p, m, r] = e.args as [Expr, Expr, Expr];
  const d = dtypeOf(p);
  if (isPacked(d)) return loadPackedMasked(E, e);
  const { bytes } = DTYPES[d];
  const bits = bitsOf(d);
  const lanes = lanesOf(m);
  const count = partCount(lanes, bits);
  const results = Array.from({ length: count }, () => c.temp("v128"));
  const site = accessSite(E, e, p, "reads");
  const b = E.checks ? bounded(E, p) : undefined;
  const a =
    b === undefined
      ? repeatedAddress(E, p, 0, site)
      : { offset: 0, push: () => c.get(b.addr).op("i32.wrap_i64") };
  const mask = accessMask(E, m, bits);
  mask.full();
  c.if();
  if (b !== undefined) checkBounds(E, b, 0, (lanes * bits) / 8, site);
  for (let i = 0; i < count; i++) {
    loadPart(c, a, 16 * i, partBytes(lanes, bits, i));
    c.set(results[i]!);
  }
  c.else();
  const parts = mask.parts();
  const rest = d === "bool" ? E.mask(r, 8) : E.vector(r);
  for (let i = 0; i < count; i++) {
    pushActive(c, parts, lanes, bits, i);
    const active = c.save("i32");
    if (b !== undefined) checkActive(E, b, active, i, bytes, site);
    a.push();
    c.i32(a.offset + 16 * i)
      .op("i32.add")
      .get(active);
    rest.push(i);
    c.call(maskedLoadHelper(c, bytes)).set(results[i]!);
  }
  c.end();
  if (d !== "bool") return inLocals(c, results);
  return {
    count,
    push: (i) => {
      c.get(results[i]!);
      fromBool(c);
    },
  };
}

export function emitStoreMasked(E: Emitter, e: Apply): void {
  const c = E.code;
  const [p, value, m] = e.args as [Expr, Expr, Expr];
  const d = dtypeOf(p);
  if (isPacked(d)) {
    storePackedMasked(E, e);
    return;
  }
  const { bytes } = DTYPES[d];
  const bits = bitsOf(d);
  const lanes = lanesOf(m);
  const site = accessSite(E, e, p, "writes");
  const b = E.checks ? bounded(E, p) : undefined;
  const a =
    b === undefined
      ? repeatedAddress(E, p, 0, site)
      : { offset: 0, push: () => c.get(b.addr).op("i32.wrap_i64") };
  const v = pin(c, storable(E, value, d));
  const mask = accessMask(E, m, bits);
  mask.full();
  c.if();
  if (b !== undefined) checkBounds(E, b, 0, (lanes * bits) / 8, site);
  for (let i = 0; i < v.count; i++) storePart(c, a, 16 * i, partBytes(lanes, bits, i), () => v.push(i));
  c.else();
  const parts = mask.parts();
  for (let i = 0; i < v.count; i++) {
    pushActive(c, parts, lanes, bits, i);
    const active = c.save("i32");
    if (b !== undefined) checkActive(E, b, active, i, bytes, site);
    a.push();
    c.i32(a.offset + 16 * i)
      .op("i32.add")
      .get(active);
    v.push(i);
    c.call(maskedStoreHelper(c, bytes));
  }
  c.end();
}

// ---------------------------------------------------------------------------------------------- strided and indexed

/** Leaves the parts in scratch memory at `offset` of the program area. */
export function spill(E: Emitter, parts: Parts, offset: number): void {
  const c = E.code;
  for (let p = 0; p < parts.count; p++) {
    c.global(E.baseGlobal);
    parts.push(p);
    c.vaccess("v128.store", offset + 16 * p);
  }
}

/** How far lane i is from the pointer, in elements. */
type LaneIndex =
  /** By lanes. */
  | { readonly kind: "lanes" }
  | { readonly kind: "stride"; readonly stride: Expr }
  | { readonly kind: "index"; readonly vector: Expr };

/**
 * Runs `access` for each active lane, in ascending order, in a loop: the mask (as bytes), the indices and the values are
 * in scratch memory, the place of the lane's element in locals. Scratch memory is written once all operands are
 * computed: some ops (compress, expand) use it on their own.
 */
function forActiveLanes(
  E: Emitter,
  p: Expr,
  index: LaneIndex,
  m: Expr,
  values: Parts,
  site: AccessSite,
  access: (place: LanePlace, lane: LocalIndex) => void,
): void {
  const c = E.code;
  const units = elementUnits(p);
  const lanes = lanesOf(m);
  const b: Bounded | undefined = E.checks ? bounded(E, p) : undefined;
  const base = c.temp(E.checks ? "i64" : "i32");
  if (b === undefined) {
    E.pointer(p);
    c.set(base);
  } else c.get(b.addr).set(base);
  const step = c.temp(E.checks ? "i64" : "i32");
  if (index.kind === "stride") {
    if (E.checks) {
      pushIndex64(E, index.stride);
      c.tee(step).i64(1).op("i64.lt_s").if();
      emitFail(E, "stride", site.at, () => c.get(step));
      c.end();
      c.get(step).i64(units).op("i64.mul").set(step);
    } else {
      index32(E, index.stride);
      c.i32(units).op("i32.mul").set(step);
    }
  } else if (index.kind === "lanes") {
    if (E.checks) c.i64(units);
    else c.i32(units);
    c.set(step);
  }
  const indices = index.kind === "index" ? E.vector(index.vector) : undefined;
  const mask = E.mask(m, 8);
  if (indices !== undefined) spill(E, indices, E.layout.scratchIndex);
  spill(E, mask, E.layout.scratchMask);
  spill(E, values, E.layout.scratchValue);
  const lane = c.temp("i32");
  const place: LanePlace = { address: c.temp("i32"), shift: c.temp("i32") };
  c.i32(0).set(lane).loop();
  const again = c.depth - 1;
  c.global(E.baseGlobal).get(lane).op("i32.add").access("i32.load8_u", E.layout.scratchMask).if();
  c.get(base);
  if (index.kind !== "index") {
    c.get(step).get(lane);
    if (E.checks) c.op("i64.extend_i32_u").op("i64.mul").op("i64.add");
    else c.op("i32.mul").op("i32.add");
  } else {
    const d = dtypeOf(index.vector);
    const size = DTYPES[d].bytes;
    c.global(E.baseGlobal).get(lane).i32(Math.log2(size)).op("i32.shl").op("i32.add");
    c.access(d === "i16" ? "i32.load16_s" : d === "u16" ? "i32.load16_u" : "i32.load", E.layout.scratchIndex);
    if (E.checks) {
      c.op(d === "u32" ? "i64.extend_i32_u" : "i64.extend_i32_s")
        .i64(units)
        .op("i64.mul")
        .op("i64.add");
    } else c.i32(units).op("i32.mul").op("i32.add");
  }
  if (b !== undefined) {
    const lanePointer = { addr: c.save("i64"), lo: b.lo, hi: b.hi };
    checkBounds(E, lanePointer, 0, units, site);
    c.get(lanePointer.addr);
  }
  if (isPackedPointer(p)) setPackedPlace(E, place);
  else {
    if (E.checks) c.op("i32.wrap_i64");
    c.set(place.address);
  }
  access(place, lane);
  c.end();
  c.get(lane).i32(1).op("i32.add").tee(lane).i32(lanes).op("i32.lt_s").brIf(again).end();
}

const RAW_LOAD: { readonly [bytes: number]: AccessOp } = {
  1: "i32.load8_u",
  2: "i32.load16_u",
  4: "i32.load",
};
const RAW_STORE: { readonly [bytes: number]: AccessOp } = {
  1: "i32.store8",
  2: "i32.store16",
  4: "i32.store",
};

function loadLanes(E: Emitter, p: Expr, index: LaneIndex, m: Expr, r: Expr, site: AccessSite): Parts {
  const c = E.code;
  const d = dtypeOf(p);
  const bits = bitsOf(d);
  const bytes = bits / 8;
  const lanes = lanesOf(m);
  const inactive = d === "bool" ? E.mask(r, 8) : E.vector(r);
  forActiveLanes(E, p, index, m, inactive, site, (place, lane) => {
    c.global(E.baseGlobal).get(lane).i32(Math.log2(bytes)).op("i32.shl").op("i32.add");
    if (isPacked(d)) readPacked(c, place, d);
    else c.get(place.address).access(RAW_LOAD[bytes]!);
    c.access(RAW_STORE[bytes]!, E.layout.scratchValue);
  });
  const results = Array.from({ length: partCount(lanes, bits) }, (_, i) => {
    c.global(E.baseGlobal).vaccess("v128.load", E.layout.scratchValue + 16 * i);
    if (d === "bool") fromBool(c);
    return c.save("v128");
  });
  return inLocals(c, results);
}

function storeLanes(E: Emitter, p: Expr, index: LaneIndex, value: Expr, m: Expr, site: AccessSite): void {
  const c = E.code;
  const d = dtypeOf(p);
  const bytes = bitsOf(d) / 8;
  forActiveLanes(E, p, index, m, storable(E, value, d), site, (place, lane) => {
    const load = (): void => {
      c.global(E.baseGlobal).get(lane).i32(Math.log2(bytes)).op("i32.shl").op("i32.add");
      c.access(RAW_LOAD[bytes]!, E.layout.scratchValue);
    };
    if (isPacked(d)) {
      writePacked(c, place, load);
      return;
    }
    c.get(place.address);
    load();
    c.access(RAW_STORE[bytes]!);
  });
}

/** Masked lanes of 4-bit elements: all at once when every lane is active, else lane by lane. */
function loadPackedMasked(E: Emitter, e: Apply): Parts {
  const c = E.code;
  const [p, m, r] = e.args as [Expr, Expr, Expr];
  const d = dtypeOf(p);
  if (!isPacked(d)) throw new TypeError(`${d} is not packed`);
  const lanes = lanesOf(m);
  const site = accessSite(E, e, p, "reads");
  const results = Array.from({ length: partCount(lanes, 8) }, () => c.temp("v128"));
  const keep = (parts: Parts): void => {
    for (const [i, local] of results.entries()) {
      parts.push(i);
      c.set(local);
    }
  };
  const mask = pin(c, E.mask(m, 8));
  pushAllActive(c, mask, lanes, 8);
  c.if();
  keep(loadPacked(c, packedAddress(E, p, lanes, site), d, lanes));
  c.else();
  pushAnyActive(c, mask, lanes, 8);
  c.if();
  checkWholeByte(E, p, site);
  c.end();
  keep(loadLanes(E, p, { kind: "lanes" }, m, r, site));
  c.end();
  return inLocals(c, results);
}
function storePackedMasked(E: Emitter, e: Apply): void {
  const c = E.code;
  const [p, value, m] = e.args as [Expr, Expr, Expr];
  const lanes = lanesOf(m);
  const site = accessSite(E, e, p, "writes");
  const mask = pin(c, E.mask(m, 8));
  pushAllActive(c, mask, lanes, 8);
  c.if();
  storePacked(c, packedAddress(E, p, lanes, site), E.vector(value), lanes);
  c.else();
  pushAnyActive(c, mask, lanes, 8);
  c.if();
  checkWholeByte(E, p, site);
  c.end();
  storeLanes(E, p, { kind: "lanes" }, value, m, site);
  c.end();
}

export function emitLoadStrided(E: Emitter, e: Apply): Parts {
  const [p, stride, m, r] = e.args as [Expr, Expr, Expr, Expr];
  return loadLanes(E, p, { kind: "stride", stride }, m, r, accessSite(E, e, p, "reads"));
}
export function emitGather(E: Emitter, e: Apply): Parts {
  const [p, vector, m, r] = e.args as [Expr, Expr, Expr, Expr];
  return loadLanes(E, p, { kind: "index", vector }, m, r, accessSite(E, e, p, "reads"));
}
export function emitStoreStrided(E: Emitter, e: Apply): void {
  const [p, value, stride, m] = e.args as [Expr, Expr, Expr, Expr];
  storeLanes(E, p, { kind: "stride", stride }, value, m, accessSite(E, e, p, "writes"));
}
export function emitScatter(E: Emitter, e: Apply): void {
  const [p, vector, value, m] = e.args as [Expr, Expr, Expr, Expr];
  storeLanes(E, p, { kind: "index", vector }, value, m, accessSite(E, e, p, "writes"));
}

// ---------------------------------------------------------------------------------------------- lanes

/** One lane of a vector as its scalar. */
export function emitExtract(E: Emitter, e: Apply): void {
  const c = E.code;
  const [v, index] = e.args as [Expr, Expr];
  const lanes = lanesOf(v);
  const isMask = v.type.kind === "mask";
  const d = dtypeOf(v);
  const bits = isMask ? 8 : bitsOf(d);
  const parts = isMask ? E.mask(v, 8) : E.vector(v);
  if (index.kind === "const" && typeof index.value === "number" && index.value >= 0 && index.value < lanes) {
    const perPart = 128 / bits;
    const pinned = pin(c, parts);
    pinned.push(Math.floor(index.value / perPart));
    extractScalar(c, d, index.value % perPart);
    return;
  }
  index32(E, index);
  const i = c.save("i32");
  spill(E, parts, E.layout.scratchValue);
  if (E.checks) {
    c.get(i).i32(lanes).op("i32.ge_u").if();
    emitFail(E, "lane", e.at || E.at, () => c.get(i).op("i64.extend_i32_s"), lanes);
    c.end();
  }
  c.global(E.baseGlobal)
    .get(i)
    .i32(bits / 8)
    .op("i32.mul")
    .op("i32.add");
  c.access(SCALAR_LOAD[d], E.layout.scratchValue);
  if (d === "bool") c.i32(0).op("i32.ne");
  else if (isSmallFloat(d)) fromBits(c, d);
}

/** A lane of the v128 on the stack as the dtype's scalar; a mask has 8-bit lanes here. */
export function extractScalar(c: Code, d: DTypeName, lane: number): void {
  if (d === "bool") c.vlane("i8x16.extract_lane_u", lane).i32(0).op("i32.ne");
  else {
    extractLane(c, d, lane);
    if (d === "u32") c.op("i64.extend_i32_u");
    else if (isSmallFloat(d)) fromBits(c, d);
  }
}
