import { expect, test } from "vitest";
import { captureFunction, checkSyntax } from "../../capture/index.ts";

// As text, because neither TypeScript nor vite must touch these functions.
function codes(text: string): string[] {
  const fn: unknown = new Function(`return (${text})`)();
  return checkSyntax(captureFunction(fn)).map((d) => d.code);
}

test.each([
  ["async function f() { await 1 }", ["KPU1001", "KPU1001"]],
  ["async (x) => x", ["KPU1001"]],
  ["function f(g) { const h = async () => { for await (const x of g) {} } }", ["KPU1001", "KPU1001"]],
  ["function* f() { yield 1 }", ["KPU1002", "KPU1002"]],
  ["() => ({ *g() {} })", ["KPU1002"]],
  ["function f() { try { throw 1 } finally {} }", ["KPU1003", "KPU1003"]],
  ["function f() { class A { async g() { await 1 } } const b = class {} }", ["KPU1004", "KPU1004"]],
  ["(o) => { delete o.a }", ["KPU1005"]],
  ["function f() { var x = 1; for (var i = 0; i < 3; i++) {} }", ["KPU1006", "KPU1006"]],
  ["function f(o) { with (o) { x } }", ["KPU1007"]],
  ["(s) => { eval(s); new Function(s); Function(s) }", ["KPU1007", "KPU1007", "KPU1007"]],
  ["(x) => x + 1n + BigInt(2)", ["KPU1008", "KPU1008"]],
  ["(o) => { for (const k in o) {} }", ["KPU1013"]],
  ["() => ({ get a() { return 1 }, set a(v) {} })", ["KPU1011", "KPU1011"]],
  ["function f() { return arguments.length }", ["KPU1011"]],
  ["function f() { a: function g() {} }", ["KPU1011"]],
  ["function f() { return new.target }", ["KPU1011"]],
  ['() => { import("x") }', ["KPU1011"]],
] as const)("%s", (text, expected) => {
  expect(codes(text)).toEqual(expected);
});

test.each([
  "function f(a, b = 2, { c } = {}, ...d) { let x = a; x += b; for (const k of d) x++; return x }",
  "(x) => { outer: for (;;) { debugger; break outer } switch (x) { case 1: break } return x ?? 1 }",
  "(o) => o.arguments + o.eval('x') + { arguments: 1 }.arguments",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a function
  "(x) => `${x}` + /a/.source + new Float32Array(3).length",
])("allowed: %s", (text) => {
  expect(codes(text)).toEqual([]);
});

test("a refusal says what, where, and what to write instead", () => {
  const fn = (x: number): number => {
    delete (fn as { a?: number }).a;
    return x;
  };
  const [d] = checkSyntax(captureFunction(fn));
  expect(d).toMatchObject({ code: "KPU1005", severity: "error", location: { column: 5 } });
  expect(d?.help).toBeTruthy();
});

test("checking a new function costs less than a millisecond", () => {
  const make = (i: number) =>
    new Function(
      "a",
      "b",
      `let m = a + ${i}; for (let i = 0; i < b; i++) { if (m > i) a += b; } return a * m`,
    );
  const fns = Array.from({ length: 120 }, (_, i) => make(i));
  const times = fns.map((fn) => {
    const start = performance.now();
    const c = captureFunction(fn);
    checkSyntax(c);
    c.resolve("a");
    return performance.now() - start;
  });
  // The lower quartile: the machine may be busy with other things.
  expect(times.sort((a, b) => a - b)[30]).toBeLessThan(1);
});
