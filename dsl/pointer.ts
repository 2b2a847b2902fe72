/**
 * Pointers and N-d buffers. Moving is arithmetic and free of checks, as on the machine; only access is checked, by
 * the simulation that owns the memory. In a compiled kernel the methods are lowered through the records of
 * `intrinsics/pointer.ts`, which carry their names (`Ptr.at`, `Ptr.get`, ...).
 */

import { current } from "./context.ts";
import type { AnyD, bool, DType } from "./dtypes.ts";
import { fail, INSPECT, type Scope } from "./ir.ts";

/** What a pointer points into: one allocation or one host argument. Implemented by pysim. */
export interface MemoryObject {
  readonly name: string;
  readonly scope: Scope;
  readonly byteLength: number;
  /** What holds its bytes, and where in it they begin: arguments that share bytes have one region. */
  readonly region: object;
  readonly base: number;
}

/** The JavaScript value of one element. */
export type ElementOf<D extends DType> = D extends bool ? boolean : number;

export class Ptr<D extends DType = AnyD> {
  declare readonly dtype: D;
  /** Undefined for the null pointer. */
  declare readonly memory: MemoryObject | undefined;
  declare readonly byteOffset: number;
  declare readonly constant: boolean;
  constructor(dtype: D, memory: MemoryObject | undefined, byteOffset = 0, constant = false) {
    this.dtype = dtype;
    this.memory = memory;
    this.byteOffset = byteOffset;
    this.constant = constant;
  }

  /** The pointer `elements` further (or back). Example: `S.vload(x.at(i))`. */
  at(elements: number): Ptr<D> {
    return moved(this, elements);
  }
  /** The element `index` away, as a number (a boolean for bool). */
  get(index = 0): ElementOf<D> {
    const value = memory().get(index === 0 ? this : moved(this, index));
    return (this.dtype.name === "bool" ? value !== 0 : value) as ElementOf<D>;
  }
  /** Stores one element by the dtype's store rule: integers wrap, floats round, bool takes truthiness. */
  set(index: number, value: ElementOf<D> | number): void {
    memory().set(index === 0 ? this : moved(this, index), Number(value));
  }
  /** The same address read as another dtype; of a 4-bit element, that of the byte it is in. */
  as<E extends DType>(dtype: E): Ptr<E> {
    const at = dtype.bytes < 1 ? this.byteOffset : Math.floor(this.byteOffset);
    return new Ptr(dtype, this.memory, at, this.constant);
  }
  /** True when both point to the same address. */
  eq(other: Ptr<DType>): boolean {
    if (this.memory?.region !== other.memory?.region) return false;
    return addressOf(this) === addressOf(other);
  }
  /** `this - other` in whole elements (truncated); both must point into one buffer. */
  diff(other: Ptr<D>): number {
    if (this.memory?.region !== other.memory?.region)
      fail("KPU3001", "Ptr.diff needs two pointers into one buffer");
    return (addressOf(this) - addressOf(other)) / this.dtype.bytes;
  }
  /** True for a pointer parameter whose argument was null, however it was moved. */
  get isNull(): boolean {
    return this.memory === undefined;
  }
  get scope(): Scope {
    return this.memory?.scope ?? "global";
  }
  [INSPECT](): string {
    if (this.memory === undefined) return `null ptr<${this.dtype.name}>`;
    return `ptr<${this.dtype.name}, ${this.scope}> ${this.memory.name}[${this.byteOffset / this.dtype.bytes}]`;
  }
}

/** A pointer with a row-major shape: `S.alloc`, `S.view`. A 1-d buffer is used like a pointer. */
export class NdBuffer<D extends DType = AnyD> extends Ptr<D> {
  declare readonly shape: readonly number[];
  constructor(
    dtype: D,
    memory: MemoryObject | undefined,
    byteOffset: number,
    constant: boolean,
    shape: readonly number[],
  ) {
    super(dtype, memory, byteOffset, constant);
    this.shape = shape;
  }
  /** One index per leading dimension; missing ones are 0. Example: `tile.at(row, col)`. */
  override at(...indices: number[]): Ptr<D> {
    let offset = 0;
    for (let d = 0; d < this.shape.length; d++)
      offset = offset * (this.shape[d] as number) + (indices[d] ?? 0);
    if (indices.length > this.shape.length)
      fail("KPU3009", `at takes ${this.shape.length} indices, got ${indices.length}`);
    return moved(this, offset);
  }
  override [INSPECT](): string {
    return `${super[INSPECT]()} shape ${this.shape.join("x")}`;
  }
}

/** Where it points within its region. */
function addressOf(p: Ptr<DType>): number {
  return (p.memory?.base ?? 0) + p.byteOffset;
}

/** Elements are counted flat, whatever shape the pointer has. */
function moved<D extends DType>(p: Ptr<D>, elements: number): Ptr<D> {
  if (!Number.isSafeInteger(elements)) fail("KPU3005", `a pointer moves by an integer, got ${elements}`);
  return new Ptr(p.dtype, p.memory, p.byteOffset + elements * p.dtype.bytes, p.constant);
}

function memory(): Extract<typeof current, { kind: "simulate" }>["sim"] {
  if (current.kind === "simulate") return current.sim;
  return fail("KPU6005", "memory is reached only inside a kernel", {
    help: "call the kernel, or use host arrays directly",
  });
}
