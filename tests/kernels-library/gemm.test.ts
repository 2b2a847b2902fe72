/**
 * Products of the library against plain loops, bit for bit: random sizes, dtypes, transposes, epilogues, plans, numbers of
 * tiles and targets, directly and compiled.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { build, simulate } from "../../index.ts";
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import { hostArray } from "../../ir/elements.ts";
import { TARGETS } from "../../ir/target.ts";
import { gemmKernel } from "../../kernels/gemm/kernel.ts";
import { type GemmPlan, planBytes, planGemm } from "../../kernels/gemm/plan.ts";
import type { GemmSpec } from "../../kernels/gemm/spec.ts";
import { drawn, OPERANDS, valuesOf } from "../path/draws.ts";
import { drained, type Matrix, product } from "../path/reference.ts";

/** Large products would be nothing but NaN with more of the special numbers. */
const RARITY = 503;

interface Case {
  readonly spec: GemmSpec;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly seed: number;
}

/** Host arrays of a case, and what the product must be. */
function prepared({ spec, m, n, k, seed }: Case) {
  const sizes = { a: m * k, b: k * n, bias: spec.axis === "row" ? m : n, residual: m * n };
  const host = (d: DTypeName, count: number, i: number) =>
    hostArray(d, drawn(d, Math.max(1, count), seed + i, RARITY));
  const a = host(spec.a, sizes.a, 0);
  const b = host(spec.b, sizes.b + (sizes.b % 2), 1);
  const bias = spec.bias === undefined ? null : host(spec.bias, sizes.bias, 2);
  const scale = spec.scale === "vector" ? host("f32", sizes.bias, 3) : null;
  const residual = spec.residual === undefined ? null : host(spec.residual, sizes.residual, 4);
  const [va, vb] = [valuesOf(spec.a, a, sizes.a), valuesOf(spec.b, b, sizes.b)];
  const ma: Matrix = { rows: m, cols: k, at: (i, p) => va[spec.transposeA ? p * m + i : i * k + p]! };
  const mb: Matrix = { rows: k, cols: n, at: (p, j) => vb[spec.transposeB ? j * k + p : p * n + j]! };
  const integers = DTYPES[spec.a].kind === "int";
  const along = (d: DTypeName | undefined, array: ReturnType<typeof hostArray> | null) => {
    if (d === undefined || array === null) return undefined;
    const values = valuesOf(d, array, sizes.bias);
    return (i: number, j: number) => values[spec.axis === "row" ? i : j]!;
  };
  const biasOf = along(spec.bias, bias);
  const added = residual === null ? [] : valuesOf(spec.residual!, residual, sizes.residual);
  const expected = drained(product(ma, mb, undefined, integers), n, {
    integers,
    integerBias: spec.bias === "i32" ? biasOf : undefined,
    scale: typeof spec.scale === "number" ? () => spec.scale as number : along("f32", scale),
    bias: spec.bias === "i32" ? undefined : biasOf,
    residual: residual === null ? undefined : (i, j) => added[i * n + j]!,
    activation: spec.activation ?? "none",
    quantize: spec.quantize && { zeroPoint: 0, ...spec.quantize },
    dst: spec.out,
  } as Parameters<typeof drained>[2]);
  return { inputs: [a, b, bias, scale, residual] as const, expected };
}

function check(c: Case, plan: GemmPlan, target: keyof typeof TARGETS, tiles: number, direct: boolean): void {
  const { m, n, k, spec } = c;
  const machine = TARGETS[target];
  const gemm = gemmKernel(spec, plan, machine, tiles);
  const { inputs, expected } = prepared(c);
  const outcomes = [true, false].slice(direct ? 0 : 1).map((simulated) => {
    const out = hostArray(spec.out, new Array<number>(Math.max(1, m * n)).fill(0));
    const args = [out, ...inputs, m, n, k] as unknown as Parameters<typeof gemm>;
    if (simulated) simulate(gemm, args, { target: machine, tiles, transfers: "late" });
    else build(gemm, { target: machine }).runWith({ tiles }, ...args);
    return valuesOf(spec.out, out, m * n);
  });
  for (const outcome of outcomes) expect(outcome).toEqual(expected);
}

const cases = (most: number): fc.Arbitrary<Case> => {
  const side = fc.integer({ min: 1, max: most });
  return fc
    .record({
      operands: fc.constantFrom(...OPERANDS),
      out: fc.constantFrom<DTypeName>("f32", "f16", "bf16", "i8", "u8", "i32"),
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
      bias: fc.constantFrom<DTypeName | undefined>(undefined, "f32", "f16", "i32"),
      scale: fc.constantFrom<GemmSpec["scale"]>(undefined, 0.375, "vector"),
      axis: fc.constantFrom<"column" | "row">("column", "row"),
      residual: fc.constantFrom<DTypeName | undefined>(undefined, "f32", "bf16"),
      activation: fc.constantFrom<NonNullable<GemmSpec["activation"]>>("none", "relu", "gelu", "tanh"),
      m: side,
      n: side,
      k: fc.oneof(side, fc.constant(0)),
      seed: fc.nat(2 ** 20),
    })
    .map(({ operands: [a, b], m, n, k, seed, ...r }): Case => {
      const integers = DTYPES[a].kind === "int";
      const even = (x: number): number => (DTYPES[b].bits === 4 ? x + (x % 2) : x);
      const out = r.out === "i32" && !integers ? "f32" : r.out;
      const whole = out === "i32";
      const bias = r.bias === "i32" && !integers ? "f32" : whole ? r.bias && "i32" : r.bias;
      const spec: GemmSpec = {
        ...{ a, b, out, axis: r.axis, transposeA: r.transposeA, transposeB: r.transposeB },
        ...(bias === undefined ? {} : { bias }),
        ...(whole || r.scale === undefined ? {} : { scale: r.scale }),
        ...(whole || r.residual === undefined ? {} : { residual: r.residual }),
        ...(whole ? {} : { activation: r.activation }),
        ...(out === "i8" || out === "u8" ? { quantize: { scale: 0.5, zeroPoint: 3 } } : {}),
      };
      return { spec, m, n: r.transposeB ? n : even(n), k: r.transposeB ? even(k) : k, seed };
    });
};
const presets = fc.constantFrom(...(Object.keys(TARGETS) as (keyof typeof TARGETS)[]));

