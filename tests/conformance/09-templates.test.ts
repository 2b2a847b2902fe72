/** Functions that make kernels: dtype, operation, unroll factor and options come from the closure. */
import { i32, kernel, type NumD, ptr, S, type Vec } from "kpu-dsl";
import { describe, test } from "vitest";
import {
  anyValues,
  DTYPES,
  expectNumbers,
  held,
  hostArray,
  isFloatName,
  NUMERIC,
  type NumericName,
  zeros,
} from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

interface Operation {
  readonly vector: (x: Vec<NumD>, y: Vec<NumD>) => Vec<NumD>;
  readonly float: (x: number, y: number) => number;
  readonly integer: (x: bigint, y: bigint) => bigint;
}

/** A NaN loses, -0 < +0. */
const larger = (x: number, y: number): number => (Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.max(x, y));

const OPERATIONS: Readonly<Record<string, Operation>> = {
  add: { vector: (x, y) => S.vadd(x, y), float: (x, y) => x + y, integer: (x, y) => x + y },
  subtract: { vector: (x, y) => S.vsub(x, y), float: (x, y) => x - y, integer: (x, y) => x - y },
  multiply: { vector: (x, y) => S.vmul(x, y), float: (x, y) => x * y, integer: (x, y) => x * y },
  larger: { vector: (x, y) => S.vmax(x, y), float: larger, integer: (x, y) => (x > y ? x : y) },
  "x - (y + x)": {
    vector: (x, y) => S.vsub(x, S.vadd(y, x)),
    float: (x, y) => x - y - x,
    integer: (_, y) => -y,
  },
};

/** One kernel of the family. */
function template(dtype: NumD, operation: Operation["vector"], unroll: number, tail: "mask" | "scalar") {
  const lanes = 256 / dtype.bits;
  const step = lanes * unroll;
  return kernel([ptr(dtype), ptr(dtype), ptr(dtype), i32], function template(out, x, y, n) {
    for (let i = S.tileId() * step; i < n; i += S.tileCount() * step) {
      for (const u of S.unroll(unroll)) {
        const at = i + u * lanes;
        if (tail === "mask") {
          const mask = S.tailMask(n - at, lanes);
          S.vstore(operation(S.vload(x.at(at), { mask }), S.vload(y.at(at), { mask })), out.at(at), { mask });
        } else if (at + lanes <= n) {
          S.vstore(operation(S.vload(x.at(at)), S.vload(y.at(at))), out.at(at));
        } else {
          for (let j = at; j < n; j++)
            S.vstore(operation(S.vload(x.at(j), { lanes: 1 }), S.vload(y.at(j), { lanes: 1 })), out.at(j));
        }
      }
    }
  });
}

/** The result of one operation: integers wrap, floats round once (twice where there are two operations). */
function truth(name: NumericName, operation: string, x: number, y: number): number {
  const { float, integer } = OPERATIONS[operation] as Operation;
  if (isFloatName(name))
    return operation === "x - (y + x)" ? held(name, x - held(name, y + x)) : held(name, float(x, y));
  const { bits } = DTYPES[name];
  const exact = integer(BigInt(x), BigInt(y));
  return Number(name.startsWith("u") ? BigInt.asUintN(bits, exact) : BigInt.asIntN(bits, exact));
}

group(9, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const lanes = 256 / dtype.bits;
    test.each(Object.entries(OPERATIONS))("%s", (operation, { vector }) => {
      for (const [unroll, tail] of [
        [1, "mask"],
        [2, "scalar"],
        [3, "mask"],
        [4, "scalar"],
      ] as const) {
        const k = template(dtype, vector, unroll, tail);
        for (const n of [0, 1, lanes - 1, lanes + 1, unroll * lanes, unroll * lanes + 1, 211]) {
          const x = anyValues(name, n);
          const y = anyValues(name, n, 5);
          const out = zeros(name, n);
          execute(k, [out, hostArray(name, x), hostArray(name, y), n]);
          expectNumbers(
            name,
            out,
            x.map((v, i) => truth(name, operation, v, y[i] as number)),
          );
        }
      }
    });
  });

  test("a template of a template, options from an object", () => {
    const scaled = (options: { readonly factor: number; readonly bias?: number }) =>
      kernel([ptr(i32), i32], function scaled(x, n) {
        for (let i = S.tileId(); i < n; i += S.tileCount()) {
          const product = x.get(i) * options.factor;
          x.set(i, options.bias === undefined ? product : product + options.bias);
        }
      });
    const withBias = (bias: number) => (factor: number) => scaled({ factor, bias });
    for (const [k, factor, bias] of [
      [scaled({ factor: 3 }), 3, 0],
      [withBias(-7)(2), 2, -7],
      [withBias(0)(-1), -1, 0],
    ] as const) {
      const x = Int32Array.from({ length: 33 }, (_, i) => i * 5 - 40);
      const want = x.map((v) => v * factor + bias);
      execute(k, [x, 33]);
      expectNumbers("i32", x, [...want]);
    }
  });
});
