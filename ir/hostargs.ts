/**
 * Host arguments of a kernel call. Both executions bind arguments here, so that a call means the same in both: the same
 * arrays are accepted, scalars take the same value, and arguments that overlap in memory alias in the same way.
 */
import { convertRule } from "./convert.ts";
import { fail } from "./diagnostic.ts";
import { bytesOf, DTYPES, type DTypeName, hasIntegers, isPacked } from "./dtype.ts";

/** A declared parameter as plain data, with its name from the source. */
export interface ParamSpec {
  readonly name: string;
  readonly dtype: DTypeName;
  readonly pointer: boolean;
  readonly constant: boolean;
  /** Of a pointer: no other pointer argument of a call may overlap it. */
  readonly noalias?: boolean;
}

export interface ScalarArg {
  readonly kind: "scalar";
  /** An exact value of the parameter's dtype; bool as 0 or 1; never -0 for integers. */
  readonly value: number;
}
export interface PointerArg {
  readonly kind: "pointer";
  readonly buffer: ArrayBufferLike;
  /** The bytes of the host array within `buffer`; the pointer points to the first. */
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly isNull: boolean;
}
export type BoundArg = ScalarArg | PointerArg;

const NOTHING = new ArrayBuffer(0);
const NULL_POINTER: PointerArg = {
  kind: "pointer",
  buffer: NOTHING,
  byteOffset: 0,
  byteLength: 0,
  isNull: true,
};

/**
 * Checks the arguments of a call against the declared parameters.
 *
 * @throws KPU6004 wrong number, KPU6001 wrong type or dtype, KPU6002 wrong size, KPU6003 integer out of range,
 * KPU6012 overlap of arguments of which one is declared noalias.
 * @example bindArguments("saxpy", specs, [xs, ys, 2, 1000])
 */
export function bindArguments(
  kernelName: string,
  params: readonly ParamSpec[],
  args: readonly unknown[],
): BoundArg[] {
  if (args.length !== params.length) {
    const expected = params.length === 1 ? "1 argument" : `${params.length} arguments`;
    fail("KPU6004", `${kernelName} takes ${expected}, got ${args.length}`, {
      help: `call ${kernelName}(${params.map(declarationOf).join(", ")})`,
      data: { kernel: kernelName, expected: params.length, got: args.length },
    });
  }
  const bound = params.map((p, i) =>
    (p.pointer ? bindPointer : bindScalar)({ kernelName, spec: p, value: args[i] }),
  );
  params.forEach((p, i) => {
    if (p.noalias) refuseOverlap(kernelName, params, bound, i);
  });
  return bound;
}

/** `x: ptr(f32)`: a parameter as its kernel declares it. */
function declarationOf(p: ParamSpec): string {
  return `${p.name}: ${p.pointer ? `ptr(${p.dtype})` : p.dtype}`;
}

interface Binding {
  readonly kernelName: string;
  readonly spec: ParamSpec;
  readonly value: unknown;
}

function refuse(
  { kernelName, spec }: Binding,
  code: "KPU6001" | "KPU6002" | "KPU6003",
  message: string,
  help: string,
): never {
  return fail(code, `${kernelName}: argument ${spec.name} ${message}`, {
    help,
    data: { kernel: kernelName, argument: spec.name, dtype: spec.dtype },
  });
}

// ---------------------------------------------------------------------------------------------- scalars

function bindScalar(b: Binding): ScalarArg {
  const { dtype, name } = b.spec;
  const { value } = b;
  if (dtype === "bool") {
    if (typeof value !== "boolean") {
      return refuse(b, "KPU6001", `must be a boolean, got ${describeValue(value)}`, `pass true or false`);
    }
    return { kind: "scalar", value: value ? 1 : 0 };
  }
  if (typeof value !== "number") {
    const help =
      typeof value === "bigint" ? `pass Number(${name})` : `pass a number for ${declarationOf(b.spec)}`;
    return refuse(b, "KPU6001", `must be a number (${dtype}), got ${describeValue(value)}`, help);
  }
  if (hasIntegers(dtype)) {
    const { min, max } = DTYPES[dtype];
    if (!Number.isInteger(value)) {
      return refuse(
        b,
        "KPU6003",
        `must be an integer (${dtype}), got ${numberText(value)}`,
        "round it first: Math.trunc(x) or Math.round(x)",
      );
    }
    if (value < min || value > max) {
      const wider = value >= DTYPES.i32.min && value <= DTYPES.u32.max ? " or declare a wider dtype" : "";
      return refuse(
        b,
        "KPU6003",
        `must be within ${min} .. ${max} (${dtype}), got ${value}`,
        `pass a value of ${dtype}${wider}`,
      );
    }
    return { kind: "scalar", value: value + 0 };
  }
  return { kind: "scalar", value: convertRule(dtype)(value) };
}

