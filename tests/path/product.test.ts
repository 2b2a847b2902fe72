/**
 * Products through the whole path, l3 to l2 to l1 to the accumulators and back: random shapes, dtypes, strides, transposed
 * operands, accumulation and epilogues, every way, against plain loops.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type AnyD, dtypeOf, f32, i32, u8 } from "../../dsl/dtypes.ts";
import { kernel, ptr } from "../../dsl/kernel.ts";
import { S } from "../../dsl/s.ts";
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import { hostArray } from "../../ir/elements.ts";
import { drawn, OPERANDS, valuesOf } from "./draws.ts";
import { type Activation, drained, type Epilogue, type Matrix, product } from "./reference.ts";
import { everyWay } from "./ways.ts";

type HostArray = ReturnType<typeof hostArray>;
const ACTIVATIONS: readonly Activation[] = ["none", "relu", "relu6", "sigmoid", "tanh", "gelu", "silu"];

const side = fc.integer({ min: 1, max: 40 });
const quarter = fc.integer({ min: -12, max: 12 }).map((x) => x / 4);
const plans = fc.record({
  m: side,
  n: side,
  k: fc.oneof(side, fc.constant(0)),
  operands: fc.constantFrom(...OPERANDS),
  transposedA: fc.boolean(),
  transposedB: fc.boolean(),
  /** Elements between rows beyond their length: of a, b, the result, the residual. */
  gaps: fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.nat(3)),
  twice: fc.boolean(),
  /** The second product is given before the first is done, and waited for first. */
  chained: fc.boolean(),
  /** The sums go out to l2 and come back between the products. */
  resumed: fc.boolean(),
  dst: fc.constantFrom<DTypeName>("f32", "f16", "bf16", "i8", "u8", "i32"),
  bias: fc.constantFrom<DTypeName | undefined>(undefined, "f32", "f16", "bf16", "i32"),
  scale: fc.constantFrom<"none" | "number" | "vector">("none", "number", "vector"),
  axis: fc.constantFrom<"column" | "row">("column", "row"),
  residual: fc.constantFrom<DTypeName | undefined>(undefined, "f32", "f16", "bf16", "i8", "u8"),
  activation: fc.constantFrom(...ACTIVATIONS),
  factor: quarter.filter((x) => x !== 0),
  affine: fc.record({ scale: fc.constantFrom(0.25, 3, 0.1), zeroPoint: fc.constantFrom(0, 3, 100) }),
  seed: fc.nat(2 ** 20),
});
type Plan = typeof plans extends fc.Arbitrary<infer P> ? P : never;

/** Makes of a drawn plan one that the commands take. */
function sound(p: Plan): Plan {
  const integers = DTYPES[p.operands[0]].kind === "int";
  const dst = p.dst === "i32" && !integers ? "f32" : p.dst;
  const bias = p.bias === "i32" && !integers ? "f32" : p.bias;
  if (dst !== "i32") return { ...p, dst, bias };
  return { ...p, dst, bias: bias && "i32", scale: "none", residual: undefined, activation: "none" };
}

function matrix(
  values: readonly number[],
  rows: number,
  cols: number,
  stride: number,
  transposed: boolean,
): Matrix {
  return { rows, cols, at: (i, j) => values[transposed ? j * stride + i : i * stride + j] as number };
}

/** Which dtype it is does not matter to the types of the kernel below. */
const dtype = (d: DTypeName): f32 => dtypeOf(d) as AnyD as f32;

