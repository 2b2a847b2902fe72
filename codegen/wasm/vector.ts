/** Vector and mask expressions as parts. */

import { toBits } from "../../ir/convert.ts";
import { type DTypeName, isFloat, isFloat8, isPacked } from "../../ir/dtype.ts";
import type { Apply, Expr } from "../../ir/kir.ts";
import { OPS } from "../../ir/ops.ts";
import {
  bitsOf,
  dtypeOf,
  type Emitter,
  inLocals,
  lanesOf,
  type Parts,
  partCount,
  pin,
  scalarName,
} from "./context.ts";
import { dotParts } from "./dot.ts";
import type { Code } from "./encoder.ts";
import { castParts, resizeParts } from "./lanecast.ts";
import { shapeOf } from "./lanescalar.ts";
import { isCompare, lanewisePart, maskPart } from "./lanewise.ts";
import { emitGather, emitLoad, emitLoadMasked, emitLoadStrided, pushAllActive } from "./memory.ts";
import type { SimdOp } from "./opcodes.ts";
import { emitBitcast, emitPacking, emitTable } from "./packing.ts";
import { permute } from "./permute.ts";
import { roundToBits, storeBits } from "./scalar.ts";
import { emitShift, isShift } from "./shifts.ts";

/** A v128 constant of the bits of lanes. */
function constantPart(c: Code, bits: number, lanes: readonly number[]): void {
  const b = new Uint8Array(16);
  const view = new DataView(b.buffer);
  lanes.forEach((x, i) => {
    if (bits === 8) view.setUint8(i, x & 0xff);
    else if (bits === 16) view.setUint16(2 * i, x & 0xffff, true);
    else view.setUint32(4 * i, x >>> 0, true);
  });
  c.v128(b);
}

/** The same value in every part, evaluated once. */
function repeated(c: Code, count: number): Parts {
  const local = c.save("v128");
  return inLocals(c, new Array<number>(count).fill(local));
}

export function emitVector(E: Emitter, e: Expr): Parts {
  const c = E.code;
  if (e.kind === "const") throw new TypeError("a constant vector is a vconst");
  if (e.kind === "ref") {
    const s = E.slot(e.local);
    if (s.kind !== "parts") throw new TypeError(`${e.local.name} is no vector`);
    return inLocals(c, s.locals);
  }
  const d = dtypeOf(e);
  const lanes = lanesOf(e);
  const bits = bitsOf(d);
  const count = partCount(lanes, bits);
  switch (e.op) {
    case "vconst": {
      // A lane of i4 is its value in 8 bits.
      const values = (e.attrs["values"] as readonly number[]).map((x) => (isPacked(d) ? x : toBits(d, x)));
      const perPart = 128 / bits;
      return {
        count,
        pinned: true,
        push: (p) => constantPart(c, bits, values.slice(p * perPart, (p + 1) * perPart)),
      };
    }
    case "splat":
      emitSplat(E, e, d);
      return repeated(c, count);
    case "sel": {
      const m = E.mask(e.args[0]!, bits);
      const x = E.vector(e.args[1]!);
      const y = E.vector(e.args[2]!);
      return {
        count,
        push: (p) => {
          x.push(p);
          y.push(p);
          m.push(p);
          c.v("v128.bitselect");
        },
      };
    }
    case "select":
      return selectParts(E, e, E.vector(e.args[1]!), E.vector(e.args[2]!));
    case "cast": {
      const x = e.args[0]!;
      return castParts(c, E.vector(x), dtypeOf(x), d, lanes, e.attrs);
    }
    case "dot": {
      const [acc, x, y] = e.args as [Expr, Expr, Expr];
      const types = { acc: d, x: dtypeOf(x), y: dtypeOf(y), lanes, group: lanesOf(x) / lanes };
      return dotParts(c, E.vector(acc), E.vector(x), E.vector(y), types);
    }
    case "shuffle":
      return permute(
        c,
        e.args.map((a) => ({ parts: E.vector(a), lanes: lanesOf(a) })),
        e.attrs["lanes"] as readonly number[],
        bits,
      );
    case "compress":
    case "expand":
      return emitPacking(E, e);
    case "table":
      return emitTable(E, e);
    case "bitcast":
      return emitBitcast(E, e);
    case "load":
      return emitLoad(E, e);
    case "load_masked":
      return emitLoadMasked(E, e);
    case "load_strided":
      return emitLoadStrided(E, e);
    case "gather":
      return emitGather(E, e);
  }
  if (!OPS[e.op].alu) throw new TypeError(`${e.op} gives no vector`);
  const from = dtypeOf(e.args[0]!);
  if (isShift(e.op)) return emitShift(E, e);
  const args = e.args.map((a) => E.vector(a));
  return {
    count,
    push: (p) =>
      lanewisePart(
        c,
        e.op,
        from,
        e.attrs,
        args.map((a) => () => a.push(p)),
      ),
  };
}

