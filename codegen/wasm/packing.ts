/** Lanes that move by mask or index within one register, and lanes read as another dtype. */
import type { DTypeName, FloatDType } from "../../ir/dtype.ts";
import { isFloat } from "../../ir/dtype.ts";
import type { Apply } from "../../ir/kir.ts";
import { bitsOf, dtypeOf, type Emitter, inLocals, lanesOf, type Parts, pin } from "./context.ts";
import type { Code, LocalIndex } from "./encoder.ts";
import { constant, extractLane } from "./lanescalar.ts";
import type { SimdLaneAccessOp, SimdOp } from "./opcodes.ts";

/** An integer dtype of this many bits, whose masks extract as 0 and -1. */
const SIGNED: { readonly [bits: number]: DTypeName } = { 8: "i8", 16: "i16", 32: "i32" };

/**
 * compress and expand go through memory, at an address that moves on by one lane for each active one: compress stores
 * every lane there, so that an inactive one is overwritten by the next; expand loads every lane from there.
 */
export function emitPacking(E: Emitter, e: Apply): Parts {
  const c = E.code;
  const bits = bitsOf(dtypeOf(e));
  const x = pin(c, E.vector(e.args[0]!));
  const mask = E.mask(e.args[1]!, bits);
  c.global(E.baseGlobal).i32(E.layout.scratchValue).op("i32.add");
  for (let p = 0; p < x.count; p++) x.push(p);
  for (let p = 0; p < mask.count; p++) mask.push(p);
  const types = ["i32" as const, ...new Array<"v128">(x.count + mask.count).fill("v128")];
  const lanes = lanesOf(e);
  const write = e.op === "compress" ? writeCompress : writeExpand;
  c.call(c.module.helper(`${e.op} ${bits} ${lanes}`, types, [], (h) => write(h, bits, lanes, x.count)));
  const locals: LocalIndex[] = [];
  for (let p = 0; p < x.count; p++) {
    c.global(E.baseGlobal).vaccess("v128.load", E.layout.scratchValue + 16 * p);
    locals.push(c.save("v128"));
  }
  return inLocals(c, locals);
}

/** Moves the address on where lane i of the mask is active: adds the lane's bytes, or nothing. */
function advance(h: Code, at: LocalIndex, mask: LocalIndex, bits: number, lane: number): void {
  h.get(at).get(mask);
  extractLane(h, SIGNED[bits]!, lane);
  h.i32(bits / 8)
    .op("i32.and")
    .op("i32.add")
    .set(at);
}

/** Parameters: address, parts of x, parts of the mask. Leaves the result at the address, which has room for twice the parts. */
function writeCompress(h: Code, bits: number, lanes: number, parts: number): void {
  const perPart = 128 / bits;
  const at = h.local("i32");
  h.get(0).set(at);
  for (let i = 0; i < lanes; i++) {
    const part = 1 + Math.floor(i / perPart);
    h.get(at)
      .get(part)
      .vlaneAccess(`v128.store${bits}_lane` as SimdLaneAccessOp, i % perPart);
    advance(h, at, parts + part, bits, i % perPart);
  }
  for (let p = 0; p < parts; p++)
    h.get(at)
      .v32(0)
      .vaccess("v128.store", 16 * p);
}

function writeExpand(h: Code, bits: number, lanes: number, parts: number): void {
  const perPart = 128 / bits;
  const at = h.local("i32");
  for (let p = 0; p < parts; p++)
    h.get(0)
      .get(1 + p)
      .vaccess("v128.store", 16 * p);
  h.get(0).set(at);
  const out = Array.from({ length: parts }, () => h.local("v128"));
  for (let i = 0; i < lanes; i++) {
    const part = Math.floor(i / perPart);
    h.get(at)
      .get(out[part]!)
      .vlaneAccess(`v128.load${bits}_lane` as SimdLaneAccessOp, i % perPart)
      .set(out[part]!);
    advance(h, at, 1 + parts + part, bits, i % perPart);
  }
  for (let p = 0; p < parts; p++)
    h.get(0)
      .get(out[p]!)
      .get(1 + parts + p)
      .v("v128.and")
      .vaccess("v128.store", 16 * p);
}

/** Bytes that {@link emitTable} can look up in: byte indices beyond it must still be bytes. */
export const TABLE_BYTES = 128;

/** By bytes: `i8x16.swizzle` in every part of the table gives 0 for bytes of other parts, so that the results join. */
export function emitTable(E: Emitter, e: Apply): Parts {
  const c = E.code;
  const [indices, ...tables] = e.args;
  const bits = bitsOf(dtypeOf(e));
  const lanes = tables.reduce((n, t) => n + lanesOf(t), 0);
  const sources = tables.map((t) => pin(c, E.vector(t)));
  const index = E.vector(indices!);
  const shape = { 8: "i8x16", 16: "i16x8", 32: "i32x4" }[bits]!;
  const wide = SIGNED[bits]!;
  return {
    count: index.count,
    push: (p) => {
      index.push(p);
      const i = c.save("v128");
      c.get(i);
      if (bits > 8) {
        constant(c, wide, lanes).v(`${shape}.min_u` as SimdOp);
        if (bits === 16) c.v16(0x0202).v("i16x8.mul").v16(0x0100).v("i16x8.add");
        else c.v32(0x04040404).v("i32x4.mul").v32(0x03020100).v("i32x4.add");
      }
      const bytes = c.save("v128");
      let first = 0;
      for (const s of sources) {
        for (let q = 0; q < s.count; q++) {
          s.push(q);
          c.get(bytes);
          if (first > 0) c.v32((first * 0x01010101) >>> 0).v("i8x16.sub");
          c.v("i8x16.swizzle");
          if (first > 0) c.v("v128.or");
          first += 16;
        }
      }
      // The last part may have more than the table's lanes.
      c.get(i);
      constant(c, wide, lanes)
        .v(`${shape}.lt_u` as SimdOp)
        .v("v128.and");
    },
  };
}

/** The parts as they are; a NaN, which may have any of its bits here, gets those of the dtype's one NaN. */
export function emitBitcast(E: Emitter, e: Apply): Parts {
  const c = E.code;
  const x = E.vector(e.args[0]!);
  const from = dtypeOf(e.args[0]!);
  if (!isFloat(from)) return x;
  return {
    count: x.count,
    push: (p) => {
      x.push(p);
      oneNaN(c, from);
    },
  };
}

function oneNaN(c: Code, d: FloatDType): void {
  const x = c.save("v128");
  if (d === "f32") c.get(x).v32(0x7fc00000).get(x).get(x).v("f32x4.eq");
  else {
    const [nan, infinity] = d === "f16" ? [0x7e00, 0x7c00] : [0x7fc0, 0x7f80];
    c.get(x).v16(nan).get(x).v16(0x7fff).v("v128.and").v16(infinity).v("i16x8.le_s");
  }
  c.v("v128.bitselect");
}
