export {
  type CompiledKernel,
  type CompileOptions,
  compileKernel,
  emitKernel,
  paramSpecs,
} from "./compile.ts";
export { type ProgramFile, readProgram, targetOf, writeProgram } from "./container.ts";
export {
  ARG_BYTES,
  align,
  bufferBytes,
  bufferPlace,
  elementBytes,
  GUARD_BYTES,
  type Layout,
} from "./layout.ts";
export { legalise } from "./legalise.ts";
export { type Manifest, PROGRAM_VERSION } from "./manifest.ts";
export { FAIL } from "./wasm/context.ts";
export type { AccessSite, HostOperand, HostSite } from "./wasm/sites.ts";
