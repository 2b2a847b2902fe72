/** A quick look at an expression of level `open`: is it an integer or infinite or NaN, never fractional? */
import { hasIntegers } from "../ir/dtype.ts";
import type { Expr } from "../ir/kir.ts";

export function integral(e: Expr): boolean {
  switch (e.kind) {
    case "const":
      return typeof e.value === "number" && Number.isInteger(e.value);
    case "ref":
      return e.type.kind === "scalar" && (e.type.name === "i32" || e.type.name === "i64");
    case "apply":
      switch (e.op) {
        case "cast_scalar":
        case "add":
        case "sub":
        case "mul":
        case "min":
        case "max":
        case "abs":
        case "neg":
        case "mod":
          return e.args.every(integral);
        case "floor":
        case "ceil":
        case "trunc":
        case "round":
        case "round_away":
        case "to_int32":
        case "to_uint32":
        case "js_shl":
        case "js_shr":
        case "imul":
        case "clz32":
        case "and":
        case "or":
        case "xor":
        case "not":
        case "tile_id":
        case "tile_count":
        case "ceildiv":
        case "floordiv":
          return true;
        case "convert":
          return hasIntegers(e.attrs["dtype"] as "i32");
        default:
          return false;
      }
  }
}
