/** PNG files as the arrays that kernels take. */
import { readFileSync, writeFileSync } from "node:fs";
import { PNG } from "pngjs";

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Packed R, G, B. */
  readonly rgb: Uint8Array;
}

export function readPicture(file: string | URL): Picture {
  const { width, height, data } = PNG.sync.read(readFileSync(file));
  const rgb = new Uint8Array(width * height * 3);
  for (let p = 0; p < width * height; p++) rgb.set(data.subarray(4 * p, 4 * p + 3), 3 * p);
  return { width, height, rgb };
}

export function writeGrey(file: string | URL, grey: Uint8Array, width: number, height: number): void {
  const png = new PNG({ width, height });
  for (let p = 0; p < width * height; p++)
    png.data.set([grey[p] ?? 0, grey[p] ?? 0, grey[p] ?? 0, 255], 4 * p);
  writeFileSync(file, PNG.sync.write(png, { colorType: 0, inputHasAlpha: true }));
}
