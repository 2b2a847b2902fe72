/** The vector op `cast`: lanes of one dtype to lanes of another, by castRule of ir/convert.ts. */
import {
  DTYPES,
  type DTypeName,
  hasFloats,
  hasIntegers,
  isFloat8,
  isPacked,
  type PackedDType,
} from "../../ir/dtype.ts";
import type { Attrs } from "../../ir/kir.ts";
import { bitsOf, type Parts, partCount, pin } from "./context.ts";
import type { Code } from "./encoder.ts";
import {
  demoteToOdd,
  intToDouble,
  joinPairs,
  narrow8,
  narrowBits,
  pack16,
  widen8,
  widen16,
} from "./floats.ts";
import { constant, shapeOf } from "./lanescalar.ts";
import { lowParts } from "./lanewise.ts";
import type { SimdOp } from "./opcodes.ts";

/** Parts of `lanes` lanes of dtype `to`, from parts of dtype `from`. */
export function castParts(
  c: Code,
  x: Parts,
  from: DTypeName,
  to: DTypeName,
  lanes: number,
  attrs: Attrs,
): Parts {
  // Of equal dtypes only an infinity of an 8-bit float can be clamped.
  if (from === to && !(isFloat8(to) && attrs["saturate"] === true)) return x;
  if (hasIntegers(from) && hasIntegers(to))
    return castIntegers(c, x, from, to, lanes, attrs["saturate"] === true);
  // Through 32-bit lanes: i32, u32 or f32 by four.
  const wide = toQuads(c, x, from, lanes);
  const quads: Parts = {
    count: wide.count,
    push: (q) => {
      wide.push(q);
      castQuad(c, from, to, attrs);
    },
  };
  const parts = fromQuads(c, quads, to, lanes);
  return attrs["wrap"] === true && isPacked(to) ? nibbles(c, parts, to) : parts;
}

/** One v128 of four i32, u32 or f32 (holding values of `from`) to four 32-bit lanes that hold values of `to`. */
function castQuad(c: Code, from: DTypeName, to: DTypeName, attrs: Attrs): void {
  const wrap = attrs["wrap"] === true;
  const saturate = attrs["saturate"] === true;
  if (hasFloats(from)) {
    if (isFloat8(to)) narrow8(c, to, saturate);
    else if (to === "f16" || to === "bf16") narrowBits(c, to);
    if (hasFloats(to)) return;
    c.v(to === "u32" && !wrap ? "i32x4.trunc_sat_f32x4_u" : "i32x4.trunc_sat_f32x4_s");
    if (DTYPES[to].bits < 32 && !wrap) {
      c.v32(DTYPES[to].max)
        .v("i32x4.min_s")
        .v32(DTYPES[to].min >>> 0)
        .v("i32x4.max_s");
    }
    return;
  }
  const { signed, bits } = DTYPES[from];
  if (to === "bf16" && bits === 32) {
    // f32 would round once already.
    const x = c.save("v128");
    for (const half of ["low", "high"] as const) {
      intToDouble(c, x, half, signed);
      demoteToOdd(c);
    }
    joinPairs(c);
  } else {
    c.v(signed || bits < 32 ? "f32x4.convert_i32x4_s" : "f32x4.convert_i32x4_u");
  }
  // To 8 bits two roundings are one: what f32 does not hold exactly overflows.
  if (isFloat8(to)) narrow8(c, to, saturate);
  if (to === "f16" || to === "bf16") narrowBits(c, to);
}

function castIntegers(
  c: Code,
  x: Parts,
  from: DTypeName,
  to: DTypeName,
  lanes: number,
  saturate: boolean,
): Parts {
  const clamped: Parts = saturate
    ? {
        count: x.count,
        push: (p) => {
          x.push(p);
          clampTo(c, from, to);
        },
      }
    : x;
  const resized = resizeParts(c, clamped, bitsOf(from), bitsOf(to), lanes, DTYPES[from].signed);
  const holds = DTYPES[to].min <= DTYPES[from].min && DTYPES[from].max <= DTYPES[to].max;
  return isPacked(to) && !saturate && !holds ? nibbles(c, resized, to) : resized;
}

