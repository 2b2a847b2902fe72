/** Direct execution: a checked kernel and host arrays to results, with every access checked. */
export type { Checks } from "./allocator.ts";
export { POLICIES, type SchedulePolicy, type SimulateOptions } from "./options.ts";
export { type RunFacts, SimulationReport } from "./report.ts";
export { lastWriter, simulateKernel } from "./run.ts";
export type { TransferPolicy } from "./transfers.ts";
