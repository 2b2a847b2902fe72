/** What a graph costs on a machine: its ops as a command trace, timed, with what holds each of them up. */
import { DTYPES } from "../../ir/dtype.ts";
import type { CycleReport, PowerReport, UnitReport } from "../../machine/model/report.ts";
import { timeTrace } from "../../machine/model/run.ts";
import type { ScheduleRow } from "../../machine/model/schedule.ts";
import type { MachineConfig } from "../../machine/schema.ts";
import {
  type Item,
  type Trace,
  UNIT_WORK,
  UNITS,
  type UnitName,
  type UnitWork,
} from "../../machine/trace.ts";
import { type Buf, elementsOf } from "../buf.ts";
import type { Execution } from "../execution.ts";
import { samplesOf } from "../samples.ts";
import type { Costing } from "./costing.ts";
import type { Plan } from "./steps.ts";
import { fastest, traceOf } from "./units.ts";

/** An op of a graph. */
export interface TimedNode {
  readonly op: string;
  readonly output: Buf;
  readonly plan: (c: Costing) => Plan;
}

/** The part of the machine that has the most to do for an op. */
export interface Bottleneck {
  /** As `mieu`, `dram`, `l2`, `dma`; `latency` where all of them mostly wait for each other. */
  readonly part: UnitName | "dma" | "dram" | "l2" | "latency";
  /** Of a unit the kind of work that takes longest, or `port` where its operands do. */
  readonly work?: UnitWork | "port";
  /** Of the cycles of the op. */
  readonly utilization: number;
}

export interface OpTime {
  readonly op: string;
  readonly output: string;
  readonly cycles: number;
  readonly microseconds: number;
  /** Without static energy. */
  readonly energyUj: number;
  readonly bottleneck: Bottleneck;
}

export interface GraphTime {
  readonly machine: string;
  readonly cycles: number;
  readonly microseconds: number;
  readonly energyUj: number;
  readonly ops: readonly OpTime[];
  /** All figures of the machine model. */
  readonly report: PowerReport & { readonly schedule?: readonly ScheduleRow[] };
  /** What was timed. */
  readonly trace: Trace;
}

/** Arrays begin at multiples of so many bytes of DRAM. */
const DRAM_ALIGNMENT = 4096;

/** The buffers of a graph one behind the other. */
function addressesOf(buffers: readonly Buf[]): ReadonlyMap<Buf, number> {
  const addresses = new Map<Buf, number>();
  let top = 0;
  for (const buf of buffers) {
    addresses.set(buf, top);
    const bytes = elementsOf(buf.shape) * DTYPES[buf.dtype].bytes;
    top += Math.ceil(Math.max(1, bytes) / DRAM_ALIGNMENT) * DRAM_ALIGNMENT;
  }
  return addresses;
}

export interface GraphTiming {
  readonly machine: MachineConfig;
  readonly execution: Execution;
  readonly schedule: boolean | { readonly maxRows: number };
}

/**
 * All buffers have their values.
 * @throws KPU9012 an op does not fit the machine, KPU9013 a schedule that is too long
 */
export function timeGraph(
  buffers: readonly Buf[],
  nodes: readonly TimedNode[],
  { machine, execution, schedule }: GraphTiming,
): GraphTime {
  const addresses = addressesOf(buffers);
  const addressOf = (buf: Buf): number => addresses.get(buf) ?? 0;
  const bodies = nodes.map(({ op, output, plan }, at) => {
    const name = `${op} ${output.name}`;
    const planned = plan({
      machine,
      execution,
      output: addressOf(output),
      stored: (buf) => ({ address: addressOf(buf), samples: samplesIn(buf) }),
    });
    return { op, output, name, at, ...fastest(planned, machine, name, at) };
  });
  const trace = traceOf(
    bodies.flatMap(({ name, items, at }): readonly Item[] => [
      { kind: "mark", phase: "begin", id: name, at },
      ...items,
      { kind: "mark", phase: "end", id: name, at },
    ]),
  );
  const report = timeTrace(trace, machine, { mode: "power", schedule });
  const microseconds = (cycles: number): number => (cycles / report.clock.hz) * 1e6;
  return {
    machine: machine.name,
    cycles: report.totalCycles,
    microseconds: report.totalTimeUs,
    energyUj: report.totalEnergyUj,
    report,
    trace,
    ops: bodies.map(({ op, output, alone }, i) => {
      const { cycles, energyUj = 0 } = report.ops[i] ?? { cycles: 0 };
      return {
        op,
        output: output.name,
        cycles,
        microseconds: microseconds(cycles),
        energyUj,
        bottleneck: bottleneckOf(alone, machine),
      };
    }),
  };
}

/** Arrays of any dtype and dimensions are rows of their last one. */
function samplesIn(buf: Buf) {
  const { data, shape } = buf;
  return data instanceof Float32Array && shape.length <= 2
    ? samplesOf(data, shape.length === 0 ? [1] : shape)
    : { data: new Float32Array(0), n: elementsOf(shape), dims: 1 };
}

/** Below this share of the time no part is what holds an op up: each waits for others. */
const MOSTLY = 0.5;

/** @param report of the op alone */
export function bottleneckOf(report: CycleReport, machine: MachineConfig): Bottleneck {
  // Of those that took part: an op may be faster with fewer units than there are.
  const mean = (all: readonly UnitReport[]): number => {
    const units = all.filter((u) => u.done > 0);
    return units.reduce((sum, u) => sum + u.utilization, 0) / Math.max(1, units.length);
  };
  const server = (prefix: RegExp): number =>
    Math.max(0, ...report.servers.filter((s) => prefix.test(s.name)).map((s) => s.utilization));
  const parts: readonly Bottleneck[] = [
    ...UNITS.map((unit) => ({
      part: unit,
      work: slowestWork(report, machine, unit),
      utilization: mean(report.units.filter((u) => u.kind === unit)),
    })),
    { part: "dma", utilization: mean(report.units.filter((u) => u.kind === "dma")) },
    { part: "dram", utilization: server(/^dram\./) },
    { part: "l2", utilization: server(/\.l2$/) },
  ];
  const busiest = parts.reduce((a, b) => (b.utilization > a.utilization ? b : a));
  return busiest.utilization >= MOSTLY ? busiest : { part: "latency", utilization: busiest.utilization };
}

function slowestWork(
  { unitWork, traffic }: CycleReport,
  { tile }: MachineConfig,
  unit: UnitName,
): UnitWork | "port" {
  const { perCycle, bytesPerCycle } = tile.units[unit];
  const cycles = UNIT_WORK.map((kind) => {
    const rate = perCycle[kind];
    return { kind, cycles: rate === undefined ? 0 : (unitWork[unit]?.[kind] ?? 0) / rate };
  });
  const { kind, cycles: most } = cycles.reduce((a, b) => (b.cycles > a.cycles ? b : a));
  // Of what passes L2, transfers from and to DRAM do not pass a port.
  const own = traffic.l2.read + traffic.l2.written - traffic.dram.read - traffic.dram.written;
  return own / bytesPerCycle > most ? "port" : kind;
}
