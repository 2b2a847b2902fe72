/** The information-theory unit: entropies, mutual information, plasticity. `kpu-dsl/itpu`. */
export type { HostElements } from "../ir/elements.ts";
export { Buf, type BufDType, type BufSource } from "./buf.ts";
export type { ExecutionName } from "./execution.ts";
export {
  type BufRef,
  type Descriptor,
  Graph,
  type GraphTimeOptions,
  type Params,
  type RunOptions,
} from "./graph.ts";
export { type Given, type GraphFile, graphFile, readGraph } from "./json.ts";
export { OP_NAMES, type OpName } from "./ops/index.ts";
export type { Bottleneck, GraphTime, OpTime } from "./timing/time.ts";
