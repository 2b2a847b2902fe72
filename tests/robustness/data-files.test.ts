/** Damaged and hostile data files: a KpuError that names the file, or an array that the file really holds. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readData } from "../../cli/datafile.ts";
import { writeNpy } from "../../cli/npy.ts";
import { KpuError } from "../../ir/diagnostic.ts";
import type { DTypeName } from "../../ir/dtype.ts";
import { damagedBytes, damagedText, diceOf, RUNS } from "./damage.ts";

const folder = mkdtempSync(join(tmpdir(), "kpu-robustness-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The shape that was read, or the code of the refusal. */
function read(
  extension: string,
  content: string | Uint8Array,
  dtype: DTypeName = "f32",
): readonly number[] | string {
  const file = join(folder, `data.${extension}`);
  writeFileSync(file, content);
  try {
    const { shape, data } = readData(file, dtype);
    // Whatever is accepted is whole.
    expect(data.length).toBe(shape.reduce((n, d) => n * d, 1));
    return shape;
  } catch (error) {
    if (!(error instanceof KpuError)) throw error;
    expect(error.message).toContain(file);
    return error.code;
  }
}

function npy(header: string, elements: number): Uint8Array {
  const bytes = new Uint8Array(10 + header.length + 4 * elements);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  return bytes;
}
const header = (shape: string, descr = "<f4", order = "False"): string =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;

describe("npy", () => {
  const good = writeNpy({ type: "f4", shape: [3, 4], data: Float32Array.from({ length: 12 }, (_, i) => i) });

  it("bytes changed", () => {
    for (let run = 0; run < 400 * RUNS; run++) read("npy", damagedBytes(good, diceOf(`npy ${run}`)));
  });
  it("headers changed", () => {
    for (let run = 0; run < 400 * RUNS; run++) {
      const dice = diceOf(`header ${run}`);
      read("npy", npy(damagedText(header("(2, 3)"), dice), dice.below(8)));
    }
  });
  it.each([
    ["(4,)", 4, [4]],
    ["()", 1, []],
    ["(0, 5)", 0, [0, 5]],
    ["(-4,)", 4, "KPU7005"],
    ["(1 2)", 2, "KPU7005"],
    ["(99999999999999999999999, 0)", 0, "KPU7005"],
    ["(4294967296, 4294967296)", 0, "KPU7005"],
    ["(2, 3)", 5, "KPU7005"],
    ["(2, 3)", 7, "KPU7005"],
  ])("shape %s with %i elements", (shape, elements, expected) => {
    expect(read("npy", npy(header(shape), elements))).toEqual(expected);
  });
  it.each(["<constructor", "<toString", "<__proto__", "|O", "<f8", ">f4", "<U10", ""])(
    "descr %s",
    (descr) => {
      expect(read("npy", npy(header("(1,)", descr), 1))).toBe("KPU7005");
    },
  );
  it("thirty thousand dimensions in Fortran order", () => {
    expect(read("npy", npy(header(`(${"1,".repeat(30_000)})`, "<f4", "True"), 1))).toHaveLength(30_000);
  });
});

describe("json", () => {
  it("text changed", () => {
    for (let run = 0; run < 400 * RUNS; run++)
      read(
        "json",
        damagedText('[[1, 2.5, "NaN"],\n[4, -5, "-0"],\n[true, 1e3, 7]]\n', diceOf(`json ${run}`)),
      );
  });
  it.each([
    ["[]", [0]],
    ["[[],[]]", [2, 0]],
    ["[1e400]", [1]],
    ["", "KPU7005"],
    ["null", "KPU7005"],
    ["{}", "KPU7005"],
    ["[{}]", "KPU7005"],
    ["[[1,2],[3]]", "KPU7005"],
    ["[1,[2]]", "KPU7005"],
    ['["__proto__"]', "KPU7005"],
    ['["toString"]', "KPU7005"],
  ])("%s", (text, expected) => {
    expect(read("json", text)).toEqual(expected);
  });
  it("nested a hundred thousand deep", () => {
    expect(read("json", "[".repeat(100_000) + "]".repeat(100_000))).toBe("KPU7005");
  });
});

describe("png", () => {
  it("no PNG at all, and cut ones", () => {
    expect(read("png", "\x89PNG\r\n\x1a\n", "u8")).toBe("KPU7005");
    for (let run = 0; run < 100 * RUNS; run++) {
      const bytes = new TextEncoder().encode("\x89PNG\r\n\x1a\n0000IHDR0000000000000");
      read("png", damagedBytes(bytes, diceOf(`png ${run}`)), "u8");
    }
  });
});