function run(given: Plan): void {
  const p = sound(given);
  const {
    m,
    n,
    k,
    operands: [da, db],
    axis,
  } = p;
  const integers = DTYPES[da].kind === "int";
  const even = (x: number): number => x + (x % 2);
  const strideA = (p.transposedA ? m : k) + p.gaps[0];
  const strideB = (p.transposedB ? k : n) + p.gaps[1];
  const [strideOut, strideRes] = [n + p.gaps[2], n + p.gaps[3]];
  const sizeA = Math.max(1, (p.transposedA ? k : m) * strideA);
  const sizeB = even(Math.max(1, (p.transposedB ? n : k) * strideB));
  const sizeOut = m * strideOut;
  const along = axis === "column" ? n : m;
  const [a, b] = [drawn(da, sizeA, p.seed), drawn(db, sizeB, p.seed + 1)];
  const bias = p.bias === undefined ? [] : drawn(p.bias, along, p.seed + 2);
  const scales = drawn("f32", along, p.seed + 3).map(Math.fround);
  const residual = p.residual === undefined ? [] : drawn(p.residual, m * strideRes, p.seed + 4);
  const quantize = p.dst === "i8" || p.dst === "u8" ? p.affine : undefined;
  const dq = { scale: 0.375, zeroPoint: p.residual === "u8" ? 7 : -7 };
  const quantizedResidual = p.residual === "i8" || p.residual === "u8";
  const [A, B, D] = [dtype(da), dtype(db), dtype(p.dst)];
  const [Bias, Res] = [dtype(p.bias ?? "f32"), dtype(p.residual ?? "f32")];
  const streamed = dtype(db === "i4" ? "i8" : db === "u4" ? "u8" : db);
  const packed = DTYPES[db].bits === 4;
  const bytes = u8;
  const sums = dtype(integers ? "i32" : "f32");
  const chained = p.twice && p.chained;
  const sizes = { a: m * k, b: n * k };
  const has = { bias: p.bias !== undefined, residual: p.residual !== undefined };
  const path = kernel(
    [ptr(A), ptr(B), ptr(D), ptr(Bias), ptr(f32), ptr(Res), i32, i32, i32],
    function path(x, y, out, bs, sc, rs, M, N, K) {
      const farA = S.alloc(A, [sizeA], "l3");
      const farB = S.alloc(B, [sizeB], "l3");
      const farOut = S.alloc(D, [sizeOut], "l3");
      const nearA = S.alloc(A, [sizeA], "l2");
      const nearB = S.alloc(B, [sizeB], "l2");
      const nearOut = S.alloc(D, [sizeOut], "l2");
      const nearRes = S.alloc(Res, [m * strideRes], "l2");
      const edgeA = S.alloc(A, [Math.max(1, sizes.a)], "l1");
      const edgeB = S.alloc(streamed, [Math.max(1, sizes.b)], "l1");
      const acc = S.alloc(sums, [m, n], "acc");
      const nearSums = S.alloc(sums, [m * strideRes], "l2");
      const [e, f] = S.allocEvents(2) as [never, never];
      S.dmaCopy(farA, x, sizeA);
      if (packed) S.dmaCopy(farB.as(bytes), y.as(bytes), sizeB / 2);
      else S.dmaCopy(farB, y, sizeB);
      S.dmaMemset(nearOut, 0, sizeOut);
      S.blockMove(nearA, farA, { rows: 1, cols: sizeA }, e);
      if (packed) S.blockMove(nearB.as(bytes), farB.as(bytes), { rows: 1, cols: sizeB / 2 }, f);
      else S.blockMove(nearB, farB, { rows: 1, cols: sizeB }, f);
      if (has.residual) S.dmaCopy(nearRes, rs, m * strideRes);
      S.waitEvents(e, f);
      S.streamRows(edgeA, nearA, { rows: M, depth: K, stride: strideA, transposed: p.transposedA }, e);
      S.streamCols(edgeB, nearB, { cols: N, depth: K, stride: strideB, transposed: p.transposedB }, f);
      S.waitEvents(e, f);
      if (chained) {
        S.mma(acc, edgeA, edgeB, { m: M, n: N, k: K, clear: true }, e);
        S.mma(acc, edgeA, edgeB, { m: M, n: N, k: K }, f);
        S.waitEvents(f);
        S.waitEvents(e);
      }
      for (const round of S.range(0, chained ? 0 : p.twice ? 2 : 1)) {
        S.mma(acc, edgeA, edgeB, { m: M, n: N, k: K, clear: round === 0, dataflow: "ws" }, e);
        S.waitEvents(e);
        if (p.resumed) {
          S.drain(nearSums, acc, { rows: M, cols: N, stride: strideRes }, e);
          S.waitEvents(e);
          S.preload(acc, nearSums, { rows: M, cols: N, stride: strideRes }, e);
          S.waitEvents(e);
        }
      }
      S.drain(
        nearOut,
        acc,
        {
          rows: M,
          cols: N,
          stride: strideOut,
          axis,
          activation: p.activation,
          bias: has.bias ? bs : undefined,
          scale: p.scale === "number" ? p.factor : p.scale === "vector" ? sc : undefined,
          residual: has.residual ? nearRes : undefined,
          residualStride: has.residual ? strideRes : undefined,
          residualQuantization: quantizedResidual ? dq : undefined,
          quantize,
        },
        e,
      );
      S.waitEvents(e);
      S.blockMove(farOut, nearOut, { rows: M, cols: strideOut }, e);
      S.waitEvents(e);
      S.dmaCopy(out, farOut, sizeOut);
      S.freeEvents(e, f);
    },
  );
  const host = (d: DTypeName, values: readonly number[]): HostArray =>
    hostArray(d, values.length > 0 ? values : [0]);
  const results = everyWay(path, [
    host(da, a),
    host(db, b),
    host(p.dst, new Array<number>(sizeOut).fill(0)),
    host(p.bias ?? "f32", bias),
    host("f32", scales),
    host(p.residual ?? "f32", residual),
    m,
    n,
    k,
  ]);
  const exact = (d: DTypeName, values: readonly number[]): number[] =>
    valuesOf(d, host(d, values), values.length);
  const ma = matrix(exact(da, a), m, k, strideA, p.transposedA);
  const mb = matrix(exact(db, b), k, n, strideB, p.transposedB);
  let totals = product(ma, mb, undefined, integers);
  if (p.twice) totals = product(ma, mb, totals, integers);
  const own = (values: readonly number[]) => (i: number, j: number) =>
    values[axis === "column" ? j : i] as number;
  const exactBias = has.bias ? own(exact(p.bias as DTypeName, bias)) : undefined;
  const exactRes = has.residual ? exact(p.residual as DTypeName, residual) : [];
  const epilogue: Epilogue = {
    integers,
    integerBias: p.bias === "i32" ? exactBias : undefined,
    scale: p.scale === "none" ? undefined : p.scale === "number" ? () => p.factor : own(scales),
    bias: p.bias === "i32" ? undefined : exactBias,
    residual: has.residual
      ? (i, j) => {
          const r = exactRes[i * strideRes + j] as number;
          return quantizedResidual ? Math.fround((r - dq.zeroPoint) * dq.scale) : r;
        }
      : undefined,
    activation: p.activation,
    quantize,
    dst: p.dst,
  };
  const expected = drained(totals, n, epilogue);
  const got = valuesOf(p.dst, results[2] as HostArray, sizeOut);
  for (let i = 0; i < m; i++)
    expect(got.slice(i * strideOut, i * strideOut + n)).toEqual(expected.slice(i * n, i * n + n));
}

test("random products and epilogues", () => {
  fc.assert(fc.property(plans, run), { numRuns: Number(process.env["PATH_RUNS"] ?? 25) });
});
