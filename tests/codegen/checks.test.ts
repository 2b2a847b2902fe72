/** Checked execution: the bug is reported with its line, the repaired twin runs. */
import { describe, expect, it } from "vitest";
import { compileKernel } from "../../codegen/index.ts";
import { KpuError } from "../../ir/diagnostic.ts";
import { TARGETS } from "../../ir/target.ts";
import { KpuProgram } from "../../runtime/program.ts";
import { kernelOf } from "./threeway.ts";

const HEAD = `kir 1, level: virtual
text @0 = "n is positive"
location @1 = "/a/k.ts" 7:9
`;

function error(
  body: string,
  args: unknown[],
  o: { checks?: boolean; params?: string } = {},
): { code: string; line: number | undefined } {
  const params = o.params ?? "%x: ptr<f32, global>, %y: ptr<f32, global>, %n: i32";
  const k = kernelOf(`${HEAD}kernel @k(${params}) {\n${body}\n}\n`);
  const program = new KpuProgram<unknown[]>(
    compileKernel(k, { target: TARGETS.edge, checks: o.checks ?? true }),
  );
  try {
    program.runWith({ tiles: 1 }, ...args);
  } catch (e) {
    if (!(e instanceof KpuError)) throw e;
    return { code: e.code, line: e.diagnostics[0]?.location?.line };
  }
  return { code: "none", line: undefined };
}
const arrays = (n: number): unknown[] => [new Float32Array(16), new Float32Array(16), n];
const at = (code: string): object => ({ code, line: 7 });
const fine = { code: "none", line: undefined };

describe("checks", () => {
  it.each([
    ["get", "  #1 let %v: f32 = get %x[%n]", [16, -1, 2 ** 30, -(2 ** 31)], [0, 15]],
    ["set", "  #1 set %x[%n], 1", [16, -1], [0, 15]],
    ["load", "  #1 let %v: f32x8 = load<f32x8> %x[%n]", [9, -1, 16], [0, 8]],
    ["wide load", "  #1 let %v: f32x12 = load<f32x12> %x[%n]", [5, -1], [0, 4]],
    ["store", "  #1 store<f32x5> %x[%n], (splat<f32x5> 1)", [12, -1], [0, 11]],
    ["masked store", "  #1 store<f32x8> %x[%n], (splat<f32x8> 1) mask (tail_mask<8> 3)", [14, -1], [0, 13]],
    [
      "masked load",
      "  #1 let %v: f32x8 = load<f32x8> %x[%n] mask (tail_mask<8> 3) else (splat<f32x8> 0)",
      [14, -1],
      [0, 13],
    ],
    [
      "strided load",
      "  #1 let %v: f32x4 = load<f32x4> %x[%n] stride 3 mask (tail_mask<4> 4) else (splat<f32x4> 0)",
      [7, -1],
      [0, 6],
    ],
    [
      "gather",
      "  #1 let %v: f32x2 = gather<f32x2> %x, (splat<i32x2> %n) mask (tail_mask<2> 1) else (splat<f32x2> 0)",
      [16, -1],
      [0, 15],
    ],
    [
      "scatter",
      "  #1 scatter<f32x2> %x, (splat<i32x2> %n), (splat<f32x2> 0) mask (tail_mask<2> 2)",
      [16, -1],
      [0, 15],
    ],
    ["transfer", "  #1 dma_copy %y, %x[%n], 8, 0, 0, 1", [9, -1], [0, 8]],
    ["rows", "  #1 dma_copy %y, %x, 2, 4, 2, %n", [5], [0, 4]],
    ["fill", "  #1 dma_memset %y[%n], 0, 8", [9, -1], [0, 8]],
    [
      "far pointer",
      "  let %p: ptr<f32, global> = ptr_add %x, (mul.i64 (cast_scalar.i32{to: i64} %n), 4503599627370496:i64)\n  #1 let %v: f32 = get %p",
      [1, -1],
      [0],
    ],
    [
      "scratch",
      "  let %b: ptr<f32, local> = alloc{dtype: f32, scope: local, count: 4}\n  #1 set %b[%n], 1",
      [4, -1],
      [0, 3],
    ],
  ] as const)("%s out of bounds", (_name, body, bad, good) => {
    for (const n of bad) expect(error(body, arrays(n)), String(n)).toEqual(at("KPU4001"));
    for (const n of good) expect(error(body, arrays(n)), String(n)).toEqual(fine);
  });

  it("null pointers", () => {
    expect(error("  #1 let %v: f32 = get %x[%n]", [null, null, 0])).toEqual(at("KPU4008"));
    expect(error("  #1 dma_copy %y, %x, 1, 0, 0, 1", [null, new Float32Array(1), 0])).toEqual(at("KPU4008"));
  });
  it("zero divisors, in both modes", () => {
    const body = "  #1 let %v: i32 = ceildiv.i32 8, %n\n  set %x, %v";
    for (const checks of [true, false]) {
      expect(error(body, arrays(0), { checks })).toEqual(at("KPU3013"));
      expect(error(body, arrays(3), { checks })).toEqual(fine);
    }
  });
  it("assertions, in both modes", () => {
    const body = "  #1 assert{text: 0} (gt.i32 %n, 0)";
    for (const checks of [true, false]) {
      expect(error(body, arrays(0), { checks })).toEqual(at("KPU6007"));
      expect(error(body, arrays(3), { checks })).toEqual(fine);
    }
  });
  it("transfers with negative counts and overlap", () => {
    expect(error("  #1 dma_copy %y, %x, %n, 0, 0, 1", arrays(-1))).toEqual(at("KPU4007"));
    expect(error("  #1 dma_copy %x[%n], %x, 4, 0, 0, 1", arrays(2))).toEqual(at("KPU4009"));
    expect(error("  #1 dma_copy %x[%n], %x, 4, 0, 0, 1", arrays(4))).toEqual(fine);
  });
  it("events", () => {
    const start = "  let %e: event = event_alloc\n  dma_copy_async %y, %x, 1, 0, 0, 1, %e\n";
    expect(error(`${start}  event_wait %e\n  #1 event_wait %e\n  event_free %e`, arrays(0))).toEqual(
      at("KPU5004"),
    );
    expect(
      error(
        `${start}  #1 dma_copy_async %y, %x, 1, 0, 0, 1, %e\n  event_wait %e\n  event_free %e`,
        arrays(0),
      ),
    ).toEqual(at("KPU5005"));
    expect(error(`${start}  #1 event_free %e`, arrays(0))).toEqual(at("KPU5006"));
    expect(error(start, arrays(0)).code).toBe("KPU5006");
    expect(error(`${start}  event_wait %e\n  event_free %e\n  #1 event_wait %e`, arrays(0))).toEqual(
      at("KPU5008"),
    );
    expect(error(`${start}  event_wait %e\n  event_free %e`, arrays(0))).toEqual(fine);
    expect(
      error("  for %i: i32 = 0 to 17 step 1 {\n    #1 let %f: event = event_alloc\n  }", arrays(0)),
    ).toEqual(at("KPU5007"));
  });
  it("without checks an access far outside is still contained", () => {
    expect(error("  set %x[%n], 1", arrays(2 ** 28), { checks: false }).code).toBe("KPU4001");
  });
});
