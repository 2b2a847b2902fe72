/**
 * Random JavaScript expressions and programs mean the same four ways: as plain JavaScript, by direct execution, by the
 * KIR interpreter and as a compiled program. KPU_FUZZ sets the number of kernels (each prints some ten expressions,
 * three times), KPU_FUZZ_SEED the first seed. Every other kernel waits at barriers in its helpers, on two tiles.
 */
import { build, KpuError, recordOf, simulate, TARGETS } from "kpu-dsl";
import { describe, expect, it } from "vitest";
import { bindArguments } from "../../ir/hostargs.ts";
import { interpretKernel } from "../../ir/interpret.ts";
import { lowerKernel } from "../../lowering/index.ts";
import { type RandomKernel, randomKernel } from "./expressions.ts";

const KERNELS = Number(process.env["KPU_FUZZ"] ?? 120);
const FIRST = Number(process.env["KPU_FUZZ_SEED"] ?? 1);

type Run = (args: readonly unknown[], print: (line: string) => void) => void;

/** The three executions of this package. */
function executions(k: RandomKernel, tiles: number): Record<string, Run> {
  const record = recordOf(k.kernel) as NonNullable<ReturnType<typeof recordOf>>;
  const { kernel, paramSpecs } = lowerKernel(record);
  const program = build(k.kernel);
  return {
    interpreted: (args, print) =>
      interpretKernel(kernel, bindArguments("k", paramSpecs, args), {
        tiles,
        target: TARGETS.edge,
        print,
      }),
    compiled: (args, print) => program.runWith({ tiles, print }, ...(args as never[])),
    direct: (args, print) => void simulate(k.kernel, args, { tiles, print }),
  };
}

describe("scalar semantics", () => {
  it(`of ${KERNELS} random kernels are those of JavaScript`, () => {
    for (let seed = FIRST; seed < FIRST + KERNELS; seed++) {
      const waits = seed % 2 === 0;
      const k = randomKernel(seed, { waits });
      let runs: Record<string, Run>;
      try {
        runs = executions(k, waits ? 2 : 1);
      } catch (error) {
        throw new Error(
          `seed ${seed}: ${error instanceof KpuError ? error.message : (error as Error).stack}\n${k.source}`,
        );
      }
      for (let round = 0; round < 3; round++) {
        const args = k.args();
        const want = k.plain(args);
        const shown = `args ${args.map(String).join(" | ")}\n${k.source}`;
        for (const [name, run] of Object.entries(runs)) {
          const got: string[] = [];
          try {
            run(args, (line) => {
              if (line.startsWith("tile 0: ")) got.push(line.slice("tile 0: ".length));
            });
          } catch (error) {
            throw new Error(`seed ${seed}, ${name}: ${(error as Error).stack}\n${shown}`);
          }
          expect(got, `seed ${seed}, ${name}, ${shown}`).toEqual(want);
        }
      }
    }
  }, 3_600_000);
});
