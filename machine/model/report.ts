/** What a run is reported as. Cycles are of the clock that the report names, and may be broken where clocks differ. */
import type { DTypeName } from "../../ir/dtype.ts";
import type { Roofline, Work } from "../bounds.ts";
import type { FabricModel } from "../fabric.ts";
import type { MachineConfig } from "../schema.ts";
import type { Level } from "../trace.ts";
import type { EnergyPart } from "./energy.ts";
import type { PowerSample } from "./power.ts";
import type { UnitKind } from "./program.ts";
import type { ScheduleRow } from "./schedule.ts";
import type { Reason } from "./state.ts";

export type ClockName = keyof MachineConfig["clocks"];

export interface Bytes {
  readonly read: number;
  readonly written: number;
}
/** Levels whose bytes the trace itself tells; those of l1 depend on the array. */
export type Traffic = { readonly [L in Exclude<Level, "l1">]: Bytes };

/** What a run asks for: known without time. */
export interface FunctionalReport {
  readonly mode: "functional";
  readonly kernel: string;
  readonly machine: string;
  /** Fields of the configuration that this mode does not use. */
  readonly notModelled: readonly string[];
  /** Commands of engines. */
  readonly commands: number;
  readonly macs: number;
  readonly macsByDtype: { readonly [D in DTypeName]?: number };
  /** Items of units of a tile, by unit and kind of work. */
  readonly unitWork: Work["unitWork"];
  readonly traffic: Traffic;
}

export type Stalls = { readonly [R in Reason]?: number };

/** An engine, a fabric or a core. Busy, stalled and idle cycles are all cycles. */
export interface UnitReport {
  /** As `dma.0`, `tile.2.fabric`, `tile.2.bm.1`. */
  readonly name: string;
  readonly kind: UnitKind | "core";
  /** -1 for DMA engines, which all tiles share. */
  readonly tile: number;
  /** Commands of an engine; instructions of a core. */
  readonly done: number;
  /** Cycles in which it would be done if nothing made it wait. */
  readonly busy: number;
  /** Cycles in which it had something to do and could not go on, by what it waited for. */
  readonly stalls: Stalls;
  readonly stalled: number;
  readonly idle: number;
  /** Busy cycles by all cycles. */
  readonly utilization: number;
}

/** Something that engines share, and which serves one after the other: `dram.0`, `l3.3`, `tile.2.l2`, `tile.2.sfu`, `noc.4.east`. */
export interface ServerReport {
  readonly name: string;
  readonly busy: number;
  readonly utilization: number;
}

/** A span that the kernel names. */
export interface OpReport {
  readonly id: string | number;
  /** Tiles that pass it, and how often all of them together. */
  readonly tiles: number;
  readonly times: number;
  /** Of the tile that spends the most time in it: cycles, and those of its core that are waits. */
  readonly cycles: number;
  readonly stalls: Stalls;
  /** Of commands issued in it. */
  readonly commands: number;
  readonly macs: number;
  readonly traffic: Traffic;
  /** Without static energy; only in mode `power`. */
  readonly energyUj?: number;
}

interface Timed extends Omit<FunctionalReport, "mode" | "traffic"> {
  readonly fabricModel: FabricModel;
  readonly clock: { readonly name: ClockName; readonly hz: number };
  readonly totalCycles: number;
  readonly totalTimeUs: number;
  /** Cycles in which a fabric or core computes; further ones in which only transfers are under way; the rest. */
  readonly computeCycles: number;
  readonly memoryStallCycles: number;
  readonly otherCycles: number;
  readonly traffic: Traffic & { readonly l1: Bytes };
  /** Multiply-accumulates and items of units by what the machine could do in the time; bytes by what DRAM could move. */
  readonly computeUtilization: number;
  readonly memoryBandwidthUtilization: number;
  /** Cycles below which no schedule of the same commands gets: of what is computed, and of the bytes of each level. */
  readonly roofline: Roofline;
  readonly units: readonly UnitReport[];
  readonly servers: readonly ServerReport[];
  readonly ops: readonly OpReport[];
  /** Rounds of loops whose times follow from those of others, and were not replayed one by one. */
  readonly skippedRounds: number;
  /** What happened when, in the order of begins; only when asked for. */
  readonly schedule?: readonly ScheduleRow[];
}

export interface CycleReport extends Timed {
  readonly mode: "cycle";
}

export interface EnergyReport {
  /** Where the constants come from, and what they are good for. */
  readonly source: string;
  readonly accuracy: string;
  readonly parts: { readonly [P in EnergyPart]: number };
  /** What commands and instructions cost; leakage and clock over all cycles. */
  readonly dynamicUj: number;
  readonly staticUj: number;
}

export interface PowerReport extends Timed {
  readonly mode: "power";
  readonly totalEnergyUj: number;
  readonly averagePowerWatts: number;
  readonly energy: EnergyReport;
  readonly powerTrace: readonly PowerSample[];
}

export type Report = FunctionalReport | CycleReport | PowerReport;
