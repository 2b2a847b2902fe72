/** Immutable values of a kernel: vectors and masks. Pointers stand in pointer.ts. */

import { roundTo } from "../ir/convert.ts";
import type { DType, NumD } from "./dtypes.ts";
import { fits, misfit } from "./fit.ts";
import { fail, hasFloats, INSPECT } from "./ir.ts";

/** A vector of `lanes` exact values of one dtype. `data` is never written after construction. */
export class Vec<D extends DType = NumD> {
  declare readonly dtype: D;
  declare readonly lanes: number;
  declare readonly data: readonly number[];
  constructor(dtype: D, data: readonly number[]) {
    this.dtype = dtype;
    this.lanes = data.length;
    this.data = data;
  }
  /** One lane as a number. Example: `S.vload(x).at(2)`. */
  at(lane: number): number {
    return laneOf(this.data, lane, "Vec.at");
  }
  /** A new vector with one lane replaced. Example: `S.vload(x).with(2, 0)`. */
  with(lane: number, value: number): Vec<D> {
    laneOf(this.data, lane, "Vec.with");
    const d = this.dtype.name;
    if (typeof value !== "number")
      fail("KPU3001", `Vec.with: value must be a number, got ${value === null ? "null" : typeof value}`);
    if (!fits(value, d)) {
      const { message, help } = misfit("Vec.with", "value", value, d);
      fail("KPU3003", message, { help });
    }
    // An integer lane has no -0.
    return new Vec(this.dtype, this.data.with(lane, hasFloats(d) ? roundTo(d)(value) : value + 0));
  }
  [INSPECT](): string {
    const shown = this.data.slice(0, 16).map((x) => (Object.is(x, -0) ? "-0" : String(x)));
    return `${this.dtype.name}x${this.lanes} [${shown.join(", ")}${this.lanes > 16 ? ", ..." : ""}]`;
  }
}

/** One boolean per lane, held as 0 or 1. */
export class Mask {
  declare readonly lanes: number;
  declare readonly data: readonly number[];
  constructor(data: readonly number[]) {
    this.lanes = data.length;
    this.data = data;
  }
  /** One lane as a boolean. Example: `S.tailMask(3, 8).at(2)`. */
  at(lane: number): boolean {
    return laneOf(this.data, lane, "Mask.at") !== 0;
  }
  /** A new mask with one lane replaced. Example: `S.tailMask(3, 8).with(7, true)`. */
  with(lane: number, value: boolean): Mask {
    laneOf(this.data, lane, "Mask.with");
    if (typeof value !== "boolean")
      fail("KPU3001", `Mask.with: value must be a boolean, got ${value === null ? "null" : typeof value}`);
    return new Mask(this.data.with(lane, value ? 1 : 0));
  }
  [INSPECT](): string {
    return `mask<${this.lanes}> ${this.data.map((b) => (b ? "T" : "F")).join("")}`;
  }
}

/**
 * tsx names every class by defining a property of it, and V8 then keeps the class as a dictionary, which makes each `instanceof` a
 * call (15 % of a direct run). A class that another one extends is kept fast.
 */
void [class extends Vec {}, class extends Mask {}];

/** Handle of one asynchronous transfer of this tile. */
export class Event {
  readonly id: number;
  constructor(id: number) {
    this.id = id;
  }
  [INSPECT](): string {
    return `event ${this.id}`;
  }
}

function laneOf(data: readonly number[], lane: number, name: string): number {
  if (!Number.isSafeInteger(lane)) fail("KPU3005", `${name} needs an integer, got ${lane}`);
  const value = data[lane];
  return value === undefined ? fail("KPU4001", `${name}: lane ${lane} of ${data.length}`) : value;
}
