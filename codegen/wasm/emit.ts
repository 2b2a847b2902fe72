/**
 * The emitter: a kernel of level machine becomes one WebAssembly module with one exported function,
 *
 *     tile(tile id: i32, tile count: i32, state: i32) -> status: i32
 *
 * Called with state 0 it runs the tile until it ends (status 0) or reaches barrier n (status n); called again with state
 * n it goes on behind that barrier. Arguments stand in the program area, see layout.ts.
 */

import { fail } from "../../ir/diagnostic.ts";
import { isPacked } from "../../ir/dtype.ts";
import type { Apply, Expr, Kernel, Local, Param } from "../../ir/kir.ts";
import type { Forwarding } from "../forwarding.ts";
import { ARG_BYTES, align, GUARD_BYTES, HEAD, type Layout } from "../layout.ts";
import { type Barriers, findBarriers } from "./barriers.ts";
import { type Emitter, type Imports, type Parts, type Slot, scalarName, wasmType } from "./context.ts";
import { type Resume, StatementEmitter } from "./control.ts";
import { type Code, type LocalIndex, ModuleBuilder, type WasmType } from "./encoder.ts";
import { emitHostOp, hostBytes } from "./host.ts";
import { emitExtract, emitGet } from "./memory.ts";
import { clearNotes } from "./path/forward.ts";
import { bounded, elementUnits, fromBytes, isPackedPointer, pushAddress64, pushPointer } from "./pointer.ts";
import { emitAnyAll, emitReduce, emitReduceIndex } from "./reduce.ts";
import { index32, scalarApply } from "./scalar.ts";
import type { AccessSite, HostSite } from "./sites.ts";
import { assignSlots, type Slots } from "./slots.ts";
import { emitMask, emitVector, pushMaskFull } from "./vector.ts";

export interface Emitted {
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly sites: readonly HostSite[];
  readonly accesses: readonly AccessSite[];
  readonly barriers: Barriers;
  /** Sizes of the two areas, all included. */
  readonly programBytes: number;
  readonly tileBytes: number;
}

/** What engines take of one function: WebAssembly JavaScript Interface, "Implementation-defined Limits". */
const MOST = { locals: 50_000, bytes: 7_654_321 };
/** What the encoder adds to the instructions of a function, at most. */
const HEAD_BYTES = 4 * MOST.locals;

/** @throws KPU7008 a kernel that is larger than an engine takes */
export function emitModule(k: Kernel, layout: Layout, forwarding: Forwarding, checks: boolean): Emitted {
  const m = new ModuleBuilder();
  m.importMemory("kpu", "memory", 1);
  const baseGlobal = m.importGlobal("kpu", "base", "i32");
  const imports: Imports = {
    fail: m.importFunction("kpu", "fail", ["i32", "i32", "i64", "i64"], []),
    host: m.importFunction("kpu", "host", ["i32"], ["i32"]),
    outside: m.importFunction("kpu", "outside", ["i32", "i64", "i64", "i64", "i64"], []),
  };
  const { index, code } = m.define(["i32", "i32", "i32"], ["i32"]);
  m.export("tile", index);
  const emitter = new KernelEmitter(k, layout, forwarding, checks, code, imports, baseGlobal);
  const frameBytes = emitter.emit();
  const { locals, bytes } = code.size;
  if (locals > MOST.locals || bytes > MOST.bytes - HEAD_BYTES)
    fail(
      "KPU7008",
      `${k.name} is too large to run: ${locals} variables and ${bytes} bytes of code, of ${MOST.locals} and ${MOST.bytes - HEAD_BYTES}`,
      { help: "let loops be loops: S.unroll and loops over static arrays repeat their bodies" },
    );
  return {
    wasm: m.encode(),
    sites: emitter.sites,
    accesses: emitter.accesses,
    barriers: emitter.barriers,
    programBytes: align(layout.host + hostBytes(emitter)),
    tileBytes: align(layout.frame + frameBytes),
  };
}

class KernelEmitter implements Emitter {
  readonly code: Code;
  readonly kernel: Kernel;
  readonly checks: boolean;
  readonly baseGlobal: number;
  readonly imports: Imports;
  readonly layout: Layout;
  readonly forwarding: Forwarding;
  readonly sites: HostSite[] = [];
  readonly accesses: AccessSite[] = [];
  readonly tileId: LocalIndex = 0;
  readonly tileCount: LocalIndex = 1;
  readonly tileBase: LocalIndex;
  readonly barriers: Barriers;
  at = 0;
  readonly #slots: Slots;

  constructor(
    k: Kernel,
    layout: Layout,
    forwarding: Forwarding,
    checks: boolean,
    code: Code,
    imports: Imports,
    baseGlobal: number,
  ) {
    this.kernel = k;
    this.layout = layout;
    this.forwarding = forwarding;
    this.checks = checks;
    this.code = code;
    this.imports = imports;
    this.baseGlobal = baseGlobal;
    this.tileBase = code.local("i32");
    this.barriers = findBarriers(k.body);
    this.#slots = assignSlots(k, code, checks);
  }

