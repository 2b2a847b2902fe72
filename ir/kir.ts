/**
 * KIR: the typed, structured intermediate representation. This file is the whole grammar; `ops.ts` is the op table.
 *
 * Levels:
 *   open     what lowering emits first: scalars of the author's language have type `num` (a JavaScript number).
 *   virtual  after `lowering/ranges`: every scalar is i32, i64, f32, f64 or bool. Vectors have any lane count,
 *            buffers are symbolic. This is what `program.kir` shows and what the reference interpreter runs.
 *   machine  after `codegen/legalise`: vectors fit one register, buffers have addresses. The text form is the code of a `.kasm`.
 *
 * Evaluation order: operands from left to right. Ops with a `read` or `write` effect appear only as the whole value
 * of a `let` or `assign`, or as an `effect` statement, so that statement order is memory order.
 */

import type { Location } from "./diagnostic.ts";
import type { DTypeName, Scope } from "./dtype.ts";
import type { OpName } from "./ops.ts";

/** `num` exists at level open only. `event` is a handle of an asynchronous transfer. */
export type ScalarName = "num" | "i32" | "i64" | "f32" | "f64" | "bool" | "event";

export type Type =
  | { readonly kind: "scalar"; readonly name: ScalarName }
  | { readonly kind: "vec"; readonly dtype: DTypeName; readonly lanes: number }
  | { readonly kind: "mask"; readonly lanes: number }
  | { readonly kind: "ptr"; readonly dtype: DTypeName; readonly scope: Scope; readonly constant: boolean }
  | { readonly kind: "void" };

export type VecType = Extract<Type, { kind: "vec" }>;
export type MaskType = Extract<Type, { kind: "mask" }>;
export type PtrType = Extract<Type, { kind: "ptr" }>;

/** A variable of a kernel. Identity is the object; `id` makes the printed name unique (`%name` or `%name.id`). */
export interface Local {
  readonly id: number;
  readonly name: string;
  readonly type: Type;
  /** True when some `assign` targets it. */
  readonly mutable: boolean;
}

/** Index into `Kernel.locations`; 0 is "unknown". */
export type LocationIndex = number;

export interface Const {
  readonly kind: "const";
  readonly type: Type;
  /** Exact; -0, NaN and infinities included. Booleans for bool, integers for events never occur. */
  readonly value: number | boolean;
  readonly at: LocationIndex;
}
export interface Ref {
  readonly kind: "ref";
  readonly type: Type;
  readonly local: Local;
  readonly at: LocationIndex;
}
export interface Apply {
  readonly kind: "apply";
  readonly type: Type;
  readonly op: OpName;
  readonly args: readonly Expr[];
  readonly attrs: Attrs;
  readonly at: LocationIndex;
}
export type Expr = Const | Ref | Apply;

/** Static facts of an op instance; which keys an op has stands in the op table. */
export type AttrValue = number | string | boolean | readonly number[];
export type Attrs = Readonly<Record<string, AttrValue>>;

export type Stmt =
  /** Defines a local. A mutable local is defined by exactly one `let` that dominates its uses. */
  | { readonly kind: "let"; readonly local: Local; readonly value: Expr; readonly at: LocationIndex }
  | { readonly kind: "assign"; readonly local: Local; readonly value: Expr; readonly at: LocationIndex }
  | { readonly kind: "effect"; readonly value: Apply; readonly at: LocationIndex }
  | {
      readonly kind: "if";
      readonly cond: Expr;
      readonly then: readonly Stmt[];
      readonly else: readonly Stmt[];
      readonly at: LocationIndex;
    }
  /**
   * Counted loop: `for (local = from; step > 0 ? local < to : local > to; local += step) body`.
   * `from` and `to` are evaluated once; the body never assigns `local`; step is a non-zero integer.
   * `break label` leaves it, `continue label` goes to the next step.
   */
  | {
      readonly kind: "for";
      readonly label: string;
      readonly local: Local;
      readonly from: Expr;
      readonly to: Expr;
      readonly step: number;
      readonly body: readonly Stmt[];
      readonly at: LocationIndex;
    }
  /**
   * General loop: repeat { test; if (!cond) leave; body; update }. `continue label` goes to `update`.
   * With `testFirst` false the first round skips the test (do-while). `test` holds the statements that compute `cond`.
   */
  | {
      readonly kind: "loop";
      readonly label: string;
      readonly testFirst: boolean;
      readonly test: readonly Stmt[];
      readonly cond: Expr;
      readonly body: readonly Stmt[];
      readonly update: readonly Stmt[];
      readonly at: LocationIndex;
    }
  /** A labelled block: `break label` leaves it. Early returns of inlined helpers become these. */
  | {
      readonly kind: "block";
      readonly label: string;
      readonly body: readonly Stmt[];
      readonly at: LocationIndex;
    }
  | { readonly kind: "break"; readonly label: string; readonly at: LocationIndex }
  | { readonly kind: "continue"; readonly label: string; readonly at: LocationIndex }
  | { readonly kind: "return"; readonly at: LocationIndex };

