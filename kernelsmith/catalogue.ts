/**
 * The value intrinsics as the generator draws them: every form of every record (dtype, static arguments, options) with
 * the type of its result. All of it is read from the records' signatures, so an intrinsic that is added is drawn from
 * then on. What a form gives is found by running it once outside a kernel, on ones.
 */

import { DType, dtypeOf, INTRINSICS, type IntrinsicRecord, Mask, S, Vec } from "../dsl/index.ts";
import type { OperandSpec } from "../dsl/intrinsic.ts";
import { KpuError } from "../ir/diagnostic.ts";
import { ALL_DTYPES, type DTypeName } from "../ir/dtype.ts";
import { BOOL, mask, NUM, type Ty, vec } from "./tree.ts";

/** One operand of a form. Lanes and values follow from the lane count `n` of the first vector. */
export type Slot =
  | { readonly is: "vec"; readonly dtype: DTypeName; readonly spec: OperandSpec }
  | { readonly is: "mask"; readonly spec: OperandSpec }
  | { readonly is: "number"; readonly spec: OperandSpec }
  | { readonly is: "dtype"; readonly dtype: DTypeName }
  | { readonly is: "static"; readonly spec: OperandSpec; readonly choice: number };

export interface Form {
  readonly record: IntrinsicRecord;
  /** Dtype of the first vector; undefined for a function of numbers. */
  readonly dtype: DTypeName | undefined;
  readonly slots: readonly Slot[];
  readonly options: readonly { readonly spec: OperandSpec; readonly choice: number }[];
  /** The first vector's lane count is a multiple of it. */
  readonly multipleOf: number;
}

/** What a call of a form gives. `element` is set where it gives a list of them. */
export interface FormResult {
  readonly type: Ty;
  readonly element: number | undefined;
  /** Lanes of a mask option; undefined where it takes none. */
  readonly maskLanes: number | undefined;
  /** True when option r takes a value of the result's type. */
  readonly takesR: boolean;
}

/** Records with productions of their own, and why; the others are drawn from their signature. */
export const BY_HAND: ReadonlyMap<string, string> = new Map([
  ["ceildiv", "integers, and a divisor that is not 0"],
  ["floordiv", "integers, and a divisor that is not 0"],
  ["tailMask", "lanes come second"],
  ["constMask", "mask strings and arrays are drawn by length"],
  ["vbcast", "lanes come from an option"],
  ["vconcat", "it takes a list"],
]);
/** Most forms of one record and dtype. */
const MOST_FORMS = 48;

const isVector = (o: OperandSpec): boolean => o.kind === "vec" || o.kind === "vec|scalar";
const functions = S as unknown as Readonly<Record<string, ((...args: unknown[]) => unknown) | undefined>>;

/** Values that a static operand or option is tested with. */
function valuesOf(spec: OperandSpec, d: DTypeName | undefined, n: number): readonly unknown[] {
  const { values } = spec;
  if (typeof values === "function") return values(d ?? "f32", n);
  return values ?? [true];
}
export function staticValue(spec: OperandSpec, choice: number, d: DTypeName | undefined, n: number): unknown {
  const list = valuesOf(spec, d, n);
  return list[choice % list.length];
}

/** Dtypes that an operand may have beside a first vector of `first`. */
function dtypesOf(
  spec: OperandSpec,
  first: DTypeName,
  earlier: ReadonlyMap<string, DTypeName>,
): readonly DTypeName[] {
  const { dtype } = spec;
  if (dtype === undefined) return [first];
  if (typeof dtype === "string") return [earlier.get(dtype) ?? first];
  if (Array.isArray(dtype)) {
    const list = dtype as readonly DTypeName[];
    return list.includes(first) && spec.kind !== "dtype" ? [first] : list;
  }
  return (dtype as Partial<Record<DTypeName, readonly DTypeName[]>>)[first] ?? [];
}

export const lanesOf = (spec: OperandSpec, n: number): number => spec.lanes?.(n) ?? n;

function one(d: DTypeName, n: number): Vec | Mask {
  const data = new Array<number>(n).fill(1);
  return d === "bool" ? new Mask(data) : (new Vec(dtypeOf(d), data) as Vec);
}

