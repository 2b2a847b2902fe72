/** The kernels of examples/ on every preset, with generated inputs: each has a time, and the invariants hold. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as fc from "fast-check";
import { type AnyKernel, build, KpuError, recordOf } from "kpu-dsl";
import { PRESET_NAMES, PRESETS, targetOf } from "kpu-dsl/machine";
import { expect, test } from "vitest";
import { inputCases } from "../../equivalence/arbitrary.ts";
import { descriptionOf } from "../../equivalence/inputs.ts";
import { traceProgram } from "../../runtime/index.ts";
import { INVARIANTS, runOf } from "./invariants.ts";
import { commandsIn } from "./programs.ts";

const folder = fileURLToPath(new URL("../../examples/", import.meta.url));
const files = readdirSync(folder).filter((f) => f.endsWith(".ts"));

async function kernelsOf(file: string): Promise<readonly (readonly [name: string, kernel: AnyKernel])[]> {
  const module = (await import(pathToFileURL(join(folder, file)).href)) as Readonly<Record<string, unknown>>;
  const members = Object.values(module).flatMap((x) =>
    typeof x === "function" && recordOf(x) === undefined
      ? Object.getOwnPropertyNames(x).map((key) => Object.getOwnPropertyDescriptor(x, key)?.value as unknown)
      : [x],
  );
  return members.flatMap((x) => {
    const record = recordOf(x);
    return record === undefined ? [] : [[record.name, x as AnyKernel] as const];
  });
}

const found = (await Promise.all(files.map(kernelsOf))).flat();

test.each(found)("%s", (_, kernel) => {
  const record = recordOf(kernel);
  if (record === undefined) throw new TypeError("no kernel");
  fc.assert(
    fc.property(inputCases(fc, descriptionOf(record), PRESET_NAMES), ({ args, where }) => {
      const machine = PRESETS[where];
      let program: ReturnType<typeof build>;
      try {
        program = build(kernel, { target: targetOf(machine) });
      } catch (error) {
        // Its buffers are too large for some.
        if (error instanceof KpuError && error.code === "KPU4003") return;
        throw error;
      }
      const trace = traceProgram(program, args, { tiles: Math.min(4, machine.tile.count) });
      if (commandsIn(trace) > 500) return;
      const run = runOf(trace, machine);
      for (const [name, check] of Object.entries(INVARIANTS)) expect(check(run), name).toEqual([]);
    }),
    { numRuns: 4 },
  );
});
