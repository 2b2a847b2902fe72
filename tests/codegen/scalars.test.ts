/** Scalar ops: JavaScript's meaning, compiled against the interpreter. */
import { describe, it } from "vitest";
import type { DTypeName } from "../../ir/dtype.ts";
import { MATH } from "../../ir/math.ts";
import { type HostArgument, threeWays } from "./threeway.ts";

const UNARY_MATH = Object.values(MATH).flatMap((p) => (p.operands === 1 ? [p.name] : []));
const F64 = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  0.49999999999999994,
  -0.49999999999999994,
  1.5,
  -1.5,
  2.5,
  -2.5,
  3,
  7,
  -7,
  0.1,
  -0.1,
  1e10,
  -1e10,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 32 + 5,
  -(2 ** 32) - 5,
  2 ** 53,
  2 ** 53 - 1,
  -(2 ** 53),
  2 ** 52 + 1,
  2 ** 63,
  -(2 ** 63),
  2 ** 64,
  2 ** 70 + 2 ** 20,
  2 ** 83,
  2 ** 84,
  1e100,
  -1e300,
  5e-324,
  2.2250738585072014e-308,
  1.7976931348623157e308,
  Infinity,
  -Infinity,
  NaN,
  65504,
  65519.99,
  65520,
  3.4028235677973366e38,
  1e-45,
  7.006492321624085e-46,
  300,
  127.9,
  -128.9,
  255.5,
  4294967295.5,
  2147483647.5,
  1e-8,
  1.0000000001,
];
const I32 = [
  0,
  1,
  -1,
  2,
  -2,
  3,
  7,
  -7,
  10,
  100,
  255,
  256,
  32767,
  -32768,
  65535,
  65536,
  2 ** 30,
  2147483647,
  -2147483648,
  -2147483647,
  12345678,
];
const I64 = [...I32, 2 ** 31, 2 ** 32, 2 ** 32 - 1, -(2 ** 32), 2 ** 40 + 3, 2 ** 53 - 1, -(2 ** 53) + 1];
const F32 = [...new Set(F64.map(Math.fround)), NaN];

/** `vars` as constants of a type, `body` over them, result stored through a pointer. */
function constantText(x: number): string {
  return Object.is(x, -0) ? "-0" : String(x);
}
/** Many expressions in one kernel: element k of the result is expression k. */
function evaluateAll(to: DTypeName, expressions: { lets: string[]; value: string }[]): void {
  const lines: string[] = [];
  expressions.forEach((e, k) => {
    lines.push(
      ...e.lets.map((l) => `  ${l.replaceAll("#", String(k))}`),
      `  set %out[${k}], ${e.value.replaceAll("#", String(k))}`,
    );
  });
  const text = `kir 1, level: virtual\nkernel @k(%out: ptr<${to}, global>) {\n${lines.join("\n")}\n}\n`;
  const arrays: { readonly [k: string]: (n: number) => HostArgument } = {
    i32: (n) => new Int32Array(n),
    u32: (n) => new Uint32Array(n),
    f32: (n) => new Float32Array(n),
    f16: (n) => new Uint16Array(n),
    bf16: (n) => new Uint16Array(n),
    i8: (n) => new Int8Array(n),
    u8: (n) => new Uint8Array(n),
    i16: (n) => new Int16Array(n),
    u16: (n) => new Uint16Array(n),
    bool: (n) => new Uint8Array(n),
  };
  threeWays(text, [(arrays[to] as (n: number) => HostArgument)(expressions.length)]);
}

const VALUES: { readonly [t: string]: readonly number[] } = { i32: I32, i64: I64, f32: F32, f64: F64 };

function unary(type: string, op: string, to: DTypeName, attrs = ""): void {
  evaluateAll(
    to,
    VALUES[type]!.map((x) => ({
      lets: [`var %x#: ${type} = ${constantText(x)}`],
      value: `(${op}${attrs} %x#)`,
    })),
  );
}
function binary(
  type: string,
  op: string,
  to: DTypeName,
  keep: (x: number, y: number) => boolean = () => true,
): void {
  const pairs = VALUES[type]!.flatMap((x) => VALUES[type]!.map((y) => [x, y] as const)).filter(([x, y]) =>
    keep(x, y),
  );
  for (let i = 0; i < pairs.length; i += 600) {
    evaluateAll(
      to,
      pairs.slice(i, i + 600).map(([x, y]) => ({
        lets: [`var %x#: ${type} = ${constantText(x)}`, `var %y#: ${type} = ${constantText(y)}`],
        value: `(${op} %x#, %y#)`,
      })),
    );
  }
}

