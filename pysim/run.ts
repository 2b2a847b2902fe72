/**
 * One direct call: arguments become memory, tiles run, errors become reports with the author's line.
 *
 * A kernel that never waits runs as the author's own function, one tile after the other, so that breakpoints and
 * console.log simply work. A kernel that waits runs as coroutines of the same text under the scheduler.
 */
import { authorFrame, type CheckedKernel, coroutineOf, render } from "../capture/index.ts";
import { current, enter } from "../dsl/context.ts";
import { dtypeOf } from "../dsl/dtypes.ts";
import type { KernelRecord } from "../dsl/kernel.ts";
import { Ptr } from "../dsl/pointer.ts";
import { rangeText } from "../ir/bounds.ts";
import { type Diagnostic, diagnostic, fail, KpuError, type Location, type Note } from "../ir/diagnostic.ts";
import { DTYPES } from "../ir/dtype.ts";
import { type BoundArg, bindArguments, memoryRegions } from "../ir/hostargs.ts";
import { STACK_DEPTH } from "./faults.ts";
import { Buffer } from "./memory.ts";
import { type RunOptions, resolveOptions, type SimulateOptions } from "./options.ts";
import { SimulationReport } from "./report.ts";
import { type Coroutine, Scheduler } from "./scheduler.ts";
import { TileSimulation } from "./simulation.ts";
import { LastWrite, Watch, type Watcher } from "./watch.ts";

/** A call that can be run again from the same memory. */
interface Call {
  readonly record: KernelRecord;
  readonly checked: CheckedKernel;
  readonly args: readonly BoundArg[];
  readonly options: RunOptions;
}

/** The end of a run: how many barriers and transfers it had, and the error that ended it. */
interface Outcome {
  readonly sim: TileSimulation;
  readonly barriers: number;
  readonly error: unknown;
}

/**
 * Runs a checked kernel directly on host arrays and returns what there is to say about the run.
 *
 * @throws KpuError for everything DESIGN law 5 and 6 name; `message` is the report, `diagnostics` its data. The
 * arrays then hold what the run had written when it failed.
 */
export function simulateKernel(
  record: KernelRecord,
  checked: CheckedKernel,
  args: readonly unknown[],
  o: SimulateOptions = {},
): SimulationReport {
  if (current.kind !== "idle") {
    fail("KPU6009", `${record.name} is called while another kernel runs`, {
      location: authorFrame(),
      help: "share code between kernels as ordinary functions",
    });
  }
  const options = resolveOptions(o);
  const call: Call = { record, checked, args: bindArguments(record.name, checked.paramSpecs, args), options };
  const restore = options.tiles > 1 && options.checks.race ? snapshot(call) : undefined;
  const { sim, barriers, error } = run(call);
  if (error !== undefined) {
    const race = sim.faults.race;
    let earlier: Watch["found"];
    if (race !== undefined && restore !== undefined) {
      restore();
      const watch = new Watch(race);
      run({ ...call, options: { ...options, print: () => {} } }, watch);
      earlier = watch.found;
    }
    throw report(call, sim, error, earlier);
  }
  const lines = { seed: options.seed, policy: options.policy, transfers: options.transfers };
  return new SimulationReport({
    kernel: record.name,
    target: options.target.name,
    tiles: options.tiles,
    ...lines,
    barriers,
    transferCount: sim.transfers.started,
    prints: sim.printed,
    marks: sim.spans.map((s) => s.marks),
  });
}

/**
 * Runs a checked kernel and returns the author's line that wrote element `index` of pointer parameter `param` last;
 * undefined when none did, or the run failed before. Changes the arrays as any run does.
 */
export function lastWriter(
  record: KernelRecord,
  checked: CheckedKernel,
  args: readonly unknown[],
  o: SimulateOptions,
  param: number,
  index: number,
): Location | undefined {
  const call: Call = {
    record,
    checked,
    args: bindArguments(record.name, checked.paramSpecs, args),
    options: resolveOptions(o),
  };
  // Host arguments are the first regions of a run, in this order.
  const region = memoryRegions(call.args).findIndex((r) => r.members.includes(param));
  const arg = call.args[param];
  const spec = checked.paramSpecs[param];
  if (region < 0 || arg?.kind !== "pointer" || spec === undefined) return undefined;
  const { bytes } = DTYPES[spec.dtype];
  const watch = new LastWrite(region, arg.byteOffset + index * bytes, arg.byteOffset + (index + 1) * bytes);
  run(call, watch);
  return watch.location;
}

