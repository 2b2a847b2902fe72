/**
 * The manifest of a program file: what it says about itself, as JSON. Part of it is declared: the machine, the description of
 * the program, what it costs. The rest follows from the code and is there for readers that do not parse code; whoever reads a
 * file makes the manifest anew and compares, so that the two always agree.
 */
import { ALL_DTYPES, bytesOf, type DTypeName } from "../../ir/dtype.ts";
import type { ParamSpec } from "../../ir/hostargs.ts";
import type { Kernel } from "../../ir/kir.ts";
import { OPS } from "../../ir/ops.ts";
import {
  type CompleteDescription,
  type ProgramMetrics,
  type ProgramOp,
  type ProgramTensor,
  type Tiling,
  tensorBytes,
} from "../../ir/program.ts";
import type { Target } from "../../ir/target.ts";
import { forEachExpr } from "../../ir/walk.ts";
import { paramSpecs } from "../params.ts";
import { peakBytes, type ScopeBytes } from "../scopes.ts";
import { blockOffsets } from "./blocks.ts";
import type { Declared } from "./schema.ts";
import { PROGRAM_VERSION, sha256 } from "./sections.ts";

/** What a program file holds. */
export interface ProgramFile {
  readonly target: Target;
  /** Whether accesses, transfers and events are checked. */
  readonly checks: boolean;
  /** KIR text of level virtual that it was compiled from, for people and tools; empty where there is none. */
  readonly source: string;
  /** KIR of level machine: what runs. */
  readonly machine: Kernel;
  readonly description: CompleteDescription;
  /** What a run is expected to cost, by the machine model, before there was one. */
  readonly estimates?: ProgramMetrics | undefined;
  /** What a run cost, told by who ran it. */
  readonly measured?: ProgramMetrics | undefined;
}

/** A block of the section of constants or weights. */
export interface BlockPlace {
  readonly offset: number;
  readonly bytes: number;
}

export interface Precision {
  /** Dtypes of the arrays that are passed. */
  readonly arrays: readonly DTypeName[];
  /** Dtypes that the vector unit computes in. */
  readonly vectors: readonly DTypeName[];
  /** Of products on the fabric: the operands, and what they are added up in. */
  readonly products: readonly { readonly a: DTypeName; readonly b: DTypeName; readonly sum: DTypeName }[];
}

export interface Manifest extends Declared {
  readonly name: string;
  readonly version: typeof PROGRAM_VERSION;
  readonly source?: { readonly sha256: string };
  readonly precision: Precision;
  readonly params: readonly ParamSpec[];
  /** Names of tensors. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly memory: {
    /** Bytes of each memory that the buffers of a run take: of all tiles together in global and l3, of each tile elsewhere. */
    readonly peak: ScopeBytes;
    readonly constants: number;
    readonly weights: number;
    /** Of activations whose shapes are told in numbers. */
    readonly activations: number;
  };
  readonly constants: readonly (BlockPlace & { readonly dtype: DTypeName; readonly elements: number })[];
  readonly weights: readonly (BlockPlace & { readonly tensor: string })[];
}