const fits =
  (type: string, f: (x: number, y: number) => number) =>
  (x: number, y: number): boolean => {
    const r = f(x, y);
    const limit = type === "i32" ? 2 ** 31 : 2 ** 53;
    return Number.isInteger(r) && !Object.is(r, -0) && r < limit && r >= -limit && Math.abs(r) < 2 ** 53;
  };

describe("scalars", () => {
  for (const t of ["f32", "f64"]) {
    it.each(["neg", "abs", "floor", "ceil", "trunc", "rint", "round_away", "sqrt", "round", "sign"])(
      `${t} %s`,
      (op) => unary(t, `${op}.${t}`, "f32"),
    );
    it.each(["add", "sub", "mul", "div", "mod", "min", "max"])(`${t} %s`, (op) =>
      binary(t, `${op}.${t}`, "f32"),
    );
  }
  it.each(["rsqrt", "recip", ...UNARY_MATH])("f32 %s", (op) => unary("f32", `${op}.f32`, "f32"));
  it("f32 pow", () => binary("f32", "pow.f32", "f32"));
  for (const t of ["i32", "i64"]) {
    const out = t === "i32" ? "i32" : "f32";
    const js: { readonly [op: string]: (x: number, y: number) => number } = {
      add: (x, y) => x + y,
      sub: (x, y) => x - y,
      mul: (x, y) => x * y,
      mod: (x, y) => x % y,
      min: Math.min,
      max: Math.max,
      ceildiv: (x, y) => (y === 0 ? NaN : Math.ceil(x / y) + 0),
      floordiv: (x, y) => (y === 0 ? NaN : Math.floor(x / y)),
    };
    it.each(Object.keys(js))(`${t} %s`, (op) => {
      const own = fits(t, js[op]!);
      if (op === "ceildiv" || op === "floordiv") {
        const pairs = VALUES[t]!.flatMap((x) => VALUES[t]!.map((y) => [x, y] as const)).filter(([x, y]) =>
          own(x, y),
        );
        evaluateAll(
          out,
          pairs.map(([x, y]) => ({
            lets: [`let %x#: ${t} = ${x}`, `let %y#: ${t} = ${y}`, `let %q#: ${t} = ${op}.${t} %x#, %y#`],
            value: "%q#",
          })),
        );
      } else binary(t, `${op}.${t}`, out, own);
    });
    it.each(["neg", "abs", "sign"])(`${t} %s`, (op) => {
      evaluateAll(
        out,
        VALUES[t]!.filter((x) => x !== -(2 ** 31) && x !== 0).map((x) => ({
          lets: [`let %x#: ${t} = ${x}`],
          value: `(${op}.${t} %x#)`,
        })),
      );
    });
  }
  for (const t of ["i32", "i64", "f32", "f64"]) {
    it.each(["eq", "ne", "lt", "le", "gt", "ge"])(`${t} %s`, (op) => binary(t, `${op}.${t}`, "bool"));
    it(`${t} truthy, to_int32, to_uint32`, () => {
      unary(t, `truthy.${t}`, "bool");
      unary(t, `to_int32.${t}`, "i32");
      unary(t, `to_uint32.${t}`, "u32");
    });
    it.each(["i8", "u8", "i16", "u16", "i32", "u32", "f16", "bf16", "f32", "bool"] as const)(
      `${t} to %s`,
      (d) => {
        unary(t, `convert.${t}`, d, `{dtype: ${d}}`);
        if (d !== "bool") unary(t, `convert.${t}`, d, `{dtype: ${d}, wrap: true}`);
        // the store rule
        evaluateAll(
          d,
          VALUES[t]!.map((x) => ({ lets: [`var %x#: ${t} = ${constantText(x)}`], value: "%x#" })),
        );
      },
    );
  }
  it.each(["and", "or", "xor", "imul", "js_shl", "js_shr"])("i32 %s", (op) =>
    binary("i32", op === "and" || op === "or" || op === "xor" ? `${op}.i32` : `${op}.i32`, "i32"),
  );
  it.each(["not", "clz32"])("i32 %s", (op) => unary("i32", `${op}.i32`, "i32"));
});
