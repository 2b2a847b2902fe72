/** A cell of the matrix: what one kernel tries of an intrinsic, how its rows of input and output lie, and what a variant gives. */
import { type DType, dtypeOf } from "../../dsl/dtypes.ts";
import type { IntrinsicRecord } from "../../dsl/intrinsic.ts";
import { Mask, Vec } from "../../dsl/values.ts";
import { bytesOf, type DTypeName } from "../../ir/dtype.ts";

/** A part of an input row: lanes of one dtype at a byte offset. */
export interface Area {
  readonly role: string;
  readonly dtype: DTypeName;
  readonly lanes: number;
  readonly offset: number;
  /** What to draw its lanes from; the dtype's edge values and random ones when absent. */
  readonly values: readonly number[] | undefined;
}

export type Operand =
  /** Lanes of an area; a bool area gives a mask. */
  | { readonly form: "lanes"; readonly area: Area; readonly dtype: DType }
  /** The first element of an area, as a number; within `range` where the values to try are given. */
  | {
      readonly form: "number";
      readonly area: Area;
      readonly dtype: DType;
      readonly range?: readonly [number, number];
    }
  | { readonly form: "static"; readonly value: unknown }
  /** An array of lanes. */
  | { readonly form: "list"; readonly items: readonly Exclude<Operand, { form: "list" }>[] };

/** One value that a variant gives, and where the kernel stores it. */
export interface Output {
  readonly kind: "vec" | "mask" | "number" | "boolean";
  readonly dtype: DType;
  readonly lanes: number;
  readonly offset: number;
}

export const MASK_FORMS = [
  "none",
  "mask",
  "mask, r vector",
  "mask, r number",
  "mask string",
  "mask array",
] as const;
export type MaskForm = (typeof MASK_FORMS)[number];

export interface Variant {
  readonly maskForm: MaskForm;
  readonly operands: readonly Operand[];
  /** Static options, `mask` and `r` among them where they are static. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Options read at run time. */
  readonly runtime: { readonly mask?: Operand; readonly r?: Operand };
  readonly outputs: readonly Output[];
  /** True when the intrinsic gives a list of values. */
  readonly list: boolean;
}

/** Everything that one kernel tries. */
export interface Cell {
  readonly record: IntrinsicRecord;
  readonly dtype: DTypeName;
  readonly lanes: number;
  readonly call: (...args: unknown[]) => unknown;
  readonly areas: readonly Area[];
  readonly variants: readonly Variant[];
  /** Bytes of a row. */
  readonly inputStride: number;
  readonly outputStride: number;
  /** Forms that the intrinsic refuses at this dtype, with the diagnostic's code: `saturate` on floats, ... */
  readonly refused: readonly string[];
}

const ALIGNMENT = 8;
export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

export class Planner {
  readonly areas: Area[] = [];
  readonly refused = new Set<string>();
  inputStride = 0;
  outputStride = 0;

  area(role: string, dtype: DTypeName, lanes: number, values?: readonly number[]): Area {
    const known = this.areas.find((a) => a.role === role && a.dtype === dtype && a.lanes === lanes);
    if (known !== undefined) return known;
    const made: Area = { role, dtype, lanes, offset: this.inputStride, values };
    this.inputStride = aligned(this.inputStride + bytesOf(dtype, lanes));
    this.areas.push(made);
    return made;
  }
  lanes(
    role: string,
    dtype: DTypeName,
    lanes: number,
    values?: readonly number[],
  ): Extract<Operand, { form: "lanes" }> {
    return { form: "lanes", area: this.area(role, dtype, lanes, values), dtype: dtypeOf(dtype) as DType };
  }
  number(role: string, dtype: DTypeName, lanes: number, values?: readonly number[]): Operand {
    const area = this.area(role, dtype, lanes, values);
    const number = { form: "number", area, dtype: dtypeOf(dtype) as DType } as const;
    return values === undefined ? number : { ...number, range: [Math.min(...values), Math.max(...values)] };
  }
  output(kind: Output["kind"], dtype: DTypeName, lanes: number): Output {
    const made: Output = { kind, dtype: dtypeOf(dtype) as DType, lanes, offset: this.outputStride };
    this.outputStride = aligned(this.outputStride + bytesOf(dtype, lanes));
    return made;
  }
}

/** A host value of an operand, to see what an intrinsic gives. */
export function sample(o: Operand): unknown {
  if (o.form === "static") return o.value;
  if (o.form === "list") return o.items.map(sample);
  const value = o.area.values?.[0] ?? 1;
  if (o.form === "number") return o.area.dtype === "bool" ? value !== 0 : value;
  const data = new Array<number>(o.area.lanes).fill(value);
  return o.area.dtype === "bool" ? new Mask(data) : new Vec(o.dtype as Vec["dtype"], data);
}

export function shapeOfResult(
  value: unknown,
): { kind: Output["kind"]; dtype: DTypeName; lanes: number } | undefined {
  if (value instanceof Vec) return { kind: "vec", dtype: value.dtype.name, lanes: value.lanes };
  if (value instanceof Mask) return { kind: "mask", dtype: "bool", lanes: value.lanes };
  // Stored twice: as an f32 and by the low bits of an i32, which together tell all numbers of the dtypes apart.
  if (typeof value === "number") return { kind: "number", dtype: "f32", lanes: 2 };
  if (typeof value === "boolean") return { kind: "boolean", dtype: "bool", lanes: 1 };
  return undefined;
}