/** Runs all tiles from the memory as it is. */
function run(call: Call, watch?: Watcher): Outcome {
  const { record, checked, options } = call;
  const sim = new TileSimulation(options, watch);
  const values = bodyValues(call, sim);
  const make = checked.blocking.size === 0 ? undefined : coroutineOf(checked.captured, checked.blocking);
  const before = enter({ kind: "simulate", sim, observe: sim.observe });
  const depth = Error.stackTraceLimit;
  Error.stackTraceLimit = Math.max(depth, STACK_DEPTH);
  let scheduler: Scheduler | undefined;
  let error: unknown;
  try {
    if (make === undefined) runNatively(record, sim, values);
    else {
      const { thisValue } = record;
      const tiles = Array.from(
        { length: options.tiles },
        () => make.apply(thisValue, [...values]) as Coroutine,
      );
      sim.suspends = true;
      scheduler = new Scheduler(sim, tiles, options.policy, options.seed);
      scheduler.run();
    }
  } catch (e) {
    // The stack is text from here on: it is read while the depth is still raised.
    if (e instanceof Error) void e.stack;
    error = e ?? new Error("a kernel threw undefined");
  } finally {
    Error.stackTraceLimit = depth;
    enter(before);
    for (const shadow of sim.clock.shadows) shadow.giveBack();
  }
  return { sim, barriers: scheduler?.barriers ?? 0, error };
}

function runNatively(record: KernelRecord, sim: TileSimulation, values: readonly unknown[]): void {
  const fn = record.fn as (...args: unknown[]) => unknown;
  for (let tile = 0; tile < sim.clock.tiles; tile++) {
    sim.clock.run(tile);
    fn.apply(record.thisValue, [...values]);
    sim.atEndOfTile();
  }
}

/** What the kernel's parameters are: numbers, booleans and pointers. */
function bodyValues({ checked, args }: Call, sim: TileSimulation): unknown[] {
  const specs = checked.paramSpecs;
  const values: unknown[] = args.map((arg, i) => {
    const spec = specs[i] as (typeof specs)[number];
    if (arg.kind === "scalar") return spec.dtype === "bool" ? arg.value !== 0 : arg.value;
    return new Ptr(dtypeOf(spec.dtype), undefined, 0, spec.constant);
  });
  for (const { buffer, start, end, members } of memoryRegions(args)) {
    const dtypes = members.map((i) => (specs[i] as (typeof specs)[number]).dtype);
    // The shadow's cells fit the smallest element, so that no member has to refine them.
    const smallest = dtypes.reduce((a, b) => (DTYPES[b].bytes < DTYPES[a].bytes ? b : a));
    const region = sim.memory.region(buffer, start, end, dtypeOf(smallest), {
      shared: true,
      initialised: true,
    });
    for (const i of members) {
      const arg = args[i] as Extract<BoundArg, { kind: "pointer" }>;
      const { name, dtype, constant } = specs[i] as (typeof specs)[number];
      const memory = new Buffer(name, "global", dtypeOf(dtype), region, arg.byteOffset, arg.byteLength);
      values[i] = new Ptr(dtypeOf(dtype), memory, 0, constant);
    }
  }
  return values;
}

/** Copies what the kernel can write; the result puts it back. */
function snapshot({ checked, args }: Call): () => void {
  const copies = memoryRegions(args)
    .filter(({ members }) => members.some((i) => checked.paramSpecs[i]?.constant === false))
    .map(({ buffer, start, end }) => {
      const live = new Uint8Array(buffer, start, end - start);
      return { live, copy: live.slice() };
    });
  return () => {
    for (const { live, copy } of copies) live.set(copy);
  };
}

/** The error that the caller sees: every diagnostic with its line, tile, and how to run it again. */
function report(
  { record, options }: Call,
  sim: TileSimulation,
  error: unknown,
  earlier: Watch["found"],
): KpuError {
  const { tile, tiles } = sim.clock;
  const frame = error instanceof Error ? authorFrame(error.stack) : undefined;
  const found: readonly Diagnostic[] =
    error instanceof KpuError
      ? error.diagnostics
      : [
          diagnostic(
            "KPU5009",
            `${tiles > 1 ? `tile ${tile} of ` : ""}${record.name} threw ${String(error)}`,
            { location: frame },
          ),
        ];
  const replay = `tile ${tile} of ${tiles} on ${options.target.name}, policy ${options.policy}, transfers ${options.transfers}, seed ${options.seed}`;
  const diagnostics = found.map((d): Diagnostic => {
    const notes: Note[] = [...d.notes];
    if (earlier !== undefined) {
      const access = sim.faults.race?.write ? "wrote" : "read";
      notes.push({
        message: `tile ${earlier.tile} ${access} ${rangeText(earlier.range)} here`,
        ...(earlier.location ? { location: earlier.location } : {}),
      });
    }
    notes.push({ message: replay });
    const location = d.location ?? frame;
    return {
      ...d,
      ...(location ? { location } : {}),
      notes,
      data: {
        kernel: record.name,
        tile,
        tiles,
        seed: options.seed,
        policy: options.policy,
        transfers: options.transfers,
        ...d.data,
        ...(earlier
          ? {
              otherTile: earlier.tile,
              otherLine: earlier.location?.line,
              otherFirst: earlier.range.first,
              otherLast: earlier.range.last,
            }
          : {}),
      },
    };
  });
  const made = new KpuError(diagnostics, diagnostics.map((d) => render(d)).join("\n\n"));
  if (error instanceof KpuError) {
    if (error.stack !== undefined) made.stack = error.stack.replace(error.message, () => made.message);
  } else made.cause = error;
  return made;
}