  /** Writes the function; returns the size of a frame. */
  emit(): number {
    const c = this.code;
    // The address of this tile's area is computed by the host: it knows the areas' size.
    c.global(this.baseGlobal).access("i32.load", HEAD.tiles);
    c.global(this.baseGlobal)
      .access("i32.load", HEAD.tileBytes)
      .get(this.tileId)
      .op("i32.mul")
      .op("i32.add")
      .set(this.tileBase);
    for (const [i, p] of this.kernel.params.entries()) this.#loadParam(p, i);
    if (this.forwarding.noted.size > 0) {
      c.get(2).op("i32.eqz").if();
      clearNotes(this);
      c.end();
    }
    if (this.barriers.at.length === 0) {
      new StatementEmitter(this, this.#slots.bounds, undefined).list(this.kernel.body);
      c.i32(0);
      return 0;
    }
    const rewind = c.local("i32");
    const status = c.local("i32");
    const frame = this.#frame();
    c.get(2).tee(rewind).if();
    for (const f of frame.fields) {
      c.get(this.tileBase);
      access(c, "load", f.type, f.offset);
      c.set(f.index);
    }
    c.end();
    c.block();
    const resume: Resume = { barriers: this.barriers, rewind, status, suspend: c.depth - 1 };
    new StatementEmitter(this, this.#slots.bounds, resume).list(this.kernel.body);
    c.i32(0).op("return").end();
    for (const f of frame.fields) {
      c.get(this.tileBase).get(f.index);
      access(c, "store", f.type, f.offset);
    }
    c.get(status);
    return frame.bytes;
  }

  #frame(): { fields: { type: WasmType; index: LocalIndex; offset: number }[]; bytes: number } {
    let bytes = 0;
    const fields = this.#slots.all.map(({ type, index }) => {
      const offset = this.layout.frame + bytes;
      bytes += type === "v128" ? 16 : 8;
      return { type, index, offset };
    });
    return { fields, bytes };
  }

  #loadParam(p: Param, index: number): void {
    const c = this.code;
    const s = this.slot(p.local);
    const at = this.layout.args + index * ARG_BYTES;
    if (s.kind === "scalar") {
      c.global(this.baseGlobal);
      access(c, "load", s.type, at);
      c.set(s.index);
      return;
    }
    if (s.kind !== "pointer") throw new TypeError(`parameter ${p.local.name} is neither scalar nor pointer`);
    const load = (place: number, local: LocalIndex): void => {
      c.global(this.baseGlobal).access(this.checks ? "i64.load" : "i32.load", place);
      fromBytes(this, isPacked(p.dtype));
      c.set(local);
    };
    load(at, s.addr);
    if (!this.checks) return;
    load(at + 8, s.lo);
    load(at + 16, s.hi);
  }

  slot(l: Local): Slot {
    const s = this.#slots.of.get(l);
    if (s === undefined) throw new TypeError(`local ${l.name} is not defined`);
    return s;
  }

  scalar(e: Expr): void {
    const c = this.code;
    if (e.kind === "ref") {
      const s = this.slot(e.local);
      if (s.kind !== "scalar") throw new TypeError(`${e.local.name} is no scalar`);
      c.get(s.index);
      return;
    }
    if (e.kind === "const") {
      const value = Number(e.value);
      const type = wasmType(scalarName(e));
      if (type === "i32") c.i32(value);
      else if (type === "i64") c.i64(value);
      else if (type === "f32") c.f32(value);
      else c.f64(value);
      return;
    }
    if (scalarApply(this, e)) return;
    this.#scalarOfOther(e);
  }

  /** Scalars that come from memory, vectors, masks or pointers. */
  #scalarOfOther(e: Apply): void {
    const c = this.code;
    switch (e.op) {
      case "get":
        emitGet(this, e);
        return;
      case "extract":
        emitExtract(this, e);
        return;
      case "radd":
      case "rmin":
      case "rmax":
        emitReduce(this, e);
        return;
      case "rmin_idx":
      case "rmax_idx":
        emitReduceIndex(this, e);
        return;
      case "any":
      case "all":
        emitAnyAll(this, e);
        return;
      case "ptr_eq":
        for (const p of e.args) {
          pushAddress64(this, p);
          // One may count bytes and the other half bytes.
          if (!isPackedPointer(p) && e.args.some(isPackedPointer)) c.i64(1).op("i64.shl");
        }
        c.op("i64.eq");
        return;
      case "ptr_diff":
        for (const p of e.args) pushAddress64(this, p);
        c.op("i64.sub");
        c.i64(elementUnits(e.args[0]!)).op("i64.div_s");
        return;
      case "ptr_null":
        if (this.checks) c.get(bounded(this, e.args[0]!).hi).op("i64.eqz");
        else {
          // A null pointer that was moved is null: nothing else points within a guard's distance of address 0.
          this.pointer(e.args[0]!);
          c.i32(GUARD_BYTES)
            .op("i32.add")
            .i32(2 * GUARD_BYTES)
            .op("i32.lt_u");
        }
        return;
      default:
        if (emitHostOp(this, e)) return;
        throw new TypeError(`${e.op} gives no scalar`);
    }
  }

  index32(e: Expr): void {
    index32(this, e);
  }
  vector(e: Expr): Parts {
    return emitVector(this, e);
  }
  mask(e: Expr, bits: number): Parts {
    return emitMask(this, e, bits);
  }
  maskFull(e: Expr): void {
    pushMaskFull(this, e);
  }
  pointer(e: Expr): void {
    pushPointer(this, e);
  }
}

function access(c: Code, what: "load" | "store", type: WasmType, offset: number): void {
  if (type === "v128") c.vaccess(`v128.${what}`, offset);
  else c.access(`${type}.${what}`, offset);
}
