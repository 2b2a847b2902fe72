/** The example of a record as a kernel over four arrays of 64 elements, as the reference prints it. */
import { dtypeOf, f32, i32 } from "../../dsl/dtypes.ts";
import type { IntrinsicRecord } from "../../dsl/intrinsic.ts";
import { type Kernel, kernel, type ParamDecl, ptr } from "../../dsl/kernel.ts";
import { S } from "../../dsl/s.ts";
import { ALL_DTYPES } from "../../ir/dtype.ts";

/** What an example may name. */
const NAMES: Readonly<Record<string, unknown>> = {
  S,
  ...Object.fromEntries(ALL_DTYPES.map((d) => [d, dtypeOf(d)])),
};

const ELEMENTS = 64;
const BYTES = 4 * ELEMENTS;

/** `kernel(x, y, i, j)`: x and y are f32, i and j are i32. */
export function exampleKernel(r: IntrinsicRecord): Kernel<readonly ParamDecl[]> {
  const name = r.name.replace(".", "_");
  const make = new Function(...Object.keys(NAMES), `return function ${name}(x, y, i, j) { ${r.example} }`);
  const body = make(...Object.values(NAMES)) as (...args: unknown[]) => void;
  return kernel([ptr(f32), ptr(f32), ptr(i32), ptr(i32)], body) as unknown as Kernel<readonly ParamDecl[]>;
}

export const EXAMPLE_BYTES = 4 * BYTES;

/** The four arrays as views of one output of {@link EXAMPLE_BYTES}, filled with plain numbers. */
export function exampleArguments(output: Uint8Array): readonly unknown[] {
  const { buffer } = output;
  const x = new Float32Array(buffer, 0, ELEMENTS);
  const y = new Float32Array(buffer, BYTES, ELEMENTS);
  const i = new Int32Array(buffer, 2 * BYTES, ELEMENTS);
  const j = new Int32Array(buffer, 3 * BYTES, ELEMENTS);
  for (let k = 0; k < ELEMENTS; k++) {
    x[k] = k - 3.5;
    y[k] = 100 + k;
    i[k] = (k * 7) % ELEMENTS;
  }
  return [x, y, i, j];
}
