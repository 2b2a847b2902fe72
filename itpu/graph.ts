/** A graph of ops on named buffers. */
import { availableParallelism } from "node:os";
import { fail } from "../ir/diagnostic.ts";
import type { TargetName } from "../ir/target.ts";
import type { MachineConfig } from "../machine/schema.ts";
import { machineOf } from "../runtime/timing.ts";
import { Buf, type BufSource, elementsOf, shapeText, storedValues } from "./buf.ts";
import { type ExecutionName, executionOf } from "./execution.ts";
import { isOpName, OP_NAMES, OPS, type OpName } from "./ops/index.ts";
import type { Prepared } from "./ops/op.ts";
import { type GraphTime, timeGraph } from "./timing/time.ts";

/** A kernel descriptor: plain data, as it stands in JSON. An input that is left out is null, or missing at the end. */
export interface Descriptor {
  readonly op: OpName;
  readonly inputs: readonly (string | null)[];
  readonly outputs: readonly string[];
  readonly params: Readonly<Record<string, unknown>>;
}

/** A buffer of the graph, or its name. */
export type BufRef = Buf | string;
/** Parameters of an op, and the name of its output; without one it is the op and a number, as `mi0`. */
export type Params = Readonly<Record<string, unknown>> & { readonly out?: string };

export interface RunOptions {
  /** Default: compiled. */
  readonly execution?: ExecutionName;
  /** Threads that work on a batch of pairs, this one included. Default: as many as the machine runs at once. */
  readonly threads?: number;
  /** Is told of the steps of the op that runs. */
  readonly onProgress?: (output: string, done: number, total: number) => void;
}

export interface GraphTimeOptions extends RunOptions {
  /** A preset by its name, or a machine of one's own. Default: itpu-v0. */
  readonly machine?: MachineConfig | TargetName;
  /** Writes down what happened when. */
  readonly schedule?: boolean | { readonly maxRows: number };
}

interface Node {
  readonly descriptor: Descriptor;
  readonly prepared: Prepared;
  readonly output: Buf;
}

/**
 * Every mistake that can be seen is refused when an op is added; values that another op still has to compute are looked at
 * when it has.
 * @example
 * const graph = new Graph();
 * const x = graph.buffer("x", xs), y = graph.buffer("y", ys);
 * graph.mi(x, y, { estimator: "ksg", k: 4, out: "information" });
 * graph.run();
 * graph.get("information").data[0] // nats
 */
export class Graph {
  readonly #buffers = new Map<string, Buf>();
  readonly #nodes: Node[] = [];

  /**
   * A buffer with values. Float64 and plain numbers are rounded to f32.
   * @param shape default: one dimension
   * @throws KPU9102 the name is taken, KPU9103 the shape does not fit, KPU9105 a number beyond f32
   */
  buffer(name: string, values: BufSource, shape?: readonly number[]): Buf {
    const { dtype, data } = storedValues(name, values);
    const own = shape ?? [data.length];
    if (!own.every((d) => Number.isSafeInteger(d) && d >= 0) || elementsOf(own) !== data.length)
      fail("KPU9103", `buffer "${name}": ${data.length} values are not ${shapeText(own)}`);
    return this.#named(new Buf(name, dtype, own, data));
  }

  /** Density at the rows of `grid`, or at the samples: [Q]. `bandwidth` by Silverman's rule unless given. */
  kdePdf(samples: BufRef, grid?: BufRef | null, params?: Params): Buf {
    return this.#method("kdePdf", [samples, grid], params);
  }
  /** Entropy in nats. */
  entropy(src: BufRef, params?: Params): Buf {
    return this.#method("entropy", [src], params);
  }
  /** Mutual information in nats. */
  mi(x: BufRef, y: BufRef, params?: Params): Buf {
    return this.#method("mi", [x, y], params);
  }
  /** Mutual information of each pair: [m, m]. */
  batchMi(list: readonly BufRef[], params?: Params): Buf {
    return this.#method("batchMi", list, params);
  }
  /** Gains after one step. What is left out of `L`, `costs` and `precond` is null or undefined. */
  plasticityStep(
    I: BufRef,
    g: BufRef,
    L?: BufRef | null,
    costs?: BufRef | null,
    precond?: BufRef | null,
    params?: Params,
  ): Buf {
    return this.#method("plasticityStep", [I, g, L, costs, precond], params);
  }
  /** Mean, max or percentile of all elements. */
  reduce(x: BufRef, params?: Params): Buf {
    return this.#method("reduce", [x], params);
  }
  /** A copy. */
  dma(x: BufRef, params?: Params): Buf {
    return this.#method("dma", [x], params);
  }

