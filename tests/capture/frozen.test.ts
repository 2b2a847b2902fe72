import { expect, test } from "vitest";
import { captureFunction, changedDiagnostic, findChanged, freeze } from "../../capture/index.ts";
import { f32 } from "../../dsl/dtypes.ts";
import * as imported from "./fixtures/imported.ts";
import { count, counter, LIMIT } from "./fixtures/imported.ts";

function reads(fn: (...args: never[]) => unknown, ...names: string[]) {
  const c = captureFunction(fn);
  return names.map((name) => freeze(c, name, c.resolve(name)?.value));
}
/** The names that the running text gives imports differ; these are the heads of its property reads. */
function importNames(fn: (...args: never[]) => unknown): string[] {
  return [...new Set(captureFunction(fn).text.match(/__\w+__/g) ?? [])];
}

test("a variable that changed", () => {
  let scale = 2;
  const frozen = reads((x: number) => x * scale, "scale");
  expect(findChanged(frozen)).toBeUndefined();
  scale = 3;
  const changed = findChanged(frozen);
  expect(changed).toMatchObject({ path: [], before: 2, now: 3 });
  const d = changedDiagnostic(changed!);
  expect(d.code).toBe("KPU2003");
  expect(d.message).toContain("scale to stay 2");
  expect(d.location).toMatchObject({ line: 18, column: 43, endColumn: 48 });
  scale = 2;
  expect(findChanged(frozen)).toBeUndefined();
});

test("contents of arrays, objects, typed arrays and class members", () => {
  const list = [1, [2, 3]] as [number, number[]];
  const options = { rows: 4, sizes: { k: [1, 2] } };
  const data = new Float32Array([1, Number.NaN]);
  class Limits {
    static rows = 4;
    static other = 1;
  }
  const fn = () => [list, options, data, Limits.rows, f32];
  const frozen = reads(fn, "list", "options", "data", "Limits");
  expect(findChanged(frozen)).toBeUndefined();
  list[1].push(4);
  expect(findChanged(frozen)?.path).toEqual([1, "length"]);
  list[1].pop();
  options.sizes.k[0] = 9;
  expect(findChanged(frozen)?.path).toEqual(["sizes", "k", 0]);
  expect(changedDiagnostic(findChanged(frozen)!).message).toContain("options.sizes.k[0] to stay 1");
  options.sizes.k[0] = 1;
  data[0] = 2;
  expect(findChanged(frozen)).toMatchObject({ path: [0], before: 1, now: 2 });
  data[0] = 1;
  Limits.other = 2;
  expect(findChanged(frozen)).toBeUndefined();
  Limits.rows = 5;
  expect(findChanged(frozen)).toMatchObject({ path: ["rows"], now: 5 });
});

test("imports: what the text reads is watched, other exports are not", () => {
  const usesLimit = () => LIMIT + 1;
  const usesCounter = () => counter + 1;
  const usesModule = () => imported.LIMIT;
  const limit = reads(usesLimit, ...importNames(usesLimit));
  const count1 = reads(usesCounter, ...importNames(usesCounter));
  const whole = reads(usesModule, ...importNames(usesModule));
  expect(limit.length + count1.length + whole.length).toBe(3);
  count();
  expect(findChanged(limit)).toBeUndefined();
  expect(findChanged(whole)).toBeUndefined();
  expect(findChanged(count1)?.path).toEqual(["counter"]);
});

test("a captured variable is assigned by a function beside the kernel", () => {
  const make = () => {
    let state = 0;
    return { fn: () => state, next: () => void state++ };
  };
  const a = make();
  const b = make();
  const frozen = reads(a.fn, "state");
  b.next();
  expect(findChanged(frozen)).toBeUndefined();
  a.next();
  expect(findChanged(frozen)?.now).toBe(1);
});

test("the comparison costs next to nothing for constants, and 0.1 ms where variables may change", () => {
  const constants = [1, 2, 3];
  let variable = 1;
  const fixed = reads((x: number) => x + constants.length, "constants");
  const free = reads((x: number) => x + variable, "variable");
  variable = 1;
  const cost = (r: typeof fixed): number => {
    for (let i = 0; i < 200; i++) findChanged(r);
    const start = performance.now();
    for (let i = 0; i < 200; i++) findChanged(r);
    return (performance.now() - start) / 200;
  };
  expect(cost(fixed)).toBeLessThan(0.01);
  expect(cost(free)).toBeLessThan(0.5);
});