/** The result of a form whose first vector has `n` lanes; undefined where there is none. */
function probe(form: Form, n: number): FormResult | undefined {
  const sample = (s: Slot): unknown => {
    switch (s.is) {
      case "vec":
        return one(s.dtype, lanesOf(s.spec, n));
      case "mask":
        return new Mask(new Array<number>(lanesOf(s.spec, n)).fill(1));
      case "number":
        return 1;
      case "dtype":
        return dtypeOf(s.dtype);
      case "static":
        return staticValue(s.spec, s.choice, form.dtype, n);
    }
  };
  const args = form.slots.map(sample);
  const options = Object.fromEntries(
    form.options.map((o) => [o.spec.name, staticValue(o.spec, o.choice, form.dtype, n)]),
  );
  const given = form.options.length > 0;
  const run = (more: object | undefined): unknown =>
    attempt(() =>
      functions[form.record.name]?.(...args, ...(given || more ? [{ ...options, ...more }] : [])),
    );
  const value = run(undefined);
  const [first] = Array.isArray(value) ? (value as unknown[]) : [value];
  const type = typeOf(first);
  if (type === undefined) return undefined;
  const spec = (form.record.signature.options ?? []).find((o) => o.name === "mask");
  let maskLanes: number | undefined;
  if (spec !== undefined) {
    const tried = [spec.lanes?.(n) ?? n, ...("lanes" in type ? [type.lanes] : [])];
    maskLanes = tried.find(
      (lanes) => run({ mask: new Mask(new Array<number>(lanes).fill(1)) }) !== undefined,
    );
  }
  const takesR =
    maskLanes !== undefined &&
    "lanes" in type &&
    run({
      mask: new Mask(new Array<number>(maskLanes).fill(1)),
      r: one(type.is === "vec" ? type.dtype : "bool", type.lanes),
    }) !== undefined;
  return { type, element: Array.isArray(value) ? value.length : undefined, maskLanes, takesR };
}

function attempt(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (error instanceof KpuError) return undefined;
    throw error;
  }
}

function typeOf(v: unknown): Ty | undefined {
  if (v instanceof Mask) return mask(v.lanes);
  if (v instanceof Vec) return vec(v.dtype.name, v.lanes);
  if (typeof v === "number") return NUM;
  return typeof v === "boolean" ? BOOL : undefined;
}

/** All choices of slots for a first vector of dtype `first`; a function of numbers where that is undefined. */
function* slotChoices(
  operands: readonly OperandSpec[],
  first: DTypeName | undefined,
): Generator<readonly Slot[], void, void> {
  function* walk(
    at: number,
    made: readonly Slot[],
    dtypes: ReadonlyMap<string, DTypeName>,
  ): Generator<readonly Slot[]> {
    const spec = operands[at];
    if (spec === undefined) {
      yield made;
      return;
    }
    if (spec.optional) yield made;
    const d = first ?? "f32";
    switch (spec.kind) {
      case "vec":
      case "vec|scalar":
        if (first === undefined) yield* walk(at + 1, [...made, { is: "number", spec }], dtypes);
        else
          for (const dtype of dtypes.size === 0 ? [d] : dtypesOf(spec, d, dtypes))
            yield* walk(
              at + 1,
              [...made, { is: "vec", dtype, spec }],
              new Map([...dtypes, [spec.name, dtype]]),
            );
        return;
      case "mask":
        yield* walk(at + 1, [...made, { is: "mask", spec }], dtypes);
        return;
      case "scalar":
        yield* walk(at + 1, [...made, { is: "number", spec }], dtypes);
        return;
      case "dtype":
        for (const dtype of dtypesOf(spec, d, dtypes))
          yield* walk(at + 1, [...made, { is: "dtype", dtype }], dtypes);
        return;
      case "static":
        for (const choice of valuesOf(spec, first, 16).keys())
          yield* walk(at + 1, [...made, { is: "static", spec, choice }], dtypes);
        return;
      default:
        return;
    }
  }
  yield* walk(0, [], new Map());
}

/** No option, each static option by itself with each value, and all together. */
function optionChoices(record: IntrinsicRecord, d: DTypeName | undefined): Form["options"][] {
  const statics = (record.signature.options ?? []).filter((o) => o.kind === "static" || o.kind === "dtype");
  const single = statics.flatMap((spec) =>
    [...valuesOf(spec, d, 16).keys()].map((choice) => [{ spec, choice }]),
  );
  const all = statics.length > 1 ? [statics.map((spec) => ({ spec, choice: 0 }))] : [];
  return [[], ...single, ...all];
}

