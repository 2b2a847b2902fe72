/** How an expression of level virtual holds its number. */
import type { Expr, ScalarName } from "../../ir/kir.ts";

export type Num = "i32" | "i64" | "f32" | "f64";

export const nameOf = (x: { readonly type: Expr["type"] }): ScalarName | undefined =>
  x.type.kind === "scalar" ? x.type.name : undefined;
export const typeOf = (e: Expr): Num => nameOf(e) as Num;
export const isIntType = (e: Expr): boolean => nameOf(e) === "i32" || nameOf(e) === "i64";
/** A value that f32 holds exactly: typed so already, or a small integer constant. */
export const fitsF32 = (e: Expr): boolean =>
  nameOf(e) === "f32" ||
  (e.kind === "const" && typeof e.value === "number" && Object.is(Math.fround(e.value), e.value));
