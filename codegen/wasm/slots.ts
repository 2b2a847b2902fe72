/** Where each local of a kernel lives: decided before emission, by how the local is used. */
import type { Apply, Expr, Kernel, Local, Stmt } from "../../ir/kir.ts";
import { exprsOf, forEachExpr, forEachStmt } from "../../ir/walk.ts";
import { maskWidths } from "../maskwidth.ts";
import { bitsOf, dtypeOf, partCount, type Slot, wasmType } from "./context.ts";
import type { Code, LocalIndex, WasmType } from "./encoder.ts";

export interface Slots {
  readonly of: Map<Local, Slot>;
  /** The bound of each counted loop. */
  readonly bounds: Map<Stmt, LocalIndex>;
  /** Every wasm local that holds a KIR value, for frames. */
  readonly all: readonly { readonly type: WasmType; readonly index: LocalIndex }[];
}

export function assignSlots(k: Kernel, c: Code, checks: boolean): Slots {
  const facts = collectFacts(k);
  const of = new Map<Local, Slot>();
  const bounds = new Map<Stmt, LocalIndex>();
  const all: { type: WasmType; index: LocalIndex }[] = [];
  const local = (type: WasmType): LocalIndex => {
    const index = c.local(type);
    all.push({ type, index });
    return index;
  };
  const place = (l: Local): void => {
    if (of.has(l)) return;
    const t = l.type;
    switch (t.kind) {
      case "scalar":
        if (facts.splatted.has(l)) of.set(l, { kind: "splatted", index: local("v128") });
        else {
          const type = wasmType(t.name);
          of.set(l, { kind: "scalar", type, index: local(type) });
        }
        return;
      case "ptr": {
        const type = checks ? "i64" : "i32";
        const addr = local(type);
        of.set(l, {
          kind: "pointer",
          addr,
          lo: checks ? local("i64") : addr,
          hi: checks ? local("i64") : addr,
        });
        return;
      }
      case "vec":
      case "mask": {
        const bits = t.kind === "vec" ? bitsOf(t.dtype) : facts.maskBits(l);
        const locals = Array.from({ length: partCount(t.lanes, bits) }, () => local("v128"));
        const full = t.kind === "mask" && facts.accessMasks.has(l) ? local("i32") : undefined;
        of.set(l, { kind: "parts", bits, locals, full });
        return;
      }
      case "void":
        throw new TypeError(`local ${l.name} has no value`);
    }
  };
  for (const p of k.params) place(p.local);
  forEachStmt(k.body, (s) => {
    if (s.kind === "let" || s.kind === "for") place(s.local);
    if (s.kind === "for") bounds.set(s, local(wasmType((s.local.type as { name: "i32" }).name)));
  });
  return { of, bounds, all };
}

interface Facts {
  /** f32 values that are read once and only splatted: loaded as a splat. */
  readonly splatted: ReadonlySet<Local>;
  /** Masks of loads and stores. */
  readonly accessMasks: ReadonlySet<Local>;
  maskBits(l: Local): number;
}

function collectFacts(k: Kernel): Facts {
  const candidates = new Set<Local>();
  const accessMasks = new Set<Local>();
  forEachStmt(k.body, (s) => {
    if (s.kind === "let" && !s.local.mutable && isF32Get(s.value)) candidates.add(s.local);
  });
  const other = new Set<Local>();
  const visit = (e: Expr, inSplat: boolean): void => {
    if (e.kind === "ref") {
      if (!inSplat) other.add(e.local);
      return;
    }
    if (e.kind === "const") return;
    const splat = e.op === "splat" && e.attrs["dtype"] === "f32";
    for (const a of e.args) visit(a, splat);
  };
  forEachStmt(k.body, (s) => {
    for (const e of exprsOf(s)) visit(e, false);
  });
  forEachExpr(k.body, (e) => {
    if (e.kind !== "apply") return;
    const m = accessMask(e);
    if (m?.kind === "ref") accessMasks.add(m.local);
  });
  const widths = maskWidths(k);
  return {
    splatted: new Set([...candidates].filter((l) => !other.has(l))),
    accessMasks,
    maskBits: (l) => widths.get(l) ?? 8,
  };
}

function isF32Get(e: Expr): boolean {
  return e.kind === "apply" && e.op === "get" && dtypeOf(e.args[0]!) === "f32";
}
function accessMask(e: Apply): Expr | undefined {
  if (e.op === "load_masked") return e.args[1];
  if (e.op === "store_masked") return e.args[2];
  return undefined;
}
