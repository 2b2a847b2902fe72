/** Pairwise and widening arithmetic over all sign mixes and limits, against BigInt. */
import { S, type Vec } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { bitsOf, clamp, eitherSign, INT_NAMES, integer, integers, isSigned } from "../harness/integers.ts";
import { rowByRow } from "../harness/rows.ts";

const LANES = [2, 16, 70];
const big = (x: number | undefined): bigint => BigInt(x as number);
const times = <T>(n: number, f: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => f(i));

/** Every lane count, as rows of enough lanes to meet all pairs of edges. */
function rows(lanes: number): number {
  return Math.ceil(400 / lanes);
}

describe.each(INT_NAMES)("%s", (d) => {
  test.each([
    { name: "vaddh", of: (a: bigint, b: bigint) => clamp(d, a + b) },
    { name: "vsubh", of: (a: bigint, b: bigint) => clamp(d, a - b) },
    { name: "vmaxh", of: (a: bigint, b: bigint) => Number(a > b ? a : b) },
    { name: "vminh", of: (a: bigint, b: bigint) => Number(a < b ? a : b) },
  ] as const)("$name: neighbours of x, then of y", ({ name, of }) => {
    for (const lanes of LANES) {
      const n = lanes * rows(lanes);
      const [x, y] = [integers(d, n, 0), integers(d, n, 1)];
      const call = (a: Vec, b: Vec): Vec => S[name](a, b);
      const got = rowByRow(
        call,
        [
          { dtype: d, lanes, values: x },
          { dtype: d, lanes, values: y },
        ],
        { dtype: d, lanes },
      );
      const want = times(n, (i) => {
        const row = i - (i % lanes);
        const [from, at] = i % lanes < lanes / 2 ? [x, i % lanes] : [y, (i % lanes) - lanes / 2];
        return of(big(from[row + 2 * at]), big(from[row + 2 * at + 1]));
      });
      expect(got).toEqual(want);
    }
  });

  test.each(eitherSign(d))("vmull vmulh vmulhi by %s", (e) => {
    const bits = bitsOf(d);
    const signed = isSigned(d) || isSigned(e);
    const word = integer(bits, signed);
    for (const lanes of LANES) {
      const n = lanes * rows(lanes);
      const [x, y] = [integers(d, n, 0), integers(e, n, 1)];
      const operands = [
        { dtype: d, lanes, values: x },
        { dtype: e, lanes, values: y },
      ];
      const product = (i: number): bigint => big(x[i]) * big(y[i]);
      const high = (p: bigint): number => Number(p >> BigInt(bits));
      const low = (p: bigint): number => Number(signed ? BigInt.asIntN(bits, p) : BigInt.asUintN(bits, p));
      const wide = {
        dtype: bits === 32 ? word : integer(2 * bits, signed),
        lanes: bits === 32 ? lanes : lanes / 2,
      };
      const halves = [
        (a: Vec, b: Vec): Vec => S.vmull(a as never, b as never),
        (a: Vec, b: Vec): Vec => S.vmulh(a as never, b as never),
      ];
      halves.forEach((call, half) => {
        const want = times(n / lanes, (row) =>
          times(lanes / 2, (i) => product(row * lanes + (half * lanes) / 2 + i)).flatMap((p) =>
            bits === 32 ? [low(p), high(p)] : [Number(p)],
          ),
        ).flat();
        expect(rowByRow(call, operands, wide)).toEqual(want);
      });
      const hi = (a: Vec, b: Vec): Vec => S.vmulhi(a as never, b as never);
      expect(rowByRow(hi, operands, { dtype: word, lanes })).toEqual(times(n, (i) => high(product(i))));
    }
  });
});
