/** The part of `ir` that the author's side speaks about, in one place. */

export type { DiagnosticCode } from "../ir/codes.ts";
export { fail, KpuError, presenting } from "../ir/diagnostic.ts";
export {
  DTYPES,
  type DTypeName,
  FLOATS,
  hasFloats,
  hasIntegers,
  INTS,
  isAddressed,
  isFloat,
  isFloat8,
  isInt,
  isShared,
  isStorage,
  NUMERIC,
  SCOPES,
  type Scope,
  VECTORS,
} from "../ir/dtype.ts";
export type { ParamSpec } from "../ir/hostargs.ts";
export { INSPECT } from "../ir/inspect.ts";
export type { Attrs, Expr, Type } from "../ir/kir.ts";
export type { AluOp, CostClass, Effect, OpName } from "../ir/ops.ts";
export type { ProgramDescription } from "../ir/program.ts";
export type { Target, TargetName } from "../ir/target.ts";
export { registerLanes, resolveTarget } from "../ir/target.ts";
