/** Lanes by their bits, widening and quantisation, against DataViews and plain float arithmetic. */
import { dtypeOf, type f32, i16, i32, kernel, ptr, S, type u8, u16 } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { expectNumbers, hostArray, NUMERIC, numbersOf, samples } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";

const LANES = 20;

describe.each(NUMERIC)("%s", (d) => {
  test("read as every other dtype", () => {
    const values = samples(d, LANES, 3);
    if (d === "f32" || d === "f16" || d === "bf16") values.splice(0, 4, Number.NaN, -0, Infinity, -Infinity);
    const x = hostArray(d, values);
    // The NaN that a dtype stores.
    if (d === "f16") x[0] = 0x7e00;
    if (d === "bf16") x[0] = 0x7fc0;
    for (const to of NUMERIC) {
      const out = hostArray(to, new Array((x.byteLength / hostArray(to, [0]).byteLength) | 0).fill(0));
      const k = kernel([ptr(dtypeOf(to) as u8), ptr(dtypeOf(d) as f32)], function bits(o, a) {
        if (S.tileId() === 0) S.vstore(S.reinterpret(S.vload(a, { lanes: LANES }), dtypeOf(to) as u8), o);
      });
      execute(k, [out, x]);
      // The same bytes; a NaN is compared as one.
      const want = new (out.constructor as Uint8ArrayConstructor)(x.buffer.slice(0) as ArrayBuffer);
      expect(numbersOf(to, out), to).toEqual(numbersOf(to, want));
    }
  });
});

test("a NaN has the bits of the one NaN", () => {
  const k = kernel([ptr(i32), ptr(i32)], function canonical(out, x) {
    if (S.tileId() === 0) {
      const asFloat = S.reinterpret(S.vload(x), dtypeOf("f32"));
      S.vstore(S.reinterpret(asFloat, dtypeOf("i32")), out);
    }
  });
  const out = new Int32Array(8);
  execute(k, [out, Int32Array.from([0x7f800001, 0x7fc12345, -1, 0, -0x80000000, 0x7f800000, 1, 5])]);
  expect([...out]).toEqual([0x7fc00000, 0x7fc00000, 0x7fc00000, 0, -0x80000000, 0x7f800000, 1, 5]);
});

test.each([
  ["i8", "i16"],
  ["u8", "u16"],
  ["i16", "i32"],
  ["u16", "u32"],
  ["f16", "f32"],
  ["bf16", "f32"],
] as const)("halves of %s widened to %s", (from, to) => {
  const x = samples(from, 42);
  const k = kernel([ptr(dtypeOf(to) as i32), ptr(dtypeOf(from) as i16)], function halves(out, a) {
    if (S.tileId() !== 0) return;
    const v = S.vload(a, { lanes: 42 });
    S.vstore(S.vxtl(v), out);
    S.vstore(S.vxth(v, { mask: S.tailMask(9, 21), r: 1 }), out.at(21));
  });
  const out = hostArray(to, new Array(42).fill(0));
  execute(k, [out, hostArray(from, x)]);
  expectNumbers(
    to,
    out,
    x.map((v, i) => (i < 30 ? v : 1)),
  );
});

test("the other sign", () => {
  const k = kernel([ptr(i16), ptr(u16), ptr(i16)], function signs(a, b, x) {
    if (S.tileId() !== 0) return;
    const v = S.vload(x, { lanes: 5 });
    S.vstore(S.asUnsigned(v), b);
    S.vstore(S.asSigned(S.asUnsigned(S.asSigned(v))), a);
  });
  const x = [-1, -32768, 32767, 0, 5];
  const a = new Int16Array(5);
  const b = new Uint16Array(5);
  execute(k, [a, b, Int16Array.from(x)]);
  expect([...a]).toEqual(x);
  expect([...b]).toEqual(x.map((v) => v & 0xffff));
});

const RANGE = {
  i8: [-128, 127],
  u8: [0, 255],
  i16: [-32768, 32767],
  u16: [0, 65535],
  i32: [-(2 ** 31), 2 ** 31 - 1],
};
const halfToEven = (x: number): number => {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
};

describe.each(Object.keys(RANGE) as (keyof typeof RANGE)[])("quantised to %s", (q) => {
  const [min, max] = RANGE[q] as [number, number];
  const zero = q === "i32" ? 0 : min === 0 ? max >> 1 : -3;
  const x = [
    0,
    -0,
    0.25,
    0.75,
    -0.25,
    1,
    -1,
    63.75,
    1e9,
    -1e9,
    Infinity,
    -Infinity,
    Number.NaN,
    100.5,
    16384,
    -7,
  ];
  test.each(["f32", "f16", "bf16"] as const)("from %s and back", (d) => {
    const k = kernel(
      [ptr(dtypeOf(q) as u8), ptr(dtypeOf(d) as f32), ptr(dtypeOf(d) as f32)],
      function quantised(out, back, a) {
        if (S.tileId() !== 0) return;
        const v = S.quantize(S.vload(a, { lanes: 16 }), 0.5, zero, dtypeOf(q) as u8);
        S.vstore(v, out);
        S.vstore(S.dequantize(v, 0.5, zero, dtypeOf(d) as f32), back);
      },
    );
    const given = hostArray(d, x);
    const out = hostArray(q, new Array(16).fill(0));
    const back = hostArray(d, new Array(16).fill(0));
    execute(k, [out, back, given]);
    const want = numbersOf(d, given).map((v) =>
      Number.isNaN(v) ? 0 : Math.min(max, Math.max(min, halfToEven(v / 0.5) + zero)) + 0,
    );
    expectNumbers(q, out, want);
    expectNumbers(
      d,
      back,
      numbersOf(
        d,
        hostArray(
          d,
          want.map((v) => Math.fround((v - zero) * 0.5)),
        ),
      ),
    );
  });
});

test("a scale and a zero point for each lane", () => {
  const k = kernel(
    [ptr(dtypeOf("u8")), ptr(dtypeOf("f32")), ptr(dtypeOf("f32")), ptr(dtypeOf("u8"))],
    function perLane(out, x, s, z) {
      if (S.tileId() === 0)
        S.vstore(
          S.quantize(S.vload(x), S.vload(s), S.vload(z, { lanes: 8 }), dtypeOf("u8"), { mask: "7T1F", r: 9 }),
          out,
        );
    },
  );
  const x = [1, 2, 3, 4, 5, 6, 7, 8];
  const s = [1, 2, 0.5, 0.25, 4, 1, 1, 1];
  const z = [0, 1, 2, 3, 4, 250, 252, 0];
  const out = new Uint8Array(8);
  execute(k, [out, Float32Array.from(x), Float32Array.from(s), Uint8Array.from(z)]);
  expect([...out]).toEqual([1, 2, 8, 19, 5, 255, 255, 9]);
});
