/**
 * One way to run a kernel in a test, direct or compiled by project (`KPU_EXECUTION`), with a proof of which execution
 * ran: a compiled run must not enter the author's function, a direct run must not compile.
 */
import { type AnyKernel, build, KpuProgram, recordOf, simulate, type TargetName } from "kpu-dsl";

export type Execution = "direct" | "compiled";

/** What the project of this test run executes. */
export const execution: Execution = process.env["KPU_EXECUTION"] === "compiled" ? "compiled" : "direct";

export interface ExecuteOptions {
  readonly target?: TargetName;
  readonly tiles?: number;
  readonly print?: (line: string) => void;
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
  const before = compiledRuns;
  if (which === "direct") {
    simulate(kernel, args, o);
  } else {
    const program = build(kernel, o.target === undefined ? {} : { target: o.target });
    const { target: _, ...run } = o;
    program.runWith(run, ...args);
  }
  const ran = compiledRuns > before ? "compiled" : "direct";
  if (ran !== which) throw new Error(`${recordOf(kernel)?.name}: wanted ${which} execution, but ${ran} ran`);
}

/** Counts every run of a program, whoever starts it. */
let compiledRuns = 0;
const runWith = KpuProgram.prototype.runWith;
KpuProgram.prototype.runWith = function (this: KpuProgram, ...args: Parameters<typeof runWith>) {
  compiledRuns++;
  return runWith.apply(this, args);
};
