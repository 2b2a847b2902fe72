/**
 * KPU DSL: a kernel language in TypeScript with two executions of one source.
 *
 *     import { kernel, ptr, f32, i32, S, build } from "kpu-dsl";
 *
 * Importing installs the direct execution; `typescript` and `fast-check` are loaded when first needed.
 */
export { render } from "./capture/index.ts";
export * from "./dsl/dtypes.ts";
export {
  type BodyParam,
  type BodyParams,
  type HostArray,
  type HostParam,
  type HostParams,
  type HostView,
  host,
  type Kernel,
  type KernelRecord,
  kernel,
  type ParamDecl,
  type PtrOptions,
  PtrParam,
  ptr,
  recordOf,
  type Tensor,
} from "./dsl/kernel.ts";
export type { Loaded, MaskArg } from "./dsl/options.ts";
export { NdBuffer, Ptr } from "./dsl/pointer.ts";
export { S } from "./dsl/s.ts";
export { Event, Mask, Vec } from "./dsl/values.ts";
export {
  checkEquivalence,
  compareExecutions,
  type EquivalenceOptions,
  type EquivalenceReport,
} from "./equivalence/check.ts";
export { type Draw, describeInputs } from "./equivalence/inputs.ts";
export {
  type AnyKernel,
  type BuildOptions,
  build,
  check,
  type SimulateOptions,
  simulate,
  stepKernel,
  timeKernel,
  traceKernel,
} from "./executions.ts";
export { CODES, type DiagnosticCode } from "./ir/codes.ts";
export { type Diagnostic, KpuError, type Location } from "./ir/diagnostic.ts";
export type { DTypeName, Scope } from "./ir/dtype.ts";
export type {
  ProgramDescription,
  ProgramMetrics,
  ProgramOp,
  ProgramTensor,
  Tiling,
} from "./ir/program.ts";
export { TARGETS, type Target, type TargetName } from "./ir/target.ts";
export type { SimulationReport } from "./pysim/index.ts";
export {
  assemble,
  createDevice,
  estimateProgram,
  KpuProgram,
  loadProgram,
  type RunReport,
  type ShapeOnly,
  type TimeOptions,
} from "./runtime/index.ts";
