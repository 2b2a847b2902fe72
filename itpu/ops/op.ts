/** What an op of the unit is: one record with its inputs, its parameters, its checks and its work. */
import { fail } from "../../ir/diagnostic.ts";
import type { HostElements } from "../../ir/elements.ts";
import { type Buf, type BufDType, shapeText } from "../buf.ts";
import type { Work } from "../execution.ts";
import { type ParamTable, readParams, type Values } from "../params.ts";
import { type Samples, samplesOf } from "../samples.ts";
import { MOST_SAMPLES } from "../strips.ts";
import type { Costing } from "../timing/costing.ts";
import type { Plan } from "../timing/steps.ts";

/** Inputs by position; a parameter in place of a buffer is `undefined` where it may be left out. */
export type Inputs = readonly (Buf | undefined)[];

/** An op with its inputs and parameters checked. */
export interface Prepared {
  readonly dtype: BufDType;
  readonly shape: readonly number[];
  /** Parameters with their defaults. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Looks at the values of inputs that have them. @throws KPU9105 */
  readonly look: () => void;
  readonly run: (work: Work) => HostElements;
  /** What it asks of a machine; its inputs have their values. */
  readonly plan: (c: Costing) => Plan;
}

export interface Op {
  readonly name: string;
  readonly doc: string;
  /** Names of the inputs; those with ? may be left out, one with ... stands for any number. */
  readonly inputs: readonly string[];
  readonly params: ParamTable;
  prepare(site: string, inputs: Inputs, params: unknown): Prepared;
}

/** The record of an op, typed by its own parameters. */
export function op<T extends ParamTable>(record: {
  readonly name: string;
  readonly doc: string;
  readonly inputs: readonly string[];
  readonly params: T;
  readonly check: (site: string, inputs: Inputs, params: Values<T>) => Omit<Prepared, "params">;
}): Op {
  const { check, ...rest } = record;
  return {
    ...rest,
    prepare(site, inputs, given) {
      const params = readParams(site, record.params, given);
      return { params, ...check(site, inputs, params) };
    },
  };
}

/** The input at a position. @throws KPU9102 when it is left out */
export function required(site: string, inputs: Inputs, at: number, name: string): Buf {
  return inputs[at] ?? fail("KPU9102", `${site} needs ${name}`, { help: "name a buffer of the graph" });
}

/** Its elements as f32: what ops work on. */
export function floatsOf(buf: Buf): Float32Array {
  const { data } = buf;
  if (!(data instanceof Float32Array)) throw new TypeError(`${buf.name} was not checked to be f32`);
  return data;
}

/** @throws KPU9103 when it is not f32 with so many dimensions */
export function needFloats(site: string, buf: Buf, dimensions: readonly number[]): void {
  if (buf.dtype !== "f32")
    fail("KPU9103", `${site} takes f32, "${buf.name}" is ${buf.dtype}`, {
      help: "pass Float32Array.from(values)",
    });
  if (!dimensions.includes(buf.shape.length))
    fail(
      "KPU9103",
      `${site}: expected ${dimensions.map((d) => `${d}`).join(" or ")} dimensions, "${buf.name}" is ${shapeText(buf.shape)}`,
    );
}

/** Samples [n] or [n, D], n >= 2. */
export function needSamples(site: string, buf: Buf): { readonly n: number; readonly dims: number } {
  needFloats(site, buf, [1, 2]);
  const [n = 0, dims = 1] = buf.shape;
  if (n < 2 || dims < 1 || n >= MOST_SAMPLES)
    fail(
      "KPU9103",
      `${site}: expected 2 to ${MOST_SAMPLES - 1} samples, "${buf.name}" is ${shapeText(buf.shape)}`,
    );
  return { n, dims };
}

export const readSamples = (buf: Buf): Samples => samplesOf(floatsOf(buf), buf.shape);

/** @throws KPU9103 */
export function needShape(site: string, buf: Buf, shape: readonly number[]): void {
  needFloats(site, buf, [shape.length]);
  if (buf.shape.some((d, i) => d !== shape[i]))
    fail("KPU9103", `${site}: expected ${shapeText(shape)}, "${buf.name}" is ${shapeText(buf.shape)}`);
}

/** Looks at values as soon as there are any. @throws KPU9105 for the first that is not as expected */
export function needValues(
  site: string,
  buf: Buf | undefined,
  expected = "finite numbers",
  accepts: (v: number) => boolean = () => true,
): void {
  if (buf === undefined || !buf.ready) return;
  const { data } = buf;
  const at = data.findIndex((v) => !Number.isFinite(v) || !accepts(v));
  if (at >= 0)
    fail("KPU9105", `${site}: expected ${expected}, "${buf.name}" has ${data[at]} at ${at}`, {
      help: Number.isFinite(data[at]) ? undefined : "drop or fill in samples that are missing first",
    });
}

/** One number. */
export const scalar = (value: number): Float32Array => Float32Array.of(value);
