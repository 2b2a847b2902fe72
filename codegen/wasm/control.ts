/** Statements: structured control flow maps one to one, and barriers suspend and resume (see barriers.ts). */
import type { Apply, Stmt } from "../../ir/kir.ts";
import { type Barriers, type Span, spanOf } from "./barriers.ts";
import { type Emitter, type Slot, wasmType } from "./context.ts";
import type { Code, LocalIndex, WasmType } from "./encoder.ts";
import { emitHostOp } from "./host.ts";
import {
  emitGetSplat,
  emitScatter,
  emitSet,
  emitStore,
  emitStoreMasked,
  emitStoreStrided,
} from "./memory.ts";
import type { NumericOp } from "./opcodes.ts";
import { pushMaskFull } from "./vector.ts";

interface Target {
  readonly break: number;
  readonly continue: number | undefined;
}

/** What suspension needs; absent in kernels without barriers. */
export interface Resume {
  readonly barriers: Barriers;
  /** Number of the barrier to go back to, 0 in normal execution. */
  readonly rewind: LocalIndex;
  readonly status: LocalIndex;
  /** Block whose end saves the locals and returns the status. */
  readonly suspend: number;
}

export class StatementEmitter {
  readonly #E: Emitter;
  readonly #bounds: ReadonlyMap<Stmt, LocalIndex>;
  readonly #resume: Resume | undefined;
  readonly #labels = new Map<string, Target>();

  constructor(E: Emitter, bounds: ReadonlyMap<Stmt, LocalIndex>, resume: Resume | undefined) {
    this.#E = E;
    this.#bounds = bounds;
    this.#resume = resume;
  }

  list(stmts: readonly Stmt[]): void {
    const resume = this.#resume;
    if (resume === undefined || spanOf(resume.barriers, stmts) === undefined) {
      for (const s of stmts) this.#statement(s);
      return;
    }
    const c = this.#E.code;
    // While rewinding only the statement that holds the barrier runs.
    for (let i = 0; i < stmts.length; ) {
      const span = resume.barriers.spans.get(stmts[i]!);
      if (span !== undefined) {
        this.#pushHeadsFor(span);
        c.get(resume.rewind).op("i32.eqz").op("i32.or").if();
        this.#statement(stmts[i++]!);
        c.end();
        continue;
      }
      c.get(resume.rewind).op("i32.eqz").if();
      while (i < stmts.length && !resume.barriers.spans.has(stmts[i]!)) this.#statement(stmts[i++]!);
      c.end();
    }
  }

  /** Pushes whether the tile rewinds to a barrier of this span. */
  #pushHeadsFor(span: Span): void {
    const c = this.#E.code;
    c.get(this.#resume!.rewind)
      .i32(span.first)
      .op("i32.sub")
      .i32(span.last - span.first)
      .op("i32.le_u");
  }

