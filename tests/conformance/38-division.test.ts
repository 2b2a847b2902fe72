/** Division and remainder of lanes and of numbers: zero divisors, min / -1, negatives, masks; and the divisions that are errors. */
import { i32, KpuError, kernel, ptr, S, type Vec } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { FLOATS, held } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { clamp, INT_NAMES, type IntName, isSigned, maxOf, minOf } from "../harness/integers.ts";
import { expectElementwise, type Operation } from "./elementwise.ts";
import { group } from "./group.ts";

type Lanes = Vec<never>;
type Exact = (x: number, y: number) => number;

/** x/0 and x%0 are 0, min/-1 is max; BigInt truncates and its remainder has the sign of the dividend. */
const integerDivision = (d: IntName): Record<"vdiv" | "vmod", Exact> => ({
  vdiv: (x, y) => (y === 0 ? 0 : clamp(d, BigInt(x) / BigInt(y))),
  vmod: (x, y) => (y === 0 ? 0 : Number(BigInt(x) % BigInt(y))),
});
const floatDivision = (d: (typeof FLOATS)[number]): Record<"vdiv" | "vmod", Exact> => ({
  vdiv: (x, y) => held(d, x / y),
  vmod: (x, y) => held(d, x % y),
});

function operations(
  exact: Record<"vdiv" | "vmod", Exact>,
  divisors: readonly number[],
  r: number,
): Operation[] {
  return (["vdiv", "vmod"] as const).flatMap((name): Operation[] => {
    const of = exact[name];
    return [
      { name, call: (x: Lanes, y: Lanes) => S[name](x, y), truth: of },
      {
        name: `${name} by a number of run time`,
        call: (x: Lanes, y: Lanes) => S[name](x, y.at(0)),
        truth: (x, _y, _z, first) => of(x, first[1] as number),
      },
      {
        name: `${name} of a number of run time`,
        call: (x: Lanes, y: Lanes) => S[name](x.at(0), y),
        truth: (_x, y, _z, first) => of(first[0] as number, y),
      },
      {
        name: `${name} where the divisor is not 0`,
        call: (x: Lanes, y: Lanes) => S[name](x, y, { mask: S.vcneq(y, 0), r: r as never }),
        truth: (x, y) => (y === 0 ? r : of(x, y)),
      },
      {
        name: `${name} where the divisor is 0`,
        call: (x: Lanes, y: Lanes) => S[name](x, y, { mask: S.vceq(y, 0) }),
        truth: (x, y) => (y === 0 ? of(x, y) : 0),
      },
      ...divisors.flatMap((c): Operation[] => [
        { name: `${name} by ${c}`, call: (x: Lanes) => S[name](x, c), truth: (x) => of(x, c) },
        { name: `${name} of ${c}`, call: (x: Lanes) => S[name](c, x), truth: (x) => of(c, x) },
      ]),
    ];
  });
}

group(38, () => {
  test.each(INT_NAMES)("lanes of %s", (d) => {
    const divisors = [0, 1, 2, 3, 7, 8, 100, Number(maxOf(d))];
    const negative = isSigned(d) ? [-1, -3, -16, Number(minOf(d))] : [];
    expectElementwise(operations(integerDivision(d), [...divisors, ...negative], 5), {
      operands: [d],
      result: d,
    });
  });
  test.each(FLOATS)("lanes of %s", (d) => {
    const divisors = [0, -0, 1, -1, 3, 0.5, -2.5, 8, Infinity, -Infinity, Number.NaN];
    expectElementwise(operations(floatDivision(d), divisors, 5), { operands: [d], result: d });
  });

  describe("numbers", () => {
    const edges = [0, 1, -1, 2, -2, 3, 7, -7, 8, 100, 2 ** 31 - 1, -(2 ** 31), 2 ** 31 - 2, -12345];
    const all = edges.flatMap((x) => edges.map((y) => [x, y] as const));

    test("/ and % of integers, as a store to i32 and as booleans see them", () => {
      const divide = kernel([ptr(i32), i32, i32], function divide(out, x, y) {
        out.set(0, x / y);
        out.set(1, x % y);
        out.set(2, (x / y) | 0);
        out.set(3, (x % y) | 0);
        out.set(4, 1 / (x % y) === -Infinity ? 1 : 0);
        out.set(5, Number.isNaN(x / y) ? 1 : 0);
        out.set(6, x / y === Infinity ? 1 : 0);
        out.set(7, Math.floor(x / y) === x / y ? 1 : 0);
      });
      for (const [x, y] of all) {
        const out = new Int32Array(8);
        execute(divide, [out, x, y], { tiles: 1 });
        const want = Int32Array.of(
          x / y,
          x % y,
          (x / y) | 0,
          (x % y) | 0,
          1 / (x % y) === -Infinity ? 1 : 0,
          Number.isNaN(x / y) ? 1 : 0,
          x / y === Infinity ? 1 : 0,
          Math.floor(x / y) === x / y ? 1 : 0,
        );
        expect([x, y, ...out]).toEqual([x, y, ...want]);
      }
    });

    test("ceildiv and floordiv, exact over all of i32; a zero divisor is an error with its line", () => {
      const round = kernel([ptr(i32), i32, i32], function round(out, x, y) {
        out.set(0, S.ceildiv(x, y));
        out.set(1, S.floordiv(x, y));
      });
      for (const [x, y] of all) {
        const out = new Int32Array(2);
        if (y === 0) {
          let error: unknown;
          try {
            execute(round, [out, x, y], { tiles: 1 });
          } catch (e) {
            error = e;
          }
          expect(error).toBeInstanceOf(KpuError);
          expect((error as KpuError).code).toBe("KPU3013");
          expect((error as KpuError).diagnostics[0]?.location?.file).toMatch(/38-division/);
          continue;
        }
        execute(round, [out, x, y], { tiles: 1 });
        const quotient = BigInt(x) / BigInt(y);
        const exact = quotient * BigInt(y) === BigInt(x);
        const positive = x > 0 === y > 0;
        const ceil = exact || !positive ? quotient : quotient + 1n;
        const floor = exact || positive ? quotient : quotient - 1n;
        expect([x, y, ...out]).toEqual([
          x,
          y,
          Number(BigInt.asIntN(32, ceil)),
          Number(BigInt.asIntN(32, floor)),
        ]);
      }
    });
  });
});
