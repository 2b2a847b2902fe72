/**
 * Every operator of JavaScript on numbers of every origin: parameter, load, loop variable, static. Each kernel is text that JavaScript
 * runs too; both print every value, because a store would round it.
 */
import { type AnyKernel, type DType, type DTypeName, dtypeOf, f32, kernel, ptr, S } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { held, hostArray, NUMERIC, type NumericName, numbersOf } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

const BINARY = [
  ..."+ - * / % & | ^ << >> >>> < <= > >= === !== == != && ||".split(" ").map((op) => `x ${op} y`),
  "x ?? y",
  "(x, y)",
  "x > y ? x : y",
  "Math.min(x, y)",
  "Math.max(x, y)",
  "Math.imul(x, y)",
  ..."+ - * / % & | ^ << >> >>> && || ??".split(" ").map((op) => `(v = x, v ${op}= y)`),
  "(v = x, v = v + (v = y))",
] as const;
const UNARY = [
  ..."- + ~ !".split(" ").map((op) => `${op}x`),
  "!!x",
  "-(-x)",
  "(v = x, v++ + v)",
  "(v = x, ++v + v)",
  "(v = x, v-- + v)",
  "(v = x, --v + v)",
  ..."floor ceil trunc round abs sign sqrt fround clz32".split(" ").map((f) => `Math.${f}(x)`),
  ..."isNaN isFinite isInteger isSafeInteger".split(" ").map((f) => `Number.${f}(x)`),
  'typeof x === "number"',
  "(void x) === undefined",
  "x == null",
  "x !== undefined",
  "Number(x)",
  "Boolean(x)",
  "x | 0",
  "x >>> 0",
] as const;

/** Zeros, small, negative, fractional, at the limits of 32 bits and of float64. */
const VALUES = [
  0,
  -0,
  1,
  -1,
  2,
  7,
  -7,
  31,
  33,
  0.5,
  -2.5,
  255,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 32 - 1,
  Number.NaN,
  Infinity,
];
const STATICS = [0, -0, 3, -7, 0.5, 32, -(2 ** 31), 2 ** 53, Number.NaN, -Infinity];

/** Where x or y comes from: the text that names it inside of a loop over `n`. */
const ORIGINS = {
  parameter: (name: string) => name,
  load: (name: string) => `p.get(${name === "a" ? "i" : "n - 1 - i"})`,
  "loop variable": () => "(i - 3)",
  static: () => "K",
} as const;
type Origin = keyof typeof ORIGINS;
const NAMES = Object.keys(ORIGINS) as Origin[];
const PAIRS = NAMES.flatMap((x) => NAMES.map((y) => [x, y] as const));

/** The text of a kernel that prints every operator's value, round after round. */
function text(x: Origin, y: Origin): string {
  const lines = [...BINARY, ...(x === y || y === "static" ? UNARY : [])].map(
    (e) => `S.print("{}", ${e.startsWith("-") || e.startsWith("+") ? `(${e})` : e});`,
  );
  return `return function operators(p, a, b, n) {
    for (let i = 0; i < n; i++) {
      const x = ${ORIGINS[x]("a")}, y = ${ORIGINS[y]("b")};
      let v = 0;
      ${lines.join("\n      ")}
    }
  }`;
}
type Body = (...args: never[]) => void;
const shown = (v: unknown): string => (Object.is(v, -0) ? "-0" : String(v));

/** What the kernel prints, and what the same text prints as JavaScript. */
function expectSame(
  x: Origin,
  y: Origin,
  fixed: number,
  dtypes: readonly [NumericName, NumericName, NumericName],
): void {
  const make = new Function("S", "K", text(x, y)) as (s: unknown, k: number) => Body;
  const [memory, first, second] = dtypes;
  const declared = [ptr(dtypeOf(memory)), dtypeOf(first), dtypeOf(second), dtypeOf("i32")] as DType[];
  const k = kernel(declared as never, make(S, fixed) as never) as unknown as AnyKernel;
  const inRange = (d: DTypeName, v: number): number =>
    d.startsWith("u") || d.startsWith("i") ? held(d, Number.isFinite(v) ? Math.trunc(v) : 0) + 0 : held(d, v);
  const cells = VALUES.map((v) => inRange(memory, v));
  const array = hostArray(memory, cells);
  const loaded = numbersOf(memory, array);
  const count =
    x === "load" || y === "load" ? VALUES.length : x === "loop variable" || y === "loop variable" ? 7 : 1;
  // Parameters take all values in turn; against one another in all pairs.
  const as = x === "parameter" ? VALUES : [1];
  const bs = y === "parameter" ? VALUES : [1];
  for (const a of as)
    for (const b of bs) {
      const scalars = [inRange(first, a), inRange(second, b)];
      const want: string[] = [];
      const print = (_: string, v: unknown): void => void want.push(shown(v));
      make({ print }, fixed)(...([{ get: (i: number) => loaded[i] }, ...scalars, count] as never[]));
      const got: string[] = [];
      execute(k, [array, ...scalars, count], {
        tiles: 1,
        print: (line) => got.push(line.replace("tile 0: ", "")),
      });
      const at = want.findIndex((w, i) => w !== got[i]);
      if (at >= 0) {
        const expressions = text(x, y)
          .split("\n")
          .filter((l) => l.includes("S.print"));
        const about = {
          operator: expressions[at % expressions.length]?.trim(),
          fixed,
          dtypes,
          scalars,
          round: Math.floor(at / expressions.length),
        };
        expect({ ...about, value: got[at] }).toEqual({ ...about, value: want[at] });
      }
      expect(got.length).toBe(want.length);
    }
}

group(44, () => {
  test.each(PAIRS)("%s with %s", (x, y) => {
    const fixed = x === "static" || y === "static" ? STATICS : [0];
    // Every dtype in every place; fewer where the statics already multiply the kernels.
    const triples = NUMERIC.map(
      (d, i) => [d, NUMERIC[(i + 4) % 9], NUMERIC[(i + 7) % 9]] as [NumericName, NumericName, NumericName],
    );
    fixed.forEach((k, i) => {
      const chosen =
        fixed.length > 1 ? [triples[i % triples.length] as (typeof triples)[number]] : triples.slice(0, 4);
      for (const t of chosen) expectSame(x, y, k, t);
    });
  });

  describe("parameters of every dtype by loads of every dtype", () => {
    test.each(NUMERIC)("%s", (name) => {
      expectSame("parameter", "load", 0, [
        NUMERIC[(NUMERIC.indexOf(name) + 1) % 9] as NumericName,
        name,
        name,
      ]);
      expectSame("load", "parameter", 0, [
        name,
        name,
        NUMERIC[(NUMERIC.indexOf(name) + 3) % 9] as NumericName,
      ]);
    });
  });

  test.each(["x ** y", "(v = x, v **= y)"])(
    "%s is refused: a power has no one result that all machines agree on",
    (e) => {
      const power = new Function("S", `return function power(x, y) { let v = 0; S.print("{}", ${e}); }`)(
        S,
      ) as Body;
      const k = kernel([f32, f32], power as never) as unknown as AnyKernel;
      expect(() => execute(k, [2, 3], { tiles: 1 })).toThrow(/KPU3006/);
    },
  );
});
