/**
 * Pointers and the addresses of accesses, with and without bounds checks.
 *
 * Addresses and bounds of a pointer count *units*: bytes, and half bytes where it points to 4-bit elements, so that every element
 * has an address. A unit becomes a byte where memory is accessed, see packed.ts.
 */
import { bytesOf, isPacked, isShared } from "../../ir/dtype.ts";
import type { Apply, Expr, PtrType } from "../../ir/kir.ts";
import { bufferBytes, bufferPlace, elementBytes, GUARD_BYTES } from "../layout.ts";
import { type Emitter, scalarName } from "./context.ts";
import type { Code, LocalIndex } from "./encoder.ts";
import { index32 } from "./scalar.ts";
import type { AccessSite } from "./sites.ts";

/** Where an access goes: `push` leaves an i32 address to which `offset` is added by the memarg. */
export interface Address {
  readonly offset: number;
  push(): void;
}

/** A checked pointer in i64 locals. */
export interface Bounded {
  readonly addr: LocalIndex;
  readonly lo: LocalIndex;
  readonly hi: LocalIndex;
}

function ptrOf(e: Expr): PtrType {
  if (e.type.kind !== "ptr") throw new TypeError(`expected a pointer, got ${e.type.kind}`);
  return e.type;
}
/** Units from one element to the next: its bytes, or one half byte. */
export function elementUnits(e: Expr): number {
  return isPackedPointer(e) ? 1 : elementBytes(ptrOf(e).dtype, ptrOf(e).scope);
}
export function isPackedPointer(e: Expr): boolean {
  return isPacked(ptrOf(e).dtype);
}

/** How a cast changes the units of a pointer. Into half bytes exactly; to bytes it gives the byte that holds the element. */
type UnitChange = "none" | "toHalves" | "toBytes";
function unitChange(cast: Expr & { kind: "apply" }): UnitChange {
  const [from, to] = [isPackedPointer(cast.args[0]!), isPackedPointer(cast)];
  return from === to ? "none" : to ? "toHalves" : "toBytes";
}
function changeUnits(c: Code, change: UnitChange, type: "i32" | "i64"): void {
  if (change === "none") return;
  if (type === "i32") c.i32(1).op(change === "toHalves" ? "i32.shl" : "i32.shr_u");
  else c.i64(1).op(change === "toHalves" ? "i64.shl" : "i64.shr_s");
}

// ---------------------------------------------------------------------------------------------- unchecked

function constantIndex(e: Expr): number | undefined {
  return e.kind === "const" && typeof e.value === "number" ? e.value : undefined;
}

/** Splits an index into the part to compute and a constant. */
function splitIndex(e: Expr): { rest: Expr | undefined; constant: number } {
  const value = constantIndex(e);
  if (value !== undefined) return { rest: undefined, constant: value };
  if (e.kind === "apply" && e.op === "add") {
    const [a, b] = e.args as [Expr, Expr];
    const right = constantIndex(b);
    if (right !== undefined) {
      const s = splitIndex(a);
      return { rest: s.rest, constant: s.constant + right };
    }
    const left = constantIndex(a);
    if (left !== undefined) {
      const s = splitIndex(b);
      return { rest: s.rest, constant: s.constant + left };
    }
  }
  if (e.kind === "apply" && e.op === "cast_scalar" && e.attrs["to"] === "i64") {
    const arg = e.args[0]!;
    // i32 arithmetic is proven exact, so its low bits are those of the i64 sum.
    if (arg.type.kind === "scalar" && arg.type.name === "i32") return splitIndex(arg);
  }
  return { rest: e, constant: 0 };
}

/** Pushes base + index * units as i32. */
function pushMoved(E: Emitter, base: () => void, index: Expr | undefined, units: number): void {
  base();
  if (index === undefined) return;
  const c = E.code;
  index32(E, index);
  if (units > 1) c.i32(Math.log2(units)).op("i32.shl");
  c.op("i32.add");
}