/** Keeps the low four bits of 8-bit lanes, extended. */
function nibbles(c: Code, x: Parts, d: PackedDType): Parts {
  return {
    count: x.count,
    push: (p) => {
      x.push(p);
      if (d === "u4") c.v32(0x0f0f0f0f).v("v128.and");
      else c.i32(4).v("i8x16.shl").i32(4).v("i8x16.shr_s");
    },
  };
}

/** Clamps lanes of `from` to the values that `to` has too. */
function clampTo(c: Code, from: DTypeName, to: DTypeName): void {
  const s = DTYPES[from].signed ? "s" : "u";
  const shape = shapeOf(from);
  if (DTYPES[to].max < DTYPES[from].max) constant(c, from, DTYPES[to].max).v(`${shape}.min_${s}` as SimdOp);
  if (DTYPES[to].min > DTYPES[from].min) constant(c, from, DTYPES[to].min).v(`${shape}.max_${s}` as SimdOp);
}

const WIDER: { readonly [bits: number]: readonly [wide: string, narrow: string] } = {
  8: ["i16x8", "i8x16"],
  16: ["i32x4", "i16x8"],
};

/** Lanes of `from` bits to lanes of `to` bits: extended by sign or zero, or the low bits kept. */
export function resizeParts(
  c: Code,
  x: Parts,
  from: number,
  to: number,
  lanes: number,
  signed: boolean,
): Parts {
  if (from === to) return x;
  if (from < to) {
    const [wide, narrow] = WIDER[from]!;
    const source = pin(c, x);
    const doubled: Parts = {
      count: partCount(lanes, from * 2),
      push: (p) => {
        source.push(p >> 1);
        c.v(`${wide}.extend_${p % 2 === 0 ? "low" : "high"}_${narrow}_${signed ? "s" : "u"}` as SimdOp);
      },
    };
    return resizeParts(c, doubled, from * 2, to, lanes, signed);
  }
  const half = (from / 2) as 8 | 16;
  const halved: Parts = {
    count: partCount(lanes, half),
    push: (p) => {
      x.push(2 * p);
      // Nothing above: any vector will do for the lanes that do not exist.
      if (2 * p + 1 < x.count) x.push(2 * p + 1);
      else c.v32(0);
      lowParts(c, half);
    },
  };
  return resizeParts(c, halved, half, to, lanes, signed);
}

/** Float lanes as f32x4; integer lanes as i32x4, extended. */
export function toQuads(c: Code, x: Parts, d: DTypeName, lanes: number): Parts {
  if (isFloat8(d)) {
    const codes = resizeParts(c, x, 8, 32, lanes, false);
    return {
      count: codes.count,
      push: (q) => {
        codes.push(q);
        widen8(c, d);
      },
    };
  }
  if (d === "f16" || d === "bf16") {
    const source = pin(c, x);
    return {
      count: partCount(lanes, 32),
      push: (q) => {
        source.push(q >> 1);
        widen16(c, d, q % 2 === 0 ? "low" : "high");
      },
    };
  }
  return d === "f32" ? x : resizeParts(c, x, bitsOf(d), 32, lanes, DTYPES[d].signed);
}

/** Quads of 32-bit lanes that hold values (or the float bits) of `d`, as parts of `d`. */
function fromQuads(c: Code, quads: Parts, d: DTypeName, lanes: number): Parts {
  if (d !== "f16" && d !== "bf16") return resizeParts(c, quads, 32, bitsOf(d), lanes, false);
  return {
    count: partCount(lanes, 16),
    push: (p) => {
      quads.push(2 * p);
      if (2 * p + 1 < quads.count) quads.push(2 * p + 1);
      else c.v32(0);
      pack16(c);
    },
  };
}

/** f32 quads rounded to the dtype. */
export function roundQuads(c: Code, quads: Parts, d: "f16" | "bf16" | "f32", lanes: number): Parts {
  if (d === "f32") return quads;
  return fromQuads(
    c,
    {
      count: quads.count,
      push: (q) => {
        quads.push(q);
        narrowBits(c, d);
      },
    },
    d,
    lanes,
  );
}
