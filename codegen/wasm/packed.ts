/**
 * 4-bit elements, two to a byte, the even one low. Their pointers count half bytes; in registers they are lanes of 8 bits.
 *
 *   bytes in memory    BA DC FE ..              pointer 2 * byte + half
 *   lanes              A B C D E F ..           u4 zero-extended, i4 sign-extended
 *
 * A vector access starts at a whole byte and may end inside one: a load takes the byte, a store keeps its other half.
 */
import type { PackedDType } from "../../ir/dtype.ts";
import type { Expr } from "../../ir/kir.ts";
import { type Emitter, emitFail, type Parts, partCount } from "./context.ts";
import type { Code, LocalIndex } from "./encoder.ts";
import { loadPart, storePart } from "./partaccess.ts";
import { type Address, type Bounded, bounded, checkBounds } from "./pointer.ts";
import type { AccessSite } from "./sites.ts";

/** Where an element is. `shift`, of 4-bit elements only: 0 in the low half of the byte, 4 in the high one. */
export interface LanePlace {
  readonly address: LocalIndex;
  readonly shift: LocalIndex;
}

/** The pointer on the stack, in half bytes (i64 with checks, else i32), becomes a place. */
export function setPackedPlace(E: Emitter, place: LanePlace): void {
  const c = E.code;
  if (E.checks) {
    const at = c.save("i64");
    c.get(at).i64(1).op("i64.shr_s").op("i32.wrap_i64").set(place.address);
    c.get(at).op("i32.wrap_i64");
  } else {
    const at = c.save("i32");
    c.get(at).i32(1).op("i32.shr_u").set(place.address);
    c.get(at);
  }
  c.i32(1).op("i32.and").i32(2).op("i32.shl").set(place.shift);
}

/** Pushes the element, extended. */
export function readPacked(c: Code, place: LanePlace, d: PackedDType): void {
  c.get(place.address).access("i32.load8_u").get(place.shift).op("i32.shr_u");
  if (d === "u4") c.i32(15).op("i32.and");
  else c.i32(28).op("i32.shl").i32(28).op("i32.shr_s");
}
/** Writes the low four bits of what `value` pushes; the other half of the byte stays. */
export function writePacked(c: Code, place: LanePlace, value: () => void): void {
  c.get(place.address);
  c.get(place.address).access("i32.load8_u").i32(0xf0).get(place.shift).op("i32.shr_u").op("i32.and");
  value();
  c.i32(15).op("i32.and").get(place.shift).op("i32.shl").op("i32.or");
  c.access("i32.store8");
}

function elementPlace(E: Emitter, p: Expr, site: AccessSite): LanePlace {
  const place: LanePlace = { address: E.code.temp("i32"), shift: E.code.temp("i32") };
  if (E.checks) {
    const b = bounded(E, p);
    checkBounds(E, b, 0, 1, site);
    E.code.get(b.addr);
  } else E.pointer(p);
  setPackedPlace(E, place);
  return place;
}
export function emitPackedGet(E: Emitter, p: Expr, d: PackedDType, site: AccessSite): void {
  readPacked(E.code, elementPlace(E, p, site), d);
}
export function emitPackedSet(E: Emitter, p: Expr, value: () => void, site: AccessSite): void {
  const c = E.code;
  const place = elementPlace(E, p, site);
  writePacked(c, place, value);
}

/** Stops the program unless the pointer stands at a whole byte. */
export function checkWholeByte(E: Emitter, p: Expr, site: AccessSite): void {
  if (E.checks) refuseHalf(E, bounded(E, p), site);
}
function refuseHalf(E: Emitter, b: Bounded, site: AccessSite): void {
  const c = E.code;
  c.get(b.addr).op("i32.wrap_i64").i32(1).op("i32.and").if();
  emitFail(E, "halfByte", site.at, () => c.get(b.addr).get(b.lo).op("i64.sub"));
  c.end();
}

/** The byte address of `lanes` consecutive elements, checked first when checks are on. */
export function packedAddress(E: Emitter, p: Expr, lanes: number, site: AccessSite): Address {
  const c = E.code;
  if (E.checks) {
    const b = bounded(E, p);
    checkBounds(E, b, 0, lanes, site);
    refuseHalf(E, b, site);
    c.get(b.addr).i64(1).op("i64.shr_s").op("i32.wrap_i64");
  } else {
    E.pointer(p);
    c.i32(1).op("i32.shr_u");
  }
  const local = c.save("i32");
  return { offset: 0, push: () => c.get(local) };
}

/** Lanes of part `p`. */
function partLanes(lanes: number, p: number): number {
  return Math.min(16, lanes - 16 * p);
}

export function loadPacked(c: Code, a: Address, d: PackedDType, lanes: number): Parts {
  return {
    count: partCount(lanes, 8),
    push: (p) => {
      loadPart(c, a, 8 * p, Math.ceil(partLanes(lanes, p) / 2));
      // 00BA -> 00BA | 0BA0 -> 0B0A
      c.v("i16x8.extend_low_i8x16_u");
      const pairs = c.save("v128");
      c.get(pairs).i32(4).v("i16x8.shl").get(pairs).v("v128.or").v32(0x0f0f0f0f).v("v128.and");
      // Flipping bit 3 and taking 8 away extends the sign.
      if (d === "i4") c.v32(0x08080808).v("v128.xor").v32(0x08080808).v("i8x16.sub");
    },
  };
}

export function storePacked(c: Code, a: Address, value: Parts, lanes: number): void {
  for (let p = 0; p < value.count; p++) {
    const n = partLanes(lanes, p);
    value.push(p);
    // 0B0A -> 0B0A | 00B0 -> BA
    c.v32(0x0f0f0f0f).v("v128.and");
    const lanesOf4 = c.save("v128");
    c.get(lanesOf4).get(lanesOf4).i32(4).v("i16x8.shr_u").v("v128.or").v16(0x00ff).v("v128.and");
    const pairs = c.save("v128");
    c.get(pairs).get(pairs).v("i8x16.narrow_i16x8_u");
    const bytes = c.save("v128");
    const whole = Math.floor(n / 2);
    if (whole > 0) storePart(c, a, 8 * p, whole, () => c.get(bytes));
    if (n % 2 === 0) continue;
    const last = 8 * p + whole;
    a.push();
    a.push();
    c.access("i32.load8_u", a.offset + last)
      .i32(0xf0)
      .op("i32.and");
    c.get(bytes).vlane("i8x16.extract_lane_u", whole).i32(15).op("i32.and").op("i32.or");
    c.access("i32.store8", a.offset + last);
  }
}
