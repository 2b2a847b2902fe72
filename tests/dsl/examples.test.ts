/** Every record's example runs, in both executions, with the same bits. */
import { describe, expect, it } from "vitest";
import { INTRINSICS } from "../../dsl/index.ts";
import { exampleKernel } from "../../equivalence/matrix/example.ts";
import { build, simulate } from "../../index.ts";

const inputs = (): [Float32Array, Float32Array, Int32Array, Int32Array] => [
  Float32Array.from({ length: 64 }, (_, k) => k - 3.5),
  Float32Array.from({ length: 64 }, (_, k) => 100 + k),
  Int32Array.from({ length: 64 }, (_, k) => (k * 7) % 64),
  new Int32Array(64),
];

describe("examples of the reference", () => {
  for (const record of INTRINSICS) {
    it(record.name, () => {
      const k = exampleKernel(record);
      const [direct, compiled] = [inputs(), inputs()];
      const lines: [string[], string[]] = [[], []];
      simulate(k, direct, { tiles: 1, print: (l) => lines[0].push(l) });
      build(k).runWith({ tiles: 1, print: (l) => lines[1].push(l) }, ...compiled);
      expect(compiled).toEqual(direct);
      expect(lines[1]).toEqual(lines[0]);
    });
  }
});
