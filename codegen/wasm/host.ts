/** Calls of the host: print, assert, events, transfers. Operands go through the host area of the program. */
import { DTYPES } from "../../ir/dtype.ts";
import type { Apply, Expr } from "../../ir/kir.ts";
import { dtypeOf, type Emitter, FAIL, lanesOf, partCount, scalarName } from "./context.ts";
import type { Code } from "./encoder.ts";
import { canonicalBits } from "./memory.ts";
import { bounded, elementBytes, pushAddress64 } from "./pointer.ts";
import { castScalar, index32 } from "./scalar.ts";
import type { HostOperand } from "./sites.ts";

/** Writes the operands and calls the host; its i32 answer is left on the stack. */
function callHost(E: Emitter, e: Apply): void {
  const c = E.code;
  const operands: HostOperand[] = [];
  let offset = 0;
  const take = (bytes: number): number => {
    const here = offset;
    offset += bytes;
    return here;
  };
  for (const a of e.args) operands.push(...writeOperand(E, a, take));
  const groups = e.attrs["groups"] as readonly number[] | undefined;
  E.sites.push({
    op: e.op,
    at: e.at || E.at,
    text: (e.attrs["text"] as number | undefined) ?? 0,
    operands,
    groups,
  });
  c.i32(E.sites.length - 1).call(E.imports.host);
}

function writeOperand(E: Emitter, a: Expr, take: (bytes: number) => number): HostOperand[] {
  const c = E.code;
  switch (a.type.kind) {
    case "scalar": {
      const offset = take(16);
      c.global(E.baseGlobal);
      E.scalar(a);
      castScalar(c, scalarName(a) === "event" ? "i32" : scalarName(a), "f64");
      c.access("f64.store", E.layout.host + offset);
      const kind = a.type.name === "bool" || a.type.name === "event" ? a.type.name : "number";
      return [{ kind, offset }];
    }
    case "ptr": {
      const offset = take(32);
      const { dtype, scope } = a.type;
      const write = (at: number, push: () => void): void => {
        c.global(E.baseGlobal);
        push();
        c.op("f64.convert_i64_s").access("f64.store", E.layout.host + offset + at);
      };
      if (E.checks) {
        const b = bounded(E, a);
        write(0, () => c.get(b.addr));
        write(8, () => c.get(b.lo));
        write(16, () => c.get(b.hi));
      } else write(0, () => pushAddress64(E, a));
      return [{ kind: "pointer", offset, dtype, scope }];
    }
    case "vec":
    case "mask": {
      const dtype = dtypeOf(a);
      const lanes = lanesOf(a);
      const parts = a.type.kind === "mask" ? E.mask(a, 8) : E.vector(a);
      const offset = take(16 * partCount(lanes, DTYPES[dtype].bits));
      for (let p = 0; p < parts.count; p++) {
        c.global(E.baseGlobal);
        parts.push(p);
        c.vaccess("v128.store", E.layout.host + offset + 16 * p);
      }
      return [
        a.type.kind === "mask" ? { kind: "mask", offset, lanes } : { kind: "vector", offset, dtype, lanes },
      ];
    }
    case "void":
      throw new TypeError("an operand without value");
  }
}

/** Statement-level host ops; false when the op is not one. An event_alloc leaves the event on the stack. */
export function emitHostOp(E: Emitter, e: Apply): boolean {
  const c = E.code;
  switch (e.op) {
    case "print":
      callHost(E, e);
      c.op("drop");
      return true;
    case "assert":
      E.scalar(e.args[0]!);
      c.op("i32.eqz").if();
      c.i32(FAIL.assertion)
        .i32(e.at || E.at)
        .i64(e.attrs["text"] as number)
        .i64(0)
        .call(E.imports.fail);
      c.op("unreachable").end();
      return true;
    case "event_alloc":
      if (E.checks) callHost(E, e);
      else c.i32(0);
      return true;
    case "event_wait":
    case "event_free":
      // Transfers are complete when they are issued, so without checks there is nothing to do.
      if (E.checks) {
        callHost(E, e);
        c.op("drop");
      }
      return true;
    case "dma_copy":
    case "dma_copy_async":
      if (E.checks) {
        callHost(E, e);
        c.op("drop");
      } else copyRows(E, e);
      return true;
    case "dma_memset":
    case "dma_memset_async":
      if (E.checks) {
        callHost(E, e);
        c.op("drop");
        // The host checked the range and the event; the fill itself is the same code with and without checks.
      }
      fill(E, e);
      return true;
  }
  return false;
}

function pushAddress32(E: Emitter, p: Expr): void {
  if (E.checks) E.code.get(bounded(E, p).addr).op("i32.wrap_i64");
  else E.pointer(p);
}

/** Rows of `width` bytes, `times` of them. */
function copyRows(E: Emitter, e: Apply): void {
  const c = E.code;
  const [dst, src, width, srcStride, dstStride, times] = e.args as [Expr, Expr, Expr, Expr, Expr, Expr];
  const bytes = elementBytes(dst);
  const helper = c.module.helper("copy rows", ["i32", "i32", "i32", "i32", "i32", "i32"], [], (h) => {
    h.block();
    const done = h.depth - 1;
    h.loop();
    const again = h.depth - 1;
    h.get(5).i32(0).op("i32.le_s").brIf(done);
    h.get(0).get(1).get(2).memoryCopy();
    h.get(0).get(4).op("i32.add").set(0).get(1).get(3).op("i32.add").set(1);
    h.get(5).i32(1).op("i32.sub").set(5).br(again).end().end();
  });
  E.pointer(dst);
  E.pointer(src);
  for (const x of [width, srcStride, dstStride]) {
    index32(E, x);
    if (bytes > 1) c.i32(bytes).op("i32.mul");
  }
  index32(E, times);
  c.call(helper);
}

/** `count` elements of one value; by doubling what is there already. */
function fill(E: Emitter, e: Apply): void {
  const c = E.code;
  const [p, value, count] = e.args as [Expr, Expr, Expr];
  const d = dtypeOf(p);
  const { bytes } = DTYPES[d];
  pushAddress32(E, p);
  E.scalar(value);
  canonicalBits(c, scalarName(value), d);
  index32(E, count);
  c.call(fillHelper(c, bytes));
}
function fillHelper(c: Code, bytes: number): number {
  return c.module.helper(`fill ${bytes}`, ["i32", "i32", "i32"], [], (h) => {
    if (bytes === 1) {
      h.get(0).get(1).get(2).memoryFill();
      return;
    }
    h.block();
    const done = h.depth - 1;
    h.loop();
    const again = h.depth - 1;
    h.get(2).i32(0).op("i32.le_s").brIf(done);
    h.get(0)
      .get(1)
      .access(bytes === 2 ? "i32.store16" : "i32.store");
    h.get(0).i32(bytes).op("i32.add").set(0);
    h.get(2).i32(1).op("i32.sub").set(2).br(again).end().end();
  });
}

/** Bytes that the operands of all sites need at once. */
export function hostBytes(k: { readonly sites: Emitter["sites"] }): number {
  let most = 0;
  for (const s of k.sites) for (const o of s.operands) most = Math.max(most, o.offset + 32 + lanesBytes(o));
  return most;
}
function lanesBytes(o: HostOperand): number {
  if (o.kind === "vector") return o.lanes * DTYPES[o.dtype].bytes;
  return o.kind === "mask" ? o.lanes : 0;
}
