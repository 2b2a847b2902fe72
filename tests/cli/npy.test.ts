import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type NdArray, readNpy, writeNpy } from "../../cli/npy.ts";
import { KpuError } from "../../ir/diagnostic.ts";

const bytesOf = (header: string, data: readonly number[], version = 1): Uint8Array => {
  const text = new TextEncoder().encode(header);
  const size =
    version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
  return new Uint8Array([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...size, ...text, ...data]);
};
const refused = (bytes: Uint8Array): string => {
  try {
    readNpy(bytes, "f.npy");
  } catch (error) {
    if (error instanceof KpuError) return `${error.code} ${error.diagnostics[0]?.message}`;
    throw error;
  }
  return "accepted";
};

test("writes what numpy.save writes for arange(3, dtype=int16)", () => {
  const bytes = writeNpy({ type: "i2", shape: [3], data: new Int16Array([0, 1, -2]) });
  const header = "{'descr': '<i2', 'fortran_order': False, 'shape': (3,), }";
  expect(new TextDecoder("latin1").decode(bytes.subarray(0, 128))).toBe(
    `\x93NUMPY\x01\x00\x76\x00${header.padEnd(117)}\n`,
  );
  expect([...bytes.subarray(128)]).toEqual([0, 0, 1, 0, 254, 255]);
});

test("every dtype and shape round-trips", () => {
  const types = {
    i1: Int8Array,
    u1: Uint8Array,
    b1: Uint8Array,
    i2: Int16Array,
    u2: Uint16Array,
    f2: Uint16Array,
    i4: Int32Array,
    u4: Uint32Array,
    f4: Float32Array,
  };
  const shape = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 });
  fc.assert(
    fc.property(
      fc.constantFrom(...(Object.keys(types) as (keyof typeof types)[])),
      shape,
      fc.integer(),
      (type, dims, seed) => {
        const data = new types[type](dims.reduce((n, d) => n * d, 1)).map((_: number, i: number) => i * seed);
        const array: NdArray = { type, shape: dims, data };
        expect(readNpy(writeNpy(array))).toEqual(array);
      },
    ),
  );
});

test("reads from a view at any offset", () => {
  const whole = writeNpy({ type: "f4", shape: [3], data: new Float32Array([1, 2, 3]) });
  for (const offset of [0, 1, 3, 8]) {
    const view = Buffer.alloc(whole.length + 16).subarray(offset, offset + whole.length);
    view.set(whole);
    expect(readNpy(view).data).toEqual(new Float32Array([1, 2, 3]));
  }
});

test("reads version 2 and Fortran order", () => {
  const header = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n";
  expect(readNpy(bytesOf(header, [0, 3, 1, 4, 2, 5], 2))).toEqual({
    type: "u1",
    shape: [2, 3],
    data: new Uint8Array([0, 1, 2, 3, 4, 5]),
  });
});

describe("refuses with KPU7005", () => {
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n";
  const whole = bytesOf(header, [0, 0, 0, 0, 0, 0, 0, 0]);
  test.each([
    ["other files", new TextEncoder().encode("PK and so on, and more"), "not a .npy file"],
    ["a future version", bytesOf(header, [], 9), "version 9"],
    ["missing data", whole.subarray(0, -1), "truncated: 2 elements need 8 bytes, 7 are there"],
    ["data after the end", bytesOf(header, new Array(9).fill(0)), "has 1 bytes after"],
    ["float64", bytesOf(header.replace("<f4", "<f8"), []), "dtype <f8"],
    ["big-endian", bytesOf(header.replace("<f4", ">f4"), []), "big-endian"],
    ["a structured dtype", bytesOf(header.replace("'<f4'", "[('x', '<f4')]"), []), "'descr'"],
  ])("%s", (_name, bytes, message) => {
    expect(refused(bytes)).toContain("KPU7005");
    expect(refused(bytes)).toContain(message);
  });
  test("a file cut anywhere", () => {
    for (let length = 0; length < whole.length; length++)
      expect(refused(whole.subarray(0, length))).toContain("KPU7005");
  });
});