  /** Runs `emit` only when not rewinding, if the statement suspends at all. */
  #whenRunning(s: Stmt, emit: () => void): void {
    const resume = this.#resume;
    if (resume === undefined || !resume.barriers.spans.has(s)) {
      emit();
      return;
    }
    const c = this.#E.code;
    c.get(resume.rewind).op("i32.eqz").if();
    emit();
    c.end();
  }

  #statement(s: Stmt): void {
    const c = this.#E.code;
    this.#E.at = s.at;
    switch (s.kind) {
      case "let":
      case "assign":
        assignTo(this.#E, this.#E.slot(s.local), s.value);
        c.releaseTemps();
        return;
      case "effect":
        this.#effect(s.value, s);
        c.releaseTemps();
        return;
      case "if":
        this.#if(s);
        return;
      case "for":
        this.#for(s);
        return;
      case "loop":
        this.#loop(s);
        return;
      case "block":
        c.block();
        this.#labels.set(s.label, { break: c.depth - 1, continue: undefined });
        this.list(s.body);
        c.end();
        return;
      case "break":
        c.br(this.#target(s.label).break);
        return;
      case "continue": {
        const to = this.#target(s.label).continue;
        if (to === undefined) throw new TypeError(`continue ${s.label} is not in a loop`);
        c.br(to);
        return;
      }
      case "return":
        c.i32(0).op("return");
        return;
    }
  }
  #target(label: string): Target {
    const t = this.#labels.get(label);
    if (t === undefined) throw new TypeError(`unknown label ${label}`);
    return t;
  }

  #effect(e: Apply, s: Stmt): void {
    const E = this.#E;
    switch (e.op) {
      case "set":
        emitSet(E, e);
        return;
      case "store":
        emitStore(E, e);
        return;
      case "store_masked":
        emitStoreMasked(E, e);
        return;
      case "store_strided":
        emitStoreStrided(E, e);
        return;
      case "scatter":
        emitScatter(E, e);
        return;
      case "barrier":
        this.#barrier(s);
        return;
      default:
        if (emitHostOp(E, e)) {
          if (e.type.kind !== "void") E.code.op("drop");
          return;
        }
        // A value nobody wants: computed for what it may report.
        discard(E, e);
    }
  }

  #barrier(s: Stmt): void {
    const resume = this.#resume!;
    const c = this.#E.code;
    c.get(resume.rewind).op("i32.eqz").if();
    c.i32(resume.barriers.spans.get(s)!.first).set(resume.status).br(resume.suspend).end();
    c.i32(0).set(resume.rewind);
  }

  #if(s: Extract<Stmt, { kind: "if" }>): void {
    const E = this.#E;
    const c = E.code;
    const resume = this.#resume;
    if (resume?.barriers.spans.has(s)) {
      c.get(resume.rewind).op("i32.eqz").if("i32");
      E.scalar(s.cond);
      c.else();
      const yes = spanOf(resume.barriers, s.then);
      if (yes === undefined) c.i32(0);
      else this.#pushHeadsFor(yes);
      c.end();
    } else E.scalar(s.cond);
    c.releaseTemps();
    c.if();
    this.list(s.then);
    if (s.else.length > 0) {
      c.else();
      this.list(s.else);
    }
    c.end();
  }

  /**
   * block exit { i = from; if !(i < to) exit; loop top { block next { body }; again = to - i > step; i += step; if (again) top } }
   * The distance to `to` is positive, so comparing it unsigned cannot overflow; i may wrap only where it is not used again.
   */
  #for(s: Extract<Stmt, { kind: "for" }>): void {
    const E = this.#E;
    const c = E.code;
    const slot = E.slot(s.local) as Extract<Slot, { kind: "scalar" }>;
    const t = slot.type as "i32" | "i64" | "f32" | "f64";
    const integer = t === "i32" || t === "i64";
    const i = slot.index;
    const to = this.#bounds.get(s)!;
    const constant = (v: number): Code => pushConstant(c, t, v);
    const up = s.step > 0;
    c.block();
    const exit = c.depth - 1;
    this.#whenRunning(s, () => {
      E.scalar(s.from);
      const first = c.save(t);
      E.scalar(s.to);
      c.set(to).get(first).tee(i).get(to);
      c.op((integer ? `${t}.${up ? "lt" : "gt"}_s` : `${t}.${up ? "lt" : "gt"}`) as NumericOp);
      c.op("i32.eqz").brIf(exit);
      c.releaseTemps();
    });
    c.loop();
    const top = c.depth - 1;
    c.block();
    this.#labels.set(s.label, { break: exit, continue: c.depth - 1 });
    this.list(s.body);
    c.end();
    if (integer) {
      if (up) c.get(to).get(i);
      else c.get(i).get(to);
      c.op(`${t}.sub`);
      constant(Math.abs(s.step)).op(`${t}.gt_u`);
      c.get(i);
      constant(s.step).op(`${t}.add`).set(i).brIf(top);
    } else {
      c.get(i);
      constant(s.step).op(`${t}.add`).tee(i).get(to);
      c.op(`${t}.${up ? "lt" : "gt"}` as NumericOp).brIf(top);
    }
    c.end().end();
  }

  #loop(s: Extract<Stmt, { kind: "loop" }>): void {
    const E = this.#E;
    const c = E.code;
    const part = (stmts: readonly Stmt[]): void => {
      // A part without a barrier of its own does not run while the tile finds its way back to one in another part.
      const barriers = this.#resume?.barriers;
      if (barriers === undefined || spanOf(barriers, stmts) !== undefined) this.list(stmts);
      else this.#whenRunning(s, () => this.list(stmts));
    };
    const test = (emit: () => void): void => {
      part(s.test);
      this.#whenRunning(s, () => {
        E.scalar(s.cond);
        c.releaseTemps();
        emit();
      });
    };
    c.block();
    const exit = c.depth - 1;
    c.loop();
    const top = c.depth - 1;
    if (s.testFirst) test(() => c.op("i32.eqz").brIf(exit));
    c.block();
    this.#labels.set(s.label, { break: exit, continue: c.depth - 1 });
    part(s.body);
    c.end();
    part(s.update);
    if (s.testFirst) c.br(top);
    else test(() => c.brIf(top));
    c.end().end();
  }
}

