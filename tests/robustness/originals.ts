/** Program files that mutants are made of: kernels of the repository, generated ones and random KIR, with descriptions and weights. */
import fc from "fast-check";
import { emitKernel } from "../../codegen/index.ts";
import { KpuProgram } from "../../runtime/index.ts";
import {
  arbitraryFile,
  type Compiled,
  compiledOfKernelsmith,
  compiledOfRandomKir,
  compiledOfTheRepository,
} from "../codegen/files.ts";
import { Original } from "./mutants.ts";

function original(compiled: Compiled, seed: number): Original {
  const [file] = fc.sample(arbitraryFile(compiled), { numRuns: 1, seed });
  if (file === undefined) throw new TypeError("fast-check gave no sample");
  return new Original(new KpuProgram(emitKernel(file.machine, file.source, file)));
}

/** So many of random KIR, which is small, and with `all` those of real kernels. */
export function originals(count: number, all: boolean): readonly Original[] {
  const random = fc.sample(compiledOfRandomKir, { numRuns: count, seed: 11 });
  const real = all
    ? [...compiledOfTheRepository(), ...Array.from({ length: 20 }, (_, n) => compiledOfKernelsmith(n))]
    : [];
  return [...random, ...real].map((compiled, i) => original(compiled, i));
}
