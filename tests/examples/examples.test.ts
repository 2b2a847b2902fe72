/** Every example against a ground truth of plain code, in both executions; and property-tested for agreement. */
import { type AnyKernel, recordOf } from "kpu-dsl";
import "kpu-dsl/vitest";
import { describe, expect, test } from "vitest";
import { Blas } from "../../examples/blas.ts";
import { scale } from "../../examples/double-buffer.ts";
import * as elementwise from "../../examples/elementwise.ts";
import * as image from "../../examples/image/kernels.ts";
import { matmul } from "../../examples/matmul.ts";
import { prefixSum } from "../../examples/prefix-sum.ts";
import { addInt8, exampleA, exampleB, exampleSum } from "../../examples/quantized-add.ts";
import { saxpy } from "../../examples/saxpy.ts";
import { softmax } from "../../examples/softmax.ts";
import { vectorAdd } from "../../examples/vector-add.ts";
import { hostArray, numbersOf, SIZES, samples } from "../harness/arrays.ts";
import { type Execution, executeAs } from "../harness/execute.ts";

const floats = (n: number, salt = 0): Float32Array => Float32Array.from(samples("f32", n, salt));

describe.each<Execution>(["direct", "compiled"])("%s", (execution) => {
  const run = (kernel: AnyKernel, ...args: unknown[]): void => executeAs(execution, kernel, args);

  test("vector add", () => {
    for (const n of SIZES) {
      const [x, y, sum] = [floats(n), floats(n, 1), new Float32Array(n)];
      run(vectorAdd, sum, x, y, n);
      expect([...sum]).toEqual([...x].map((v, i) => v + (y[i] as number)));
    }
  });

  test("saxpy, as a function and as a method", () => {
    for (const n of SIZES) {
      for (const kernel of [saxpy, Blas.saxpy]) {
        const [x, y] = [floats(n), floats(n, 1)];
        const want = [...x].map((v, i) => 2.5 * v + (y[i] as number));
        run(kernel, x, y, 2.5, n);
        expect([...y]).toEqual(want);
      }
    }
  });

  test("scal and dot", () => {
    for (const n of SIZES) {
      const [x, y, result] = [floats(n), floats(n, 1), new Float32Array(1)];
      run(Blas.dot, result, x, y, n);
      expect(result[0]).toBe([...x].reduce((s, v, i) => s + v * (y[i] as number), 0));
      run(Blas.scal, x, -0.5, n);
      expect([...x]).toEqual(samples("f32", n).map((v) => v * -0.5));
    }
  });

  test("templates over dtype and operation", () => {
    const wrap = (x: number, bits: number): number => Number(BigInt.asIntN(bits, BigInt(x)));
    const cases = [
      [elementwise.addF32, "f32", (a: number, b: number) => a + b],
      [elementwise.addF16, "f16", (a: number, b: number) => a + b],
      [elementwise.mulI8, "i8", (a: number, b: number) => wrap(a * b, 8)],
      [elementwise.addSaturatingU8, "u8", (a: number, b: number) => Math.min(a + b, 255)],
      [elementwise.subI16, "i16", (a: number, b: number) => a - b],
      [elementwise.divU16, "u16", (a: number, b: number) => (b === 0 ? 0 : Math.trunc(a / b))],
      [elementwise.modI32, "i32", (a: number, b: number) => (b === 0 ? 0 : (a % b) + 0)],
      [elementwise.maxU32, "u32", Math.max],
      [elementwise.relu6Sum, "f32", (a: number, b: number) => Math.min(Math.max(a + b, 0), 6)],
    ] as const;
    for (const [kernel, dtype, truth] of cases) {
      for (const n of SIZES) {
        const [x, y] = [samples(dtype, n), samples(dtype, n, 1)];
        const out = hostArray(dtype, new Array(n).fill(0));
        run(kernel, out, hostArray(dtype, x), hostArray(dtype, y), n);
        expect(numbersOf(dtype, out)).toEqual(x.map((v, i) => truth(v, y[i] as number)));
      }
    }
  });

  test("softmax: rows sum to 1 and are right within rounding", () => {
    for (const [rows, columns] of [
      [0, 5],
      [1, 1],
      [3, 8],
      [5, 13],
      [4, 100],
    ] as const) {
      const x = floats(rows * columns);
      const out = new Float32Array(rows * columns);
      run(softmax, out, x, rows, columns);
      for (let r = 0; r < rows; r++) {
        const row = [...x.subarray(r * columns, (r + 1) * columns)];
        const exps = row.map((v) => Math.exp(v - Math.max(...row)));
        const sum = exps.reduce((s, v) => s + v, 0);
        exps.forEach((e, c) => {
          expect(Math.abs((out[r * columns + c] as number) - e / sum)).toBeLessThan(1e-6);
        });
      }
    }
  });

  test("quantised add: the exact value, rounded half to even, within one step of the fixed-point ratio", () => {
    const n = 997;
    const [x, y, out] = [
      hostArray("i8", samples("i8", n)),
      hostArray("i8", samples("i8", n, 1)),
      new Int8Array(n),
    ];
    run(addInt8, out, x, y, n);
    for (let i = 0; i < n; i++) {
      const real =
        exampleA.scale * ((x[i] as number) - exampleA.zeroPoint) +
        exampleB.scale * ((y[i] as number) - exampleB.zeroPoint);
      const want = Math.min(Math.max(real / exampleSum.scale + exampleSum.zeroPoint, -128), 127);
      expect(Math.abs((out[i] as number) - want)).toBeLessThan(0.502);
    }
  });

  test("matmul", () => {
    for (const [m, n, k] of [
      [0, 0, 0],
      [1, 1, 1],
      [4, 8, 3],
      [5, 9, 7],
      [13, 20, 16],
      [8, 16, 0],
    ] as const) {
      const [a, b, c] = [floats(m * k), floats(k * n, 1), new Float32Array(m * n)];
      run(matmul, c, a, b, m, n, k);
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let l = 0; l < k; l++) sum += (a[i * k + l] as number) * (b[l * n + j] as number);
          expect(c[i * n + j]).toBe(sum);
        }
      }
    }
  });

  test("double-buffered scale", () => {
    for (const n of [0, 1, 63, 64, 65, 128, 129, 500, 997]) {
      const [x, out] = [floats(n), new Float32Array(n)];
      run(scale, out, x, -3, n);
      expect([...out]).toEqual([...x].map((v) => v * -3));
    }
  });

  test("prefix sum, on any number of tiles", () => {
    for (const tiles of [1, 2, 7, 32]) {
      for (const n of [0, 1, 5, 31, 32, 33, 997]) {
        const x = Int32Array.from({ length: n }, (_, i) => Math.imul(i + 1, 0x9e3779b1));
        const out = new Int32Array(n);
        executeAs(execution, prefixSum, [out, x, n], { target: "t64", tiles });
        let sum = 0;
        expect([...out]).toEqual([...x].map((v) => (sum = (sum + v) | 0)));
      }
    }
  });

  test("grey, blur, histogram", () => {
    for (const [height, width] of [
      [0, 0],
      [1, 1],
      [2, 3],
      [9, 40],
      [33, 17],
    ] as const) {
      const pixels = height * width;
      const rgb = Uint8Array.from({ length: 3 * pixels }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24);
      const grey = new Uint8Array(pixels);
      run(image.grey, grey, rgb, pixels);
      expect([...grey]).toEqual(
        Array.from({ length: pixels }, (_, i) =>
          Math.floor(
            (77 * (rgb[3 * i] as number) +
              150 * (rgb[3 * i + 1] as number) +
              29 * (rgb[3 * i + 2] as number) +
              128) /
              256,
          ),
        ),
      );
      const blurred = new Uint8Array(pixels);
      run(image.blur, blurred, grey, height, width);
      expect([...blurred]).toEqual(blurTruth([...grey], height, width));
      const counts = new Uint32Array(256);
      run(image.histogram, counts, blurred, pixels);
      const want = new Array<number>(256).fill(0);
      for (const v of blurred) want[v] = (want[v] as number) + 1;
      expect([...counts]).toEqual(want);
    }
  });
});

function blurTruth(pixels: readonly number[], height: number, width: number): number[] {
  const weights = [1, 4, 6, 4, 1];
  const clamp = (v: number, size: number): number => Math.min(Math.max(v, 0), size - 1);
  return pixels.map((_, i) => {
    let sum = 0;
    for (let dy = -2; dy <= 2; dy++) {
      for (let dx = -2; dx <= 2; dx++) {
        const at = clamp(Math.floor(i / width) + dy, height) * width + clamp((i % width) + dx, width);
        sum += (weights[dy + 2] as number) * (weights[dx + 2] as number) * (pixels[at] as number);
      }
    }
    return Math.floor((sum + 128) / 256);
  });
}

const everyKernel = [
  vectorAdd,
  saxpy,
  Blas.saxpy,
  Blas.scal,
  Blas.dot,
  softmax,
  addInt8,
  matmul,
  scale,
  prefixSum,
  ...Object.values(image),
  ...Object.values(elementwise),
]
  .filter((k) => recordOf(k) !== undefined)
  .map((k, i) => [`${recordOf(k)?.name} (${i})`, k] as const);

test.each(everyKernel)("%s agrees with itself on generated inputs", (_name, kernel) => {
  expect(kernel).toAgree({ runs: 40 });
});
