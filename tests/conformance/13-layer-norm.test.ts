/** Layer norm of rows: mean, variance, scale and bias. The truth takes the same steps in plain float64, rounding each. */
import { f32, i32, kernel, ptr, S } from "kpu-dsl";
import { describe, test } from "vitest";
import { DTYPES, expectNumbers, FLOATS, held, hostArray, samples, TILES, zeros } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

const LANES = 8;
const EPSILON = 1e-5;
const f = Math.fround;

const SHAPES = [
  [0, 5],
  [1, 1],
  [2, 7],
  [3, 8],
  [2, 9],
  [1, 16],
  [7, 33],
  [5, 128],
  [2, 997],
] as const;

/** Sums over a row by lane, then over the lanes by halves: 0 + 4, 1 + 5, ...; 0 + 2, 1 + 3; 0 + 1. */
function rowSum(terms: readonly number[]): number {
  let sums = new Array<number>(LANES).fill(0);
  for (let i = 0; i < terms.length; i += LANES) sums = sums.map((s, lane) => f(s + (terms[i + lane] ?? 0)));
  for (let n = LANES / 2; n >= 1; n /= 2)
    sums = sums.slice(0, n).map((s, lane) => f(s + (sums[lane + n] as number)));
  return sums[0] as number;
}

function truth(row: readonly number[], gamma: readonly number[], beta: readonly number[]): number[] {
  const n = row.length;
  const mean = f(rowSum(row) / n);
  const away = row.map((v) => f(v - mean));
  const variance = f(rowSum(away.map((d) => f(d * d))) / n);
  const scale = f(1 / Math.sqrt(f(variance + EPSILON)));
  return away.map((d, i) => f(f(f(d * scale) * (gamma[i] as number)) + (beta[i] as number)));
}

group(13, () => {
  describe.each(FLOATS)("%s", (name) => {
    const dtype = DTYPES[name];
    const layerNorm = kernel(
      [ptr(dtype), ptr(dtype), ptr(dtype), ptr(dtype), i32, i32],
      function layerNorm(out, x, gamma, beta, rows, columns) {
        for (let row = S.tileId(); row < rows; row += S.tileCount()) {
          const from = x.at(row * columns);
          let sums = S.vbcast(0, f32, LANES);
          for (const c of S.range(0, columns, LANES)) {
            const mask = S.tailMask(columns - c, LANES);
            sums = S.vadd(sums, S.cast(S.vload(from.at(c), { mask }), f32));
          }
          const mean = S.f32(S.vrpadd(sums) / columns);
          let squares = S.vbcast(0, f32, LANES);
          for (const c of S.range(0, columns, LANES)) {
            const mask = S.tailMask(columns - c, LANES);
            const away = S.vsub(S.cast(S.vload(from.at(c), { mask }), f32), mean, { mask });
            squares = S.vadd(squares, S.vmul(away, away));
          }
          const variance = S.f32(S.vrpadd(squares) / columns);
          const scale = S.vrsqrt(S.f32(variance + EPSILON));
          for (const c of S.range(0, columns, LANES)) {
            const mask = S.tailMask(columns - c, LANES);
            const away = S.vsub(S.cast(S.vload(from.at(c), { mask }), f32), mean);
            const g = S.cast(S.vload(gamma.at(c), { mask }), f32);
            const b = S.cast(S.vload(beta.at(c), { mask }), f32);
            const y = S.vadd(S.vmul(S.vmul(away, scale), g), b);
            S.vstore(S.cast(y, dtype), out.at(row * columns + c), { mask });
          }
        }
      },
    );
    test.each(SHAPES)("%i rows of %i", (rows, columns) => {
      const x = samples(name, rows * columns);
      const gamma = samples(name, columns, 1);
      const beta = samples(name, columns, 2);
      const want = Array.from({ length: rows }, (_, r) =>
        truth(x.slice(r * columns, (r + 1) * columns), gamma, beta).map((v) => held(name, v)),
      ).flat();
      for (const machine of TILES) {
        const out = zeros(name, rows * columns);
        const args = [hostArray(name, x), hostArray(name, gamma), hostArray(name, beta), rows, columns];
        execute(layerNorm, [out, ...args], machine);
        expectNumbers(name, out, want);
      }
    });
  });
});