/** The manifest of a program, its keys in the order of the file. */
export function manifestOf(p: ProgramFile): Manifest {
  const { machine, description } = p;
  const { tensors } = description;
  const tables = machine.tables.map(({ dtype, values }) => ({
    dtype,
    elements: values.length,
    bytes: bytesOf(dtype, values.length),
  }));
  const held = weightsOf(description);
  const weights = held.map(({ tensor, content }) => ({ tensor: tensor.name, bytes: content.length }));
  return {
    name: machine.name,
    version: PROGRAM_VERSION,
    ...(p.source === "" ? {} : { source: { sha256: sha256(p.source) } }),
    precision: precisionOf(machine),
    params: paramSpecs(machine),
    inputs: tensors.filter((t) => t.role === "input" || t.role === "inout").map((t) => t.name),
    outputs: tensors.filter((t) => t.role === "output" || t.role === "inout").map((t) => t.name),
    ...declaredOf(p),
    memory: {
      peak: peakBytes(machine),
      constants: sum(tables.map((t) => t.bytes)),
      weights: sum(weights.map((w) => w.bytes)),
      activations: sum(tensors.map((t) => (t.role === "activation" ? (tensorBytes(t) ?? 0) : 0))),
    },
    constants: placed(tables).map(({ dtype, elements, offset, bytes }) => ({
      dtype,
      elements,
      offset,
      bytes,
    })),
    weights: placed(weights).map(({ tensor, offset, bytes }) => ({ tensor, offset, bytes })),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

function placed<T extends { readonly bytes: number }>(blocks: readonly T[]): (T & { offset: number })[] {
  const offsets = blockOffsets(blocks.map((b) => b.bytes));
  return blocks.map((b, i) => ({ ...b, offset: offsets[i] as number }));
}

/** The weights that a description holds, in the order of its tensors. */
export function weightsOf({
  tensors,
  weights = {},
}: CompleteDescription): readonly { readonly tensor: ProgramTensor; readonly content: Uint8Array }[] {
  return tensors.flatMap((tensor) => {
    const isHeld = tensor.role === "weight" && Object.hasOwn(weights, tensor.name);
    const content = isHeld ? weights[tensor.name] : undefined;
    return content === undefined ? [] : [{ tensor, content }];
  });
}

/** What is declared, every part with its keys in the order of the file. */
export function declaredOf({ target, checks, description, estimates, measured }: ProgramFile): Declared {
  const { l3, l2, l1, acc, local, private: own } = target.capacity;
  return {
    target: {
      name: target.name,
      tiles: target.tiles,
      registerBits: target.registerBits,
      capacity: { l3, l2, l1, acc, local, private: own },
      events: target.events,
      ...(target.vectorAlignment === undefined ? {} : { vectorAlignment: target.vectorAlignment }),
    },
    checks,
    tensors: description.tensors.map(tensorOf),
    ops: description.ops.map(opOf),
    schedule: [...description.schedule],
    ...(estimates === undefined ? {} : { estimates: metricsOf(estimates) }),
    ...(measured === undefined ? {} : { measured: metricsOf(measured) }),
  };
}

function tensorOf({ name, dtype, shape, role, param }: ProgramTensor): Declared["tensors"][number] {
  return {
    name,
    dtype,
    ...(shape === undefined ? {} : { shape: [...shape] }),
    role,
    ...(param === undefined ? {} : { param }),
  };
}

function opOf(o: ProgramOp): Declared["ops"][number] {
  return {
    name: o.name,
    kind: o.kind,
    ...(o.span === undefined ? {} : { span: o.span }),
    dims: { ...o.dims },
    inputs: [...o.inputs],
    outputs: [...o.outputs],
    ...(o.attributes === undefined ? {} : { attributes: { ...o.attributes } }),
    ...(o.tiling === undefined ? {} : { tiling: tilingOf(o.tiling) }),
    ...(o.fusedWith === undefined ? {} : { fusedWith: [...o.fusedWith] }),
  };
}

function tilingOf({ tileSizes, loopOrder, doubleBuffer, prefetchDistance }: Tiling) {
  return {
    tileSizes: Object.fromEntries(Object.entries(tileSizes).map(([level, sizes]) => [level, { ...sizes }])),
    loopOrder: loopOrder.map(({ level, dim }) => ({ level, dim })),
    doubleBuffer: [...doubleBuffer],
    prefetchDistance,
  };
}

function metricsOf(m: ProgramMetrics): NonNullable<Declared["estimates"]> {
  return {
    source: m.source,
    machine: m.machine,
    tiles: m.tiles,
    arguments: m.arguments.map((a) => (typeof a === "object" && a !== null ? { bytes: a.bytes } : a)),
    clock: { name: m.clock.name, hz: m.clock.hz },
    totalCycles: m.totalCycles,
    totalTimeUs: m.totalTimeUs,
    computeCycles: m.computeCycles,
    memoryStallCycles: m.memoryStallCycles,
    otherCycles: m.otherCycles,
    macs: m.macs,
    computeUtilization: m.computeUtilization,
    memoryBandwidthUtilization: m.memoryBandwidthUtilization,
    traffic: trafficOf(m.traffic),
    ...(m.totalEnergyUj === undefined ? {} : { totalEnergyUj: m.totalEnergyUj }),
    ...(m.averagePowerWatts === undefined ? {} : { averagePowerWatts: m.averagePowerWatts }),
    ops: m.ops.map((o) => ({
      op: o.op,
      cycles: o.cycles,
      macs: o.macs,
      traffic: trafficOf(o.traffic),
      ...(o.energyUj === undefined ? {} : { energyUj: o.energyUj }),
    })),
  };
}

function trafficOf({ dram, l3, l2, local }: ProgramMetrics["traffic"]) {
  const bytes = ({ read, written }: typeof dram) => ({ read, written });
  return { dram: bytes(dram), l3: bytes(l3), l2: bytes(l2), local: bytes(local) };
}

function precisionOf(k: Kernel): Precision {
  const vectors = new Set<DTypeName>();
  const products = new Map<string, Precision["products"][number]>();
  forEachExpr(k.body, (e) => {
    if (e.kind !== "apply") return;
    if (OPS[e.op].alu === true && e.type.kind === "vec") vectors.add(e.type.dtype);
    if (e.op !== "mma") return;
    const [sum, a, b] = e.args.map((x) => (x.type.kind === "ptr" ? x.type.dtype : undefined));
    if (a !== undefined && b !== undefined && sum !== undefined)
      products.set(`${a} ${b} ${sum}`, { a, b, sum });
  });
  const arrays = new Set(k.params.filter((p) => p.pointer).map((p) => p.dtype));
  return {
    arrays: ALL_DTYPES.filter((d) => arrays.has(d)),
    vectors: ALL_DTYPES.filter((d) => vectors.has(d)),
    products: [...products.values()],
  };
}
