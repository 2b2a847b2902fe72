import { describe, expect, test } from "vitest";
import { beginCheck, captureFunction, typescriptLoaded } from "../../capture/index.ts";
import { strippingNode, underPlainNode, underTsx, underTypeStripping } from "./environments.ts";
import { inspectTraps } from "./fixtures/inspect-traps.ts";

type Seen = ReturnType<typeof inspectTraps>;

test("capturing a function does not load TypeScript", () => {
  const c = captureFunction((x: number) => x);
  expect(c.resolve("Math")?.value).toBe(Math);
  expect(typescriptLoaded()).toBe(false);
});

const environments: [string, () => Seen, boolean][] = [
  ["vitest", inspectTraps, true],
  ["tsx", () => underTsx("report.ts") as Seen, true],
  ["plain Node with source maps", () => underPlainNode("report.ts") as Seen, true],
  ["type stripping", () => underTypeStripping("report.ts") as Seen, strippingNode !== undefined],
];
describe.each(environments)("under %s", (name, look, available) => {
  test.runIf(available)("names mean what the running function means by them, and places are exact", () => {
    const seen = JSON.parse(JSON.stringify(look())) as Seen;
    expect(seen.nested).toEqual([3, "inner", 64, 1, 64]);
    expect(seen.outer).toEqual([1, "outer", 10]);
    expect(seen.loop).toEqual([0, 1, 2]);
    expect(seen.defaults).toEqual([7, 1]);
    expect(seen.statics).toBe(true);
    expect(seen.self).toBe(true);
    expect(seen.globals[1]).toBe(true);
    expect(seen.unknown).toBe(true);
    expect(seen.calls).toEqual([
      "54:49 half(n)",
      "54:73 Math.max(half(2), half(n + 1))",
      "54:82 half(2)",
      "54:91 half(n + 1)",
    ]);
    expect(seen.places.map((p) => p.first)).toEqual(
      ["22:12", "25:22", "37:10", "41:12", "50:26"].map((p) => `traps.ts:${p}`),
    );
    // What a transpiler invented stands at what it replaced; what stands beside a type annotation is approximate.
    const invented = /^(x\d|\{|shadowed\d|void|0|\)|;|\.|counter|__vite_ssr_import_\d__) at /;
    for (const { bad, all } of seen.places) {
      expect(all).toBeGreaterThan(9);
      expect(bad.filter((b) => !invented.test(b))).toEqual([]);
    }
    if (name === "type stripping") expect(seen.places.flatMap((p) => p.bad)).toEqual([]);
  });
});

test("a check sees the values of its own time", () => {
  let scale = 2;
  const fn = (x: number) => x * scale;
  const c = captureFunction(fn);
  expect(c.resolve("scale")?.value).toBe(2);
  scale = 3;
  expect(c.resolve("scale")?.value).toBe(2);
  beginCheck();
  expect(c.resolve("scale")?.value).toBe(3);
});

test("primitives of every kind come through exactly", () => {
  const zero = -0;
  const nan = Number.NaN;
  const big = 12n;
  const nothing = undefined;
  const none = null;
  const text = "a\u2028b";
  const symbol = Symbol("s");
  const fn = () => [zero, nan, big, nothing, none, text, symbol];
  const c = captureFunction(fn);
  const names = ["zero", "nan", "big", "nothing", "none", "text", "symbol"];
  const values = names.map((n) => c.resolve(n)?.value);
  fn().forEach((value, i) => void expect(Object.is(value, values[i])).toBe(true));
});

test("functions without source are refused", () => {
  expect(() => captureFunction(Math.max)).toThrowError(/KPU2009.*native code/);
  expect(() => captureFunction(function f() {}.bind(null))).toThrowError(/KPU2009.*bind/);
  expect(() => captureFunction(class A {})).toThrowError(/KPU2009.*class/);
});

test("every way to write a function parses", () => {
  const key = "computed";
  const forms = {
    method(a: number) {
      return a;
    },
    [key](a: number) {
      return a;
    },
    "quoted name"(a: number) {
      return a;
    },
    async(a: number) {
      return a;
    },
    function(a: number) {
      return a;
    },
    get(a: number) {
      return a;
    },
    *generator() {},
    async asyncMethod() {},
    arrow: (a: number) => a,
    asyncArrow: async (a: number) => a,
    anonymous: (a: number) => a,
    less: (a: number, b: number, c: number) => a < b && b > c,
  };
  class K {
    static 12(a: number) {
      return a;
    }
    static #hidden(a: number) {
      return a;
    }
    static hidden = K.#hidden;
    static twelve = K[12];
  }
  for (const fn of [...Object.values(forms), K.hidden, K.twelve]) {
    const c = captureFunction(fn);
    expect(c.node.getText(c.sourceFile), c.text).toBe(c.text);
    const at = c.locate(0, c.text.length);
    expect(at.file).toMatch(/closure\.test\.ts$/);
  }
});
