/** Kernels that a function makes by numbers or words. */
import { type AnyKernel, recordOf } from "../../index.ts";

const keys = new WeakMap<AnyKernel, string>();

/** The function, made to give the same kernel for the same arguments. */
export function perKey<N extends readonly (number | string | undefined)[], K extends AnyKernel>(
  make: (...by: N) => K,
): (...by: N) => K {
  const made = new Map<string, K>();
  return (...by) => {
    const key = by.join(" ");
    const found = made.get(key) ?? make(...by);
    made.set(key, found);
    keys.set(found, key);
    return found;
  };
}

/** A text that names a kernel of the unit in every thread: its name, and what it was made by. */
export function keyOf(kernel: AnyKernel): string {
  return [recordOf(kernel)?.name, keys.get(kernel) ?? ""].join(" ").trim();
}