export interface Param {
  readonly local: Local;
  /** The declared dtype; the local's type is derived from it ({@link scalarOf} for scalars). */
  readonly dtype: DTypeName;
  readonly pointer: boolean;
  /** Of a pointer: no other pointer argument of a call may overlap it. */
  readonly noalias?: boolean;
}

export type Level = "open" | "virtual" | "machine";

export interface Kernel {
  readonly name: string;
  readonly level: Level;
  readonly params: readonly Param[];
  readonly body: readonly Stmt[];
  /** Entry 0 is unused. */
  readonly locations: readonly (Location | undefined)[];
  /** Tables of `S.allocConst`, referenced by the `table` attribute of `alloc_const`. */
  readonly tables: readonly { readonly dtype: DTypeName; readonly values: readonly number[] }[];
  /** Text of `S.print` and `S.assert`, referenced by the `text` attribute. */
  readonly texts: readonly string[];
  /** Register width in bits the machine level was made for; absent at other levels. */
  readonly registerBits?: number;
}

export const VOID: Type = { kind: "void" };
const SCALARS: { readonly [K in ScalarName]: Type } = {
  num: { kind: "scalar", name: "num" },
  i32: { kind: "scalar", name: "i32" },
  i64: { kind: "scalar", name: "i64" },
  f32: { kind: "scalar", name: "f32" },
  f64: { kind: "scalar", name: "f64" },
  bool: { kind: "scalar", name: "bool" },
  event: { kind: "scalar", name: "event" },
};
export function scalar(name: ScalarName): Type {
  return SCALARS[name];
}
export function vec(dtype: DTypeName, lanes: number): VecType {
  return { kind: "vec", dtype, lanes };
}
export function mask(lanes: number): MaskType {
  return { kind: "mask", lanes };
}
export function ptrType(dtype: DTypeName, scope: Scope, constant = false): PtrType {
  return { kind: "ptr", dtype, scope, constant };
}

/** The KIR scalar that holds one element of a dtype exactly: u32 needs i64, floats below 32 bits are held as f32. */
export function scalarOf(dtype: DTypeName): "i32" | "i64" | "f32" | "bool" {
  switch (dtype) {
    case "u32":
      return "i64";
    case "f16":
    case "bf16":
    case "f32":
    case "f8e4m3":
    case "f8e5m2":
      return "f32";
    case "bool":
      return "bool";
    default:
      return "i32";
  }
}

export function sameType(a: Type, b: Type): boolean {
  switch (a.kind) {
    case "scalar":
      return b.kind === "scalar" && a.name === b.name;
    case "vec":
      return b.kind === "vec" && a.dtype === b.dtype && a.lanes === b.lanes;
    case "mask":
      return b.kind === "mask" && a.lanes === b.lanes;
    case "ptr":
      return b.kind === "ptr" && a.dtype === b.dtype && a.scope === b.scope && a.constant === b.constant;
    case "void":
      return b.kind === "void";
  }
}

/** `f32x8`, `mask<8>`, `ptr<f32, global>`, `i64`. */
export function typeText(t: Type): string {
  switch (t.kind) {
    case "scalar":
      return t.name;
    case "vec":
      return `${t.dtype}x${t.lanes}`;
    case "mask":
      return `mask<${t.lanes}>`;
    case "ptr":
      return `ptr<${t.constant ? "const " : ""}${t.dtype}, ${t.scope}>`;
    case "void":
      return "void";
  }
}
