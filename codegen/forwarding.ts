/**
 * Transfers that need not move anything. Found here; how a program does it is in wasm/path/forward.ts.
 *
 * Rows that come to a buffer of l2 for the streamers alone can as well be read where they come from. It is the case when nothing
 * but transfers of rows writes the buffer, nothing but streamers read it, and the arrays that the rows come from keep their
 * values: parameters that the kernel does not write, of whole bytes.
 *
 * Rows that are drained into a buffer of l2 and go out from there at once can as well be drained to where they go, when nothing
 * else reads or writes the buffer.
 *
 * Whether arrays that are read share memory with one that the kernel writes is known when it runs.
 */
import { isPacked } from "../ir/dtype.ts";
import type { Apply, Expr, Kernel, Local, Stmt } from "../ir/kir.ts";
import { OPS } from "../ir/ops.ts";
import { namedOperands } from "../ir/path/operands.ts";
import type { ParamUse } from "../ir/program.ts";
import { bodiesOf, forEachExpr, forEachIn, forEachStmt } from "../ir/walk.ts";
import { allocatedBytes } from "./scopes.ts";

export interface Forwarding {
  /** The transfers that are noted, and the streams that read by the notes. */
  readonly noted: ReadonlySet<Apply>;
  /** Drains, each with the transfer that brings out what was drained. */
  readonly drained: ReadonlyMap<Apply, Apply>;
  readonly broughtOut: ReadonlySet<Apply>;
  /** The parameters that are read, by index: they must be apart from what is written. */
  readonly sources: readonly number[];
}

/** What the ops of one buffer of l2 are. */
interface Buffer {
  readonly from: number;
  readonly to: number;
  readonly transfers: Apply[];
  readonly streams: Apply[];
  readonly drains: Apply[];
  readonly sources: Set<number>;
  /** Something else may read or write it. */
  escapes: boolean;
}

const NONE: Forwarding = { noted: new Set(), drained: new Map(), broughtOut: new Set(), sources: [] };

/** Of a kernel of level machine, whose parameters are used in that way. */
export function findForwarding(k: Kernel, params: readonly ParamUse[]): Forwarding {
  const buffers = buffersOf(k);
  if (buffers.size === 0) return NONE;
  const values = pointerValues(k);
  let callsOut = false;

  /** The buffer or parameter that a pointer is into, when it is one and the same always. */
  const rootOf = (e: Expr): Buffer | number | undefined => {
    if (e.kind === "const") return undefined;
    if (e.kind === "ref") {
      const param = k.params.findIndex((p) => p.local === e.local);
      if (param >= 0) return e.local.mutable ? undefined : param;
      const value = values.get(e.local);
      return value && rootOf(value);
    }
    if (e.op === "ptr_add" || e.op === "ptr_cast") return rootOf(e.args[0]!);
    return e.op === "alloc" ? buffers.get(e) : undefined;
  };
  const bufferAt = (e: Expr): Buffer | undefined => {
    const root = rootOf(e);
    return typeof root === "object" && bytesOnly(e) ? root : undefined;
  };
  /** The parameter of a pointer, of one that the kernel does not write. */
  const sourceAt = (e: Expr): number | undefined => {
    const root = rootOf(e);
    return typeof root === "number" && bytesOnly(e) && params[root]?.written === false ? root : undefined;
  };
  const pairs = new Map(
    [...drainsOut(k.body)].filter(
      ([, out]) => typeof rootOf(out.args[0]!) === "number" && bufferAt(out.args[1]!),
    ),
  );
  const broughtOut = new Set(pairs.values());
  /** The buffers that a pointer may be into are not what they must be. */
  const giveUp = (e: Expr): void =>
    forEachIn(e, (x) => {
      const value = x.kind === "ref" ? values.get(x.local) : undefined;
      if (value !== undefined) giveUp(value);
      const buffer = x.kind === "apply" ? buffers.get(x) : undefined;
      if (buffer !== undefined) buffer.escapes = true;
    });

  /** Whether the op is one of those above; its pointers into buffers of l2 are then accounted for. */
  const known = (e: Apply): boolean => {
    switch (e.op) {
      case "dma_copy":
      case "dma_copy_async": {
        if (broughtOut.has(e)) return true;
        const [to, from] = [bufferAt(e.args[0]!), sourceAt(e.args[1]!)];
        if (to === undefined || from === undefined) return false;
        to.transfers.push(e);
        to.sources.add(from);
        return true;
      }
      case "stream_rows":
      case "stream_cols": {
        const from = bufferAt(namedOperands(e.op, e.attrs, e.args)("src"));
        from?.streams.push(e);
        return from !== undefined;
      }
      case "drain": {
        const operand = namedOperands(e.op, e.attrs, e.args);
        const to = bufferAt(operand("dst"));
        if (to === undefined || !pairs.has(e)) return false;
        const lists = ["bias", ...(e.attrs["scale"] === "vector" ? ["scale"] : [])];
        for (const name of lists.filter((name) => e.attrs[name] !== undefined)) {
          const from = sourceAt(operand(name));
          if (from === undefined) return false;
          to.sources.add(from);
        }
        if (e.attrs["residual"] !== undefined) giveUp(operand("residual"));
        to.drains.push(e);
        return true;
      }
      default:
        return false;
    }
  };
  forEachExpr(k.body, (e) => {
    if (e.kind !== "apply" || OPS[e.op].effect === "pure") return;
    callsOut ||= e.op === "print";
    if (!known(e)) e.args.filter((a) => a.type.kind === "ptr").forEach(giveUp);
  });
  forEachStmt(k.body, (s) => {
    // Where a pointer that changes points to is not followed.
    if ((s.kind === "let" && s.local.mutable) || s.kind === "assign")
      if (s.local.type.kind === "ptr") giveUp(s.value);
  });
  // What is printed goes to code of the host, which may do anything to its arrays.
  const good = callsOut ? [] : [...buffers.values()].filter((b) => !b.escapes);
  const read = good.filter((b) => b.transfers.length > 0 && b.streams.length > 0 && b.drains.length === 0);
  const written = good.filter((b) => b.transfers.length === 0 && b.streams.length === 0);
  const drained = new Map(written.flatMap((b) => b.drains.map((e) => [e, pairs.get(e)!] as const)));
  return {
    noted: new Set(read.flatMap((b) => [...b.transfers, ...b.streams])),
    ...{ drained, broughtOut: new Set(drained.values()) },
    sources: [...new Set([...read, ...written].flatMap((b) => [...b.sources]))],
  };
}