// ---------------------------------------------------------------------------------------------- pointers

const TypedArrayPrototype: object = Object.getPrototypeOf(Uint8Array.prototype);
const arrayName = Object.getOwnPropertyDescriptor(TypedArrayPrototype, Symbol.toStringTag)?.get;

/** `Float32Array`, ... for a typed array of any realm or subclass (a Node Buffer is a Uint8Array); undefined otherwise. */
function typedArrayName(value: unknown): string | undefined {
  return typeof value === "object" && value !== null
    ? (arrayName?.call(value) as string | undefined)
    : undefined;
}

function bindPointer(b: Binding): PointerArg {
  const { value } = b;
  if (value === null) return NULL_POINTER;
  if (typedArrayName(value) !== undefined) return bindArray(b, value as ArrayBufferView);
  if (typeof value === "object" && value !== undefined && "data" in value && "dtype" in value)
    return bindTensor(b, value);
  return refuse(
    b,
    "KPU6001",
    `must be ${expectedArrays(b.spec.dtype)}, got ${describeValue(value)}`,
    pointerHelp(b),
  );
}

function bindArray(b: Binding, value: ArrayBufferView): PointerArg {
  const { dtype } = b.spec;
  const name = typedArrayName(value) as string;
  if (!DTYPES[dtype].hostArrays.includes(name)) {
    return refuse(
      b,
      "KPU6001",
      `must be ${expectedArrays(dtype)} for ptr(${dtype}), got ${name}`,
      pointerHelp(b),
    );
  }
  return {
    kind: "pointer",
    buffer: value.buffer,
    byteOffset: value.byteOffset,
    byteLength: value.byteLength,
    isNull: false,
  };
}

/** A tensor: `{ dtype, shape, data }` with a dtype record or its name. */
function bindTensor(b: Binding, value: object): PointerArg {
  const { dtype: declared } = b.spec;
  const { dtype, shape, data } = value as { dtype: unknown; shape?: unknown; data: unknown };
  const name = dtypeName(dtype);
  if (name !== declared) {
    return refuse(
      b,
      "KPU6001",
      `must be a tensor of ${declared}, got one of ${name ?? "an unknown dtype"}`,
      name === undefined
        ? `give the tensor the dtype ${declared}`
        : `convert the tensor to ${declared}, or declare ptr(${name})`,
    );
  }
  if (typedArrayName(data) === undefined) {
    return refuse(
      b,
      "KPU6001",
      `must be a tensor whose data is ${expectedArrays(declared)}, got ${describeValue(data)}`,
      pointerHelp(b),
    );
  }
  const bound = bindArray(b, data as ArrayBufferView);
  if (!Array.isArray(shape) || !shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    return refuse(b, "KPU6002", "is a tensor whose shape is no list of sizes", "give it a shape like [2, 3]");
  }
  const elements = shape.reduce((n: number, d: number) => n * d, 1);
  const length = bound.byteLength / DTYPES[declared].bytes;
  if (bytesOf(declared, elements) !== bound.byteLength) {
    return refuse(
      b,
      "KPU6002",
      `is a tensor of shape [${shape.join(", ")}], which needs ${elements} elements, but its data has ${length}`,
      "make shape and data agree",
    );
  }
  return bound;
}

function dtypeName(dtype: unknown): string | undefined {
  if (typeof dtype === "string") {
    const found = Object.values(DTYPES).find((d) => d.name === dtype || d.aliases.includes(dtype));
    return found?.name ?? dtype;
  }
  if (typeof dtype === "object" && dtype !== null && "name" in dtype && typeof dtype.name === "string")
    return dtype.name;
  return undefined;
}

/** `an Int32Array`, `a Uint16Array or a Float16Array`. */
function expectedArrays(dtype: DTypeName): string {
  return DTYPES[dtype].hostArrays
    .map((name) => `${name.startsWith("Int") ? "an" : "a"} ${name}`)
    .join(" or ");
}

