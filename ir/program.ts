/**
 * What a program says about itself beside its code: its tensors, its ops and how each is cut to fit the memories, the order in which
 * they run, and what the whole costs. Plain data, declared with a kernel (the last argument of `kernel()`) and kept in its program file.
 */
import { bytesOf, type DTypeName, SCOPES, type Scope } from "./dtype.ts";
import type { ParamSpec } from "./hostargs.ts";

/** A number of elements: a constant, or the name of the integer parameter that tells it at run time. */
export type Extent = number | string;

/** Where a tensor comes from: host arrays are `input`, `output` or `inout`; a `weight` is stored in the program, an `activation` lives between ops. */
export const TENSOR_ROLES = ["input", "output", "inout", "weight", "activation"] as const;
export type TensorRole = (typeof TENSOR_ROLES)[number];

export interface ProgramTensor {
  readonly name: string;
  readonly dtype: DTypeName;
  /** Outermost dimension first; absent where the program takes any array. */
  readonly shape?: readonly Extent[];
  readonly role: TensorRole;
  /** The pointer parameter that it is passed in; an activation has none. */
  readonly param?: string;
}

/** A loop over the blocks of a level along a dimension of the op. */
export interface TilingLoop {
  readonly level: Scope;
  readonly dim: string;
}

/**
 * How an op is cut. For a product in blocks of 64 x 64 whose operands come to l2 in chunks of 128, one chunk ahead:
 *
 *     {
 *       tileSizes: { acc: { m: 64, n: 64 }, l2: { m: 64, n: 64, k: 128 } },
 *       loopOrder: [{ level: "acc", dim: "m" }, { level: "acc", dim: "n" }, { level: "l2", dim: "k" }],
 *       doubleBuffer: ["l2"],
 *       prefetchDistance: 1,
 *     }
 */
export interface Tiling {
  /** For each level that holds a block: how many elements of each dimension the block has. */
  readonly tileSizes: { readonly [S in Scope]?: { readonly [dim: string]: number } };
  /** Outermost first. */
  readonly loopOrder: readonly TilingLoop[];
  /** Levels with two buffers that take turns: one is filled while the other is worked on. */
  readonly doubleBuffer: readonly Scope[];
  /** Blocks by which transfers run ahead of their use; 0 where they are waited for at once. */
  readonly prefetchDistance: number;
}

export interface ProgramOp {
  /** Unique in the program. */
  readonly name: string;
  /**
   * The span of the code that is the op's: `S.perfBegin(span)` to `S.perfEnd(span)`. What is spent in it is reported as the op's
   * cost. The only op of a program needs none: all is its.
   */
  readonly span?: number;
  /** What it computes, as `gemm` or `softmax`. */
  readonly kind: string;
  /** The dimensions that it loops over: `{ m: 1024, n: 1024, k: "depth" }`. */
  readonly dims: { readonly [dim: string]: Extent };
  /** Names of tensors. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** What else it was asked to be: `{ activation: "relu", transposeB: true }`. */
  readonly attributes?: { readonly [name: string]: string | number | boolean };
  readonly tiling?: Tiling;
  /** Ops that run inside the same loops, without their tensors leaving the chip in between; each of them names this one too. */
  readonly fusedWith?: readonly string[];
}

export interface ProgramDescription {
  readonly tensors: readonly ProgramTensor[];
  readonly ops: readonly ProgramOp[];
  /** Names of all ops in the order in which they run; that of `ops` when absent. */
  readonly schedule?: readonly string[];
  /** Of each tensor of role `weight`: its elements as they lie in memory. */
  readonly weights?: { readonly [tensor: string]: Uint8Array };
}

/** A description with all that follows from the rest. */
export interface CompleteDescription extends ProgramDescription {
  readonly schedule: readonly string[];
}

export function completeDescription(d: ProgramDescription): CompleteDescription {
  return { ...d, schedule: d.schedule ?? d.ops.map((o) => o.name) };
}

export interface MetricBytes {
  readonly read: number;
  readonly written: number;
}
/** Bytes by level of the machine. */
export type MetricTraffic = { readonly [L in "dram" | "l3" | "l2" | "local"]: MetricBytes };

/** What an op cost; cycles are those of the tile that spent the most. */
export interface OpMetrics {
  /** Name of the op. */
  readonly op: string;
  readonly cycles: number;
  readonly macs: number;
  readonly traffic: MetricTraffic;
  readonly energyUj?: number;
}

/** The value of a scalar (NaN, infinities and -0 as texts), the size of an array, a null pointer. */
export type MetricArgument = number | boolean | string | { readonly bytes: number } | null;

/** What a run costs: estimated before, or measured. */
export interface ProgramMetrics {
  /** Who says so: `machine model, mode power`. */
  readonly source: string;
  readonly machine: string;
  readonly tiles: number;
  /** What it holds for, in the order of the parameters. */
  readonly arguments: readonly MetricArgument[];
  /** The clock that cycles are of. */
  readonly clock: { readonly name: string; readonly hz: number };
  /** Compute, memory stalls and the rest add up to the total. */
  readonly totalCycles: number;
  readonly totalTimeUs: number;
  readonly computeCycles: number;
  readonly memoryStallCycles: number;
  readonly otherCycles: number;
  readonly macs: number;
  /** Shares of what the machine could do in the time, 0 to 1. */
  readonly computeUtilization: number;
  readonly memoryBandwidthUtilization: number;
  readonly traffic: MetricTraffic;
  readonly totalEnergyUj?: number;
  readonly averagePowerWatts?: number;
  readonly ops: readonly OpMetrics[];
}

