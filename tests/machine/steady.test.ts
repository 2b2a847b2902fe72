/** Loops that are not replayed round by round give the results of those that are, bit for bit. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { gemmTrace } from "../../bench/gemm-trace.ts";
import { compileTrace } from "../../machine/model/program.ts";
import { Replay } from "../../machine/model/replay.ts";
import { Steady } from "../../machine/model/steady.ts";
import { endOf } from "../../machine/model/summary.ts";
import { PRESETS } from "../../machine/presets/index.ts";
import type { MachineConfig } from "../../machine/schema.ts";
import type { Item, Trace } from "../../machine/trace.ts";
import { arbitraryCase } from "./arbitraries.ts";
import { smallMachine } from "./machines.ts";

/** Everything that a run leaves behind. */
function outcome(trace: Trace, config: MachineConfig, symbolic: boolean) {
  const replay = new Replay(compileTrace(trace, config));
  const steady = symbolic ? new Steady(replay) : undefined;
  replay.hook = steady;
  expect(replay.run(Infinity)).toBe(true);
  const { counters, since, mode } = replay.state;
  const left = { counters, end: endOf(replay), since, mode, rows: replay.stages.dram.open };
  return { left, skipped: steady?.skipped ?? 0 };
}

test("random loop nests", () => {
  let skipping = 0;
  const runs = 300;
  fc.assert(
    fc.property(arbitraryCase({ rounds: 40, depth: 2 }), ({ trace, config }) => {
      const symbolic = outcome(trace, config, true);
      if (symbolic.skipped > 0) skipping++;
      expect(symbolic.left).toEqual(outcome(trace, config, false).left);
    }),
    { numRuns: runs },
  );
  // The property would hold without anything being skipped.
  expect(skipping).toBeGreaterThan(runs / 4);
});

test("products of matrices, skipping nearly all rounds", () => {
  for (const [m, n, k] of [
    [256, 256, 1024],
    [128, 512, 4096],
  ] as const) {
    const trace = gemmTrace({ m, n, k, block: 32 });
    const symbolic = outcome(trace, PRESETS.edge, true);
    expect(symbolic.left).toEqual(outcome(trace, PRESETS.edge, false).left);
    expect(symbolic.skipped).toBeGreaterThan(0);
  }
});

test.each([1, 2, 3, 5])("rounds that take turns on %d channels of DRAM: most are skipped", (channels) => {
  // Rows so long that each channel opens one.
  const config = { ...smallMachine, dram: { ...smallMachine.dram, channels, pageBytes: 1 << 16 } };
  const { interleaveBytes } = config.dram;
  const rounds = 100;
  const fill: Item = {
    kind: "fill",
    dst: {
      level: "dram",
      at: { base: 0, strides: [interleaveBytes] },
      runs: { count: 1, bytes: interleaveBytes, stride: 0 },
    },
    signal: 0,
    at: 0,
  };
  const body: Item[] = [fill, { kind: "wait", event: 0, at: 1 }];
  const trace: Trace = { version: 1, kernel: "turns", tiles: [[{ kind: "loop", count: rounds, body }]] };
  const symbolic = outcome(trace, config, true);
  expect(symbolic.left).toEqual(outcome(trace, config, false).left);
  expect(symbolic.skipped).toBeGreaterThan(0.75 * rounds);
});
