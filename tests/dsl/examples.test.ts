/** Every record's example runs, in both executions, with the same bits. */
import { describe, expect, it } from "vitest";
import { INTRINSICS } from "../../dsl/index.ts";
import {
  bf16,
  bool,
  build,
  f16,
  f32,
  i8,
  i16,
  i32,
  kernel,
  ptr,
  S,
  simulate,
  u8,
  u16,
  u32,
} from "../../index.ts";

/** What an example may name. */
const NAMES = { S, i8, u8, i16, u16, i32, u32, f16, bf16, f32, bool };

/** A kernel around the lines of an example. */
function exampleKernel(lines: string, name: string) {
  const make = new Function(...Object.keys(NAMES), `return function ${name}(x, y, i, j) { ${lines} }`);
  return kernel([ptr(f32), ptr(f32), ptr(i32), ptr(i32)], make(...Object.values(NAMES)) as () => void);
}
const inputs = (): [Float32Array, Float32Array, Int32Array, Int32Array] => [
  Float32Array.from({ length: 64 }, (_, k) => k - 3.5),
  Float32Array.from({ length: 64 }, (_, k) => 100 + k),
  Int32Array.from({ length: 64 }, (_, k) => (k * 7) % 64),
  new Int32Array(64),
];

describe("examples of the reference", () => {
  for (const record of INTRINSICS) {
    it(record.name, () => {
      const k = exampleKernel(record.example, record.name.replace(".", "_"));
      const [direct, compiled] = [inputs(), inputs()];
      const lines: [string[], string[]] = [[], []];
      simulate(k, direct, { tiles: 1, print: (l) => lines[0].push(l) });
      build(k).runWith({ tiles: 1, print: (l) => lines[1].push(l) }, ...compiled);
      expect(compiled).toEqual(direct);
      expect(lines[1]).toEqual(lines[0]);
    });
  }
});