function pointerHelp({ spec, value }: Binding): string {
  const array = DTYPES[spec.dtype].hostArrays[0] as string;
  if (DTYPES[spec.dtype].kind === "float" && spec.dtype !== "f32")
    return `pass the bits of the ${spec.dtype} values in a ${array}`;
  if (isPacked(spec.dtype))
    return `pass the values in a ${array}, two to a byte, the first one in the low half`;
  if (Array.isArray(value)) return `pass ${array}.from(${spec.name})`;
  if (value === undefined) return `pass a ${array}, or null for the null pointer`;
  if (value instanceof ArrayBuffer) return `pass new ${array}(${spec.name})`;
  const name = typedArrayName(value);
  const declare =
    name === undefined ? undefined : Object.values(DTYPES).find((d) => d.hostArrays[0] === name)?.name;
  return declare === undefined
    ? `pass a ${array}`
    : `pass a ${array}, or declare ${spec.name} as ptr(${declare})`;
}

function numberText(x: number): string {
  return Object.is(x, -0) ? "-0" : String(x);
}

/** What a wrong argument is, in a few words. */
function describeValue(value: unknown): string {
  switch (typeof value) {
    case "number":
      return `the number ${numberText(value)}`;
    case "string":
      return `the string ${JSON.stringify(value.length > 20 ? `${value.slice(0, 20)}...` : value)}`;
    case "boolean":
      return `the boolean ${value}`;
    case "bigint":
      return `the bigint ${value}n`;
    case "object": {
      if (value === null) return "null";
      if (Array.isArray(value)) return "a plain array";
      const name = typedArrayName(value) ?? (Object.getPrototypeOf(value)?.constructor?.name as unknown);
      return typeof name === "string" && name !== "Object" && name !== ""
        ? `an object of class ${name}`
        : "a plain object";
    }
    default:
      return value === undefined ? "undefined" : `a ${typeof value}`;
  }
}

// ---------------------------------------------------------------------------------------------- aliasing

/** Refuses a call in which another pointer argument has a byte of argument `index`. Null and empty arrays have none. */
function refuseOverlap(
  kernelName: string,
  params: readonly ParamSpec[],
  args: readonly BoundArg[],
  index: number,
): void {
  const a = args[index];
  const name = params[index]?.name;
  if (a?.kind !== "pointer") return;
  for (const [i, b] of args.entries()) {
    if (i === index || b.kind !== "pointer" || a.buffer !== b.buffer) continue;
    const start = Math.max(a.byteOffset, b.byteOffset);
    const end = Math.min(a.byteOffset + a.byteLength, b.byteOffset + b.byteLength);
    if (start >= end) continue;
    const other = params[i]?.name;
    fail(
      "KPU6012",
      `${kernelName}: arguments ${name} and ${other} overlap in ${end - start} bytes, but ${name} is declared noalias`,
      {
        help: `pass an array of its own for ${name}, such as a copy (slice()), or declare it without noalias`,
        data: { kernel: kernelName, argument: name, other, bytes: end - start },
      },
    );
  }
}

/** Bytes of one host buffer that several pointer arguments may share. */
export interface MemoryRegion {
  readonly buffer: ArrayBufferLike;
  /** Bytes start .. end (exclusive) of `buffer`: the union of the members' ranges. */
  readonly start: number;
  readonly end: number;
  /** Indices into the arguments, ascending. */
  readonly members: readonly number[];
}

/**
 * Groups the pointer arguments by the memory they share: arguments whose byte ranges overlap, directly or through
 * others, are members of one region. Regions stand in the order of their first member. Null pointers are in none.
 */
export function memoryRegions(args: readonly BoundArg[]): MemoryRegion[] {
  const ranges = args
    .map((arg, index) => ({ arg, index }))
    .filter((r): r is { arg: PointerArg; index: number } => r.arg.kind === "pointer" && !r.arg.isNull)
    .sort((a, b) => a.arg.byteOffset - b.arg.byteOffset || a.index - b.index);
  const open = new Map<
    ArrayBufferLike,
    { buffer: ArrayBufferLike; start: number; end: number; members: number[] }
  >();
  const regions: { buffer: ArrayBufferLike; start: number; end: number; members: number[] }[] = [];
  for (const { arg, index } of ranges) {
    const { buffer, byteOffset: start, byteLength } = arg;
    const end = start + byteLength;
    const last = open.get(buffer);
    if (last !== undefined && (start < last.end || start === last.start)) {
      last.end = Math.max(last.end, end);
      last.members.push(index);
      last.members.sort((a, b) => a - b);
      continue;
    }
    const region = { buffer, start, end, members: [index] };
    open.set(buffer, region);
    regions.push(region);
  }
  return regions.sort((a, b) => (a.members[0] as number) - (b.members[0] as number));
}
