import type { Apply, Expr } from "../../ir/kir.ts";
import { isPathOp } from "../../ir/path/operands.ts";
import { bitsOf, dtypeOf, type Emitter, emitFail, lanesOf, partCount, scalarName } from "./context.ts";
import { emitCommand } from "./path/command.ts";
import { bounded, pushAddress64 } from "./pointer.ts";
import { castScalar } from "./scalar.ts";
import type { HostOperand } from "./sites.ts";
import { emitTransfer, isTransfer } from "./transfer.ts";

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
    attrs: e.attrs,
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
      const offset = take(16 * partCount(lanes, bitsOf(dtype)));
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
      emitFail(E, "assertion", e.at || E.at, () => c.i64(e.attrs["text"] as number));
      c.end();
      return true;
    case "lane_check": {
      const lanes = e.attrs["lanes"] as number;
      E.scalar(e.args[0]!);
      if (scalarName(e.args[0]!) === "i32") c.op("i64.extend_i32_s");
      const lane = c.save("i64");
      c.get(lane).i64(lanes).op("i64.ge_u").if();
      emitFail(E, "lane", e.at || E.at, () => c.get(lane), lanes);
      c.end();
      return true;
    }
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
    case "prefetch":
    case "flush_cache":
      // They change time only; with checks the range must be there.
      if (E.checks) {
        callHost(E, e);
        c.op("drop");
      }
      return true;
    case "perf_begin":
    case "perf_end":
      callHost(E, e);
      c.op("drop");
      return true;
    default:
      if (!isTransfer(e.op) && !isPathOp(e.op)) return false;
      // The host checks ranges and events; what moves the data is the same code with and without checks.
      if (E.checks) {
        callHost(E, e);
        c.op("drop");
      }
      if (isPathOp(e.op)) emitCommand(E, e, e.op);
      else emitTransfer(E, e);
      return true;
  }
}

/** Bytes that the operands of all sites need at once. */
export function hostBytes(k: { readonly sites: Emitter["sites"] }): number {
  let most = 0;
  for (const s of k.sites) for (const o of s.operands) most = Math.max(most, o.offset + 32 + lanesBytes(o));
  return most;
}
function lanesBytes(o: HostOperand): number {
  if (o.kind === "vector") return (o.lanes * bitsOf(o.dtype)) / 8;
  return o.kind === "mask" ? o.lanes : 0;
}