function address32(E: Emitter, p: Expr): Address {
  if (p.kind === "apply" && p.op === "ptr_cast" && unitChange(p) === "none") return address32(E, p.args[0]!);
  if (p.kind === "apply" && p.op === "ptr_add") {
    const [base, index] = p.args as [Expr, Expr];
    const units = elementUnits(p);
    const inner = address32(E, base);
    const { rest, constant } = splitIndex(index);
    const offset = inner.offset + constant * units;
    const folds = offset >= 0 && offset < GUARD_BYTES && constant >= 0;
    return {
      offset: folds ? offset : inner.offset,
      push: () => pushMoved(E, inner.push, folds ? rest : index, units),
    };
  }
  return { offset: 0, push: () => E.pointer(p) };
}

// ---------------------------------------------------------------------------------------------- checked

/** The pointer's address and bounds, in locals. */
export function bounded(E: Emitter, p: Expr): Bounded {
  const c = E.code;
  if (p.kind === "ref") {
    const s = E.slot(p.local);
    if (s.kind === "pointer") return s;
  }
  if (p.kind === "apply" && p.op === "ptr_cast") {
    const b = bounded(E, p.args[0]!);
    const change = unitChange(p);
    if (change === "none") return b;
    const changed = (local: LocalIndex): LocalIndex => {
      changeUnits(c.get(local), change, "i64");
      return c.save("i64");
    };
    return { addr: changed(b.addr), lo: changed(b.lo), hi: changed(b.hi) };
  }
  if (p.kind === "apply" && p.op === "ptr_add") {
    const base = bounded(E, p.args[0]!);
    c.get(base.addr);
    pushIndex64(E, p.args[1]!);
    c.i64(elementUnits(p)).op("i64.mul").op("i64.add");
    return { addr: c.save("i64"), lo: base.lo, hi: base.hi };
  }
  E.pointer(p);
  const hi = c.save("i64");
  const lo = c.save("i64");
  return { addr: c.save("i64"), lo, hi };
}
export function pushIndex64(E: Emitter, e: Expr): void {
  E.scalar(e);
  if (scalarName(e) !== "i64") E.code.op("i64.extend_i32_s");
}

/** Names an access for the report of a check. */
export function accessSite(E: Emitter, e: Apply, p: Expr, access: AccessSite["access"]): AccessSite {
  const { dtype, scope } = ptrOf(p);
  return { at: e.at || E.at, dtype, scope, access };
}

/** Stops the program unless units `from` .. `from + size` after the pointer are inside its buffer. */
export function checkBounds(E: Emitter, p: Bounded, from: number, size: number, site: AccessSite): void {
  const c = E.code;
  checkSpan(
    E,
    p,
    () => c.get(p.addr).i64(from).op("i64.add"),
    () =>
      c
        .get(p.addr)
        .i64(from + size)
        .op("i64.add"),
    site,
  );
}
/** Stops the program unless the units from `start` to `end`, which push addresses, are inside the pointer's buffer. */
export function checkSpan(
  E: Emitter,
  p: Bounded,
  start: () => void,
  end: () => void,
  site: AccessSite,
): void {
  const c = E.code;
  start();
  c.get(p.lo).op("i64.lt_s");
  end();
  c.get(p.hi).op("i64.gt_s").op("i32.or").if();
  c.i32(E.accesses.push(site) - 1);
  start();
  end();
  c.get(p.lo).get(p.hi).call(E.imports.outside).op("unreachable").end();
}

/** The address of an access of `size` bytes; checked first when checks are on. `size` 0 means: checked elsewhere. */
export function accessAddress(E: Emitter, p: Expr, size: number, site: AccessSite): Address {
  const c = E.code;
  if (E.checks) {
    const b = bounded(E, p);
    if (size > 0) checkBounds(E, b, 0, size, site);
    return { offset: 0, push: () => c.get(b.addr).op("i32.wrap_i64") };
  }
  return address32(E, p);
}

