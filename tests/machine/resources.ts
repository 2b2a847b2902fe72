/** More of a resource, and the programs that take longer with it. */
import type { FieldPath } from "../../machine/coverage.ts";
import { timeTrace } from "../../machine/model/run.ts";
import type { MachineConfig } from "../../machine/schema.ts";
import type { Item, Trace } from "../../machine/trace.ts";
import { scaled } from "./arbitraries.ts";

export interface Resource {
  readonly fields: readonly FieldPath[];
  readonly factor: number;
}

/** Rates and waits: each makes some command shorter and none longer. */
export const SPEEDS: readonly Resource[] = [
  ...(
    [
      "clocks.control",
      "clocks.fabric",
      "clocks.memory",
      "dram.bytesPerCycle",
      "dma.bytesPerCycle",
      "dma.window",
      "l3.banks",
      "l3.bytesPerCycle",
      "noc.linkBytesPerCycle",
      "tile.l2.banks",
      "tile.l2.bytesPerCycle",
      "tile.blockMovers.bytesPerCycle",
      "tile.streamers.bytesPerCycle",
      "tile.units.mieu.bytesPerCycle",
      "tile.units.ecu.bytesPerCycle",
      "tile.sfu.lanes",
      "tile.commands.queue",
    ] as const
  ).map((field) => ({ fields: [field], factor: 2 })),
  { fields: ["dma.burstBytes"], factor: 0.5 },
  { fields: ["dma.startup"], factor: 0 },
  { fields: ["tile.units.mieu.startup"], factor: 0 },
  { fields: ["noc.hopCycles"], factor: 0 },
  { fields: ["tile.sfu.latency"], factor: 0 },
  // The wait for a row is the difference of two of these.
  { fields: ["dram.latency.rowHit", "dram.latency.rowEmpty", "dram.latency.rowConflict"], factor: 0 },
];
/** More of the same: commands and addresses spread over them in another way. */
export const COUNTS: readonly Resource[] = (
  ["dram.channels", "dram.banks", "dma.engines", "tile.blockMovers.count", "tile.units.mieu.count"] as const
).map((field) => ({ fields: [field], factor: 2 }));

function better(machine: MachineConfig, { fields, factor }: Resource): MachineConfig {
  return fields.reduce((m, field) => scaled(m, field, factor), machine);
}

/** Resources with which the trace takes more than 1 % longer, and how much longer. */
export function slower(trace: Trace, machine: MachineConfig, resources: readonly Resource[]): string[] {
  const before = timeTrace(trace, machine).totalTimeUs;
  return resources.flatMap((resource) => {
    const after = timeTrace(trace, better(machine, resource)).totalTimeUs;
    return after <= 1.01 * before ? [] : [`${resource.fields.join(", ")}: ${before} us, then ${after} us`];
  });
}

/** One tile, whose core waits for each command before the next. */
export function serial({ tiles, ...trace }: Trace): Trace {
  const items = (list: readonly Item[]): Item[] =>
    list.flatMap((item): Item[] => {
      switch (item.kind) {
        case "loop":
          return [{ ...item, body: items(item.body) }];
        case "wait":
          return [];
        case "move":
        case "fill":
        case "mma":
        case "unit": {
          const { after: _, ...command } = item;
          return [
            { ...command, signal: 0 },
            { kind: "wait", event: 0, at: item.at },
          ];
        }
        default:
          return [item];
      }
    });
  return { ...trace, tiles: [items(tiles[0] ?? [])] };
}
