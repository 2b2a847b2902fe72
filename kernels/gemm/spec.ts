/** What a product of matrices is asked to be, apart from its sizes. */

import type { Quantization } from "../../dsl/intrinsics/path.ts";
import { fail } from "../../ir/diagnostic.ts";
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import type { ActivationName } from "../../ir/path/activations.ts";
import { pathMismatch, unpacked } from "../../ir/path/operands.ts";

/**
 * out = activation(scale * a b + bias + residual), each step as S.drain makes it. Matrices are row-major without gaps.
 *
 *     { a: "i8", b: "i8", out: "i8", scale: 0.01, bias: "i32", activation: "relu", quantize: { scale: 0.1 } }
 */
export interface GemmSpec {
  /** f32, f16, bf16, i8 or u8. */
  readonly a: DTypeName;
  /** As a; with integers also i4 and u4, of which a row in memory has an even number of elements. */
  readonly b: DTypeName;
  readonly out: DTypeName;
  /** a is stored as k rows of m. */
  readonly transposeA?: boolean;
  /** b is stored as n rows of k. */
  readonly transposeB?: boolean;
  /** One number, or one f32 of each column (or row, by `axis`). */
  readonly scale?: number | "vector";
  /** Dtype of a bias of n (or m) elements. */
  readonly bias?: DTypeName;
  /** What bias and scales belong to; "column" when absent. */
  readonly axis?: "column" | "row";
  /** Dtype of an m x n matrix that is added before the activation. */
  readonly residual?: DTypeName;
  /** Of a residual of i8 or u8. */
  readonly residualQuantization?: Quantization;
  readonly activation?: ActivationName;
  /** Of an output of i8 or u8. */
  readonly quantize?: Quantization;
}

/** What the fabric adds up in. */
export function sumDtype(spec: GemmSpec): DTypeName {
  return DTYPES[spec.a].kind === "int" ? "i32" : "f32";
}

/** @throws KPU4007 a combination of dtypes that the matrix path does not have */
export function checkSpec(spec: GemmSpec): void {
  const dtypes: { readonly [name: string]: DTypeName } = {
    a: spec.a,
    b: unpacked(spec.b),
    acc: sumDtype(spec),
    dst: spec.out,
    ...(spec.bias === undefined ? {} : { bias: spec.bias }),
    ...(spec.residual === undefined ? {} : { residual: spec.residual }),
  };
  const at = (name: string) => ({ dtype: dtypes[name] as DTypeName, scope: "l2" as const });
  const epilogue = {
    activation: spec.activation ?? "none",
    bias: spec.bias !== undefined,
    scale: spec.scale === undefined ? undefined : typeof spec.scale === "number" ? "number" : "vector",
    residual:
      spec.residual === undefined
        ? undefined
        : spec.residualQuantization === undefined
          ? "plain"
          : "quantized",
    quantized: spec.quantize !== undefined,
  };
  const wrong = pathMismatch("mma", {}, at) ?? pathMismatch("drain", epilogue, at);
  if (wrong !== undefined)
    fail("KPU4007", `gemm ${wrong}`, {
      help: "f32, f16 or bf16 in both operands give f32 sums, i8 and u8 in any mix (i4 and u4 in b) give i32",
      data: { ...spec },
    });
}
