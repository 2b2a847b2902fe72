/** Every member of Math on runtime numbers: the number that JavaScript gives, or a refusal that says what to write. */
import { type AnyKernel, check, f32, i32, kernel, ptr, S } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { execute } from "../harness/execute.ts";

/** What docs/language.md lists as supported. */
const SUPPORTED = "abs ceil clz32 floor fround imul max min round sign sqrt trunc".split(" ");
const VALUES = [0, -0, 0.5, -0.5, 1.5, 2.5, -2.5, 3, -7, 2 ** 31, -(2 ** 31), 2 ** 32 + 5, 1e30, -1e-30];
VALUES.push(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);

type NumberFunction = (...args: number[]) => number;
const functions = Object.getOwnPropertyNames(Math).filter(
  (name) => typeof Reflect.get(Math, name) === "function",
);
const functionOf = (name: string): NumberFunction => Reflect.get(Math, name) as NumberFunction;

describe("Math on runtime numbers", () => {
  test.each(SUPPORTED)("Math.%s", (name) => {
    const f = functionOf(name);
    const two = f.length === 2;
    const k = kernel([ptr(f32), ptr(f32), i32], function each(x, y, n) {
      if (S.tileId() !== 0) return;
      for (let i = 0; i < n; i++)
        for (let j = 0; j < (two ? n : 1); j++) y.set(i * n + j, two ? f(x.get(i), x.get(j)) : f(x.get(i)));
    });
    const x = Float32Array.from(VALUES);
    const y = new Float32Array(x.length ** 2);
    execute(k, [x, y, x.length]);
    const want = new Float32Array(y.length);
    for (let i = 0; i < x.length; i++)
      for (let j = 0; j < (two ? x.length : 1); j++)
        want[i * x.length + j] = two ? f(x[i] as number, x[j] as number) : f(x[i] as number);
    expect([...y]).toEqual([...want]);
  });

  test("min and max take any number of arguments", () => {
    const k = kernel([ptr(f32), ptr(f32)], function extremes(x, y) {
      if (S.tileId() !== 0) return;
      y.set(0, Math.min());
      y.set(1, Math.max());
      y.set(2, Math.min(x.get(0)));
      y.set(3, Math.max(x.get(0), x.get(1), x.get(2), 1));
      y.set(4, Math.min(x.get(0), x.get(3)));
    });
    const y = new Float32Array(5);
    execute(k, [Float32Array.of(-3, 5, 0.5, Number.NaN), y]);
    expect([...y]).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -3, 5, Number.NaN]);
  });

  test.each(functions.filter((name) => !SUPPORTED.includes(name)))("Math.%s is refused", (name) => {
    const f = functionOf(name);
    const k: AnyKernel = kernel([ptr(f32)], function refused(x) {
      x.set(0, f(x.get(0)));
    });
    const [found] = check(k);
    expect(found?.code).toBe("KPU2004");
    expect(found?.message).toContain(`${name} is called with runtime values`);
  });

  test("all of them work on static numbers", () => {
    const k = kernel([ptr(f32)], function known(y) {
      if (S.tileId() !== 0) return;
      y.set(0, Math.hypot(3, 4) + Math.PI + Math.cos(0));
      y.set(1, Math.atan2(1, 2));
    });
    const y = new Float32Array(2);
    execute(k, [y]);
    expect([...y]).toEqual([Math.fround(6 + Math.PI), Math.fround(Math.atan2(1, 2))]);
  });
});
