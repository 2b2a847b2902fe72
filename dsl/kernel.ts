/**
 * `kernel()` and `@kernel`: one record behind both. A record holds the author's running function and the declared
 * parameters; what a call and a build do with it is installed by the package's entry (`executions`), so that this
 * folder knows neither execution.
 */
import { inspect } from "node:util";
import type { AnyD, bool, DType } from "./dtypes.ts";
import { type DTypeName, fail, INSPECT, type ProgramDescription, presenting, type Scope } from "./ir.ts";
import type { Ptr } from "./pointer.ts";

/** Declares a pointer parameter; made by {@link ptr}. */
export class PtrParam<D extends DType = AnyD> {
  readonly dtype: D;
  readonly scope: Scope;
  readonly constant: boolean;
  readonly noalias: boolean;
  constructor(dtype: D, scope: Scope, constant: boolean, noalias = false) {
    this.dtype = dtype;
    this.scope = scope;
    this.constant = constant;
    this.noalias = noalias;
  }
  [INSPECT](): string {
    const options = [this.constant ? "const: true" : "", this.noalias ? "noalias: true" : ""].filter(Boolean);
    return `ptr(${this.dtype.name}${options.length > 0 ? `, { ${options.join(", ")} }` : ""})`;
  }
}

export interface PtrOptions {
  /** Writes through the pointer are refused. */
  readonly const?: boolean;
  /** A call in which another pointer argument shares a byte with this one is refused (KPU6012). */
  readonly noalias?: boolean;
}

/**
 * A pointer parameter to host data in global memory. `{ const: true }` refuses writes through it, `{ noalias: true }`
 * calls in which another pointer argument overlaps it (KPU6012).
 * Example: `kernel([ptr(f32), ptr(f32, { const: true }), i32], function k(y, x, n) { ... })`.
 */
export function ptr<D extends AnyD>(dtype: D, options: PtrOptions = {}): PtrParam<D> {
  return new PtrParam(dtype, "global", options.const === true, options.noalias === true);
}

export type ParamDecl = PtrParam<AnyD> | AnyD;

/** What a kernel body sees for a declared parameter. */
export type BodyParam<P> =
  P extends PtrParam<infer D> ? Ptr<D> : P extends bool ? boolean : P extends DType ? number : never;
export type BodyParams<P extends readonly ParamDecl[]> = { [K in keyof P]: BodyParam<P[K]> };

/** The TypedArray a caller passes for a dtype. */
export type HostArray<N extends DTypeName> = {
  i8: Int8Array;
  u8: Uint8Array | Uint8ClampedArray;
  i16: Int16Array;
  u16: Uint16Array;
  i32: Int32Array;
  u32: Uint32Array;
  f16: Uint16Array;
  bf16: Uint16Array;
  f32: Float32Array;
  bool: Uint8Array;
  i4: Uint8Array | Int8Array;
  u4: Uint8Array;
  f8e4m3: Uint8Array;
  f8e5m2: Uint8Array;
}[N];

/** A host array that carries its dtype and shape; accepted wherever a TypedArray is. */
export interface Tensor<D extends DType = AnyD> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: D extends DType<infer N> ? HostArray<N> : never;
}

/** What a caller passes for a declared parameter. `null` is the null pointer. */
export type HostParam<P> =
  P extends PtrParam<infer D>
    ? (D extends DType<infer N> ? HostArray<N> : never) | Tensor<D> | null
    : P extends bool
      ? boolean
      : number;
export type HostParams<P extends readonly ParamDecl[]> = { [K in keyof P]: HostParam<P[K]> };

/** The one record behind every kernel. */
export interface KernelRecord {
  /** The name of the running function; from the first check on, as the author wrote it. */
  name: string;
  readonly params: readonly ParamDecl[];
  /** The author's function as it runs. */
  readonly fn: (...args: never[]) => unknown;
  /** What its program files tell beside the code: tensors, ops, tiling. */
  readonly description: ProgramDescription | undefined;
  /** `this` of a static method; undefined for functions. Filled once the class exists. */
  thisValue: unknown;
}

/** What the package's entry installs: the two executions. */
export interface Executions {
  call(record: KernelRecord, args: readonly unknown[]): void;
}
let executions: Executions | undefined;
export function installExecutions(e: Executions): void {
  executions = e;
}

/** A kernel: call it and it runs directly, as plain JavaScript. */
export interface Kernel<P extends readonly ParamDecl[] = readonly ParamDecl[]> {
  (...args: HostParams<P>): void;
  readonly kernel: KernelRecord;
}

