/** Arrays of storage dtypes in files: bytes in .npy, numbers in .json. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readData, writeData } from "../../cli/datafile.ts";
import { readNpy, writeNpy } from "../../cli/npy.ts";
import type { StorageDType } from "../../ir/dtype.ts";

const scratch = mkdtempSync(join(tmpdir(), "kpu-data-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const at = (name: string): string => join(scratch, name);

/** Numbers of two rows, and their bytes by hand: 4-bit elements low half first, OFP8 codes. */
const ROWS: readonly (readonly [StorageDType, unknown, readonly number[], readonly number[]])[] = [
  [
    "i4",
    [
      [1, -1, 7],
      [-8, 0, 2],
    ],
    [2, 3],
    [0xf1, 0x87, 0x20],
  ],
  ["i4", [3, -2, 5], [3], [0xe3, 0x05]],
  [
    "u4",
    [
      [15, 1],
      [2, 8],
    ],
    [2, 2],
    [0x1f, 0x82],
  ],
  ["f8e4m3", [1, "-0", 448, -0.001953125, "NaN"], [5], [0x38, 0x80, 0x7e, 0x81, 0x7f]],
  ["f8e5m2", [1, "-0", 57344, "-Infinity", "NaN"], [5], [0x3c, 0x80, 0x7b, 0xfc, 0x7e]],
];

test.each(ROWS)("%s in .json: numbers %j", (dtype, numbers, shape, bytes) => {
  writeFileSync(at("a.json"), JSON.stringify(numbers));
  const array = readData(at("a.json"), dtype);
  expect(array.shape).toEqual(shape);
  expect([...array.data]).toEqual(bytes);
  writeData(at("b.json"), array);
  expect(JSON.parse(readFileSync(at("b.json"), "utf8"))).toEqual(numbers);
});

test.each(ROWS)("%s in .npy: bytes of %j", (dtype, numbers, shape, bytes) => {
  writeFileSync(at("a.json"), JSON.stringify(numbers));
  writeData(at("a.npy"), readData(at("a.json"), dtype));
  const file = readNpy(readFileSync(at("a.npy")));
  expect([...new Uint8Array(file.data.buffer, file.data.byteOffset, file.data.byteLength)]).toEqual(bytes);
  expect(file.shape).toEqual(dtype.endsWith("4") && dtype.length === 2 ? [bytes.length] : shape);
  const back = readData(at("a.npy"), dtype);
  expect([...new Uint8Array(back.data.buffer, back.data.byteOffset, back.data.byteLength)]).toEqual(bytes);
});

test("what does not fit, or is of another dtype, is refused", () => {
  writeFileSync(at("a.json"), "[8]");
  expect(() => readData(at("a.json"), "i4")).toThrow("8 does not fit i4");
  writeFileSync(at("a.json"), "[-1]");
  expect(() => readData(at("a.json"), "u4")).toThrow("-1 does not fit u4");
  writeFileSync(at("a.npy"), writeNpy({ type: "f4", shape: [1], data: new Float32Array(1) }));
  expect(() => readData(at("a.npy"), "f8e4m3")).toThrow(/a\.view\(numpy\.uint8\)/);
});
