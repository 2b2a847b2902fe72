/** What the matrix path must give, in plain loops over numbers: nothing of ir/path is used here. */
import { S } from "../../dsl/s.ts";
import { convertRule, roundTo } from "../../ir/convert.ts";
import type { DTypeName } from "../../ir/dtype.ts";

const { fround } = Math;

export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly at: (i: number, j: number) => number;
}

/** Accumulators after a product, row by row; `start` are those before, or undefined for zeros. */
export function product(
  a: Matrix,
  b: Matrix,
  start: readonly number[] | undefined,
  integers: boolean,
): number[] {
  const out: number[] = [];
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < b.cols; j++) {
      let sum = start?.[i * b.cols + j] ?? 0;
      for (let p = 0; p < a.cols; p++) {
        const x = a.at(i, p) * b.at(p, j);
        sum = integers ? Number(BigInt.asIntN(32, BigInt(sum) + BigInt(x))) : fround(sum + fround(x));
      }
      out.push(sum);
    }
  }
  return out;
}

export type Activation = "none" | "relu" | "relu6" | "sigmoid" | "tanh" | "gelu" | "silu";
const ACTIVATIONS: { readonly [K in Activation]: (x: number) => number } = {
  none: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  sigmoid: (x) => S.vsigmoid(x),
  tanh: (x) => S.vtanh(x),
  gelu: (x) => S.vgelu(x),
  silu: (x) => S.vsilu(x),
};

export interface Affine {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** ONNX QuantizeLinear; ties to even by looking at both neighbours. */
export function quantized(x: number, { scale, zeroPoint }: Affine, to: DTypeName): number {
  const ratio = fround(x / fround(scale));
  const low = Math.floor(ratio);
  const rest = ratio - low;
  const rounded = rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
  const [min, max] = to === "i8" ? [-128, 127] : [0, 255];
  const q = fround(rounded + zeroPoint);
  return Number.isNaN(q) ? 0 : Math.min(Math.max(q, min), max);
}

export interface Epilogue {
  readonly integers: boolean;
  readonly integerBias: ((i: number, j: number) => number) | undefined;
  readonly scale: ((i: number, j: number) => number) | undefined;
  readonly bias: ((i: number, j: number) => number) | undefined;
  readonly residual: ((i: number, j: number) => number) | undefined;
  readonly activation: Activation;
  readonly quantize: Affine | undefined;
  readonly dst: DTypeName;
}

export function drained(acc: readonly number[], cols: number, e: Epilogue): number[] {
  return acc.map((sum, index) => {
    const [i, j] = [Math.floor(index / cols), index % cols];
    let v = sum;
    if (e.integerBias) v = Number(BigInt.asIntN(32, BigInt(v) + BigInt(e.integerBias(i, j))));
    if (e.dst === "i32") return v;
    v = fround(v);
    if (e.scale) v = fround(v * e.scale(i, j));
    if (e.bias) v = fround(v + e.bias(i, j));
    if (e.residual) v = fround(v + e.residual(i, j));
    v = ACTIVATIONS[e.activation](v);
    if (e.quantize) return quantized(v, e.quantize, e.dst);
    return e.dst === "f16" || e.dst === "bf16" ? roundTo(e.dst)(v) : convertRule("f32")(v);
  });
}
