/**
 * The configuration of a machine: everything that time, traffic and energy depend on. One schema; unknown keys are
 * refused. Sizes are bytes, rates bytes per cycle of the clock that the part runs on, latencies cycles of that clock
 * (dram: the memory clock; fabric and special function unit: the fabric clock; all else: the control clock), energies
 * picojoules.
 */
import { z } from "zod";
import { ALL_DTYPES, type DTypeName } from "../ir/dtype.ts";

const positive = z.number().positive();
const whole = z.number().int().positive();
const natural = z.number().int().nonnegative();
const notNegative = z.number().nonnegative();

/** 1 / (1 / 49) is not quite 49. */
const isWhole = (x: number): boolean => Math.abs(x - Math.round(x)) < 1e-9;

/** Cycles from issue to result, and cycles until the next of its kind can issue, per cost class of ops. */
const classCost = z.strictObject({ latency: natural, interval: whole });

const dtypeTable = <T extends z.ZodType>(value: T) =>
  z.partialRecord(z.enum(ALL_DTYPES as unknown as [DTypeName, ...DTypeName[]]), value);

export const MachineConfig = z.strictObject({
  /** Version of this schema. */
  schema: z.literal(1),
  name: z.string().min(1),
  version: z.string().min(1),
  /** Where the figures come from. */
  source: z.string().min(1),
  /** Hertz. */
  clocks: z.strictObject({ control: positive, fabric: positive, memory: positive }),
  dram: z.strictObject({
    technology: z.string().min(1),
    channels: whole,
    /** Per channel and memory cycle. */
    bytesPerCycle: positive,
    /** Memory cycles that a row hit, an access to a closed row and one to another open row wait. */
    latency: z.strictObject({ rowHit: natural, rowEmpty: natural, rowConflict: natural }),
    /** Bytes of a row, and banks per channel, each with one open row. */
    pageBytes: whole,
    banks: whole,
    /** Consecutive addresses stay on a channel for so many bytes. */
    interleaveBytes: whole,
    capacityBytes: whole,
  }),
  dma: z.strictObject({
    engines: whole,
    bytesPerCycle: positive,
    startup: natural,
    /** Transfers that one engine may have under way. */
    window: whole,
    /** A contiguous run moves in bursts of this many bytes; a shorter run costs a whole one. */
    burstBytes: whole,
  }),
  l3: z.strictObject({ tiles: whole, bytesPerTile: whole, banks: whole, bytesPerCycle: positive }),
  noc: z.strictObject({
    topology: z.enum(["none", "mesh", "torus"]),
    linkBytesPerCycle: positive,
    hopCycles: natural,
  }),
  tile: z.strictObject({
    /** Compute tiles. */
    count: whole,
    l2: z.strictObject({ banks: whole, bytesPerBank: whole, bytesPerCycle: positive }),
    local: z.strictObject({ bytes: whole }),
    private: z.strictObject({ bytes: whole }),
    /** Per compute tile. */
    blockMovers: z.strictObject({ count: whole, bytesPerCycle: positive, startup: natural }),
    /** Streams per compute tile that feed rows and columns and take results away; the rate is that of one. */
    streamers: z.strictObject({
      rows: whole,
      cols: whole,
      drain: whole,
      bytesPerCycle: positive,
      startup: natural,
    }),
    fabric: z.strictObject({
      rows: whole,
      cols: whole,
      /** Multiply-accumulates per processing element and cycle, p or 1/p for a whole p. A dtype that is missing cannot run. */
      macs: dtypeTable(
        positive.refine((rate) => isWhole(rate >= 1 ? rate : 1 / rate), {
          error: "expected a whole number or one over a whole number, such as 4 or 0.25",
        }),
      ),
      /** Cycles from the first operand at the edge of an idle array to its first processing element. */
      fillCycles: natural,
    }),
    vector: z.strictObject({
      bits: z.union([z.literal(128), z.literal(256), z.literal(512), z.literal(1024)]),
      /** Ops that issue in one cycle: of the scalar unit, of the vector unit, of memory. */
      issue: z.strictObject({ scalar: whole, vector: whole, memory: whole }),
      costs: z.strictObject({
        scalar: classCost,
        branch: classCost,
        valu: classCost,
        vmul: classCost,
        vdiv: classCost,
        vmath: classCost,
        vperm: classCost,
        vreduce: classCost,
        load: classCost,
        store: classCost,
      }),
    }),
    sfu: z.strictObject({ lanes: whole, latency: natural }),
    /** Events that a tile can hold at once. */
    events: whole,
  }),
  energy: z.strictObject({
    /** Where the constants come from. */
    source: z.string().min(1),
    /** Nanometres of the process. */
    node: positive,
    /** pJ per multiply-accumulate. */
    mac: dtypeTable(notNegative),
    /** pJ per lane: an integer and a float op of the vector unit, and a transcendental function. */
    vector: z.strictObject({ int: notNegative, float: notNegative, math: notNegative }),
    scalar: notNegative,
    /** pJ per byte. */
    bytes: z.strictObject({
      register: notNegative,
      /** From one processing element to the next. */
      hop: notNegative,
      l1: z.strictObject({ read: notNegative, write: notNegative }),
      local: z.strictObject({ read: notNegative, write: notNegative }),
      l2: z.strictObject({ read: notNegative, write: notNegative }),
      l3: z.strictObject({ read: notNegative, write: notNegative }),
      dram: z.strictObject({ read: notNegative, write: notNegative }),
      /** Per byte and hop of the network. */
      noc: notNegative,
    }),
    /** pJ per row activation. */
    activation: notNegative,
    /** pJ of the whole machine per control cycle, whatever it does: leakage and clock. */
    staticPerCycle: notNegative,
  }),
});

export type MachineConfig = z.infer<typeof MachineConfig>;
