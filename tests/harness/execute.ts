/**
 * One way to run a kernel in a test, direct or compiled by project (`KPU_EXECUTION`), with a proof of which execution
 * ran: a compiled run must not enter the author's function, a direct run must not compile.
 */
import {
  type AnyKernel,
  build,
  KpuProgram,
  recordOf,
  type SimulateOptions,
  simulate,
  type TargetName,
} from "kpu-dsl";

export type Execution = "direct" | "compiled";

/** What the project of this test run executes. */
export const execution: Execution = process.env["KPU_EXECUTION"] === "compiled" ? "compiled" : "direct";

export interface ExecuteOptions {
  readonly target?: TargetName;
  readonly tiles?: number;
  readonly print?: (line: string) => void;
  /** How direct execution schedules tiles and transfers; a compiled program has one schedule. */
  readonly schedule?: Pick<SimulateOptions, "policy" | "seed" | "transfers">;
}

export function execute(kernel: AnyKernel, args: readonly unknown[], options: ExecuteOptions = {}): void {
  executeAs(execution, kernel, args, options);
}

export function executeAs(
  which: Execution,
  kernel: AnyKernel,
  args: readonly unknown[],
  o: ExecuteOptions = {},
): void {
  const { target, schedule, ...run } = o;
  ran.count(kernel);
  const before = compiledRuns;
  if (which === "direct") {
    simulate(kernel, args, { ...run, ...schedule, ...(target === undefined ? {} : { target }) });
  } else {
    programOf(kernel, target).runWith(run, ...args);
  }
  const happened = compiledRuns > before ? "compiled" : "direct";
  if (happened !== which)
    throw new Error(`${recordOf(kernel)?.name}: wanted ${which} execution, but ${happened} ran`);
}

/** Programs by kernel and target: a test runs one over many sizes. */
const programs = new WeakMap<AnyKernel, Map<TargetName | undefined, KpuProgram>>();

function programOf(kernel: AnyKernel, target: TargetName | undefined): KpuProgram {
  let built = programs.get(kernel);
  if (built === undefined) programs.set(kernel, (built = new Map()));
  let program = built.get(target);
  if (program === undefined) {
    program = build(kernel, target === undefined ? {} : { target });
    built.set(target, program);
  }
  return program;
}

/** What `execute` ran since the last `clear`. */
class Ran {
  readonly kernels = new Set<AnyKernel>();
  readonly dtypes = new Set<string>();
  runs = 0;

  clear(): void {
    this.kernels.clear();
    this.dtypes.clear();
    this.runs = 0;
  }
  count(kernel: AnyKernel): void {
    this.runs++;
    this.kernels.add(kernel);
    for (const p of recordOf(kernel)?.params ?? []) if ("dtype" in p) this.dtypes.add(p.dtype.name);
  }
}
export const ran = new Ran();

/** Counts every run of a program, whoever starts it. */
let compiledRuns = 0;
const runWith = KpuProgram.prototype.runWith;
KpuProgram.prototype.runWith = function (this: KpuProgram, ...args: Parameters<typeof runWith>) {
  compiledRuns++;
  return runWith.apply(this, args);
};