function pushConstant(c: Code, t: WasmType, v: number): Code {
  if (t === "i32") return c.i32(v);
  if (t === "i64") return c.i64(v);
  return t === "f32" ? c.f32(v) : c.f64(v);
}

/** Evaluates an expression into the wasm locals of a slot. */
function assignTo(
  E: Emitter,
  slot: Slot,
  value: Stmt extends infer S ? (S extends { kind: "let"; value: infer V } ? V : never) : never,
): void {
  const c = E.code;
  switch (slot.kind) {
    case "scalar":
      if (value.kind === "apply" && emitHostOp(E, value)) c.set(slot.index);
      else {
        E.scalar(value);
        c.set(slot.index);
      }
      return;
    case "splatted":
      emitGetSplat(E, value as Apply);
      c.set(slot.index);
      return;
    case "pointer":
      E.pointer(value);
      if (slot.hi !== slot.addr) c.set(slot.hi).set(slot.lo);
      c.set(slot.addr);
      return;
    case "parts": {
      const isMask = value.type.kind === "mask";
      if (isMask && slot.full !== undefined && value.kind === "apply" && value.op === "tail_mask") {
        pushMaskFull(E, value);
        c.set(slot.full);
      }
      const parts = isMask ? E.mask(value, slot.bits) : E.vector(value);
      // All parts before the first is set: a later part may read an earlier one.
      for (let p = 0; p < parts.count; p++) parts.push(p);
      for (let p = parts.count - 1; p >= 0; p--) c.set(slot.locals[p]!);
      if (isMask && slot.full !== undefined && !(value.kind === "apply" && value.op === "tail_mask")) {
        allActive(E, slot, value.type.kind === "mask" ? value.type.lanes : 0);
        c.set(slot.full);
      }
      return;
    }
  }
}

function allActive(E: Emitter, slot: Extract<Slot, { kind: "parts" }>, lanes: number): void {
  const c = E.code;
  const perPart = 128 / slot.bits;
  const shape = slot.bits === 8 ? "i8x16" : slot.bits === 16 ? "i16x8" : "i32x4";
  slot.locals.forEach((l, p) => {
    const valid = Math.min(perPart, lanes - p * perPart);
    c.get(l);
    if (valid === perPart) c.v(`${shape}.all_true`);
    else {
      const bits = 2 ** valid - 1;
      c.v(`${shape}.bitmask`).i32(bits).op("i32.and").i32(bits).op("i32.eq");
    }
    if (p > 0) c.op("i32.and");
  });
}

function discard(E: Emitter, e: Apply): void {
  const c = E.code;
  switch (e.type.kind) {
    case "scalar":
      wasmType(e.type.name);
      E.scalar(e);
      c.op("drop");
      return;
    case "ptr":
      E.pointer(e);
      c.op("drop");
      if (E.checks) c.op("drop").op("drop");
      return;
    case "vec":
    case "mask": {
      const parts = e.type.kind === "mask" ? E.mask(e, 8) : E.vector(e);
      for (let p = 0; p < parts.count; p++) {
        parts.push(p);
        c.op("drop");
      }
      return;
    }
    case "void":
      throw new TypeError(`cannot emit ${e.op}`);
  }
}
