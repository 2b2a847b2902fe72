/** Runs a kernel in both executions on one input and compares every byte. */
import { expect } from "vitest";
import { dtypeOf, type NumD } from "../../dsl/index.ts";
import { type AnyKernel, bool, build, kernel, ptr, S, simulate } from "../../index.ts";
import { roundTo, toBits } from "../../ir/convert.ts";
import { DTYPES, type DTypeName, isFloat } from "../../ir/dtype.ts";
import { type HostElements, hostZeros } from "../../ir/elements.ts";

/** A fixed sequence of numbers in 0..1: failures repeat. */
export function sequence(seed: number): () => number {
  let s = seed;
  return () => (s = (s * 1103515245 + 12345) % 2147483648) / 2147483648;
}

export function hostOf(d: DTypeName, values: readonly number[]): HostElements {
  const out = hostZeros(d, values.length);
  for (const [i, v] of values.entries()) out[i] = d === "f16" || d === "bf16" ? toBits(d, v) : v;
  return out;
}

export function edgeValues(d: DTypeName, n: number, next: () => number): number[] {
  const { min, max, bits } = DTYPES[d];
  const special = isFloat(d)
    ? [0, -0, 1, -1, 0.5, 1.5, 2.5, max, -max, Infinity, -Infinity, NaN, 2 ** -149, 2 ** -24, 3]
    : [min, min + 1, 0, 1, 2, 3, bits - 1, bits, max - 1, max];
  return Array.from({ length: n }, () => {
    const at = next();
    if (next() < 0.6)
      return isFloat(d)
        ? roundTo(d)(special[Math.floor(at * special.length)] as number)
        : (special[Math.floor(at * special.length)] as number);
    return isFloat(d) ? roundTo(d)((at - 0.5) * 40) : Math.floor(min + at * (max - min + 1));
  });
}

/** Inputs and outputs of a generated kernel: name and dtype of each pointer parameter. */
export type Pointers = readonly (readonly [name: string, dtype: DTypeName])[];

/**
 * A kernel whose body is `lines`, over the given pointers; `values` are captured. Lines are single statements, so that
 * a difference can be traced to the one that stored it.
 */
export function generated(
  name: string,
  pointers: Pointers,
  lines: readonly string[],
  values: Readonly<Record<string, unknown>> = {},
): AnyKernel {
  const given = { S, ...values };
  const text = `return function ${name}(${pointers.map(([n]) => n).join(", ")}) {\n    ${lines.join("\n    ")}\n}`;
  const fn = new Function(...Object.keys(given), text)(...Object.values(given)) as () => void;
  return kernel(
    pointers.map(([, d]) => ptr(d === "bool" ? bool : (dtypeOf(d) as NumD))),
    fn,
  );
}

type Explain = (array: number, element: number) => string;

/**
 * Builds a kernel once; the result runs both executions on one input and expects the same bytes in every array.
 * `explain(array, element)` says what stored it.
 */
export function agreeOn(k: AnyKernel): (inputs: readonly (() => HostElements)[], explain: Explain) => void {
  const program = build(k);
  return (inputs, explain) => {
    const direct = inputs.map((f) => f());
    const compiled = direct.map((a) => a.slice());
    simulate(k, direct, { tiles: 1 });
    program.runWith({ tiles: 1 }, ...compiled);
    for (const [i, out] of direct.entries()) {
      const other = compiled[i] as HostElements;
      const a = new Uint8Array(out.buffer);
      const b = new Uint8Array(other.buffer);
      const at = a.findIndex((v, j) => v !== b[j]);
      if (at < 0) continue;
      const element = Math.floor(at / out.BYTES_PER_ELEMENT);
      expect.fail(`${explain(i, element)}: direct ${out[element]}, compiled ${other[element]}`);
    }
  };
}
