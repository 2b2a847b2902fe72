/** The reference of intrinsics as data, derived from the records (`kpu intrinsics --json`; cli/reference.ts makes the pages). */
import "./s.ts";
import { authorName, type Family, INTRINSICS, type IntrinsicRecord, type OperandSpec } from "./intrinsic.ts";

/** A record without its functions. */
export interface IntrinsicDocument {
  readonly name: string;
  /** As an author writes it: `S.vadd(x, y, { mask, r })`. */
  readonly call: string;
  readonly family: Family;
  readonly operands: readonly OperandSpec[];
  readonly options: readonly OperandSpec[];
  readonly result: string;
  readonly effect: IntrinsicRecord["effect"];
  readonly cost: IntrinsicRecord["cost"];
  /** True when it also works outside a kernel, on host values. */
  readonly value: boolean;
  readonly doc: string;
  readonly example: string;
}

export const FAMILY_TITLES: { readonly [K in Family]: string } = {
  spmd: "Tiles",
  control: "Loops, output, assertions",
  scalar: "Numbers",
  memory: "Memory",
  pointer: "Methods of pointers, vectors and masks",
  transfer: "Transfers and events",
  path: "The matrix path",
  mask: "Masks",
  arithmetic: "Arithmetic",
  bitwise: "Bits and shifts",
  permutation: "Moving lanes",
  compare: "Comparison, selection, extremes",
  conversion: "Conversion",
  math: "Math functions",
};

/** Every intrinsic, family by family, in the order of the reference. */
export function documentIntrinsics(): IntrinsicDocument[] {
  const families = Object.keys(FAMILY_TITLES);
  return INTRINSICS.map((r) => ({
    name: r.name,
    call: callText(r),
    family: r.family,
    operands: r.signature.operands,
    options: r.signature.options ?? [],
    result: r.signature.result,
    effect: r.effect,
    cost: r.cost,
    value: r.value,
    doc: r.doc,
    example: r.example,
  })).sort((a, b) => families.indexOf(a.family) - families.indexOf(b.family));
}

function callText(r: IntrinsicRecord): string {
  const method = r.name.includes(".");
  const operands = r.signature.operands.slice(method ? 1 : 0);
  const args = operands.map((o) => (o.optional ? `${o.name}?` : o.name));
  const names = (r.signature.options ?? []).map((o) => o.name);
  if (names.length > 0) args.push(`{ ${names.join(", ")} }?`);
  if (r.name === "Ptr.isNull") return "p.isNull";
  if (r.name === "target") return "S.target";
  const name = method
    ? `${r.signature.operands[0]?.name ?? "p"}.${r.name.split(".")[1]}`
    : authorName(r.name);
  return `${name}(${args.join(", ")})`;
}
