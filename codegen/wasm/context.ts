/**
 * What the families of the emitter (scalars, vectors, memory, ...) need of each other: the one interface between
 * them, implemented in emit.ts.
 */
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import type { Expr, Kernel, Local, LocationIndex, ScalarName } from "../../ir/kir.ts";
import type { Forwarding } from "../forwarding.ts";
import type { Layout } from "../layout.ts";
import type { Code, LocalIndex, WasmType } from "./encoder.ts";
import type { AccessSite, HostSite } from "./sites.ts";

/**
 * A vector or mask as v128 parts. `push(p)` leaves part p on the stack; each part is pushed at most once, unless the
 * parts are {@link pin}ned. Lanes beyond the type's lane count hold anything.
 */
export interface Parts {
  readonly count: number;
  push(part: number): void;
  /** Pushing costs one `local.get`, so a part may be pushed again. */
  readonly pinned?: boolean;
}

/** Where a KIR local lives. */
export type Slot =
  | { readonly kind: "scalar"; readonly type: WasmType; readonly index: LocalIndex }
  /** Unchecked: `addr` is an i32 local. Checked: three i64 locals. */
  | { readonly kind: "pointer"; readonly addr: LocalIndex; readonly lo: LocalIndex; readonly hi: LocalIndex }
  /** `full` is an i32 local that says whether every lane of a mask is active; present where accesses use it. */
  | {
      readonly kind: "parts";
      readonly bits: number;
      readonly locals: readonly LocalIndex[];
      readonly full: LocalIndex | undefined;
    }
  /** An f32 that is only ever splatted: held as the splat. */
  | { readonly kind: "splatted"; readonly index: LocalIndex };

export interface Emitter {
  readonly code: Code;
  readonly kernel: Kernel;
  readonly checks: boolean;
  /** The global with the address of the program's own memory area. */
  readonly baseGlobal: number;
  /** The local with the address of this tile's own memory area. */
  readonly tileBase: LocalIndex;
  readonly tileId: LocalIndex;
  readonly tileCount: LocalIndex;
  readonly imports: Imports;
  readonly layout: Layout;
  readonly forwarding: Forwarding;
  /** Host calls of the kernel, in the order of their site numbers; the emitter appends. */
  readonly sites: HostSite[];
  /** Checked accesses, by the number that `outside` gets; the emitter appends. */
  readonly accesses: AccessSite[];
  /** The statement that is being emitted, for operations without a location of their own. */
  at: LocationIndex;
  slot(l: Local): Slot;
  scalar(e: Expr): void;
  /** Pushes the low 32 bits of an i32 or i64 expression. */
  index32(e: Expr): void;
  vector(e: Expr): Parts;
  mask(e: Expr, bits: number): Parts;
  /** Pushes 1 when every lane of the mask is active. */
  maskFull(e: Expr): void;
  /** Unchecked pointers: one i32. Checked: addr, lo, hi as i64. */
  pointer(e: Expr): void;
}

/** Indices of the imported functions. */
export interface Imports {
  /** fail(code: i32, location: i32, a: i64, b: i64): throws a KpuError. */
  readonly fail: number;
  /** outside(access: i32, start: i64, end: i64, lo: i64, hi: i64): an access to bytes that its buffer lo..hi does not have; throws. */
  readonly outside: number;
  /** host(site: i32) -> i32: print, events, checked transfers; operands stand in the host area of the layout. */
  readonly host: number;
}

/** First argument of the imported `fail`. */
export const FAIL = {
  zeroDivisor: 0,
  assertion: 1,
  lane: 2,
  stride: 3,
  halfByte: 4,
} as const;

/** Stops the program: what is wrong, where, and the two numbers that the report names; `a` leaves an i64 on the stack. */
export function emitFail(
  E: Emitter,
  what: keyof typeof FAIL,
  at: number,
  a: () => unknown = () => E.code.i64(0),
  b = 0,
): void {
  E.code.i32(FAIL[what]).i32(at);
  a();
  E.code.i64(b).call(E.imports.fail).op("unreachable");
}

export function wasmType(s: ScalarName): WasmType {
  switch (s) {
    case "i32":
    case "bool":
    case "event":
      return "i32";
    case "i64":
    case "f32":
    case "f64":
      return s;
    case "num":
      throw new TypeError("a scalar of level open cannot be emitted");
  }
}

export function scalarName(e: Expr): ScalarName {
  if (e.type.kind !== "scalar") throw new TypeError(`expected a scalar, got ${e.type.kind}`);
  return e.type.name;
}

export function lanesOf(e: Expr): number {
  if (e.type.kind !== "vec" && e.type.kind !== "mask")
    throw new TypeError(`expected lanes, got ${e.type.kind}`);
  return e.type.lanes;
}
export function dtypeOf(e: Expr): DTypeName {
  if (e.type.kind === "mask") return "bool";
  if (e.type.kind !== "vec" && e.type.kind !== "ptr")
    throw new TypeError(`expected a dtype, got ${e.type.kind}`);
  return e.type.dtype;
}
/** Width of a lane of a dtype. */
export function bitsOf(d: DTypeName): 8 | 16 | 32 {
  return DTYPES[d].laneBits;
}
/** v128 parts that `lanes` lanes of `bits` bits take. */
export function partCount(lanes: number, bits: number): number {
  return Math.ceil((lanes * bits) / 128);
}

/** Evaluates all parts into temporaries, so that they can be pushed again and in any order. */
export function pin(c: Code, parts: Parts): Parts {
  if (parts.pinned) return parts;
  const locals: LocalIndex[] = [];
  for (let p = 0; p < parts.count; p++) {
    parts.push(p);
    locals.push(c.save("v128"));
  }
  return inLocals(c, locals);
}
export function inLocals(c: Code, locals: readonly LocalIndex[]): Parts {
  return {
    count: locals.length,
    pinned: true,
    push: (p) => {
      c.get(locals[p]!);
    },
  };
}

export type { Code, LocalIndex, LocationIndex };