const RECORD = Symbol.for("kpu-dsl.kernel");

/** The record of a kernel, or undefined for anything else. */
export function recordOf(value: unknown): KernelRecord | undefined {
  if (typeof value !== "function") return undefined;
  return (value as { [RECORD]?: KernelRecord })[RECORD];
}

function wrap<P extends readonly ParamDecl[]>(record: KernelRecord): Kernel<P> {
  const call = (...args: unknown[]): void => {
    if (executions === undefined)
      fail("KPU6005", "no execution is installed", { help: 'import from "kpu-dsl"' });
    executions.call(record, args);
  };
  Object.defineProperty(call, "name", { get: () => record.name });
  Object.defineProperty(call, RECORD, { value: record });
  Object.defineProperty(call, "kernel", { value: record });
  Object.defineProperty(call, INSPECT, {
    value: () => `kernel ${record.name}(${record.params.map((p) => inspect(p)).join(", ")})`,
  });
  return call as unknown as Kernel<P>;
}

function checkDecl(params: readonly unknown[]): void {
  params.forEach((p, i) => {
    if (!(p instanceof PtrParam) && !isDType(p)) {
      fail("KPU6008", `parameter ${i} of the kernel is not a dtype or ptr(dtype)`, {
        help: "write kernel([ptr(f32), i32], function name(x, n) { ... })",
      });
    }
  });
}
function isDType(v: unknown): v is DType {
  return typeof v === "object" && v !== null && "bits" in v && "name" in v;
}

type Decorator<P extends readonly ParamDecl[]> = <T>(
  method: (this: T, ...args: BodyParams<P>) => void,
  context: ClassMethodDecoratorContext<T, (this: T, ...args: BodyParams<P>) => void>,
) => (this: T, ...args: BodyParams<P>) => void;

/**
 * Declares a kernel: `kernel([ptr(f32), i32], function name(x, n) { ... })`, or as a standard decorator on a static
 * method: `@kernel([ptr(f32), i32]) static name(x: Ptr<f32>, n: number) { ... }`. A description is kept in program files
 * and changes nothing else: the ops of the kernel and how each is cut (`ProgramOp`, `Tiling`), its tensors and their shapes.
 */
export function kernel<const P extends readonly ParamDecl[]>(
  params: P,
  fn: (...args: BodyParams<P>) => void,
  description?: ProgramDescription,
): Kernel<P>;
export function kernel<const P extends readonly ParamDecl[]>(
  params: P,
  description?: ProgramDescription,
): Decorator<P>;
export function kernel(
  params: readonly ParamDecl[],
  second?: ((...args: never[]) => void) | ProgramDescription,
  third?: ProgramDescription,
): unknown {
  presenting(() => checkDecl(params));
  if (typeof second === "function")
    return wrap({
      name: second.name || "kernel",
      params,
      fn: second,
      description: third,
      thisValue: undefined,
    });
  return (method: (...args: never[]) => unknown, context: ClassMethodDecoratorContext) => {
    if (typeof context !== "object") {
      presenting(() =>
        fail("KPU6008", "@kernel is a standard decorator, and is called as one of experimentalDecorators", {
          help: "remove experimentalDecorators from tsconfig.json, or write static name = kernel([...], function name(...) { ... })",
        }),
      );
    }
    if (context.kind !== "method" || !context.static) {
      presenting(() =>
        fail("KPU6008", "@kernel belongs on a static method", {
          help: "write @kernel([...]) static name(...) { ... }",
        }),
      );
    }
    const record: KernelRecord = {
      name: String(context.name),
      params,
      fn: method,
      description: second,
      thisValue: undefined,
    };
    context.addInitializer(function (this: unknown) {
      record.thisValue = this;
    });
    return wrap(record);
  };
}

/** The caller's view of a decorated static method: TypeScript decorators cannot change a method's type. */
export type HostView<F> = F extends (...args: infer A) => unknown
  ? (
      ...args: { [K in keyof A]: A[K] extends Ptr<infer D> ? HostParam<PtrParam<Extract<D, AnyD>>> : A[K] }
    ) => void
  : never;

/**
 * A decorated static method with the types of its direct call: `host(Blas.saxpy)(xs, ys, 2, 1000)`. Returns its
 * argument; refuses what is not a kernel.
 */
export function host<F extends (...args: never[]) => unknown>(method: F): HostView<F> {
  if (recordOf(method) === undefined)
    presenting(() =>
      fail("KPU6008", "host() needs a kernel", { help: "decorate the method with @kernel([...])" }),
    );
  return method as unknown as HostView<F>;
}
