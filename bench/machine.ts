/** The machine model: replay of commands one by one, and of large products. */
import { timeTrace } from "kpu-dsl/machine";
import { PRESETS } from "../machine/presets/index.ts";
import type { Item } from "../machine/trace.ts";
import { gemmTrace } from "./gemm-trace.ts";
import { bestOf, type Row } from "./measure.ts";

/** Commands of a trace, with its waits and barriers, loops counted out. */
function commandsOf(items: readonly Item[]): number {
  return items.reduce((n, i) => n + (i.kind === "loop" ? i.count * commandsOf(i.body) : 1), 0);
}

export function machineRows(): Row[] {
  const machine = PRESETS.edge;
  const plain = gemmTrace({ m: 1024, n: 1024, k: 1024, block: 32 });
  const commands = plain.tiles.reduce((n, items) => n + commandsOf(items), 0);
  const oneByOne = bestOf(() => timeTrace(plain, machine, { skipLoops: false }), { batches: 12 });
  const large = gemmTrace({ m: 8192, n: 8192, k: 8192, block: 128 });
  const before = process.memoryUsage().rss;
  let cycles = 0;
  const skipping = bestOf(
    () => {
      cycles = timeTrace(large, machine).totalCycles;
    },
    { batches: 4 },
  );
  return [
    {
      name: "timing, every command replayed",
      value: commands / oneByOne / 1000,
      unit: "M commands/s",
      compared: "kpu-sim 2.2 to 2.7",
      budget: { atLeast: 5 },
    },
    {
      name: "timing of GEMM 8192, blocks of 128",
      value: skipping,
      unit: "ms",
      compared: `${(cycles / 1e9).toFixed(2)} G cycles; kpu-sim 2700`,
      budget: { atMost: 1000 },
    },
    {
      name: "memory that it adds to the process",
      value: Math.max(0, process.memoryUsage().rss - before) / 1e6,
      unit: "MB",
      budget: { atMost: 500 },
    },
  ];
}
