/** The drain path: four accumulators at a time through the steps of ir/path/drain.ts. */
import { DTYPES, type DTypeName } from "../../../ir/dtype.ts";
import type { Apply, Attrs, Expr } from "../../../ir/kir.ts";
import { type ActivationName, activationSteps } from "../../../ir/path/activations.ts";
import { type PathOperand, pathOperands } from "../../../ir/path/operands.ts";
import { dtypeOf, type Emitter, scalarName } from "../context.ts";
import type { Code, LocalIndex, WasmType } from "../encoder.ts";
import { castParts } from "../lanecast.ts";
import { lanewisePart } from "../lanewise.ts";
import { canonicalPart, maskedLoadHelper, maskedStoreHelper } from "../memory.ts";
import { loadPart, storePart } from "../partaccess.ts";
import { elementUnits } from "../pointer.ts";
import { countDown, pushAddress, pushBytes } from "../rows.ts";
import { castScalar, index32 } from "../scalar.ts";
import { pushApart } from "./forward.ts";

/** Operands that count elements of a row of another operand. */
const STRIDE_OF: { readonly [name: string]: string } = { stride: "dst", residualStride: "residual" };

export function emitDrain(E: Emitter, e: Apply, operand: (name: string) => Expr): void {
  const c = E.code;
  const { attrs } = e;
  const out = E.forwarding.drained.get(e);
  const operands = pathOperands("drain", attrs);
  const push = (o: PathOperand, x: Expr): void => {
    const rowsOf = STRIDE_OF[o.name];
    if (o.is === "pointer") pushAddress(E, x);
    else if (rowsOf !== undefined) pushBytes(E, x, elementUnits(operand(rowsOf)));
    else if (o.is === "count") index32(E, x);
    else {
      E.scalar(x);
      castScalar(c, scalarName(x), "f32");
    }
  };
  // Where rows go out next they can go now.
  const there: { readonly [name: string]: Expr | undefined } = { dst: out?.args[0], stride: out?.args[4] };
  for (const o of operands) {
    const x = there[o.name];
    if (x !== undefined) push(o, x);
    push(o, operand(o.name));
    if (x === undefined) continue;
    pushApart(E);
    c.op("select");
  }
  const pointers = operands.filter((o) => o.is === "pointer");
  const dtypes = new Map(pointers.map((o) => [o.name, dtypeOf(operand(o.name))]));
  c.call(new DrainHelper(attrs, operands, dtypes).in(c));
}

/** (operands in their order): strides in bytes, factors and zero points as f32. */
class DrainHelper {
  readonly #attrs: Attrs;
  readonly #operands: readonly PathOperand[];
  readonly #dtypes: ReadonlyMap<string, DTypeName>;
  /** A factor, or an element of each row, in every lane. */
  readonly #splats = new Map<string, LocalIndex>();

  constructor(attrs: Attrs, operands: readonly PathOperand[], dtypes: ReadonlyMap<string, DTypeName>) {
    this.#attrs = attrs;
    this.#operands = operands;
    this.#dtypes = dtypes;
  }

