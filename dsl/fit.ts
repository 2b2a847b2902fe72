/** Which numbers are values of a dtype, for literals and numbers known now. */
import { DTYPES, type DTypeName } from "./ir.ts";

/**
 * A number known now must be a value of the integer dtype; floats take any number and round once. With `outSign` a
 * literal may also be one of the opposite sign: see `lanewise.ts`.
 */
export function fits(value: number, dtype: DTypeName): boolean {
  const info = DTYPES[dtype];
  if (info.kind !== "int") return true;
  return Number.isInteger(value) && value >= info.min && value <= info.max;
}

/** The report of KPU3003 about argument `what` of the intrinsic `name`. */
export function misfit(
  name: string,
  what: string,
  value: number,
  dtype: DTypeName,
): { readonly message: string; readonly help: string } {
  const { min, max } = DTYPES[dtype];
  return {
    message: `${name}: ${what} is ${value}, which is not a value of ${dtype} (integers ${min} to ${max})`,
    help: `convert it: S.${dtype}(${value})`,
  };
}