/** What does not hold in metrics of a program, as the end of a sentence; undefined when nothing is wrong. */
export function metricsProblem(
  m: ProgramMetrics,
  d: ProgramDescription,
  params: readonly unknown[],
): string | undefined {
  if (m.arguments.length !== params.length)
    return `is for ${m.arguments.length} arguments, the program has ${params.length} parameters`;
  const names = new Set(d.ops.map((o) => o.name));
  const unknown = m.ops.find((o) => !names.has(o.op));
  if (unknown !== undefined) return `names the op "${unknown.op}", which there is not`;
  if (again(m.ops.map((o) => o.op)) >= 0) return "names an op twice";
  return undefined;
}

/** Elements of a tensor whose shape is told in numbers alone; undefined also where they are too many to count. */
export function elementsOf({ shape }: ProgramTensor): number | undefined {
  if (shape === undefined) return undefined;
  const count = shape.reduce<number>(
    (n, extent) => n * (typeof extent === "number" ? extent : Number.NaN),
    1,
  );
  return Number.isSafeInteger(count) ? count : undefined;
}

/** Bytes of a tensor whose shape is told in numbers alone. */
export function tensorBytes(t: ProgramTensor): number | undefined {
  const count = elementsOf(t);
  return count === undefined ? undefined : bytesOf(t.dtype, count);
}

/** A parameter, with what the code does to the memory behind it. */
export interface ParamUse extends ParamSpec {
  readonly read: boolean;
  readonly written: boolean;
}

/** What a program is that nobody described: its array parameters as tensors, and one op that does everything. */
export function plainDescription(kernel: string, params: readonly ParamUse[]): ProgramDescription {
  const tensors = params
    .filter((p) => p.pointer)
    .map(({ name, dtype, read, written }): ProgramTensor => {
      const role = !written ? "input" : read ? "inout" : "output";
      return { name, dtype, role, param: name };
    });
  const named = (...roles: readonly TensorRole[]): string[] =>
    tensors.filter((t) => roles.includes(t.role)).map((t) => t.name);
  const op: ProgramOp = {
    name: kernel,
    kind: "kernel",
    dims: {},
    inputs: named("input", "inout"),
    outputs: named("output", "inout"),
  };
  return { tensors, ops: [op] };
}

/** What does not hold in a description, and the key and the index where. */
export interface DescriptionProblem {
  readonly message: string;
  readonly path: readonly (string | number)[];
}

/** What does not hold in a description of a program with these parameters; undefined when all holds. */
export function descriptionProblem(
  d: ProgramDescription,
  params: readonly ParamUse[],
): DescriptionProblem | undefined {
  const at = (message: string, ...path: readonly (string | number)[]) => ({ message, path });
  const tensors = new Map(d.tensors.map((t) => [t.name, t]));
  const ops = new Map(d.ops.map((o) => [o.name, o]));
  const byName = new Map(params.map((p) => [p.name, p]));
  const [tensorAgain, opAgain] = [again(d.tensors.map((t) => t.name)), again(d.ops.map((o) => o.name))];
  if (tensorAgain >= 0)
    return at(`a tensor's name comes twice: ${d.tensors[tensorAgain]?.name}`, "tensors", tensorAgain);
  if (opAgain >= 0) return at(`an op's name comes twice: ${d.ops[opAgain]?.name}`, "ops", opAgain);
  const spanAgain = again(d.ops.map((o) => o.span));
  if (spanAgain >= 0) return at(`span ${d.ops[spanAgain]?.span} is that of two ops`, "ops", spanAgain);
  for (const name of Object.keys(d.weights ?? {}))
    if (tensors.get(name)?.role !== "weight")
      return at(`weights are given for "${name}", which is no weight`);
  for (const [i, t] of d.tensors.entries()) {
    const wrong = tensorProblem(t, byName, d.weights);
    if (wrong !== undefined) return at(`tensor "${t.name}" ${wrong}`, "tensors", i);
  }
  const passed = again(d.tensors.map((t) => t.param));
  if (passed >= 0)
    return at(`parameter "${d.tensors[passed]?.param}" is that of two tensors`, "tensors", passed);
  for (const [i, o] of d.ops.entries()) {
    const wrong = opProblem(o, tensors, ops, byName);
    if (wrong !== undefined) return at(`op "${o.name}" ${wrong}`, "ops", i);
  }
  const { schedule } = d;
  if (schedule === undefined) return undefined;
  const once = schedule.length === ops.size && schedule.every((s) => ops.has(s)) && again(schedule) < 0;
  return once ? undefined : at(`the schedule must name each op once, got ${schedule.join(", ")}`, "schedule");
}

