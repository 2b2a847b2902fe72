/**
 * Kernels of the language groups against JavaScript itself: the same function is called with plain arrays behind the
 * methods of pointers, and leaves there what the kernel must leave in memory.
 */
import { type AnyKernel, type DTypeName, dtypeOf, kernel, ptr } from "kpu-dsl";
import { expect } from "vitest";
import { held, hostArray, numbersOf } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";

/** What a function of these groups may call on memory. */
export interface Cells {
  get(index?: number): number;
  set(index: number, value: number): void;
  at(elements: number): Cells;
}
export type Written = (out: Cells, x: Cells, a: number, b: number) => void;

/** Memory as JavaScript has it: numbers, rounded to the dtype when stored. */
class Plain implements Cells {
  readonly #values: number[];
  readonly #dtype: DTypeName;
  readonly #start: number;
  constructor(dtype: DTypeName, values: number[], start = 0) {
    this.#dtype = dtype;
    this.#values = values;
    this.#start = start;
  }
  #index(i: number): number {
    const at = this.#start + i;
    if (!Number.isInteger(at) || at < 0 || at >= this.#values.length) throw new RangeError(`index ${at}`);
    return at;
  }
  get(index = 0): number {
    return this.#values[this.#index(index)] as number;
  }
  set(index: number, value: number): void {
    this.#values[this.#index(index)] = held(this.#dtype, value);
  }
  at(elements: number): Cells {
    return new Plain(this.#dtype, this.#values, this.#start + elements);
  }
}

export interface Inputs {
  /** Elements of `out`. */
  readonly outputs: number;
  /** Contents of x. */
  readonly x: readonly number[];
  /** Pairs for a and b. */
  readonly scalars: readonly (readonly [number, number])[];
  /** Dtypes: of out, x, and both numbers. */
  readonly dtypes?: readonly (readonly [out: DTypeName, x: DTypeName, numbers: DTypeName])[];
}

const PAIRS = [["i32", "i32", "i32"]] as const;
/** Nothing a kernel here writes. */
const UNTOUCHED = 85;

/** Runs the function as a kernel and as JavaScript, for all dtypes and numbers. */
export function expectLikeJavaScript(
  written: Written,
  { outputs, x, scalars, dtypes = PAIRS }: Inputs,
): void {
  for (const [out, from, number] of dtypes) {
    const k = kernel(
      [ptr(dtypeOf(out)), ptr(dtypeOf(from)), dtypeOf(number), dtypeOf(number)] as never,
      written as never,
    ) as unknown as AnyKernel;
    const values = x.map((v) => held(from, v));
    for (const pair of scalars) {
      const [a, b] = pair.map((v) => held(number, v)) as [number, number];
      const want = new Array<number>(outputs).fill(UNTOUCHED);
      written(new Plain(out, want), new Plain(from, values.slice()), a, b);
      const got = hostArray(out, new Array<number>(outputs).fill(UNTOUCHED));
      execute(k, [got, hostArray(from, values), a, b], { tiles: 1 });
      expect({ out, from, a, b, got: numbersOf(out, got) }).toEqual({ out, from, a, b, got: want });
    }
  }
}

/** Small integers in all pairs, and limits. */
export const INTEGER_PAIRS: readonly (readonly [number, number])[] = [-3, 0, 1, 2, 5, 8].flatMap((a) =>
  [-2, 0, 1, 3, 7].map((b) => [a, b] as const),
);
export const FLOAT_PAIRS: readonly (readonly [number, number])[] = [
  0,
  -0,
  Number.NaN,
  1.5,
  -2.25,
  Infinity,
].flatMap((a) => [0, -0, Number.NaN, 0.5, -7].map((b) => [a, b] as const));
