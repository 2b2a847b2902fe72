/**
 * How many units work on an op. One more takes its share of the work, but costs too: a command and a wait in every step, which
 * the core issues one by one, and what every unit has by itself is put together. So an op is timed with each number of
 * units that the machine has, and takes the one with which it is fastest.
 *
 * That more units make no op slower holds by construction: a machine with more of them has every choice of one with fewer,
 * and each takes as long on both, since the others stand idle. An estimate of where gain and cost meet could not promise that.
 */
import { fail } from "../../ir/diagnostic.ts";
import type { CycleReport } from "../../machine/model/report.ts";
import { TraceRun } from "../../machine/model/run.ts";
import type { MachineConfig } from "../../machine/schema.ts";
import { type Item, TRACE_VERSION, type Trace } from "../../machine/trace.ts";
import { itemsOf, mostUnits, residentBytes } from "./schedule.ts";
import type { Plan } from "./steps.ts";

/** Commands of an op, and what they take where nothing else runs. */
export interface TimedItems {
  readonly items: readonly Item[];
  readonly alone: CycleReport;
}

/**
 * With as many units as make it fastest; of numbers that are as fast, the least.
 * @param name of the op, for errors
 * @param at its number, which stands in every command
 * @throws KPU9012 the machine has no such unit, or what is kept does not fit into L2 even with one
 */
export function fastest(plan: Plan, machine: MachineConfig, name: string, at: number): TimedItems {
  const withUnits = (units: number) => {
    const items = itemsOf(plan, machine, units, at);
    const run = new TraceRun(traceOf(items), machine, "cycle");
    run.step(Infinity);
    return { items, run, cycles: run.state().cycle };
  };
  const most = unitsThatFit(plan, machine, name);
  let best = withUnits(1);
  for (let units = 2; units <= most; units++) {
    const other = withUnits(units);
    if (other.cycles < best.cycles) best = other;
  }
  return { items: best.items, alone: best.run.runUntilComplete() };
}

/** Most units that can work on it. */
function unitsThatFit(plan: Plan, machine: MachineConfig, name: string): number {
  const { unit, resident, residentOfUnit = 0, steps } = plan;
  // Copies are for DMA engines alone.
  if (steps.every((s) => s.step === "copy")) return 1;
  const most = mostUnits(machine, unit);
  if (most === 0) fail("KPU9012", `${name}: a tile of ${machine.name} has no ${unit}`);
  const bytes = residentBytes(machine);
  const least = resident + residentOfUnit;
  if (least > bytes)
    fail("KPU9012", `${name} keeps ${least} bytes in L2, ${machine.name} has ${bytes} for that`, {
      help: "take fewer samples, or a machine with a larger L2",
    });
  return residentOfUnit === 0 ? most : Math.min(most, Math.floor((bytes - resident) / residentOfUnit));
}

/** Of one tile. */
export const traceOf = (items: readonly Item[]): Trace => ({
  version: TRACE_VERSION,
  kernel: "graph",
  tiles: [items],
});
