import { describe, expect, test } from "vitest";
import { KpuError } from "../../ir/diagnostic.ts";
import { ALL_DTYPES } from "../../ir/dtype.ts";
import { hostArray, readElements, storeElement } from "../../ir/elements.ts";
import { formatPrint } from "../../ir/format.ts";
import { bindArguments, memoryRegions, type ParamSpec } from "../../ir/hostargs.ts";

const pointer = (name: string, dtype: ParamSpec["dtype"]): ParamSpec => ({
  name,
  dtype,
  pointer: true,
  constant: false,
});
const scalar = (name: string, dtype: ParamSpec["dtype"]): ParamSpec => ({
  name,
  dtype,
  pointer: false,
  constant: false,
});

function refusal(params: readonly ParamSpec[], args: readonly unknown[]): string {
  try {
    bindArguments("k", params, args);
  } catch (error) {
    if (error instanceof KpuError) return error.message;
    throw error;
  }
  return "accepted";
}

describe("scalar arguments", () => {
  test("are exact values of the dtype", () => {
    const params = [scalar("a", "f32"), scalar("n", "i32"), scalar("h", "f16"), scalar("b", "bool")];
    expect(bindArguments("k", params, [0.1, -0, 70000, true])).toEqual([
      { kind: "scalar", value: Math.fround(0.1) },
      { kind: "scalar", value: 0 },
      { kind: "scalar", value: Infinity },
      { kind: "scalar", value: 1 },
    ]);
    expect(bindArguments("k", [scalar("a", "f32")], [-0])).toEqual([{ kind: "scalar", value: -0 }]);
  });

  test("are refused with what was expected, what came, and what to write", () => {
    expect(refusal([scalar("n", "u8")], [300])).toMatchInlineSnapshot(`
      "error[KPU6003]: k: argument n must be within 0 .. 255 (u8), got 300
        help: pass a value of u8 or declare a wider dtype"
    `);
    expect(refusal([scalar("n", "i32")], [1.5])).toMatchInlineSnapshot(`
      "error[KPU6003]: k: argument n must be an integer (i32), got 1.5
        help: round it first: Math.trunc(x) or Math.round(x)"
    `);
    expect(refusal([scalar("n", "i32")], [Number.NaN])).toContain("KPU6003");
    expect(refusal([scalar("a", "f32")], ["1"])).toMatchInlineSnapshot(`
      "error[KPU6001]: k: argument a must be a number (f32), got the string "1"
        help: pass a number for a: f32"
    `);
    expect(refusal([scalar("a", "f32")], [1n])).toContain("pass Number(a)");
    expect(refusal([scalar("b", "bool")], [1])).toContain("must be a boolean, got the number 1");
    expect(refusal([scalar("a", "f32"), pointer("x", "f16")], [])).toMatchInlineSnapshot(`
      "error[KPU6004]: k takes 2 arguments, got 0
        help: call k(a: f32, x: ptr(f16))"
    `);
  });
});

