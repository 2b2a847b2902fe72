/**
 * What is tried of an intrinsic at one dtype and width, planned from its record: every form of its operands (vector, number
 * read at run time, literal), every option, every form of mask. All forms together are the *variants* of one kernel, which runs
 * over rows of input data.
 */
import { enter } from "../../dsl/context.ts";
import { type DType, dtypeOf } from "../../dsl/dtypes.ts";
import type { IntrinsicRecord, OperandSpec } from "../../dsl/intrinsic.ts";
import { S } from "../../dsl/s.ts";
import { Mask, Vec } from "../../dsl/values.ts";
import { KpuError } from "../../ir/diagnostic.ts";
import { bytesOf, DTYPES, type DTypeName, isFloat } from "../../ir/dtype.ts";
import { TARGETS, type Target } from "../../ir/target.ts";

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

/** Operands that a plan can give; the rest (pointers, events) have kernels of their own. */
const PLANNED: ReadonlySet<OperandSpec["kind"]> = new Set([
  "vec",
  "vec|scalar",
  "list",
  "scalar",
  "mask",
  "static",
  "dtype",
]);

/** Whether {@link planCell} can plan a record: it computes values of values. Loops and compile-time functions give none. */
export function isPlanned(r: IntrinsicRecord): boolean {
  return r.value && r.family !== "control" && r.signature.operands.every((o) => PLANNED.has(o.kind));
}

/** The dtypes of the first vector or mask; records without one are planned at f32. */
export function dtypesOf(r: IntrinsicRecord): readonly DTypeName[] {
  const first = firstLanes(r);
  if (first === undefined) return ["f32"];
  if (first.kind === "mask") return ["bool"];
  return Array.isArray(first.dtype) ? first.dtype : [];
}

function firstLanes(r: IntrinsicRecord): OperandSpec | undefined {
  return r.signature.operands.find((o) => ["vec", "vec|scalar", "list", "mask"].includes(o.kind));
}

/** Widths of a record's first vector; a record without one has a single cell. */
export function widthsOf(r: IntrinsicRecord, d: DTypeName): readonly number[] {
  return firstLanes(r) === undefined ? [1] : widths(d, r.signature.widths?.multipleOf);
}

/** Widths worth a test: one lane, odd counts, a register and its neighbours, more than two registers. */
export function widths(d: DTypeName, step = 1, target: Target = TARGETS.edge): readonly number[] {
  const register = target.registerBits / DTYPES[d].laneBits;
  const widths = [1, 3, register - 1, register, register + 1, 2 * register + 5];
  return [...new Set(widths.map((n) => Math.max(step, Math.round(n / step) * step)))];
}