/** Where something comes that was there before; -1 where nothing does. What is undefined is nothing. */
function again(list: readonly unknown[]): number {
  const seen = new Set<unknown>();
  return list.findIndex((x) => x !== undefined && seen.size === seen.add(x).size);
}

type Params = ReadonlyMap<string, ParamUse>;

function tensorProblem(
  t: ProgramTensor,
  params: Params,
  weights: ProgramDescription["weights"],
): string | undefined {
  const extent = t.shape?.find((e) => !isExtent(e, params));
  if (extent !== undefined) return extentText(extent);
  if (t.shape?.every((e) => typeof e === "number") === true && elementsOf(t) === undefined)
    return `has the shape ${t.shape.join("x")}, which is more than can be counted`;
  if (t.role === "activation") return t.param === undefined ? undefined : "is an activation, and no argument";
  const param = t.param === undefined ? undefined : params.get(t.param);
  if (param?.pointer !== true)
    return t.param === undefined
      ? `is of role ${t.role} and names no parameter`
      : `names the parameter "${t.param}", which is no pointer of the kernel`;
  if (param.dtype !== t.dtype) return `is of ${t.dtype}, its parameter ${t.param} of ${param.dtype}`;
  if (param.written && (t.role === "input" || t.role === "weight"))
    return `is of role ${t.role}, and the code writes to ${t.param}`;
  if (t.role !== "weight") return undefined;
  const bytes = tensorBytes(t);
  if (bytes === undefined) return "is a weight, and its shape is not told in numbers";
  const held = weights !== undefined && Object.hasOwn(weights, t.name) ? weights[t.name]?.length : undefined;
  if (held !== bytes) return `is a weight of ${bytes} bytes, given are ${held ?? "none"}`;
  return undefined;
}

function isExtent(e: Extent, params: Params): boolean {
  if (typeof e === "number") return Number.isSafeInteger(e) && e >= 0;
  return params.get(e)?.pointer === false;
}
function extentText(e: Extent): string {
  return typeof e === "number"
    ? `has the extent ${e}, which is no number of elements`
    : `has the extent "${e}", which is no scalar parameter`;
}

function opProblem(
  o: ProgramOp,
  tensors: ReadonlyMap<string, ProgramTensor>,
  ops: ReadonlyMap<string, ProgramOp>,
  params: Params,
): string | undefined {
  const extent = Object.values(o.dims).find((e) => !isExtent(e, params));
  if (extent !== undefined) return extentText(extent);
  if (o.span !== undefined && !(Number.isSafeInteger(o.span) && o.span >= 0))
    return `has the span ${o.span}, which is no number of a span`;
  // JavaScript takes it for something else where it stands as a key.
  if ([o.dims, o.attributes ?? {}].some((named) => Object.hasOwn(named, "__proto__")))
    return "has a dimension or an attribute __proto__";
  const odd = Object.entries(o.attributes ?? {}).find(
    ([, v]) => typeof v === "number" && !Number.isFinite(v),
  );
  if (odd !== undefined) return `has the attribute ${odd[0]}: ${odd[1]}, which a program file cannot hold`;
  const unknown = [...o.inputs, ...o.outputs].find((name) => !tensors.has(name));
  if (unknown !== undefined) return `names the tensor "${unknown}", which there is not`;
  const kept = o.outputs.find((name) => ["input", "weight"].includes(tensors.get(name)?.role ?? ""));
  if (kept !== undefined) return `has the output "${kept}", which is of role ${tensors.get(kept)?.role}`;
  for (const name of o.fusedWith ?? []) {
    if (name === o.name) return "is fused with itself";
    if (ops.get(name)?.fusedWith?.includes(o.name) !== true)
      return `is fused with "${name}", which does not say so`;
  }
  return o.tiling === undefined ? undefined : tilingProblem(o.tiling, o);
}

function tilingProblem({ tileSizes, loopOrder, doubleBuffer, prefetchDistance }: Tiling, o: ProgramOp) {
  for (const [level, sizes] of Object.entries(tileSizes)) {
    if (!SCOPES.some((s) => s === level)) return `is cut for a level "${level}", which there is not`;
    for (const [dim, size] of Object.entries(sizes)) {
      if (!Object.hasOwn(o.dims, dim)) return `is cut along "${dim}" in ${level}, and has no such dimension`;
      if (!(Number.isSafeInteger(size) && size >= 1))
        return `has a block of ${size} elements along ${dim} in ${level}`;
    }
  }
  const loop = loopOrder.find(({ level, dim }) => !Object.hasOwn(tileSizes[level] ?? {}, dim));
  if (loop !== undefined)
    return `loops over blocks of ${loop.level} along "${loop.dim}", of which tileSizes tells no size`;
  const level = doubleBuffer.find((l) => tileSizes[l] === undefined);
  if (level !== undefined) return `has two buffers in ${level}, where tileSizes has no block`;
  if (!(Number.isSafeInteger(prefetchDistance) && prefetchDistance >= 0))
    return `has the prefetch distance ${prefetchDistance}, which is no number of blocks`;
  return undefined;
}
