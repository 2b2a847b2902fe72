/**
 * Inputs of a kernel for property tests: the draws an author describes them with, the registry of descriptions, and
 * the description that is used where the author gave none.
 */
import type { AnyD, DType } from "../dsl/dtypes.ts";
import {
  type HostArray,
  type HostParams,
  type Kernel,
  type KernelRecord,
  type ParamDecl,
  PtrParam,
  recordOf,
} from "../dsl/kernel.ts";
import { fromBits, toBits } from "../ir/convert.ts";
import { fail } from "../ir/diagnostic.ts";
import { DTYPES, type DTypeName, hasFloats, isPacked } from "../ir/dtype.ts";
import { edgeValues } from "../ir/edges.ts";
import { type HostElements, hostZeros } from "../ir/elements.ts";
import type { ChoiceSource, Entropy } from "./choices.ts";

/** What elements of an array, or a scalar, may be. */
export interface ValueOptions {
  readonly min?: number;
  readonly max?: number;
  /** Only these values. */
  readonly of?: readonly number[];
  /** No NaN and no infinity. */
  readonly finite?: boolean;
}

/** The draws of one generated input. Whatever depends on an earlier draw stays tied to it while a failure shrinks. */
export interface Draw {
  /** A size: often 0, 1, or near a multiple of a lane count. */
  size(min?: number, max?: number): number;
  /** An integer of a range, ends included. */
  int(min: number, max: number): number;
  /** A scalar of a dtype: edge values, random bits, plain numbers. */
  scalar(dtype: AnyD, options?: ValueOptions): number;
  bool(): boolean;
  /** One of the given values; the first is the simplest. */
  oneOf<T>(...values: readonly T[]): T;
  /** A host array. Float arrays contain NaN, infinities, -0 and subnormals unless the options exclude them. */
  array<N extends DTypeName>(dtype: DType<N>, length: number, options?: ValueOptions): HostArray<N>;
}

export type Description = (g: Draw) => readonly unknown[];

const registered = new WeakMap<KernelRecord, Description>();

/**
 * Declares how inputs of a kernel are generated, sizes tied to each other; returns the kernel.
 *
 *     describeInputs(saxpy, (g) => {
 *       const n = g.size();
 *       return [g.array(f32, n), g.array(f32, n), g.scalar(f32), n];
 *     });
 */
export function describeInputs<P extends readonly ParamDecl[]>(
  kernel: Kernel<P>,
  describe: (g: Draw) => HostParams<P>,
): Kernel<P>;
export function describeInputs<F extends (...args: never[]) => unknown>(kernel: F, describe: Description): F;
export function describeInputs(kernel: unknown, describe: Description): unknown {
  const record = recordOf(kernel);
  if (record === undefined)
    fail("KPU6010", "describeInputs needs a kernel", { help: "pass what kernel([...], fn) returned" });
  registered.set(record, describe);
  return kernel;
}

/** The registered description, or one made from the signature. */
export function descriptionOf(record: KernelRecord): Description {
  return registered.get(record) ?? ((g) => fromSignature(g, record.params));
}

/** True when the author declared the inputs. */
export function isDescribed(record: KernelRecord): boolean {
  return registered.has(record);
}

/** All arrays have one size n; integer scalars lie in 0..n (n itself most often), other scalars are anything. */
function fromSignature(g: Draw, params: readonly ParamDecl[]): unknown[] {
  const n = g.size();
  return params.map((p) => {
    if (p instanceof PtrParam) return g.array(p.dtype as DType, n);
    if (p.name === "bool") return g.bool();
    if (hasFloats(p.name)) return g.scalar(p);
    return Math.min(g.oneOf(n, g.int(0, n)), DTYPES[p.name].max);
  });
}

