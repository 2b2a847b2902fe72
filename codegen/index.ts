export { compileKernel, type CompiledKernel, type CompileOptions, emitKernel } from "./compile.ts";
export { type Manifest, paramSpecs, PROGRAM_VERSION, type ProgramFile, readProgram, targetOf, writeProgram } from "./container.ts";
export { align, ARG_BYTES, GUARD_BYTES, type Layout } from "./layout.ts";
export { legalise } from "./legalise.ts";
export type { HostOperand, HostSite } from "./wasm/sites.ts";
export { FAIL } from "./wasm/context.ts";
