/** Call signatures of products with more bits than their factors; what an editor shows. */
import type { bf16, f16, f32, IntD, i8, i16, i32, u8, u16, u32 } from "./dtypes.ts";
import type { LaneOptions, Signed } from "./options.ts";
import type { Vec } from "./values.ts";

/** Lane dtypes of twice the width, of either sign. */
export interface Doubled {
  readonly signed: {
    readonly i8: i16;
    readonly u8: i16;
    readonly i16: i32;
    readonly u16: i32;
    readonly i32: i32;
    readonly u32: i32;
  };
  readonly unsigned: {
    readonly i8: u16;
    readonly u8: u16;
    readonly i16: u32;
    readonly u16: u32;
    readonly i32: u32;
    readonly u32: u32;
  };
}
/** The sign of what two integers give together. */
export type ProductSign<D extends IntD, E extends IntD> = [D | E] extends [u8 | u16 | u32]
  ? "unsigned"
  : "signed";
/** Integers of D's width. */
export type EitherSign<D extends IntD> = Signed<D, "signed"> | Signed<D, "unsigned">;
/** vmull, vmulh: integers of one width and either sign; 32-bit products are two lanes each. */
export type WideProduct = <D extends IntD, E extends EitherSign<D>>(
  x: Vec<D>,
  y: Vec<E>,
  options?: LaneOptions<Doubled[ProductSign<D, E>][D["name"]]>,
) => Vec<Doubled[ProductSign<D, E>][D["name"]]>;
/** vmulhi: as {@link WideProduct}, one lane each. */
export type HighProduct = <D extends IntD, E extends EitherSign<D>>(
  x: Vec<D>,
  y: Vec<E>,
  options?: LaneOptions<Signed<D, ProductSign<D, E>>>,
) => Vec<Signed<D, ProductSign<D, E>>>;
/** vfmae, vfmao. */
export type MixedFma = (
  acc: Vec<f32>,
  x: Vec<f16> | Vec<bf16>,
  y: Vec<f16> | Vec<bf16>,
  options?: LaneOptions<f32>,
) => Vec<f32>;

export type Bytes = Vec<i8> | Vec<u8>;
export type Words = Vec<i16> | Vec<u16>;
export type Halves = Vec<f16> | Vec<bf16>;
/** vdot: 8 or 16 bits, either sign; half the lanes. */
export type Dot2 = <D extends i8 | u8 | i16 | u16, E extends EitherSign<D>>(
  x: Vec<D>,
  y: Vec<E>,
  options?: LaneOptions<Doubled[ProductSign<D, E>][D["name"]]>,
) => Vec<Doubled[ProductSign<D, E>][D["name"]]>;
/** vqdot: 8-bit integers or 16-bit floats; a quarter of the lanes. */
export interface Dot4 {
  (x: Vec<u8>, y: Vec<u8>, options?: LaneOptions<u32>): Vec<u32>;
  (x: Bytes, y: Bytes, options?: LaneOptions<i32>): Vec<i32>;
  (x: Halves, y: Halves, options?: LaneOptions<f32>): Vec<f32>;
}
/** vdpa. */
export interface DotAccumulate2 {
  <A extends i16 | u16>(acc: Vec<A>, x: Bytes, y: Bytes, options?: LaneOptions<A>): Vec<A>;
  <A extends i32 | u32>(acc: Vec<A>, x: Words, y: Words, options?: LaneOptions<A>): Vec<A>;
}
/** vqdpa. */
export interface DotAccumulate4 {
  <A extends i32 | u32>(acc: Vec<A>, x: Bytes, y: Bytes, options?: LaneOptions<A>): Vec<A>;
  (acc: Vec<f32>, x: Halves, y: Halves, options?: LaneOptions<f32>): Vec<f32>;
}
/** vmml. */
export interface MatrixProduct {
  (x: Bytes, y: Bytes, options?: LaneOptions<i32>): Vec<i32>;
  (x: Halves, y: Halves, options?: LaneOptions<f32>): Vec<f32>;
}
/** vmma. */
export interface MatrixAccumulate {
  (acc: Vec<i32>, x: Bytes, y: Bytes, options?: LaneOptions<i32>): Vec<i32>;
  (acc: Vec<f32>, x: Halves, y: Halves, options?: LaneOptions<f32>): Vec<f32>;
}
