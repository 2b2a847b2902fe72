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
  type HostArray,
  type HostParams,
  type HostView,
  host,
  type Kernel,
  kernel,
  type ParamDecl,
  ptr,
  recordOf,
  type Tensor,
} from "./dsl/kernel.ts";
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
} from "./executions.ts";
export { CODES, type DiagnosticCode } from "./ir/codes.ts";
export { type Diagnostic, KpuError, type Location } from "./ir/diagnostic.ts";
export { TARGETS, type Target, type TargetName } from "./ir/target.ts";
export { createDevice, KpuProgram, loadProgram } from "./runtime/index.ts";
