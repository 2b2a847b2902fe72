export {
  type CompiledKernel,
  type CompileOptions,
  compileKernel,
  emitKernel,
} from "./compile.ts";
export { parseAssembly, printAssembly } from "./file/assembly.ts";
export { type Manifest, manifestOf, type ProgramFile, weightsOf } from "./file/manifest.ts";
export { readProgram, writeProgram } from "./file/program.ts";
export { PROGRAM_VERSION, type SectionPlace, sectionsOf } from "./file/sections.ts";
export {
  ARG_BYTES,
  align,
  bufferBytes,
  bufferPlace,
  elementBytes,
  GUARD_BYTES,
  HEAD,
  type Layout,
} from "./layout.ts";
export { legalise } from "./legalise.ts";
export { paramSpecs } from "./params.ts";
export { constantBytes, scopeBytes } from "./scopes.ts";
export { FAIL } from "./wasm/context.ts";
export type { AccessSite, HostOperand, HostSite } from "./wasm/sites.ts";