function formsOf(record: IntrinsicRecord): Form[] {
  const { operands, widths } = record.signature;
  const lead = operands.find(isVector);
  const dtypes = Array.isArray(lead?.dtype) ? (lead.dtype as readonly DTypeName[]) : lead ? ALL_DTYPES : [];
  const numbers = lead === undefined || operands.every((o) => o.kind === "vec|scalar" || o.kind === "static");
  const firsts: (DTypeName | undefined)[] = numbers ? [...dtypes, undefined] : [...dtypes];
  const multipleOf = widths?.multipleOf ?? 1;
  return firsts.flatMap((dtype) => {
    const forms: Form[] = [];
    for (const slots of slotChoices(operands, dtype))
      for (const options of optionChoices(record, dtype))
        if (forms.length < MOST_FORMS) forms.push({ record, dtype, slots, options, multipleOf });
    return forms;
  });
}

/** Where a form is looked for: what it gives, and how many lanes for one of the first vector. */
interface Entry {
  readonly form: Form;
  /** Lanes of the result for 48 lanes of the first vector. */
  readonly lanes: number;
}
/** Divisible by what any signature asks for. */
const PROBED = 48;

export class Catalogue {
  /** By result (`vec i8`, `mask`, `num`, `bool`), then by record. */
  readonly #byResult = new Map<string, Map<string, Entry[]>>();
  readonly #results = new Map<Form, Map<number, FormResult | undefined>>();
  /** Names of the value intrinsics that no form was found for. */
  readonly unusable: readonly string[];

  constructor() {
    const unusable: string[] = [];
    for (const record of INTRINSICS) {
      if (!record.value || record.name.includes(".") || BY_HAND.has(record.name)) continue;
      if (record.family === "control" || record.family === "memory" || record.family === "transfer") continue;
      let found = 0;
      for (const form of formsOf(record)) {
        const result = this.result(form, PROBED);
        if (result === undefined) continue;
        found++;
        const key = resultKey(result.type);
        const lanes = "lanes" in result.type ? result.type.lanes : 0;
        let records = this.#byResult.get(key);
        if (records === undefined) this.#byResult.set(key, (records = new Map()));
        const entries = records.get(record.name);
        if (entries === undefined) records.set(record.name, [{ form, lanes }]);
        else entries.push({ form, lanes });
      }
      if (found === 0) unusable.push(record.name);
    }
    this.unusable = unusable;
  }

  /** What a form gives for `n` lanes; computed once. */
  result(form: Form, n: number): FormResult | undefined {
    let known = this.#results.get(form);
    if (known === undefined) this.#results.set(form, (known = new Map()));
    if (!known.has(n)) known.set(n, probe(form, n));
    return known.get(n);
  }

  /** Records that can give a type, in order of declaration. */
  records(type: Ty): readonly string[] {
    return [...(this.#byResult.get(resultKey(type))?.keys() ?? [])];
  }

  /** The forms of a record that give a type, each with the lane count of its first vector. */
  forms(record: string, type: Ty): { readonly form: Form; readonly n: number }[] {
    const entries = this.#byResult.get(resultKey(type))?.get(record) ?? [];
    const wanted = "lanes" in type ? type.lanes : undefined;
    return entries.flatMap(({ form, lanes }) => {
      if (wanted === undefined) return [{ form, n: 0 }];
      const n = (wanted * PROBED) / lanes;
      return Number.isInteger(n) && n % form.multipleOf === 0 && n <= 128 ? [{ form, n }] : [];
    });
  }
}

function resultKey(t: Ty): string {
  return t.is === "vec" ? `vec ${t.dtype}` : t.is === "int" ? "num" : t.is;
}

/** A static value as source. */
export function staticText(v: unknown): string {
  if (v instanceof DType) return v.name;
  if (Array.isArray(v)) return `[${v.map(staticText).join(", ")}]`;
  if (typeof v === "object" && v !== null)
    return `{ ${Object.entries(v)
      .map(([k, x]) => `${k}: ${staticText(x)}`)
      .join(", ")} }`;
  return Object.is(v, -0) ? "-0" : typeof v === "number" ? String(v) : JSON.stringify(v);
}
