/**
 * The op `dot(acc, x, y)`: acc plus the products of neighbouring lanes, two or four to each lane of acc. The sum is exact, and
 * goes into acc's dtype once:
 *
 *   integers   clamped to acc's dtype, whatever the signs of x and y
 *   floats     products are exact in float64; the sum runs in float64 from acc, lanes ascending; one rounding to f32
 */
import { convertRule } from "./convert.ts";
import { DTYPES, type DTypeName, isFloat } from "./dtype.ts";
import { newLanes } from "./lanes.ts";

/** Lanes of x and y for each lane of acc; undefined where the op is not defined. */
export function dotGroup(
  acc: { readonly dtype: DTypeName; readonly lanes: number },
  x: { readonly dtype: DTypeName; readonly lanes: number },
  y: { readonly dtype: DTypeName; readonly lanes: number },
): 2 | 4 | undefined {
  const group = x.lanes / acc.lanes;
  if (x.lanes !== y.lanes || (group !== 2 && group !== 4)) return undefined;
  const floats = isFloat(x.dtype);
  if (floats !== isFloat(y.dtype)) return undefined;
  const bits = DTYPES[x.dtype].bits;
  if (floats) {
    return acc.dtype === "f32" && bits === 16 && DTYPES[y.dtype].bits === 16 ? group : undefined;
  }
  const integers = [acc, x, y].every((v) => DTYPES[v.dtype].kind === "int");
  return integers && bits === DTYPES[y.dtype].bits && DTYPES[acc.dtype].bits === group * bits
    ? group
    : undefined;
}

/** The lanes of `dot`; `d` is acc's dtype. Four products of 8 bits and two of 16 are far below 2^53. */
export function dotLanes(
  d: DTypeName,
  acc: readonly number[],
  x: readonly number[],
  y: readonly number[],
): number[] {
  const n = acc.length;
  const group = x.length / n;
  const intoAcc = convertRule(d);
  const out = newLanes(n);
  for (let i = 0, k = 0; i < n; i++) {
    let sum = acc[i] as number;
    for (const end = k + group; k < end; k++) sum += (x[k] as number) * (y[k] as number);
    out[i] = intoAcc(sum);
  }
  return out;
}
