/** Loading and running programs: `kpu-dsl/runtime`. Needs neither a kernel's source nor the typescript package. */

export { KpuError } from "../ir/diagnostic.ts";
export { createDevice, type Device, type DeviceOptions } from "./device.ts";
export { estimateProgram } from "./metrics.ts";
export { assemble, KpuProgram, loadProgram, type RunOptions } from "./program.ts";
export type { RunReport } from "./report.ts";
export {
  type CallOptions,
  type ShapeOnly,
  stepProgram,
  type TimeOptions,
  timeProgram,
  traceProgram,
} from "./timing.ts";
export { deriveTrace, type TraceArgument, type TraceOptions } from "./trace/index.ts";