  /**
   * Adds an op by its descriptor.
   * @throws KPU9101 no such op, KPU9102 no such buffer, or a name that is taken, KPU9103 shapes and dtypes, KPU9104
   * parameters, KPU9105 values
   */
  add(descriptor: {
    readonly op: string;
    readonly inputs: readonly (string | null)[];
    readonly outputs: readonly string[];
    readonly params?: Readonly<Record<string, unknown>>;
  }): Buf {
    const { op: name, inputs, outputs, params = {} } = descriptor;
    if (!isOpName(name))
      return fail("KPU9101", `there is no op "${name}"`, { help: `use one of ${OP_NAMES.join(", ")}` });
    const [output, ...more] = outputs;
    if (output === undefined || more.length > 0)
      return fail("KPU9102", `${name}: expected the name of one output, got ${outputs.length}`);
    const site = `${name} "${output}"`;
    const op = OPS[name];
    const most = op.inputs.some((i) => i.startsWith("...")) ? Infinity : op.inputs.length;
    if (inputs.length > most)
      fail("KPU9102", `${site} takes ${op.inputs.join(", ")}, got ${inputs.length} inputs`);
    if (this.#buffers.has(output)) this.#taken(output);
    const prepared = op.prepare(
      site,
      inputs.map((input) => (input === null ? undefined : this.#buffer(input, site))),
      params,
    );
    prepared.look();
    const buf = this.#named(new Buf(output, prepared.dtype, prepared.shape));
    this.#nodes.push({
      descriptor: { op: name, inputs: [...inputs], outputs: [output], params: { ...params } },
      prepared,
      output: buf,
    });
    return buf;
  }

  /**
   * Runs the ops that have not run, in the order in which they were added. A second run has nothing to do. Results have the
   * same bits for any number of threads.
   * @throws KPU6006 threads that are no whole number from 1
   */
  run({ execution = "compiled", threads = availableParallelism(), onProgress }: RunOptions = {}): void {
    if (!Number.isSafeInteger(threads) || threads < 1)
      fail("KPU6006", `threads: expected a whole number from 1, got ${threads}`);
    for (const { prepared, output } of this.#nodes) {
      if (output.ready) continue;
      prepared.look();
      const progress = (done: number, total: number): void => onProgress?.(output.name, done, total);
      output.fill(prepared.run({ execution: executionOf(execution), threads, progress }));
    }
  }

  /**
   * What the ops cost on a machine with units for them: cycles, energy, and what holds each of them up. Ops that have not run
   * run first, since what a search for neighbours does depends on the samples.
   * @throws KPU9012 an op does not fit the machine, KPU6006 no such machine, KPU9005 a machine that is none, KPU9013 a
   * schedule that is too long
   * @example graph.time().ops[0].microseconds
   */
  time({ machine = "itpu-v0", schedule = false, ...run }: GraphTimeOptions = {}): GraphTime {
    const on = machineOf(machine);
    this.run(run);
    return timeGraph(
      this.buffers,
      this.#nodes.map(({ descriptor, prepared, output }) => ({
        op: descriptor.op,
        output,
        plan: prepared.plan,
      })),
      { machine: on, execution: executionOf(run.execution ?? "compiled"), schedule },
    );
  }

  /** @throws KPU9102 when there is none of this name */
  get(name: string): Buf {
    return this.#buffer(name, "get");
  }
  /** All buffers, in the order in which they were named. */
  get buffers(): readonly Buf[] {
    return [...this.#buffers.values()];
  }
  /** All ops, in the order in which they run. */
  get descriptors(): readonly Descriptor[] {
    return this.#nodes.map((n) => n.descriptor);
  }

  #method(op: OpName, refs: readonly (BufRef | null | undefined)[], given: Params = {}): Buf {
    const { out, ...params } = given;
    const inputs = refs.map((ref) =>
      ref === undefined || ref === null ? null : typeof ref === "string" ? ref : this.#own(ref, op),
    );
    while (inputs.at(-1) === null) inputs.pop();
    return this.add({ op, inputs, outputs: [out ?? this.#free(op)], params });
  }
  #own(ref: Buf, op: OpName): string {
    if (this.#buffers.get(ref.name) === ref) return ref.name;
    return fail("KPU9102", `${op}: buffer "${ref.name}" is of another graph`);
  }
  /** The first name that is free. */
  #free(op: OpName): string {
    for (let i = 0; ; i++) if (!this.#buffers.has(`${op}${i}`)) return `${op}${i}`;
  }
  #named(buf: Buf): Buf {
    if (this.#buffers.has(buf.name)) this.#taken(buf.name);
    this.#buffers.set(buf.name, buf);
    return buf;
  }
  #taken(name: string): never {
    return fail("KPU9102", `there is a buffer "${name}" already`, { help: "give it another name" });
  }
  #buffer(name: string, site: string): Buf {
    const found = this.#buffers.get(name);
    if (found !== undefined) return found;
    const names = [...this.#buffers.keys()];
    return fail("KPU9102", `${site}: there is no buffer "${name}"`, {
      help:
        names.length === 0
          ? "add it first: graph.buffer(name, values)"
          : `there are ${names.slice(0, 20).join(", ")}`,
    });
  }
}
