/** Random valid kernels, and what finds bugs with them. */
export { BATCH, type Failure, runBatch, runSeed } from "./campaign.ts";
export { type Counts, countProgram, type Missing, missing, NOT_DRAWN } from "./coverage.ts";
export {
  type CampaignOptions,
  type CampaignReport,
  campaign,
  type MutationReport,
  mutationCampaign,
} from "./crew.ts";
export { evaluate } from "./evaluate.ts";
export { type Finding, findingText, runEveryWay, runProgram, signature, type Tamper } from "./executions.ts";
export { generate, theCatalogue } from "./generate.ts";
export { MUTATIONS, type MutationResult, makeMutant, verdict } from "./mutate.ts";
export { printProgram } from "./print.ts";
export { seedOf } from "./seed.ts";
export { regressionTest, type Shrunk, shrink, shrinkBy } from "./shrink.ts";
export type { Program } from "./tree.ts";
