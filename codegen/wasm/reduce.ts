/** Reductions to a scalar: sums and extremes by halves, their index, any and all. */
import { DTYPES, type DTypeName, isFloat } from "../../ir/dtype.ts";
import type { Apply } from "../../ir/kir.ts";
import { bitsOf, dtypeOf, type Emitter, lanesOf, type Parts, partCount, pin } from "./context.ts";
import type { Code } from "./encoder.ts";
import { roundQuads, toQuads } from "./lanecast.ts";
import { extractLane } from "./lanescalar.ts";
import { lanewisePart } from "./lanewise.ts";
import { extractScalar, pushAllActive, pushAnyActive } from "./memory.ts";
import { permute } from "./permute.ts";
import { naturalBits } from "./vector.ts";

const COMBINE: { readonly [op: string]: string } = { radd: "add", rmin: "min", rmax: "max" };

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** Combines lane i with lane i + n/2 until one is left; an odd last lane is carried. Pushes the scalar. */
export function emitReduce(E: Emitter, e: Apply): void {
  const c = E.code;
  const v = e.args[0]!;
  const own = dtypeOf(v);
  let n = lanesOf(v);
  // f16 and bf16 go through f32: sums accumulate there, and extremes are exact there.
  const d: DTypeName = isFloat(own) ? "f32" : own;
  const bits = bitsOf(d);
  const op = COMBINE[e.op]!;
  let x: Parts = isFloat(own) ? toQuads(c, E.vector(v), own, n) : E.vector(v);
  while (n > 1) {
    const half = n >> 1;
    const whole = pin(c, x);
    const lanes = n;
    const low = permute(c, [{ parts: whole, lanes }], range(0, half), bits);
    const high = permute(c, [{ parts: whole, lanes }], range(half, 2 * half), bits);
    const combined: Parts = {
      count: partCount(half, bits),
      push: (p) => lanewisePart(c, op, d, {}, [() => low.push(p), () => high.push(p)]),
    };
    x =
      n % 2 === 0
        ? combined
        : permute(
            c,
            [
              { parts: combined, lanes: half },
              { parts: whole, lanes },
            ],
            [...range(0, half), half + n - 1],
            bits,
          );
    n -= half;
  }
  if (own === "f16" || own === "bf16") x = roundQuads(c, x, own, 1);
  x.push(0);
  extractScalar(c, own, 0);
}

/** Lowest index of the extreme among active lanes, -1 when none is active. */
export function emitReduceIndex(E: Emitter, e: Apply): void {
  const c = E.code;
  const [v, m] = e.args as [Apply, Apply];
  const own = dtypeOf(v);
  const lanes = lanesOf(v);
  const floats = isFloat(own);
  const d: DTypeName = floats ? "f32" : own;
  const x = floats ? toQuads(c, E.vector(v), own, lanes) : E.vector(v);
  const bits = bitsOf(d);
  const mask = E.mask(m, bits);
  for (let p = 0; p < x.count; p++) x.push(p);
  for (let p = 0; p < mask.count; p++) mask.push(p);
  const key = `${e.op} ${d} ${lanes}`;
  const types = new Array<"v128">(x.count + mask.count).fill("v128");
  const index = c.module.helper(key, types, ["i32"], (h) => writeIndex(h, e.op, d, lanes, x.count));
  c.call(index);
}

function writeIndex(h: Code, op: string, d: DTypeName, lanes: number, parts: number): void {
  const type = d === "f32" ? "f32" : "i32";
  const best = h.local("i32");
  const bestValue = h.local(type);
  const value = h.local(type);
  const perPart = 128 / bitsOf(d);
  const smaller = op === "rmin_idx";
  h.i32(-1).set(best);
  for (let i = 0; i < lanes; i++) {
    const part = Math.floor(i / perPart);
    const lane = i % perPart;
    h.get(parts + part);
    // Masks have lanes of the same width: any set bit of the lane says active.
    extractLane(h, d === "f32" ? "u32" : d, lane);
    h.if();
    h.get(part);
    extractLane(h, d, lane);
    h.set(value);
    h.get(best).i32(0).op("i32.lt_s");
    if (type === "i32") {
      const s = DTYPES[d].signed ? "s" : "u";
      h.get(value)
        .get(bestValue)
        .op(smaller ? `i32.lt_${s}` : `i32.gt_${s}`);
    } else {
      // A number beats a NaN; of two numbers the smaller (larger); of two zeros the one whose sign bit says so.
      h.get(value).get(value).op("f32.eq").get(bestValue).get(bestValue).op("f32.ne").op("i32.and");
      h.get(value)
        .get(bestValue)
        .op(smaller ? "f32.lt" : "f32.gt")
        .op("i32.or");
      h.get(value).get(bestValue).op("f32.eq");
      h.get(value).op("i32.reinterpret_f32").get(bestValue).op("i32.reinterpret_f32");
      h.op(smaller ? "i32.lt_s" : "i32.gt_s")
        .get(value)
        .f32(0)
        .op("f32.eq")
        .op("i32.and")
        .op("i32.and");
      h.op("i32.or");
    }
    h.op("i32.or").if().i32(i).set(best).get(value).set(bestValue).end().end();
  }
  h.get(best);
}

export function emitAnyAll(E: Emitter, e: Apply): void {
  const c = E.code;
  const m = e.args[0]!;
  const lanes = lanesOf(m);
  const bits = naturalBits(E, m) ?? 32;
  const parts = E.mask(m, bits);
  if (e.op === "any") pushAnyActive(c, parts, lanes, bits);
  else pushAllActive(c, parts, lanes, bits);
}