function selectParts(E: Emitter, e: Apply, x: Parts, y: Parts): Parts {
  const c = E.code;
  E.scalar(e.args[0]!);
  const cond = c.save("i32");
  return {
    count: x.count,
    push: (p) => {
      x.push(p);
      y.push(p);
      c.get(cond).selectTyped("v128");
    },
  };
}

function emitSplat(E: Emitter, e: Apply, d: DTypeName): void {
  const c = E.code;
  const x = e.args[0]!;
  if (d === "f32" && x.kind === "ref") {
    const s = E.slot(x.local);
    if (s.kind === "splatted") {
      c.get(s.index);
      return;
    }
  }
  E.scalar(x);
  const from = scalarName(x);
  if (d === "f16" || d === "bf16") {
    roundToBits(c, from, d);
    c.v("i16x8.splat");
  } else if (isFloat8(d)) {
    roundToBits(c, from, d);
    c.v("i8x16.splat");
  } else if (d === "f32") {
    storeBits(c, from, d);
    c.op("f32.reinterpret_i32").v("f32x4.splat");
  } else {
    storeBits(c, from, d);
    c.v(`${shapeOf(d)}.splat` as SimdOp);
  }
}

// ---------------------------------------------------------------------------------------------- masks

/** The lane width at which a mask comes for free; undefined when any width does. */
export function naturalBits(E: Pick<Emitter, "slot">, e: Expr): number | undefined {
  if (e.kind === "ref") {
    const s = E.slot(e.local);
    return s.kind === "parts" ? s.bits : undefined;
  }
  if (e.kind === "const") return undefined;
  if (isCompare(e.op)) return bitsOf(dtypeOf(e.args[0]!));
  if (e.op === "load" || e.op === "load_masked" || e.op === "load_strided" || e.op === "gather") return 8;
  for (const a of e.args) {
    if (a.type.kind !== "mask") continue;
    const bits = naturalBits(E, a);
    if (bits !== undefined) return bits;
  }
  return undefined;
}

export function emitMask(E: Emitter, e: Expr, bits: number): Parts {
  const natural = naturalBits(E, e);
  // Memory gives bytes, and a comparison its operands' width; the rest computes in any width.
  const own = natural !== undefined && (e.kind === "ref" || isCompare((e as Apply).op) || isRead(e));
  const width = own ? natural : bits;
  const parts = maskOf(E, e, width);
  return resizeParts(E.code, parts, width, bits, lanesOf(e), true);
}
function isRead(e: Expr): boolean {
  return e.kind === "apply" && OPS[e.op].effect === "read";
}

