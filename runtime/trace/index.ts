/** The command trace of a program: what every run of it with these arguments asks of a machine. */
import type { Kernel } from "../../ir/kir.ts";
import { TRACE_VERSION, type Trace } from "../../machine/trace.ts";
import type { Starts } from "./expressions.ts";
import { prepared } from "./prepared.ts";
import { Tracer } from "./tracer.ts";
import { DATA, type Value } from "./value.ts";
import { LEVEL_OF } from "./work.ts";

/** An argument as time sees it: the value of a scalar, the size of an array, a null pointer. */
export type TraceArgument = number | boolean | { readonly bytes: number } | null;

export interface TraceOptions {
  /** Compute tiles that the program runs on. */
  readonly tiles: number;
  /** Walks every round of every loop by itself and folds nothing: what is found for all rounds at once can be checked with it. */
  readonly oneByOne?: boolean;
  /** Statements of one tile to walk before the program is refused. Default: 200,000, which takes some seconds. */
  readonly steps?: number;
}

/** Arrays start at multiples of so many bytes in DRAM. */
const DRAM_ALIGNMENT = 4096;

/**
 * Derives the trace from a kernel of level machine, without running it. Arrays lie in DRAM in the order of the
 * parameters, each from a multiple of 4096 bytes; buffers of scope `global` after them.
 * @throws KpuError KPU9020 where the commands depend on data; KPU9021 where they would take too long to find.
 * @example deriveTrace(program.machine, [{ bytes: 4096 }, { bytes: 4096 }, 1024], { tiles: 2 })
 */
export function deriveTrace(kernel: Kernel, args: readonly TraceArgument[], o: TraceOptions): Trace {
  if (kernel.level !== "machine")
    throw new TypeError(`a trace needs a kernel of level machine, got ${kernel.level}`);
  if (args.length !== kernel.params.length)
    throw new TypeError(
      `${kernel.name} has ${kernel.params.length} parameters, got ${args.length} arguments`,
    );
  const program = prepared(kernel);
  const values = new Array<Value>(program.numberOf.size).fill(DATA);
  let top = 0;
  kernel.params.forEach((p, i) => {
    const arg = args[i] as TraceArgument;
    const at = program.numberOf.get(p.local);
    if (at !== undefined)
      values[at] =
        arg === null
          ? { is: "null" }
          : typeof arg === "object"
            ? { is: "pointer", level: LEVEL_OF.global, dtype: p.dtype, at: top }
            : Number(arg);
    if (typeof arg === "object" && arg !== null)
      top = Math.ceil((top + arg.bytes) / DRAM_ALIGNMENT) * DRAM_ALIGNMENT;
  });
  // Behind local memory lie constant tables, and behind them private memory; accumulators lie behind stream buffers.
  const { local, l1, tables } = program.bytes;
  const starts: Starts = {
    ...{ global: top, l3: 0, l2: 0, l1: 0, acc: l1 },
    ...{ local: 0, tables: local, private: local + tables },
  };
  const { tiles, oneByOne = false, steps = 200_000 } = o;
  return {
    version: TRACE_VERSION,
    kernel: kernel.name,
    tiles: Array.from({ length: tiles }, (_, tile) =>
      new Tracer({ program, tile, tiles, values, starts, oneByOne, steps }).trace(),
    ),
  };
}