/** Draws from a source of choices. */
export function drawFrom(source: ChoiceSource): Draw {
  const int = (min: number, max: number, fresh = (e: Entropy): number => e.nextInt(min, max)): number => {
    if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || min > max) {
      fail("KPU6010", `a range needs integers min <= max, got ${min}..${max}`);
    }
    const simplest = Math.min(Math.max(0, min), max);
    return source.number(simplest, fresh, (v) => Math.min(Math.max(Math.trunc(v), min), max));
  };
  return {
    size: (min = 0, max = 300) => int(min, max, (e) => freshSize(e, min, max)),
    int: (min, max) => int(min, max),
    bool: () => int(0, 1) === 1,
    oneOf: (...values) => {
      if (values.length === 0) fail("KPU6010", "oneOf needs at least one value");
      return values[int(0, values.length - 1)] as (typeof values)[number];
    },
    scalar: (dtype, options = {}) => {
      const allowed = ruleOf(dtype.name, options);
      return source.number(
        allowed.simplest,
        (e) => freshValue(e, allowed, STYLES[e.nextInt(0, STYLES.length - 1)] as Style),
        allowed.admit,
      );
    },
    array: <N extends DTypeName>(dtype: DType<N>, length: number, options: ValueOptions = {}) => {
      if (!Number.isSafeInteger(length) || length < 0)
        fail("KPU6010", `an array needs a length, got ${length}`);
      const allowed = ruleOf(dtype.name, options);
      const fresh = (e: Entropy, into: HostElements): void => {
        const style = STYLES[e.nextInt(0, STYLES.length - 1)] as Style;
        const next = (): number => stored(dtype.name, freshValue(e, allowed, style));
        for (let i = 0; i < into.length; i++)
          into[i] = isPacked(dtype.name) ? (next() & 0x0f) | (next() & 0xf0) : next();
      };
      return source.array(
        dtype.name,
        hostZeros(dtype.name, length),
        stored(dtype.name, allowed.simplest),
        fresh,
      ) as HostArray<N>;
    },
  };
}

/** What a size is most interesting at: nothing, one, and around the lane counts of registers. */
const SIZES = [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 251, 256, 257];
function freshSize(e: Entropy, min: number, max: number): number {
  const size = SIZES[e.nextInt(0, SIZES.length - 1)] as number;
  const special = e.nextInt(0, 2) === 0 && size >= min && size <= max;
  return special ? size : e.nextInt(min, Math.min(max, min + (max - min)));
}

/** How the elements of one array look; one style per array, so that plain data are not drowned in NaN. */
type Style = "small" | "plain" | "edges" | "bits";
const STYLES: readonly Style[] = ["small", "plain", "plain", "edges", "bits"];

interface Rule {
  readonly dtype: DTypeName;
  readonly edges: readonly number[];
  readonly only: readonly number[] | undefined;
  readonly admit: (x: number) => number;
  readonly simplest: number;
  readonly min: number;
  readonly max: number;
}

function ruleOf(dtype: DTypeName, o: ValueOptions): Rule {
  const info = DTYPES[dtype];
  const bounded = o.min !== undefined || o.max !== undefined;
  const min = o.min ?? info.min;
  const max = o.max ?? info.max;
  if (!(min <= max)) fail("KPU6010", `values need min <= max, got ${min}..${max}`);
  const only = o.of;
  if (only !== undefined && only.length === 0) fail("KPU6010", "`of` needs at least one value");
  const allowed = (x: number): boolean =>
    bounded ? x >= min && x <= max : o.finite !== true || Number.isFinite(x);
  const near = Math.min(Math.max(0, min), max);
  return {
    dtype,
    only,
    min,
    max,
    edges: edgeValues(dtype).filter(allowed),
    simplest: only ? (only[0] as number) : near,
    admit: (x) => {
      if (only) return only.includes(x) ? x : (only[0] as number);
      const held = fromBits(
        dtype,
        toBits(dtype, info.kind === "int" ? Math.min(Math.max(Math.trunc(x), info.min), info.max) : x),
      );
      return allowed(held) ? held : Number.isNaN(held) ? near : Math.min(Math.max(held, min), max);
    },
  };
}

function freshValue(e: Entropy, rule: Rule, style: Style): number {
  const { dtype, edges, only, admit, min, max } = rule;
  if (only) return only[e.nextInt(0, only.length - 1)] as number;
  const info = DTYPES[dtype];
  switch (style) {
    case "small":
      return admit(e.nextInt(0, 9));
    case "edges":
      if (edges.length > 0 && e.nextInt(0, 2) !== 0) return edges[e.nextInt(0, edges.length - 1)] as number;
      return freshValue(e, rule, "plain");
    case "bits":
      return admit(fromBits(dtype, e.nextInt(0, 2 ** info.bits - 1)));
    case "plain":
      if (info.kind !== "float") return e.nextInt(Math.ceil(min), Math.floor(max));
      return admit(
        Math.max(min, -100) +
          (e.nextInt(0, 0xffffff) / 0xffffff) * (Math.min(max, 100) - Math.max(min, -100)),
      );
  }
}

/** What a host array holds of a value; of a 4-bit integer both halves of a byte. */
function stored(dtype: DTypeName, x: number): number {
  if (isPacked(dtype)) return toBits(dtype, x) * 0x11;
  return DTYPES[dtype].kind === "float" && dtype !== "f32" ? toBits(dtype, x) : x;
}
