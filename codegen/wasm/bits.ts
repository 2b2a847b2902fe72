/** Counting and reversing the bits of integer lanes: the vector on the stack is replaced. */
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import type { Code } from "./encoder.ts";
import { constant, shapeOf } from "./lanescalar.ts";
import type { SimdOp } from "./opcodes.ts";

export function bitsPart(c: Code, op: "clz" | "cls" | "ctz" | "popcnt" | "brev", d: DTypeName): void {
  const { bits } = DTYPES[d];
  const shape = shapeOf(d);
  switch (op) {
    case "popcnt":
      ones(c, bits);
      return;
    case "ctz": {
      // ~x & (x - 1) has a one for each zero below the lowest one.
      const x = c.save("v128");
      c.get(x);
      constant(c, d, 1)
        .v(`${shape}.sub` as SimdOp)
        .get(x)
        .v("v128.andnot");
      ones(c, bits);
      return;
    }
    case "cls": {
      // Where a bit equals the sign, x ^ sign has a zero; the sign itself is not counted.
      const x = c.save("v128");
      c.get(x)
        .get(x)
        .i32(bits - 1)
        .v(`${shape}.shr_s` as SimdOp)
        .v("v128.xor");
      leadingZeros(c, d);
      constant(c, d, 1).v(`${shape}.sub` as SimdOp);
      return;
    }
    case "clz":
      leadingZeros(c, d);
      return;
    case "brev":
      reverse(c, bits);
  }
}

/** Every bit below the highest one is set; what stays zero is counted. */
function leadingZeros(c: Code, d: DTypeName): void {
  const { bits } = DTYPES[d];
  for (let by = 1; by < bits; by *= 2) {
    const x = c.save("v128");
    c.get(x)
      .get(x)
      .i32(by)
      .v(`${shapeOf(d)}.shr_u` as SimdOp)
      .v("v128.or");
  }
  c.v("v128.not");
  ones(c, bits);
}

function ones(c: Code, bits: number): void {
  c.v("i8x16.popcnt");
  if (bits > 8) c.v("i16x8.extadd_pairwise_i8x16_u");
  if (bits > 16) c.v("i32x4.extadd_pairwise_i16x8_u");
}

/** The bits of 0 .. 15 in reverse order. */
const NIBBLES = new Uint8Array([0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15]);

/** Bytes by their nibbles, then the bytes of each lane the other way round. */
function reverse(c: Code, bits: number): void {
  if (bits > 8) {
    const step = bits / 8;
    const x = c.save("v128");
    c.get(x)
      .get(x)
      .shuffle(Array.from({ length: 16 }, (_, i) => i - (i % step) + step - 1 - (i % step)));
  }
  const x = c.save("v128");
  c.v128(NIBBLES).get(x).v32(0x0f0f0f0f).v("v128.and").v("i8x16.swizzle").i32(4).v("i8x16.shl");
  c.v128(NIBBLES).get(x).i32(4).v("i8x16.shr_u").v("i8x16.swizzle").v("v128.or");
}
