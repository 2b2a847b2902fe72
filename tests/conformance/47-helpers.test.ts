/** Helper functions: default parameters, early return, nesting, destructured parameters, other modules, functions as values. */
import { S } from "kpu-dsl";
import { test } from "vitest";
import * as elsewhere from "../harness/elsewhere.ts";
import { clampToByte as toByte } from "../harness/elsewhere.ts";
import { group } from "./group.ts";
import {
  type Cells,
  expectLikeJavaScript,
  FLOAT_PAIRS,
  INTEGER_PAIRS,
  type Written,
} from "./like-javascript.ts";

function weigh(x: number, weight = 3, offset = weight * 2): number {
  if (x < 0) return offset;
  if (x > 100) {
    if (weight > 5) return 1;
    return 2;
  }
  return x * weight;
}
const twice = (x: number): number => weigh(weigh(x, 2), 7, 0);
/** Returns out of loops. */
function find(x: Cells, n: number, wanted: number): number {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) if (x.get(j) + x.get(i) === wanted) return i * 10 + j;
  }
  return -1;
}
function classify(x: number): number {
  switch (true) {
    case x < 0:
      return -1;
    case x === 0:
      return 0;
    default:
      if (x > 5) return 2;
  }
  return 1;
}
const area = ({ w, h = w }: { w: number; h?: number }): number => w * h;
const ends = ([first, last = first]: readonly [number, number?]): number => first - last;
const compose =
  (...fs: ((x: number) => number)[]) =>
  (x: number): number => {
    let v = x;
    for (const k of S.unroll(fs.length)) v = fs[k]!(v);
    return v;
  };
const scaled = compose(
  (x) => x * 2,
  weigh,
  (x) => x - 1,
);
function storeAll(out: Cells, at: number, ...values: readonly [number, number]): void {
  out.set(at, values[0]);
  if (values[0] > values[1]) return;
  out.set(at + 1, values[1]);
}
const table = { plus: (a: number, b: number) => a + b, minus: (a: number, b: number) => a - b } as const;
/** Recursion that the arguments end when the kernel is compiled. */
const power = (x: number, n: number): number => (n === 0 ? 1 : x * power(x, n - 1));

const PROGRAMS: Readonly<Record<string, Written>> = {
  "default parameters, one from another": (out, _x, a, b) => {
    out.set(0, weigh(a));
    out.set(1, weigh(a, 4));
    out.set(2, weigh(a, 6, 50));
    out.set(3, weigh(a, undefined, b));
    out.set(4, weigh(a * 40, b));
    out.set(5, twice(b));
  },
  "early return out of loops and switches": (out, x, a, b) => {
    out.set(0, find(x, 8, a + b));
    out.set(1, find(x, 3, a));
    out.set(2, classify(a));
    out.set(3, classify(b) + classify(a - b));
  },
  "destructured parameters": (out, _x, a, b) => {
    out.set(0, area({ w: a }));
    out.set(1, area({ w: a, h: b }));
    out.set(2, ends([a, b]));
    out.set(3, ends([a]));
  },
  "functions of functions": (out, _x, a, b) => {
    out.set(0, scaled(a));
    out.set(1, compose(scaled, scaled)(b));
    out.set(2, table.plus(a, b) * 100 + table.minus(a, b));
    const local = (f: (a: number, b: number) => number): number => f(b, a) + f(a, 1);
    out.set(3, local(table.minus));
  },
  "helpers that store, and return early": (out, _x, a, b) => {
    storeAll(out, 0, a, b);
    storeAll(out, 2, b, a);
    const nested = (v: number): number => {
      const deeper = (w: number): number => (w > 3 ? w : nestedMost(w));
      return deeper(v + 1);
    };
    const nestedMost = (w: number): number => w * 10;
    out.set(4, nested(a));
    out.set(5, nested(b));
  },
  "helpers of another module, by name and by namespace": (out, x, a, b) => {
    out.set(0, toByte(a * 50));
    out.set(1, elsewhere.clampToByte(b * 100));
    out.set(2, elsewhere.total(x as never, 8));
    out.set(3, elsewhere.total(x.at(3) as never, 4));
  },
  "recursion that ends when compiled": (out, _x, a, b) => {
    out.set(0, power(a, 0));
    out.set(1, power(a, 3));
    out.set(2, power(b, 5));
  },
  "the same helper with other statics": (out, _x, a, b) => {
    const step = (v: number, by: number, up: boolean): number => (up ? v + by : v - by);
    out.set(0, step(a, 1, true));
    out.set(1, step(a, 1, false));
    out.set(2, step(a, b, a > b));
    for (const k of S.unroll(3)) out.set(3 + k, step(b, k, k % 2 === 0));
  },
};

group(47, () => {
  test.each(Object.entries(PROGRAMS))("%s", (_, program) => {
    const x = [5, 1, -2, 0, 7, 8, 3, 2];
    expectLikeJavaScript(program, {
      outputs: 8,
      x,
      scalars: INTEGER_PAIRS,
      dtypes: [
        ["i32", "i32", "i32"],
        ["f32", "i32", "i8"],
      ],
    });
    expectLikeJavaScript(program, { outputs: 8, x, scalars: FLOAT_PAIRS, dtypes: [["f32", "i32", "f32"]] });
  });
});