describe("gemm", () => {
  test("any product by the plan that fits, on every preset, compiled", () => {
    fc.assert(
      fc.property(cases(300), presets, fc.integer({ min: 1, max: 32 }), (c, target, wanted) => {
        const tiles = Math.min(wanted, TARGETS[target].tiles);
        check(c, planGemm(c.spec, c, TARGETS[target], tiles), target, tiles, false);
      }),
      { numRuns: Number(process.env["GEMM_RUNS"] ?? 8) },
    );
  }, 60_000);

  test("small plans, whose sums go to l3 and come back, in both executions", () => {
    const plans = fc.record({
      halfRows: fc.integer({ min: 1, max: 6 }),
      cols: fc.integer({ min: 1, max: 5 }).map((x) => 2 * x),
      down: fc.integer({ min: 1, max: 3 }),
      across: fc.integer({ min: 1, max: 3 }),
      depth: fc.integer({ min: 1, max: 8 }).map((x) => 2 * x),
      turns: fc.integer({ min: 1, max: 4 }),
      tileCols: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(cases(40), plans, presets, fc.integer({ min: 1, max: 6 }), (c, p, target, wanted) => {
        const tiles = Math.min(wanted, TARGETS[target].tiles);
        const { down, across, ...rest } = p;
        const plan = { ...rest, blockRows: 2 * p.halfRows * down, blockCols: p.cols * across };
        check(c, plan, target, tiles, true);
      }),
      { numRuns: Number(process.env["GEMM_RUNS"] ?? 12) },
    );
  }, 60_000);

  test("a plan that fills l2 of t64 is built", () => {
    const c: Case = { spec: { a: "f32", b: "f32", out: "f32" }, m: 255, n: 255, k: 189, seed: 0 };
    check(c, planGemm(c.spec, c, TARGETS.t64, 1), "t64", 1, false);
  });

  test.each([
    ["f32", "f32", 300],
    ["i8", "i32", 600],
  ] as const)("turns so deep that not all rows of a half lie near the fabric: %s", (d, out, depth) => {
    const c: Case = { spec: { a: d, b: d, out }, m: 153, n: 29, k: 2 * depth - 11, seed: 1 };
    const plan = { halfRows: 37, cols: 12, blockRows: 74, blockCols: 12, depth, turns: 1, tileCols: 1 };
    check(c, plan, "t64", 1, false);
  });

  test("what a plan takes of each memory fits every preset", () => {
    for (const target of Object.values(TARGETS)) {
      const spec: GemmSpec = { a: "f32", b: "f32", out: "f32" };
      const plan = planGemm(spec, { m: 4096, n: 4096, k: 4096 }, target, target.tiles);
      const bytes = planBytes(spec, plan, target.tiles);
      for (const [scope, n] of Object.entries(bytes))
        expect(n).toBeLessThanOrEqual(target.capacity[scope as keyof typeof bytes]);
    }
  });

  test("the same arguments give the same kernel, others another one, however close they are", () => {
    const spec = { a: "f32", b: "f32", out: "f32" } as const;
    const plan = planGemm(spec, { m: 64, n: 64, k: 64 }, TARGETS.edge, 1);
    const made = (scale: number, changed: Partial<GemmPlan> = {}): unknown =>
      gemmKernel({ ...spec, scale }, { ...plan, ...changed }, TARGETS.edge, 1);
    const reordered = { scale: 1, out: "f32", b: "f32", a: "f32" } as const;
    expect(gemmKernel(reordered, plan, TARGETS.edge, 1)).toBe(made(1));
    const scales = [0, -0, 0.1, 0.1 + Number.EPSILON, Number.NaN, Infinity, -Infinity];
    const kernels = [...scales.map((s) => made(s)), made(1, { depth: plan.depth + 2 })];
    expect(new Set(kernels).size).toBe(kernels.length);
    expect(gemmKernel(spec, plan, TARGETS.t64, 1)).not.toBe(gemmKernel(spec, plan, TARGETS.edge, 1));
  });

  test("a plan that does not fit, and dtypes that the path does not have, are refused", () => {
    const plan = planGemm({ a: "f32", b: "f32", out: "f32" }, { m: 64, n: 64, k: 64 }, TARGETS.edge, 1);
    const gemm = (spec: GemmSpec, changed: Partial<GemmPlan>) => () =>
      gemmKernel(spec, { ...plan, ...changed }, TARGETS.edge, 1);
    const refusal = (code: string) => expect.objectContaining({ code });
    expect(gemm({ a: "f32", b: "i8", out: "f32" }, {})).toThrow(refusal("KPU4007"));
    const spec: GemmSpec = { a: "f32", b: "f32", out: "f32" };
    expect(gemm(spec, { depth: 3 })).toThrow(refusal("KPU3004"));
    expect(gemm(spec, { depth: 2 ** 20 })).toThrow(refusal("KPU4003"));
  });
});
