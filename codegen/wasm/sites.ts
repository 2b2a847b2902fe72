/**
 * What the host does for a running kernel: one site per print, event op and checked transfer in the kernel's text. And
 * what it says of an access that a check stopped.
 */
import type { DTypeName, Scope } from "../../ir/dtype.ts";
import type { Attrs, LocationIndex } from "../../ir/kir.ts";

/** An operand in the host area: `offset` bytes from its start. Scalars are float64; vectors are 16-byte parts; masks are bytes. */
export type HostOperand =
  | { readonly kind: "number" | "bool" | "event"; readonly offset: number }
  | { readonly kind: "pointer"; readonly offset: number; readonly dtype: DTypeName; readonly scope: Scope }
  | { readonly kind: "vector"; readonly offset: number; readonly dtype: DTypeName; readonly lanes: number }
  | { readonly kind: "mask"; readonly offset: number; readonly lanes: number };

/** A checked access in the kernel's text. */
export interface AccessSite {
  readonly at: LocationIndex;
  readonly dtype: DTypeName;
  readonly scope: Scope;
  readonly access: "reads" | "writes";
}

export interface HostSite {
  readonly op: string;
  readonly at: LocationIndex;
  /** `Kernel.texts` index of a print. */
  readonly text: number;
  readonly attrs: Attrs;
  readonly operands: readonly HostOperand[];
  /** How many operands each printed value has; absent when one. */
  readonly groups: readonly number[] | undefined;
}
