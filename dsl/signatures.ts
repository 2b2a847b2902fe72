/** Call signatures of the intrinsics that many records share; what an editor shows. */
import type { AnyD, bf16, FloatD, f16, f32, IntD, i8, i16, i32, NumD, u8, u16, u32, VecD } from "./dtypes.ts";
import type {
  IndexOf,
  LaneOptions,
  Like,
  MaskArg,
  MaskLaneOptions,
  Narrow,
  SaturateOptions,
  Signed,
  SignOf,
  SignOptions,
  Wider,
} from "./options.ts";
import type { HalfPart } from "./parts.ts";
import type { Mask, Vec } from "./values.ts";

/** A result of the same width and the given sign. */
interface OutSign {
  <D extends IntD, S extends "signed" | "unsigned">(
    x: Vec<D>,
    y: Like<D> | number,
    options: SignOptions<D, S>,
  ): Vec<Signed<D, S>>;
  <D extends IntD, S extends "signed" | "unsigned">(
    x: number,
    y: Vec<D>,
    options: SignOptions<D, S>,
  ): Vec<Signed<D, S>>;
}
interface Saturating2 {
  <D extends IntD>(x: Vec<D>, y: Like<D> | number, options: SaturateOptions<D>): Vec<D>;
  <D extends IntD>(x: number, y: Vec<D>, options: SaturateOptions<D>): Vec<D>;
}
/** vmin, vdiv, ...: two operands of one dtype, one of which may be a scalar. */
export interface Lanewise2<A extends AnyD = NumD> {
  <D extends A>(x: Vec<D>, y: Like<D> | number, options?: LaneOptions<D>): Vec<D>;
  <D extends A>(x: number, y: Vec<D>, options?: LaneOptions<D>): Vec<D>;
}
/** vadd, vsub, vmul: as {@link Lanewise2}; integers take `saturate` and `outSign`. */
export interface Arithmetic2 extends Lanewise2<NumD>, OutSign, Saturating2 {}
/** vsl: integers, `saturate`. */
export interface ShiftLeft extends Lanewise2<IntD>, Saturating2 {}
/** vsr: integers, `withRound`. */
export interface ShiftRight {
  <D extends IntD>(
    x: Vec<D>,
    amount: Like<D> | number,
    options?: LaneOptions<D> & { readonly withRound?: boolean },
  ): Vec<D>;
  <D extends IntD>(
    x: number,
    amount: Vec<D>,
    options?: LaneOptions<D> & { readonly withRound?: boolean },
  ): Vec<D>;
}
/** vabs, vneg: integers take `saturate`. */
export interface Arithmetic1 {
  <D extends NumD>(x: Vec<D>, options?: LaneOptions<D>): Vec<D>;
  <D extends IntD>(x: Vec<D>, options: SaturateOptions<D>): Vec<D>;
}
/** vsign: one operand of any dtype. */
export type Unary = <D extends NumD>(x: Vec<D>, options?: LaneOptions<D>) => Vec<D>;
/** Float functions: on a vector lane by lane, on a number the f32 function. */
export interface FloatFunction {
  (x: number): number;
  <D extends FloatD>(x: Vec<D>, options?: LaneOptions<D>): Vec<D>;
}
/** vpow: two vectors of one dtype, a vector and a number, or two numbers as f32. */
export interface FloatFunction2 extends Lanewise2<FloatD> {
  (x: number, y: number): number;
}
/** vfma: at least one operand is a vector. */
export interface Fma {
  <D extends FloatD>(acc: Vec<D>, x: Like<D> | number, y: Like<D> | number, options?: LaneOptions<D>): Vec<D>;
  <D extends FloatD>(acc: number, x: Vec<D>, y: Like<D> | number, options?: LaneOptions<D>): Vec<D>;
  <D extends FloatD>(acc: number, x: number, y: Vec<D>, options?: LaneOptions<D>): Vec<D>;
}
/** vclip: x may not be a scalar. */
export type Clip = <D extends NumD>(
  x: Vec<D>,
  low: Like<D> | number,
  high: Like<D> | number,
  options?: LaneOptions<D>,
) => Vec<D>;
/** visnan, visinf, visfinite: floats give a mask. */
export type Classify = <D extends FloatD>(x: Vec<D>, options?: MaskLaneOptions) => Mask;
/** Comparisons give a mask. */
export interface Compare {
  <D extends NumD>(x: Vec<D>, y: Like<D> | number, options?: MaskLaneOptions): Mask;
  <D extends NumD>(x: number, y: Vec<D>, options?: MaskLaneOptions): Mask;
}
/** vand, vor, vxor: integers or masks. */
export interface Bitwise2 extends Lanewise2<IntD> {
  (x: Mask, y: Mask | boolean, options?: MaskLaneOptions): Mask;
  (x: boolean, y: Mask, options?: MaskLaneOptions): Mask;
}
export interface Bitwise1 {
  <D extends IntD>(x: Vec<D>, options?: LaneOptions<D>): Vec<D>;
  (x: Mask, options?: MaskLaneOptions): Mask;
}
/** vclz, vpcnt, ...: one integer operand. */
export type IntegerFunction = <D extends IntD>(x: Vec<D>, options?: LaneOptions<D>) => Vec<D>;
export interface NarrowOptions<D extends IntD, H extends boolean, S extends "signed" | "unsigned"> {
  readonly toH?: H;
  readonly outSign?: S;
  readonly mask?: MaskArg | undefined;
  readonly r?: Vec<NoInfer<Narrow<D, H, S>>> | number | undefined;
}
type Narrowing<Own> = <
  D extends i16 | u16 | i32 | u32,
  H extends D extends i16 | u16 ? false : boolean = false,
  S extends "signed" | "unsigned" = SignOf<D>,