  in(c: Code): number {
    const types = this.#operands.map(
      (o): WasmType => (o.is === "factor" || o.is === "integer" ? "f32" : "i32"),
    );
    const key = [
      ...Object.entries(this.#attrs).map(([name, value]) => `${name} ${String(value)}`),
      ...[...this.#dtypes].map(([name, d]) => `${name} ${d}`),
    ];
    return c.module.helper(`drain ${key.join(" ")}`, types, [], (h) => this.#write(h));
  }

  #param(name: string): LocalIndex {
    return this.#operands.findIndex((o) => o.name === name);
  }
  #dtype(name: string): DTypeName {
    return this.#dtypes.get(name) as DTypeName;
  }
  #bytes(name: string): number {
    return DTYPES[this.#dtype(name)].bytes;
  }
  /** Pointers that move with the columns: by so many bytes from one to the next. */
  get #perColumn(): string[] {
    const lists = this.#attrs["axis"] === "column" ? this.#lists : [];
    return ["dst", "acc", ...(this.#attrs["residual"] === undefined ? [] : ["residual"]), ...lists];
  }
  /** Pointers to one element of each column or row. */
  get #lists(): string[] {
    return ["bias", "scale"].filter((name) => this.#dtypes.has(name));
  }

  #write(h: Code): void {
    for (const o of this.#operands) {
      if (o.is !== "factor" && o.is !== "integer") continue;
      const splat = h.local("v128");
      h.get(this.#param(o.name)).v("f32x4.splat").set(splat);
      this.#splats.set(o.name, splat);
    }
    const at = new Map(this.#perColumn.map((name) => [name, h.local("i32")]));
    const rows = this.#attrs["axis"] === "row" ? this.#lists : [];
    for (const name of rows) this.#splats.set(name, h.local("v128"));
    const [left, row] = [h.local("i32"), h.local("i32")];
    h.get(this.#param("rows")).set(row);
    countDown(h, row, () => {
      for (const [name, local] of at) h.get(this.#param(name)).set(local);
      for (const name of rows) this.#ofRow(h, name);
      h.get(this.#param("cols")).i32(2).op("i32.shr_u").set(left);
      countDown(h, left, () => {
        this.#quad(h, at, undefined);
        for (const [name, local] of at)
          h.get(local)
            .i32(4 * this.#bytes(name))
            .op("i32.add")
            .set(local);
      });
      h.get(this.#param("cols")).i32(3).op("i32.and").set(left);
      h.get(left).if();
      h.i32(1).get(left).op("i32.shl").i32(1).op("i32.sub").set(left);
      this.#quad(h, at, left);
      h.end();
      this.#advance(h, "dst", () => h.get(this.#param("stride")));
      this.#advance(h, "acc", () => h.get(this.#param("cols")).i32(4).op("i32.mul"));
      if (at.has("residual")) this.#advance(h, "residual", () => h.get(this.#param("residualStride")));
      for (const name of rows) this.#advance(h, name, () => h.i32(this.#bytes(name)));
    });
  }

  #advance(h: Code, name: string, bytes: () => void): void {
    h.get(this.#param(name));
    bytes();
    h.op("i32.add").set(this.#param(name));
  }

  /** The element of this row in every lane. */
  #ofRow(h: Code, name: string): void {
    const one = h.temp("i32");
    h.i32(1).set(one);
    this.#load(h, name, this.#param(name), one);
    const lanes = h.save("v128");
    h.get(lanes).get(lanes).shuffle([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
    h.set(this.#splats.get(name)!);
  }

  /** Pushes four elements as f32, or those of which the bits are set; an i32 list stays one. */
  #load(h: Code, name: string, at: LocalIndex, active: LocalIndex | undefined): void {
    const d = this.#dtype(name);
    const { bytes } = DTYPES[d];
    if (active === undefined) loadPart(h, { offset: 0, push: () => h.get(at) }, 0, 4 * bytes);
    else h.get(at).get(active).v32(0).call(maskedLoadHelper(h, bytes));
    if (d === "f32" || d === "i32") return;
    const part = h.save("v128");
    castParts(h, { count: 1, pinned: true, push: () => h.get(part) }, d, "f32", 4, {}).push(0);
  }
  /** Pushes the four elements of a list, or what stands for all columns. */
  #factor(h: Code, name: string, at: ReadonlyMap<string, LocalIndex>, active: LocalIndex | undefined): void {
    const splat = this.#splats.get(name);
    if (splat !== undefined) h.get(splat);
    else this.#load(h, name, at.get(name)!, active);
  }

  #quad(h: Code, at: ReadonlyMap<string, LocalIndex>, active: LocalIndex | undefined): void {
    const v = h.temp("v128");
    this.#load(h, "acc", at.get("acc")!, active);
    h.set(v);
    const integerBias = this.#dtype("bias") === "i32";
    const step = (name: string, op: "i32x4.add" | "f32x4.add" | "f32x4.mul"): void => {
      h.get(v);
      this.#factor(h, name, at, active);
      h.v(op).set(v);
    };
    if (integerBias) step("bias", "i32x4.add");
    if (this.#dtype("dst") !== "i32") {
      if (this.#dtype("acc") === "i32") h.get(v).v("f32x4.convert_i32x4_s").set(v);
      if (this.#attrs["scale"] !== undefined) step("scale", "f32x4.mul");
      if (this.#attrs["bias"] === true && !integerBias) step("bias", "f32x4.add");
      if (this.#attrs["residual"] !== undefined) this.#residual(h, v, at, active);
      for (const { op, y } of activationSteps(this.#attrs["activation"] as ActivationName)) {
        const second = y === undefined ? [] : [() => void h.vf32(y)];
        lanewisePart(h, op, "f32", {}, [() => void h.get(v), ...second]);
        h.set(v);
      }
      if (this.#attrs["quantized"] === true) {
        h.get(v).get(this.#splats.get("outScale")!).v("f32x4.div").v("f32x4.nearest");
        h.get(this.#splats.get("outZeroPoint")!).v("f32x4.add").set(v);
      }
    }
    this.#store(h, v, at.get("dst")!, active);
  }

  #residual(
    h: Code,
    v: LocalIndex,
    at: ReadonlyMap<string, LocalIndex>,
    active: LocalIndex | undefined,
  ): void {
    h.get(v);
    this.#load(h, "residual", at.get("residual")!, active);
    if (this.#attrs["residual"] === "quantized") {
      h.get(this.#splats.get("residualZeroPoint")!).v("f32x4.sub");
      h.get(this.#splats.get("residualScale")!).v("f32x4.mul");
    }
    h.v("f32x4.add").set(v);
  }

  #store(h: Code, v: LocalIndex, to: LocalIndex, active: LocalIndex | undefined): void {
    const d = this.#dtype("dst");
    const { bytes } = DTYPES[d];
    const push = (): void => {
      if (d === "i32") {
        h.get(v);
        return;
      }
      castParts(h, { count: 1, pinned: true, push: () => h.get(v) }, "f32", d, 4, {}).push(0);
      // The others come from a rounding that makes the one NaN.
      if (d === "f32" || d === "f16") canonicalPart(h, d);
    };
    if (active === undefined) {
      storePart(h, { offset: 0, push: () => h.get(to) }, 0, 4 * bytes, push);
      return;
    }
    push();
    const part = h.save("v128");
    h.get(to).get(active).get(part).call(maskedStoreHelper(h, bytes));
  }
}
