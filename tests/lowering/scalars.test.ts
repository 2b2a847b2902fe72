/** Random JavaScript expressions mean in a program what they mean in JavaScript. KPU_FUZZ sets the number of kernels. */
import { KpuError, recordOf, TARGETS } from "kpu-dsl";
import { describe, expect, it } from "vitest";
import { bindArguments } from "../../ir/hostargs.ts";
import { interpretKernel } from "../../ir/interpret.ts";
import type { Kernel } from "../../ir/kir.ts";
import { lowerKernel } from "../../lowering/index.ts";
import { type RandomKernel, randomKernel } from "./expressions.ts";

const KERNELS = Number(process.env["KPU_FUZZ"] ?? 150);
const FIRST = Number(process.env["KPU_FUZZ_SEED"] ?? 1);

function interpreted(k: RandomKernel, kernel: Kernel, args: readonly unknown[]): string[] {
  const record = recordOf(k.kernel);
  const specs = lowerKernel(record as NonNullable<typeof record>).paramSpecs;
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line.replace(/^tile 0: /, ""));
  interpretKernel(kernel, bindArguments("k", specs, args), { tiles: 1, target: TARGETS.edge, print });
  return lines;
}

describe("scalar semantics", () => {
  it(`of ${KERNELS} random kernels are those of JavaScript`, () => {
    const refused: string[] = [];
    for (let seed = FIRST; seed < FIRST + KERNELS; seed++) {
      const k = randomKernel(seed);
      const record = recordOf(k.kernel) as NonNullable<ReturnType<typeof recordOf>>;
      let kernel: Kernel;
      try {
        kernel = lowerKernel(record).kernel;
      } catch (error) {
        if (!(error instanceof KpuError))
          throw new Error(`seed ${seed}: ${(error as Error).stack}\n${k.source}`);
        refused.push(`seed ${seed}: ${error.message}`);
        continue;
      }
      for (let round = 0; round < 3; round++) {
        const args = k.args();
        const want = k.plain(args);
        let got: string[];
        try {
          got = interpreted(k, kernel, args);
        } catch (error) {
          throw new Error(
            `seed ${seed}: ${(error as Error).stack}\n${k.source}\nargs ${args.map(String).join(" | ")}`,
          );
        }
        expect(got, `seed ${seed}, args ${args.map(String).join(" | ")}\n${k.source}`).toEqual(want);
      }
    }
    expect(refused).toEqual([]);
  }, 3_600_000);
});