>(
  x: Vec<D>,
  amount: Like<D> | number,
  options?: NarrowOptions<D, H, S> & Own,
) => Vec<Narrow<D, H, S>>;
/** vnsr: 16-bit lanes to 8 bits, 32-bit lanes to 8 or with `toH` to 16. */
export type NarrowShift = Narrowing<{ readonly saturate?: boolean; readonly withRound?: boolean }>;
/** vnsrsr: rounds and saturates always. */
export type RoundingNarrowShift = Narrowing<object>;
/** A tuple of N, or an array where N is not known. */
export type Several<T, N extends number, Made extends T[] = []> = number extends N
  ? T[]
  : Made["length"] extends N
    ? Made
    : Made["length"] extends 32
      ? T[]
      : Several<T, N, [...Made, T]>;
export interface HalfOption {
  readonly part?: HalfPart | undefined;
}
/** vconcat: scalars broadcast to the lanes of the first vector. */
export interface Concat {
  <D extends VecD>(list: readonly (Vec<D> | number)[], options?: HalfOption): Vec<D>;
  (list: readonly (Mask | boolean)[], options?: HalfOption): Mask;
}
/** vsplit: a tuple where the number of parts is a literal. */
export interface Split {
  <D extends VecD, N extends number = number>(x: Vec<D>, parts?: N): Several<Vec<D>, N>;
  <N extends number = number>(x: Mask, parts?: N): Several<Mask, N>;
}
export interface Interleave {
  <D extends VecD>(x: Vec<D>, y: Like<D> | number, options?: HalfOption): Vec<D>;
  (x: Mask, y: Mask | boolean, options?: HalfOption): Mask;
}
export interface Unzip {
  <D extends VecD>(x: Vec<D>): [even: Vec<D>, odd: Vec<D>];
  (x: Mask): [even: Mask, odd: Mask];
}
export interface Permute1 {
  <D extends VecD>(x: Vec<D>, options?: LaneOptions<D>): Vec<D>;
  (x: Mask, options?: MaskLaneOptions): Mask;
}
/** vsldl: a window of two. */
export interface Permute2 {
  <D extends VecD>(x: Vec<D>, y: Like<D> | number, shift: number, options?: LaneOptions<D>): Vec<D>;
  (x: Mask, y: Mask | boolean, shift: number, options?: MaskLaneOptions): Mask;
}
/** vshfl: the shift may be a run-time number. */
export interface Rotate {
  <D extends VecD>(x: Vec<D>, shift: number, options?: LaneOptions<D>): Vec<D>;
  (x: Mask, shift: number, options?: MaskLaneOptions): Mask;
}
export interface Replicate {
  <D extends VecD>(x: Vec<D>, index?: number, options?: LaneOptions<D>): Vec<D>;
  (x: Mask, index?: number, options?: MaskLaneOptions): Mask;
}
export interface Transpose {
  <D extends VecD>(x: Vec<D>, rows: number): Vec<D>;
  (x: Mask, rows: number): Mask;
}
/** vcompt, vexpand: lanes without a value are r, or 0. */
export interface Pack {
  <D extends VecD>(x: Vec<D>, mask: MaskArg, options?: { readonly r?: Like<D> | number | undefined }): Vec<D>;
  (x: Mask, mask: MaskArg, options?: { readonly r?: Mask | boolean | undefined }): Mask;
}
/** vcompc: the lanes of y follow. */
export interface PackBeside {
  <D extends VecD>(x: Vec<D>, y: Like<D> | number, mask: MaskArg): Vec<D>;
  (x: Mask, y: Mask | boolean, mask: MaskArg): Mask;
}
/** vtbl: indices are integers as wide as the table's lanes. */
export type TableLookUp = <D extends VecD>(
  table: Vec<D> | readonly (Vec<D> | number)[],
  indices: Vec<IndexOf<NoInfer<D>>>,
  options?: LaneOptions<D>,
) => Vec<D>;
/** vxtl, vxth: half of the lanes, twice as wide. */
export type Widen = <D extends i8 | u8 | i16 | u16 | f16 | bf16>(
  x: Vec<D>,
  options?: LaneOptions<Wider<D>>,
) => Vec<Wider<D>>;
export type QuantizedD = i8 | u8 | i16 | u16 | i32;
/** Scale and zero point: for all lanes, or one for each. */
export type Quantize = <Q extends QuantizedD>(
  x: Vec<f16> | Vec<bf16> | Vec<f32>,
  scale: number | Vec<f32>,
  zeroPoint: number | Vec<NoInfer<Q>>,
  dtype: Q,
  options?: LaneOptions<Q>,
) => Vec<Q>;
export type Dequantize = <Q extends QuantizedD, D extends FloatD>(
  x: Vec<Q>,
  scale: number | Vec<f32>,
  zeroPoint: number | Like<Q>,
  dtype: D,
  options?: LaneOptions<D>,
) => Vec<D>;
/** vsel: lanes of x where the mask is active, of y elsewhere. */
export interface Select {
  <D extends VecD>(x: Vec<D>, y: Like<D> | number, mask: MaskArg): Vec<D>;
  <D extends VecD>(x: number, y: Vec<D>, mask: MaskArg): Vec<D>;
  (x: Mask, y: Mask | boolean, mask: MaskArg): Mask;
  (x: boolean, y: Mask, mask: MaskArg): Mask;
}
export type Reduction = (x: Vec<NumD>, options?: { readonly mask?: MaskArg | undefined }) => number;
export type IndexedReduction = (
  x: Vec<NumD>,
  options?: { readonly mask?: MaskArg | undefined; readonly returnIdx?: boolean | undefined },
) => number;
