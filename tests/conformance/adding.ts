/** What groups 1 to 4 share: kernels `(out, x, y, n)` that add, in many loop forms, against exact sums rounded once. */
import type { AnyKernel } from "kpu-dsl";
import {
  anyValues,
  expectNumbers,
  held,
  hostArray,
  type NumericName,
  samples,
  sizesAround,
  TILES,
  zeros,
} from "../harness/arrays.ts";
import { type ExecuteOptions, execute } from "../harness/execute.ts";

interface AddCases {
  readonly sizes?: readonly number[];
  readonly machines?: readonly ExecuteOptions[];
  /** Arguments after the three arrays: the length, unless it is static. */
  readonly rest?: (n: number) => readonly unknown[];
}

/** Runs an adding kernel over sizes and tile counts; elements beyond the length must stay as they were. */
export function expectAdds(name: NumericName, add: AnyKernel, cases: AddCases = {}): void {
  const { sizes = sizesAround(256 / BITS[name]), machines = TILES, rest = (n) => [n] } = cases;
  const beyond = samples(name, 3, 2);
  for (const n of sizes) {
    const x = anyValues(name, n);
    const y = anyValues(name, n, 1);
    const want = x.map((v, i) => held(name, v + (y[i] as number)));
    for (const machine of machines) {
      const out = zeros(name, n + beyond.length);
      out.set(hostArray(name, beyond), n);
      execute(add, [out, hostArray(name, x), hostArray(name, y), ...rest(n)], machine);
      expectNumbers(name, out, [...want, ...beyond]);
    }
  }
}

const BITS = { i8: 8, u8: 8, i16: 16, u16: 16, i32: 32, u32: 32, f16: 16, bf16: 16, f32: 32 };
