/**
 * Reads the photograph, runs grey, blur and histogram both directly and compiled, compares every bit, and writes the
 * blurred picture that the compiled program made. `npm run demo` runs this.
 */
import { mkdirSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type AnyKernel, build, simulate } from "kpu-dsl";
import { isMain } from "../is-main.ts";
import { blur, grey, histogram } from "./kernels.ts";
import { readPicture, writeGrey } from "./pictures.ts";

interface Results {
  readonly grey: Uint8Array;
  readonly blurred: Uint8Array;
  readonly counts: Uint32Array;
}

/** The three kernels one after the other, each run by `run`. */
export function processPicture(
  rgb: Uint8Array,
  width: number,
  height: number,
  run: (kernel: AnyKernel, args: unknown[]) => void,
): Results {
  const pixels = width * height;
  const results = {
    grey: new Uint8Array(pixels),
    blurred: new Uint8Array(pixels),
    counts: new Uint32Array(256),
  };
  run(grey, [results.grey, rgb, pixels]);
  run(blur, [results.blurred, results.grey, height, width]);
  run(histogram, [results.counts, results.blurred, pixels]);
  return results;
}

export const runDirect = (kernel: AnyKernel, args: unknown[]): void => void simulate(kernel, args);
export const runCompiled = (kernel: AnyKernel, args: unknown[]): void => void build(kernel).run(...args);

if (isMain(import.meta.url)) {
  const photo = readPicture(new URL("photo.png", import.meta.url));
  const timed = (name: string, run: (kernel: AnyKernel, args: unknown[]) => void): Results => {
    const start = performance.now();
    const results = processPicture(photo.rgb, photo.width, photo.height, run);
    console.log(`${name} execution: ${(performance.now() - start).toFixed(0)} ms`);
    return results;
  };
  console.log(`photo.png: ${photo.width} x ${photo.height}; grey, 5x5 blur, histogram on 2 tiles`);
  const direct = timed("direct  ", runDirect);
  const compiled = timed("compiled", runCompiled);

  const names = ["grey", "blurred", "counts"] as const;
  const differing = names.filter((name) => direct[name].some((v, i) => v !== compiled[name][i]));
  const out = new URL("../../out/", import.meta.url);
  mkdirSync(out, { recursive: true });
  const file = fileURLToPath(new URL("blurred.png", out));
  writeGrey(file, compiled.blurred, photo.width, photo.height);
  console.log(`wrote ${relative(process.cwd(), file)} from the compiled program`);
  console.log(
    differing.length === 0
      ? "direct and compiled agree on every bit"
      : `direct and compiled DIFFER in ${differing.join(", ")}`,
  );
  process.exitCode = differing.length === 0 ? 0 : 1;
}
