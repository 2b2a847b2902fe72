/** Looks up intrinsic records of methods by the kind of their receiver. */
import { INTRINSICS, type IntrinsicRecord } from "../dsl/intrinsic.ts";
import type { Value } from "./values.ts";

let methods = new Map<string, IntrinsicRecord>();
let seen = 0;

/** The record of `receiver.name(...)`: `Ptr.at`, `NdBuffer.at`, `Vec.at` and their like. */
export function methodRecord(receiver: Value, name: string | number): IntrinsicRecord | undefined {
  if (seen !== INTRINSICS.length) {
    methods = new Map(INTRINSICS.filter((r) => r.name.includes(".")).map((r) => [r.name, r]));
    seen = INTRINSICS.length;
  }
  for (const owner of owners(receiver)) {
    const record = methods.get(`${owner}.${name}`);
    if (record !== undefined) return record;
  }
  return undefined;
}

function owners(v: Value): readonly string[] {
  if (v.kind === "view") return ["NdBuffer", "Ptr"];
  if (v.kind !== "runtime") return [];
  switch (v.expr.type.kind) {
    case "ptr":
      return ["Ptr"];
    case "vec":
      return ["Vec"];
    case "mask":
      return ["Mask"];
    default:
      return [];
  }
}
