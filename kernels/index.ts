/** The operator library. `kpu-dsl/kernels`. */
export { type GemmKernel, gemmKernel } from "./gemm/kernel.ts";
export {
  type GemmPlan,
  type GemmSizes,
  gemmPlans,
  planBytes,
  planGemm,
  planTraffic,
} from "./gemm/plan.ts";
export type { GemmSpec } from "./gemm/spec.ts";
export { type TunedPlan, type TuneOptions, timeGemm, tuneGemm } from "./gemm/tune.ts";