/** The function that authors call; a method takes its object as first argument. */
export function callOf(r: IntrinsicRecord): (...args: unknown[]) => unknown {
  const method = r.name.split(".")[1];
  if (method === undefined)
    return (S as unknown as Record<string, (...args: unknown[]) => unknown>)[r.name] as never;
  // The text is captured and inlined as any helper's.
  return new Function(`return (x, ...rest) => x.${method}(...rest);`)() as (...args: unknown[]) => unknown;
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
function sample(o: Operand): unknown {
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

/** All forms of one operand: the first is the plain one. */
function formsOf(
  p: Planner,
  spec: OperandSpec,
  at: number,
  r: IntrinsicRecord,
  d: DTypeName,
  n: number,
): Operand[] {
  const lanes = spec.lanes?.(n) ?? n;
  const values = typeof spec.values === "function" ? spec.values(d, n) : spec.values;
  const numbers = values as readonly number[] | undefined;
  const role = spec.name;
  const literal = (x: DTypeName): Operand => ({
    form: "static",
    value: numbers?.[0] ?? (isFloat(x) ? 1.5 : 3),
  });
  const own = (spec.kind === "mask" ? ["bool"] : dtypesFor(r, spec, d)) as readonly DTypeName[];
  switch (spec.kind) {
    case "vec":
      return own.map((x) => p.lanes(role, x, lanes, numbers));
    case "vec|scalar": {
      const vectors = own.map((x) => p.lanes(role, x, lanes, numbers));
      if (at === 0 && r.signature.operands.length === 1) return vectors;
      const scalars = own.flatMap((x) =>
        x === "bool" ? [] : [p.number(role, x, lanes, numbers), literal(x)],
      );
      return [...vectors, ...scalars];
    }
    case "list": {
      // Members of different lane counts, and more than two of them.
      const member = (x: DTypeName, k: number, n: number) => p.lanes(`${role}[${k}]`, x, n);
      return own.flatMap((x) => [
        { form: "list", items: [member(x, 0, lanes), member(x, 1, lanes)] },
        { form: "list", items: [member(x, 0, lanes), member(x, 1, lanes), member(x, 2, 2 * lanes)] },
      ]);
    }
    case "mask": {
      const mask = p.lanes(role, "bool", lanes);
      // A method is called on a mask; an operand may also be a mask string.
      return at === 0 && r.name.includes(".") ? [mask] : [mask, { form: "static", value: maskString(lanes) }];
    }
    case "scalar": {
      if (own.length > 0) return own.flatMap((x) => [p.number(role, x, 1, numbers), literal(x)]);
      const whole = numbers?.every((v) => Number.isInteger(v)) === true;
      const dtype: DTypeName = numbers === undefined ? "f32" : whole ? "i32" : "f32";
      const literals = (numbers ?? [0, -2.5, 3])
        .slice(0, 3)
        .map((value): Operand => ({ form: "static", value }));
      return [p.number(role, dtype, 1, numbers), ...literals];
    }
    case "dtype":
      return (values ?? own.map((x) => dtypeOf(x))).map((value) => ({ form: "static", value }));
    default:
      return (values ?? []).map((value) => ({ form: "static", value }));
  }
}

function dtypesFor(r: IntrinsicRecord, spec: OperandSpec, d: DTypeName): readonly DTypeName[] {
  const { dtype } = spec;
  if (dtype === undefined) return spec.kind.startsWith("vec") ? [d] : [];
  if (typeof dtype === "string") return [d];
  if (!Array.isArray(dtype))
    return (dtype as Readonly<Partial<Record<DTypeName, readonly DTypeName[]>>>)[d] ?? [];
  return spec === firstLanes(r) || (!["scalar", "dtype"].includes(spec.kind) && dtype.includes(d))
    ? [d]
    : (dtype as DTypeName[]);
}

export function maskString(n: number): string {
  return Array.from({ length: n }, (_, i) => ((i * 5) % 7 < 4 ? "T" : "F")).join("");
}

/** Static options alone, and all of them together. */
function optionSets(r: IntrinsicRecord, d: DTypeName, n: number): Readonly<Record<string, unknown>>[] {
  const own = (r.signature.options ?? []).filter((o) => o.kind === "static" || o.kind === "dtype");
  const values = (o: OperandSpec): readonly unknown[] =>
    (typeof o.values === "function" ? o.values(d, n) : o.values) ?? [];
  const alone = own.flatMap((o) => values(o).map((v) => ({ [o.name]: v })));
  const pairs = own.flatMap((a, i) =>
    own
      .slice(i + 1)
      .flatMap((b) => values(a).flatMap((v) => values(b).map((w) => ({ [a.name]: v, [b.name]: w })))),
  );
  return [{}, ...alone, ...pairs].slice(0, MOST_OPTION_SETS);
}

/** One kernel's worth of variants; undefined when the intrinsic refuses this dtype altogether. */
export function planCell(r: IntrinsicRecord, d: DTypeName, n: number): Cell | undefined {
  const p = new Planner();
  const call = callOf(r);
  const forms = r.signature.operands.map((spec, at) => formsOf(p, spec, at, r, d, n));
  const names = (r.signature.options ?? []).map((o) => o.name);
  const variants: Variant[] = [];
  const add = (
    maskForm: MaskForm,
    operands: readonly Operand[],
    options: Readonly<Record<string, unknown>>,
  ): void => {
    const variant = vary(p, r, call, maskForm, operands, options, n);
    if (variant !== undefined) variants.push(variant);
  };
  const sets = optionSets(r, d, n);
  const combined = combinations(forms);
  for (const operands of combined) for (const options of sets) add("none", operands, options);
  if (names.includes("mask")) {
    const [plain] = combined;
    const others = combined.slice(1, 3);
    for (const form of MASK_FORMS.slice(1)) {
      if (form.includes(" r ") && !names.includes("r")) continue;
      for (const options of sets) if (plain !== undefined) add(form, plain, options);
      if (form === "mask, r vector") for (const operands of others) add(form, operands, {});
    }
  }
  if (variants.length === 0) return undefined;
  const { areas, inputStride, outputStride, refused } = p;
  return {
    record: r,
    dtype: d,
    lanes: n,
    call,
    areas,
    variants,
    inputStride,
    outputStride,
    refused: [...refused],
  };
}

const MOST_COMBINATIONS = 40;
const MOST_OPTION_SETS = 24;
const areStatic = (own: readonly Operand[]): boolean => own.every((o) => o.form === "static");

/** Static operands in every combination; of the others one at a time differs from its plain form. */
function combinations(forms: readonly (readonly Operand[])[]): Operand[][] {
  let all: Operand[][] = [[]];
  for (const own of forms) {
    all = all.flatMap((before) => {
      const plain = before.every((o, i) => o === forms[i]?.[0] || areStatic(forms[i] ?? []));
      const choices = areStatic(own) || plain ? own : own.slice(0, 1);
      return choices.map((o) => [...before, o]);
    });
  }
  // The plain form of every static choice first, so that masks are tried on it.
  return all.slice(0, MOST_COMBINATIONS);
}

/** Runs the intrinsic on sample values to learn what it gives; a refusal is noted and gives no variant. */
function vary(
  p: Planner,
  r: IntrinsicRecord,
  call: Cell["call"],
  maskForm: MaskForm,
  operands: readonly Operand[],
  options: Readonly<Record<string, unknown>>,
  n: number,
): Variant | undefined {
  const args = operands.map(sample);
  const attempt = (o: Readonly<Record<string, unknown>>): unknown => {
    const before = enter({ kind: "idle", target: TARGETS.edge });
    try {
      return call(...args, ...(Object.keys(o).length > 0 ? [o] : []));
    } catch (error) {
      if (!(error instanceof KpuError)) throw error;
      p.refused.add(`${Object.keys(o).join(", ") || "plain"}: ${error.diagnostics[0]?.code}`);
      return undefined;
    } finally {
      enter(before);
    }
  };
  const unmasked = attempt(options);
  const results = Array.isArray(unmasked) ? unmasked : [unmasked];
  const shapes = results.map(shapeOfResult);
  const [first] = shapes;
  if (first === undefined || shapes.includes(undefined)) return undefined;
  const whole = first.kind === "number" || first.kind === "boolean";
  const maskSpec = (r.signature.options ?? []).find((o) => o.name === "mask");
  const rSpec = (r.signature.options ?? []).find((o) => o.name === "r");
  const lanes = maskSpec?.lanes?.(n) ?? (whole ? n : first.lanes);
  const runtime: { mask?: Operand; r?: Operand } = {};
  const all: Record<string, unknown> = { ...options };
  switch (maskForm) {
    case "none":
      break;
    case "mask string":
      all["mask"] = maskString(lanes);
      break;
    case "mask array":
      all["mask"] = [...maskString(lanes)].map((c) => c === "T");
      break;
    case "mask, r number":
      all["r"] = first.dtype === "bool" ? true : 3;
      runtime.mask = p.lanes("mask", "bool", lanes);
      break;
    case "mask, r vector":
      runtime.r = p.lanes("r", first.dtype, rSpec?.lanes?.(n) ?? lanes);
      runtime.mask = p.lanes("mask", "bool", lanes);
      break;
    case "mask":
      runtime.mask = p.lanes("mask", "bool", lanes);
  }
  if (maskForm !== "none") {
    const full = { ...all, ...Object.fromEntries(Object.entries(runtime).map(([k, v]) => [k, sample(v)])) };
    if (attempt(full) === undefined) return undefined;
  }
  const outputs = shapes.map((s) =>
    p.output((s as typeof first).kind, (s as typeof first).dtype, (s as typeof first).lanes),
  );
  return { maskForm, operands, options: all, runtime, outputs, list: Array.isArray(unmasked) };
}
