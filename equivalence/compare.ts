/** One input, both executions on copies of it, compared bit for bit. */
import { type KernelRecord, PtrParam } from "../dsl/kernel.ts";
import type { DiagnosticCode } from "../ir/codes.ts";
import { fromBits } from "../ir/convert.ts";
import { KpuError } from "../ir/diagnostic.ts";
import { DTYPES, type DTypeName, isPacked } from "../ir/dtype.ts";

/** What an execution did to its copy of the arguments. */
export interface Outcome {
  readonly args: readonly unknown[];
  readonly printed: readonly string[];
  /** The diagnostic that stopped it. Anything that is no KpuError is a bug of ours and is thrown on. */
  readonly error: KpuError | undefined;
}

export type Difference =
  | {
      readonly kind: "element";
      readonly param: number;
      readonly index: number;
      readonly dtype: DTypeName;
      readonly direct: Shown;
      readonly compiled: Shown;
    }
  | {
      readonly kind: "print";
      readonly line: number;
      readonly direct: string | undefined;
      readonly compiled: string | undefined;
    }
  | { readonly kind: "error"; readonly direct: string | undefined; readonly compiled: string | undefined };

export interface Shown {
  readonly value: number;
  readonly bits: number;
}

/** Runs on a copy of the arguments; arguments that share a buffer share it in the copy too. */
export function observe(
  args: readonly unknown[],
  run: (args: readonly unknown[], print: (line: string) => void) => void,
): Outcome {
  const copies = new Map<ArrayBufferLike, ArrayBuffer>();
  const own = args.map((a) => copyArgument(a, copies));
  const printed: string[] = [];
  try {
    run(own, (line) => printed.push(line));
    return { args: own, printed, error: undefined };
  } catch (error) {
    if (error instanceof KpuError) return { args: own, printed, error };
    throw error;
  }
}

function copyArgument(arg: unknown, copies: Map<ArrayBufferLike, ArrayBuffer>): unknown {
  if (ArrayBuffer.isView(arg)) {
    const view = arg as Uint8Array;
    let buffer = copies.get(view.buffer);
    if (buffer === undefined) {
      buffer = new Uint8Array(view.buffer as ArrayBuffer).slice().buffer;
      copies.set(view.buffer, buffer);
    }
    const Same = view.constructor as new (b: ArrayBuffer, offset: number, length: number) => Uint8Array;
    return new Same(buffer, view.byteOffset, view.length);
  }
  if (typeof arg === "object" && arg !== null && "data" in arg)
    return { ...arg, data: copyArgument(arg.data, copies) };
  return arg;
}

/** Faults that a compiled program finds as well, so both must report the same code. */
const FOUND_BY_BOTH: ReadonlySet<DiagnosticCode> = new Set<DiagnosticCode>([
  "KPU3013",
  "KPU4001",
  "KPU4008",
  "KPU6001",
  "KPU6002",
  "KPU6003",
  "KPU6004",
  "KPU6007",
]);

/**
 * - Direct ran through: the program must too, with the same memory and the same printed lines.
 * - Direct was stopped by something a program checks too: the program must be stopped by the same code.
 * - Direct was stopped by something only a simulation can see (a race, a missing wait): nothing to compare.
 *
 * Memory after a stop is not compared: how far other tiles came is not part of a kernel's meaning.
 */
export function compareOutcomes(
  record: KernelRecord,
  direct: Outcome,
  compiled: Outcome,
  tiles: number,
): Difference | undefined {
  if (direct.error !== undefined || compiled.error !== undefined) {
    if (direct.error !== undefined && !FOUND_BY_BOTH.has(direct.error.code)) return undefined;
    if (direct.error?.code === compiled.error?.code) return undefined;
    return { kind: "error", direct: direct.error?.message, compiled: compiled.error?.message };
  }
  return (
    firstElement(record, direct.args, compiled.args) ?? firstPrint(direct.printed, compiled.printed, tiles)
  );
}

function firstElement(
  record: KernelRecord,
  direct: readonly unknown[],
  compiled: readonly unknown[],
): Difference | undefined {
  for (const [param, decl] of record.params.entries()) {
    if (!(decl instanceof PtrParam)) continue;
    const dtype = decl.dtype.name as DTypeName;
    const a = bitsOf(direct[param], dtype);
    const b = bitsOf(compiled[param], dtype);
    if (a === undefined || b === undefined) continue;
    for (let index = 0; index < a.length; index++) {
      if (a[index] === b[index]) continue;
      const x = { value: fromBits(dtype, a[index] as number), bits: a[index] as number };
      const y = { value: fromBits(dtype, b[index] as number), bits: b[index] as number };
      if (Number.isNaN(x.value) && Number.isNaN(y.value)) continue;
      return { kind: "element", param, index, dtype, direct: x, compiled: y };
    }
  }
  return undefined;
}

/** One element of an argument after a run; undefined where the argument has none. */
export function elementOf(
  args: readonly unknown[],
  param: number,
  index: number,
  dtype: DTypeName,
): Shown | undefined {
  const bits = bitsOf(args[param], dtype)?.[index];
  return bits === undefined ? undefined : { value: fromBits(dtype, bits), bits };
}

/** The elements as unsigned integers of their width. */
function bitsOf(arg: unknown, dtype: DTypeName): Uint8Array | Uint16Array | Uint32Array | undefined {
  if (ArrayBuffer.isView(arg)) {
    const view = arg as Uint8Array;
    const Bits =
      view.BYTES_PER_ELEMENT === 1 ? Uint8Array : view.BYTES_PER_ELEMENT === 2 ? Uint16Array : Uint32Array;
    const words = new Bits(view.buffer as ArrayBuffer, view.byteOffset, view.length);
    return isPacked(dtype)
      ? Uint8Array.from({ length: 2 * words.length }, (_, i) => nibble(words, i))
      : words;
  }
  if (typeof arg === "object" && arg !== null && "data" in arg) return bitsOf(arg.data, dtype);
  return undefined;
}

function nibble(bytes: ArrayLike<number>, i: number): number {
  return ((bytes[i >> 1] as number) >> (i % 2 === 0 ? 0 : 4)) & 15;
}

/** Tiles print in an order of their own, so with several tiles lines are compared as a set. */
function firstPrint(
  direct: readonly string[],
  compiled: readonly string[],
  tiles: number,
): Difference | undefined {
  const a = tiles === 1 ? direct : [...direct].sort();
  const b = tiles === 1 ? compiled : [...compiled].sort();
  for (let line = 0; line < Math.max(a.length, b.length); line++) {
    if (a[line] !== b[line]) return { kind: "print", line, direct: a[line], compiled: b[line] };
  }
  return undefined;
}

/** `0x7fc00000`, as wide as the dtype. */
export function hex(bits: number, dtype: DTypeName): string {
  return `0x${bits.toString(16).padStart(DTYPES[dtype].bits / 4, "0")}`;
}
