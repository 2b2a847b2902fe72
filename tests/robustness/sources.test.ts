/** Kernels that nobody writes by hand: hostile captures, absurd sizes, depths and names. A finding, or a kernel that means what it says. */
import { check, f32, i32, kernel, ptr, S, simulate } from "kpu-dsl";
import { describe, expect, it } from "vitest";
import { execute } from "../harness/execute.ts";

/** A kernel from text, as generated code has it. */
const from = (text: string) =>
  kernel(
    [ptr(f32), i32],
    (new Function("S", "f32", "i32", `return ${text}`) as (...a: unknown[]) => () => void)(S, f32, i32),
  );
const findings = (k: Parameters<typeof check>[0]): string[] => check(k).map((d) => d.code);

describe("absurd sizes", () => {
  it.each([
    ["expressions nested 1500 deep", `x.set(0, ${"(".repeat(1500)}1${")".repeat(1500)});`, "KPU1016"],
    ["blocks nested 1500 deep", `${"if (n > 1) {".repeat(1500)} x.set(0, 1); ${"}".repeat(1500)}`, "KPU1016"],
    ["a billion rounds", "for (const i of S.unroll(1e9)) x.set(0, i);", "KPU2008"],
    [
      "a million rounds of nested loops",
      "for (const i of S.unroll(1000)) for (const j of S.unroll(1000)) x.set(0, i + j);",
      "KPU2008",
    ],
    ["a billion lanes", "S.vstore(S.vload(x, { lanes: 1e9 }), x);", "KPU3010"],
    ["a buffer of no size", "S.alloc(f32, [-1]);", "KPU3010"],
    ["a buffer of NaN", "S.alloc(f32, [NaN]);", "KPU3010"],
    ["a buffer of 4e18 bytes", "S.alloc(f32, [1e9, 1e9]);", "KPU4003"],
    ["a mask of a billion lanes", 'S.constMask("999999999T");', "KPU3008"],
    ["a billion events", "S.allocEvents(1e9);", "KPU5007"],
  ])("%s", (_what, body, code) => {
    expect([...new Set(findings(from(`function k(x, n) { ${body} }`)))]).toEqual([code]);
  });

  it("a table larger than the memory of a tile is refused before the kernel runs, as it is when it runs", () => {
    const table = new Float32Array(20_000);
    const k = kernel([ptr(f32)], function k(x) {
      x.set(0, S.allocConst(f32, table).get(5));
    });
    expect(findings(k)).toEqual(["KPU4003"]);
    expect(() => simulate(k, [new Float32Array(1)])).toThrow("KPU4003");
  });

  it("five thousand statements", () => {
    const out = new Float32Array(1);
    execute(from(`function k(x, n) { ${"x.set(0, x.get(0) + n);\n".repeat(2000)} }`), [out, 2], { tiles: 1 });
    expect(out[0]).toBe(4000);
  });
});

describe("hostile captures", () => {
  it("a proxy that refuses to tell its keys", () => {
    const p = new Proxy({} as { a: number }, {
      get: () => 7,
      ownKeys: () => {
        throw new Error("no keys");
      },
    });
    expect(findings(kernel([ptr(f32)], (x) => x.set(0, p.a)))).toEqual([]);
  });
  it("a proxy and a getter that throw", () => {
    const throwing = new Proxy({} as { a: number }, {
      get: () => {
        throw new Error("no");
      },
    });
    const getter = {
      get a(): number {
        throw new Error("no");
      },
    };
    expect(findings(kernel([ptr(f32)], (x) => x.set(0, throwing.a)))).toEqual(["KPU2011"]);
    expect(findings(kernel([ptr(f32)], (x) => x.set(0, getter.a)))).toEqual(["KPU2011"]);
  });
  it("an object that contains itself", () => {
    const o: { v: number; self?: typeof o } = { v: 3 };
    o.self = o;
    const out = new Float32Array(1);
    const k = kernel([ptr(f32)], (x) => x.set(0, (o.self as typeof o).v));
    execute(k, [out], { tiles: 1 });
    expect(out[0]).toBe(3);
  });
  it("a function that lies about its text", () => {
    const honest = function k(x: { set(i: number, v: number): void }) {
      x.set(0, 1);
    };
    honest.toString = () => "function k(x) { x.set(0, 2); }";
    const out = new Float32Array(1);
    execute(kernel([ptr(f32)], honest), [out], { tiles: 1 });
    expect(out[0]).toBe(1);
  });
  it("functions without a text", () => {
    const bound = function k(): void {}.bind(null);
    expect(findings(kernel([ptr(f32)], Math.sin as never))).toEqual(["KPU2009"]);
    expect(findings(kernel([ptr(f32)], bound as never))).toEqual(["KPU2009"]);
    expect(findings(kernel([ptr(f32)], class {} as never))).toEqual(["KPU2009"]);
  });
});

describe("odd names and syntax", () => {
  it.each([
    [
      "names of Object.prototype",
      "function constructor(x, n) { const toString = n + 1; let __proto__ = toString; x.set(0, __proto__); }",
      5,
    ],
    ["parameters named undefined and NaN", "function k(undefined, NaN) { undefined.set(0, NaN); }", 4],
    ["escapes in names", "function k(x, n) { const \\u0061b = n; x.set(0, ab); }", 4],
    [
      "line separators in strings",
      "function k(x, n) { const a = '\u2028'; /* \u2029 */ x.set(0, a.length + n); }",
      5,
    ],
    [
      "commas, void, optional calls",
      "function k(x, n) { let a = 0; a = (void 0, n); x?.set?.(0, a ?? 1); }",
      4,
    ],
    ["a comment that looks like code", "function k(x, n) { // }\n /* x.set(0, 9); } */ x.set(0, n); }", 4],
  ])("%s", (_what, text, expected) => {
    const out = new Float32Array(1);
    execute(from(text), [out, 4], { tiles: 1 });
    expect(out[0]).toBe(expected);
  });
});