/** As {@link accessAddress}, with an address that may be pushed many times. */
export function repeatedAddress(E: Emitter, p: Expr, size: number, site: AccessSite): Address {
  const c = E.code;
  const a = accessAddress(E, p, size, site);
  if (!E.checks && p.kind === "ref") return a;
  a.push();
  const local = c.save("i32");
  return { offset: a.offset, push: () => c.get(local) };
}

/** Pushes a pointer expression that is not a reference: i32, or addr, lo, hi. */
export function pushPointer(E: Emitter, p: Expr): void {
  const c = E.code;
  const get = (b: Bounded): void => {
    c.get(b.addr);
    if (E.checks) c.get(b.lo).get(b.hi);
  };
  if (p.kind === "ref") {
    const s = E.slot(p.local);
    if (s.kind !== "pointer") throw new TypeError(`${p.local.name} is no pointer`);
    get(s);
    return;
  }
  if (p.kind === "const") throw new TypeError("a constant pointer");
  switch (p.op) {
    case "ptr_cast": {
      const change = unitChange(p);
      if (E.checks && change !== "none") get(bounded(E, p));
      else {
        E.pointer(p.args[0]!);
        if (!E.checks) changeUnits(c, change, "i32");
      }
      return;
    }
    case "ptr_add":
      if (E.checks) get(bounded(E, p));
      else pushMoved(E, () => E.pointer(p.args[0]!), p.args[1]!, elementUnits(p));
      return;
    case "select": {
      const [cond, yes, no] = p.args as [Expr, Expr, Expr];
      if (!E.checks) {
        E.pointer(yes);
        E.pointer(no);
        E.scalar(cond);
        c.op("select");
        return;
      }
      const a = bounded(E, yes);
      const b = bounded(E, no);
      E.scalar(cond);
      const which = c.save("i32");
      for (const k of ["addr", "lo", "hi"] as const) c.get(a[k]).get(b[k]).get(which).op("select");
      return;
    }
    case "alloc": {
      const { dtype, scope } = ptrOf(p);
      const bytes = bufferBytes(dtype, scope, p.attrs["count"] as number);
      if (isShared(scope)) c.global(E.baseGlobal);
      else c.get(E.tileBase);
      c.i32(bufferPlace(E.layout, scope, p.attrs["offset"] as number)).op("i32.add");
      withBounds(E, p, bytes);
      return;
    }
    case "alloc_const": {
      const table = E.kernel.tables[p.attrs["table"] as number]!;
      c.global(E.baseGlobal)
        .i32(E.layout.tables[p.attrs["table"] as number]!)
        .op("i32.add");
      withBounds(E, p, bytesOf(table.dtype, table.values.length));
      return;
    }
    default:
      throw new TypeError(`${p.op} is no pointer expression`);
  }
}
/** The byte address of a buffer, an i32 on the stack, becomes its pointer: in units; addr, lo, hi when checks are on. */
function withBounds(E: Emitter, p: Expr, bytes: number): void {
  const c = E.code;
  const change = isPackedPointer(p) ? "toHalves" : "none";
  if (!E.checks) {
    changeUnits(c, change, "i32");
    return;
  }
  c.op("i64.extend_i32_u");
  changeUnits(c, change, "i64");
  const addr = c.save("i64");
  const units = change === "none" ? bytes : 2 * bytes;
  c.get(addr).get(addr).get(addr).i64(units).op("i64.add");
}

/** The byte address of a parameter's pointer, on the stack, in the units of its dtype. */
export function fromBytes(E: Emitter, isHalves: boolean): void {
  changeUnits(E.code, isHalves ? "toHalves" : "none", E.checks ? "i64" : "i32");
}

/** Pushes the address of a pointer in units, as i64. */
export function pushAddress64(E: Emitter, p: Expr): void {
  const c = E.code;
  if (E.checks) {
    c.get(bounded(E, p).addr);
    return;
  }
  E.pointer(p);
  c.op("i64.extend_i32_u");
}