function bytesOnly(e: Expr): boolean {
  return e.type.kind === "ptr" && !isPacked(e.type.dtype);
}

/** The buffers of l2, by the expressions that give them. */
function buffersOf(k: Kernel): ReadonlyMap<Expr, Buffer> {
  const found = new Map<Expr, Buffer>();
  forEachExpr(k.body, (e) => {
    if (e.kind !== "apply" || e.op !== "alloc" || e.attrs["scope"] !== "l2") return;
    const from = e.attrs["offset"] as number;
    const to = from + allocatedBytes(e);
    const ops = { transfers: [], streams: [], drains: [], sources: new Set<number>() };
    const buffer: Buffer = { from, to, ...ops, escapes: false };
    // Two that share bytes may be one under two names.
    for (const other of found.values())
      if (other.from < to && from < other.to) other.escapes = buffer.escapes = true;
    found.set(e, buffer);
  });
  return found;
}

/** The values of pointers that do not change. */
function pointerValues(k: Kernel): ReadonlyMap<Local, Expr> {
  const values = new Map<Local, Expr>();
  forEachStmt(k.body, (s) => {
    if (s.kind === "let" && s.local.type.kind === "ptr" && !s.local.mutable) values.set(s.local, s.value);
  });
  return values;
}

/** Drains, and the transfers that bring just what was drained somewhere else next. */
function drainsOut(body: readonly Stmt[], found = new Map<Apply, Apply>()): Map<Apply, Apply> {
  let last: Apply | undefined;
  for (const s of body) {
    const e = s.kind === "effect" ? s.value : undefined;
    if (e?.op === "event_wait") continue;
    if (last !== undefined && e !== undefined && bringsOut(last, e)) found.set(last, e);
    last = e?.op === "drain" ? e : undefined;
    for (const nested of bodiesOf(s)) drainsOut(nested, found);
  }
  return found;
}
function bringsOut(drain: Apply, e: Apply): boolean {
  if (e.op !== "dma_copy" && e.op !== "dma_copy_async") return false;
  const [, src, width, srcStride, , times] = e.args;
  const operand = namedOperands("drain", drain.attrs, drain.args);
  const drained = ["dst", "cols", "stride", "rows"].map(operand);
  return [src, width, srcStride, times].every((x, i) => same(x, drained[i]));
}
/** The same variable, or the same constant. */
function same(a: Expr | undefined, b: Expr | undefined): boolean {
  if (a?.kind === "const") return b?.kind === "const" && Object.is(a.value, b.value);
  return a?.kind === "ref" && b?.kind === "ref" && a.local === b.local;
}
