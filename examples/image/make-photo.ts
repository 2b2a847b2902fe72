/**
 * Makes photo.png: a deterministic picture with what a photograph has (gradients, texture, soft edges, shadows, grain),
 * so that the repository ships no picture of unknown origin. Run: tsx examples/image/make-photo.ts
 */
import { writeFileSync } from "node:fs";
import { PNG } from "pngjs";
import { isMain } from "../is-main.ts";

const SIZE = 512;
type Color = readonly [number, number, number];

/** Value noise: hashed lattice points, smoothly interpolated. */
function hash(x: number, y: number): number {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}
function noise(x: number, y: number): number {
  const [ix, iy] = [Math.floor(x), Math.floor(y)];
  const smooth = (t: number): number => t * t * (3 - 2 * t);
  const [fx, fy] = [smooth(x - ix), smooth(y - iy)];
  const top = hash(ix, iy) * (1 - fx) + hash(ix + 1, iy) * fx;
  const bottom = hash(ix, iy + 1) * (1 - fx) + hash(ix + 1, iy + 1) * fx;
  return top * (1 - fy) + bottom * fy;
}
function fractal(x: number, y: number, octaves: number): number {
  let sum = 0;
  for (let o = 0, amplitude = 0.5; o < octaves; o++, amplitude /= 2)
    sum += amplitude * noise(x * 2 ** o, y * 2 ** o + 17 * o);
  return sum;
}

const mix = (a: Color, b: Color, t: number): Color => {
  const k = Math.min(Math.max(t, 0), 1);
  return [a[0] + (b[0] - a[0]) * k, a[1] + (b[1] - a[1]) * k, a[2] + (b[2] - a[2]) * k];
};
const step = (from: number, to: number, x: number): number => {
  const t = Math.min(Math.max((x - from) / (to - from), 0), 1);
  return t * t * (3 - 2 * t);
};

/** Sky with clouds and a sun, three ridges in haze, grass, and a sphere with its soft shadow. All in 0..1. */
function scene(u: number, v: number): Color {
  let color = mix([0.25, 0.45, 0.78], [0.95, 0.8, 0.62], v / 0.55);
  const clouds = step(0.45, 0.75, fractal(u * 5 + 3, v * 11, 5));
  color = mix(color, [0.98, 0.94, 0.9], clouds * 0.7 * step(0.5, 0.2, v));
  color = mix(color, [1, 0.96, 0.82], 0.9 * Math.exp(-(((u - 0.72) ** 2 + (v - 0.3) ** 2) * 60)));
  for (let ridge = 0; ridge < 3; ridge++) {
    const top = 0.4 + ridge * 0.07 + 0.16 * (fractal(u * (3 + ridge) + ridge * 9, ridge, 5) - 0.5);
    const rock = 0.75 + 0.5 * (fractal(u * 40, v * 40 + ridge, 4) - 0.5);
    const stone: Color = [0.2 * rock, (0.24 + 0.03 * ridge) * rock, 0.3 * rock];
    color = mix(color, mix(stone, [0.8, 0.74, 0.68], 0.55 - 0.22 * ridge), step(top, top + 0.006, v));
  }
  if (v > 0.58) {
    const depth = (v - 0.58) / 0.42;
    const grass = fractal((u - 0.5) * 60 * (1.3 - depth), 30 / (depth + 0.15), 5);
    let ground = mix([0.32, 0.36, 0.16], [0.16, 0.3, 0.08], grass * 1.6 - 0.2);
    ground = mix([0.62, 0.58, 0.42], ground, step(0, 0.25, depth));
    const shadow = Math.exp(-(((u - 0.27) / 0.16) ** 2 + ((v - 0.845) / 0.035) ** 2));
    color = mix(ground, [0.03, 0.05, 0.04], 0.8 * shadow);
  }
  const [dx, dy] = [(u - 0.34) / 0.13, (v - 0.72) / 0.13];
  const r2 = dx * dx + dy * dy;
  if (r2 < 1.02) {
    const dz = Math.sqrt(Math.max(0, 1 - r2));
    const light = Math.max(0, dx * 0.55 - dy * 0.62 + dz * 0.56);
    const stripes = 0.85 + 0.3 * (fractal(dx * 4 + dz * 3, dy * 9, 4) - 0.5);
    const skin = mix([0.1, 0.04, 0.05], [0.86 * stripes, 0.3 * stripes, 0.2 * stripes], 0.12 + 0.95 * light);
    color = mix(mix(skin, [1, 0.97, 0.9], 0.85 * light ** 40), color, step(0.96, 1.02, r2));
  }
  return color;
}

if (isMain(import.meta.url)) {
  const png = new PNG({ width: SIZE, height: SIZE });
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const [u, v] = [(x + 0.5) / SIZE, (y + 0.5) / SIZE];
      const vignette = 1 - 0.35 * ((u - 0.5) ** 2 + (v - 0.5) ** 2) * 2;
      const grain = (hash(x + 9000, y) + hash(x, y + 9000) - 1) * 5;
      for (const [c, value] of scene(u, v).entries()) {
        png.data[(y * SIZE + x) * 4 + c] = Math.round(
          Math.min(Math.max(value * vignette * 255 + grain, 0), 255),
        );
      }
      png.data[(y * SIZE + x) * 4 + 3] = 255;
    }
  }
  const file = new URL("photo.png", import.meta.url);
  writeFileSync(file, PNG.sync.write(png, { colorType: 2, inputHasAlpha: true }));
  console.log(`wrote ${file.pathname}`);
}
