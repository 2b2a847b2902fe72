/** Shifts and rotations by 0, width - 1, width, width + 3 and "negative" amounts: from vectors, literals and numbers of run time, and of numbers. */
import { dtypeOf, type IntD, i32, kernel, ptr, S, type Vec } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { hostArray } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import {
  bitsOf,
  clamp,
  edgesOf,
  INT_NAMES,
  type IntName,
  isSigned,
  maxOf,
  minOf,
  wrap,
} from "../harness/integers.ts";
import { expectElementwise, type Operation } from "./elementwise.ts";
import { group } from "./group.ts";

type Lanes = Vec<never>;
type Shift = (x: number, amount: number) => number;

/** x / 2^by, rounded half to even. */
function halfToEven(x: bigint, by: bigint): bigint {
  const floor = x >> by;
  const twice = 2n * (x - (floor << by));
  const one = 1n << by;
  return twice > one || (twice === one && floor % 2n !== 0n) ? floor + 1n : floor;
}

/** What the shifts of a dtype do; the amount is unsigned, and everything beyond 64 is the same. */
function truths(d: IntName): Record<string, Shift> {
  const width = BigInt(bitsOf(d));
  const pattern = (x: number): bigint => BigInt.asUintN(Number(width), BigInt(x));
  const amount = (y: number): bigint => (pattern(y) > 64n ? 64n : pattern(y));
  const turned = (x: number, left: bigint): number => {
    const by = ((left % width) + width) % width;
    return wrap(d, (pattern(x) << by) | (pattern(x) >> (width - by)));
  };
  return {
    vsl: (x, y) => wrap(d, BigInt(x) << amount(y)),
    "vsl saturating": (x, y) => clamp(d, BigInt(x) << amount(y)),
    vsr: (x, y) => Number(BigInt(x) >> amount(y)),
    "vsr rounding": (x, y) => Number(halfToEven(BigInt(x), amount(y))),
    vrol: (x, y) => turned(x, BigInt(y)),
    vror: (x, y) => turned(x, -BigInt(y)),
  };
}
const SHIFTS: Readonly<Record<string, (x: Lanes, amount: Lanes | number, o?: object) => Vec<never>>> = {
  vsl: (x, amount, o) => S.vsl(x, amount, { ...o }),
  "vsl saturating": (x, amount, o) => S.vsl(x, amount, { ...o, saturate: true }),
  vsr: (x, amount, o) => S.vsr(x, amount, { ...o }),
  "vsr rounding": (x, amount, o) => S.vsr(x, amount, { ...o, withRound: true }),
  vrol: (x, amount, o) => S.vrol(x, amount, { ...o }),
  vror: (x, amount, o) => S.vror(x, amount, { ...o }),
};

function operations(d: IntName): Operation[] {
  const width = bitsOf(d);
  const literals = [
    0,
    1,
    width / 2,
    width - 1,
    width,
    width + 3,
    ...(isSigned(d) ? [-1, Number(minOf(d))] : [255]),
  ];
  return Object.entries(truths(d)).flatMap(([name, of]): Operation[] => {
    const shift = SHIFTS[name] as (typeof SHIFTS)[string];
    return [
      { name, call: (x: Lanes, y: Lanes) => shift(x, y), truth: of },
      {
        name: `${name} by a number of run time`,
        call: (x: Lanes, y: Lanes) => shift(x, y.at(0)),
        truth: (x, _y, _z, first) => of(x, first[1] as number),
      },
      {
        name: `${name} under a mask`,
        call: (x: Lanes, y: Lanes, z: Lanes) => shift(x, y, { mask: S.vcgt(x, z), r: z }),
        truth: (x, y, z) => (x > z ? of(x, y) : z),
      },
      ...literals.map(
        (by): Operation => ({
          name: `${name} by ${by}`,
          call: (x: Lanes) => shift(x, by),
          truth: (x) => of(x, by),
        }),
      ),
    ];
  });
}

group(39, () => {
  describe("lanes", () => {
    test.each(INT_NAMES)("%s", (d) => {
      const width = bitsOf(d);
      const amounts = [0, 1, 2, 3, width / 2, width - 1, width, width + 1, width + 3, 64, Number(maxOf(d))];
      if (isSigned(d)) amounts.push(-1, -2, -width, Number(minOf(d)));
      const edges = edgesOf(d);
      expectElementwise(operations(d), {
        operands: [d],
        result: d,
        values: (operand, n) =>
          Array.from({ length: n }, (_, i) => {
            if (operand === 1) return amounts[i % amounts.length] as number;
            const h = wrap(d, BigInt(Math.imul(i + 1 + operand, 0x9e3779b1)));
            return i % 3 === 1 ? h : (edges[Math.floor(i / amounts.length) % edges.length] as number);
          }),
      });
    });
  });

  test.each(INT_NAMES)(
    "numbers of %s: <<, >>, >>> by amounts of run time and literals, against JavaScript",
    (d) => {
      const dtype = dtypeOf(d) as IntD;
      const shifts = kernel([ptr(i32), ptr(dtype), i32, i32], function shifts(out, p, n, by) {
        for (let i = 0; i < n; i++) {
          const x = p.get(i);
          const y = p.get(n - 1 - i);
          out.set(i * 12, x << by);
          out.set(i * 12 + 1, x >> by);
          out.set(i * 12 + 2, x >>> by);
          out.set(i * 12 + 3, x << y);
          out.set(i * 12 + 4, x >> y);
          out.set(i * 12 + 5, (x >>> y) % 65537);
          out.set(i * 12 + 6, x << 31);
          out.set(i * 12 + 7, x >> 32);
          out.set(i * 12 + 8, x >>> 35);
          out.set(i * 12 + 9, x << -1);
          out.set(i * 12 + 10, x >> -3);
          out.set(i * 12 + 11, (x * 0.5) >>> (by / 2));
        }
      });
      const x = edgesOf(d);
      for (const by of [0, 1, 8, 31, 32, 33, 35, 64, -1, -31, 2 ** 31 - 1, -(2 ** 31)]) {
        const out = new Int32Array(x.length * 12);
        execute(shifts, [out, hostArray(d, x), x.length, by], { tiles: 1 });
        const want = x.flatMap((v, i) => {
          const y = x[x.length - 1 - i] as number;
          const results = [v << by, v >> by, v >>> by, v << y, v >> y, (v >>> y) % 65537];
          return [...results, v << 31, v >> 32, v >>> 35, v << -1, v >> -3, (v * 0.5) >>> (by / 2)];
        });
        expect([...out]).toEqual([...Int32Array.from(want)]);
      }
    },
  );
});