function maskOf(E: Emitter, e: Expr, bits: number): Parts {
  const c = E.code;
  if (e.kind === "const") throw new TypeError("a constant mask is a vconst");
  if (e.kind === "ref") {
    const s = E.slot(e.local);
    if (s.kind !== "parts") throw new TypeError(`${e.local.name} is no mask`);
    return inLocals(c, s.locals);
  }
  const lanes = lanesOf(e);
  const count = partCount(lanes, bits);
  if (isCompare(e.op) && e.args[0]!.type.kind === "vec") {
    const d = dtypeOf(e.args[0]!);
    const args = e.args.map((a) => E.vector(a));
    return {
      count,
      push: (p) =>
        lanewisePart(
          c,
          e.op,
          d,
          e.attrs,
          args.map((a) => () => a.push(p)),
        ),
    };
  }
  switch (e.op) {
    case "vconst": {
      const values = (e.attrs["values"] as readonly number[]).map((x) => (x ? -1 : 0));
      const perPart = 128 / bits;
      return {
        count,
        pinned: true,
        push: (p) => constantPart(c, bits, values.slice(p * perPart, (p + 1) * perPart)),
      };
    }
    case "splat":
      c.i32(0);
      E.scalar(e.args[0]!);
      c.op("i32.sub").v("i32x4.splat");
      return repeated(c, count);
    case "tail_mask":
      return tailMask(E, e, lanes, bits);
    case "sel": {
      const [m, x, y] = e.args.map((a) => E.mask(a, bits)) as [Parts, Parts, Parts];
      return {
        count,
        push: (p) => {
          x.push(p);
          y.push(p);
          m.push(p);
          c.v("v128.bitselect");
        },
      };
    }
    case "select":
      return selectParts(E, e, E.mask(e.args[1]!, bits), E.mask(e.args[2]!, bits));
    case "shuffle":
      return permute(
        c,
        e.args.map((a) => ({ parts: E.mask(a, bits), lanes: lanesOf(a) })),
        e.attrs["lanes"] as readonly number[],
        bits,
      );
    case "and":
    case "or":
    case "xor":
    case "not": {
      const args = e.args.map((a) => E.mask(a, bits));
      return {
        count,
        push: (p) =>
          maskPart(
            c,
            e.op,
            args.map((a) => () => a.push(p)),
          ),
      };
    }
    case "load":
      return emitLoad(E, e);
    case "load_masked":
      return emitLoadMasked(E, e);
    case "load_strided":
      return emitLoadStrided(E, e);
    case "gather":
      return emitGather(E, e);
    default:
      throw new TypeError(`${e.op} gives no mask`);
  }
}

/** Pushes ceil(n) clamped to 0..lanes, as i32. */
export function pushTailCount(E: Emitter, n: Expr, lanes: number): void {
  const c = E.code;
  E.scalar(n);
  const type = scalarName(n);
  if (type === "f32" || type === "f64") {
    // Lane i is active when i < n, so 2.5 gives three; NaN gives none.
    c.op(`${type}.ceil`).sat(type === "f32" ? "i32.trunc_sat_f32_s" : "i32.trunc_sat_f64_s");
  } else if (type === "i64") {
    const x = c.save("i64");
    c.get(x).i64(lanes).get(x).i64(lanes).op("i64.lt_s").op("select").set(x);
    c.get(x).i64(0).get(x).i64(0).op("i64.gt_s").op("select").op("i32.wrap_i64");
    return;
  }
  const x = c.save("i32");
  c.get(x).i32(lanes).get(x).i32(lanes).op("i32.lt_s").op("select").set(x);
  c.get(x).i32(0).get(x).i32(0).op("i32.gt_s").op("select");
}

function tailMask(E: Emitter, e: Apply, lanes: number, bits: number): Parts {
  const c = E.code;
  const shape = bits === 8 ? "i8x16" : bits === 16 ? "i16x8" : "i32x4";
  pushTailCount(E, e.args[0]!, lanes);
  c.v(`${shape}.splat` as SimdOp);
  const n = c.save("v128");
  const perPart = 128 / bits;
  return {
    count: partCount(lanes, bits),
    pinned: true,
    push: (p) => {
      constantPart(
        c,
        bits,
        Array.from({ length: perPart }, (_, i) => p * perPart + i),
      );
      c.get(n).v(`${shape}.lt_u` as SimdOp);
    },
  };
}

/** Pushes 1 when every lane is active. */
export function pushMaskFull(E: Emitter, e: Expr): void {
  const c = E.code;
  if (e.kind === "ref") {
    const s = E.slot(e.local);
    if (s.kind === "parts" && s.full !== undefined) {
      c.get(s.full);
      return;
    }
  }
  if (e.kind === "apply" && e.op === "tail_mask") {
    pushTailCount(E, e.args[0]!, lanesOf(e));
    c.i32(lanesOf(e)).op("i32.eq");
    return;
  }
  if (e.kind === "apply" && e.op === "vconst") {
    c.i32((e.attrs["values"] as readonly number[]).every((x) => x) ? 1 : 0);
    return;
  }
  const bits = naturalBits(E, e) ?? 32;
  pushAllActive(c, pin(c, E.mask(e, bits)), lanesOf(e), bits);
}

export function isFloatVector(e: Expr): boolean {
  return e.type.kind === "vec" && isFloat(e.type.dtype);
}
