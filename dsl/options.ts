/** Types of the options that intrinsics share, and of the dtypes that follow from them. */
import type {
  bf16,
  bool,
  DType,
  f16,
  f32,
  IntD,
  i8,
  i16,
  i32,
  NumD,
  StorageD,
  u8,
  u16,
  u32,
} from "./dtypes.ts";
import type { Mask, Vec } from "./values.ts";

/** Where a mask is wanted: a mask, one boolean per lane, or a mask string like `"3T5F"`. */
export type MaskArg = Mask | readonly boolean[] | string;

/** A vector of one dtype; written so that the dtype is inferred from the other operands. */
export type Like<D extends DType> = Vec<NoInfer<D>>;

/** Inactive lanes of the result are `r`, or 0. */
export interface LaneOptions<D extends DType> {
  readonly mask?: MaskArg | undefined;
  readonly r?: Vec<NoInfer<D>> | number | undefined;
}
/** Inactive lanes of the result are `r`, or false. */
export interface MaskLaneOptions {
  readonly mask?: MaskArg | undefined;
  readonly r?: Mask | boolean | undefined;
}
export interface SaturateOptions<D extends DType> extends LaneOptions<D> {
  /** Clamps the exact result to the result dtype instead of wrapping. */
  readonly saturate?: boolean | undefined;
}
/** With `outSign` the result has the same width and the given sign. */
export interface SignOptions<D extends IntD, S extends "signed" | "unsigned"> {
  readonly outSign: S;
  readonly saturate?: boolean | undefined;
  readonly mask?: MaskArg | undefined;
  readonly r?: Vec<Signed<D, S>> | number | undefined;
}

/** The integer dtype of D's width with sign S. */
export type Signed<D extends IntD, S extends "signed" | "unsigned"> = D extends i8 | u8
  ? { signed: i8; unsigned: u8 }[S]
  : D extends i16 | u16
    ? { signed: i16; unsigned: u16 }[S]
    : { signed: i32; unsigned: u32 }[S];

export type SignOf<D extends IntD> = D extends i8 | i16 | i32 ? "signed" : "unsigned";

/** The dtype of vnsr: 8 bits, or 16 from 32-bit lanes with `toH`. */
export type Narrow<D extends IntD, H extends boolean, S extends "signed" | "unsigned"> = Signed<
  D extends i32 | u32 ? (H extends true ? i16 : i8) : i8,
  S
>;

/** What `vload` gives for a pointer to D: a mask for bool, a vector otherwise. */
export type Loaded<D extends DType> = D extends bool ? Mask : Vec<D>;

/** asSigned, asUnsigned. */
export type WithSign<S extends "signed" | "unsigned"> = <D extends IntD>(x: Vec<D>) => Vec<Signed<D, S>>;

/** The dtype of the same kind and sign with twice the bits. */
export type Wider<D extends DType> = D extends i8
  ? i16
  : D extends u8
    ? u16
    : D extends i16
      ? i32
      : D extends u16
        ? u32
        : f32;

/** Integer dtypes of D's width: what indexes a table of D. */
export type IndexOf<D extends DType> = D extends i8 | u8 | StorageD
  ? i8 | u8
  : D extends i16 | u16 | f16 | bf16
    ? i16 | u16
    : i32 | u32;

/** Dtypes whose vectors can be indices of a gather or scatter. */
export type IndexD = i16 | u16 | i32 | u32;

export type { bf16, f16, f32, NumD };
