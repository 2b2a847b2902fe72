/** Pointers and the addresses of accesses, with and without bounds checks. */
import { DTYPES } from "../../ir/dtype.ts";
import type { Apply, Expr, PtrType } from "../../ir/kir.ts";
import { GUARD_BYTES } from "../layout.ts";
import { type Emitter, scalarName } from "./context.ts";
import type { LocalIndex } from "./encoder.ts";
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
export function elementBytes(e: Expr): number {
  return DTYPES[ptrOf(e).dtype].bytes;
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

/** Pushes base + index * bytes as i32. */
function pushMoved(E: Emitter, base: () => void, index: Expr | undefined, bytes: number): void {
  base();
  if (index === undefined) return;
  const c = E.code;
  index32(E, index);
  if (bytes > 1) c.i32(Math.log2(bytes)).op("i32.shl");
  c.op("i32.add");
}

function address32(E: Emitter, p: Expr): Address {
  if (p.kind === "apply" && p.op === "ptr_cast") return address32(E, p.args[0]!);
  if (p.kind === "apply" && p.op === "ptr_add") {
    const [base, index] = p.args as [Expr, Expr];
    const bytes = elementBytes(p);
    const inner = address32(E, base);
    const { rest, constant } = splitIndex(index);
    const offset = inner.offset + constant * bytes;
    const folds = offset >= 0 && offset < GUARD_BYTES && constant >= 0;
    return {
      offset: folds ? offset : inner.offset,
      push: () => pushMoved(E, inner.push, folds ? rest : index, bytes),
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
  if (p.kind === "apply" && p.op === "ptr_cast") return bounded(E, p.args[0]!);
  if (p.kind === "apply" && p.op === "ptr_add") {
    const base = bounded(E, p.args[0]!);
    c.get(base.addr);
    pushIndex64(E, p.args[1]!);
    c.i64(elementBytes(p)).op("i64.mul").op("i64.add");
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
  return { at: e.at || E.at, dtype: ptrOf(p).dtype, access };
}

/** Stops the program unless bytes `from` .. `from + size` after the pointer are inside its buffer. */
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
/** Stops the program unless the bytes from `start` to `end`, which push addresses, are inside the pointer's buffer. */
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
    case "ptr_cast":
      E.pointer(p.args[0]!);
      return;
    case "ptr_add":
      if (E.checks) get(bounded(E, p));
      else pushMoved(E, () => E.pointer(p.args[0]!), p.args[1]!, elementBytes(p));
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
      const scope = ptrOf(p).scope;
      const offset = p.attrs["offset"] as number;
      const bytes = (p.attrs["count"] as number) * elementBytes(p);
      if (scope === "l3" || scope === "global") c.global(E.baseGlobal).i32(E.layout.shared[scope] + offset);
      else c.get(E.tileBase).i32(E.layout.near[scope] + offset);
      c.op("i32.add");
      withBounds(E, bytes);
      return;
    }
    case "alloc_const": {
      const table = E.kernel.tables[p.attrs["table"] as number]!;
      c.global(E.baseGlobal)
        .i32(E.layout.tables[p.attrs["table"] as number]!)
        .op("i32.add");
      withBounds(E, table.values.length * DTYPES[table.dtype].bytes);
      return;
    }
    default:
      throw new TypeError(`${p.op} is no pointer expression`);
  }
}
/** The i32 address on the stack becomes addr, lo, hi when checks are on. */
function withBounds(E: Emitter, bytes: number): void {
  if (!E.checks) return;
  const c = E.code;
  c.op("i64.extend_i32_u");
  const addr = c.save("i64");
  c.get(addr).get(addr).get(addr).i64(bytes).op("i64.add");
}

/** Pushes the address of a pointer as i64. */
export function pushAddress64(E: Emitter, p: Expr): void {
  const c = E.code;
  if (E.checks) {
    c.get(bounded(E, p).addr);
    return;
  }
  E.pointer(p);
  c.op("i64.extend_i32_u");
}
