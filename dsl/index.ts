/** What an author imports. */

export type { IntrinsicDocument } from "./document.ts";
export { documentIntrinsics, FAMILY_TITLES } from "./document.ts";
export * from "./dtypes.ts";
export type { Family, IntrinsicRecord, OperandSpec, Signature } from "./intrinsic.ts";
export { authorName, INTRINSICS, intrinsicNamed, intrinsicOf } from "./intrinsic.ts";
export type { CastOptions } from "./intrinsics/conversion.ts";
export type { Events } from "./intrinsics/events.ts";
export type { LoadOptions, StoreOptions } from "./intrinsics/memory.ts";
export type { GatherRowsOptions, TransposeOptions, UpsampleOptions } from "./intrinsics/reshape.ts";
export type { ConvertOptions } from "./intrinsics/scalar.ts";
export type { BoxPadding, CopyBox, CopyOptions } from "./intrinsics/transfer.ts";
export type { DTypeName, ParamSpec, Scope, Target, TargetName } from "./ir.ts";
export { KpuError } from "./ir.ts";
export type {
  BodyParam,
  BodyParams,
  Executions,
  HostArray,
  HostParam,
  HostParams,
  HostView,
  Kernel,
  KernelRecord,
  ParamDecl,
  PtrOptions,
  Tensor,
} from "./kernel.ts";
export { host, installExecutions, kernel, PtrParam, ptr, recordOf } from "./kernel.ts";
export type {
  IndexD,
  LaneOptions,
  Loaded,
  MaskArg,
  MaskLaneOptions,
  SaturateOptions,
  Signed,
  SignOptions,
} from "./options.ts";
export type { CastPart } from "./parts.ts";
export type { ElementOf, MemoryObject } from "./pointer.ts";
export { NdBuffer, Ptr } from "./pointer.ts";
export { S } from "./s.ts";
export { Event, Mask, Vec } from "./values.ts";
