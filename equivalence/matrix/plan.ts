/**
 * What is tried of an intrinsic at one dtype and width, planned from its record: every form of its operands (vector, number
 * read at run time, literal), every option, every form of mask. All forms together are the *variants* of one kernel, which runs
 * over rows of input data.
 */
import { enter } from "../../dsl/context.ts";
import type { IntrinsicRecord, OperandSpec } from "../../dsl/intrinsic.ts";
import { S } from "../../dsl/s.ts";
import { KpuError } from "../../ir/diagnostic.ts";
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import { TARGETS, type Target } from "../../ir/target.ts";
import {
  type Cell,
  MASK_FORMS,
  type MaskForm,
  type Operand,
  Planner,
  sample,
  shapeOfResult,
  type Variant,
} from "./cell.ts";
import { firstLanes, formsOf, maskString, optionSets } from "./forms.ts";

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
