/** Depthwise 3x3 convolution, height x width x channels, zeros around the image: by conditions, and by padded scratch. */
import { bf16, f16, f32, i8, i16, i32, kernel, type NumD, ptr, S, u8, u16, type Vec } from "kpu-dsl";
import { describe, test } from "vitest";
import {
  DTYPES,
  expectNumbers,
  held,
  hostArray,
  type NumericName,
  samples,
  TILES,
  zeros,
} from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

const LANES = 16;
const MAX_ROW = 512;
const NUMBERS = Array.from({ length: LANES }, (_, i) => i);

/** height, width, channels. */
const SHAPES = [
  [1, 1, 1],
  [1, 4, 16],
  [4, 1, 3],
  [3, 3, 15],
  [5, 7, 17],
  [8, 9, 32],
  [2, 11, 33],
] as const;

type Step<A extends NumD> = (sum: Vec<A>, x: Vec<A>, w: Vec<A>) => Vec<A>;
const fused: Step<f32> = (sum, x, w) => S.vfma(sum, x, w);
const wrapping: Step<i32> = (sum, x, w) => S.vadd(sum, S.vmul(x, w));

/** Taps outside the image are skipped. */
function byConditions<A extends NumD>(data: NumD, acc: A, step: Step<A>, stride: number) {
  return kernel(
    [ptr(acc), ptr(data), ptr(data), u16, u16, u16],
    function byConditions(out, x, w, height, width, channels) {
      const outHeight = S.ceildiv(height, stride);
      const outWidth = S.ceildiv(width, stride);
      for (let row = S.tileId(); row < outHeight; row += S.tileCount()) {
        for (let column = 0; column < outWidth; column++) {
          for (let c = 0; c < channels; c += LANES) {
            const mask = S.tailMask(channels - c, LANES);
            let sum = S.vbcast(0, acc, LANES);
            for (let dy = 0; dy < 3; dy++) {
              const y = row * stride + dy - 1;
              if (y < 0 || y >= height) continue;
              for (let dx = 0; dx < 3; dx++) {
                const at = column * stride + dx - 1;
                if (at < 0 || at >= width) continue;
                const v = S.cast(S.vload(x.at((y * width + at) * channels + c), { mask }), acc);
                const k = S.cast(S.vload(w.at((dy * 3 + dx) * channels + c), { mask }), acc);
                sum = step(sum, v, k);
              }
            }
            S.vstore(sum, out.at((row * outWidth + column) * channels + c), { mask });
          }
        }
      }
    },
  );
}

/** Three rows with a border of zeros in scratch memory; all nine taps are always taken. */
function byPadding<A extends NumD>(data: NumD, acc: A, step: Step<A>) {
  return kernel(
    [ptr(acc), ptr(data), ptr(data), u16, u16, u16],
    function byPadding(out, x, w, height, width, channels) {
      S.assert((width + 2) * channels <= MAX_ROW, "a row fits the scratch memory");
      const rows = S.alloc(data, [3, MAX_ROW]);
      const numbers = S.vload(S.allocConst(i32, NUMBERS), { lanes: LANES });
      const line = S.i32(width * channels);
      for (let row = S.tileId(); row < height; row += S.tileCount()) {
        for (const dy of S.unroll(3)) {
          S.dmaMemset(rows.at(dy), 0, (width + 2) * channels);
          const y = row + dy - 1;
          if (y >= 0 && y < height) S.dmaCopy(rows.at(dy, channels), x.at(y * line), line);
        }
        for (let at = 0; at < line; at += LANES) {
          const mask = S.tailMask(line - at, LANES);
          let sum = S.vbcast(0, acc, LANES);
          for (const dy of S.unroll(3))
            for (const dx of S.unroll(3)) {
              const v = S.cast(S.vload(rows.at(dy, at + dx * channels), { mask }), acc);
              // The channel of a lane goes round: weights are gathered.
              const index = S.vmod(S.vadd(numbers, at), channels);
              const k = S.cast(S.vloadGather(w.at((dy * 3 + dx) * channels), index, { mask }), acc);
              sum = step(sum, v, k);
            }
          S.vstore(sum, out.at(row * line + at), { mask });
        }
      }
    },
  );
}
function truth(
  acc: NumericName,
  [height, width, channels]: readonly [number, number, number],
  x: readonly number[],
  w: readonly number[],
  stride: number,
): number[] {
  const out: number[] = [];
  for (let row = 0; row < height; row += stride)
    for (let column = 0; column < width; column += stride)
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let tap = 0; tap < 9; tap++) {
          const y = row + Math.floor(tap / 3) - 1;
          const at = column + (tap % 3) - 1;
          if (y < 0 || y >= height || at < 0 || at >= width) continue;
          sum = held(
            acc,
            sum + (x[(y * width + at) * channels + c] as number) * (w[tap * channels + c] as number),
          );
        }
        out.push(sum);
      }
  return out;
}

const kernels = <A extends NumD>(data: NumD, acc: A, step: Step<A>) => ({
  data: data.name,
  acc: acc.name,
  kernels: [
    { name: "taps by conditions", k: byConditions(data, acc, step, 1), stride: 1 },
    { name: "stride 2", k: byConditions(data, acc, step, 2), stride: 2 },
    { name: "padded scratch", k: byPadding(data, acc, step), stride: 1 },
  ],
});

group(15, () => {
  describe.each([
    kernels(f32, f32, fused),
    kernels(f16, f32, fused),
    kernels(bf16, f32, fused),
    kernels(i8, i32, wrapping),
    kernels(u8, i32, wrapping),
    kernels(i16, i32, wrapping),
    kernels(DTYPES.u16, i32, wrapping),
  ])("$data", ({ data, acc, kernels }) => {
    for (const { name, k, stride } of kernels)
      test(name, () => {
        for (const shape of SHAPES) {
          const [height, width, channels] = shape;
          const x = samples(data, height * width * channels);
          const w = samples(data, 9 * channels, 1);
          const want = truth(acc, shape, x, w, stride);
          for (const machine of TILES) {
            const out = zeros(acc, want.length);
            execute(k, [out, hostArray(data, x), hostArray(data, w), height, width, channels], machine);
            expectNumbers(acc, out, want);
          }
        }
      });
  });
});
