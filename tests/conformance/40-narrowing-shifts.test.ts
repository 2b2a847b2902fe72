/** Shift right and narrow: every pair of widths and signs, wrapping, saturating, rounding, under masks; every amount. */
import { S, type Vec } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { bitsOf, clamp, edgesOf, type IntName, integer, isSigned, wrap } from "../harness/integers.ts";
import { eachRow } from "../harness/rows.ts";
import { group } from "./group.ts";

const times = <T>(n: number, f: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => f(i));

/** x / 2^by, exactly rounded half to even. */
function halfToEven(x: bigint, by: bigint): bigint {
  const floor = x >> by;
  const twice = 2n * (x - (floor << by));
  const one = 1n << by;
  return twice > one || (twice === one && floor % 2n !== 0n) ? floor + 1n : floor;
}

interface Variant {
  readonly name: string;
  readonly call: (x: Vec, by: Vec | number, o: object) => Vec;
  readonly round: boolean;
  readonly saturate: boolean;
}
const NARROW = [false, true].flatMap((round) =>
  [false, true].map((saturate): Variant => {
    const options = { ...(round ? { withRound: true } : {}), ...(saturate ? { saturate } : {}) };
    return {
      name: `vnsr${round ? " rounding" : ""}${saturate ? " saturating" : ""}`,
      call: (x, by, o) => S.vnsr(x as never, by as never, { ...options, ...o }) as never,
      round,
      saturate,
    };
  }),
);
const VARIANTS: readonly Variant[] = [
  ...NARROW,
  {
    name: "vnsrsr",
    call: (x, by, o) => S.vnsrsr(x as never, by as never, o) as never,
    round: true,
    saturate: true,
  },
];

/** Every width to every narrower one, with every sign. */
const PAIRS = (["i16", "u16", "i32", "u32"] as const).flatMap((d) =>
  [8, 16]
    .filter((bits) => bits < bitsOf(d))
    .flatMap((bits) => [true, false].map((s) => [d, integer(bits, s)] as const)),
);

group(40, () => {
  describe.each(PAIRS)("%s to %s", (d, to) => {
    const step = bitsOf(d) / bitsOf(to);
    const options = {
      ...(bitsOf(to) === 16 ? { toH: true } : {}),
      ...(isSigned(d) === isSigned(to) ? {} : { outSign: isSigned(to) ? "signed" : "unsigned" }),
    };
    const narrowed = (v: Variant, x: number, by: number): number => {
      const unsigned = BigInt.asUintN(bitsOf(d), BigInt(by));
      const amount = unsigned > 64n ? 64n : unsigned;
      const shifted = v.round ? halfToEven(BigInt(x), amount) : BigInt(x) >> amount;
      return v.saturate ? clamp(to, shifted) : wrap(to, shifted);
    };
    /** The narrow lane in place, the rest of the wide lane 0. */
    const placed = (lanes: readonly number[]): number[] =>
      lanes.flatMap((v) => [v, ...new Array<number>(step - 1).fill(0)]);
    const width = bitsOf(d);
    const amounts = [...times(width, (i) => i), width, width + 3, isSigned(d) ? -1 : 2 ** width - 1];
    const data = (n: number): { x: number[]; by: number[] } => ({
      x: times(n, (i) => {
        const edges = edgesOf(d);
        const h = wrap(d, BigInt(Math.imul(i + 1, 0x9e3779b1)));
        return i % 2 ? h : (edges[(i >> 1) % edges.length] as number);
      }),
      by: times(n, (i) => amounts[(i * 7) % amounts.length] as number),
    });

    test.each([1, 7, 256 / width, 21])("%i lanes, amounts in a vector", (lanes) => {
      for (const rows of [0, 1, Math.ceil(300 / lanes)]) {
        const n = rows * lanes;
        const { x, by } = data(n);
        const operands = [
          { dtype: d as IntName, lanes, values: x },
          { dtype: d as IntName, lanes, values: by },
        ];
        const mask = times(lanes, (i) => i % 3 !== 1);
        const calls = VARIANTS.flatMap(({ call }) => [
          (a: Vec, b: Vec): Vec => call(a, b, options),
          (a: Vec, b: Vec): Vec => call(a, b, { ...options, mask }),
          (a: Vec, b: Vec): Vec => call(a, b, { ...options, mask, r: 9 }),
        ]);
        const got = eachRow(calls, operands, { dtype: to, lanes: lanes * step });
        VARIANTS.forEach((v, k) => {
          const want = x.map((value, i) => narrowed(v, value, by[i] as number));
          const masked = (r: number): number[] => want.map((w, i) => (mask[i % lanes] ? w : r));
          expect(got[3 * k], v.name).toEqual(placed(want));
          expect(got[3 * k + 1], `${v.name}, masked`).toEqual(placed(masked(0)));
          expect(got[3 * k + 2], `${v.name}, masked with r`).toEqual(placed(masked(9)));
        });
      }
    });

    test("literal amounts, and packed lanes", () => {
      const lanes = 16;
      const { x } = data(lanes * 8);
      const literals = [0, 1, width / 2, width - 1, width, width + 3];
      const calls = literals.flatMap((by) =>
        VARIANTS.map(
          ({ call }) =>
            (a: Vec): Vec =>
              call(a, by, options),
        ),
      );
      const operands = [{ dtype: d as IntName, lanes, values: x }];
      const got = eachRow(calls, operands, { dtype: to, lanes: lanes * step });
      literals.forEach((by, i) => {
        VARIANTS.forEach((v, k) => {
          const want = x.map((value) => narrowed(v, value, by));
          expect(got[i * VARIANTS.length + k], `${v.name} by ${by}`).toEqual(placed(want));
        });
      });
      const rounded = VARIANTS.at(-1) as Variant;
      const inPlace = times(lanes * step, (i) => i % step === 0);
      const pack = (a: Vec): Vec => S.vcompt(rounded.call(a, 3, options) as never, inPlace);
      const packed = eachRow([pack], operands, { dtype: to, lanes: lanes * step })[0];
      expect(packed).toEqual(
        times(8, (row) => [
          ...x.slice(row * lanes, (row + 1) * lanes).map((v) => narrowed(rounded, v, 3)),
          ...new Array<number>(lanes * (step - 1)).fill(0),
        ]).flat(),
      );
    });
  });
});
