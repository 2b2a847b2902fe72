import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KpuError } from "../../ir/diagnostic.ts";
import { foldKernel } from "../../ir/fold.ts";
import type { Kernel } from "../../ir/kir.ts";
import { parseKernel } from "../../ir/parse.ts";
import { printKernel } from "../../ir/print.ts";
import { verifyKernel } from "../../ir/verify.ts";
import { arbitraryKernel, argumentsFor } from "./arbitraries.ts";
import { run } from "./programs.ts";

/** The right-hand side of a let after folding. */
function folded(type: string, text: string): string {
  const params = "%x: f32, %n: i32, %p: ptr<f32, global>, %b: bool";
  const k = foldKernel(
    parseKernel(`kir 1, level: virtual\nkernel @k(${params}) {\nlet %v: ${type} = ${text}\n}`),
  );
  expect(verifyKernel(k)).toEqual([]);
  return / = (.*)\n/u.exec(printKernel(k).split("{\n")[1] ?? "")?.[1] ?? "";
}

describe("folding", () => {
  test.each([
    ["i32", "add.i32 2, (mul.i32 3, 4)", "14"],
    ["f64", "mul.f64 NaN, 0", "NaN"],
    ["f64", "mul.f64 -1, 0", "-0"],
    ["f32", "add.f32 16777216, 1", "16777216"],
    ["i32", "add.i32 2147483647, 1", "add.i32 2147483647, 1"],
    ["i32", "ceildiv.i32 1, 0", "ceildiv.i32 1, 0"],
    ["i32", "ceildiv.i32 7, 2", "4"],
    ["bool", "lt.f64 NaN, 1", "false"],
    ["i32", "convert.f64{dtype: u8} 300", "255"],
    ["f32x4", "add.f32x4 (splat<f32x4> 1), (splat<f32x4> 2)", "splat<f32x4> 3:f64"],
    ["i8x2", "add.i8x2 (vconst<i8x2> [127, 1]), (splat<i8x2> 1)", "vconst<i8x2> [-128, 2]"],
    ["mask<2>", "lt.i8x2 (vconst<i8x2> [1, 3]), (splat<i8x2> 2)", "vconst<mask<2>> [1, 0]"],
    ["mask<3>", "tail_mask<3> 7", "splat<mask<3>> true"],
    ["f32", "radd.f32x4 (splat<f32x4> 1)", "4"],
    ["i32", "extract.i8x2 (vconst<i8x2> [1, 3]), 2", "extract.i8x2 (vconst<i8x2> [1, 3]), 2"],
    ["f32", "mul.f32 %x, 1", "%x"],
    ["f32", "sub.f32 %x, 0", "%x"],
    ["f32", "add.f32 %x, 0", "add.f32 %x, 0"],
    ["f32", "add.f32 -0, %x", "%x"],
    ["f32", "mul.f32 %x, 0", "mul.f32 %x, 0"],
    ["i32", "add.i32 %n, 0", "%n"],
    ["i32", "mul.i32 0, %n", "0"],
    ["i32", "mul.i32 (ceildiv.i32 1, %n), 0", "mul.i32 (ceildiv.i32 1, %n), 0"],
    ["i32", "cast_scalar.i64{to: i32} (cast_scalar.i32{to: i64} %n)", "%n"],
    [
      "f32",
      "cast_scalar.i32{to: f32} (cast_scalar.f32{to: i32} %x)",
      "cast_scalar.i32{to: f32} (cast_scalar.f32{to: i32} %x)",
    ],
    ["bool", "and.bool true, (or.bool %b, false)", "%b"],
    ["bool", "and.bool false, %b", "false"],
    [
      "bool",
      "and.bool (eq.i32 1, (ceildiv.i32 1, %n)), false",
      "and.bool (eq.i32 1, (ceildiv.i32 1, %n)), false",
    ],
    ["bool", "not.bool (not.bool %b)", "%b"],
    ["i32", "select.i32 true, %n, 2", "%n"],
    ["i32", "select.i32 true, 1, (ceildiv.i32 1, %n)", "select.i32 true, 1, (ceildiv.i32 1, %n)"],
    ["ptr<f32, global>", "%p[0][sub.i32 1, 1]", "%p"],
    ["i32", "tile_id", "tile_id"],
  ])("%s: %s is %s", (type, text, result) => {
    expect(folded(type, text)).toBe(result);
  });

  test("keeps what random kernels do, bit for bit", () => {
    const outcome = (k: Kernel, seed: number): unknown => {
      const args = argumentsFor(k, seed);
      try {
        const printed = run(k, args, { tiles: 2 });
        return { printed, args };
      } catch (error) {
        if (error instanceof KpuError) return { error: error.code };
        throw error;
      }
    };
    fc.assert(
      fc.property(arbitraryKernel(), fc.nat(), (k, seed) => {
        const after = foldKernel(k);
        expect(verifyKernel(after).map((d) => d.message)).toEqual([]);
        expect(outcome(after, seed)).toEqual(outcome(k, seed));
      }),
      { numRuns: 120 },
    );
  });

  test("random kernels run without an error at every level", () => {
    for (const level of ["open", "virtual", "machine"] as const) {
      fc.assert(
        fc.property(arbitraryKernel({ level }), fc.nat(), (k, seed) => void run(k, argumentsFor(k, seed))),
        { numRuns: 100 },
      );
    }
  });
});
