/**
 * The values at which arithmetic goes wrong, per dtype: for property tests and for generated inputs. Every value is exact in its
 * dtype; interesting first.
 */
import { roundTo } from "./convert.ts";
import {
  DTYPES,
  type DTypeName,
  type Float8DType,
  type FloatDType,
  hasFloats,
  hasIntegers,
  type IntDType,
  type PackedDType,
} from "./dtype.ts";

/** Significand bits with the hidden one, and exponent of the smallest normal number. */
const FLOAT_FORMAT: {
  readonly [K in FloatDType | Float8DType]: { readonly precision: number; readonly minExponent: number };
} = {
  f16: { precision: 11, minExponent: -14 },
  bf16: { precision: 8, minExponent: -126 },
  f32: { precision: 24, minExponent: -126 },
  f8e4m3: { precision: 4, minExponent: -6 },
  f8e5m2: { precision: 3, minExponent: -14 },
};

function floatEdges(d: FloatDType | Float8DType): number[] {
  const { precision, minExponent } = FLOAT_FORMAT[d];
  const max = DTYPES[d].max;
  const ulp = 2 ** (1 - precision);
  const tiny = 2 ** (minExponent + 1 - precision);
  const smallestNormal = 2 ** minExponent;
  const magnitudes = [
    ...[
      0,
      1,
      Infinity,
      max,
      tiny,
      smallestNormal,
      smallestNormal - tiny,
      0.5,
      1.5,
      2,
      2.5,
      3,
      1 + ulp,
      1 - ulp / 2,
    ],
    // where integers end to be exact, and products overflow or vanish
    ...[2 ** precision, 2 ** precision - 1, Math.sqrt(max), Math.sqrt(tiny), max / 2],
    // limits of the integer dtypes, both sides
    ...[127, 128, 129, 255, 256, 32767, 32768, 65535, 65536, 2 ** 31, 2 ** 31 - 128, 2 ** 32, 2 ** 32 - 256],
    // ordinary numbers, and the ends of exp and tanh
    ...[0.1, Math.PI, Math.LN2, 10, 11.09, 17.33, 88.72, 103.97],
  ];
  return [NaN, ...magnitudes.flatMap((m) => [m, -m])].map(roundTo(d));
}

function intEdges(d: IntDType | PackedDType): number[] {
  const { min, max, bits, signed } = DTYPES[d];
  const root = 2 ** (bits / 2);
  const values = [
    ...[0, 1, -1, min, max, min + 1, max - 1, 2, -2, 3, -3, 7, -7, 10, 100],
    // shift amounts around the width
    ...[bits - 1, bits, bits + 1, 31, 32, 33],
    // half way, alternating bits, and where products leave the dtype
    ...[(max + 1) / 2, (max + 1) / 2 - 1, Math.floor(max / 3), -Math.floor(max / 3), root, root - 1, -root],
    ...(signed ? [] : [2 ** (bits - 1) + 1]),
  ];
  return values.filter((v) => v >= min && v <= max).map((v) => v + 0);
}

function distinct(values: readonly number[]): readonly number[] {
  return values.filter((v, i) => values.findIndex((w) => Object.is(v, w)) === i);
}

const EDGES = new Map<DTypeName, readonly number[]>();

/** NaN, infinities, zeros, subnormals, extremes and their neighbours; for integers the limits, 0, +-1 and shift amounts; 0 and 1 for bool. */
export function edgeValues(d: DTypeName): readonly number[] {
  let edges = EDGES.get(d);
  if (edges === undefined) {
    edges = distinct(hasFloats(d) ? floatEdges(d) : hasIntegers(d) ? intEdges(d) : [0, 1]);
    EDGES.set(d, edges);
  }
  return edges;
}
