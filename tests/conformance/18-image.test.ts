/** RGB to grey and a 5x5 blur: the example's 8-bit kernels and float ones, against loops over pixels in integers. */
import { f32, i32, kernel, ptr, S, u8 } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { blur, grey } from "../../examples/image/kernels.ts";
import { anyValues, hostArray, TILES } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

const PIXELS = [0, 1, 15, 16, 17, 31, 32, 33, 255, 997];
const SHAPES = [
  [0, 4],
  [1, 1],
  [1, 7],
  [2, 2],
  [3, 16],
  [5, 5],
  [7, 17],
  [16, 31],
  [33, 48],
] as const;
const WEIGHTS = [1, 4, 6, 4, 1];

/** Planes of red, green, blue instead of pixels. */
const greyPlanes = kernel([ptr(u8), ptr(u8), ptr(u8), ptr(u8), i32], function greyPlanes(out, r, g, b, n) {
  for (let i = S.tileId(); i < n; i += S.tileCount())
    out.set(i, (77 * r.get(i) + 150 * g.get(i) + 29 * b.get(i) + 128) >> 8);
});
/** In f32: 0.299, 0.587, 0.114, rounded half to even. */
const greyFloats = kernel([ptr(u8), ptr(u8), i32], function greyFloats(out, rgb, pixels) {
  for (let i = S.tileId() * 8; i < pixels; i += S.tileCount() * 8) {
    const mask = S.tailMask(pixels - i, 8);
    const [r, g, b] = [0, 1, 2].map((c) => S.cast(S.vload(rgb.at(3 * i + c), { mask, stride: 3 }), f32));
    const luma = S.vfma(S.vfma(S.vmul(r!, 0.299), g!, 0.587), b!, 0.114);
    S.vstore(S.cast(S.vrint(luma), u8), out.at(i), { mask });
  }
});
/** All 25 taps of every pixel, one after the other. */
const blurTaps = kernel([ptr(u8), ptr(u8), i32, i32], function blurTaps(out, image, height, width) {
  for (let y = S.tileId(); y < height; y += S.tileCount()) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (const dy of S.unroll(5))
        for (const dx of S.unroll(5)) {
          const row = S.clip(y + dy - 2, 0, height - 1);
          const column = S.clip(x + dx - 2, 0, width - 1);
          sum += WEIGHTS[dy]! * WEIGHTS[dx]! * image.get(row * width + column);
        }
      out.set(y * width + x, (sum + 128) >> 8);
    }
  }
});

const clamp = (v: number, high: number): number => Math.min(Math.max(v, 0), high);

function blurTruth(image: readonly number[], height: number, width: number): number[] {
  return image.map((_, i) => {
    let sum = 0;
    WEIGHTS.forEach((wy, dy) => {
      WEIGHTS.forEach((wx, dx) => {
        const y = clamp(Math.floor(i / width) + dy - 2, height - 1);
        const x = clamp((i % width) + dx - 2, width - 1);
        sum += wy * wx * (image[y * width + x] as number);
      });
    });
    return (sum + 128) >> 8;
  });
}
function fixedGrey(r: number, g: number, b: number): number {
  return (77 * r + 150 * g + 29 * b + 128) >> 8;
}
function floatGrey(r: number, g: number, b: number): number {
  const f = Math.fround;
  const luma = f(f(f(r * f(0.299)) + g * f(0.587)) + b * f(0.114));
  const floor = Math.floor(luma);
  return luma - floor === 0.5 ? floor + (floor % 2) : Math.round(luma);
}

group(18, () => {
  test.each([
    ["packed pixels in 16-bit integers", grey, fixedGrey],
    ["packed pixels in floats", greyFloats, floatGrey],
  ] as const)("grey: %s", (_, k, truth) => {
    for (const n of PIXELS) {
      const rgb = anyValues("u8", 3 * n);
      const want = Array.from({ length: n }, (_v, i) =>
        truth(...(rgb.slice(3 * i, 3 * i + 3) as [number, number, number])),
      );
      for (const machine of TILES) {
        const out = new Uint8Array(n);
        execute(k, [out, hostArray("u8", rgb), n], machine);
        expect([...out]).toEqual(want);
      }
    }
  });
  test("grey: planes", () => {
    for (const n of PIXELS) {
      const planes = [0, 1, 2].map((salt) => anyValues("u8", n, salt));
      const want = Array.from({ length: n }, (_, i) =>
        fixedGrey(...(planes.map((p) => p[i]) as [number, number, number])),
      );
      for (const machine of TILES) {
        const out = new Uint8Array(n);
        execute(greyPlanes, [out, ...planes.map((p) => hostArray("u8", p)), n], machine);
        expect([...out]).toEqual(want);
      }
    }
  });
  describe("blur", () => {
    test.each([
      ["rows, then columns, in scratch memory", blur],
      ["25 taps", blurTaps],
    ] as const)("%s", (_, k) => {
      for (const [height, width] of SHAPES) {
        const image = anyValues("u8", height * width);
        const want = blurTruth(image, height, width);
        for (const machine of TILES) {
          const out = new Uint8Array(height * width);
          execute(k, [out, hostArray("u8", image), height, width], machine);
          expect([...out]).toEqual(want);
        }
      }
    });
  });
});