describe("pointer arguments", () => {
  test("accept the matching array, a tensor, null", () => {
    const xs = new Float32Array(8).subarray(2, 6);
    const want = { kind: "pointer", buffer: xs.buffer, byteOffset: 8, byteLength: 16, isNull: false };
    expect(bindArguments("k", [pointer("x", "f32")], [xs])).toEqual([want]);
    expect(bindArguments("k", [pointer("x", "f32")], [{ dtype: "f32", shape: [2, 2], data: xs }])).toEqual([
      want,
    ]);
    expect(
      bindArguments("k", [pointer("x", "f32")], [{ dtype: { name: "f32" }, shape: [4], data: xs }]),
    ).toEqual([want]);
    expect(bindArguments("k", [pointer("x", "f32")], [null])).toMatchObject([
      { isNull: true, byteLength: 0 },
    ]);
    expect(bindArguments("k", [pointer("x", "u8")], [new Uint8ClampedArray(3)])).toMatchObject([
      { byteLength: 3 },
    ]);
    expect(bindArguments("k", [pointer("x", "u8")], [Buffer.alloc(3)])).toMatchObject([{ byteLength: 3 }]);
    expect(bindArguments("k", [pointer("x", "f16")], [new Uint16Array(3)])).toMatchObject([
      { byteLength: 6 },
    ]);
  });

  test("are refused with what was expected, what came, and what to write", () => {
    expect(refusal([pointer("x", "f32")], [new Float64Array(2)])).toMatchInlineSnapshot(`
      "error[KPU6001]: k: argument x must be a Float32Array for ptr(f32), got Float64Array
        help: pass a Float32Array"
    `);
    expect(refusal([pointer("x", "f32")], [new Int32Array(2)])).toMatchInlineSnapshot(`
      "error[KPU6001]: k: argument x must be a Float32Array for ptr(f32), got Int32Array
        help: pass a Float32Array, or declare x as ptr(i32)"
    `);
    expect(refusal([pointer("x", "i8")], [[1, 2]])).toMatchInlineSnapshot(`
      "error[KPU6001]: k: argument x must be an Int8Array, got a plain array
        help: pass Int8Array.from(x)"
    `);
    expect(refusal([pointer("x", "bf16")], [new Float32Array(2)])).toMatchInlineSnapshot(`
      "error[KPU6001]: k: argument x must be a Uint16Array for ptr(bf16), got Float32Array
        help: pass the bits of the bf16 values in a Uint16Array"
    `);
    expect(refusal([pointer("x", "i8")], [undefined])).toContain("got undefined");
    expect(refusal([pointer("x", "i8")], [new DataView(new ArrayBuffer(1))])).toContain("class DataView");
    expect(refusal([pointer("x", "i8")], [Object.create(null)])).toContain("a plain object");
    expect(
      refusal([pointer("x", "f32")], [{ dtype: "f16", shape: [1], data: new Uint16Array(1) }]),
    ).toMatchInlineSnapshot(`
      "error[KPU6001]: k: argument x must be a tensor of f32, got one of f16
        help: convert the tensor to f32, or declare ptr(f16)"
    `);
    expect(
      refusal([pointer("x", "f32")], [{ dtype: "f32", shape: [3], data: new Float32Array(2) }]),
    ).toMatchInlineSnapshot(`
      "error[KPU6002]: k: argument x is a tensor of shape [3], which needs 3 elements, but its data has 2
        help: make shape and data agree"
    `);
  });
});

describe("memory regions", () => {
  const regions = (...arrays: unknown[]) =>
    memoryRegions(
      bindArguments(
        "k",
        arrays.map((_, i) => pointer(`p${i}`, "f32")),
        arrays,
      ),
    ).map((r) => [r.start, r.end, r.members]);

  test("join arguments whose bytes overlap, also through a third", () => {
    const base = new Float32Array(16);
    const other = new Float32Array(4);
    expect(regions(base.subarray(0, 4), base.subarray(4, 8))).toEqual([
      [0, 16, [0]],
      [16, 32, [1]],
    ]);
    expect(regions(base.subarray(8, 12), other, base.subarray(0, 4), base.subarray(3, 9))).toEqual([
      [0, 48, [0, 2, 3]],
      [0, 16, [1]],
    ]);
    expect(regions(other, other, null)).toEqual([[0, 16, [0, 1]]]);
    expect(regions(base.subarray(2, 2), base.subarray(2, 2), base.subarray(0, 2))).toEqual([
      [8, 8, [0, 1]],
      [0, 8, [2]],
    ]);
  });
});

describe("elements", () => {
  test.each(ALL_DTYPES)("%s is stored by its store rule and read back", (dtype) => {
    const numbers = [
      0,
      -0,
      1,
      -1,
      1.5,
      255,
      256,
      65504,
      65536,
      1e10,
      -1e10,
      Number.NaN,
      Number.POSITIVE_INFINITY,
    ];
    const array = hostArray(dtype, numbers);
    const view = new DataView(array.buffer);
    const once = readElements(dtype, view, 0, numbers.length);
    const again = hostArray(dtype, once);
    expect(readElements(dtype, new DataView(again.buffer), 0, once.length)).toEqual(once);
    expect(new Uint8Array(again.buffer)).toEqual(new Uint8Array(array.buffer));
  });
  test("unaligned", () => {
    const view = new DataView(new ArrayBuffer(8));
    storeElement("i32", view, 1, 2 ** 32 + 5);
    expect(readElements("i32", view, 1, 1)).toEqual([5]);
  });
});

describe("formatPrint", () => {
  test("fills placeholders, appends the rest", () => {
    expect(formatPrint("a={} b={}", [1, -0, true], 0)).toBe("tile 0: a=1 b=-0 true");
    expect(formatPrint("{} {}", [{ dtype: "f32", data: [1, -0, 0.5, Number.NaN] }], 3)).toBe(
      "tile 3: f32x4 [1, -0, 0.5, NaN] {}",
    );
    expect(formatPrint("", [{ mask: [1, 1, 0] }, { text: "p" }], 1)).toBe("tile 1: TTF p");
    expect(formatPrint("$& $1 {}", [{ text: "$&{}" }], 1)).toBe("tile 1: $& $1 $&{}");
  });
});
