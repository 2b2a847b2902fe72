/**
 * The intrinsic record: one declaration holds an intrinsic's meaning in both executions, its type rule, effects, cost
 * and documentation. TypeScript makes `simulate` and `lower` mandatory. `S`, the reference docs, the property tests
 * and `kpu intrinsics` are derived from these records.
 */
import { current, type LowerContext, type Simulation } from "./context.ts";
import type { Corner } from "./corner.ts";
import { CORNERS } from "./corners/index.ts";
import { type AluOp, type CostClass, type DTypeName, type Effect, fail, presenting } from "./ir.ts";

export type Family =
  | "arithmetic"
  | "bitwise"
  | "permutation"
  | "compare"
  | "conversion"
  | "math"
  | "memory"
  | "transfer"
  | "path"
  | "mask"
  | "spmd"
  | "scalar"
  | "pointer"
  | "control";

/** Dtypes by the dtype of the first vector operand: `{ i8: ["i16"], i16: ["i32"] }` says "twice as wide". */
export type DTypeTable = Readonly<Partial<Record<DTypeName, readonly DTypeName[]>>>;

/** One operand or option of an intrinsic, as data: drives docs, `kpu intrinsics --json` and generated tests. */
export interface OperandSpec {
  readonly name: string;
  readonly kind:
    | "vec"
    | "vec|scalar"
    /** An array of vectors, or of masks. */
    | "list"
    | "scalar"
    | "mask"
    | "ptr"
    | "event"
    | "dtype"
    | "static"
    | "any";
  /** Allowed dtypes; a name of an earlier operand (or "result") means "the same dtype as"; a table goes by the first vector's. */
  readonly dtype?: readonly DTypeName[] | string | DTypeTable;
  /** Lanes of this operand where the first vector has `n`; the same when absent. */
  readonly lanes?: (n: number) => number;
  /**
   * What generated tests pass: for a static operand or option every value worth a test, for a vector or scalar the values to draw
   * from instead of the dtype's edge values and random ones. `d` and `n` are dtype and lanes of the first vector.
   */
  readonly values?: readonly unknown[] | ((d: DTypeName, n: number) => readonly unknown[]);
  readonly optional?: boolean;
  readonly doc?: string;
}

export interface Signature {
  readonly operands: readonly OperandSpec[];
  readonly options?: readonly OperandSpec[];
  /** Lane counts of the first vector that it takes; any when absent. */
  readonly widths?: { readonly multipleOf: number };
  /** Result in words of the same vocabulary: "vec of x", "mask of x lanes", "number", "nothing". */
  readonly result: string;
}

export interface IntrinsicRecord {
  readonly name: string;
  readonly family: Family;
  readonly signature: Signature;
  readonly effect: Effect;
  readonly cost: CostClass;
  readonly doc: string;
  /** Runnable kernel lines; a test runs them. */
  readonly example: string;
  /** Calls whose result is not plain: the reference prints what they give, tests hold every execution to it. */
  readonly corners?: readonly Corner[];
  /** True when a result depends on operands only: then it also works outside a kernel, on host values. */
  readonly value: boolean;
  /** The op of the ALU table that this is, lane by lane, when it is one: generated tests ask the table. */
  readonly alu?: AluOp;
  readonly simulate: (sim: Simulation, ...args: never[]) => unknown;
  readonly lower: (b: LowerContext, ...args: never[]) => unknown;
}

const RECORD = Symbol.for("kpu-dsl.intrinsic");

/** Every record in order of declaration. */
export const INTRINSICS: IntrinsicRecord[] = [];

/**
 * Declares an intrinsic and returns the function that authors call. `F` is its precise TypeScript type.
 * `lower` gets static arguments as plain JavaScript values and runtime arguments as KIR expressions; arrays and
 * option objects are rebuilt around them.
 */
export function intrinsic<F extends (...args: never[]) => unknown>(
  spec: Omit<IntrinsicRecord, "simulate" | "lower" | "value" | "corners"> & {
    /** True when it takes any number of arguments; the others are called with at most six. */
    readonly variadic?: boolean;
    readonly simulate: (sim: Simulation, ...args: never[]) => unknown;
    readonly lower: (b: LowerContext, ...args: never[]) => unknown;
  },
): F {
  const value = spec.effect === "pure" || spec.effect === "trap";
  const { variadic, ...rest } = spec;
  const corners = CORNERS[spec.name];
  const record: IntrinsicRecord = { ...rest, ...(corners === undefined ? {} : { corners }), value };
  INTRINSICS.push(record);
  const simulate = spec.simulate as unknown as (
    sim: Simulation,
    a: unknown,
    b: unknown,
    c: unknown,
    d: unknown,
    e: unknown,
    f: unknown,
  ) => unknown;
  // Fixed arity instead of rest parameters: this call is the hot path of direct execution.
  const fixed = (a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown): unknown => {
    const context = current;
    if (context.kind === "simulate") {
      if (!value || context.observe === undefined) return simulate(context.sim, a, b, c, d, e, f);
      const result = simulate(context.sim, a, b, c, d, e, f);
      context.observe(spec.name, [a, b, c, d, e, f], result);
      return result;
    }
    if (context.kind === "idle" && value) return presenting(() => simulate(NO_SIMULATION, a, b, c, d, e, f));
    return outside(spec.name);
  };
  const any = (...args: unknown[]): unknown => {
    const context = current;
    const run = spec.simulate as (sim: Simulation, ...args: unknown[]) => unknown;
    if (context.kind === "simulate") {
      const result = run(context.sim, ...args);
      if (value) context.observe?.(spec.name, args, result);
      return result;
    }
    if (context.kind === "idle" && value) return presenting(() => run(NO_SIMULATION, ...args));
    return outside(spec.name);
  };
  const call = variadic ? any : fixed;
  Object.defineProperty(call, "name", { value: spec.name });
  Object.defineProperty(call, RECORD, { value: record });
  return call as unknown as F;
}

function outside(name: string): never {
  return presenting(() =>
    fail("KPU6005", `${authorName(name)} works only inside a kernel`, {
      help: "declare a kernel and call it: kernel([...], function name(...) { ... })",
    }),
  );
}

/** How an author writes it: `S.vadd`, `Ptr.at`. */
export function authorName(name: string): string {
  return name.includes(".") ? name : `S.${name}`;
}

/** The record of a name, `vadd` or `Ptr.at`. */
export function intrinsicNamed(name: string): IntrinsicRecord | undefined {
  return INTRINSICS.find((r) => r.name === name);
}

/** The record behind a function of `S`, or undefined. */
export function intrinsicOf(value: unknown): IntrinsicRecord | undefined {
  return typeof value === "function" ? (value as { [RECORD]?: IntrinsicRecord })[RECORD] : undefined;
}

/** Stands in for the simulation when a value intrinsic runs outside a kernel; any use is an internal error. */
const NO_SIMULATION: Simulation = new Proxy({} as Simulation, {
  get(_t, property) {
    if (property === "target") {
      if (current.kind === "idle" && current.target !== undefined) return current.target;
      return fail(
        "KPU6005",
        "the facts of the target, such as the lanes of a register, are known only inside a kernel",
        { help: "read S.target in the kernel, or say the lanes: { lanes: 8 }" },
      );
    }
    throw new TypeError(`a value intrinsic used the simulation: ${String(property)}`);
  },
});
