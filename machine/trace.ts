/**
 * The command trace: what a run of a program asks of the machine, per compute tile, without times. Loops stay loops, so
 * that the trace of a product of 8192 x 8192 matrices is a few hundred items; addresses in a loop move by a stride per
 * round. Plain data: a trace is printed, parsed, stored in a program and timed on any machine.
 */

import type { DTypeName } from "../ir/dtype.ts";
import type { CostClass } from "../ir/ops.ts";

export const TRACE_VERSION = 1;

/** Levels that commands move between. */
export const LEVELS = ["dram", "l3", "l2", "local", "l1"] as const;
export type Level = (typeof LEVELS)[number];

/**
 * An address of a level, in bytes from its start: `base` plus, for the enclosing loop k outward (0 is the innermost),
 * round times `strides[k]`. Buffers and events that take turns are a body of several turns.
 */
export interface Address {
  readonly base: number;
  readonly strides?: readonly number[];
}

/** Runs of contiguous bytes of a transfer: `count` runs of `bytes` each, `stride` from one's begin to the next one's. */
export interface Runs {
  readonly count: number;
  readonly bytes: number;
  readonly stride: number;
}

export interface End {
  readonly level: Level;
  readonly at: Address;
  readonly runs: Runs;
}

/**
 * What moves bytes, and between which levels: DMA engines, which all tiles share; of each tile the block movers, and the
 * streams between its L2 and the edge of its fabric.
 */
export const MOVERS = {
  dma: { from: ["dram", "l3", "l2", "local"], to: ["dram", "l3", "l2", "local"] },
  bm: { from: ["l3", "l2"], to: ["l3", "l2"] },
  rows: { from: ["l2"], to: ["l1"] },
  cols: { from: ["l2"], to: ["l1"] },
  drain: { from: ["l1"], to: ["l2"] },
} as const satisfies Record<string, { readonly from: readonly Level[]; readonly to: readonly Level[] }>;
export type Mover = keyof typeof MOVERS;

export const TRANSFORMS = ["identity", "transpose", "im2col", "pack", "quantize", "reduce"] as const;
export type Transform = (typeof TRANSFORMS)[number];

/** Cost classes of ops that the core itself works on. */
export const CORE_CLASSES = [
  "scalar",
  "branch",
  "valu",
  "vmul",
  "vdiv",
  "vmath",
  "vperm",
  "vreduce",
  "load",
  "store",
] as const satisfies readonly CostClass[];
export type CoreClass = (typeof CORE_CLASSES)[number];

/**
 * A command of an engine. It may start when `after` are complete, and completes `signal`: events of its tile. An event
 * belongs to one command from there to the `wait` for it; after that it is free for another. A tile has one event more than its
 * machine says, for a command that its core waits for at once: such transfers need none of those that programs hold.
 */
interface EngineCommand {
  readonly signal?: number;
  readonly after?: readonly number[];
  /** Statement of the program, for reports: index into its locations. */
  readonly at: number;
}

/** What the special function unit does with elements that pass it. */
export interface Sfu {
  readonly elements: number;
  readonly ops: readonly string[];
  /** Bytes of other operands that come to it on a way of its own, as a bias and a residual do; without addresses, as those of cores. */
  readonly read?: Partial<Record<Level, number>>;
}

export interface Move extends EngineCommand {
  readonly kind: "move";
  readonly mover: Mover;
  readonly src: End;
  readonly dst: End;
  readonly transform: Transform;
  readonly sfu?: Sfu;
}

/** A DMA engine writes a constant. */
export interface Fill extends EngineCommand {
  readonly kind: "fill";
  readonly dst: End;
}

/** acc[m][n] += a[m][k] * b[k][n] on the fabric of the tile. */
export interface Mma extends EngineCommand {
  readonly kind: "mma";
  readonly dtype: DTypeName;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly dataflow: "os" | "ws" | "is";
}

/** Units beside the fabric that a tile may have: for mutual information, entropy, and plasticity. */
export const UNITS = ["mieu", "ecu", "spc"] as const;
export type UnitName = (typeof UNITS)[number];

/**
 * What a unit works on, by the item: the difference of two numbers, folded into a distance; the order of two numbers; a
 * sample that finds its bin and counts it; a digamma function out of a table; a logarithm; an exponential; a multiply and
 * add; a root or quotient.
 */
export const UNIT_WORK = ["difference", "compare", "bin", "digamma", "log", "exp", "mac", "root"] as const;
export type UnitWork = (typeof UNIT_WORK)[number];

/** A unit of the tile works: on so many items of each kind, with so many bytes of its operands and results per level. */
export interface Unit extends EngineCommand {
  readonly kind: "unit";
  readonly unit: UnitName;
  readonly work: Partial<Record<UnitWork, number>>;
  readonly read: Partial<Record<UnitLevel, number>>;
  readonly write: Partial<Record<UnitLevel, number>>;
}
/** What a unit reaches. */
export const UNIT_LEVELS = ["l2"] as const satisfies readonly Level[];
export type UnitLevel = (typeof UNIT_LEVELS)[number];

/** The control and vector core works: executions of ops by cost class, and bytes of its loads and stores per level. */
export interface Core {
  readonly kind: "core";
  readonly ops: Partial<Record<CoreClass, number>>;
  /** Lanes that ops of the vector unit worked on: integer, float, transcendental. */
  readonly lanes: { readonly int: number; readonly float: number; readonly math: number };
  readonly read: Partial<Record<Level, number>>;
  readonly write: Partial<Record<Level, number>>;
  /** Cycles of the static list schedule of these ops, when it is known. */
  readonly cycles?: number;
  readonly at: number;
}

/** The core stands still until an event is complete; the event is free afterwards. */
export interface Wait {
  readonly kind: "wait";
  readonly event: number;
  readonly at: number;
}
/** All tiles meet. */
export interface Barrier {
  readonly kind: "barrier";
  readonly at: number;
}
/** Begin or end of a span that the kernel names. A body ends the spans that it begins, inner ones first. */
export interface Mark {
  readonly kind: "mark";
  readonly id: string | number;
  readonly phase: "begin" | "end";
  readonly at: number;
}
export interface Loop {
  readonly kind: "loop";
  readonly count: number;
  readonly body: readonly Item[];
}

export type Command = Move | Fill | Mma | Unit | Core | Wait | Barrier | Mark;
export type Item = Command | Loop;

export interface Trace {
  readonly version: typeof TRACE_VERSION;
  readonly kernel: string;
  /** Items of each compute tile, in the order in which its core issues them. */
  readonly tiles: readonly (readonly Item[])[];
}
