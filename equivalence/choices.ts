/**
 * The choices behind a generated input. A description of inputs is an ordinary function that draws from a
 * {@link ChoiceSource}; what it drew is recorded, and an input is shrunk by simplifying the record and running the
 * description again. So a size that ties two arrays stays tied while it shrinks.
 */
import { type DTypeName, isFloat } from "../ir/dtype.ts";
import type { HostElements } from "../ir/elements.ts";

export type Choice =
  | { readonly kind: "number"; readonly value: number; readonly simplest: number }
  | {
      readonly kind: "array";
      readonly dtype: DTypeName;
      readonly data: HostElements;
      readonly simplest: number;
    };

/** A source of 32 random bits. */
export interface Entropy {
  nextInt(min: number, max: number): number;
}

/** Hands out choices: from a record as long as it lasts, then fresh ones, or the simplest where there is no entropy. */
export class ChoiceSource {
  readonly made: Choice[] = [];
  readonly #record: readonly Choice[];
  readonly entropy: Entropy | undefined;
  constructor(record: readonly Choice[], entropy?: Entropy) {
    this.#record = record;
    this.entropy = entropy;
  }

  /** A number; `admit` brings a recorded one into what is allowed now. */
  number(simplest: number, fresh: (e: Entropy) => number, admit: (value: number) => number): number {
    const old = this.#record[this.made.length];
    const value =
      old?.kind === "number" ? admit(old.value) : this.entropy === undefined ? simplest : fresh(this.entropy);
    this.made.push({ kind: "number", value, simplest });
    return value;
  }

  /** An array; a recorded one is cut, or padded with the simplest element. The caller gets a copy of its own. */
  array(
    dtype: DTypeName,
    empty: HostElements,
    simplest: number,
    fresh: (e: Entropy, into: HostElements) => void,
  ): HostElements {
    const old = this.#record[this.made.length];
    empty.fill(simplest);
    if (old?.kind === "array" && old.dtype === dtype) empty.set(old.data.subarray(0, empty.length));
    else if (this.entropy !== undefined) fresh(this.entropy, empty);
    this.made.push({ kind: "array", dtype, data: empty.slice(), simplest });
    return empty;
  }
}

/** Records that are simpler in one choice, the boldest simplification first. */
export function* simplerRecords(record: readonly Choice[]): Generator<readonly Choice[]> {
  for (let i = 0; i < record.length; i++) {
    const choice = record[i] as Choice;
    const put = (c: Choice): Choice[] => [...record.slice(0, i), c, ...record.slice(i + 1)];
    if (choice.kind === "number") {
      for (const value of simplerNumbers(choice.value, choice.simplest)) yield put({ ...choice, value });
    } else {
      for (const data of simplerArrays(choice.data, choice.simplest, isFloat(choice.dtype)))
        yield put({ ...choice, data });
    }
  }
}

/** The simplest, then half-way points from it back to the value. */
function* simplerNumbers(value: number, simplest: number): Generator<number> {
  if (Object.is(value, simplest)) return;
  yield simplest;
  if (!Number.isFinite(value)) return;
  const whole = Math.trunc(value);
  if (whole !== value) yield whole;
  for (let step = Math.trunc((whole - simplest) / 2); step !== 0; step = Math.trunc(step / 2))
    yield whole - step;
  if (whole < simplest && -whole > simplest) yield -whole;
}

/** Runs of elements set to the simplest: all, halves, quarters, ... single ones; then single floats made whole. */
function* simplerArrays(data: HostElements, simplest: number, float: boolean): Generator<HostElements> {
  for (let run = data.length; run >= 1; run = Math.floor(run / 2)) {
    for (let start = 0; start < data.length; start += run) {
      const end = Math.min(start + run, data.length);
      if (data.subarray(start, end).every((x: number) => Object.is(x, simplest))) continue;
      const copy = data.slice();
      copy.fill(simplest, start, end);
      yield copy;
    }
  }
  if (!float || !(data instanceof Float32Array)) return;
  for (let i = 0; i < data.length; i++) {
    for (const plain of [1, Math.trunc(data[i] as number)]) {
      if (Object.is(data[i], simplest) || data[i] === 1 || Object.is(data[i], plain) || Number.isNaN(plain))
        continue;
      const copy = data.slice();
      copy[i] = plain;
      yield copy;
    }
  }
}
